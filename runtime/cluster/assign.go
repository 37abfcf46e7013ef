package cluster

import (
	"cmp"
	"math"
	"slices"

	"github.com/wsgen/wsgen/runtime/internal/hash"
)

// candidate is a node that may be given slots.
type candidate struct {
	name   string
	weight int // its share, compared with those of others
	reads  int // it may own slots that need no more
}

// assignment returns the node that should own each slot: the one with the highest score for it (weighted rendezvous hashing, Thaler and
// Ravishankar 1998) among those that have room (bounded loads, Mirrokni, Thorup and Zadimoghaddam 2016) and read what the slot
// needs; when all of these are full, the one with the highest score of them; nobody, "", when there are none. needs has one
// element for each slot. Every node computes the same from the same candidates, in whatever order; one that comes or goes
// moves little more than its own share.
func assignment(nodes []candidate, needs []int) []string {
	nodes = slices.SortedFunc(slices.Values(nodes), func(a, b candidate) int { return cmp.Compare(a.name, b.name) })
	all := 0
	for _, n := range nodes {
		all += n.weight
	}
	load := make([]int, len(nodes))
	out := make([]string, len(needs))
	order := make([]int, len(needs)) // first those that the fewest may own
	for slot := range order {
		order[slot] = slot
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(needs[b], needs[a]) })
	for _, slot := range order {
		best, full := -1, false
		high := 0.0
		for i, n := range nodes {
			if n.reads < needs[slot] {
				continue
			}
			most := (len(needs)*5*n.weight + 4*all - 1) / (4 * all) // a quarter more than its share, rounded up
			s, f := score(n, slot), load[i] >= most
			if best < 0 || full && !f || full == f && s > high {
				best, full, high = i, f, s
			}
		}
		if best >= 0 {
			out[slot] = nodes[best].name
			load[best]++
		}
	}
	return out
}

// score returns how much a slot is for a node: w / −ln h, with a hash h between 0 and 1 (the logarithmic method of Schindelhauer and
// Schomaker 2005).
func score(n candidate, slot int) float64 {
	h := hash.Mix(hash.FNV(n.name) ^ hash.Mix(uint64(slot)+1))
	return float64(n.weight) / -math.Log((float64(h>>11)+0.5)/(1<<53))
}
