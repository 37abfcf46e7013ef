package runtime

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/ratelimit"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// writers are the buffers that frames are encoded in.
var writers = sync.Pool{New: func() any { return new(jx.Writer) }}

// encode returns a frame of what write writes.
func encode(class socket.Class, key string, write func(w *jx.Writer)) *socket.Frame {
	w := writers.Get().(*jx.Writer)
	w.Reset()
	write(w)
	f := socket.NewText(w.Buf, class, key)
	if cap(w.Buf) <= 64<<10 {
		writers.Put(w)
	}
	return f
}

// newFrame encodes a message of the server. A topic adds the room's part of the extended profile.
func newFrame(form *envelope.Form, t *MessageType, v any, topic string, seq uint64) *socket.Frame {
	class, key := socket.Class(t.Delivery), ""
	if t.Delivery == Latest {
		key = t.Name + "\x00" + topic + "\x00" + t.LatestKey(v)
	}
	return encode(class, key, func(w *jx.Writer) {
		h := envelope.Header{Type: t.Name, Room: topic, Seq: seq, Form: form}
		if t.Meta != nil {
			h.Meta = func(w *jx.Writer) { t.Meta.Encode(w, v) }
		}
		envelope.Append(w, &h, t.Payload.encode(), v)
	})
}

// encode returns the function that writes the payload; nil when there is none.
func (p *Payload) encode() func(*jx.Writer, any) {
	if p == nil {
		return nil
	}
	return p.Encode
}

func responseFrame(form *envelope.Form, r *RequestType, id string, v any) *socket.Frame {
	return encode(socket.Reliable, "", func(w *jx.Writer) {
		envelope.Append(w, &envelope.Header{Type: r.ResponseName, CorrelationID: id, Form: form}, r.Response.encode(), v)
	})
}

func progressFrame(form *envelope.Form, id string, p *Payload, v any) *socket.Frame {
	return encode(socket.Reliable, "", func(w *jx.Writer) { envelope.AppendProgress(w, form, id, p.Encode, v) })
}

func heartbeatAck(form *envelope.Form, now time.Time) *socket.Frame {
	return encode(socket.Reliable, "", func(w *jx.Writer) { envelope.AppendHeartbeatAck(w, form, now.UnixMilli()) })
}

// answerError sends an error.
func (c *Conn) answerError(request bool, id string, e *Error) {
	if f := c.errorFrame(request, id, e); f != nil {
		c.send(f)
	}
}

// errorFrame returns the frame of an error: RPC_ERROR for a request, ERROR for an event. A connection gets a limited number of
// the latter, because nothing waits for them: nil is one too many.
func (c *Conn) errorFrame(request bool, id string, e *Error) *socket.Frame {
	return c.errorFrameFor(request, envelope.Header{CorrelationID: id}, e)
}

// errorFrameFor is errorFrame with the header of the answer, which needs no more than an id.
func (c *Conn) errorFrameFor(request bool, h envelope.Header, e *Error) *socket.Frame {
	s := c.srv
	s.stats.failed(e.code)
	name := typeRPCError
	if !request {
		name = typeError
		c.mu.Lock()
		wait := c.errors.Take(ratelimit.Rate{Limit: 10, Per: time.Second, Burst: 20}, s.Clock.Now())
		c.mu.Unlock()
		if wait > 0 && !s.Unlimited {
			s.stats.suppressed.Add(1)
			return nil
		}
	}
	if !c.v1 && e.applied != appliedUnsaid { // clients of the base profile may drop what has fields that they do not know
		base := *e
		base.applied = appliedUnsaid
		e = &base
	}
	h.Type, h.Form = name, s.protocol.Envelope
	return encode(socket.Reliable, "", func(w *jx.Writer) { envelope.Append(w, &h, s.writeError, e) })
}

// writeError writes the payload of an error frame.
func (s *Server) writeError(w *jx.Writer, v any) {
	e := v.(*Error)
	w.RawStr(`{"code":`)
	codec.WriteString(w, string(e.code))
	w.RawStr(`,"message":`)
	codec.WriteString(w, e.message)
	s.writeDetails(w, e)
	w.RawStr(`,"retryable":`)
	w.Bool(e.retryable)
	if e.retryable && e.retryAfter > 0 {
		w.RawStr(`,"retryAfterMs":`)
		w.Int64(max((e.retryAfter + time.Millisecond - 1).Milliseconds(), 1))
	}
	if e.applied != appliedUnsaid {
		w.RawStr(`,"maybeApplied":`)
		w.Bool(e.applied == appliedMaybe)
	}
	w.RawStr(`}`)
}

func (s *Server) writeDetails(w *jx.Writer, e *Error) {
	if invalid, ok := e.details.(*InvalidDetails); ok {
		w.RawStr(`,"details":{"issues":[`)
		for i, issue := range invalid.Issues {
			if i > 0 {
				w.RawStr(`,`)
			}
			w.RawStr(`{"path":`)
			codec.WriteString(w, issue.Path)
			w.RawStr(`,"message":`)
			codec.WriteString(w, issue.Message)
			w.RawStr(`}`)
		}
		w.RawStr(`]}`)
		return
	}
	if t := s.errors[e.code]; t != nil && t.Details != nil && e.details != nil {
		w.RawStr(`,"details":`)
		t.Details.Encode(w, e.details)
	}
}

// InvalidMessageError says that a message which was about to be sent is not what the schema allows.
type InvalidMessageError struct {
	Message string // its type
	Issues  codec.Issues
}

// Error names the message and the first issue.
func (e *InvalidMessageError) Error() string {
	return fmt.Sprintf("wsgen: %s cannot be sent: %v", e.Message, e.Issues)
}

// checkOutgoing checks a message that the server is about to send.
func checkOutgoing(t *MessageType, v any) error {
	if !t.FromServer {
		return fmt.Errorf("wsgen: only clients send %s", t.Name)
	}
	if err := checkPayload(t.Name, t.Payload, v); err != nil || t.Meta == nil {
		return err
	}
	var c codec.Checker
	t.Meta.Check(&c, v)
	if c.Err() != nil {
		return &InvalidMessageError{Message: t.Name + ".meta", Issues: c.Issues()}
	}
	return nil
}

func (t *messageType) checkResponse(v any) error {
	return checkPayload(t.Request.ResponseName, t.Request.Response, v)
}

func checkPayload(name string, p *Payload, v any) error {
	if p == nil {
		return nil
	}
	if isNil(v) {
		return fmt.Errorf("wsgen: %s cannot be sent: it is nil", name)
	}
	if p.Check == nil {
		return nil
	}
	c := checkers.Get().(*codec.Checker)
	p.Check(c, v)
	if c.Err() != nil {
		return &InvalidMessageError{Message: name, Issues: c.Issues()}
	}
	c.Reset()
	checkers.Put(c)
	return nil
}

// checkers are used again when they have found nothing.
var checkers = sync.Pool{New: func() any { return new(codec.Checker) }}

// isNil also finds a nil pointer in an interface, which is what a handler's nil response is.
func isNil(v any) bool {
	rv := reflect.ValueOf(v)
	return !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil()
}
