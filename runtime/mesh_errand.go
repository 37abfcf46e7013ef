package runtime

// Errands: what a gateway wants of the owner of a room. They go in order; those that have no owner to go to wait for one.

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
)

const (
	// mostHeld is how many messages wait for the next owner of a slot, mostHeldAll on a node, and mostHeldBytes are their bytes.
	mostHeld      = 1024
	mostHeldAll   = 64 << 10
	mostHeldBytes = 64 << 20
	// askAgain is the time after which a node looks again who owns a slot, when the one that it knew does not.
	askAgain = 10 * time.Millisecond
	// heldGrace is how long after the lease of a dead owner they wait.
	heldGrace = 5 * time.Second
)

// errand is a message, a client that comes back, or a publication: one of in, back and pub is set.
type errand struct {
	in   *inbound
	back *returning
	pub  *outgoing

	order uint64
	since time.Time     // when it began to wait for the first time
	size  int           // of its message; 0: that is not known yet
	gone  bool          // nobody waits for a publication any more; guarded by the slot's mu
	sent  cluster.Route // where it was sent; zero: nowhere yet

	lapses int // of its slot when it was sent
}

// outgoing is a publication from outside of a room. It has an end: done or link is set.
type outgoing struct {
	topic string
	t     *MessageType
	v     any
	done  chan publishResult // has room for one
	link  *link              // of a publication by another node; nil: it is by this one
}

type publishResult struct {
	delivered int
	err       error
}

func (e *errand) topic() string {
	switch {
	case e.in != nil:
		return e.in.topic
	case e.back != nil:
		return e.back.topic
	}
	return e.pub.topic
}

// fail ends an errand with an error.
func (e *errand) fail(err *Error) {
	switch {
	case e.in != nil:
		e.in.done(nil, err)
	case e.back != nil:
		e.back.done(err)
	default:
		e.pub.end(0, err)
	}
}

// end tells whoever has published it what has become of it. It is called once.
func (p *outgoing) end(delivered int, err error) {
	if p.link != nil {
		p.link.published(delivered, err)
		return
	}
	p.done <- publishResult{delivered, err}
}

// over reports whether nobody waits for it any more.
func (e *errand) over() bool { return e.gone || e.in != nil && e.in.over() }

// forward hands a message to the owner of its room.
func (m *mesh) forward(in *inbound) error {
	in.order = m.order.Add(1)
	err := errAway
	if !m.slot(in.topic).waits.Load() {
		err = m.local.forward(in)
	}
	if errors.Is(err, errAway) {
		return m.send(&errand{in: in, order: in.order})
	}
	return err
}

// resume hands a client that comes back to the owner of its room.
func (m *mesh) resume(back *returning) error {
	back.order = m.order.Add(1)
	err := errAway
	if !m.slot(back.topic).waits.Load() {
		err = m.local.resume(back)
	}
	if errors.Is(err, errAway) {
		return m.send(&errand{back: back, order: back.order})
	}
	return err
}

