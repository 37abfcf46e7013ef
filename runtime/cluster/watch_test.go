package cluster_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// TestMoved is called when Route returns something else, and at no other time; and once for each slot when the node begins,
// because there was no way to its owner before.
func TestMoved(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		before := p[0].told()
		c := w.start("c")
		w.within(slack, "c begins", c.Ready)
		for slot := range slots {
			if moves := noted(c, &c.moves); !slices.Contains(moves, slot) {
				t.Errorf("c was not told of slot %d: %v", slot, moves)
			}
		}
		w.mustShare("c has come", 30*time.Second, p[0], p[1], c)
		w.pass(time.Minute)
		for _, q := range p[:2] {
			calls := make(map[int]int)
			for _, slot := range noted(q, &q.moves) {
				calls[slot]++
			}
			for slot, now := range q.told() {
				// On the way nobody owns it, but who is late does not see that.
				if n := calls[slot]; n > 2 || (n > 0) != (now != before[slot]) {
					t.Errorf("%s was told %d times that slot %d is not of %v but of %v", q.name, n, slot, before[slot], now)
				}
			}
		}
	})
}

// TestRouteOfASlotThatIsUnderWay: the owner that makes it ready is still its owner, for itself and for others.
func TestRouteOfASlotThatIsUnderWay(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		ready := make(chan struct{})
		p[0].note(func() {
			p[0].onYield = func(context.Context, int) error {
				<-ready
				return nil
			}
		})
		before := p[1].told()
		go func() { _ = p[0].Drain(t.Context()) }()
		w.pass(5 * time.Second)
		slot := noted(p[0], &p[0].yields)[0]
		if p[0].Route(slot) != before[slot] || p[1].Route(slot) != before[slot] || !p[0].Await(slot, before[slot].Epoch) {
			t.Errorf("slot %d is of %v, or %v, not %v", slot, p[0].Route(slot), p[1].Route(slot), before[slot])
		}
		close(ready)
		w.mustShare("a is drained", slack, p[1])
		if p[0].Await(slot, before[slot].Epoch) {
			t.Errorf("a is told that slot %d is its own", slot)
		}
	})
}

// TestFramesBetweenNodes arrive; what an incarnation was sent that is over does not, and the sender is told.
func TestFramesBetweenNodes(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		a, b := p[0], p[1]
		old := b.Self()
		for _, frame := range []string{"1", "2", "3"} {
			if err := a.Send(old, []byte(frame), frame == "2"); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if got := noted(b, &b.frames); !slices.Equal(got, []string{"a: 1", "a: 2", "a: 3"}) {
			t.Errorf("b got %q", got)
		}
		b.leave()
		w.within(slack, "b is gone", func() bool { return len(noted(a, &a.gone)) == 1 })
		if err := a.Send(old, []byte("4"), false); !errors.Is(err, cluster.ErrUnknownPeer) {
			t.Errorf("a frame for a node that has left: %v", err)
		}
		b = w.start("b")
		w.within(slack, "b is back", b.Ready)
		if err := a.Send(old, []byte("5"), false); !errors.Is(err, cluster.ErrUnknownPeer) {
			t.Errorf("a frame for an earlier incarnation: %v", err)
		}
		if err := a.Send(b.Self(), []byte("6"), false); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := noted(b, &b.frames); !slices.Equal(got, []string{"a: 6"}) {
			t.Errorf("b got %q", got)
		}
	})
}

// TestNodesThatDoNotReachEachOther keep their slots, because both reach the directory; they are told that their link has broken.
func TestNodesThatDoNotReachEachOther(t *testing.T) {
	started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
		before := w.opened()
		if err := p[0].Send(p[1].Self(), []byte("hello"), false); err != nil {
			t.Error(err)
		}
		w.pass(time.Second)
		w.Cut("a", "b")
		if err := p[0].Send(p[1].Self(), []byte("lost"), false); err != nil {
			t.Error(err)
		}
		w.within(time.Minute, "a is told", func() bool { return slices.Contains(noted(p[0], &p[0].resets), p[1].Self()) })
		w.HealAll()
		w.pass(10 * time.Second)
		if err := p[0].Send(p[1].Self(), []byte("again"), false); err != nil {
			t.Error(err)
		}
		w.pass(time.Second)
		if got := noted(p[1], &p[1].frames); !slices.Equal(got, []string{"a: hello", "a: again"}) {
			t.Errorf("b got %q", got)
		}
		if now := w.opened(); now != before || len(noted(p[0], &p[0].gone)) > 0 {
			t.Errorf("slots have moved: %v, and %v before", now, before)
		}
	})
}

// TestWhatAnOperatorSees of a cluster of which a node is lost.
func TestWhatAnOperatorSees(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.startWith("a", func(c *cluster.Config) { c.Zone, c.Version = "north", "v1" })
		b, c := w.start("b"), w.start("c")
		w.mustShare("in the beginning", 30*time.Second, a, b, c)
		if got, want := a.Members(), []cluster.Peer{b.Self(), c.Self()}; !slices.Equal(got, want) {
			t.Errorf("the members are %v, not %v", got, want)
		}
		c.crash()
		w.mustShare("c has crashed", dead+slack, a, b)
		if got, want := a.Members(), []cluster.Peer{b.Self()}; !slices.Equal(got, want) {
			t.Errorf("the members are %v, not %v", got, want)
		}
		s := b.Status()
		if s.Node != "b" || !s.Alive || s.Draining || s.Owned != len(b.owned()) || s.Orphans() != 0 || s.Lease <= 9 || s.Lease > 12 {
			t.Errorf("%+v", s)
		}
		states := make(map[string]string)
		owned := 0
		for _, n := range s.Nodes {
			states[n.Node] = n.State
			owned += n.Slots
			if n.Fingerprint != "fingerprint" || n.Weight != 1 || n.Load.Connections != 7 || (n.Node == "a") != (n.Zone == "north" && n.Version == "v1") {
				t.Errorf("%+v", n)
			}
		}
		if want := map[string]string{"a": "up", "b": "up", "c": "dead"}; !maps.Equal(states, want) || owned != slots {
			t.Errorf("the nodes are %v and have %d slots", states, owned)
		}
		b.crash()
		w.mustShare("b has crashed", dead+slack, a)
		if s := a.Status(); s.Orphans() != 0 || s.Owned != slots || s.Events.Claims < slots || s.Events.Losses != 0 {
			t.Errorf("%+v", s)
		}
	})
}
