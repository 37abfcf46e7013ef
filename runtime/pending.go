package runtime

// What a connection may have on its way, and how its reader waits when that is much.

import "github.com/wsgen/wsgen/runtime/clock"

// stall is what a reader waits with. Most connections never need one. It is guarded by the connection's mu.
type stall struct {
	wake  chan struct{} // has room for one
	timer clock.Timer
	waits bool // the reader does
	vain  bool // it has waited for as long as it may, and there was no room since
}

// signal wakes the reader. It never blocks, and takes no lock.
func (w *stall) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it is told already
	}
}

// roomier says that something has changed for a reader that waits. c.mu is held.
func (c *Conn) roomier() {
	if c.stall != nil && c.stall.waits {
		c.stall.signal()
	}
}

// full reports whether no more messages of the connection may be pending. c.mu is held.
func (c *Conn) full() bool {
	limit := c.srv.Limits.Pending
	return limit > 0 && int(c.pending) >= limit
}

// awaitRoom waits with an event until fewer messages are pending: nothing more is read meanwhile, so that a client which sends
// a lot at once is slowed down by TCP, and loses nothing. It ends after Limits.PendingWait, and when the connection does. What
// comes behind an event that has waited in vain is not waited with before there was room: a room that hangs holds nobody up for
// long. c.mu is held, but not while it waits.
func (c *Conn) awaitRoom() {
	limit := c.srv.Limits.PendingWait
	if !c.full() {
		if c.stall != nil {
			c.stall.vain = false
		}
		return
	}
	if limit <= 0 || c.stall != nil && c.stall.vain {
		return
	}
	if c.stall == nil {
		c.stall = &stall{wake: make(chan struct{}, 1)}
	}
	w, end := c.stall, c.srv.Clock.Now().Add(limit)
	if w.timer == nil {
		w.timer = c.srv.Clock.AfterFunc(limit, w.signal)
	} else {
		w.timer.Reset(limit)
	}
	w.waits = true
	c.sock.Pause(w.signal)
	for c.full() && !w.vain && !c.leaving && !c.sock.Closing() {
		c.mu.Unlock()
		<-w.wake
		c.mu.Lock()
		w.vain = !c.srv.Clock.Now().Before(end)
	}
	c.sock.Resume()
	w.waits, w.vain = false, w.vain && c.full()
	w.timer.Stop()
}

// untouched says of an error that its message was not handled. In a cluster clients are always told; else they see it from the
// code.
func (s *Server) untouched(e *Error) *Error {
	if s.mesh != nil {
		return e.WithMaybeApplied(false)
	}
	return e
}

// begin counts the message as pending; a request gets its deadline. One that is too many waits as an event, and is refused at
// once as a request: that has an answer, and a reader that waits would not read the abort of another one.
func (c *Conn) begin(in *inbound, r *request, correlationID string, timeoutMs int) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r == nil {
		c.awaitRoom()
	}
	switch full := c.full(); {
	case c.closing || full && c.sock.Closing():
		return c.srv.untouched(Errorf(CodeUnavailable, "the connection is closing"))
	case full && !c.leaving:
		return Errorf(CodeResourceExhausted, "%d messages of this connection are pending", c.pending)
	case in.t.Request != nil && correlationID != "" && c.pendingRequest(correlationID) != nil:
		return Errorf(CodeInvalidArgument, "a request with this correlationId is pending")
	}
	if c.leaving || !c.srv.work.enter() {
		return c.srv.untouched(Errorf(CodeUnavailable, "the server is going down"))
	}
	c.pending++
	if r != nil {
		r.begin(correlationID, timeoutMs)
	}
	return nil
}
