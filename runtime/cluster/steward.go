package cluster

// The steward looks after the slots: it finds dead nodes, takes what is for this node to take, and gives away what is not.

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// lookEvery is how often the steward looks although nothing has changed.
	lookEvery = time.Second
	// giveAtOnce is how many slots are given away at a time. What they save and write goes through one stream and waits there for
	// each other: with more, all are over hardly earlier, and each is away for longer.
	giveAtOnce = 2
	// orphanGrace is how long a slot that nobody owns is left to the node that should have it, before any node takes it.
	orphanGrace = 3 * time.Second
	// calmBefore is how long the set of nodes must have been the same before slots move for balance alone, because a node that
	// restarts should find its own again; and how long a slot stays where it has come to.
	calmBefore = 5 * time.Second
	// yieldTime is how long the rooms of a slot may take to get ready to be given away.
	yieldTime = 10 * time.Second
	// flushTime is how long peers may take to confirm what the slot's rooms have sent them.
	flushTime = 2 * time.Second
)

// steward looks after every change, and every second.
func (n *Node) steward() {
	tick := make(chan struct{}, 1)
	timer := n.clock.AfterFunc(lookEvery, func() { poke(tick) })
	defer timer.Stop()
	for {
		select {
		case <-tick:
			timer.Reset(lookEvery)
			n.tellPause()
		case <-n.wake:
		case <-n.ctx.Done():
			return
		}
		n.look()
	}
}

// tellPause tells the app for how long the node may not act.
func (n *Node) tellPause() {
	n.mu.Lock()
	now := n.clock.Now()
	alive := n.Alive()
	switch {
	case alive:
		if !n.paused.IsZero() && n.acted {
			n.cfg.Logger.Info("the node has a lease again: its rooms go on", slog.Duration("without", now.Sub(n.paused)))
		}
		n.paused, n.acted = time.Time{}, true
	case n.paused.IsZero():
		if n.paused = now; n.acted && n.living() {
			n.cfg.Logger.Warn("the node has no lease any more: its rooms wait until it has one")
		}
	}
	since := n.paused
	n.mu.Unlock()
	if !alive {
		n.app.Paused(now.Sub(since))
	}
}

// look starts what there is to do. Each piece of it is a goroutine of its own, which pokes the steward at its end.
func (n *Node) look() {
	rooms := make([]int, len(n.slots))
	n.app.Rooms(rooms) // before the lock is held: what the app holds while it counts it may hold while it sends
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.view.complete || n.self.Incarnation == 0 || !n.Alive() || n.lives.Err() != nil {
		return
	}
	now := n.clock.Now()
	for name, s := range n.nodes {
		if name != n.cfg.Node && s.record.State != nodeDead && !s.killing && now.Sub(s.seen) >= n.cfg.Lease.Dead {
			s.killing = true
			rec, last := s.record, s.revision // of what was judged, not of what is known when kill runs
			n.done.Go(func() { n.kill(name, rec, last) })
		}
	}
	nodes := n.candidates()
	should := assignment(nodes, n.needs())
	if len(nodes) > 0 {
		n.tellUnread(should, now)
	}
	for slot := range n.slots {
		s := &n.slots[slot]
		if s.busy {
			continue
		}
		switch {
		case s.mine != 0:
			if to := should[slot]; to != "" && to != n.cfg.Node && n.gives < giveAtOnce && n.mayGive(slot, rooms, now) {
				s.busy = true
				n.gives++
				to := n.nodes[to].record.peer(to)
				n.done.Go(func() { n.give(slot, to) })
			}
		case n.claimable(slot, now, should):
			s.busy = true
			last, needs := s.revision, n.keeps(s.record.Needs) // as in kill
			n.done.Go(func() { n.claim(slot, last, needs) })
		}
	}
}

// mayGive reports whether the time has come to give a slot away that is not for this node. One that drains does it when its record
// says so: whoever sees that the slot is given has seen that record before, and does not give it back. What could not be made
// ready has a moment to become so. n.mu is held.
func (n *Node) mayGive(slot int, rooms []int, now time.Time) bool {
	s := &n.slots[slot]
	if now.Sub(s.kept) < lookEvery {
		return false
	}
	if n.draining {
		own := n.nodes[n.cfg.Node]
		return own != nil && own.record.State == nodeDraining
	}
	return now.Sub(n.settled) >= calmBefore && now.Sub(s.taken) >= calmBefore && n.churn.affords(slot, rooms, now)
}

// missedRenewals is how many renewals a node may be late before it is given no slot: it may be dead, and nobody knows yet.
const missedRenewals = 3

// candidates returns the nodes that may be given slots. n.mu is held.
func (n *Node) candidates() []candidate {
	var nodes []candidate
	now := n.clock.Now()
	for name, s := range n.nodes {
		self := name == n.cfg.Node
		late := !self && now.Sub(s.seen) >= missedRenewals*n.cfg.Lease.Renew
		if s.record.State == nodeUp && !late && (!self || !n.draining) {
			nodes = append(nodes, candidate{name, max(s.record.Weight, 1), s.record.Reads})
		}
	}
	return nodes
}

// claimable reports whether a slot is for this node to take. n.mu is held.
func (n *Node) claimable(slot int, now time.Time, should []string) bool {
	s := &n.slots[slot]
	if s.stale {
		return false
	}
	if s.record.of(n.self) {
		// It was given to this node; or a claim of it was stored, and nobody knew. A node that drains takes it, too, to give it to another
		// one: who gave it did not know, and nobody else may have it.
		return true
	}
	if n.draining || s.record.Needs > n.reads() {
		return false
	}
	if s.revision != 0 && !n.ended(s, now) {
		return false
	}
	return should[slot] == n.cfg.Node || !s.orphaned.IsZero() && now.Sub(s.orphaned) >= orphanGrace
}

