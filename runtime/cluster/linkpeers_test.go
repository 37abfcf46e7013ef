package cluster_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

func TestFlush(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		c.SetTraffic(memory.Traffic{Delay: time.Millisecond})
		start := time.Now()
		for i := range 3 {
			if err := a.Flush(t.Context(), b.self); err != nil {
				t.Fatal(err)
			}
			b.mustHave(t, 0, i)
			a.mustSend(t, b, i, i+1)
		}
		if err := a.Flush(t.Context(), b.self); err != nil || time.Since(start) > 10*time.Millisecond {
			t.Errorf("%v after %v: the peer was not asked", err, time.Since(start))
		}
		c.Cut("a", "b")
		a.mustSend(t, b, 3, 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Flush(ctx, b.self); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("flush of a link that is cut: %v", err)
		}
		if err := a.Flush(t.Context(), b.self); !errors.Is(err, cluster.ErrLinkReset) {
			t.Errorf("flush of a link that breaks: %v", err)
		}
		synctest.Wait() // a has been told
		a.mustSend(t, b, 4, 5)
		flushed := make(chan error)
		go func() { flushed <- a.Flush(t.Context(), b.self) }()
		synctest.Wait()
		a.Close()
		if err := <-flushed; !errors.Is(err, cluster.ErrLinkClosed) {
			t.Errorf("flush of links that are closed: %v", err)
		}
		if err := a.Send(b.self, number(5)); !errors.Is(err, cluster.ErrLinkClosed) {
			t.Errorf("send to links that are closed: %v", err)
		}
	})
}

func TestForget(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		b.mustSend(t, a, 0, 5)
		a.mustHave(t, 0, 5)
		a.Forget(b.self)
		b.mustSend(t, a, 5, 10)
		time.Sleep(time.Minute)
		a.mustHave(t, 0, 5)
		if err := a.Send(b.self, number(0)); !errors.Is(err, cluster.ErrLinkOver) {
			t.Errorf("send to one who is over: %v", err)
		}
		if a.resetsOf(b.self) != 0 || a.Stats(b.self) != (cluster.LinkStats{}) {
			t.Errorf("%d resets, %+v", a.resetsOf(b.self), a.Stats(b.self))
		}
		b.Close()
		again := newEnd(t, c, "b", 3, cluster.LinkLimits{})
		again.mustSend(t, a, 5, 10)
		a.mustHave(t, 0, 10)
	})
}

// TestPacketsForAnotherIncarnation that listened at the same address are ignored.
func TestPacketsForAnotherIncarnation(t *testing.T) {
	linked(t, cluster.LinkLimits{}, func(t *testing.T, c *memory.Cluster, a, b *end) {
		gone := b.self
		gone.Incarnation = 7
		if err := a.Send(gone, number(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		b.mustHave(t, 0, 0)
		if a.resetsOf(gone) == 0 {
			t.Error("nobody answers, and the session does not break")
		}
	})
}

// TestPacketsThatAreDamaged are lost ones.
func TestPacketsThatAreDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		a := newEnd(t, c, "a", 1, cluster.LinkLimits{})
		var b *end
		flip := 0
		stop, err := c.Node("b").Transport.Listen("b.2", func(packet []byte) {
			if flip++; flip%3 != 0 {
				packet[flip%len(packet)] ^= 1 << (flip % 8)
			}
			b.Arrive(packet)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		b = &end{self: cluster.Peer{Node: "b", Incarnation: 2, Address: "b.2"}, resets: make(map[cluster.Peer]int)}
		b.TestLinks = cluster.NewTestLinks(b.self, c.Node("b").Transport, clock.Real{}, cluster.LinkLimits{}, b.receive, b.reset)
		defer b.Close()
		for i := range 100 {
			a.mustSend(t, b, i, i+1)
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		b.mustHave(t, 0, 100)
	})
}
