package client

// Moving: a server that is about to go away says so, and the client gets itself another connection before it gives up the one
// that it has.

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/codec"
)

// errGoAway is why a connection is given up that the server wants to be rid of.
var errGoAway = &CloseError{Code: int(websocket.StatusServiceRestart), Reason: "the server goes away"}

// decodeGoAway reads for how long the server will stay.
func decodeGoAway(d *codec.Decoder) any {
	var within time.Duration
	for o := d.Object(); o.Next(); {
		if string(o.Key()) == "withinMs" {
			within = milliseconds(d.Float64())
		} else {
			o.Unknown()
		}
	}
	return within
}

// goAway notes that the server goes away. Who does not want to be connected again is not moved either.
func (s *session) goAway(within time.Duration) {
	if !s.c.opts.reconnect {
		return
	}
	select {
	case s.away <- within:
	default: // it has said so before
	}
}

// await waits until a connection ends, or another one has taken over, which it returns.
func (c *Client) await(s *session) *session {
	select {
	case within := <-s.away:
		if next := c.move(s, within); next != nil {
			return next
		}
		<-s.served
	case <-s.served:
	}
	return nil
}

// move gets another connection while there is still the one, lets that finish what it has begun, and hands over. It returns nil
// when that did not come about before the connection ended.
func (c *Client) move(s *session, within time.Duration) *session {
	now := c.opts.clock.Now()
	by := now.Add(within)
	c.retry.lasted(now.Sub(s.opened))
	ctx, cancel := context.WithCancel(s.over)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	next := c.dialAhead(ctx, within)
	if next == nil {
		return nil
	}
	c.windUp(ctx, s, by.Sub(c.opts.clock.Now()))
	if s.over.Err() != nil {
		<-s.served
	}
	if s.barred() || !c.handOver(s, next) {
		next.discard()
		return nil
	}
	return next
}

// barred reports whether a connection has ended in a way that speaks against another one, even if that is there already.
func (s *session) barred() bool {
	select {
	case <-s.served:
		e, ok := errors.AsType[*CloseError](s.why)
		return ok && final(e.Code)
	default:
		return false
	}
}

// dialAhead tries to connect, at first after a random part of half the time so that the clients of a server do not all move at
// once, until it succeeds or ctx ends.
func (c *Client) dialAhead(ctx context.Context, within time.Duration) *session {
	wait, again := time.Duration(c.opts.random(int64(within/2)+1)), true
	for again && c.sleep(ctx, wait) {
		next, err := c.connect(ctx)
		if err == nil {
			return next
		}
		if ctx.Err() == nil {
			c.report(err)
			wait, again = c.retry.next(err)
		}
	}
	return nil
}

// windUp writes nothing new to s, and waits until the server has come to all that was written, and has answered the requests
// among it: no longer than the time that is left.
func (c *Client) windUp(ctx context.Context, s *session, left time.Duration) {
	ctx, cancel := c.bound(ctx, left)
	defer cancel()
	c.mu.Lock()
	s.moving, s.marks = true, true
	c.changed.Broadcast()
	c.mu.Unlock()
	for !c.woundUp(s) {
		select {
		case <-s.settled:
		case <-ctx.Done():
			return
		}
	}
}

func (c *Client) woundUp(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.calls {
		if k.state == callSent && k.session == s {
			return false
		}
	}
	return s.marked
}

// reached notes that the server has come to the mark behind what was written.
func (s *session) reached() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.moving && !s.marks {
		s.marked = true
		s.wake()
	}
}

// wake makes a move look again.
func (s *session) wake() {
	select {
	case s.settled <- struct{}{}:
	default:
	}
}

// handOver makes next the connection instead of s. From what s has received up to here follows where next goes on. Without a
// session to take along, the program is told that the connection is another one, because it has lost its rooms. It returns false
// when the client has stopped.
func (c *Client) handOver(s, next *session) bool {
	s.receiving.Lock()
	s.retired = true
	s.receiving.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.disconnected(s, errGoAway)
	silent := c.resume.session != "" && next.v1
	if !silent {
		c.setState(Reconnecting, errGoAway)
	}
	c.adopt(next)
	if !silent {
		c.setState(Open, nil)
	}
	next.old = s
	stop := context.AfterFunc(next.over, s.discard)
	context.AfterFunc(s.over, func() { stop() })
	if !silent || !next.resumes {
		next.dismiss()
	}
	return true
}

// dismiss closes the connection that s has taken over from, unless the server has done so. c.mu must be held.
func (s *session) dismiss() {
	old := s.old
	if s.old = nil; old == nil || old.ended {
		return
	}
	s.c.sessions.Go(func() { old.close(websocket.StatusNormalClosure, "") })
}
