package runtime

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// request is a request without an answer. Whoever ends it first answers: the handler, the deadline, the client's abort.
type request struct {
	in       *inbound
	id       string // correlation id; may be empty
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    clock.Timer
	answered atomic.Bool
}

// newRequest registers a request. c.mu is held.
func newRequest(in *inbound, id string, timeoutMs int) *request {
	c := in.conn
	r := &request{in: in, id: id}
	r.ctx, r.cancel = context.WithCancelCause(c.ctx)
	if id != "" {
		if c.requests == nil {
			c.requests = make(map[string]*request)
		}
		c.requests[id] = r
	}
	timeout := or(in.t.Request.Timeout, 30*time.Second)
	if client := time.Duration(timeoutMs) * time.Millisecond; client > 0 && client < timeout {
		timeout = client
	}
	r.timer = c.srv.Clock.AfterFunc(timeout, func() {
		r.fail(Errorf(CodeDeadlineExceeded, "no answer in %v", timeout).WithCause(context.DeadlineExceeded))
	})
	return r
}

// end reports whether the caller is the one to answer.
func (r *request) end() bool {
	if !r.answered.CompareAndSwap(false, true) {
		return false
	}
	c := r.in.conn
	c.mu.Lock() // newRequest holds it: a timer that is due at once waits until it is set
	defer c.mu.Unlock()
	r.timer.Stop()
	if r.id != "" {
		delete(c.requests, r.id)
	}
	return true
}

// fail answers with an error, and tells the handler by its context.
func (r *request) fail(e *Error) {
	if r.end() {
		r.in.conn.answerError(true, r.id, e)
		r.cancel(e)
	}
}

// abandon ends a request of a connection that has ended.
func (r *request) abandon() {
	if r.end() {
		r.cancel(context.Canceled)
	}
}

// errAnswered is what progress returns after the answer.
var errAnswered = errors.New("wsgen: the request has been answered")

// progress sends a value on the way to the answer.
func (r *request) progress(v any) error {
	p := r.in.t.Request.Progress
	if r.answered.Load() {
		return errAnswered
	}
	if err := checkPayload(r.in.t.Name+" progress", p, v); err != nil {
		return err
	}
	r.in.conn.member.Send(progressFrame(r.in.conn.srv.protocol.Envelope, r.id, p, v))
	return nil
}

// over reports whether there is nothing left to handle: the request was answered before its turn came.
func (in *inbound) over() bool { return in.request != nil && in.request.answered.Load() }

// run calls the handler and answers.
func (in *inbound) run(handler any) {
	if in.over() {
		in.done(nil, nil)
		return
	}
	call := &Call{Conn: in.conn, Message: in.t.MessageType, Msg: in.msg, Room: in.room, handler: handler}
	if in.request != nil {
		call.progress = in.request.progress
	}
	var result any
	err := guard(func() (err error) {
		result, err = in.conn.srv.handle(in.ctx, call)
		return err
	})
	in.done(result, err)
}

// invoke is the innermost HandlerFunc.
func invoke(ctx context.Context, call *Call) (any, error) {
	if r := call.Message.Request; r != nil {
		return r.Handle(ctx, call.handler, call.Conn, call.Msg, call.progress)
	}
	return nil, call.Message.Handle(ctx, call.handler, call.Conn, call.Msg)
}

// done answers and forgets the message. It is called once for each that begin counted.
func (in *inbound) done(result any, err error) {
	c := in.conn
	if in.request != nil {
		in.answer(result, err)
		in.request.cancel(context.Canceled) // the handler is over
	} else if err != nil {
		c.answerError(false, "", c.srv.visible(in, err))
	}
	c.srv.work.leave()
	c.mu.Lock()
	c.pending--
	c.mu.Unlock()
	if in.room != nil {
		c.settled(in.room)
	}
}

// answer sends the one terminal frame of a request, unless it has been sent.
func (in *inbound) answer(result any, err error) {
	r := in.request
	if err == nil && !r.answered.Load() {
		err = in.t.checkResponse(result)
	}
	if !r.end() {
		return
	}
	if err != nil {
		in.conn.answerError(true, r.id, in.conn.srv.visible(in, err))
		return
	}
	in.conn.srv.stats.answered.Add(1)
	in.conn.member.Send(responseFrame(in.conn.srv.protocol.Envelope, in.t.Request, r.id, result))
}

// visible turns a handler's error into what its client may know of it. Everything that is not meant for the client is
// reported.
func (s *Server) visible(in *inbound, err error) *Error {
	panicked, isPanic := errors.AsType[*PanicError](err)
	if e, ok := errors.AsType[*Error](err); ok && !isPanic {
		if e.cause != nil {
			s.Logger.LogAttrs(in.ctx, slog.LevelDebug, e.Error(), slog.String("message", in.t.Name), slog.String("cause", e.cause.Error()))
		}
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Errorf(CodeDeadlineExceeded, "the deadline has passed")
	case errors.Is(err, context.Canceled) && in.ctx.Err() != nil:
		return Errorf(CodeCancelled, "cancelled")
	}
	attrs := []slog.Attr{slog.String("message", in.t.Name)}
	if isPanic {
		attrs = append(attrs, slog.String("stack", string(panicked.Stack)))
	}
	s.report(in.ctx, in.conn, err, attrs...)
	return Errorf(CodeInternal, "internal error")
}
