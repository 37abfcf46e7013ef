package client

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
)

// burst is how many times its bound a dispatcher may hold while calls wait.
const burst = 8

// A dispatcher runs callbacks one at a time, in order, on a goroutine of its own, so that the connection is read, and
// pings answered, while a callback takes its time.
//
// The messages that wait are bounded: at the bound the reader is held up. It is held up later, at eight times the
// bound, while a call waits for its reply, because it may be the running callback that waits.
type dispatcher struct {
	bound    int
	panicked func(callback string, value any, stack []byte)

	mu       sync.Mutex
	changed  *sync.Cond
	items    []item
	calls    int  // that wait for a reply
	finished bool // nothing is added any more
}

// An item is a callback that is due.
type item struct {
	name string // for the report of a panic
	f    func(ctx context.Context)
	kept bool // by finish
}

func newDispatcher(bound int, panicked func(string, any, []byte)) *dispatcher {
	d := &dispatcher{bound: bound, panicked: panicked}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// run calls what is posted until finish, and what finish posted.
func (d *dispatcher) run(ctx context.Context) {
	for {
		it, ok := d.next()
		if !ok {
			return
		}
		d.call(ctx, it)
	}
}

func (d *dispatcher) next() (item, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.items) == 0 {
		if d.finished {
			return item{}, false
		}
		d.changed.Wait()
	}
	it := d.items[0]
	d.items[0] = item{}
	d.items = d.items[1:]
	d.changed.Broadcast()
	return it, true
}

func (d *dispatcher) call(ctx context.Context, it item) {
	defer func() {
		if v := recover(); v != nil {
			d.panicked(it.name, v, debug.Stack())
		}
	}()
	it.f(ctx)
}

// post adds a message, once there is room for it. held is called with true before the wait and with false after it.
func (d *dispatcher) post(it item, held func(bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.finished && d.full() {
		held(true)
		for !d.finished && d.full() {
			d.changed.Wait()
		}
		held(false)
	}
	d.add(it)
}

// postNow adds a report without waiting. It returns false when too much waits already.
func (d *dispatcher) postNow(it item) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.items) >= 2*burst*d.bound {
		return false
	}
	d.add(it)
	return true
}

// add adds an item unless the dispatcher has finished. d.mu must be held.
func (d *dispatcher) add(it item) {
	if d.finished {
		return
	}
	d.items = append(d.items, it)
	d.changed.Broadcast()
}

// full reports whether the reader must wait. d.mu must be held.
func (d *dispatcher) full() bool {
	if d.calls > 0 {
		return len(d.items) >= burst*d.bound
	}
	return len(d.items) >= d.bound
}

// setCalls says how many calls wait for a reply.
func (d *dispatcher) setCalls(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = n
	d.changed.Broadcast()
}

// finish forgets what waits and need not be kept, adds the last items, and ends run after them.
func (d *dispatcher) finish(last ...item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.finished {
		return
	}
	d.items = slices.DeleteFunc(d.items, func(it item) bool { return !it.kept })
	d.items, d.finished = append(d.items, last...), true
	d.changed.Broadcast()
}
