package actor_test

import (
	"slices"
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

// TestTake takes mail back while some of it is looked at, and while it is acted on.
func TestTake(t *testing.T) {
	for _, begins := range []bool{false, true} {
		var m actor.Mailbox[int]
		var w actor.Workers
		looked, goOn, done := make(chan bool), make(chan struct{}), make(chan int, 10)
		m.Init(&w, 3, func(i int) {
			if i == 1 {
				looked <- !begins || m.Begin()
				<-goOn
				if m.Taken() == begins {
					t.Errorf("begun: %t, taken: %t", begins, m.Taken())
				}
			}
			if m.Begin() {
				done <- i
			}
		})
		m.Post(1)
		if !<-looked {
			t.Error("nobody has taken it, and it cannot begin")
		}
		if !m.Post(2) || !m.Post(3) || !m.Post(4) || m.Post(5) || m.Len() != 3 {
			t.Errorf("three may wait beside the one that is looked at: %d do", m.Len())
		}
		taken := m.Take(func(i int) bool { return i != 3 })
		m.PostAlways(6)
		close(goOn)
		want, rest := []int{1, 2, 4}, []int{3, 6}
		if begins {
			want, rest = []int{2, 4}, []int{1, 3, 6}
		}
		if !slices.Equal(taken, want) {
			t.Errorf("taken %v, not %v", taken, want)
		}
		for _, i := range rest {
			if got := <-done; got != i {
				t.Errorf("%d was handled, not %d", got, i)
			}
		}
		w.Close()
	}
}
