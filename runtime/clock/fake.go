package clock

import (
	"slices"
	"sync"
	"time"
)

// Fake is a clock that stands still until Advance moves it. Its zero value is not usable: call NewFake.
type Fake struct {
	mu     sync.Mutex
	now    time.Time
	timers []*fakeTimer // that wait, in the order in which they are due
}

// NewFake returns a clock that shows start.
func NewFake(start time.Time) *Fake { return &Fake{now: start} }

// Now returns the time that the clock shows.
func (c *Fake) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc registers f to be called by the Advance that passes d from now. A d of 0 or less is due at the next Advance,
// even by 0.
func (c *Fake) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{clock: c, f: f}
	c.schedule(t, d)
	return t
}

// Advance moves the clock by d and calls what becomes due, in order and one after the other, each at the time it asked
// for. Calls that these calls register run too when they are due within d.
func (c *Fake) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	for len(c.timers) > 0 && !c.timers[0].at.After(end) {
		t := c.timers[0]
		c.timers = c.timers[1:]
		if t.at.After(c.now) {
			c.now = t.at
		}
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	if end.After(c.now) {
		c.now = end
	}
	c.mu.Unlock()
}

// Waiting returns how many calls are registered and not yet due.
func (c *Fake) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// schedule inserts t behind those that are due at the same time.
func (c *Fake) schedule(t *fakeTimer, d time.Duration) {
	t.at = c.now.Add(max(d, 0))
	i, _ := slices.BinarySearchFunc(c.timers, t, func(e, t *fakeTimer) int {
		if e.at.After(t.at) {
			return 1
		}
		return -1
	})
	c.timers = slices.Insert(c.timers, i, t)
}

type fakeTimer struct {
	clock *Fake
	at    time.Time
	f     func()
}

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.remove()
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	was := t.remove()
	t.clock.schedule(t, d)
	return was
}

func (t *fakeTimer) remove() bool {
	i := slices.Index(t.clock.timers, t)
	if i < 0 {
		return false
	}
	t.clock.timers = slices.Delete(t.clock.timers, i, i+1)
	return true
}
