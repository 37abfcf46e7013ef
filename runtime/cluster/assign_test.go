package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// nodeNames returns the names of n nodes.
func nodeNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("chat-%d", i))
	}
	return names
}

// TestAssignmentIsEven: no node has more than a quarter more than its share, rounded up. When a node comes, or goes, its
// share moves, and a little that follows from the bound.
func TestAssignmentIsEven(t *testing.T) {
	for _, test := range []struct {
		nodes, slots int
		most         int // that one node has
	}{
		{1, 256, 256},
		{2, 256, 160},
		{3, 256, 107},
		{4, 256, 80},
		{10, 256, 32},
		{20, 256, 16},
		{100, 256, 4},
		{3, 16, 7},
		{5, 4, 1},
		{3, 4096, 1707},
		{10, 4096, 512},
	} {
		t.Run(fmt.Sprintf("%d slots on %d nodes", test.slots, test.nodes), func(t *testing.T) {
			names := nodeNames(test.nodes + 1)
			before := cluster.Assignment(names[:test.nodes], test.slots)
			after := cluster.Assignment(names, test.slots)
			load := make(map[string]int)
			moves := 0
			for slot, owner := range before {
				load[owner]++
				if owner != after[slot] {
					moves++
				}
			}
			for _, name := range names[:test.nodes] {
				if load[name] > test.most {
					t.Errorf("%s has %d slots, more than %d", name, load[name], test.most)
				}
			}
			if share := float64(test.slots) / float64(test.nodes+1); float64(moves) > 2*share {
				t.Errorf("%d slots move when a node comes whose share is %.1f", moves, share)
			}
		})
	}
}

func TestAssignmentIsTheSameForAll(t *testing.T) {
	names := nodeNames(7)
	want := cluster.Assignment(names, 64)
	for range names {
		names = append(names[1:], names[0])
		given := slices.Clone(names)
		if got := cluster.Assignment(names, 64); !slices.Equal(got, want) {
			t.Errorf("%v: %v, not %v", names, got, want)
		}
		if !slices.Equal(names, given) {
			t.Errorf("the names have another order afterwards: %v", names)
		}
	}
	if got := cluster.Assignment(nil, 64); got != nil {
		t.Errorf("nobody owns %v", got)
	}
}
