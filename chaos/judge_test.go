package main

import (
	"testing"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// TestInHand freezes a node for longer than its lease. What it was handling then is nobody's fault; what it handles besides is.
func TestInHand(t *testing.T) {
	trace := func(applied ...string) []clustercheck.Record {
		records := []clustercheck.Record{
			{At: 1, Kind: "renew", Node: "n0", Inc: "a", Until: 100},
			{At: 2, Kind: "claim", Node: "n0", Inc: "a", Slot: 3, Epoch: 7},
			{At: 10, Kind: clustercheck.Send, ID: "before"},
			{At: 11, Kind: clustercheck.Send, ID: "before too"},
			{At: 20, Kind: frozen, Node: "n0"},
			{At: 30, Kind: clustercheck.Send, ID: "meanwhile"},
			{At: 200, Kind: thawed, Node: "n0"},
		}
		for i, id := range applied {
			records = append(records,
				clustercheck.Record{At: 201 + int64(i), Kind: clustercheck.Apply, Node: "n0", Slot: 3, Epoch: 7, ID: id})
		}
		return records
	}
	for _, c := range []struct {
		name    string
		applied []string
		late    int
	}{
		{"one message in hand", []string{"before"}, 1},
		{"a second one is too many", []string{"before", "before too"}, 1},
		{"one that came later was not in hand", []string{"meanwhile"}, 0},
		{"nor is one that comes behind it", []string{"meanwhile", "before"}, 0},
	} {
		records := trace(c.applied...)
		rest, late := withoutInHand(records)
		if len(late) != c.late || len(rest)+len(late) != len(records) {
			t.Errorf("%s: %d taken out, %d of %d left", c.name, len(late), len(rest), len(records))
		}
	}
	short := trace("before")
	short[0].Until = 300
	if _, late := withoutInHand(short); len(late) != 0 {
		t.Error("a message was taken out that was handled while the lease held")
	}
}
