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

// TestAClockThatGoesBack takes a token, sets the clock back by an hour, and finds the bucket no emptier than empty.
func TestAClockThatGoesBack(t *testing.T) {
	var b ratelimit.Bucket
	rate := ratelimit.Rate{Limit: 1, Per: time.Second, Burst: 2}
	now := time.Unix(1e9, 0)
	b.Take(rate, now)
	back := now.Add(-time.Hour)
	if wait := b.Take(rate, back); wait > time.Second {
		t.Errorf("wait %v", wait)
	}
	if wait := b.Take(rate, back.Add(2*time.Second)); wait != 0 {
		t.Errorf("wait %v after two seconds", wait)
	}
}

// TestRatesThatAreNoWholeNanoseconds takes each token as soon as it is there. Over a long time there are as many as the rate
// says, not one more or less.
func TestRatesThatAreNoWholeNanoseconds(t *testing.T) {
	for _, r := range []ratelimit.Rate{
		{Limit: 7, Per: time.Second, Burst: 2}, {Limit: 3, Per: time.Minute, Burst: 5}, {Limit: 1001, Per: time.Second, Burst: 100},
		{Limit: 11, Per: 24 * time.Hour, Burst: 1000},
	} {
		var b ratelimit.Bucket
		begin := time.Unix(1e9, 0)
		now := begin
		for range r.Burst {
			if b.Take(r, now) != 0 {
				t.Fatalf("%+v: the burst is not there", r)
			}
		}
		for n := 1; n <= 5000; n++ {
			now = now.Add(b.Take(r, now))
			rest := time.Duration(n % r.Limit)
			want := time.Duration(n/r.Limit)*r.Per + (rest*r.Per+time.Duration(r.Limit)-1)/time.Duration(r.Limit)
			if now.Sub(begin) != want {
				t.Fatalf("%+v: token %d is there after %v, want %v", r, n, now.Sub(begin), want)
			}
			if b.Take(r, now) != 0 {
				t.Fatalf("%+v: no token after the wait for it", r)
			}
		}
	}
}

// TestKeysThatNeverRepeat has somebody who has as many addresses as he likes: what is kept of them is bounded, and the one who
// has used his tokens up is remembered longer than those who have not.
func TestKeysThatNeverRepeat(t *testing.T) {
	var k ratelimit.Keyed
	r := ratelimit.Rate{Limit: 100, Per: time.Hour, Burst: 100}
	now := time.Unix(1e9, 0)
	for range 100 {
		k.Take("busy", r, now)
	}
	for i := range ratelimit.MaxKeys + 20_000 {
		if k.Take(fmt.Sprint(i), r, now) != 0 {
			t.Fatal("a new key has a full bucket")
		}
	}
	if n := k.Len(); n > ratelimit.MaxKeys {
		t.Errorf("%d buckets are kept, want %d at most", n, ratelimit.MaxKeys)
	}
	if k.Take("busy", r, now) == 0 {
		t.Error("the bucket of the one who uses it is forgotten")
	}
}
