package cluster_test

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// TestSlotsOfANodeThatCrashed are taken when its lease has certainly ended, and soon after.
func TestSlotsOfANodeThatCrashed(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		before, victim := w.opened(), p[2].Self()
		had := p[2].owned()
		p[2].crash()
		w.pass(stop)
		if now := w.opened(); now != before {
			t.Errorf("slots were opened before the lease has ended: %v, and %v before", now, before)
		}
		w.mustShare("c has crashed", dead-stop+slack, p[0], p[1])
		for slot, n := range w.opened() {
			if _, was := had[slot]; n > before[slot]+1 || (n > before[slot]) != was {
				t.Errorf("slot %d, of c: %v, was opened %d times", slot, was, n-before[slot])
			}
		}
		for _, q := range p[:2] {
			if gone := noted(q, &q.gone); !slices.Equal(gone, []cluster.Peer{victim}) {
				t.Errorf("%s was told that these are gone: %v", q.name, gone)
			}
		}
		if kills := p[0].Status().Events.Kills + p[1].Status().Events.Kills; kills != 1 {
			t.Errorf("c was killed %d times", kills)
		}
	})
}

// eachOutage runs a test for each way in which a directory does not answer.
func eachOutage(t *testing.T, f func(t *testing.T, fault memory.Fault)) {
	for name, fault := range map[string]memory.Fault{
		"unreachable": memory.Unreachable, "lost acks": memory.LostAcks, "held": memory.Held,
	} {
		t.Run(name, func(t *testing.T) { f(t, fault) })
	}
}

// TestAShortOutageOfTheDirectory is not noticed.
func TestAShortOutageOfTheDirectory(t *testing.T) {
	eachOutage(t, func(t *testing.T, fault memory.Fault) {
		started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
			before := w.opened()
			w.SetDirectory(fault)
			if took, stopped := w.until(stop-3*time.Second, func() bool { return !w.allOpen(p...) }); stopped {
				t.Errorf("a node has stopped after %v", took)
			}
			w.SetDirectory(memory.Works)
			w.pass(time.Minute)
			if now := w.opened(); now != before || !w.shared(p...) {
				t.Errorf("slots have moved: %v, and %v before", now, before)
			}
		})
	})
}

// TestALongOutageOfTheDirectory: all nodes stop by their own clocks, and go on in the same epochs when the directory is
// there again: nobody can have taken their slots.
func TestALongOutageOfTheDirectory(t *testing.T) {
	eachOutage(t, func(t *testing.T, fault memory.Fault) {
		started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
			before, had := w.opened(), p[0].owned()
			slot := slices.Collect(maps.Keys(had))[0]
			w.SetDirectory(fault)
			w.within(stop, "the nodes stop", func() bool { return !p[0].Alive() && !p[1].Alive() })
			awaited := make(chan bool, 1)
			go func() { awaited <- p[0].Await(slot, had[slot]) }()
			w.pass(time.Minute)
			if pauses := noted(p[0], &p[0].pauses); len(pauses) < 59 || !slices.IsSorted(pauses) {
				t.Errorf("a was told of its pause: %v", pauses)
			}
			if p[0].Ready() || len(p[0].kept()) != len(had) || len(awaited) != 0 {
				t.Errorf("a is ready: %v, it has %v of %v", p[0].Ready(), p[0].kept(), had)
			}
			w.SetDirectory(memory.Works)
			w.mustShare("the directory is there again", slack, p...)
			if now := w.opened(); now != before || !maps.Equal(p[0].owned(), had) {
				t.Errorf("slots have moved: %v, and %v before", now, before)
			}
			synctest.Wait()
			if !<-awaited {
				t.Errorf("who has waited for the lease was told that the slot is lost")
			}
		})
	})
}

// TestNodesComeBackAfterAnOutage one after the other: the first one does not find the others dead that were cut off as it
// was. One that has crashed meanwhile is found as always.
func TestNodesComeBackAfterAnOutage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, name := range []string{"a", "b", "c", "d"} {
			w.start(name)
			w.pass(700 * time.Millisecond) // they do not renew at a time
		}
		p := w.procs
		w.mustShare("in the beginning", 30*time.Second, p...)
		had := make(map[*proc]map[int]uint64)
		for _, q := range p {
			had[q] = q.owned()
		}
		w.SetDirectory(memory.Unreachable)
		w.pass(time.Minute)
		p[3].crash()
		w.SetDirectory(memory.Works)
		w.pass(dead - time.Second)
		for _, q := range p[:3] {
			if !maps.Equal(q.owned(), had[q]) {
				t.Errorf("%s had %v and has %v", q.name, had[q], q.owned())
			}
		}
		w.mustShare("d has crashed", slack, p[:3]...)
	})
}

