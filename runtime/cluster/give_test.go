package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// TestANodeThatComes is given its share, once it has been there for a while; all else stays.
func TestANodeThatComes(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		before := w.opened()
		old := cluster.Assignment([]string{"a", "b"}, slots)
		next := cluster.Assignment([]string{"a", "b", "c"}, slots)
		yielded := func(q *proc) int { return len(noted(q, &q.yields)) }
		c := w.start("c")
		w.pass(4 * time.Second)
		if now := w.opened(); now != before || !c.Ready() {
			t.Errorf("slots move at once: %v, and %v before", now, before)
		}
		w.mustShare("c has come", slack, p[0], p[1], c)
		w.pass(time.Minute)
		for slot, n := range w.opened() {
			if moves := old[slot] != next[slot]; n > before[slot]+1 || (n > before[slot]) != moves {
				t.Errorf("slot %d was %s's, is for %s, and was opened %d times", slot, old[slot], next[slot], n-before[slot])
			}
		}
		if lost := len(noted(p[0], &p[0].lost)) + len(noted(p[1], &p[1].lost)); lost > 0 {
			t.Errorf("%d slots were lost", lost)
		}
		if n := yielded(p[0]) + yielded(p[1]); n != len(c.owned()) {
			t.Errorf("%d slots were made ready, but c has %d", n, len(c.owned()))
		}
	})
}

// TestBalanceIsSlow: slots without rooms move at once, those with rooms one after the other, and all of them when the node drains.
func TestBalanceIsSlow(t *testing.T) {
	started(t, []string{"a"}, func(t *testing.T, w *world, p []*proc) {
		const each = 5 // of which 10 may move at first, and one slot each half minute
		p[0].rooms.Store(each)
		b := w.start("b")
		share := 0
		for _, name := range cluster.Assignment([]string{"a", "b"}, slots) {
			if name == "b" {
				share++
			}
		}
		for minute := range share/2 + 1 {
			w.pass(50 * time.Second) // the set of nodes has to be at rest at first
			if got, want := len(b.owned()), min(2+2*minute+1, share); got > want || got < want-1 {
				t.Fatalf("in minute %d b has %d slots, not %d", minute+1, got, want)
			}
			w.pass(10 * time.Second)
		}
		p[0].rooms.Store(0)
		w.mustShare("a has no rooms", slack, p[0], b)
		b.rooms.Store(each)
		go func() { _ = b.Drain(t.Context()) }()
		w.mustShare("b drains", slack, p[0])
	})
}

// TestDrain: each slot of the node moves once, to where it stays, and the node gets none any more.
func TestDrain(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		before, had, self := w.opened(), p[0].owned(), p[0].Self()
		if err := p[0].Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if len(p[0].kept()) > 0 || p[0].Ready() || !p[0].Alive() || !p[0].Status().Draining {
			t.Errorf("a has %v after it was drained; %+v", p[0].kept(), p[0].Status())
		}
		w.mustShare("a is drained", time.Second, p[1], p[2])
		for slot, n := range w.opened() {
			if _, was := had[slot]; n > before[slot]+1 || (n > before[slot]) != was {
				t.Errorf("slot %d, of a: %v, was opened %d times", slot, was, n-before[slot])
			}
			if p[0].Route(slot) != p[1].Route(slot) {
				t.Errorf("a believes that slot %d is of %v, not %v", slot, p[0].Route(slot), p[1].Route(slot))
			}
		}
		p[1].leave()
		w.within(time.Minute, "c has all", func() bool { return len(p[2].owned()) == slots })
		w.pass(time.Minute)
		if len(p[0].owned()) > 0 || p[0].Self() != self {
			t.Errorf("a is %v and has %v", p[0].Self(), p[0].owned())
		}
	})
}

