// Package ratelimit has token buckets in the form of the generic cell rate algorithm (ITU-T I.371): one time per bucket, and
// no loss by rounding, however often it is asked and whatever the rate: seven per second are seven in every second.
package ratelimit

import (
	"math"
	"math/bits"
	"time"
)

// Rate is Burst tokens at most, and Limit more in every Per. All are positive.
type Rate struct {
	Limit int
	Per   time.Duration
	Burst int
}

// moment is a time in nanoseconds and Limit-ths of one, or the distance of two. Times of one bucket have the same Limit.
type moment struct{ ns, part int64 }

// after returns how long m is after n in nanoseconds, rounded up; it is negative or 0 where m is not after n.
func (m moment) after(n moment) int64 {
	d := m.ns - n.ns
	if m.part > n.part {
		d++
	}
	return d
}

// plus returns m later by d, which is less than Per times Burst.
func (r Rate) plus(m, d moment) moment {
	m.ns += d.ns
	if m.part += d.part; m.part >= int64(r.Limit) {
		m.part -= int64(r.Limit)
		m.ns++
	}
	return m
}

// span returns the time that n tokens take. It ends at a hundred years, which no bucket waits for.
func (r Rate) span(n int) moment {
	const most = math.MaxInt64 / 3
	hi, lo := bits.Mul64(uint64(r.Per), uint64(n))
	limit := uint64(r.Limit)
	if hi >= limit {
		return moment{ns: most}
	}
	ns, part := bits.Div64(hi, lo, limit)
	if ns > most {
		return moment{ns: most}
	}
	return moment{int64(ns), int64(part)}
}

// Bucket is one token bucket. Its zero value is full. It is always asked with the same rate, and not safe for concurrent use.
type Bucket struct {
	due moment // since 1970, at which the bucket is full again
}

// Take takes a token and returns 0, or returns how long to wait for one, to the nanosecond.
func (b *Bucket) Take(r Rate, now time.Time) time.Duration {
	t := moment{ns: now.UnixNano()}
	due := b.due
	if due.ns < t.ns {
		due = t
	}
	if empty := r.plus(t, r.span(r.Burst)); due.after(empty) > 0 {
		due, b.due = empty, empty // a clock that was set back costs no more than an empty bucket
	}
	if wait := due.after(r.plus(t, r.span(r.Burst-1))); wait > 0 {
		return time.Duration(wait)
	}
	b.due = r.plus(due, r.span(1))
	return 0
}

// full reports whether the bucket is full at t.
func (b *Bucket) full(t int64) bool { return b.due.ns < t || b.due.ns == t && b.due.part == 0 }
