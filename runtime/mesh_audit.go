package runtime

// The audit finds out when an owner's copy of who is a member is not what a gateway knows. Nothing should make it so: joins, leaves and
// ends go over one ordered link, and a link that breaks is made good by naming all members again. It is there because a member
// that is missing is a person who hears nothing, and says so to nobody.
//
// Every auditEvery a gateway sends each owner a digest of the members that it has in a slot. An owner whose own digest has been
// another twice in a row asks for all of them: those that it does not know it takes in, and those that only it knows it lets go when
// they are missing the next time as well, because what it has told the gateway of them may have been under way.

import (
	"encoding/binary"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/internal/hash"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
)

// auditEvery is the time between two digests.
const auditEvery = 10 * time.Second

// digest is of a set of memberships; order does not matter.
type digest struct{ count, sum uint64 }

// add adds a membership: the hash is mixed, because sums of weak ones collide.
func (d *digest) add(topic string, id wire.ConnID) {
	h := hash.FNV(topic)
	for _, half := range [2]uint64{binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:])} {
		h = hash.Mix(h ^ half)
	}
	d.count++
	d.sum ^= h
}

// audits is what an owner has found out of a peer's members in a slot.
type audits struct {
	differed digest                    // its own digest the last time, if that was another than the gateway's; zero: it was not
	named    map[membershipID]struct{} // by the gateway, since it was asked
	suspects map[membershipID]struct{} // that only the owner knew the last time
}

type membershipID struct {
	topic string
	conn  wire.ConnID
}

// auditLoop sends digests until the server ends.
func (m *mesh) auditLoop() {
	for i := range m.slots {
		m.sendDigest(&m.slots[i])
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.auditor != nil {
		m.auditor.Reset(auditEvery)
	}
}

// sendDigest tells an owner what this gateway knows.
func (m *mesh) sendDigest(s *meshSlot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine || s.route.Epoch == 0 || s.synced != s.route.Epoch {
		return
	}
	var d digest
	for topic, b := range s.branches {
		for c := range b.members {
			d.add(topic, c.id)
		}
	}
	m.tell(s.route.Owner, &wire.Frame{Kind: wire.Digest, Slot: uint64(s.id), Epoch: s.route.Epoch, Count: d.count, Seq: d.sum})
}

// audit compares a digest with the owner's own.
func (m *mesh) audit(from cluster.Peer, f *wire.Frame) {
	var own digest
	for _, r := range m.srv.shards[f.Slot].all() {
		r.digest(from, &own)
	}
	p := m.peer(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.audits[f.Slot]
	switch {
	case own == digest{f.Count, f.Seq}:
		delete(p.audits, f.Slot)
	case a == nil:
		p.audits[f.Slot] = &audits{differed: own}
	case a.differed != own: // it has changed since: something was under way
		a.differed = own
	default:
		a.named = make(map[membershipID]struct{})
		m.tell(from, &wire.Frame{Kind: wire.Audit, Slot: f.Slot, Epoch: f.Epoch})
	}
}

// digest adds the room's members on a node.
func (r *Room) digest(of cluster.Peer, d *digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.members {
		if c.remote != nil && c.remote.peer == of {
			d.add(r.topic, c.id)
		}
	}
}

// answerAudit names all members of a slot that this gateway has.
func (m *mesh) answerAudit(from cluster.Peer, f *wire.Frame) {
	s := &m.slots[f.Slot]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.current(from, f) {
		return
	}
	for _, b := range s.branches {
		m.sync(s, b)
	}
	m.tellAllNamed(s)
}

// name notes members that a gateway has named, for an audit that is under way.
func (p *meshPeer) name(f *wire.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.audits[f.Slot]; a != nil && a.named != nil {
		for _, id := range f.Conns {
			a.named[membershipID{f.Topic, id}] = struct{}{}
		}
	}
}

// endAudit lets those go whom the gateway does not know, and did not know the last time either.
func (m *mesh) endAudit(from cluster.Peer, f *wire.Frame) {
	p := m.peer(from)
	p.mu.Lock()
	a := p.audits[f.Slot]
	if a == nil || a.named == nil {
		p.mu.Unlock()
		return
	}
	named, before := a.named, a.suspects
	a.named, a.suspects = nil, make(map[membershipID]struct{})
	suspects := a.suspects
	p.mu.Unlock()
	for _, r := range m.srv.shards[f.Slot].all() {
		for c := range r.Members() {
			id := membershipID{r.topic, c.id}
			if _, ok := named[id]; ok || c.remote == nil || c.remote.peer != from {
				continue
			}
			if _, again := before[id]; again {
				m.srv.Logger.Error("a room had a member that its node does not know", "topic", r.topic)
				r.release(c, Disconnected, nil)
				continue
			}
			p.mu.Lock()
			suspects[id] = struct{}{}
			p.mu.Unlock()
		}
	}
}
