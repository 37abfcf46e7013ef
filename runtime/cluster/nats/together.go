package natscluster

// How what is asked for at the same time is done together.

import (
	"context"
	"slices"
	"sync"
)

// queue is what waits to be done together with others. It is safe for concurrent use.
type queue[T comparable] struct {
	servers int // how many goroutines call next at most

	mu      sync.Mutex
	waiting []T
	serving int
}

// add lets something wait for its turn, and reports whether one goroutine more may call next: the caller has to see to that.
func (q *queue[T]) add(w T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, w)
	if q.serving == q.servers {
		return false
	}
	q.serving++
	return true
}

// withdraw removes what does not wait any more. What is being done stays.
func (q *queue[T]) withdraw(w T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
}

// next returns what is to be done together, in the order in which it came: so many of the first ones as fit says, which is given one at
// least, and returns one at least. Without any it returns nil, and the goroutine must not call it again.
func (q *queue[T]) next(fit func(waiting []T) int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting = nil
		q.serving--
		return nil
	}
	n := fit(q.waiting)
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return group
}

// whileAny returns a context that ends when all have ended: nobody waits any more.
func whileAny(all []context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for _, one := range all {
			select {
			case <-one.Done():
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}
