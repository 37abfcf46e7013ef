package client

import (
	"context"
	"time"
)

// run serves one connection after the other until the client stops.
func (c *Client) run(s *session) {
	defer close(c.done)
	defer c.sessions.Wait()
	for s != nil {
		c.sessions.Go(s.serve)
		next := c.await(s)
		if next == nil {
			c.retry.lasted(c.opts.clock.Now().Sub(s.opened))
			c.detach(s, s.why)
			next = c.reconnect(s.why)
		}
		s = next
	}
}

// reconnect returns the next connection, or nil when the client has stopped.
func (c *Client) reconnect(cause error) *session {
	for first := true; ; first = false {
		wait, again := c.retry.next(cause)
		if !again || !c.opts.reconnect {
			c.stop(cause)
			return nil
		}
		c.waiting(first, cause)
		if !c.sleep(c.ctx, wait) {
			return nil
		}
		s, err := c.connect(c.ctx)
		if err == nil && c.attach(s) {
			return s
		}
		if c.ctx.Err() != nil {
			return nil
		}
		cause = err
	}
}

// waiting tells that another attempt follows.
func (c *Client) waiting(first bool, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
	case first:
		c.setState(Reconnecting, cause)
	default:
		c.report(cause)
	}
}

// attach makes s the open connection. When the client has stopped meanwhile, it discards s and returns false.
func (c *Client) attach(s *session) bool {
	c.mu.Lock()
	closing := c.closing
	if !closing {
		c.adopt(s)
		c.setState(Open, nil)
	}
	c.mu.Unlock()
	if closing {
		s.discard()
	}
	return !closing
}

// adopt makes s the connection that is written to, which begins with asking for the rooms. c.mu must be held.
func (c *Client) adopt(s *session) {
	c.session = s
	s.resume = c.resume.request()
	s.resumes = s.resume != nil
	c.changed.Broadcast()
}

// detach takes away a connection that has ended.
func (c *Client) detach(s *session, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = nil
	c.disconnected(s, cause)
	if c.closing {
		c.queue = queue{}
		return
	}
	c.state = Reconnecting
	if c.opts.queuePolicy == QueueOff {
		for len(c.queue.frames) > 0 {
			c.drop(c.queue.frames[0], ErrDisconnected)
		}
	}
}

// stop ends the client for good; only the first call counts.
func (c *Client) stop(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.closing, c.err, c.state = true, why, Closed
	c.log.Info("wsgen client", "state", Closed.String(), "why", why)
	for _, k := range c.calls {
		c.fail(k, c.errStopped())
	}
	if c.session == nil {
		c.queue = queue{}
	} else {
		c.session.endSoon()
	}
	c.changed.Broadcast()
	c.cancel()
	if c.opts.onState != nil {
		c.events.finish(c.stateItem(Closed, why))
	} else {
		c.events.finish()
	}
}

// sleep waits for d by the client's clock. It returns false when ctx ends first.
func (c *Client) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	due := make(chan struct{})
	timer := c.opts.clock.AfterFunc(d, func() { close(due) })
	defer timer.Stop()
	select {
	case <-due:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
