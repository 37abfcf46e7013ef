package runtime

import (
	"errors"

	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// PublishOption changes to whom a message is published.
type PublishOption interface{ apply(*publishOptions) }

type publishOptions struct{ except *Conn }

type exceptOption struct{ conn *Conn }

func (o exceptOption) apply(p *publishOptions) { p.except = o.conn }

// Except leaves one member out, such as the one whose message is relayed.
func Except(c *Conn) PublishOption { return exceptOption{c} }

// publication is a message on its way to the members. Each profile's frame is made once, and only if somebody needs it.
type publication struct {
	form   *Envelope
	t      *MessageType
	v      any
	topic  string
	seq    uint64 // 0: none
	except *Conn
	v1Only bool

	base, v1 *socket.Frame
}

func (p *publication) baseFrame() *socket.Frame {
	if p.base == nil {
		p.base = newFrame(p.form, p.t, p.v, "", 0)
	}
	return p.base
}

func (p *publication) v1Frame() *socket.Frame {
	if p.v1 == nil {
		p.v1 = newFrame(p.form, p.t, p.v, p.topic, p.seq)
	}
	return p.v1
}

// Publish sends a message to all members. It returns an error when the message is not what the schema allows; it does not
// wait for anybody to take it.
func (r *Room) Publish(t *MessageType, v any, opts ...PublishOption) error {
	if err := checkOutgoing(t, v); err != nil {
		return err
	}
	var o publishOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	_, err := r.fanOut(t, v, o.except)
	return err
}

// Send sends a message to one connection, in order with what the room publishes to it. The connection need not be a
// member.
func (r *Room) Send(c *Conn, t *MessageType, v any) error {
	if r.silent() {
		return errLost(r.topic)
	}
	return c.Send(t, v)
}

// fanOut numbers a checked message and queues it on every outlet. It returns for how many members.
func (r *Room) fanOut(t *MessageType, v any, except *Conn) (int, error) {
	if r.silent() {
		return 0, errLost(r.topic)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed && r.history != nil && t.Delivery == Reliable {
		return 0, errNotApplied("%s is closing", r.topic)
	}
	p := publication{form: r.srv.protocol.Envelope, t: t, v: v, topic: r.topic, except: except}
	if t.Delivery == Reliable {
		r.number(&p) // no other message has a number: a gap in them always means a loss
	}
	n := len(r.members)
	if _, ok := r.members[except]; ok {
		n--
	}
	if n == 0 {
		return 0, nil
	}
	for _, o := range r.outlets {
		o.publish(&p)
	}
	r.srv.stats.published.Add(1)
	r.srv.stats.delivered.Add(uint64(n))
	if own := r.srv.messages[t.Name]; own != nil {
		own.published.Add(1)
		own.delivered.Add(uint64(n))
	}
	return n, nil
}

// errLater says that a publication from outside has to wait: nothing was done.
var errLater = errors.New("wsgen: the room is not ready for that")

// relay publishes a checked message from outside of the room; with errLater there is something that it must not overtake. A
// room that is not open, which may be nil, has no members.
func (r *Room) relay(t *MessageType, v any) (int, error) {
	switch {
	case r == nil:
		return 0, nil
	case r.pending.Load() > 0:
		return 0, errLater
	}
	return r.fanOut(t, v, nil)
}

// relayOrPost is relay, but with errLater the publication is in the mailbox. The shard's lock is held, and the room is one
// of its rooms.
func (r *Room) relayOrPost(e *errand) (int, error) {
	n, err := r.relay(e.pub.t, e.pub.v)
	if !errors.Is(err, errLater) {
		return n, err
	}
	r.pending.Add(1)
	if !r.mail.Post(roomMail{pub: e}) {
		r.pending.Add(-1)
		return 0, r.full()
	}
	return 0, errLater
}

// publishLate is the turn of a publication that had to wait.
func (r *Room) publishLate(e *errand) {
	n, err := 0, error(nil)
	switch r.state {
	case roomNew:
		r.discard() // nobody that it was made for has opened it
	case roomOpen:
		n, err = r.fanOut(e.pub.t, e.pub.v, nil)
	case roomClosed:
		err = errNotApplied("%s is closing", r.topic)
	}
	r.pending.Add(-1)
	e.pub.end(n, err)
}

// number gives a message the room's next number, and keeps it for those who come back. r.mu is held.
func (r *Room) number(p *publication) {
	r.seq++
	p.seq = r.seq
	if r.history == nil {
		return
	}
	r.remember(p.v1Frame(), p.except)
	if _, member := r.members[p.except]; member && p.except.v1 {
		r.sendPosition(p.except, r.seq)
	}
}

// outlet returns the outlet that reaches a connection, and opens it if need be. r.mu is held.
func (r *Room) outlet(c *Conn) outlet {
	key, open := r.srv.backplane.gateway(r, c)
	for _, o := range r.outlets {
		if o.key() == key {
			return o
		}
	}
	o := open()
	r.outlets = append(r.outlets, o)
	return o
}
