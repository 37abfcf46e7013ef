package cluster_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// end is one end of links: a node that notes what it gets.
type end struct {
	cluster.TestLinks
	self cluster.Peer

	mu      sync.Mutex
	frames  [][]byte
	resets  map[cluster.Peer]int
	onFrame func(from cluster.Peer, frame []byte)
	onReset func(peer cluster.Peer)
}

func newEnd(t testing.TB, c *memory.Cluster, node string, incarnation uint64, limits cluster.LinkLimits) *end {
	t.Helper()
	e := &end{self: cluster.Peer{Node: node, Incarnation: incarnation, Address: fmt.Sprintf("%s.%x", node, incarnation)},
		resets: make(map[cluster.Peer]int)}
	e.TestLinks = cluster.NewTestLinks(e.self, c.Node(node).Transport, clock.Real{}, limits, e.receive, e.reset)
	if err := e.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func (e *end) receive(from cluster.Peer, frame []byte) {
	e.mu.Lock()
	e.frames = append(e.frames, frame)
	on := e.onFrame
	e.mu.Unlock()
	if on != nil {
		on(from, frame)
	}
}

func (e *end) reset(peer cluster.Peer) {
	e.mu.Lock()
	e.resets[peer]++
	on := e.onReset
	e.mu.Unlock()
	if on != nil {
		on(peer)
	}
}

// got returns the numbers of the frames that came, in order.
func (e *end) got() (numbers []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.frames {
		numbers = append(numbers, int(binary.BigEndian.Uint32(f)))
	}
	return numbers
}

func (e *end) resetsOf(peer cluster.Peer) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.resets[peer]
}

func number(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func (e *end) mustSend(t testing.TB, to *end, from, until int) {
	t.Helper()
	for i := from; i < until; i++ {
		if err := e.Send(to.self, number(i)); err != nil {
			t.Fatalf("%s sends %d: %v", e.self.Node, i, err)
		}
	}
}

func (e *end) mustHave(t testing.TB, from, until int) {
	t.Helper()
	synctest.Wait()
	got := e.got()
	if len(got) != until-from {
		t.Errorf("%s got %d frames, not %d", e.self.Node, len(got), until-from)
	}
	for i, n := range got {
		if n != from+i {
			t.Fatalf("frame %d of %s is %d, not %d", i, e.self.Node, n, from+i)
		}
	}
}

// linked runs a test of two nodes in a bubble.
func linked(t *testing.T, limits cluster.LinkLimits, f func(t *testing.T, c *memory.Cluster, a, b *end)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		f(t, c, newEnd(t, c, "a", 1, limits), newEnd(t, c, "b", 2, limits))
	})
}

func TestFramesArriveInOrder(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		b.onFrame = func(from cluster.Peer, frame []byte) {
			if from != a.self {
				t.Errorf("a frame from %v", from)
			}
			if err := b.Send(from, frame); err != nil { // b had never heard of a
				t.Error(err)
			}
		}
		a.mustSend(t, b, 0, 10000)
		b.mustHave(t, 0, 10000)
		a.mustHave(t, 0, 10000)
		time.Sleep(time.Minute)
		s := a.Stats(b.self)
		if s.Acknowledged < time.Minute-time.Second {
			t.Errorf("the last acknowledgement is %v old", s.Acknowledged)
		}
		if s.Peer, s.Acknowledged = (cluster.Peer{}), 0; s != (cluster.LinkStats{}) {
			t.Errorf("something is left, or was repaired: %+v", s)
		}
	})
}

// TestFramesArriveOnceWhateverIsLost is without a reset: losses are repaired within the session.
func TestFramesArriveOnceWhateverIsLost(t *testing.T) {
	for seed := range uint64(10) {
		linked(t, cluster.LinkLimits{Packet: 1400}, func(t *testing.T, c *memory.Cluster, a, b *end) {
			c.SetTraffic(memory.Traffic{Loss: 0.3, Duplicate: 0.1, Late: 0.1, LateBy: 5 * time.Second, Delay: time.Millisecond,
				Jitter: 5 * time.Millisecond, Seed: seed})
			const n = 1000
			for i := 0; i < n; i += 10 {
				a.mustSend(t, b, i, i+10)
				b.mustSend(t, a, i, i+10)
				time.Sleep(time.Duration(i%100) * time.Millisecond)
			}
			time.Sleep(time.Minute)
			a.mustHave(t, 0, n)
			b.mustHave(t, 0, n)
			if resets := a.resetsOf(b.self) + b.resetsOf(a.self); resets != 0 {
				t.Errorf("seed %d: %d resets", seed, resets)
			}
		})
	}
}

