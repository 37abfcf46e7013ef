// Package ratelimit has token buckets in the form of the generic cell rate algorithm (ITU-T I.371): one time per bucket, no
// loss by rounding however often it is asked.
package ratelimit

import (
	"sync"
	"time"
)

// Rate is Burst tokens at most, and Limit more in every Per. All are positive.
type Rate struct {
	Limit int
	Per   time.Duration
	Burst int
}

// Bucket is one token bucket. Its zero value is full. It is not safe for concurrent use.
type Bucket struct {
	due int64 // UnixNano at which the bucket is full again
}

// Take takes a token and returns 0, or returns how long to wait for one.
func (b *Bucket) Take(r Rate, now time.Time) time.Duration {
	t := now.UnixNano()
	interval := (int64(r.Per) + int64(r.Limit) - 1) / int64(r.Limit) // rounded up: never more than the limit
	due := min(max(b.due, t), t+interval*int64(r.Burst))             // a clock that was set back costs no more than an empty bucket
	if wait := due - t - interval*int64(r.Burst-1); wait > 0 {
		return time.Duration(wait)
	}
	b.due = due + interval
	return 0
}

// full reports whether the bucket is full at t.
func (b *Bucket) full(t int64) bool { return b.due <= t }

// Keyed is a bucket per key, for keys that come and go. It forgets full buckets. It is safe for concurrent use.
type Keyed struct {
	mu      sync.Mutex
	buckets map[string]*Bucket
	sweepAt int // number of buckets at which full ones are looked for
}

const minSweep = 64

// Take takes a token of key's bucket and returns 0, or returns how long to wait for one.
func (k *Keyed) Take(key string, r Rate, now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.buckets[key]
	if b == nil {
		if k.buckets == nil {
			k.buckets, k.sweepAt = make(map[string]*Bucket), minSweep
		}
		if len(k.buckets) >= k.sweepAt {
			k.sweep(now.UnixNano())
		}
		b = &Bucket{}
		k.buckets[key] = b
	}
	return b.Take(r, now)
}

// Len returns the number of buckets that are kept.
func (k *Keyed) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.buckets)
}

// sweep forgets full buckets. It runs when the number has doubled, so that its cost per new key is constant.
func (k *Keyed) sweep(now int64) {
	for key, b := range k.buckets {
		if b.full(now) {
			delete(k.buckets, key)
		}
	}
	k.sweepAt = max(2*len(k.buckets), minSweep)
}