// TestWhatIsSentBeforeASlotGoes has come to all nodes when the next owner has the slot, but not to one that has crashed, for which
// nobody waits for long.
func TestWhatIsSentBeforeASlotGoes(t *testing.T) {
	for name, crash := range map[string]bool{"all run": false, "one has crashed": true} {
		t.Run(name, func(t *testing.T) {
			started(t, []string{"a", "b", "c", "d"}, func(t *testing.T, w *world, p []*proc) {
				w.SetTraffic(memory.Traffic{Delay: 300 * time.Millisecond})
				had, before := p[0].owned(), w.opened()
				p[0].note(func() {
					p[0].onYield = func(_ context.Context, slot int) error {
						for _, q := range p[1:] {
							if err := p[0].Send(q.Self(), fmt.Append(nil, slot), true); err != nil {
								t.Errorf("to %s: %v", q.name, err)
							}
						}
						return nil
					}
				})
				running := p[1:]
				if crash {
					p[1].crash()
					running = p[2:]
				}
				drained := make(chan error, 1)
				go func() { drained <- p[0].Drain(t.Context()) }()
				w.within(2*time.Minute, "a is drained", func() bool {
					for slot, n := range w.opened() {
						for _, q := range running {
							frames := noted(q, &q.frames)
							if had[slot] != 0 && n > before[slot] && !slices.Contains(frames, fmt.Sprint("a: ", slot)) {
								t.Errorf("slot %d has another owner, and %s has got only %q", slot, q.name, frames)
							}
						}
					}
					return len(drained) > 0
				})
				if err := <-drained; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDrainOfTheOnlyNode returns at once, and all stays where it is.
func TestDrainOfTheOnlyNode(t *testing.T) {
	started(t, []string{"a"}, func(t *testing.T, w *world, p []*proc) {
		start := time.Now()
		if err := p[0].Drain(t.Context()); err != nil || time.Since(start) != 0 || len(p[0].owned()) != slots {
			t.Errorf("after %v: %v; a has %v", time.Since(start), err, p[0].owned())
		}
	})
}

// TestAllNodesDrain: they find nobody to give their slots to, and do not give them to each other for ever.
func TestAllNodesDrain(t *testing.T) {
	started(t, []string{"a", "b", "c"}, func(t *testing.T, w *world, p []*proc) {
		w.SetLatency(20*time.Millisecond, 50*time.Millisecond)
		before := w.opened()
		var drains sync.WaitGroup
		for _, q := range p {
			drains.Go(func() {
				if err := q.Drain(t.Context()); err != nil {
					t.Errorf("%s: %v", q.name, err)
				}
			})
		}
		w.pass(time.Minute)
		drains.Wait()
		if !w.allOpen(p...) {
			t.Error("slots have no owner")
		}
		for slot, n := range w.opened() {
			if n > before[slot]+2 {
				t.Errorf("slot %d was opened %d times", slot, n-before[slot])
			}
		}
	})
}

// TestRoomsThatDoNotGetReady: a drain ends when its time is up; the slots stay with the node in their epochs, and nobody
// else hears of it.
func TestRoomsThatDoNotGetReady(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		had, before := p[0].owned(), w.opened()
		p[0].note(func() {
			p[0].onYield = func(ctx context.Context, _ int) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if err := p[0].Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		w.within(10*time.Second, "slots are opened again", func() bool { return len(noted(p[0], &p[0].reopened)) > 0 })
		for slot, epoch := range had {
			if route := (cluster.Route{Owner: p[0].Self(), Epoch: epoch}); p[0].Route(slot) != route || p[1].Route(slot) != route {
				t.Errorf("slot %d is of %v, or %v", slot, p[0].Route(slot), p[1].Route(slot))
			}
		}
		if now := w.opened(); now != before {
			t.Errorf("slots have moved: %v, and %v before", now, before)
		}
	})
}

// TestASlotThatCannotBeGivenAway stays with the node, which opens it again in its epoch, and tries once more, but not all
// the time.
func TestASlotThatCannotBeGivenAway(t *testing.T) {
	for name, takes := range map[string]time.Duration{"after a second": time.Second, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
				had := p[0].owned()
				var broken, tries atomic.Int32
				broken.Store(-1)
				p[0].note(func() {
					p[0].onYield = func(ctx context.Context, slot int) error {
						broken.CompareAndSwap(-1, int32(slot))
						if int32(slot) != broken.Load() || tries.Add(1) > 5 {
							return nil
						}
						time.Sleep(takes)
						return errors.New("a room could not be saved")
					}
				})
				start := time.Now()
				if err := p[0].Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if time.Since(start) < 4*time.Second {
					t.Errorf("a has tried 6 times within %v", time.Since(start))
				}
				slot := int(broken.Load())
				if again := noted(p[0], &p[0].reopened); !slices.Equal(again, []int{slot, slot, slot, slot, slot}) {
					t.Errorf("these were opened again: %v", again)
				}
				w.mustShare("a is drained", slack, p[1])
				if p[1].owned()[slot] <= had[slot] {
					t.Errorf("b has slot %d in epoch %d after %d", slot, p[1].owned()[slot], had[slot])
				}
			})
		})
	}
}

// TestAHandoverOfWhichNobodyKnows: the directory does not answer when a slot is given away. The slot goes to the next owner
// or comes back, and is never with both.
func TestAHandoverOfWhichNobodyKnows(t *testing.T) {
	for name, outage := range map[string]time.Duration{"short": 5 * time.Second, "longer than the lease": stop + 3*time.Second} {
		t.Run(name, func(t *testing.T) {
			eachOutage(t, func(t *testing.T, fault memory.Fault) {
				started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
					before, had := w.opened(), p[0].owned()
					var once sync.Once
					p[0].note(func() {
						p[0].onYield = func(context.Context, int) error {
							once.Do(func() { w.SetDirectory(fault, "a") })
							return nil
						}
					})
					drained := make(chan error, 1)
					go func() { drained <- p[0].Drain(t.Context()) }()
					w.pass(outage)
					w.SetDirectory(memory.Works)
					w.within(30*time.Second, "a is drained", func() bool { return len(drained) > 0 })
					if err := <-drained; err != nil {
						t.Error(err)
					}
					w.mustShare("a is drained", slack, p[1])
					for slot, n := range w.opened() {
						if _, was := had[slot]; n > before[slot]+2 || (n > before[slot]) != was {
							t.Errorf("slot %d, of a: %v, was opened %d times", slot, was, n-before[slot])
						}
						if lost := noted(p[0], &p[0].lost); n == before[slot]+2 && !slices.Contains(lost, slot) {
							t.Errorf("slot %d has come back to a, which was only told that it has lost %v", slot, lost)
						}
					}
				})
			})
		})
	}
}