// TestACutBreaksTheSessionOnce is one reset on each side, although only one of them had something to send, or both.
func TestACutBreaksTheSessionOnce(t *testing.T) {
	for _, both := range []bool{false, true} {
		linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
			a.mustSend(t, b, 0, 10)
			b.mustHave(t, 0, 10)
			a.onReset = func(cluster.Peer) { a.mustSend(t, b, 10, 20) }
			c.Cut("a", "b")
			a.mustSend(t, b, 1000, 2000)
			if both {
				b.mustSend(t, a, 1000, 2000)
			}
			time.Sleep(20 * time.Second)
			b.mustHave(t, 0, 10)
			c.HealAll()
			time.Sleep(10 * time.Second)
			b.mustHave(t, 0, 20)
			a.mustHave(t, 0, 0)
			time.Sleep(time.Hour)
			b.mustSend(t, a, 0, 5)
			a.mustHave(t, 0, 5)
			if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 1 || y != 1 {
				t.Errorf("both: %v; resets: %d of a, %d of b", both, x, y)
			}
		})
	}
}

// TestWhoSendsInABrokenSessionIsToldAtOnce, not when the other side happens to announce its new one again.
func TestWhoSendsInABrokenSessionIsToldAtOnce(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		a.mustSend(t, b, 0, 10)
		b.mustHave(t, 0, 10)
		c.Cut("a", "b")
		a.mustSend(t, b, 10, 20)
		time.Sleep(20 * time.Second)
		c.HealAll()
		b.onReset = func(cluster.Peer) { b.mustSend(t, a, 0, 5) }
		b.mustSend(t, a, 100, 101)
		a.mustHave(t, 0, 5)
		if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 1 || y != 1 {
			t.Errorf("resets: %d of a, %d of b", x, y)
		}
	})
}

// TestAGapIsRepairedAtOnce: as soon as something arrives behind it.
func TestAGapIsRepairedAtOnce(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		a.mustSend(t, b, 0, 10)
		b.mustHave(t, 0, 10)
		c.Cut("a", "b")
		a.mustSend(t, b, 10, 20)
		synctest.Wait()
		c.HealAll()
		a.mustSend(t, b, 20, 30)
		b.mustHave(t, 0, 30)
		if s := a.Stats(b.self); s.Retransmits != 1 || b.Stats(a.self).Nacks != 1 {
			t.Errorf("%+v, %+v", s, b.Stats(a.self))
		}
	})
}

// countingTransport counts the bytes that are sent.
type countingTransport struct {
	cluster.Transport
	bytes *atomic.Int64
}

func (c countingTransport) Send(address string, packet []byte) error {
	c.bytes.Add(int64(len(packet)))
	return c.Transport.Send(address, packet)
}

// TestNothingIsSentTwiceWithoutNeed, and not in a packet of its own when there is more.
func TestNothingIsSentTwiceWithoutNeed(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		c.SetTraffic(memory.Traffic{Delay: 20 * time.Millisecond})
		var bytes atomic.Int64
		to := cluster.Peer{Node: "b", Incarnation: 2, Address: "b.2"}
		self := cluster.Peer{Node: "c", Incarnation: 3, Address: "c.3"}
		l := cluster.NewTestLinks(self, countingTransport{c.Node("c").Transport, &bytes}, clock.Real{}, cluster.LinkLimits{}, nil, nil)
		if err := l.Listen(); err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		const n = 1000
		for i := range n {
			for part := range 2 {
				if err := l.Send(to, append(number(2*i+part), make([]byte, 496)...)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		b.mustHave(t, 0, 2*n)
		if sent := bytes.Load(); sent > 2*n*(500+100) {
			t.Errorf("%d bytes were sent for %d", sent, 2*n*500)
		}
	})
}

// TestACutInOneDirection: a's acknowledgements do not arrive, so b's session breaks; a is told.
func TestACutInOneDirection(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		b.mustSend(t, a, 0, 10)
		a.mustHave(t, 0, 10)
		c.CutOneWay("a", "b")
		b.mustSend(t, a, 10, 20)
		time.Sleep(13 * time.Second)
		c.HealAll()
		time.Sleep(10 * time.Second)
		if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 1 || y != 1 {
			t.Errorf("resets: %d of a, %d of b", x, y)
		}
		a.mustHave(t, 0, 20)
		b.mustSend(t, a, 20, 30)
		a.mustHave(t, 0, 30)
	})
}

// TestAShortCutBreaksNothing: less than what makes a peer dead.
func TestAShortCutBreaksNothing(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		c.Cut("a", "b")
		a.mustSend(t, b, 0, 5000)
		time.Sleep(7 * time.Second)
		c.HealAll()
		time.Sleep(4 * time.Second)
		b.mustHave(t, 0, 5000)
		if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 0 || y != 0 {
			t.Errorf("resets: %d of a, %d of b", x, y)
		}
	})
}

