package cluster

// What the node learns from the directory, and what it tells the app of it. All of this happens in the order of the records.

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// watch follows the directory until the node ends.
func (n *Node) watch() {
	for n.ctx.Err() == nil {
		err := n.cfg.Backplane.Directory.Watch(n.ctx, n.see)
		if n.ctx.Err() != nil {
			return
		}
		n.cfg.Logger.Warn("the cluster's directory cannot be watched", slog.Any("error", err))
		n.sleep(n.ctx, n.cfg.Lease.Renew/4)
	}
}

// see takes one record. A watch that begins again shows records that are known already.
func (n *Node) see(r Record) {
	switch {
	case r.Key == "":
		n.seeAll()
	case r.Key == settingsKey:
		n.mu.Lock()
		n.view.settings, n.view.revision = r.Value, r.Revision
		complete := n.view.complete
		n.mu.Unlock()
		if complete {
			n.checkSettings()
		}
	case strings.HasPrefix(r.Key, "node."):
		n.seeNode(strings.TrimPrefix(r.Key, "node."), r)
	case strings.HasPrefix(r.Key, "own."):
		if slot, err := strconv.Atoi(strings.TrimPrefix(r.Key, "own.")); err == nil && slot >= 0 && slot < len(n.slots) {
			n.seeOwn(slot, r)
		}
	}
	poke(n.wake)
}

// seeAll is called when all records that there were have been seen.
func (n *Node) seeAll() {
	n.mu.Lock()
	n.view.complete = true
	none := n.view.settings == nil
	n.mu.Unlock()
	if none {
		n.done.Go(n.writeSettings)
	} else {
		n.checkSettings()
	}
	n.tell(nil)
}

// writeSettings founds the cluster. Of several that try, one succeeds, and the others see its record.
func (n *Node) writeSettings() {
	value := mustJSON(settings{settingsFormat, n.cfg.Slots, n.cfg.Lease})
	_, _ = n.write(n.ctx, Write{Key: settingsKey, Value: value}, func() bool { return true }) // what counts is what is seen
}

// checkSettings ends a join: well, or with what differs.
func (n *Node) checkSettings() {
	n.mu.Lock()
	raw := n.view.settings
	n.mu.Unlock()
	own := settings{settingsFormat, n.cfg.Slots, n.cfg.Lease}
	var s settings
	err := json.Unmarshal(raw, &s)
	switch {
	case err != nil || s.Format != settingsFormat:
		err = fmt.Errorf("cluster: the cluster is of format %d, this version of format %d: run one version", s.Format, settingsFormat)
	case s != own:
		err = fmt.Errorf("cluster: the cluster has %d slots and leases of %v, this node %d and %v: configure all nodes alike", s.Slots, s.Lease, own.Slots, own.Lease)
	}
	n.joinOnce.Do(func() {
		n.joinErr = err
		close(n.joined)
	})
}

// seeNode takes a node's record.
func (n *Node) seeNode(name string, r Record) {
	var rec nodeRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		n.cfg.Logger.Error("a record of the cluster cannot be read", slog.String("key", r.Key), slog.Any("error", err))
		return
	}
	n.mu.Lock()
	s := n.nodes[name]
	if s == nil {
		s = &nodeState{}
		n.nodes[name] = s
	}
	if r.Revision <= s.revision {
		n.mu.Unlock()
		return
	}
	var gone []Peer
	if old := s.record; old.Incarnation != 0 && old.State != nodeDead && !rec.runs(uint64(old.Incarnation)) {
		gone = append(gone, old.peer(name))
	}
	if rec.State != s.record.State || rec.Incarnation != s.record.Incarnation {
		n.settled = n.clock.Now()
	}
	s.record, s.revision, s.seen = rec, r.Revision, n.clock.Now()
	n.changed.Broadcast()
	self := n.self
	n.mu.Unlock()
	if name == self.Node && !rec.runs(self.Incarnation) {
		poke(n.kick) // the next renewal fails, and says so
	}
	n.tell(gone)
}

// seeOwn takes a slot's record.
func (n *Node) seeOwn(slot int, r Record) {
	var rec ownRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		n.cfg.Logger.Error("a record of the cluster cannot be read", slog.String("key", r.Key), slog.Any("error", err))
		return
	}
	n.calls.Lock()
	defer n.calls.Unlock()
	n.mu.Lock()
	s := &n.slots[slot]
	if r.Revision <= s.revision {
		n.mu.Unlock()
		return
	}
	s.record, s.revision, s.stale, s.orphaned = rec, r.Revision, false, time.Time{}
	lost := s.mine != 0 && r.Revision > s.mine && !s.busy
	if lost {
		s.mine = 0
		n.changed.Broadcast()
	}
	n.mu.Unlock()
	if lost {
		n.trace("lose", slot, r.Revision, Peer{})
		n.app.Lost(slot)
	}
	n.reroute(slot)
}

// tell tells the app which peers are gone, and then which slots have another owner for that.
func (n *Node) tell(gone []Peer) {
	n.calls.Lock()
	defer n.calls.Unlock()
	for _, p := range gone {
		n.mu.Lock()
		links := n.links
		n.mu.Unlock()
		if links != nil {
			links.forget(p)
		}
		n.app.Gone(p)
	}
	for slot := range n.slots {
		n.reroute(slot)
	}
}

// reroute tells the app when a slot has another owner, once all records are known. n.calls is held.
func (n *Node) reroute(slot int) {
	n.mu.Lock()
	if !n.view.complete {
		n.mu.Unlock()
		return
	}
	s := &n.slots[slot]
	now := n.route(slot)
	moved := now != s.routed
	s.routed = now
	if now.Epoch != 0 {
		s.orphaned = time.Time{}
	} else if s.orphaned.IsZero() {
		s.orphaned = n.clock.Now()
	}
	n.mu.Unlock()
	if moved {
		n.app.Moved(slot)
	}
}
