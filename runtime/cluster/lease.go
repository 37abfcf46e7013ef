package cluster

// The node's lease: how it begins, is renewed, and ends.

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// live begins one incarnation after the other, until the node ends.
func (n *Node) live() {
	select {
	case <-n.joined:
	case <-n.lives.Done():
	}
	for n.living() && n.joinErr == nil {
		if n.begin() {
			n.renewals()
		}
		if n.living() {
			n.endIncarnation()
		}
	}
}

// living reports whether the node goes on: it is not about to leave.
func (n *Node) living() bool { return n.lives.Err() == nil }

// begin starts an incarnation: links that listen, and a record. It returns false when somebody else has written the record,
// or the node ends.
func (n *Node) begin() bool {
	if !n.awaitPredecessor() {
		return false
	}
	self := Peer{Node: n.cfg.Node, Incarnation: newIncarnation()}
	self.Address = n.address(self.Incarnation)
	links := newLinks(self, n.cfg.Backplane.Transport, n.clock, linkLimits{}, linkHandler{receive: n.app.Receive, reset: n.app.Reset})
	if err := links.listen(); err != nil {
		n.cfg.Logger.Error("the cluster's transport cannot be listened to", slog.Any("error", err))
		links.close()
		n.sleep(n.lives, n.cfg.Lease.Renew)
		return false
	}
	n.mu.Lock()
	n.self, n.links = self, links
	if s := n.nodes[n.cfg.Node]; s != nil {
		n.revision = s.revision
	}
	n.mu.Unlock()
	if !n.renew() {
		n.sleep(n.lives, n.cfg.Lease.Renew/4) // until the other one's record is seen
		return false
	}
	links.start()
	n.trace("join", -1, 0, Peer{})
	n.warnUnread()
	n.tell(nil)
	n.calls.Lock()
	defer n.calls.Unlock()
	for slot := range n.slots {
		n.app.Moved(slot) // there is a way to its owner now
	}
	return true
}

// awaitPredecessor waits until the node's record is none, or of an incarnation that has ended: it says so, its lock is free, or it
// has not changed for as long as a dead one's. It returns false when the node ends.
func (n *Node) awaitPredecessor() bool {
	warned, began, known := false, n.clock.Now(), false
	for {
		n.mu.Lock()
		s := n.nodes[n.cfg.Node]
		var wait time.Duration
		if s != nil && s.record.State != nodeDead && !n.lock.Same(s.record.Lock) {
			wait = n.cfg.Lease.Dead - n.clock.Now().Sub(s.seen)
		}
		n.mu.Unlock()
		if wait <= 0 {
			return n.living()
		}
		if !warned {
			warned = true
			n.cfg.Logger.Info("waiting until the lease of an earlier process of this node has ended", slog.String("node", n.cfg.Node))
		}
		if !known && n.clock.Now().Sub(began) > n.cfg.Lease.Dead {
			known = true
			n.cfg.Logger.Warn("another process that is this node runs: give each process a name of its own", slog.String("node", n.cfg.Node))
		}
		if !n.sleep(n.lives, min(wait, n.cfg.Lease.Renew)) {
			return false
		}
	}
}

// renewals renews the lease until it is taken away, or the node ends.
func (n *Node) renewals() {
	for {
		n.pauseUntilRenewal()
		if !n.living() || !n.renew() {
			return
		}
	}
}

// pauseUntilRenewal waits for the next renewal: it is due, or there is something new to say.
func (n *Node) pauseUntilRenewal() {
	until := time.Unix(0, n.lease.Load()).Add(n.cfg.Lease.Renew - n.cfg.Lease.Stop)
	due := make(chan struct{})
	timer := n.clock.AfterFunc(max(until.Sub(n.clock.Now()), 0), func() { close(due) })
	defer timer.Stop()
	select {
	case <-due:
	case <-n.kick:
	case <-n.lives.Done():
	}
}

// renew writes the node's record, and returns false when the lease is lost: somebody else has written it. While the directory does
// not answer it goes on trying, also beyond the end of the lease: if it succeeds at last, nobody has taken the node's slots, and
// it acts again. The lease counts from before the first try, because that may be the one that was stored.
func (n *Node) renew() bool {
	n.mu.Lock()
	rec := nodeRecord{
		Incarnation: incarnationID(n.self.Incarnation), Address: n.self.Address, State: nodeUp, Count: n.writes.Load(),
		Zone: n.cfg.Zone, Version: n.cfg.Version, Weight: n.cfg.Weight, Lock: n.lock.ID(),
		Schema: n.schema.Version, Fingerprint: n.schema.Fingerprint, Reads: n.reads(),
	}
	if n.draining {
		rec.State = nodeDraining
	}
	last := n.revision
	n.mu.Unlock()
	rec.Load = n.app.Load()
	began := n.clock.Now()
	rev, err := n.write(n.ctx, Write{Key: NodeKey(n.cfg.Node), Value: mustJSON(rec), Last: last}, n.living)
	switch {
	case err == nil:
		n.renewed(rev, began)
		return true
	case errors.Is(err, ErrConflict):
		n.cfg.Logger.Warn("another node has taken this node's lease", slog.String("node", n.cfg.Node))
		n.trace("fence", -1, 0, Peer{})
	}
	return false
}

