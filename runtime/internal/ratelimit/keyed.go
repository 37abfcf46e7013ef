package ratelimit

import (
	"sync"
	"time"
)

// Keyed is a bucket per key, for keys that come and go, such as addresses. It forgets full buckets, and keeps no more than
// MaxKeys of the others. It is safe for concurrent use.
type Keyed struct {
	mu      sync.Mutex
	buckets map[string]*Bucket
	kept    int // buckets at the last sweep
	added   int // since then
}

// MaxKeys is how many buckets a Keyed keeps, about 15 MB of them. Whoever has more keys than that gets a full bucket for each,
// with a limit or without; so the bucket of somebody that is nearly full is forgotten for a new one.
const MaxKeys = 1 << 17

const (
	minSweep = 64
	sample   = 8 // buckets of which the fullest is forgotten
)

// Take takes a token of key's bucket and returns 0, or returns how long to wait for one.
func (k *Keyed) Take(key string, r Rate, now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.buckets[key]
	if b == nil {
		b = k.add(key, now.UnixNano())
	}
	return b.Take(r, now)
}

// Len returns the number of buckets that are kept.
func (k *Keyed) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.buckets)
}

// add makes a bucket, and room for it.
func (k *Keyed) add(key string, now int64) *Bucket {
	if k.buckets == nil {
		k.buckets = make(map[string]*Bucket)
	}
	if k.added >= max(k.kept, minSweep) {
		k.sweep(now)
	}
	if len(k.buckets) >= MaxKeys {
		k.forget()
	}
	b := new(Bucket)
	k.buckets[key] = b
	k.added++
	return b
}

// sweep forgets full buckets. It runs when as many were added as were kept, so that its cost per new key is constant.
func (k *Keyed) sweep(now int64) {
	for key, b := range k.buckets {
		if b.full(now) {
			delete(k.buckets, key)
		}
	}
	k.kept, k.added = len(k.buckets), 0
}

// forget makes room for one bucket: of a few, wherever the map begins, it forgets the one that is full first.
func (k *Keyed) forget() {
	var fullest string
	n := 0
	for key, b := range k.buckets {
		if n == 0 || b.due.ns < k.buckets[fullest].due.ns {
			fullest = key
		}
		if n++; n == sample {
			break
		}
	}
	delete(k.buckets, fullest)
}
