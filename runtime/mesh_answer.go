package runtime

// What becomes of errands: answers of owners, and what there is when none comes.

import (
	"cmp"
	"context"
	"slices"

	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// answered takes an errand off those without an answer; nil when there is none such. s.mu is held.
func (s *meshSlot) answered(from cluster.Peer, id uint64) *errand {
	i, ok := slices.BinarySearchFunc(s.sent, id, func(e *errand, id uint64) int { return cmp.Compare(e.order, id) })
	if !ok || s.sent[i].sent.Owner != from {
		return nil
	}
	e := s.sent[i]
	s.sent = slices.Delete(s.sent, i, i+1)
	return e
}

// finished takes the end of an errand.
func (m *mesh) finished(from cluster.Peer, f *wire.Frame) {
	s := &m.slots[f.Slot]
	s.mu.Lock()
	e := s.answered(from, f.ID)
	if e == nil {
		s.mu.Unlock()
		return
	}
	late := s.mine || s.route != e.sent || s.lapses != e.lapses
	var err error
	switch {
	case e.in != nil:
		e.in.answeredBy(f, late)
	case e.back != nil && late && f.Code == "" && !e.back.conn.sits(e.back.topic): // what made it a member came too late
		if err = m.hold(s, e); err == nil {
			e = nil
		}
	}
	s.mu.Unlock()
	switch {
	case e == nil:
	case err != nil:
		fail, _ := asError(err)
		e.fail(fail)
	case e.in != nil:
		e.in.settle()
	case e.back != nil:
		e.back.done(nil) // the owner has told the client
	default:
		e.pub.end(int(f.Count), publishError(f))
	}
	m.advance(s)
}

// answeredBy sends what another node has answered. One that is not the owner any more is late: what else the message did may not have been
// taken, and the client may have seen what came after it.
func (in *inbound) answeredBy(f *wire.Frame, late bool) {
	r := in.request
	switch {
	case r == nil && f.Frame != nil:
		in.conn.send(socket.NewText(f.Frame, socket.Reliable, ""))
		return
	case r == nil:
		if late {
			in.conn.answerError(false, "", errMaybeApplied("what %s has done may be lost", in.t.Name))
		}
		return
	case !r.claim():
	case late, f.Frame == nil: // the owner has given it up
		in.conn.answerError(true, r.id, errMaybeApplied("%s has no answer", in.t.Name))
	default:
		in.conn.srv.stats.answered.Add(1)
		in.conn.send(socket.NewText(f.Frame, socket.Reliable, ""))
	}
	r.end(context.Canceled)
}

// sits reports whether the connection is in a room.
func (c *Conn) sits(topic string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seatAt(topic) >= 0
}

// returned takes an errand back that the owner has not handled: it has no such slot any more, or not yet.
func (m *mesh) returned(from cluster.Peer, f *wire.Frame) {
	s := &m.slots[f.Slot]
	s.mu.Lock()
	e := s.answered(from, f.ID)
	var err error
	if e != nil {
		err = m.hold(s, e)
	}
	if s.route.Owner == from && s.route.Epoch == f.Epoch { // it is not the owner any more, or does not know yet that it is
		s.route = cluster.Route{}
		s.lapses++
		s.untell()
		m.srv.Clock.AfterFunc(askAgain, func() { m.moved(s.id) })
	}
	s.mu.Unlock()
	if err != nil {
		fail, _ := asError(err)
		e.fail(fail)
	}
	m.advance(s)
}

// untell has the owner told of the branches again. Until it knows them, members get nothing of what it sends: some of that may have gone by.
// s.mu is held.
func (s *meshSlot) untell() {
	s.synced = 0
	for _, b := range s.branches {
		b.pause()
	}
}

// part fails what a peer was sent, and has it told of the branches again.
func (s *meshSlot) part(m *mesh, p cluster.Peer) {
	s.mu.Lock()
	var lost []*errand
	s.sent = slices.DeleteFunc(s.sent, func(e *errand) bool {
		if e.sent.Owner != p {
			return false
		}
		// A client that comes back, and is no member yet as far as it knows, asks again.
		if e.back == nil || e.back.conn.sits(e.back.topic) || m.hold(s, e) != nil {
			lost = append(lost, e)
		}
		return true
	})
	if s.route.Owner == p {
		s.untell()
	}
	s.mu.Unlock()
	for _, e := range lost {
		e.fail(errMaybeApplied("the link to the node of %s has broken", e.topic()))
	}
	m.advance(s)
}

// fate says of an error that ends a request before its answer what is known of the request: one that another node has is
// told that nobody waits.
func (in *inbound) fate(e *Error) *Error {
	m := in.conn.srv.mesh
	if m == nil || in.topic == "" {
		return e
	}
	s := m.slot(in.topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.sent, func(x *errand) bool { return x.in == in })
	if at < 0 {
		return e.WithMaybeApplied(in.room != nil)
	}
	m.tell(s.sent[at].sent.Owner, &wire.Frame{Kind: wire.Abort, Slot: uint64(s.id), ID: in.order, Conn: in.conn.id})
	return e.WithMaybeApplied(true)
}
