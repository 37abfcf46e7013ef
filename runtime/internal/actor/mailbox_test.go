package actor_test

import (
	"sync"
	"testing"

	"github.com/wsgen/wsgen/runtime/internal/actor"
)

func TestOneAtATimeAndInOrder(t *testing.T) {
	var m actor.Mailbox[int]
	var w actor.Workers
	defer w.Close()
	var got []int // no lock: the race detector tells
	var all sync.WaitGroup
	m.Init(&w, 0, func(i int) { got = append(got, i); all.Done() })
	const n = 10000
	all.Add(n)
	for i := range n {
		m.Post(i)
	}
	all.Wait()
	for i, v := range got {
		if v != i {
			t.Fatalf("place %d has %d", i, v)
		}
	}
}

func TestLimit(t *testing.T) {
	var m actor.Mailbox[int]
	var w actor.Workers
	defer w.Close()
	busy, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Add(4)
	m.Init(&w, 2, func(i int) {
		if i == 0 {
			close(busy)
			<-release
		}
		all.Done()
	})
	m.Post(0)
	<-busy
	if !m.Post(1) || !m.Post(2) || m.Post(3) || m.Len() != 2 || m.Idle() {
		t.Error("two may wait, and no third")
	}
	m.PostAlways(4)
	close(release)
	all.Wait()
}
