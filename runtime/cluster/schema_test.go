package cluster_test

import (
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

func TestMajor(t *testing.T) {
	for version, want := range map[string]int{
		"": 0, "1": 1, "2.1.0": 2, "v3.4": 3, "0.9": 0, "12.0.0-rc.1": 12, "2024-11-28": 0, "-1.0": 0, "spring": 0,
		"99999999999.0": 0, "99999999999999999999999": 0,
	} {
		if got := cluster.Major(version); got != want {
			t.Errorf("%q: %d, not %d", version, got, want)
		}
	}
}

// of starts a process with a version of the schema, whose rooms keep state.
func (w *world) of(version, name string, reads int) *proc {
	w.t.Helper()
	w.schema = cluster.Schema{Version: version, Keeps: true}
	return w.startWith(name, func(cfg *cluster.Config) { cfg.Reads = reads })
}

// TestSlotsMoveOnToNewerVersions replaces the nodes of a cluster one after the other. What a newer one has had is never an older one's.
func TestSlotsMoveOnToNewerVersions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.of("1.4.0", "a", 0), w.of("1.4.0", "b", 0)
		w.mustShare("the first version", 30*time.Second, a, b)
		c := w.of("2.0.0", "c", 0)
		w.mustShare("one of the second version has come", time.Minute, a, b, c)
		touched := c.owned()
		if err := c.Drain(t.Context()); err != nil || len(c.owned()) != len(touched) {
			t.Errorf("c gave rooms away that nobody reads, or waited for somebody who does: %v", err)
		}
		for slot, s := range a.Status().Slots {
			if _, is := touched[slot]; is != (s.Needs == 2) {
				t.Errorf("slot %d needs %d; c has had it: %v", slot, s.Needs, is)
			}
		}
		c.leave()
		w.pass(time.Minute)
		s := a.Status()
		if unread, needs := s.Unread(); unread != len(touched) || s.Orphans() != len(touched) || needs != 2 {
			t.Errorf("%d slots are nobody's, %d of them for version %d, of %d that only c has read", s.Orphans(), unread, needs, len(touched))
		}
		d := w.of("2.1.0", "d", 0)
		w.within(time.Minute, "another one of the second version has come", func() bool { return w.allOpen(a, b, d) })
		for slot := range touched {
			if d.owned()[slot] == 0 {
				t.Errorf("slot %d is not d's, which alone reads it", slot)
			}
		}
		for _, p := range []*proc{a, b} {
			if err := p.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			p.leave()
		}
		w.mustShare("the second version alone", time.Second, d)
	})
}

// TestSlotsMoveBack to nodes that say that they read what a newer version has kept; among versions that differ behind the dot; and
// when nothing is kept.
func TestSlotsMoveBack(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		reads   int
		keeps   bool
	}{
		"it says so":       {"1.9.0", 2, true},
		"behind the dot":   {"2.0.9", 0, true},
		"nothing is kept":  {"1.9.0", 0, false},
		"it has no number": {"", 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.schema = cluster.Schema{Version: "2.1.0", Keeps: c.keeps}
				a := w.start("a")
				w.mustShare("the newer version", 30*time.Second, a)
				w.schema.Version = c.version
				b := w.startWith("b", func(cfg *cluster.Config) { cfg.Reads = c.reads })
				w.mustShare("one of the older version has come", time.Minute, a, b)
				if err := a.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				w.mustShare("the newer version is drained", time.Second, b)
			})
		})
	}
}

// TestWeight gives a node of three times the weight three times the slots, or about that.
func TestWeight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.start("a")
		b := w.startWith("b", func(cfg *cluster.Config) { cfg.Weight = 3 })
		w.within(time.Minute, "all slots are open", func() bool { return w.allOpen(a, b) })
		w.pass(30 * time.Second)
		if n := len(b.owned()); n < slots*6/10 || n > slots*15/16 {
			t.Errorf("b has %d of %d slots", n, slots)
		}
		if s := a.Status().Nodes; s[0].Weight != 1 || s[1].Weight != 3 {
			t.Errorf("%+v", s)
		}
		b.leave()
		b = w.start("b")
		w.mustShare("b is as heavy as a now", time.Minute, a, b)
	})
}
