package cluster

import "time"

// What moves for balance alone, while nothing is wrong, moves slowly: a room that moves makes its members wait for a moment, and one
// whose state is not kept begins anew.

const (
	// churnTime is in how long a hundredth of a node's rooms may move.
	churnTime = time.Minute
	// churnLeast is how many rooms may move in that time however few there are.
	churnLeast = 10
)

// churn is a bucket of rooms that may move. The zero value is a full one. Slots without rooms cost nothing; one with more rooms than
// there is room for in the bucket moves when it is full, and what follows waits the longer.
type churn struct {
	used float64 // of the bucket
	at   time.Time
}

// affords reports whether a slot may move now, and takes its rooms out of the bucket if so.
func (c *churn) affords(slot int, rooms []int, now time.Time) bool {
	if rooms[slot] == 0 {
		return true
	}
	all := 0
	for _, n := range rooms {
		all += n
	}
	size := max(float64(all)/100, churnLeast)
	if !c.at.IsZero() {
		c.used = max(c.used-size*now.Sub(c.at).Seconds()/churnTime.Seconds(), 0)
	}
	c.at = now
	if cost := float64(rooms[slot]); c.used > 0 && c.used+cost > size {
		return false
	}
	c.used += float64(rooms[slot])
	return true
}
