package embed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// saveAll saves many snapshots of a slot at the same time.
func saveAll(t testing.TB, p *natscluster.Plane, epoch uint64, all map[string][]byte) {
	t.Helper()
	var running sync.WaitGroup
	for topic, snapshot := range all {
		running.Go(func() {
			if err := p.Backplane.Snapshots.Save(context20(t), 1, epoch, topic, snapshot); err != nil {
				t.Errorf("%s: %v", topic, err)
			}
		})
	}
	running.Wait()
}

func mustLoadAll(t testing.TB, p *natscluster.Plane, all map[string][]byte) {
	t.Helper()
	var running sync.WaitGroup
	for topic, want := range all {
		running.Go(func() {
			got, err := p.Backplane.Snapshots.Load(context20(t), 1, topic)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: loaded %d bytes (%v), not %d", topic, len(got), err, len(want))
			}
		})
	}
	running.Wait()
}

// commits counts the batches that are written to a cluster from here on, until the test ends.
func commits(t *testing.T, o natscluster.Options) func() int {
	t.Helper()
	nc := dial(t, o)
	var mu sync.Mutex
	n := 0
	_, err := nc.Subscribe("wsg."+o.Namespace+".>", func(m *nats.Msg) {
		if m.Header.Get("Nats-Batch-Commit") != "" {
			mu.Lock()
			defer mu.Unlock()
			n++
		}
	})
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// TestSavesAtTheSameTime writes the rooms of a slot in few batches: small and large ones, those that shrink, and those that go. They are
// read together, too.
func TestSavesAtTheSameTime(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		p, other := connect(t, o), connect(t, o)
		epoch := claim(t, p, 1, 0, "p")
		batches := commits(t, o)
		const rooms = 300
		for round := range 3 {
			all := make(map[string][]byte)
			for i := range rooms {
				switch topic := fmt.Sprint("r", i); {
				case i%100 == round:
					all[topic] = noise(1200 << 10) // three parts
				case i%50 == 7:
					all[topic] = nil
				default:
					all[topic] = fmt.Append(nil, round, " of ", i)
				}
			}
			saveAll(t, p, epoch, all)
			var twice sync.WaitGroup
			for range 2 {
				twice.Go(func() { mustLoadAll(t, other, all) })
			}
			twice.Wait()
		}
		if n := batches(); n > 3*rooms/10 {
			t.Errorf("%d batches for %d rooms, three times", n, rooms)
		}
	})
}

// TestSaveAmongOthers has one room that must be looked for anew, because another process has written it, and one of which nobody
// waits for the answer: neither keeps others from being saved.
func TestSaveAmongOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		p, other := connect(t, o), connect(t, o)
		epoch := claim(t, p, 1, 0, "p")
		all := make(map[string][]byte)
		for i := range 50 {
			all[fmt.Sprint("r", i)] = []byte("first")
		}
		saveAll(t, p, epoch, all)
		mustSave(t, other, 1, epoch, "r7", []byte("somebody else's"))
		given, cancel := context.WithCancel(context20(t))
		cancel()
		for topic := range all {
			all[topic] = []byte("second")
			if err := p.Backplane.Snapshots.Save(given, 1, epoch, topic, []byte("given up")); !errors.Is(err, context.Canceled) {
				t.Errorf("a Save that nobody waits for: %v", err)
			}
		}
		saveAll(t, p, epoch, all)
		mustLoadAll(t, other, all)
	})
}

// TestSavesOfALostSlot are all refused.
func TestSavesOfALostSlot(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		p, other := connect(t, o), connect(t, o)
		epoch := claim(t, p, 1, 0, "p")
		saveAll(t, p, epoch, map[string][]byte{"r0": []byte("kept"), "r1": []byte("kept")})
		claim(t, other, 1, epoch, "other")
		var running sync.WaitGroup
		for i := range 50 {
			running.Go(func() {
				topic := fmt.Sprint("r", i)
				if err := p.Backplane.Snapshots.Save(context20(t), 1, epoch, topic, []byte("late")); err != cluster.ErrFenced {
					t.Errorf("%s: %v", topic, err)
				}
			})
		}
		running.Wait()
		mustLoadAll(t, other, map[string][]byte{"r0": []byte("kept"), "r1": []byte("kept"), "r2": nil})
	})
}

// TestMoreThanAnAnswerHolds loads and deletes rooms at the same time that together are more than the server sends at once.
func TestMoreThanAnAnswerHolds(t *testing.T) {
	o := start(t, embed.Options{}).Options(namespace)
	p, other := connect(t, o), connect(t, o)
	epoch := claim(t, p, 1, 0, "p")
	all := make(map[string][]byte)
	for i := range 14 {
		all[fmt.Sprint("large", i)] = noise(3 << 20)
		all[fmt.Sprint("small", i)] = fmt.Append(nil, i)
	}
	saveAll(t, p, epoch, all)
	mustLoadAll(t, other, all)
	for topic := range all {
		all[topic] = nil
	}
	saveAll(t, other, epoch, all) // which has not seen any of them
	mustLoadAll(t, p, all)
}
