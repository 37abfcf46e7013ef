package embed_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
)

// claim makes a write that takes a slot.
func claim(t testing.TB, p *natscluster.Plane, slot int, last uint64, id string) uint64 {
	t.Helper()
	return mustWrite(t, p.Backplane.Directory, cluster.Write{Key: cluster.SlotKey(slot), Value: []byte(id), Last: last, ID: id})
}

func mustSave(t testing.TB, p *natscluster.Plane, slot int, epoch uint64, topic string, snapshot []byte) {
	t.Helper()
	if err := p.Backplane.Snapshots.Save(context20(t), slot, epoch, topic, snapshot); err != nil {
		t.Fatalf("%d bytes: %v", len(snapshot), err)
	}
}

func mustLoad(t testing.TB, p *natscluster.Plane, slot int, topic string) []byte {
	t.Helper()
	got, err := p.Backplane.Snapshots.Load(context20(t), slot, topic)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestSnapshots(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		p, other := connect(t, o), connect(t, o)
		epoch := claim(t, p, 3, 0, "p")
		topics := []string{"room/1", "", "room/" + strings.Repeat("ä", 300), "room/" + strings.Repeat("ä", 300) + "2", ">.* "}
		for i, topic := range topics {
			if got := mustLoad(t, p, 3, topic); got != nil {
				t.Errorf("%q: %q before there is one", topic, got)
			}
			mustSave(t, p, 3, epoch, topic, nil)
			mustSave(t, p, 3, epoch, topic, fmt.Append(nil, i))
		}
		for i, topic := range topics {
			if got := mustLoad(t, other, 3, topic); string(got) != fmt.Sprint(i) {
				t.Errorf("%q: %q", topic, got)
			}
		}
		text := bytes.Repeat([]byte("all work and no play "), 50_000)
		for _, want := range [][]byte{noise(1), {}, noise(512 << 10), noise(2 << 20), text, noise(600 << 10), nil, noise(100),
			bytes.Repeat(noise(4<<10), 4<<10)} {
			mustSave(t, p, 3, epoch, "room/1", want)
			if got := mustLoad(t, other, 3, "room/1"); !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				t.Fatalf("saved %d bytes, loaded %d", len(want), len(got))
			}
		}
		if err := p.Backplane.Snapshots.Save(context20(t), 3, epoch, "room/1", make([]byte, 16<<20+1)); err == nil {
			t.Error("more than 16 MiB are kept")
		}
		if got := mustLoad(t, p, 4, "room/1"); got != nil {
			t.Errorf("another slot has %q", got)
		}
	})
}

func TestSnapshotsAreFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		a, b := connect(t, o), connect(t, o)
		if err := a.Backplane.Snapshots.Save(context20(t), 1, 7, "r", []byte("x")); err != cluster.ErrFenced {
			t.Errorf("a save for a slot without an owner: %v", err)
		}
		first := claim(t, a, 1, 0, "a")
		mustSave(t, a, 1, first, "r", []byte("of a"))
		second := claim(t, b, 1, first, "b")
		for _, snapshot := range [][]byte{[]byte("too late"), nil} {
			for _, topic := range []string{"r", "other"} {
				if err := a.Backplane.Snapshots.Save(context20(t), 1, first, topic, snapshot); err != cluster.ErrFenced {
					t.Errorf("a save of the owner before: %v", err)
				}
			}
		}
		if got := mustLoad(t, b, 1, "r"); string(got) != "of a" {
			t.Errorf("loaded %q", got)
		}
		mustSave(t, b, 1, second, "r", []byte("of b"))
		third := claim(t, a, 1, second, "a again")
		mustSave(t, a, 1, third, "r", []byte("of a, again"))
		if got := mustLoad(t, b, 1, "r"); string(got) != "of a, again" {
			t.Errorf("loaded %q", got)
		}
	})
}