// ended reports whether the incarnation that a slot's record names is gone for good: its node's record says so, or is that of another one
// and was written after the slot's. An older one, or none, says nothing: a watch that begins again shows the slot's record before that
// of a node that has begun since. If that does not come for as long as a lease lives, somebody has removed it. n.mu is held.
func (n *Node) ended(s *slotState, now time.Time) bool {
	owner := n.nodes[s.record.Node]
	switch {
	case owner != nil && owner.record.runs(uint64(s.record.Incarnation)):
		return false
	case owner != nil && (owner.record.Incarnation == s.record.Incarnation || owner.revision > s.revision):
		return true
	}
	return !s.orphaned.IsZero() && now.Sub(s.orphaned) >= n.cfg.Lease.Dead
}

// kill writes that a node is dead, on condition that it has not renewed its lease since this node saw it do so last.
func (n *Node) kill(name string, rec nodeRecord, last uint64) {
	victim := rec.peer(name)
	rec.State, rec.By = nodeDead, n.Self().String()
	_, err := n.write(n.ctx, Write{Key: NodeKey(name), Value: mustJSON(rec), Last: last}, n.Alive)
	if err == nil {
		n.cfg.Logger.Warn("a node of the cluster is dead", slog.String("node", name))
		n.trace("kill", -1, 0, victim)
	}
	n.mu.Lock()
	n.nodes[name].killing = false
	n.mu.Unlock()
}

// claim writes that a slot is this node's, on condition that its record is the one this node has seen.
func (n *Node) claim(slot int, last uint64, needs int) {
	self := n.Self()
	rec := ownRecord{self.Node, incarnationID(self.Incarnation), slotActive, needs}
	epoch, err := n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: last}, n.Alive)
	n.finish(slot, func(s *slotState) {
		if errors.Is(err, ErrConflict) && s.revision == last {
			s.stale = true
		}
		if err != nil || n.self != self || self.Incarnation == 0 || s.revision > epoch {
			return
		}
		s.record, s.revision, s.mine, s.taken = rec, epoch, epoch, n.clock.Now()
		n.mu.Unlock()
		n.trace("claim", slot, epoch, Peer{})
		n.app.Open(slot, epoch)
		n.mu.Lock()
	})
}

// give hands a slot over: its rooms are made ready, what they have sent has arrived, and then the record names the one who is to
// take it.
func (n *Node) give(slot int, to Peer) {
	n.mu.Lock()
	epoch, needs := n.slots[slot].mine, n.slots[slot].record.Needs
	n.mu.Unlock()
	n.trace("yield", slot, epoch, to)
	ctx, cancel := context.WithCancelCause(n.ctx)
	defer cancel(nil)
	timer := n.clock.AfterFunc(yieldTime, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	if err := n.app.Yield(ctx, slot); err != nil {
		n.keep(slot, epoch, err)
		return
	}
	n.flushAll(ctx)
	rec := ownRecord{to.Node, incarnationID(to.Incarnation), slotHandoff, needs}
	revision, err := n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: epoch}, n.Alive)
	n.given(slot, epoch, to, err, func(s *slotState) {
		if revision > s.revision { // nobody has been quicker to take it
			s.record, s.revision = rec, revision
		}
	})
}

// keep goes on with a slot that could not be made ready.
func (n *Node) keep(slot int, epoch uint64, why error) {
	n.cfg.Logger.Warn("a slot could not be given away", slog.Int("slot", slot), slog.Any("error", why))
	n.finish(slot, func(s *slotState) {
		n.gives--
		s.kept = n.clock.Now()
		if s.mine == epoch {
			n.mu.Unlock()
			n.app.Open(slot, epoch)
			n.mu.Lock()
		}
	})
}

// given notes that a slot was given away. When it is not known whether that was stored, it is not this node's all the same: it
// will see what became of the record, and takes the slot again if it is still named there.
func (n *Node) given(slot int, epoch uint64, to Peer, err error, stored func(s *slotState)) {
	n.finish(slot, func(s *slotState) {
		n.gives--
		owned := s.mine == epoch
		if s.mine = 0; err == nil {
			stored(s)
		}
		n.mu.Unlock()
		if err == nil {
			n.trace("give", slot, epoch, to)
		} else if owned {
			n.trace("lose", slot, epoch, Peer{})
			n.app.Lost(slot)
		}
		n.mu.Lock()
	})
}

// finish ends what was under way with a slot. n.mu is held while f runs, which may give it up for a while.
func (n *Node) finish(slot int, f func(s *slotState)) {
	n.calls.Lock()
	defer n.calls.Unlock()
	n.mu.Lock()
	s := &n.slots[slot]
	s.busy = false
	f(s)
	n.changed.Broadcast()
	n.mu.Unlock()
	n.reroute(slot)
	poke(n.wake)
}

// flushAll waits until all peers have what this node has sent them, for a short time: one that does not answer may be dead.
func (n *Node) flushAll(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := n.clock.AfterFunc(flushTime, cancel)
	defer timer.Stop()
	n.mu.Lock()
	links := n.links
	n.mu.Unlock()
	if links == nil {
		return
	}
	var all sync.WaitGroup
	for _, p := range n.Members() {
		all.Go(func() { _ = links.flush(ctx, p) }) // members of rooms on a node that does not answer are told of a gap later
	}
	all.Wait()
}
