package runtime

// How a message finds where it is handled.

import (
	"context"
	"errors"
	"sync"
)

// order notes which messages wait for earlier ones of their connection to other rooms: those of kinds with a joined message.
func (s *Server) order() {
	joined := make(map[int]bool)
	for _, t := range s.messages {
		if t.FromClient && t.Joined {
			joined[t.Kind] = true
		}
	}
	for _, t := range s.messages {
		t.ordered = joined[t.Kind]
	}
}

// topicOf returns the topic of a room. Most messages of a connection go where the last one went.
func (c *Conn) topicOf(kind int, key string) string {
	name := c.srv.protocol.Kinds[kind]
	last := c.lastTopic
	if len(last) == len(name)+1+len(key) && last[:len(name)] == name && last[len(name)+1:] == key {
		return last
	}
	c.lastTopic = name + ":" + key
	return c.lastTopic
}

// pass runs in the gate's turn: it asks the program, and waits until a message may go to its room.
func (c *Conn) pass(in *inbound) {
	if c.srv.Authorize != nil && !in.t.v1 && !in.over() {
		op := &Op{Kind: OpMessage, Message: in.t.Name, Msg: in.msg, Topic: in.topic}
		if in.t.Joined { // the program is told the room
			c.await(in)
			op.Topic = in.topic
		}
		if err := c.authorize(in.ctx, op); err != nil {
			in.done(nil, err)
			return
		}
	}
	c.await(in)
	c.route(in)
}

// authorize asks the program. A plain error of its is a no whose text stays here.
func (c *Conn) authorize(ctx context.Context, op *Op) error {
	err := guard(func() error { return c.srv.Authorize(ctx, c, op) })
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*PanicError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return Errorf(CodePermissionDenied, "not allowed").WithCause(err)
}

// route posts a message to where it is handled.
func (c *Conn) route(in *inbound) {
	switch {
	case in.over():
		in.done(nil, nil)
	case in.t.Kind < 0:
		c.mail.Post(in)
	case in.topic == "":
		in.done(nil, c.notJoined(in.t.Kind))
	default:
		if err := c.srv.backplane.forward(in); err != nil {
			in.done(nil, err)
		}
	}
}

// resolve returns true when a message may go to its room, or returns false while earlier messages of the connection have to be
// handled before. It finds the room of a joined message; the topic stays empty when there is none.
func (c *Conn) resolve(in *inbound) bool {
	if !in.t.ordered || in.t.Joined && in.topic != "" {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resolveLocked(in)
}

func (c *Conn) resolveLocked(in *inbound) bool {
	if !in.t.Joined {
		return c.closing || !c.expectsOther(in.t.Kind, in.topic)
	}
	topic := c.joinedRoom(in.t.Kind)
	others := len(c.inflight)
	if topic != "" && c.expects(topic) {
		others--
	}
	if others > 0 && !c.closing {
		return false
	}
	in.topic = topic
	return true
}

// joinedRoom returns the room of a kind that a joined message goes to: the one of the URL, while the connection is in it, else
// the only one that it is in; empty when there is none. c.mu is held.
func (c *Conn) joinedRoom(kind int) string {
	if c.urlRoom != "" {
		prefix := len(c.srv.protocol.Kinds[kind]) + 1
		for _, r := range c.rooms {
			if r.of() == kind && r.name()[prefix:] == c.urlRoom {
				return r.name()
			}
		}
	}
	if only, n := c.onlyRoom(kind); n == 1 {
		return only
	}
	return ""
}

// onlyRoom returns in how many rooms of a kind the connection is, and the topic of one of them. c.mu is held.
func (c *Conn) onlyRoom(kind int) (topic string, n int) {
	for _, r := range c.rooms {
		if r.of() == kind {
			topic = r.name()
			n++
		}
	}
	return topic, n
}

// await waits until resolve has an answer. Each message ends, if only by the end of its room's turn, so it does.
func (c *Conn) await(in *inbound) {
	if c.resolve(in) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.resolveLocked(in) {
		if c.routed == nil {
			c.routed = sync.NewCond(&c.mu)
		}
		c.routed.Wait()
	}
}

// notJoined says why a joined message has no room.
func (c *Conn) notJoined(kind int) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, n := c.onlyRoom(kind)
	if n == 0 {
		return Errorf(CodeFailedPrecondition, "not in a %s: join one first", c.srv.protocol.Kinds[kind])
	}
	return Errorf(CodeFailedPrecondition, "in %d %ss: it is not clear which one is meant", n, c.srv.protocol.Kinds[kind])
}

// serve runs in the connection's turn.
func (c *Conn) serve(in *inbound) { _ = in.run(c.srv.ServerConfig.Conn) }

// wakeRouted wakes those who wait for a message to a room. c.mu is held.
func (c *Conn) wakeRouted() {
	if c.routed != nil {
		c.routed.Broadcast()
	}
}
