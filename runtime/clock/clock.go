// Package clock is the time that the runtime sees, so that tests can replace it.
package clock

import "time"

// Clock tells the time and calls back. Implementations are safe for concurrent use.
type Clock interface {
	// Now returns the time; the real clock's carries a monotonic reading.
	Now() time.Time
	// AfterFunc calls f once after d, as time.AfterFunc does. The real clock calls it on a goroutine of its own, the fake
	// one inside Advance, so f must not block.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that is due. *time.Timer implements it.
type Timer interface {
	// Stop cancels the call and reports whether that came in time.
	Stop() bool
	// Reset makes the call due after d from now and reports whether it was still waiting.
	Reset(d time.Duration) bool
}

// Real is the system's clock.
type Real struct{}

// Now returns time.Now.
func (Real) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (Real) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
