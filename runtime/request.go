package runtime

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// request is a request without an answer, and the context of its handler. Whoever ends it first answers: the handler, the
// deadline, the client's abort.
type request struct {
	scope
	in       *inbound
	id       string // correlation id; may be empty
	timeout  time.Duration
	due      time.Time
	answered atomic.Bool
	alone    bool // when it is answered: no other message of the connection waits or runs
}

// Deadline implements context.Context. The server's clock, which keeps it, need not be the system's.
func (r *request) Deadline() (time.Time, bool) { return time.Time{}, false }

// begin registers a request. The connection's mu is held.
func (r *request) begin(id string, timeoutMs int) {
	in, c := r.in, r.in.conn
	r.id, r.timeout, r.parent = id, or(in.t.Request.Timeout, 30*time.Second), c.ctx
	if client := time.Duration(timeoutMs) * time.Millisecond; client > 0 && client < r.timeout {
		r.timeout = client
	}
	r.due = in.at.Add(r.timeout)
	c.requests = append(c.requests, r)
	c.setAlarm(r.due, r.timeout)
	in.request, in.ctx = r, r
}

// setAlarm sees to it that overdue is called at a time, or before. One timer serves all requests of a connection: most end
// long before they are due, and cost it nothing. c.mu is held.
func (c *Conn) setAlarm(at time.Time, in time.Duration) {
	switch {
	case c.alarm == nil:
		c.alarm = c.srv.Clock.AfterFunc(in, c.overdue)
	case c.alarmAt == 0 || at.UnixNano() < c.alarmAt:
		c.alarm.Reset(in)
	default:
		return
	}
	c.alarmAt = at.UnixNano()
}

// overdue fails the requests whose time is up.
func (c *Conn) overdue() {
	now := c.srv.Clock.Now()
	var late []*request
	c.mu.Lock()
	c.alarmAt = 0
	for _, r := range c.requests {
		if wait := r.due.Sub(now); wait > 0 {
			c.setAlarm(r.due, wait)
		} else {
			late = append(late, r)
		}
	}
	c.mu.Unlock()
	for _, r := range late {
		r.fail(Errorf(CodeDeadlineExceeded, "no answer in %v", r.timeout).WithCause(context.DeadlineExceeded))
	}
}

// pendingRequest returns the request with a correlation id; nil when there is none. c.mu is held.
func (c *Conn) pendingRequest(id string) *request {
	for _, r := range c.requests {
		if r.id == id {
			return r
		}
	}
	return nil
}

// claim reports whether the caller is the one to answer.
func (r *request) claim() bool {
	if !r.answered.CompareAndSwap(false, true) {
		return false
	}
	c := r.in.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.requests, r)
	c.requests = slices.Delete(c.requests, i, i+1)
	// Where one message may be pending at a time, the client must not get the answer before it counts as done.
	r.alone = c.pending == 1 && c.srv.Limits.Pending != 1
	return true
}

// fail answers with an error, and tells the handler by its context.
func (r *request) fail(e *Error) {
	if r.claim() {
		if r.in.link == nil { // the client's own node answers it
			r.in.conn.answerError(true, r.id, r.in.fate(e))
		}
		if errors.Is(e.cause, context.DeadlineExceeded) {
			r.end(context.DeadlineExceeded)
		} else {
			r.end(context.Canceled)
		}
	}
}

// abandon ends a request of a connection that has ended.
func (r *request) abandon() {
	if r.claim() {
		r.end(context.Canceled)
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
	r.in.conn.send(progressFrame(r.in.conn.srv.protocol.Envelope, r.id, p, v))
	return nil
}

// over reports whether there is nothing left to handle: the request was answered before its turn came.
func (in *inbound) over() bool { return in.request != nil && in.request.answered.Load() }

// run calls the handler and answers. It returns when the handler returned.
func (in *inbound) run(handler any) (at time.Time) {
	if in.over() {
		in.done(nil, nil)
		return in.conn.srv.Clock.Now()
	}
	in.call = Call{Conn: in.conn, Message: in.t.MessageType, Msg: in.msg, Room: in.room, handler: handler, request: in.request}
	start := in.conn.srv.Clock.Now()
	result, err := in.handle()
	if in.room != nil && in.room.silent() { // what it has done must not be seen
		result, err = nil, errMaybeApplied("the node that ran %s has lost it", in.topic)
	}
	at = in.conn.srv.Clock.Now()
	in.handled(err, at.Sub(start))
	in.done(result, err)
	return at
}

// handle calls the interceptors and the handler.
func (in *inbound) handle() (result any, err error) {
	defer recovered(&err)
	handle := in.conn.srv.handle
	if in.t.v1 { // of the protocol itself, such as a token, which nobody is to log
		handle = invoke
	}
	if result, err = handle(in.ctx, &in.call); err != nil {
		touch(err)
	}
	return result, err
}

// invoke is the innermost HandlerFunc.
func invoke(ctx context.Context, call *Call) (any, error) {
	if r := call.Message.Request; r != nil {
		return r.Handle(ctx, call.handler, call.Conn, call.Msg, call.request.progress)
	}
	return nil, call.Message.Handle(ctx, call.handler, call.Conn, call.Msg)
}

// done answers and forgets the message. It is called once for each that begin counted.
func (in *inbound) done(result any, err error) {
	c := in.conn
	var f *socket.Frame
	if in.request != nil {
		f = in.answer(result, err)
		in.request.end(context.Canceled) // the handler is over
	} else if err != nil {
		f = c.errorFrame(false, "", c.srv.visible(in, err))
	}
	if in.link != nil {
		in.link.done(f)
	} else if f != nil {
		in.send(f)
	}
	in.settle()
}

// send sends the answer to a client of this node: at once where nothing else is to come, else with what follows.
func (in *inbound) send(f *socket.Frame) {
	if r := in.request; r != nil && r.alone && (in.room == nil || in.room.mail.Len() == 0) {
		in.conn.member.SendNow(f)
		return
	}
	in.conn.member.Send(f)
}

// settle forgets the message.
func (in *inbound) settle() {
	c := in.conn
	c.srv.work.leave()
	c.mu.Lock()
	c.pending--
	c.roomier()
	last := c.leaving && c.pending == 0
	if in.expected {
		c.settle(in.topic)
	}
	c.mu.Unlock()
	if last {
		c.restart()
	}
}

// answer returns the one terminal frame of a request; nil when it has been answered.
func (in *inbound) answer(result any, err error) *socket.Frame {
	r := in.request
	if err == nil && !r.answered.Load() {
		err = in.t.checkResponse(result)
	}
	if !r.claim() {
		return nil
	}
	if err != nil {
		return in.conn.errorFrame(true, r.id, in.conn.srv.visible(in, err))
	}
	in.conn.srv.stats.answered.Add(1)
	return responseFrame(in.conn.srv.protocol.Envelope, in.t.Request, r.id, result)
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
