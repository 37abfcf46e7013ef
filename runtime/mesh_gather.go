package runtime

// An owner that has just taken a slot knows the members that it has itself; the other nodes name theirs when they learn of
// it. A room with history gives those what it has published before. What is published from outside may be for a room that
// is not open yet, because all of its members are elsewhere: it waits until all nodes have named theirs.

import (
	"slices"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// gatherTime is how long nodes have to name their members of a slot: one that takes longer hangs or is cut off, and the
// members of others are not to wait for it.
const gatherTime = 2 * time.Second

// gathering is guarded by the slot's mu.
type gathering struct {
	epoch   uint64
	missing map[cluster.Peer]struct{} // nodes that have not named their members
	early   []*errand                 // publications that wait for them
	timer   clock.Timer
}

// gather begins to wait for what other nodes say. s.mu is held.
func (m *mesh) gather(s *meshSlot, epoch uint64) {
	peers := m.node.Members()
	if len(peers) == 0 {
		return
	}
	g := &gathering{epoch: epoch, missing: make(map[cluster.Peer]struct{}, len(peers))}
	for _, p := range peers {
		g.missing[p] = struct{}{}
	}
	g.timer = m.srv.Clock.AfterFunc(gatherTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gathering.Load() == g {
			m.gathered(s)
		}
	})
	s.gathering.Store(g)
}

// gathered publishes what has waited. s.mu is held.
func (m *mesh) gathered(s *meshSlot) {
	g := s.gathering.Swap(nil)
	g.timer.Stop()
	for _, e := range g.early {
		_ = m.deliver(s, e) // the publication is told
	}
}

// named notes that a node has named all members that it has in a slot, in an epoch; or, in epoch 0, that it has ended.
func (m *mesh) named(s *meshSlot, from cluster.Peer, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.gathering.Load()
	if g == nil || epoch != 0 && epoch != g.epoch {
		return
	}
	if delete(g.missing, from); len(g.missing) == 0 {
		m.gathered(s)
	}
}

// disperse ends the wait, because the slot goes: what is published is for the next owner. s.mu is held.
func (m *mesh) disperse(s *meshSlot) {
	g := s.gathering.Swap(nil)
	if g == nil {
		return
	}
	g.timer.Stop()
	for _, e := range g.early {
		e.bounceLocked(m, s)
	}
}

// await holds a publication until all members are named. s.mu is held.
func (g *gathering) await(e *errand) error {
	if len(g.early) >= mostHeld {
		return errNotApplied("much waits for %s", e.topic())
	}
	g.early = append(g.early, e)
	return nil
}

// withdraw reports whether a publication was among those that wait, and takes it off. s.mu is held.
func (g *gathering) withdraw(e *errand) bool {
	n := len(g.early)
	g.early = slices.DeleteFunc(g.early, func(other *errand) bool { return other == e })
	return len(g.early) < n
}