// TestFramesOfABrokenSessionAreGone: what is sent between the break and the moment in which the handler hears of it.
func TestFramesOfABrokenSessionAreGone(t *testing.T) {
	linked(t, cluster.LinkLimits{Frames: 8}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		b.mustSend(t, a, 0, 1)
		a.mustHave(t, 0, 1)
		release := make(chan struct{})
		a.onFrame = func(cluster.Peer, []byte) { <-release }
		b.mustSend(t, a, 1, 2) // keeps a's handler busy
		synctest.Wait()
		a.onReset = func(cluster.Peer) { a.mustSend(t, b, 0, 3) }
		c.Cut("a", "b")
		for i := range 8 {
			if err := a.SendAlways(b.self, number(100+i)); err != nil {
				t.Error(err)
			}
		}
		if err := a.SendAlways(b.self, number(108)); !errors.Is(err, cluster.ErrLinkReset) {
			t.Errorf("more than may wait: %v", err)
		}
		c.HealAll()
		a.mustSend(t, b, 200, 300)
		b.mustHave(t, 0, 0)
		close(release)
		b.mustHave(t, 0, 3)
		if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 1 || y != 1 {
			t.Errorf("resets: %d of a, %d of b", x, y)
		}
	})
}

func TestBoundsOfALink(t *testing.T) {
	linked(t, cluster.LinkLimits{Frames: 100, Bytes: 4000}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		c.Cut("a", "b")
		a.mustSend(t, b, 0, 75)
		if err := a.Send(b.self, number(75)); !errors.Is(err, cluster.ErrLinkFull) {
			t.Errorf("three quarters wait: %v", err)
		}
		for i := 75; i < 100; i++ {
			if err := a.SendAlways(b.self, number(i)); err != nil {
				t.Fatal(err)
			}
		}
		if s := a.Stats(b.self); s.Frames != 100 || s.Bytes != 400 {
			t.Errorf("%+v", s)
		}
		c.HealAll()
		time.Sleep(5 * time.Second)
		b.mustHave(t, 0, 100)
		c.Cut("a", "b")
		large := append(number(100), make([]byte, 3000)...)
		if err := a.Send(b.self, large); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(b.self, number(101)); !errors.Is(err, cluster.ErrLinkFull) {
			t.Errorf("three quarters of the bytes wait: %v", err)
		}
	})
}

// TestAHandlerThatIsSlow: what waits for it is bounded, nothing is lost, and its slowness breaks nothing.
func TestAHandlerThatIsSlow(t *testing.T) {
	linked(t, cluster.LinkLimits{Frames: 20, Packet: 1200}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		release := make(chan struct{})
		b.onFrame = func(cluster.Peer, []byte) { <-release }
		sent := 0
		for range 100 {
			for a.Send(b.self, number(sent)) == nil {
				sent++
			}
			time.Sleep(time.Second)
		}
		if sent < 20 || sent > 60 {
			t.Errorf("%d frames went on their way", sent)
		}
		close(release)
		time.Sleep(time.Second) // a does not wait until it is time to try again
		b.mustHave(t, 0, sent)
		if x, y := a.resetsOf(b.self), b.resetsOf(a.self); x != 0 || y != 0 {
			t.Errorf("resets: %d of a, %d of b", x, y)
		}
	})
}

func TestLargeFrames(t *testing.T) {
	const largest = 3 << 20 // of frames; more than what may wait
	limits := cluster.LinkLimits{Frame: largest, Bytes: 1 << 20, Packet: 64 << 10}
	linked(t, limits, func(t *testing.T, c *memory.Cluster, a, b *end) {
		c.SetTraffic(memory.Traffic{Loss: 0.05, Seed: 1})
		frames := [][]byte{{}, bytes.Repeat([]byte("x"), 1000), bytes.Repeat([]byte("abc"), 1<<17), {1},
			bytes.Repeat([]byte("d"), largest), {2}}
		for _, f := range frames[:5] {
			if err := a.Send(b.self, f); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.SendAlways(b.self, make([]byte, largest+1)); err == nil || errors.Is(err, cluster.ErrLinkReset) {
			t.Errorf("a frame that is too large: %v", err)
		}
		if err := a.Flush(t.Context(), b.self); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(b.self, frames[5]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(b.frames) != len(frames) {
			t.Fatalf("%d frames arrived", len(b.frames))
		}
		for i, f := range frames {
			if !bytes.Equal(f, b.frames[i]) {
				t.Errorf("frame %d has changed", i)
			}
		}
	})
}
