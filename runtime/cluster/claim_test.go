package cluster_test

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// meddler is a directory that calls a function before each write.
type meddler struct {
	cluster.Directory
	before func(w cluster.Write)
}

func (m meddler) Write(ctx context.Context, w cluster.Write) (uint64, error) {
	m.before(w)
	return m.Directory.Write(ctx, w)
}

// TestAConflictOnAClaim: a node that was told that somebody else has written a slot's record does not try again before it
// has seen what.
func TestAConflictOnAClaim(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const late = 10 * time.Second
		w.SetLatency(0, late)
		z := w.Node("z").Directory
		var tries atomic.Int32
		a := w.startWith("a", func(c *cluster.Config) {
			plane := *c.Backplane
			plane.Directory = meddler{plane.Directory, func(own cluster.Write) {
				if own.Key != cluster.SlotKey(3) {
					return
				}
				switch n := tries.Add(1); {
				case n > 50:
					time.Sleep(time.Second) // the test has failed, and is to end
					return
				case n > 1:
					return
				}
				other := cluster.Write{Key: own.Key, Value: []byte(`{"node":"z","inc":"1","state":"active"}`), ID: "z"}
				if _, err := z.Write(t.Context(), other); err != nil {
					t.Error(err)
				}
			}}
			c.Backplane = &plane
		})
		w.within(2*late, "a takes the other slots", func() bool { return len(a.owned()) == slots-1 })
		w.pass(late - time.Second)
		if n := tries.Load(); n != 1 || a.owned()[3] != 0 || a.Route(3) != (cluster.Route{}) {
			t.Errorf("after a conflict a has tried %d times to take the slot, which is of %v", n, a.Route(3))
		}
		w.within(dead+2*time.Second, "a takes the slot of a node that is none", func() bool { return len(a.owned()) == slots })
		if n := tries.Load(); n != 2 {
			t.Errorf("a has tried %d times to take the slot", n)
		}
	})
}

// TestAClaimOfWhichNobodyKnows was stored, but the node was not told. It owns the slot, and opens it once.
func TestAClaimOfWhichNobodyKnows(t *testing.T) {
	for name, outage := range map[string]time.Duration{"short": stop / 2, "longer than its lease": stop + 2*time.Second} {
		t.Run(name, func(t *testing.T) {
			started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
				before, had := w.opened(), p[1].owned()
				w.SetDirectory(memory.LostAcks, "a")
				p[1].leave()
				w.pass(outage)
				w.SetDirectory(memory.Works)
				w.mustShare("b has left", slack, p[0])
				for slot, n := range w.opened() {
					if _, was := had[slot]; n > before[slot]+1 || (n > before[slot]) != was {
						t.Errorf("slot %d, of b: %v, was opened %d times", slot, was, n-before[slot])
					}
				}
				if lost := noted(p[0], &p[0].lost); len(lost) > 0 {
					t.Errorf("a has lost %v", lost)
				}
			})
		})
	}
}

// TestASlotThatItsNodeDoesNotTake is left to the node that should have it for a short time; then any other one takes it.
func TestASlotThatItsNodeDoesNotTake(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		w.SetDirectory(memory.Blind, "c") // it lives, and does not see that a has left
		p[0].leave()
		w.pass(time.Second)
		if w.allOpen(p[1], p[2]) {
			t.Fatal("no slot of a is for c: the test needs other names")
		}
		w.within(slack, "b takes what is left", func() bool { return w.allOpen(p[1], p[2]) })
		w.SetDirectory(memory.Works)
		w.mustShare("c has its slots", 30*time.Second, p[1], p[2])
	})
}

// TestANodeThatMayBeDead is given nothing: who is late with its renewals by some is not waited for.
func TestANodeThatMayBeDead(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		w.SetDirectory(memory.Unreachable, "c")
		w.pass(8 * time.Second)
		p[0].leave()
		w.within(time.Second, "b takes the slots of a", func() bool { return w.allOpen(p[1], p[2]) })
		w.SetDirectory(memory.Works)
		w.mustShare("c is well again", 30*time.Second, p[1], p[2])
	})
}

// halting is a directory whose watch shows nothing more once it has shown a record.
type halting struct {
	cluster.Directory
	stop func(r cluster.Record) bool
	goOn <-chan struct{}
}

func (h halting) Watch(ctx context.Context, f func(cluster.Record)) error {
	return h.Directory.Watch(ctx, func(r cluster.Record) {
		if f(r); h.stop(r) {
			<-h.goOn
		}
	})
}

// TestAWatchThatBeginsAgain shows a slot's record before that of the node that it names: c, which knows only an earlier incarnation
// of that node, must not take the slot for one of a dead node's.
func TestAWatchThatBeginsAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.start("a")
		w.mustShare("a is alone", slack, a)
		goOn := make(chan struct{})
		var key atomic.Pointer[string]
		c := w.startWith("c", func(cfg *cluster.Config) {
			plane := *cfg.Backplane
			plane.Directory = halting{plane.Directory, func(r cluster.Record) bool {
				k := key.Load()
				return k != nil && r.Key == *k && key.CompareAndSwap(k, nil)
			}, goOn}
			cfg.Backplane = &plane
		})
		w.mustShare("a and c", 30*time.Second, a, c)
		w.SetDirectory(memory.Blind, "c")
		slot := slices.Collect(maps.Keys(a.owned()))[0]
		k := cluster.SlotKey(slot)
		key.Store(&k)
		a.leave()
		a = w.start("a")
		w.pass(10 * time.Second) // it has what it had, and renews its lease
		w.SetDirectory(memory.Works, "c")
		w.pass(10 * time.Second)
		if key.Load() != nil || c.owned()[slot] != 0 {
			t.Error("c has taken a slot of a node that it has not heard of")
		}
		close(goOn)
		w.mustShare("c sees all again", 30*time.Second, a, c)
	})
}