// publish sends to the members of a room, wherever it is.
func (m *mesh) publish(ctx context.Context, topic string, t *MessageType, v any) (int, error) {
	if n, err := m.relay(topic, t, v); !errors.Is(err, errLater) {
		return n, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := m.srv.Clock.AfterFunc(m.srv.PublishTimeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	pub := &outgoing{topic: topic, t: t, v: v, done: make(chan publishResult, 1)}
	e := &errand{pub: pub, order: m.order.Add(1)}
	if err := m.send(e); err != nil {
		return 0, err
	}
	select {
	case res := <-pub.done:
		return res.delivered, res.err
	case <-ctx.Done():
		return 0, noAnswer(context.Cause(ctx)).WithMaybeApplied(!m.withdraw(e))
	}
}

// withdraw gives an errand up for which nobody waits any more, and reports whether it was sent nowhere.
func (m *mesh) withdraw(e *errand) bool {
	s := m.slot(e.topic())
	s.mu.Lock()
	defer s.mu.Unlock()
	e.gone = true
	if g := s.gathering.Load(); g != nil && g.withdraw(e) {
		return true
	}
	if i := slices.Index(s.held, e); i >= 0 {
		s.held = slices.Delete(s.held, i, i+1)
		m.count(e, -1)
		return true
	}
	return false
}

// send sends an errand to the owner, or holds it until there is one.
func (m *mesh) send(e *errand) error {
	s := m.slot(e.topic())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.accept(e); err != nil {
		return err
	}
	switch {
	case len(s.held) > 0:
	case s.mine && len(s.sent) == 0:
		return m.deliver(s, e)
	case m.greeted(s):
		if err := m.dispatch(s, e); !errors.Is(err, cluster.ErrUnknownPeer) {
			return err
		}
	}
	return m.hold(s, e)
}

// wait holds an errand that was in a room which this node has no more, or is about to lose: who owns the slot next is told when the room
// has given all of it back.
func (m *mesh) wait(e *errand) error {
	s := m.slot(e.topic())
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.waitLocked(s, e)
}

// waitLocked is wait with s.mu held.
func (m *mesh) waitLocked(s *meshSlot, e *errand) error {
	if err := s.accept(e); err != nil {
		return err
	}
	return m.hold(s, e)
}

// accept takes an errand on. s.mu is held.
func (s *meshSlot) accept(e *errand) error {
	if s.over {
		return errNotApplied("the server is going down")
	}
	if e.in != nil && !e.in.expected {
		e.in.expected = true
		e.in.conn.expect(e.in.topic)
	}
	return nil
}

// greeted reports whether the slot has an owner that may be sent errands: it knows the members that this node has. It tells a new owner
// of the members, and one that it has told before again when that has not taken an errand: not before all that was sent has
// an answer, because what comes behind must not overtake what is yet to come back. s.mu is held.
func (m *mesh) greeted(s *meshSlot) bool {
	if s.mine || s.route.Epoch == 0 || s.synced != s.route.Epoch && len(s.sent) > 0 {
		return false
	}
	if s.synced != s.route.Epoch {
		hello := &wire.Frame{Kind: wire.Hello, Slot: uint64(s.id), Epoch: s.route.Epoch}
		if m.node.Send(s.route.Owner, hello.Encode(), true) != nil {
			return false // there is no way to it now
		}
		s.synced = s.route.Epoch
		for _, f := range s.leaves {
			f.Epoch = s.route.Epoch
			m.tell(s.route.Owner, f)
		}
		s.leaves = nil
		for _, b := range s.branches {
			b.pause()
			m.sync(s, b)
		}
		m.tellAllNamed(s)
	}
	return true
}

// hold keeps an errand for the next owner. s.mu is held.
func (m *mesh) hold(s *meshSlot, e *errand) error {
	if e.size == 0 {
		e.size = e.measure()
	}
	if len(s.held) >= mostHeld || m.held.Load() >= mostHeldAll || m.heldBytes.Load()+int64(e.size) > mostHeldBytes {
		return errNotApplied("nobody runs %s now, and many wait for it", e.topic())
	}
	if e.sent = (cluster.Route{}); e.since.IsZero() {
		e.since = m.srv.Clock.Now()
	}
	s.held = inOrder(s.held, e)
	m.count(e, 1)
	m.armExpiry(s)
	return nil
}

// count notes that an errand is held, or is no more.
func (m *mesh) count(e *errand, n int) {
	m.held.Add(int64(n))
	m.heldBytes.Add(int64(n * e.size))
}

// measure returns how large the message is.
func (e *errand) measure() int {
	var payload, meta []byte
	switch {
	case e.in != nil:
		payload, meta = encodeMessage(e.in.t.MessageType, e.in.msg)
	case e.pub != nil:
		payload, meta = encodeMessage(e.pub.t, e.pub.v)
	}
	return len(payload) + len(meta)
}

// inOrder adds an errand to a list of them, by their order.
func inOrder(list []*errand, e *errand) []*errand {
	at, _ := slices.BinarySearchFunc(list, e, func(a, b *errand) int { return cmp.Compare(a.order, b.order) })
	return slices.Insert(list, at, e)
}

// armExpiry sees to it that errands do not wait for ever. s.mu is held.
func (m *mesh) armExpiry(s *meshSlot) {
	if s.expiry == nil {
		s.expiry = m.srv.Clock.AfterFunc(m.holdTime(), func() { m.expire(s) })
	}
}

// holdTime is how long an errand waits for an owner: as long as it takes to find out that the last one is dead, and a little.
func (m *mesh) holdTime() time.Duration { return m.node.Lease().Dead + heldGrace }

// expire fails the errands that have waited for too long.
func (m *mesh) expire(s *meshSlot) {
	s.mu.Lock()
	s.expiry = nil
	old := m.srv.Clock.Now().Add(-m.holdTime())
	var late []*errand
	s.held = slices.DeleteFunc(s.held, func(e *errand) bool {
		if e.since.After(old) {
			return false
		}
		late = append(late, e)
		m.count(e, -1)
		return true
	})
	if len(s.held) > 0 {
		s.expiry = m.srv.Clock.AfterFunc(s.held[0].since.Sub(old), func() { m.expire(s) })
	}
	s.mu.Unlock()
	for _, e := range late {
		e.fail(errNotApplied("nobody runs %s now", e.topic()))
	}
}

// deliver hands an errand to a room of this node. s.mu is held.
func (m *mesh) deliver(s *meshSlot, e *errand) error {
	sh := m.srv.shards[s.id]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case e.in != nil:
		return sh.postLocked(e.in)
	case e.back != nil:
		return sh.resumeLocked(e.back.kind, e.back.topic, e.back)
	}
	if g := s.gathering.Load(); g != nil {
		return g.await(e)
	}
	if n, err := sh.rooms[e.pub.topic].relayOrPost(e); !errors.Is(err, errLater) {
		e.pub.end(n, err)
	}
	return nil
}

// dispatch sends an errand to the owner. An error says that it was not sent. s.mu is held.
func (m *mesh) dispatch(s *meshSlot, e *errand) error {
	if e.over() { // its client was told that nobody has handled it
		return errNotApplied("nobody waits for it any more")
	}
	f := &wire.Frame{Slot: uint64(s.id), Epoch: s.route.Epoch, ID: e.order, Topic: e.topic()}
	var c *Conn
	switch {
	case e.in != nil:
		c = e.in.conn
		e.in.encode(f)
	case e.back != nil:
		c = e.back.conn
		f.Kind, f.Session, f.Position, f.Seq = wire.Resume, e.back.session, e.back.from.Epoch, e.back.from.Seq
	default:
		f.Kind, f.Type = wire.Publish, e.pub.t.Name
		f.Payload, f.Meta = encodeMessage(e.pub.t, e.pub.v)
	}
	if c != nil {
		f.Conn = c.id
		if err := m.introduce(s.route.Owner, c); err != nil {
			if _, ok := asError(err); ok || errors.Is(err, cluster.ErrUnknownPeer) {
				return err
			}
			return errNotApplied("the connection cannot be told to the node of %s", e.topic()).WithCause(err)
		}
	}
	e.sent, e.lapses = s.route, s.lapses
	err := m.node.Send(s.route.Owner, f.Encode(), false)
	switch {
	case err == nil:
		s.sent = inOrder(s.sent, e) // its order was given before the lock was taken
		return nil
	case errors.Is(err, cluster.ErrBusy):
		return Errorf(CodeResourceExhausted, "much waits for the node of %s", e.topic()).WithMaybeApplied(false)
	case errors.Is(err, cluster.ErrUnknownPeer):
		return err
	}
	return errNotApplied("%s cannot be sent to the node of %s", f.Type, e.topic()).WithCause(err)
}

// advance sends what waits to the present owner, once nothing waits for the one before.
func (m *mesh) advance(s *meshSlot) {
	s.mu.Lock()
	failed := m.advanceLocked(s)
	s.mu.Unlock()
	for _, f := range failed {
		f.errand.fail(f.err)
	}
}

// failure is an errand that could not be sent.
type failure struct {
	errand *errand
	err    *Error
}

func (m *mesh) advanceLocked(s *meshSlot) (failed []failure) {
	if s.mine && s.waits.Load() && len(s.sent) == 0 {
		failed = m.deliverHeld(s)
		s.waits.Store(false)
		return failed
	}
	if !m.greeted(s) {
		return nil
	}
	for len(s.held) > 0 {
		e := s.held[0]
		err := m.dispatch(s, e)
		if errors.Is(err, cluster.ErrUnknownPeer) {
			return failed
		}
		m.unhold(s)
		if err != nil {
			fail, _ := asError(err)
			failed = append(failed, failure{e, fail})
		}
	}
	return failed
}

// deliverHeld hands all that waits to the rooms of this node. s.mu is held.
func (m *mesh) deliverHeld(s *meshSlot) (failed []failure) {
	for len(s.held) > 0 {
		e := m.unhold(s)
		if err := m.deliver(s, e); err != nil {
			fail, ok := asError(err)
			if !ok {
				fail = errNotApplied("%v", err)
			}
			failed = append(failed, failure{e, fail})
		}
	}
	return failed
}

// unhold takes the first errand off those that wait. s.mu is held.
func (m *mesh) unhold(s *meshSlot) *errand {
	e := s.held[0]
	s.held = slices.Delete(s.held, 0, 1)
	m.count(e, -1)
	if len(s.held) == 0 && s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	return e
}

// end fails what waits, when the server ends.
func (s *meshSlot) end(m *mesh) {
	s.mu.Lock()
	s.over = true
	sent, held := s.sent, s.held
	s.sent, s.held = nil, nil
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.mu.Unlock()
	for _, e := range sent {
		e.fail(errMaybeApplied("the server is going down"))
	}
	for _, e := range held {
		m.count(e, -1)
		e.fail(errNotApplied("the server is going down"))
	}
}
