package cluster

import (
	"slices"

	"github.com/wsgen/wsgen/runtime/internal/hash"
)

// assignment returns the node that should own each slot: the one with the highest weight for it (rendezvous hashing, Thaler and
// Ravishankar 1998) among those that have room (bounded loads, Mirrokni, Thorup and Zadimoghaddam 2016). Every node computes
// the same from the same names, in whatever order; one that comes or goes moves little more than its own share. Without
// nodes the result is nil.
func assignment(nodes []string, slots int) []string {
	if len(nodes) == 0 {
		return nil
	}
	nodes = slices.Clone(nodes)
	slices.Sort(nodes)
	most := (slots*5 + 4*len(nodes) - 1) / (4 * len(nodes)) // a quarter more than the average, rounded up
	load := make(map[string]int, len(nodes))
	out := make([]string, slots)
	for slot := range out {
		best, weight := "", uint64(0)
		for _, n := range nodes {
			if w := weigh(n, slot); load[n] < most && (best == "" || w > weight) {
				best, weight = n, w
			}
		}
		out[slot] = best
		load[best]++
	}
	return out
}

// weigh returns a node's weight for a slot.
func weigh(node string, slot int) uint64 { return hash.Mix(hash.FNV(node) ^ hash.Mix(uint64(slot)+1)) }
