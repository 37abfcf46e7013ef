package memory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// inbox collects what arrives at an address.
type inbox struct {
	mu  sync.Mutex
	got []string
}

func (i *inbox) add(packet []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, string(packet))
}

// take returns what has arrived when nothing moves any more.
func (i *inbox) take() []string {
	synctest.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.got
	i.got = nil
	return got
}

// listen has node b listen, and returns what gets there and what sends from a.
func listen(t *testing.T, c *memory.Cluster) (*inbox, func(packets ...string)) {
	t.Helper()
	var in inbox
	stop, err := c.Node("b").Transport.Listen("b.1", in.add)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	from := c.Node("a").Transport
	return &in, func(packets ...string) {
		for _, p := range packets {
			if err := from.Send("b.1", []byte(p)); err != nil {
				t.Errorf("send %s: %v", p, err)
			}
		}
	}
}

func TestPacketsOfNodesThatAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		in, send := listen(t, c)
		c.CutOneWay("b", "a")
		send("1")
		c.Cut("a", "b")
		send("2")
		c.Heal("a", "b")
		send("3")
		c.Cut("a", "b")
		c.HealAll()
		send("4")
		if got := in.take(); !slices.Equal(got, []string{"1", "3", "4"}) {
			t.Errorf("arrived: %v", got)
		}
	})
}

func TestPacketsKeepTheirOrderWhenTheyTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		in, send := listen(t, c)
		c.SetTraffic(memory.Traffic{Delay: time.Second, Jitter: time.Second, Seed: 1})
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
		}
		send(want...)
		time.Sleep(time.Second - 1)
		if got := in.take(); got != nil {
			t.Errorf("arrived too early: %v", got)
		}
		time.Sleep(time.Second + 1)
		if got := in.take(); !slices.Equal(got, want) {
			t.Errorf("arrived: %v", got)
		}
	})
}

func TestPacketsAreLostLateAndDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		in, send := listen(t, c)
		c.SetTraffic(memory.Traffic{Loss: 0.3, Duplicate: 0.3, Late: 0.3, Seed: 2})
		for i := range 100 {
			send(fmt.Sprintf("%02d", i))
		}
		time.Sleep(time.Second)
		got := in.take()
		once := slices.Compact(slices.Sorted(slices.Values(got)))
		if slices.IsSorted(got) || len(once) == 100 || len(once) < 50 || len(got) == len(once) {
			t.Errorf("%d of 100 arrived, %d times, in order: %v", len(once), len(got), slices.IsSorted(got))
		}
	})
}

func TestANodeThatIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		in, send := listen(t, c)
		c.Pause("b")
		send("1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		returned := make(chan error, 1)
		go func() {
			_, err := c.Node("b").Directory.Write(ctx, cluster.Write{Key: "k", ID: "1"})
			returned <- err
		}()
		time.Sleep(time.Minute)
		if got := in.take(); got != nil || len(returned) > 0 {
			t.Errorf("a paused node got %v and %d answers", got, len(returned))
		}
		c.Pause("a")
		send("2")
		c.Resume("b")
		if got := in.take(); !slices.Equal(got, []string{"1"}) {
			t.Errorf("arrived: %v", got)
		}
		if err := <-returned; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call returned %v", err)
		}
		c.Resume("a")
		if got := in.take(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("arrived: %v", got)
		}
	})
}

// TestFaultsOfTheDirectory: whether a write that failed had its effect, and when.
func TestFaultsOfTheDirectory(t *testing.T) {
	for _, test := range []struct {
		name                 string
		fault                memory.Fault
		fails, during, after bool
		seen                 bool // by a watch of the node, while the fault lasts
	}{
		{"works", memory.Works, false, true, true, true},
		{"unreachable", memory.Unreachable, true, false, false, false},
		{"lost acks", memory.LostAcks, true, true, true, true},
		{"held", memory.Held, true, false, true, false},
		{"blind", memory.Blind, false, true, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := memory.New(clock.Real{})
				a, b := watch(t, c, "a"), watch(t, c, "b")
				c.SetDirectory(test.fault, "a")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				w := cluster.Write{Key: "k", Value: []byte("v"), ID: "1"}
				_, err := c.Node("a").Directory.Write(ctx, w)
				if (err != nil) != test.fails || err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the write returned %v", err)
				}
				if got := b.take() != nil; got != test.during {
					t.Errorf("written while it lasts: %v", got)
				}
				if got := a.take() != nil; got != test.seen {
					t.Errorf("seen while it lasts: %v", got)
				}
				c.SetDirectory(memory.Works)
				synctest.Wait()
				if got := test.during || b.take() != nil; got != test.after {
					t.Errorf("written afterwards: %v", got)
				}
				if revision, err := c.Node("a").Directory.Write(t.Context(), w); revision != 1 || err != nil {
					t.Errorf("the same write once more: %d, %v", revision, err)
				}
			})
		})
	}
}

// watch collects the keys of the records that a node sees.
func watch(t *testing.T, c *memory.Cluster, name string) *inbox {
	t.Helper()
	var in inbox
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		if err := c.Node(name).Directory.Watch(ctx, func(r cluster.Record) { in.add([]byte(r.Key)) }); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	in.take() // the zero record
	return &in
}

func TestLatencyOfTheDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		seen := watch(t, c, "a")
		c.SetLatency(time.Second, time.Minute)
		start := time.Now()
		if _, err := c.Node("a").Directory.Write(t.Context(), cluster.Write{Key: "k", ID: "1"}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("a call took %v", took)
		}
		if got := seen.take(); got != nil {
			t.Errorf("seen too early: %v", got)
		}
		time.Sleep(time.Minute)
		if got := seen.take(); !slices.Equal(got, []string{"k"}) {
			t.Errorf("seen: %v", got)
		}
	})
}

func TestCallsGoToOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		if _, err := c.Call(t.Context(), nil); !errors.Is(err, cluster.ErrNobody) {
			t.Errorf("a call that nobody takes: %v", err)
		}
		for _, name := range []string{"a", "b"} {
			stop, err := c.Node(name).Edge.Serve(func(_ context.Context, call []byte) []byte { return append([]byte(name), call...) })
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
		}
		var got []string
		for range 4 {
			answer, err := c.Call(t.Context(), []byte("!"))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(answer))
		}
		if slices.Sort(got); !slices.Equal(got, []string{"a!", "a!", "b!", "b!"}) {
			t.Errorf("answers: %v", got)
		}
		c.Pause("a")
		c.Pause("b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Call(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call at a node that is paused: %v", err)
		}
	})
}
