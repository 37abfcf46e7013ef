package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Directory tests a directory.
func Directory(t *testing.T, open func(t testing.TB) (a, b cluster.Directory)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a, b cluster.Directory)
	}{
		{"revisions grow", revisionsGrow},
		{"a wrong revision is a conflict", wrongRevisions},
		{"one of all that expect the same revision succeeds", writersRace},
		{"a write again is the same write", writesAgain},
		{"a write that is given up is written once or not at all", writesGivenUp},
		{"all keys and values are kept", keysAndValues},
		{"a watch begins with what there is", watchBegins},
		{"a watch sees changes in order, once", watchOrder},
		{"a watch ends", watchEnds},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := open(t)
			test.run(t, a, b)
		})
	}
}

// mustWrite writes a record whose value is the write's ID.
func mustWrite(t testing.TB, d cluster.Directory, key string, last uint64, id string) uint64 {
	t.Helper()
	revision, err := d.Write(start(t), cluster.Write{Key: key, Value: []byte(id), Last: last, ID: id})
	if err != nil || revision <= last {
		t.Fatalf("write %s of %s, whose revision is %d: revision %d, %v", id, key, last, revision, err)
	}
	return revision
}

func mustConflict(t testing.TB, d cluster.Directory, key string, last uint64, id string) {
	t.Helper()
	_, err := d.Write(start(t), cluster.Write{Key: key, Value: []byte(id), Last: last, ID: id})
	if !errors.Is(err, cluster.ErrConflict) {
		t.Errorf("write %s of %s with revision %d: %v, not a conflict", id, key, last, err)
	}
}

// watch collects the records that a directory reports, until the test ends.
func watch(t testing.TB, d cluster.Directory) *notes[cluster.Record] {
	t.Helper()
	var n notes[cluster.Record]
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := d.Watch(ctx, n.note)
		if ctx.Err() == nil {
			t.Errorf("the watch returned %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		within(t, "the end of a watch", done)
	})
	return &n
}

// mustSee waits until the value of a record was reported.
func mustSee(t testing.TB, n *notes[cluster.Record], key, value string) {
	t.Helper()
	eventually(t, "a watch reports "+key+" = "+value, func() bool {
		return slices.ContainsFunc(n.get(), func(r cluster.Record) bool { return r.Key == key && string(r.Value) == value })
	})
}

func revisionsGrow(t *testing.T, a, b cluster.Directory) {
	var last uint64
	for i := range 10 {
		d := []cluster.Directory{a, b}[i%2]
		revision := mustWrite(t, d, fmt.Sprint("k", i), 0, fmt.Sprint("w", i))
		if revision <= last {
			t.Errorf("revision %d of a record comes after %d of another", revision, last)
		}
		last = revision
	}
}

func wrongRevisions(t *testing.T, a, b cluster.Directory) {
	mustConflict(t, a, "k", 5, "there is none")
	first := mustWrite(t, a, "k", 0, "first")
	mustConflict(t, b, "k", 0, "there is one")
	mustConflict(t, b, "k", first+1, "too new")
	second := mustWrite(t, b, "k", first, "second")
	mustConflict(t, a, "k", first, "too old")
	mustConflict(t, a, "k", first, "too old") // the same write again
	mustConflict(t, a, "other", second, "of another record")
	mustWrite(t, a, "k", second, "third")
	seen := watch(t, b)
	mustSee(t, seen, "k", "third")
	for _, r := range seen.get() {
		if r.Revision > 0 && (r.Key != "k" || !slices.Contains([]string{"first", "second", "third"}, string(r.Value))) {
			t.Errorf("there is also %s = %s", r.Key, r.Value)
		}
	}
}

