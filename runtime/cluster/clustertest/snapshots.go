package clustertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Snapshots tests where snapshots are kept. The directory is the one that has the records of the slots.
func Snapshots(t *testing.T, open func(t testing.TB) (d cluster.Directory, a, b cluster.Snapshots)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, d cluster.Directory, a, b cluster.Snapshots)
	}{
		{"what was saved is loaded", loadsWhatWasSaved},
		{"nil deletes", nilDeletes},
		{"topics are apart", topicsAreApart},
		{"large snapshots", largeSnapshots},
		{"only the owner saves", onlyTheOwnerSaves},
		{"nothing is saved behind the back of a new owner", noneIsSavedLate},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, a, b := open(t)
			test.run(t, d, a, b)
		})
	}
}

// own writes the record of a slot; its revision is the epoch.
func own(t testing.TB, d cluster.Directory, slot int, last uint64, owner string) uint64 {
	t.Helper()
	return mustWrite(t, d, cluster.SlotKey(slot), last, fmt.Sprintf("%s owns %d after %d", owner, slot, last))
}

func mustSave(t testing.TB, s cluster.Snapshots, slot int, epoch uint64, topic string, snapshot []byte) {
	t.Helper()
	if err := s.Save(start(t), slot, epoch, topic, snapshot); err != nil {
		t.Fatalf("save %.40q: %v", topic, err)
	}
}

func mustLoad(t testing.TB, s cluster.Snapshots, slot int, topic string, want []byte) {
	t.Helper()
	if got, err := s.Load(start(t), slot, topic); err != nil || !bytes.Equal(got, want) || want == nil && got != nil {
		t.Errorf("load %.40q: %.40q (%d bytes), %v; saved was %.40q (%d bytes)", topic, got, len(got), err, want, len(want))
	}
}

func loadsWhatWasSaved(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	mustLoad(t, a, 3, "chat/1", nil)
	epoch := own(t, d, 3, 0, "a")
	mustLoad(t, b, 3, "chat/1", nil)
	for i := range 50 {
		snapshot := []byte(fmt.Sprint("snapshot ", i))
		mustSave(t, a, 3, epoch, "chat/1", snapshot)
		mustLoad(t, b, 3, "chat/1", snapshot) // at once
		mustLoad(t, a, 3, "chat/1", snapshot)
	}
}

func nilDeletes(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	epoch := own(t, d, 3, 0, "a")
	mustSave(t, a, 3, epoch, "chat/1", nil) // there is none
	mustSave(t, a, 3, epoch, "chat/1", []byte("1"))
	mustSave(t, a, 3, epoch, "chat/1", nil)
	mustLoad(t, a, 3, "chat/1", nil)
	mustLoad(t, b, 3, "chat/1", nil)
	mustSave(t, a, 3, epoch, "chat/1", []byte("2"))
	mustLoad(t, b, 3, "chat/1", []byte("2"))
}

func topicsAreApart(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	topics := []string{"a", "A", "a/b", "a.b", "a*b", "a>", "*", ">", " a", "a ", "ä", "日本", "a\n\x00b", "$a", "%61", "_a", "-a",
		"a=", strings.Repeat("long", 100), strings.Repeat("long", 100) + "er"}
	epoch := own(t, d, 0, 0, "a")
	for _, topic := range topics {
		mustSave(t, a, 0, epoch, topic, []byte("of "+topic))
	}
	for _, topic := range topics {
		mustLoad(t, b, 0, topic, []byte("of "+topic))
	}
}

func largeSnapshots(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	epoch := own(t, d, 1, 0, "a")
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{1, 64 << 10, cluster.MaxPacket, 1 << 20, 100} {
		var snapshot []byte
		for len(snapshot) < size {
			snapshot = binary.BigEndian.AppendUint64(snapshot, r.Uint64())
		}
		mustSave(t, a, 1, epoch, "t", snapshot[:size])
		mustLoad(t, b, 1, "t", snapshot[:size])
	}
	mustSave(t, a, 1, epoch, "t", nil)
	mustLoad(t, b, 1, "t", nil)
}

func mustBeFenced(t testing.TB, s cluster.Snapshots, slot int, epoch uint64, snapshot []byte) {
	t.Helper()
	if err := s.Save(start(t), slot, epoch, "t", snapshot); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("save with epoch %d of a slot that another one owns: %v", epoch, err)
	}
}

func onlyTheOwnerSaves(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	mustBeFenced(t, a, 5, 1, []byte("of nobody"))
	other := own(t, d, 4, 0, "b")
	first := own(t, d, 5, 0, "a")
	mustBeFenced(t, b, 5, other, []byte("of another slot"))
	mustSave(t, a, 5, first, "t", []byte("first"))
	second := own(t, d, 5, first, "b")
	mustBeFenced(t, a, 5, first, []byte("too late"))
	mustBeFenced(t, a, 5, first, nil)
	mustLoad(t, b, 5, "t", []byte("first"))
	mustSave(t, b, 5, second, "t", []byte("second"))
	mustBeFenced(t, a, 5, first, []byte("too late"))
	mustLoad(t, a, 5, "t", []byte("second"))
}

// noneIsSavedLate has an owner save without end while another one takes its slot.
func noneIsSavedLate(t *testing.T, d cluster.Directory, a, b cluster.Snapshots) {
	epoch := own(t, d, 6, 0, "a")
	for round := range 10 {
		ctx, first, done := start(t), make(chan struct{}), make(chan error, 1)
		go func(epoch uint64) {
			for i := 0; ; i++ {
				if err := a.Save(ctx, 6, epoch, "t", []byte(fmt.Sprint(round, "/", i))); err != nil {
					done <- err
					return
				}
				if i == 0 {
					close(first)
				}
			}
		}(epoch)
		within(t, "the first save", first)
		epoch = own(t, d, 6, epoch, "b")
		state, err := b.Load(start(t), 6, "t")
		if err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, cluster.ErrFenced) {
			t.Errorf("round %d: the saves of the owner before end with %v", round, err)
		}
		mustLoad(t, b, 6, "t", state)
	}
}