// TestSaveAfterLoad: who has loaded a snapshot saves the next one without a look at what is there; unless somebody else has saved
// since, which neither brings that back nor leaves a part of it.
func TestSaveAfterLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		a, b := connect(t, o), connect(t, o)
		epoch := claim(t, a, 1, 0, "a")
		mustSave(t, a, 1, epoch, "r", noise(700<<10))
		epoch = claim(t, b, 1, epoch, "b")
		nc := dial(t, o)
		looks, err := nc.SubscribeSync("wsg." + o.Namespace + ".sync")
		if err == nil {
			err = nc.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := mustLoad(t, b, 1, "r"); !bytes.Equal(got, noise(700<<10)) {
			t.Errorf("loaded %d bytes", len(got))
		}
		mustSave(t, b, 1, epoch, "r", []byte("short"))
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		if n, _, _ := looks.Pending(); n > 1 {
			t.Errorf("the stream was looked at %d times for a load and a save", n)
		}
		if got := mustLoad(t, b, 1, "r"); string(got) != "short" {
			t.Errorf("loaded %q", got)
		}
		epoch = claim(t, a, 1, epoch, "a again")
		mustSave(t, a, 1, epoch, "r", noise(1500<<10))
		epoch = claim(t, b, 1, epoch, "b again")
		mustSave(t, b, 1, epoch, "r", noise(600<<10))
		if got := mustLoad(t, a, 1, "r"); !bytes.Equal(got, noise(600<<10)) {
			t.Errorf("loaded %d bytes", len(got))
		}
	})
}

// TestClaimsAmongSaves takes a slot from a node that saves as fast as it can. What the next owner loads is what was saved
// last, and nothing is saved after that.
func TestClaimsAmongSaves(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		nodes := []*natscluster.Plane{connect(t, o), connect(t, o)}
		epoch := claim(t, nodes[0], 1, 0, "first")
		for round := range 5 {
			owner, next := nodes[round%2], nodes[(round+1)%2]
			var saved, topics atomic.Int64
			var busy sync.WaitGroup
			begun := make(chan struct{}, 1)
			for i := range 3 {
				busy.Go(func() {
					for n := int64(1); ; n++ {
						err := owner.Backplane.Snapshots.Save(context20(t), 1, epoch, fmt.Sprint(i), fmt.Append(nil, round, n))
						if err == cluster.ErrFenced {
							return
						}
						if err != nil {
							t.Error(err)
							return
						}
						if topics.Add(1); i == 0 {
							saved.Store(n)
						}
						if n == 3 && i == 0 {
							begun <- struct{}{}
						}
					}
				})
			}
			<-begun
			taken := claim(t, next, 1, epoch, fmt.Sprint("round ", round))
			got := mustLoad(t, next, 1, "0")
			busy.Wait()
			// The answer to the last save that was kept may come after the claim's.
			last := saved.Load()
			if string(got) != fmt.Sprint(round, last) || string(mustLoad(t, next, 1, "0")) != string(got) {
				t.Fatalf("round %d: loaded %q, the last save that returned was %d", round, got, last)
			}
			epoch = taken
		}
	})
}

// TestSaveThatWasHeldUp sends the messages of a save again after the next one, as a server does that stood still and goes on. The
// owner is the same, and still the older snapshot must not come back.
func TestSaveThatWasHeldUp(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		p := connect(t, o)
		epoch := claim(t, p, 1, 0, "p")
		mustSave(t, p, 1, epoch, "r", []byte("first"))
		nc := dial(t, o)
		sub, err := nc.SubscribeSync("wsg." + o.Namespace + ".>")
		if err == nil {
			err = nc.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		mustSave(t, p, 1, epoch, "r", []byte("held up"))
		var held []*nats.Msg
		for len(held) == 0 || held[len(held)-1].Header.Get("Nats-Batch-Commit") == "" {
			m, err := sub.NextMsgWithContext(context20(t))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, m)
		}
		mustSave(t, p, 1, epoch, "r", []byte("last"))
		for i, m := range held {
			m.Reply = ""
			m.Header.Set("Nats-Batch-Id", "again")
			m.Header.Set("Nats-Msg-Id", fmt.Sprint("again", i)) // the servers have not seen it
			if i < len(held)-1 {
				if err := nc.PublishMsg(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		answer, err := nc.RequestMsgWithContext(context20(t), held[len(held)-1])
		if err != nil {
			t.Fatal(err)
		}
		if got := mustLoad(t, p, 1, "r"); string(got) != "last" || !bytes.Contains(answer.Data, []byte("10071")) {
			t.Errorf("loaded %q; the server said %s", got, answer.Data)
		}
	})
}
