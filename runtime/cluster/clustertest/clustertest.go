// Package clustertest holds what a cluster runs on to its word: each function runs subtests for one interface of package cluster.
//
// Open is called once for each subtest and returns two nodes' views of a backplane on which nothing has happened; what it takes
// is given back in t.Cleanup. The tests wait for what must come, up to half a minute, so that they are as fast as the
// implementation. They do not run in bubbles of testing/synctest.
package clustertest

import (
	"context"
	"sync"
	"testing"
	"time"
)

// limit is how long something may take that must happen.
const limit = 30 * time.Second

// start returns a context for calls that must succeed.
func start(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// within waits until something is closed.
func within(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s: not within %v", what, limit)
	}
}

// notes collects what callbacks see.
type notes[T any] struct {
	mu      sync.Mutex
	all     []T
	running int
	overlap bool // a callback was called while it ran
}

// enter and leave surround a callback that must be called one at a time.
func (n *notes[T]) enter() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running++
	n.overlap = n.overlap || n.running > 1
}

func (n *notes[T]) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running--
}

func (n *notes[T]) add(one T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, one)
}

// note is a callback.
func (n *notes[T]) note(one T) {
	n.enter()
	defer n.leave()
	n.add(one)
}

func (n *notes[T]) get() []T {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all[:len(n.all):len(n.all)]
}

func (n *notes[T]) mustNotOverlap(t testing.TB) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.overlap {
		t.Error("the function is called while it runs")
	}
}
