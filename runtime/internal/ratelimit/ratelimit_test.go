package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/ratelimit"
)

// TestNoTokenIsLost polls a bucket at rates that do not fit its own: over time it gives exactly what it was set to.
func TestNoTokenIsLost(t *testing.T) {
	r := ratelimit.Rate{Limit: 3, Per: time.Second, Burst: 3}
	for _, poll := range []time.Duration{time.Millisecond, 7 * time.Millisecond, 333 * time.Millisecond, 500 * time.Millisecond} {
		var b ratelimit.Bucket
		now := time.Unix(1e9, 0)
		end := now.Add(100 * time.Second)
		got := 0
		for ; now.Before(end); now = now.Add(poll) {
			for b.Take(r, now) == 0 {
				got++
			}
		}
		if got < 300 || got > 303 {
			t.Errorf("polled every %v: %d tokens in 100 s, want 300 and a burst of up to 3", poll, got)
		}
	}
}

func TestWaitIsExact(t *testing.T) {
	r := ratelimit.Rate{Limit: 2, Per: time.Second, Burst: 2}
	var b ratelimit.Bucket
	now := time.Unix(1e9, 0)
	b.Take(r, now)
	b.Take(r, now)
	wait := b.Take(r, now)
	if wait != 500*time.Millisecond {
		t.Fatalf("wait %v, want 500ms", wait)
	}
	if b.Take(r, now.Add(wait-1)) == 0 || b.Take(r, now.Add(wait)) != 0 {
		t.Error("the token must be there after the wait, and not before")
	}
}

func TestFullBucketsAreForgotten(t *testing.T) {
	var k ratelimit.Keyed
	r := ratelimit.Rate{Limit: 1, Per: time.Second, Burst: 1}
	now := time.Unix(1e9, 0)
	for i := range 100000 {
		now = now.Add(10 * time.Millisecond)
		if k.Take(fmt.Sprint(i), r, now) != 0 {
			t.Fatal("a new key has a full bucket")
		}
	}
	if n := k.Len(); n > 1000 {
		t.Errorf("%d buckets are kept, about 100 are not full", n)
	}
}
