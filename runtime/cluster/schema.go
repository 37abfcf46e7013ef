package cluster

// Nodes of different versions of a schema in one cluster. What an older version has kept of a room a newer one reads; the other way
// round only when they say so. So slots move on to newer versions, and back when the number before the first dot is the same.

import (
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Schema is what nodes tell each other about the protocol that they serve.
type Schema struct {
	// Version is that of the schema, such as 2.1.0. Versions with the same number before the first dot read what the others have kept, and
	// those with a larger number read all. No number is 0.
	Version     string
	Fingerprint string // shown to operators
	// Keeps says that rooms leave their state to the next owner. Without that there is nothing to read.
	Keeps bool
}

// maxMajor bounds the number before the first dot; it is no version above.
const maxMajor = 1 << 30

// major returns the number before the first dot of a version, which may begin with a v; 0: it has none.
func major(version string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxMajor {
		return 0
	}
	return n
}

// reads returns the largest major version of what this node can restore.
func (n *Node) reads() int { return max(major(n.schema.Version), n.cfg.Reads) }

// keeps returns the least major version of who can restore what this node's rooms leave behind in a slot, when what was there before needs
// another one.
func (n *Node) keeps(before int) int {
	if !n.schema.Keeps {
		return before
	}
	return max(before, major(n.schema.Version))
}

// needs returns, for each slot, the least major version of who may own it. n.mu is held.
func (n *Node) needs() []int {
	all := make([]int, len(n.slots))
	for slot := range n.slots {
		all[slot] = n.slots[slot].record.Needs
	}
	return all
}

// count returns how many slots are of a kind, and the largest version that one of them needs. n.mu is held.
func (n *Node) count(is func(slot int, s *slotState) bool) (slots, needs int) {
	for slot := range n.slots {
		if s := &n.slots[slot]; is(slot, s) {
			slots++
			needs = max(needs, s.record.Needs)
		}
	}
	return slots, needs
}

// tellUnread says it once when there have been slots for a while that no node may own. n.mu is held.
func (n *Node) tellUnread(should []string, now time.Time) {
	slots, needs := n.count(func(slot int, s *slotState) bool {
		return should[slot] == "" && !s.orphaned.IsZero() && now.Sub(s.orphaned) >= orphanGrace
	})
	if slots > 0 && !n.unread {
		n.cfg.Logger.Error("no node reads the rooms of some slots: start one with a newer version of the schema, or one whose Reads says that it does",
			slog.Int("slots", slots), slog.Int("version", needs))
	}
	n.unread = slots > 0
}

// warnUnread says when the node joins that there are slots which it cannot take.
func (n *Node) warnUnread() {
	n.mu.Lock()
	slots, needs := n.count(func(_ int, s *slotState) bool { return s.record.Needs > n.reads() })
	n.mu.Unlock()
	if slots > 0 {
		n.cfg.Logger.Warn("this node does not read the rooms of some slots, which stay with others: its schema is older, and Reads does not say that it does",
			slog.Int("slots", slots), slog.Int("version", needs), slog.Int("reads", n.reads()))
	}
}

// warnStuck says when the node is drained that there are slots which no other node can take. n.mu is held.
func (n *Node) warnStuck() {
	slots, _ := n.count(func(_ int, s *slotState) bool { return s.mine != 0 })
	if slots > 0 && len(n.nodes) > 1 {
		n.cfg.Logger.Warn("no other node reads the rooms of these slots, or there is none: they wait for one", slog.Int("slots", slots))
	}
}