// renewed notes a renewal that was stored. Checkers are told before rooms go on that have waited for it.
func (n *Node) renewed(rev uint64, began time.Time) {
	until := began.Add(n.cfg.Lease.Stop)
	n.traceEvent(Event{Kind: "renew", Slot: -1, Until: until})
	n.mu.Lock()
	if !n.Alive() {
		n.pardon()
	}
	n.revision, n.renewal = rev, n.clock.Now().Sub(began)
	n.lease.Store(until.UnixNano())
	n.changed.Broadcast()
	n.mu.Unlock()
	poke(n.wake)
}

// pardon gives all nodes their time anew. This node had no lease, so the directory may have been out of its reach, and out of
// theirs: the first node that reaches it again must not find all others dead. n.mu is held.
func (n *Node) pardon() {
	now := n.clock.Now()
	for _, s := range n.nodes {
		s.seen = now
	}
}

// endIncarnation drops what the node owns: others may own it now.
func (n *Node) endIncarnation() {
	n.lease.Store(0)
	n.calls.Lock()
	defer n.calls.Unlock()
	n.mu.Lock()
	links := n.links
	n.self, n.links = Peer{}, nil
	var lost []int
	for slot := range n.slots {
		if n.slots[slot].mine != 0 {
			n.slots[slot].mine = 0
			n.events.count("lose")
			lost = append(lost, slot)
		}
	}
	n.changed.Broadcast()
	n.mu.Unlock()
	if links != nil {
		links.close()
	}
	for _, slot := range lost {
		n.app.Lost(slot)
	}
	for _, p := range n.Members() { // a new incarnation has new links
		n.app.Reset(p)
	}
	for slot := range n.slots {
		n.reroute(slot)
	}
}

// Drain gives all slots to other nodes, and returns when none is left that another one may own, or with an error when
// ctx ends. Others give the node nothing any more.
func (n *Node) Drain(ctx context.Context) error {
	n.mu.Lock()
	n.draining = true
	n.mu.Unlock()
	poke(n.kick)
	poke(n.wake)
	stop := context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.changed.Broadcast()
	})
	defer stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	for ctx.Err() == nil && n.ctx.Err() == nil && n.holdsForOthers() {
		n.changed.Wait()
	}
	if ctx.Err() == nil {
		n.warnStuck()
	}
	return context.Cause(ctx)
}

// holdsForOthers reports whether the node owns a slot that another one may own, or is about to own or give one. Nodes that are late may only
// wait for the directory. n.mu is held.
func (n *Node) holdsForOthers() bool {
	reads := -1
	for name, s := range n.nodes {
		if name != n.cfg.Node && s.record.State == nodeUp {
			reads = max(reads, s.record.Reads)
		}
	}
	if reads < 0 {
		return false
	}
	for i := range n.slots {
		if s := &n.slots[i]; s.busy || s.mine != 0 && s.record.Needs <= reads {
			return true
		}
	}
	return false
}

// leaveTime is how long the last record of a node may take to be stored.
const leaveTime = 3 * time.Second

// Leave ends the node: its record says so, so that others take what it still has at once. The app's rooms have ended before. It takes
// at most a few seconds; when the record cannot be stored by then it returns an error, and the others wait for the lease.
func (n *Node) Leave() error {
	n.mu.Lock()
	n.draining = true
	n.mu.Unlock()
	n.retire()
	<-n.retired // the last renewal is stored, or given up
	n.lease.Store(0)
	n.mu.Lock()
	self, last := n.self, n.revision
	n.mu.Unlock()
	defer n.end()
	if self.Incarnation == 0 {
		return nil
	}
	n.flushAll(n.ctx)
	ctx, cancel := context.WithCancelCause(n.ctx)
	defer cancel(nil)
	timer := n.clock.AfterFunc(leaveTime, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	rec := nodeRecord{Incarnation: incarnationID(self.Incarnation), Address: self.Address, State: nodeDead, By: self.String()}
	_, err := n.write(ctx, Write{Key: NodeKey(self.Node), Value: mustJSON(rec), Last: last}, func() bool { return true })
	if errors.Is(err, ErrConflict) {
		return nil // somebody else has found it dead
	}
	if err == nil {
		n.trace("leave", -1, 0, Peer{})
	}
	return err
}

// end stops everything. It may be called twice.
func (n *Node) end() {
	n.retire()
	n.cancel()
	n.mu.Lock()
	links := n.links
	n.changed.Broadcast()
	n.mu.Unlock()
	n.done.Wait()
	if links != nil {
		links.close()
	}
	n.lock.Release()
}
