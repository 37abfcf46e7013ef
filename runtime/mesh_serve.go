package runtime

// What an owner does with the frames of gateways.

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// link is where the end of a message goes that another node has forwarded.
type link struct {
	mesh  *mesh
	peer  cluster.Peer
	slot  uint64
	epoch uint64 // in which the gateway takes this node for the owner
	id    uint64
}

// done tells the gateway that the message is handled; answer is for the client, and may be nil.
func (l *link) done(answer *socket.Frame) {
	f := &wire.Frame{Kind: wire.Done, Slot: l.slot, ID: l.id}
	if answer != nil {
		f.Frame = answer.Payload()
	}
	l.mesh.tell(l.peer, f)
}

// resumed tells it that a client was taken back; an error says that it was not, and knows it.
func (l *link) resumed(err error) {
	f := &wire.Frame{Kind: wire.Done, Slot: l.slot, ID: l.id}
	if err != nil {
		f.Code = codeAndText(err).Code
	}
	l.mesh.tell(l.peer, f)
}

// published tells it for how many members a publication was queued, or why for none.
func (l *link) published(delivered int, err error) {
	f := publishDone(delivered, err)
	f.Slot, f.ID = l.slot, l.id
	l.mesh.tell(l.peer, f)
}

// moved tells it that the message has not been handled here, and never will be. What was sent behind it comes back too, even if the slot
// is here again by now: the gateway says Hello when it has all of it, and keeps the order.
func (l *link) moved() {
	p := l.mesh.peer(l.peer)
	p.mu.Lock()
	if p.greets[l.slot] == l.epoch {
		delete(p.greets, l.slot)
	}
	p.mu.Unlock()
	l.mesh.tell(l.peer, &wire.Frame{Kind: wire.Moved, Slot: l.slot, ID: l.id, Epoch: l.epoch})
}

// serve handles what a gateway sends.
func (m *mesh) serve(from cluster.Peer, f *wire.Frame) {
	l := &link{m, from, f.Slot, f.Epoch, f.ID}
	switch f.Kind {
	case wire.Conn:
		m.meetGuest(from, f)
	case wire.Gone:
		m.serveGone(from, f)
	case wire.Abort:
		m.serveAbort(from, f)
	case wire.Leave:
		m.serveLeave(from, f)
	case wire.Hello:
		if !m.serveHello(from, f) {
			l.moved()
		}
	case wire.Forward, wire.Resume, wire.Publish:
		if !m.hasGreeted(from, f) {
			l.moved()
			return
		}
		m.serveRoom(l, f)
	case wire.Digest:
		if m.hasGreeted(from, f) {
			m.audit(from, f)
		}
	case wire.Sync:
		switch {
		case !m.hasGreeted(from, f):
		case f.Topic == "":
			m.named(&m.slots[f.Slot], from, f.Epoch)
			m.endAudit(from, f)
		default:
			m.serveSync(from, f)
		}
	}
}

// serveHello lets a gateway send what is for a slot, in an epoch: not before its node knows that it has it.
func (m *mesh) serveHello(from cluster.Peer, f *wire.Frame) bool {
	if !m.srv.shards[f.Slot].is(f.Epoch) {
		return false
	}
	p := m.peer(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.greets[f.Slot] = f.Epoch
	return true
}

// hasGreeted reports whether a gateway may send a frame: it has said Hello to the owner that this node is still.
func (m *mesh) hasGreeted(from cluster.Peer, f *wire.Frame) bool {
	p := m.peer(from)
	p.mu.Lock()
	epoch := p.greets[f.Slot]
	p.mu.Unlock()
	return epoch == f.Epoch && m.srv.shards[f.Slot].is(epoch)
}

// is reports whether the shard is this node's in an epoch.
func (sh *shard) is(epoch uint64) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return !sh.away.Load() && sh.epoch == epoch
}

// was reports whether the shard is this node's in an epoch, or has been: rooms may be on their way out.
func (sh *shard) was(epoch uint64) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.epoch == epoch
}

