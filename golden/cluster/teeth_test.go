package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/internal/clustercheck"
	"github.com/wsgen/wsgen/runtime/clock"
	nodes "github.com/wsgen/wsgen/runtime/cluster"
)

// A tooth is a bug that is planted between a node and what it runs on. The checker must find it within a few runs.
type tooth struct {
	name  string
	rules []string // at least one of them is broken
	wrap  func(b *nodes.Backplane) *nodes.Backplane
	clock func(node string) clock.Clock
}

var teeth = []tooth{
	{name: "a slot is claimed whatever its record says by now", rules: []string{"I1", "I2"}, wrap: careless("own.")},
	{name: "a node is found dead whatever its record says by now", rules: []string{"I1", "I2"}, wrap: careless("node.")},
	{name: "a claim that was refused counts", rules: []string{"I1", "I2"}, wrap: deaf},
	{name: "a node does not stop in time", rules: []string{"I2"}, clock: oneIsSlow},
}

// TestTeeth plants one bug after the other.
func TestTeeth(t *testing.T) {
	if !*bite {
		t.Skip("SKIPPED: takes a minute or two: run it with -teeth")
	}
	const most = 300 // runs: what is the rarest is seen in one of a hundred
	for _, tooth := range teeth {
		t.Run(tooth.name, func(t *testing.T) {
			for seed := range uint64(most) {
				out := run(t, plan{seed: seed + 1, hurt: 60 * time.Second, users: 6, wrap: tooth.wrap, clock: tooth.clock, lax: true})
				for _, v := range clustercheck.Check(out) {
					if slices.Contains(tooth.rules, v.Rule) {
						t.Logf("run %d: %s", seed+1, v)
						return
					}
				}
			}
			t.Errorf("%d runs have not shown it", most)
		})
	}
}

// buggy is a directory with a bug.
type buggy struct {
	nodes.Directory
	write func(d nodes.Directory, ctx context.Context, w nodes.Write) (uint64, error)
}

func (d buggy) Write(ctx context.Context, w nodes.Write) (uint64, error) {
	return d.write(d.Directory, ctx, w)
}

// careless writes records of some keys although they have another revision than the writer has seen.
func careless(prefix string) func(b *nodes.Backplane) *nodes.Backplane {
	return func(b *nodes.Backplane) *nodes.Backplane {
		out := *b
		out.Directory = buggy{b.Directory, func(d nodes.Directory, ctx context.Context, w nodes.Write) (uint64, error) {
			id := w.ID
			for n := 0; ; n++ {
				rev, err := d.Write(ctx, w)
				if !errors.Is(err, nodes.ErrConflict) || !strings.HasPrefix(w.Key, prefix) {
					return rev, err
				}
				if w.Last, err = latest(ctx, d, w.Key); err != nil {
					return 0, err
				}
				w.ID = fmt.Sprint(id, "-", n)
				time.Sleep(time.Second) // two that take a slot from each other would do nothing else
			}
		}}
		return &out
	}
}

// deaf takes a conflict for the success of an earlier try.
func deaf(b *nodes.Backplane) *nodes.Backplane {
	out := *b
	out.Directory = buggy{b.Directory, func(d nodes.Directory, ctx context.Context, w nodes.Write) (uint64, error) {
		rev, err := d.Write(ctx, w)
		if errors.Is(err, nodes.ErrConflict) && strings.HasPrefix(w.Key, "own.") {
			time.Sleep(time.Second)
			return latest(ctx, d, w.Key)
		}
		return rev, err
	}}
	return &out
}

// latest returns the revision that a record has.
func latest(ctx context.Context, d nodes.Directory, key string) (last uint64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err = d.Watch(ctx, func(r nodes.Record) {
		switch r.Key {
		case key:
			last = r.Revision
		case "":
			cancel()
		}
	})
	return last, err
}

// slow is a clock that shows a third of the time that passes, as one that stands while a machine is suspended. Its timers are right.
type slow struct {
	clock.Real
	began time.Time
}

// oneIsSlow returns the clocks of nodes of which one is slow: the others find out in time that it has not renewed its lease.
func oneIsSlow(node string) clock.Clock {
	if node == names[0] {
		return slow{began: time.Now()}
	}
	return clock.Real{}
}

func (c slow) Now() time.Time { return c.began.Add(time.Since(c.began) / 3) }