// TestARefusedRenewal: a node that was found dead loses all of its slots when it hears of it, and begins anew.
func TestARefusedRenewal(t *testing.T) {
	for _, test := range []struct {
		name         string
		begin, after func(w *world)
	}{
		{"cut off from the directory", func(w *world) { w.SetDirectory(memory.Unreachable, "a") },
			func(w *world) { w.SetDirectory(memory.Works, "a") }},
		{"renewals that are held back", func(w *world) { w.SetDirectory(memory.Held, "a") },
			func(w *world) { w.SetDirectory(memory.Works, "a") }},
		{"a process that stands still", func(w *world) { w.Pause("a") }, func(w *world) { w.Resume("a") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
				self, had := p[0].Self(), p[0].owned()
				slot := slices.Collect(maps.Keys(had))[0]
				test.begin(w)
				w.within(dead+slack, "b takes the slots of a", func() bool { return len(p[1].owned()) == slots })
				awaited := make(chan bool, 1)
				go func() { awaited <- p[0].Await(slot, had[slot]) }()
				w.pass(time.Minute)
				if lost := noted(p[0], &p[0].lost); len(lost) != 0 || len(p[0].kept()) != len(had) {
					t.Errorf("a has lost %v, before it can know", lost)
				}
				test.after(w)
				w.within(slack, "a begins anew", func() bool { return p[0].Ready() })
				if lost := noted(p[0], &p[0].lost); len(lost) != len(had) {
					t.Errorf("a had %v and has lost %v", had, lost)
				}
				if <-awaited {
					t.Error("who has waited for the lease was told that the slot is still a's")
				}
				if p[0].Self() == self || p[0].Status().Events.Fences != 1 {
					t.Errorf("a is %v and was %v; %+v", p[0].Self(), self, p[0].Status().Events)
				}
				if resets := noted(p[0], &p[0].resets); !slices.Equal(resets, []cluster.Peer{p[1].Self()}) {
					t.Errorf("a was told that links have broken: %v", resets)
				}
				if gone := noted(p[1], &p[1].gone); !slices.Equal(gone, []cluster.Peer{self}) {
					t.Errorf("b was told that these are gone: %v", gone)
				}
				w.mustShare("a has begun anew", 30*time.Second, p...)
			})
		})
	}
}

// TestALeaseThatSomebodyTakes ends at once, when the node sees its record; what nobody else has taken is its own again soon.
func TestALeaseThatSomebodyTakes(t *testing.T) {
	started(t, []string{"a"}, func(t *testing.T, w *world, p []*proc) {
		before, self := w.opened(), p[0].Self()
		w.pass(100 * time.Millisecond)
		w.overwrite(cluster.NodeKey("a"), fmt.Sprintf(`{"inc":"%x","state":"dead"}`, self.Incarnation))
		w.within(time.Second, "a has lost its slots", func() bool { return len(noted(p[0], &p[0].lost)) == slots })
		w.mustShare("a has begun anew", slack, p[0])
		for slot, n := range w.opened() {
			if n != before[slot]+1 {
				t.Errorf("slot %d was opened %d times", slot, n-before[slot])
			}
		}
		if p[0].Self() == self {
			t.Error("a is the same incarnation")
		}
	})
}

// TestARenewalThatIsConfirmedLate was stored long ago: the lease counts from then, and others may be about to take it.
func TestARenewalThatIsConfirmedLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var confirmed atomic.Int32
		a := w.startWith("a", func(c *cluster.Config) {
			plane := *c.Backplane
			plane.Directory = meddler{plane.Directory, func(own cluster.Write) {
				if own.Key == cluster.NodeKey("a") && confirmed.Load() > 0 && confirmed.Add(1) > 2 {
					w.SetDirectory(memory.Unreachable, "a") // there is no renewal after the one that is confirmed late
				}
			}}
			c.Backplane = &plane
		})
		b := w.start("b")
		w.mustShare("in the beginning", 30*time.Second, a, b)
		w.SetDirectory(memory.LostAcks, "a")
		w.pass(stop + 2*time.Second + 100*time.Millisecond) // the renewal began up to two seconds after the last one
		confirmed.Store(1)
		w.SetDirectory(memory.Works, "a")
		if took, acts := w.until(dead+slack, a.Alive); acts {
			t.Errorf("a acts again after %v", took)
		}
		if len(b.owned()) != slots {
			t.Errorf("b has %v", b.owned())
		}
	})
}

// TestANodeThatSeesNothing believes that all others are dead. It cannot say so, because it has not seen what it would have to.
func TestANodeThatSeesNothing(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		before := w.opened()
		w.SetDirectory(memory.Blind, "a")
		w.pass(time.Minute)
		if now := w.opened(); now != before || !p[0].Alive() || !p[1].Alive() || p[0].Status().Events.Kills != 0 {
			t.Errorf("slots have moved: %v, and %v before; a has %+v", now, before, p[0].Status().Events)
		}
		w.SetDirectory(memory.Works)
		w.pass(time.Minute)
		if now := w.opened(); now != before || !w.shared(p...) {
			t.Errorf("slots have moved afterwards: %v, and %v before", now, before)
		}
	})
}

// TestLeave: what the node still has is taken at once, by those who are for it.
func TestLeave(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		self := p[0].Self()
		p[0].leave()
		w.mustShare("a has left", time.Second, p[1], p[2])
		if gone := noted(p[1], &p[1].gone); !slices.Equal(gone, []cluster.Peer{self}) {
			t.Errorf("b was told that these are gone: %v", gone)
		}
		if events := p[1].Status().Events; events.Kills != 0 {
			t.Errorf("b has killed a node that has left: %+v", events)
		}
	})
}

// TestLeaveWithoutADirectory ends when its time is up, and the others wait for the lease.
func TestLeaveWithoutADirectory(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		w.SetDirectory(memory.Unreachable, "a")
		p[0].kill()
		w.within(dead+slack, "b takes the slots of a", func() bool { return len(p[1].owned()) == slots })
	})
}
