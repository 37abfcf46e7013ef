package client

import (
	"testing"
	"time"
)

func TestRetryAdvice(t *testing.T) {
	tests := []struct {
		reason string
		want   time.Duration
		ok     bool
	}{
		{"retry=250", 250 * time.Millisecond, true},
		{"server drains; retry=0", 0, true},
		{"retry=", 0, false},
		{"retry=-5", 0, false},
		{"retry=99999999999999999999", 0, false},
		{"noretry=5", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		if got, ok := retryAdvice(tt.reason); ok != tt.ok || ok && got != tt.want {
			t.Errorf("retryAdvice(%q) = %v, %v", tt.reason, got, ok)
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "soon": 0, "99999999999999999999": 0,
		"Thu, 01 Jan 2026 12:01:00 GMT": time.Minute,
		"Thu, 01 Jan 2026 11:00:00 GMT": 0,
	}
	for value, want := range tests {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("parseRetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

// Whatever the number of failures, the wait stays in its bounds.
func TestBackoffBounds(t *testing.T) {
	for _, random := range []func(int64) int64{func(int64) int64 { return 0 }, func(n int64) int64 { return n - 1 }} {
		r := retrier{backoff: Backoff{Base: time.Millisecond, Max: time.Minute}, random: random}
		for range 10000 {
			if d, again := r.next(errNoPong); !again || d < 0 || d > time.Minute {
				t.Fatalf("wait %v, %v", d, again)
			}
		}
	}
}
