package envelope

import (
	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// Header is what a frame has beside its payload. Fields that are zero are left out; without any but Type there is no meta.
type Header struct {
	Type          string
	CorrelationID string
	Timestamp     int64  // milliseconds since 1970
	TimeoutMs     int    // v1, of requests
	Room          string // v1, topic of a room message, with Seq
	Seq           uint64 // v1, number in the room, written when Room is
}

// Append writes a frame. encode writes the payload v; it is nil for a message without one. Append itself does not allocate
// but for the growth of w.
func Append(w *jx.Writer, h *Header, encode func(w *jx.Writer, v any), v any) {
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
func AppendProgress(w *jx.Writer, correlationID string, encode func(w *jx.Writer, v any), v any) {
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
func AppendHeartbeatAck(w *jx.Writer, ts int64) {
	w.RawStr(`{"type":"__heartbeat_ack","meta":{"ts":`)
	w.Int64(ts)
	w.RawStr(`}}`)
}

// appendMeta writes the meta object if the header has anything for it.
func appendMeta(w *jx.Writer, h *Header) {
	if h.CorrelationID == "" && h.Timestamp == 0 && h.TimeoutMs == 0 && h.Room == "" {
		return
	}
	w.RawStr(`,"meta":{`)
	if h.Timestamp != 0 {
		w.RawStr(`"timestamp":`)
		w.Int64(h.Timestamp)
		w.RawStr(`,`)
	}
	if h.CorrelationID != "" {
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
		w.RawStr(`,"seq":`)
		w.UInt64(h.Seq)
		w.RawStr(`,`)
	}
	codec.CloseObject(w)
}