// serveRoom handles what is for a room of this node.
func (m *mesh) serveRoom(l *link, f *wire.Frame) {
	if f.Kind == wire.Publish {
		m.servePublish(l, f)
		return
	}
	c := m.guest(l.peer, f.Conn)
	if c == nil { // it has ended, or the link has broken, and its node is about to name it again
		l.moved()
		return
	}
	if f.Kind == wire.Resume {
		m.serveResume(l, c, f)
		return
	}
	m.serveForward(l, c, f)
}

func (m *mesh) guest(from cluster.Peer, id wire.ConnID) *Conn {
	p := m.peer(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.guests[id]
}

// serveForward hands a message to its room.
func (m *mesh) serveForward(l *link, c *Conn, f *wire.Frame) {
	s := m.srv
	t := s.messages[f.Type]
	if t == nil {
		l.done(c.errorFrame(f.Correlation != "", f.Correlation, s.unknownType(f.Type)))
		return
	}
	in, r := newInbound(t)
	in.conn, in.ctx, in.at, in.topic, in.link, in.order = c, c.ctx, s.Clock.Now(), f.Topic, l, f.ID
	var err error
	if in.msg, err = decodeMessage(t.MessageType, f.Payload, f.Meta); err != nil {
		l.done(c.errorFrame(r != nil, f.Correlation, invalidArgument(err)))
		return
	}
	if !s.work.enter() {
		l.moved()
		return
	}
	c.mu.Lock()
	c.pending++
	if r != nil {
		r.id, r.timeout, r.parent = f.Correlation, time.Duration(f.Timeout)*time.Millisecond, c.ctx
		c.requests = append(c.requests, r)
		in.request, in.ctx = r, r
	}
	c.mu.Unlock()
	if t.Rate != nil && t.Rate.By == ByRoom {
		if wait := t.buckets.Take(in.topic, bucketRate(t.Rate), in.at); wait > 0 {
			s.stats.limited.Add(1)
			in.done(nil, Errorf(CodeResourceExhausted, "too many %s messages", t.Name).WithRetry(true, wait))
			return
		}
	}
	switch err := s.shards[l.slot].post(in); {
	case errors.Is(err, errAway):
		in.bounce()
	case err != nil:
		in.done(nil, err)
	}
}

// bounce sends a message back to where the next owner of its room will be looked for: it has not been handled.
func (in *inbound) bounce() {
	m := in.conn.srv.mesh
	if in.link == nil {
		if err := m.wait(&errand{in: in, order: in.order}); err != nil {
			in.done(nil, err)
		}
		return
	}
	if in.request != nil {
		in.request.abandon()
	}
	in.link.moved()
	in.settle()
}

// bounce is as for messages.
func (m *returning) bounce() {
	if m.link != nil {
		m.link.moved()
		return
	}
	if err := m.conn.srv.mesh.wait(&errand{back: m, order: m.order}); err != nil {
		m.done(err)
	}
}

// serveResume lets a guest ask its room to take it back.
func (m *mesh) serveResume(l *link, c *Conn, f *wire.Frame) {
	kind, _ := m.srv.kindOf(f.Topic)
	c.mu.Lock()
	old := c.remote.old
	c.mu.Unlock()
	if old != nil {
		old.replaced()
	}
	back := &returning{conn: c, old: old, session: f.Session, from: resume.Position{Epoch: f.Position, Seq: f.Seq}, kind: kind,
		topic: f.Topic, order: f.ID, link: l}
	switch err := m.srv.shards[l.slot].resume(kind, f.Topic, back); {
	case errors.Is(err, errAway):
		l.moved()
	case err != nil:
		back.done(err)
	}
}

func (m *mesh) serveGone(from cluster.Peer, f *wire.Frame) {
	p := m.peer(from)
	p.mu.Lock()
	c := p.guests[f.Conn]
	delete(p.guests, f.Conn)
	p.mu.Unlock()
	if c != nil {
		m.endGuest(c)
	}
}

// serveAbort cancels the handler of a request that nobody waits for any more.
func (m *mesh) serveAbort(from cluster.Peer, f *wire.Frame) {
	c := m.guest(from, f.Conn)
	if c == nil {
		return
	}
	c.mu.Lock()
	i := slices.IndexFunc(c.requests, func(r *request) bool { return r.in.order == f.ID })
	var r *request
	if i >= 0 {
		r = c.requests[i]
	}
	c.mu.Unlock()
	if r != nil {
		r.fail(Errorf(CodeCancelled, "nobody waits for it"))
	}
}

// serveLeave ends a membership of a guest.
func (m *mesh) serveLeave(from cluster.Peer, f *wire.Frame) {
	c, sh := m.guest(from, f.Conn), m.srv.shards[f.Slot]
	if c == nil || !sh.was(f.Epoch) {
		return
	}
	c.mu.Lock()
	i := c.seatAt(f.Topic)
	if i >= 0 {
		c.rooms = append(c.rooms[:i:i], c.rooms[i+1:]...)
		c.moves++
	}
	c.mu.Unlock()
	if r := sh.room(f.Topic); r != nil {
		r.release(c, LeaveCause(min(f.Count, uint64(Left))), nil)
	}
}

// servePublish sends to the members of a room of this node.
func (m *mesh) servePublish(l *link, f *wire.Frame) {
	n, err := m.publishFrame(f, func(t *MessageType, msg any) (int, error) {
		n, err := m.relay(f.Topic, t, msg)
		if errors.Is(err, errLater) {
			e := &errand{pub: &outgoing{topic: f.Topic, t: t, v: msg, link: l}, order: f.ID}
			if err = m.receive(&m.slots[l.slot], e); err == nil {
				return 0, errLater
			}
		}
		return n, err
	})
	switch {
	case errors.Is(err, errLater): // it has an end of its own
	case errors.Is(err, errAway):
		l.moved()
	default:
		l.published(n, err)
	}
}

// publishFrame reads the message of a publication, and publishes it.
func (m *mesh) publishFrame(f *wire.Frame, publish func(t *MessageType, msg any) (int, error)) (int, error) {
	t := m.srv.messages[f.Type]
	if t == nil {
		return 0, m.srv.unknownType(f.Type)
	}
	msg, err := decodeMessage(t.MessageType, f.Payload, f.Meta)
	if err != nil {
		return 0, invalidArgument(err)
	}
	if err := checkOutgoing(t.MessageType, msg); err != nil {
		return 0, err
	}
	return publish(t.MessageType, msg)
}

// publishDone says how a publication has ended.
func publishDone(n int, err error) *wire.Frame {
	done := &wire.Frame{Kind: wire.Done, Count: uint64(n)}
	if err != nil {
		e, ok := asError(err)
		if !ok {
			e = Errorf(CodeInvalidArgument, "%v", err)
		}
		done.Code, done.Text = string(e.code), e.message
		if maybe, known := e.MaybeApplied(); maybe {
			done.Flags = wire.Applied
		} else if known {
			done.Flags = wire.Unapplied
		}
	}
	return done
}

// publishError is the error that publishDone was given; nil: there was none.
func publishError(done *wire.Frame) error {
	if done.Code == "" {
		return nil
	}
	e := Errorf(Code(done.Code), "%s", done.Text)
	if told := done.Flags & (wire.Applied | wire.Unapplied); told != 0 {
		e = e.WithMaybeApplied(told&wire.Applied != 0)
	}
	return e
}

// serveSync lets a room meet members that it may not know.
func (m *mesh) serveSync(from cluster.Peer, f *wire.Frame) {
	kind, ok := m.srv.kindOf(f.Topic)
	if !ok {
		return
	}
	m.peer(from).name(f)
	a := &arrival{peer: from, at: resume.Position{Epoch: f.Position, Seq: f.Seq}}
	for _, id := range f.Conns {
		if c := m.guest(from, id); c != nil {
			a.list = append(a.list, c)
		}
	}
	sh := m.srv.shards[f.Slot]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.away.Load() {
		sh.welcome(kind, f.Topic, a)
	}
}

// edgeTime is how long a publication of another program may take.
const edgeTime = 30 * time.Second

// serveEdge publishes for a program that is no node.
func (m *mesh) serveEdge(ctx context.Context, call []byte) []byte {
	f, err := wire.Decode(call)
	if err != nil {
		return publishDone(0, err).Encode()
	}
	ctx, cancel := context.WithTimeout(ctx, edgeTime)
	defer cancel()
	return publishDone(m.publishFrame(f, func(t *MessageType, msg any) (int, error) {
		return m.srv.publish(ctx, f.Topic, t, msg)
	})).Encode()
}