func writersRace(t *testing.T, a, b cluster.Directory) {
	var last uint64
	for round := range 20 {
		var won atomic.Uint64
		var wins atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				w := cluster.Write{Key: "k", Value: []byte{byte(i)}, Last: last, ID: fmt.Sprint("round", round, "writer", i)}
				switch revision, err := []cluster.Directory{a, b}[i%2].Write(start(t), w); {
				case err == nil:
					wins.Add(1)
					won.Store(revision)
				case !errors.Is(err, cluster.ErrConflict):
					t.Errorf("a write that comes too late returns %v", err)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 || won.Load() <= last {
			t.Fatalf("round %d: %d writes succeed; revision %d after %d", round, wins.Load(), won.Load(), last)
		}
		last = won.Load()
	}
}

func writesAgain(t *testing.T, a, b cluster.Directory) {
	first := mustWrite(t, a, "k", 0, "first")
	if again := mustWrite(t, a, "k", 0, "first"); again != first {
		t.Errorf("the same write has revisions %d and %d", first, again)
	}
	second := mustWrite(t, b, "k", first, "second")
	if again := mustWrite(t, b, "k", first, "second"); again != second {
		t.Errorf("the same write has revisions %d and %d", second, again)
	}
	seen := watch(t, b)
	mustSee(t, seen, "k", "second")
	mustWrite(t, a, "end", 0, "end")
	mustSee(t, seen, "end", "end")
	for _, r := range seen.get() {
		if r.Key == "k" && r.Revision != second {
			t.Errorf("a write again has changed the record: %+v", r)
		}
	}
}

// writesGivenUp: what a writer does whose acknowledgements are lost. That the first call may fail makes no difference.
func writesGivenUp(t *testing.T, a, b cluster.Directory) {
	seen := watch(t, b)
	var last uint64
	for i := range 20 {
		w := cluster.Write{Key: "k", Value: []byte(fmt.Sprint(i)), Last: last, ID: fmt.Sprint("w", i)}
		ctx, cancel := context.WithCancel(context.Background())
		if i%2 == 0 {
			cancel()
		} else {
			go cancel()
		}
		first, firstErr := a.Write(ctx, w)
		cancel()
		if errors.Is(firstErr, cluster.ErrConflict) {
			t.Fatalf("write %d, given up: %v", i, firstErr)
		}
		revision, err := a.Write(start(t), w)
		if err != nil || revision <= last || firstErr == nil && first != revision {
			t.Fatalf("write %d after it was given up: revision %d, %v; before: %d, %v", i, revision, err, first, firstErr)
		}
		last = revision
	}
	mustSee(t, seen, "k", "19")
	values := make(map[string]bool)
	for _, r := range seen.get() {
		if r.Key == "k" && values[string(r.Value)] {
			t.Errorf("%s was written twice", r.Value)
		}
		values[string(r.Value)] = true
	}
}

func keysAndValues(t *testing.T, a, b cluster.Directory) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	values := map[string][]byte{
		"empty":                  {},
		"node." + letters[:64]:   bytes.Repeat([]byte{0, 255, '\r', '\n'}, 100),
		cluster.SlotKey(4095):    []byte("{}"),
		cluster.NodeKey("a.b-c"): bytes.Repeat([]byte("large"), 10000),
	}
	revisions := make(map[string]uint64)
	for key, value := range values {
		revision, err := a.Write(start(t), cluster.Write{Key: key, Value: value, ID: key})
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		revisions[key] = revision
	}
	seen := watch(t, b)
	for key, value := range values {
		eventually(t, "a watch reports "+key, func() bool {
			return slices.ContainsFunc(seen.get(), func(r cluster.Record) bool {
				return r.Key == key && bytes.Equal(r.Value, value) && r.Revision == revisions[key]
			})
		})
	}
}

func watchBegins(t *testing.T, a, b cluster.Directory) {
	empty := watch(t, b)
	eventually(t, "the zero Record of a table without records", func() bool { return len(empty.get()) > 0 })
	if r := empty.get()[0]; r.Key != "" || r.Revision != 0 || r.Value != nil {
		t.Errorf("a watch of nothing begins with %+v", r)
	}
	k := mustWrite(t, a, "k", 0, "k-old")
	mustWrite(t, a, "l", 0, "l")
	mustWrite(t, a, "k", k, "k-new")
	for _, d := range []cluster.Directory{a, b} {
		eventually(t, "a watch begins with what there is", func() bool { // what it sees may be late
			have := beginning(t, d)
			return len(have) == 2 && have["k"] == "k-new" && have["l"] == "l"
		})
	}
	mustSee(t, empty, "k", "k-new")
	mustSee(t, empty, "l", "l")
}

// beginning returns the values of the records that a watch reports before the zero Record.
func beginning(t testing.TB, d cluster.Directory) map[string]string {
	t.Helper()
	seen := watch(t, d)
	eventually(t, "the zero Record", func() bool {
		return slices.ContainsFunc(seen.get(), func(r cluster.Record) bool { return r.Revision == 0 })
	})
	values := make(map[string]string)
	for _, r := range seen.get() {
		if r.Revision == 0 {
			break
		}
		values[r.Key] = string(r.Value)
	}
	return values
}

func watchOrder(t *testing.T, a, b cluster.Directory) {
	mustWrite(t, a, "before", 0, "before")
	watches := []*notes[cluster.Record]{watch(t, a), watch(t, b), watch(t, b)}
	const each = 50
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			var last uint64
			for n := range each {
				d, key := []cluster.Directory{a, b}[(i+n)%2], fmt.Sprint("k", i)
				id := fmt.Sprint(key, "-", n)
				revision, err := d.Write(start(t), cluster.Write{Key: key, Value: []byte(id), Last: last, ID: id})
				if err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				last = revision
			}
		})
	}
	all.Wait()
	for _, seen := range watches {
		for i := range 4 {
			mustSee(t, seen, fmt.Sprint("k", i), fmt.Sprint("k", i, "-", each-1))
		}
		mustSee(t, seen, "before", "before")
		seen.mustNotOverlap(t)
		var last uint64
		zeros := 0
		for _, r := range seen.get() {
			if r.Revision == 0 {
				zeros++
			} else if r.Revision <= last {
				t.Errorf("revision %d of %s comes after %d", r.Revision, r.Key, last)
			}
			last = max(last, r.Revision)
		}
		if zeros != 1 {
			t.Errorf("there are %d zero Records", zeros)
		}
	}
}

func watchEnds(t *testing.T, a, b cluster.Directory) {
	mustWrite(t, b, "k", 0, "k")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls notes[cluster.Record]
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Watch(ctx, calls.note)
	}()
	eventually(t, "a watch begins", func() bool { return len(calls.get()) > 0 })
	cancel()
	within(t, "the end of a watch", done)
	before := len(calls.get())
	seen := watch(t, a)
	mustWrite(t, b, "l", 0, "l")
	mustSee(t, seen, "l", "l")
	if after := len(calls.get()); after != before {
		t.Errorf("a watch that has returned reports %d records", after-before)
	}
}
