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
	if got := cluster.Assignment(nil, 2); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("nobody owns %v", got)
	}
}

// TestAssignmentByWeight: a node of twice the weight has about twice the slots. One that becomes heavier takes slots, and none moves between
// others, except for the bound.
func TestAssignmentByWeight(t *testing.T) {
	const slots = 4096
	owners := func(a, b, c int) []string {
		return cluster.AssignmentOf([]cluster.Candidate{{"a", a, 0}, {"b", b, 0}, {"c", c, 0}}, make([]int, slots))
	}
	load := func(a, b, c int) map[string]int {
		n := make(map[string]int)
		for _, owner := range owners(a, b, c) {
			n[owner]++
		}
		return n
	}
	lost, between := 0, 0
	before, after := owners(1, 1, 1), owners(2, 1, 1)
	for slot := range before {
		switch {
		case before[slot] == after[slot]:
		case before[slot] == "a":
			lost++
		case after[slot] != "a":
			between++
		}
	}
	if lost > 0 || between > slots/100 {
		t.Errorf("a has become heavier: it has lost %d slots, and %d have moved between others", lost, between)
	}
	for _, w := range [][3]int{{1, 1, 1}, {2, 2, 2}, {2, 1, 1}, {1, 10, 5}, {1, 1000, 1}} {
		all := w[0] + w[1] + w[2]
		for i, name := range []string{"a", "b", "c"} {
			got, share := load(w[0], w[1], w[2])[name], float64(slots*w[i])/float64(all)
			if float64(got) < share*0.8-1 || float64(got) > share*1.25+1 {
				t.Errorf("weights %v: %s has %d slots, and its share is %.0f", w, name, got, share)
			}
		}
	}
}

// TestAssignmentByWhatNodesRead: a slot is for nobody who cannot read it. Those who can take more than their share when they must.
func TestAssignmentByWhatNodesRead(t *testing.T) {
	nodes := []cluster.Candidate{{"old", 1, 1}, {"new", 1, 2}, {"newer", 1, 2}}
	needs := make([]int, 64)
	for slot := range needs {
		needs[slot] = slot % 4 // a quarter is for nobody
	}
	load := make(map[string]int)
	for slot, owner := range cluster.AssignmentOf(nodes, needs) {
		load[owner]++
		if needs[slot] == 3 != (owner == "") || owner == "old" && needs[slot] > 1 {
			t.Errorf("slot %d needs %d and is for %q", slot, needs[slot], owner)
		}
	}
	if load[""] != 16 || load["old"] == 0 || load["new"] == 0 || load["newer"] == 0 {
		t.Errorf("%v", load)
	}
	for slot := range needs {
		needs[slot] = 2
	}
	all := cluster.AssignmentOf([]cluster.Candidate{{"old", 1, 1}, {"older", 1, 0}, {"new", 1, 2}}, needs)
	if slices.ContainsFunc(all, func(owner string) bool { return owner != "new" }) {
		t.Errorf("all slots need 2: %v", all)
	}
}
