package cluster

import (
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// boot is the system's clock for leases. Its times are only good for differences: on Linux they count from the start of the
// machine, suspensions included; elsewhere they are of the wall clock, which goes on during a suspension too, and which only
// makes a lease shorter when it is set ahead.
type boot struct{ clock.Real }

// Now returns the time since the machine started, as a time.
func (boot) Now() time.Time {
	if d := sinceBoot(); d > 0 {
		return time.Unix(0, int64(d))
	}
	return time.Now().Round(0)
}
