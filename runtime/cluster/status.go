package cluster

import (
	"cmp"
	"slices"
	"time"
)

// Status is what a node knows of its cluster. Times are in seconds.
type Status struct {
	Node        string       `json:"node"`
	Incarnation string       `json:"incarnation"` // hexadecimal digits; empty: none at the moment
	Alive       bool         `json:"alive"`       // its lease holds
	Draining    bool         `json:"draining"`
	Lease       float64      `json:"leaseSeconds"`   // left of the lease; 0: none
	Renewal     float64      `json:"renewalSeconds"` // that the last renewal took
	Owned       int          `json:"owned"`          // slots of this node
	Epoch       uint64       `json:"epoch"`          // the largest of them
	Events      EventCounts  `json:"events"`
	Nodes       []NodeStatus `json:"nodes"` // by name, this one and dead ones included
	Slots       []SlotStatus `json:"slots"`
	Links       []LinkStatus `json:"links"` // by node
}

// EventCounts are how often something has happened on this node since it joined.
type EventCounts struct {
	Renewals uint64 `json:"renewals"` // of its lease
	Fences   uint64 `json:"fences"`   // others took its lease
	Kills    uint64 `json:"kills"`    // it took that of others
	Claims   uint64 `json:"claims"`   // slots that it took
	Gives    uint64 `json:"gives"`    // slots that it gave away
	Losses   uint64 `json:"losses"`   // slots that it lost
}

// NodeStatus is a node, as its last record says.
type NodeStatus struct {
	Node        string  `json:"node"`
	State       string  `json:"state"` // up, draining or dead
	Zone        string  `json:"zone,omitempty"`
	Version     string  `json:"version,omitempty"` // of the program
	Schema      string  `json:"schema,omitempty"`  // version of its schema
	Fingerprint string  `json:"fingerprint,omitempty"`
	Reads       int     `json:"reads,omitempty"` // the largest major version of the schema whose rooms it restores
	Weight      int     `json:"weight"`
	Seen        float64 `json:"seenSeconds"` // since its record changed, or this node could act again
	Slots       int     `json:"slots"`
	Load        Load    `json:"load"`
}

// SlotStatus is who owns a slot.
type SlotStatus struct {
	Owner string `json:"owner,omitempty"` // node; empty: nobody
	Epoch uint64 `json:"epoch,omitempty"`
	Needs int    `json:"needs,omitempty"` // the least of the numbers that nodes call Reads, of who may own it
}

// LinkStatus is the link to a node, with those to its earlier incarnations that are still there.
type LinkStatus struct {
	Node        string `json:"node"`
	Frames      int    `json:"frames"` // sent and not acknowledged
	Bytes       int    `json:"bytes"`
	Resets      uint64 `json:"resets"`
	Retransmits uint64 `json:"retransmits"`
	Nacks       uint64 `json:"nacks"`
}

// Status returns what the node knows. It is safe for concurrent use, and looks at every slot.
func (n *Node) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.clock.Now()
	s := Status{
		Node: n.cfg.Node, Alive: n.Alive(), Draining: n.draining, Renewal: n.renewal.Seconds(), Events: n.events,
		Lease: max(time.Unix(0, n.lease.Load()).Sub(now), 0).Seconds(), Slots: make([]SlotStatus, len(n.slots)),
	}
	if n.self.Incarnation != 0 {
		text, _ := incarnationID(n.self.Incarnation).MarshalText() // never fails
		s.Incarnation = string(text)
	}
	owned := make(map[string]int)
	for i := range n.slots {
		route := n.slots[i].routed
		s.Slots[i] = SlotStatus{route.Owner.Node, route.Epoch, n.slots[i].record.Needs}
		owned[route.Owner.Node]++
		if mine := n.slots[i].mine; mine != 0 {
			s.Owned++
			s.Epoch = max(s.Epoch, mine)
		}
	}
	for name, node := range n.nodes {
		r := &node.record
		s.Nodes = append(s.Nodes, NodeStatus{name, r.State, r.Zone, r.Version, r.Schema, r.Fingerprint, r.Reads, max(r.Weight, 1),
			now.Sub(node.seen).Seconds(), owned[name], r.Load})
	}
	slices.SortFunc(s.Nodes, func(a, b NodeStatus) int { return cmp.Compare(a.Node, b.Node) })
	if n.links != nil {
		for _, l := range n.links.stats() {
			s.addLink(&l)
		}
		slices.SortFunc(s.Links, func(a, b LinkStatus) int { return cmp.Compare(a.Node, b.Node) })
	}
	return s
}

// addLink adds a link to those of its node: one that has just been started again may have a second one for a while.
func (s *Status) addLink(l *linkStats) {
	i := slices.IndexFunc(s.Links, func(other LinkStatus) bool { return other.Node == l.peer.Node })
	if i < 0 {
		i, s.Links = len(s.Links), append(s.Links, LinkStatus{Node: l.peer.Node})
	}
	sum := &s.Links[i]
	sum.Frames += l.frames
	sum.Bytes += l.bytes
	sum.Resets += l.resets
	sum.Retransmits += l.retransmits
	sum.Nacks += l.nacks
}

// Orphans returns how many slots nobody owns.
func (s *Status) Orphans() int {
	n := 0
	for i := range s.Slots {
		if s.Slots[i].Owner == "" {
			n++
		}
	}
	return n
}

// Unread returns how many slots are nobody's because no node that is up reads what they have kept, and the least of the numbers that nodes
// call Reads of one that would read it all.
func (s *Status) Unread() (slots, needs int) {
	reads := -1
	for i := range s.Nodes {
		if s.Nodes[i].State == nodeUp {
			reads = max(reads, s.Nodes[i].Reads)
		}
	}
	for i := range s.Slots {
		if slot := &s.Slots[i]; reads >= 0 && slot.Owner == "" && slot.Needs > reads {
			slots++
			needs = max(needs, slot.Needs)
		}
	}
	return slots, needs
}

// count counts an event. n.mu is held.
func (c *EventCounts) count(kind string) {
	switch kind {
	case "renew":
		c.Renewals++
	case "fence":
		c.Fences++
	case "kill":
		c.Kills++
	case "claim":
		c.Claims++
	case "give":
		c.Gives++
	case "lose":
		c.Losses++
	}
}
