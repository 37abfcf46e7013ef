package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// judge counts what has happened, and looks for promises that were broken.
func (t *trial) judge(records []clustercheck.Record) {
	slices.SortStableFunc(records, func(a, b clustercheck.Record) int { return cmp.Compare(a.At, b.At) })
	records, late := withoutInHand(records)
	for _, r := range late {
		t.note("a node was frozen with a message in hand, and handled it after its lease: %v", r)
	}
	t.result.violations = append(clustercheck.Check(records), checkSnapshots(records)...)
	given, begun := make(map[ownership]bool), make(map[ownership]int64)
	for i := range records {
		switch r := &records[i]; r.Kind {
		case clustercheck.Send:
			t.result.operations++
		case "yield":
			begun[ownership{r.Slot, r.Epoch}] = r.At
		case "give":
			given[ownership{r.Slot, r.Epoch}] = true
		}
	}
	owner := make(map[int]ownership) // the last one of each slot
	run := make(map[int]string)
	var took []time.Duration
	for i := range records {
		r := &records[i]
		if r.Kind != "claim" {
			continue
		}
		switch old := owner[r.Slot]; {
		case run[r.Slot] == "" || run[r.Slot] == r.Run:
		case given[old]:
			t.result.handovers++
			took = append(took, time.Duration(r.At-begun[old]))
		default:
			t.result.takeovers++
		}
		owner[r.Slot], run[r.Slot] = ownership{r.Slot, r.Epoch}, r.Run
	}
	t.took = took
	if len(took) > 0 {
		t.note("%d hand-overs of a slot: p50 %v, p99 %v, most %v", len(took), percentile(took, 50), percentile(took, 99), percentile(took, 100))
	}
	t.note("%s", outcomes(records))
}

// withoutInHand takes out of a trace what is documented as a limit: a node that is frozen when it has looked at its lease, and has
// not handled the message yet, does so when it thaws. That is one message for each time; of others the checker is told. The records
// are in the order of time.
func withoutInHand(records []clustercheck.Record) (rest, late []clustercheck.Record) {
	sent := make(map[string]int64)      // by message
	until := make(map[string]int64)     // end of the lease, by incarnation
	owner := make(map[ownership]string) // incarnation
	since := make(map[string]int64)     // by node that is frozen
	before := make(map[string]int64)    // since, by node that has thawed and handled nothing yet
	for _, r := range records {
		switch r.Kind {
		case clustercheck.Send:
			sent[r.ID] = r.At
		case "renew":
			until[r.Inc] = r.Until
		case "claim":
			owner[ownership{r.Slot, r.Epoch}] = r.Inc
		case frozen:
			since[r.Node] = r.At
		case thawed:
			before[r.Node] = since[r.Node]
		case clustercheck.Apply:
			stood := sent[r.ID] != 0 && sent[r.ID] < before[r.Node] && r.At > until[owner[ownership{r.Slot, r.Epoch}]]
			delete(before, r.Node)
			if stood {
				late = append(late, r)
				continue
			}
		}
		rest = append(rest, r)
	}
	return rest, late
}

// ownership is a slot in an epoch.
type ownership struct {
	slot  int
	epoch uint64
}

// percentile returns the value that so many of a hundred do not exceed.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[(len(all)*p+99)/100-1].Round(100 * time.Microsecond)
}

// checkSnapshots returns where a room was opened with a snapshot of an owner although a later owner's had been saved.
func checkSnapshots(records []clustercheck.Record) (found []clustercheck.Violation) {
	writer := make(map[string]uint64) // the last epoch that tried to save it, by room and snapshot
	newest := make(map[string]uint64) // the last epoch that has saved, by room
	before := make(map[string]uint64) // newest when a process began to load, by room and process
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case "saving":
			writer[r.Room+" "+r.Note] = max(r.Epoch, writer[r.Room+" "+r.Note])
		case "saved":
			newest[r.Room] = max(newest[r.Room], r.Epoch)
		case "loading":
			before[r.Room+" "+r.Run] = newest[r.Room]
		case "loaded":
			of, least := writer[r.Room+" "+r.Note], before[r.Room+" "+r.Run]
			if r.Note != "" && of < least {
				found = append(found, clustercheck.Violation{Rule: "fence", At: r.At,
					Text: fmt.Sprintf("the snapshot is of epoch %d, but epoch %d had saved one: %v", of, least, r)})
			}
		}
	}
	return found
}

// outcomes says what became of the requests.
func outcomes(records []clustercheck.Record) string {
	counts := make(map[string]int)
	for i := range records {
		if r := &records[i]; r.Kind == clustercheck.Answer {
			what := "ok"
			if r.Code != "" {
				what = r.Code + " applied:" + cmp.Or(r.Maybe, "unsaid")
			}
			counts[what]++
		}
	}
	var parts []string
	for what, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(parts)
	return "requests: " + strings.Join(parts, ", ")
}