// TestADrainThatBegins: two nodes do not hand a slot back and forth while it is not known everywhere that one of them drains.
func TestADrainThatBegins(t *testing.T) {
	for name, latency := range map[string][2]time.Duration{
		"no latency": {}, "late calls": {300 * time.Millisecond, 0}, "late watches": {0, 300 * time.Millisecond},
		"late calls and watches": {100 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
				w.SetLatency(latency[0], latency[1])
				w.pass(10 * time.Second)
				before, had := w.opened(), p[0].owned()
				var yields atomic.Int32
				for _, q := range p {
					q.note(func() {
						q.onYield = func(ctx context.Context, _ int) error {
							if yields.Add(1) > 50 { // let time pass, so that the test ends
								<-ctx.Done()
							}
							return ctx.Err()
						}
					})
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := p[0].Drain(ctx); err != nil {
					t.Error(err)
				}
				w.pass(time.Minute)
				if n := int(yields.Load()); n != len(had) || !w.shared(p[1]) {
					t.Errorf("%d slots were given away %d times; b has %v", len(had), n, p[1].owned())
				}
				for slot, n := range w.opened() {
					if n > before[slot]+1 {
						t.Errorf("slot %d was opened %d times", slot, n-before[slot])
					}
				}
			})
		})
	}
}
