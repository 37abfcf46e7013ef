package wstest

import (
	"testing"
	"testing/synctest"
)

// Run runs a test in a bubble of testing/synctest: time stands still while anything is in motion, and leaps to the next timer when
// nothing is, so that time-outs, pings and rates cost no time; and Settle may be called. Servers and clients are made in f,
// and end in it: drain the server before f returns.
func Run(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// Settle waits until nothing is in motion: all that was sent has been handled, all that came of it was delivered, and every
// callback has returned. It is called in a Run.
func Settle() { synctest.Wait() }

// Frames takes what has arrived and was not yet returned by Next, without waiting for more: after Settle that is all.
func (c *RawConn) Frames() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.frames
	c.frames = nil
	return frames
}
