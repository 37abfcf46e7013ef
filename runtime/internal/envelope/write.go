package envelope

import (
	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// Header is what a frame has beside its payload. Fields that are zero are left out; without any but Type there is no meta.
type Header struct {
	Type          string
	CorrelationID string
	EmptyID       bool   // the correlation id is ""
	Timestamp     int64  // milliseconds since 1970
	TimeoutMs     int    // v1, of requests
	Room          string // v1, topic of a room message
	Seq           uint64 // v1, number in the room, from 1
	Form          *Form  // another form of frames; nil: the protocol's
	// Meta writes an object whose members stand in meta; nil: none.
	Meta func(w *jx.Writer)
}

func (h *Header) hasID() bool { return h.CorrelationID != "" || h.EmptyID }

// Append writes a frame. encode writes the payload v; it is nil for a message without one. Append itself does not allocate
// but for the growth of w.
func Append(w *jx.Writer, h *Header, encode func(w *jx.Writer, v any), v any) {
	if h.Form != nil {
		appendForm(w, h, encode, v)
		return
	}
	w.RawStr(`{"type":`)
	codec.WriteString(w, h.Type)
	appendMeta(w, h)
	if encode != nil {
		w.RawStr(`,"payload":`)
		encode(w, v)
	}
	w.RawStr(`}`)
}

// AppendProgress writes a progress frame. The value stands in it twice, because readers of the base profile look for it in
// data.
func AppendProgress(w *jx.Writer, form *Form, correlationID string, encode func(w *jx.Writer, v any), v any) {
	if form != nil {
		appendForm(w, &Header{Type: typeProgress, CorrelationID: correlationID, Form: form}, encode, v)
		return
	}
	w.RawStr(`{"type":"$ws:rpc-progress"`)
	appendMeta(w, &Header{CorrelationID: correlationID})
	w.RawStr(`,"data":`)
	start := len(w.Buf)
	encode(w, v)
	end := len(w.Buf)
	w.RawStr(`,"payload":`)
	w.Raw(w.Buf[start:end])
	w.RawStr(`}`)
}

// AppendHeartbeatAck writes the answer to a heartbeat. ts is in milliseconds since 1970.
func AppendHeartbeatAck(w *jx.Writer, form *Form, ts int64) {
	if form != nil {
		appendForm(w, &Header{Type: "__heartbeat_ack", Form: form}, nil, nil)
		return
	}
	w.RawStr(`{"type":"__heartbeat_ack","meta":{"ts":`)
	w.Int64(ts)
	w.RawStr(`}}`)
}

// appendMeta writes the meta object if the header has anything for it.
func appendMeta(w *jx.Writer, h *Header) {
	if !h.hasID() && h.Timestamp == 0 && h.TimeoutMs == 0 && h.Room == "" && h.Meta == nil {
		return
	}
	w.RawStr(`,"meta":{`)
	if h.Timestamp != 0 {
		w.RawStr(`"timestamp":`)
		w.Int64(h.Timestamp)
		w.RawStr(`,`)
	}
	if h.hasID() {
		w.RawStr(`"correlationId":`)
		codec.WriteString(w, h.CorrelationID)
		w.RawStr(`,`)
	}
	if h.TimeoutMs != 0 {
		w.RawStr(`"timeoutMs":`)
		w.Int(h.TimeoutMs)
		w.RawStr(`,`)
	}
	if h.Room != "" {
		w.RawStr(`"room":`)
		codec.WriteString(w, h.Room)
		w.RawStr(`,`)
	}
	if h.Seq != 0 {
		w.RawStr(`"seq":`)
		w.UInt64(h.Seq)
		w.RawStr(`,`)
	}
	if h.Meta == nil {
		codec.CloseObject(w)
		return
	}
	if n := len(w.Buf); w.Buf[n-1] == ',' {
		w.Buf = w.Buf[:n-1] // splice writes it again
		splice(w, func() { h.Meta(w) })
		w.ObjEnd()
		return
	}
	w.Buf = w.Buf[:len(w.Buf)-1]
	h.Meta(w)
}

const typeProgress = "$ws:rpc-progress"
