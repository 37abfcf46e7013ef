package runtime

// Messages as they go from node to node.

import (
	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
)

// encode writes a message into a frame.
func (in *inbound) encode(f *wire.Frame) {
	f.Kind, f.Type = wire.Forward, in.t.Name
	f.Payload, f.Meta = encodeMessage(in.t.MessageType, in.msg)
	if r := in.request; r != nil {
		f.Correlation = r.id
		f.Timeout = uint64(max(r.due.Sub(in.conn.srv.Clock.Now()).Milliseconds(), 1))
	}
}

// encodeMessage returns the payload and the meta of a message; nil where it has none.
func encodeMessage(t *MessageType, v any) (payload, meta []byte) {
	if t.Payload != nil {
		var w jx.Writer
		t.Payload.Encode(&w, v)
		payload = w.Buf
	}
	if t.Meta != nil {
		var w jx.Writer
		t.Meta.Encode(&w, v)
		meta = w.Buf
	}
	return payload, meta
}

// decodeMessage reads what encodeMessage has written.
func decodeMessage(t *MessageType, payload, meta []byte) (any, error) {
	d := decoders.Get().(*codec.Decoder)
	defer decoders.Put(d)
	if t.Payload == nil {
		msg := t.New()
		return msg, readMeta(d, t, meta, msg)
	}
	d.Reset(payload, codec.Strict)
	msg := t.Payload.Decode(d)
	d.End()
	if err := d.Err(); err != nil {
		return nil, err
	}
	return msg, readMeta(d, t, meta, msg)
}
