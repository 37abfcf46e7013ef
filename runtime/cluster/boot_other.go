//go:build !linux

package cluster

import "time"

// sinceBoot returns 0: it is not known how long the machine was suspended.
func sinceBoot() time.Duration { return 0 }
