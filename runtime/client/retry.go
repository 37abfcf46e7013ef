package client

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAdvice bounds the time that a server may tell a client to stay away.
const maxAdvice = 5 * time.Minute

// A retrier decides whether and when to connect again. Only the run goroutine uses it.
type retrier struct {
	backoff   Backoff
	random    func(n int64) int64 // uniform in [0, n)
	renewable bool                // a new token can be had

	failures int  // in a row
	renewed  bool // a refused token was replaced since the last stable connection
}

// lasted notes how long a connection was open. A short one does not end a row of failures: a server that accepts and
// closes at once would be hammered otherwise.
func (r *retrier) lasted(d time.Duration) {
	if d >= r.backoff.Stable {
		r.failures, r.renewed = 0, false
	}
}

// next returns how long to wait after a lost connection or a failed attempt; false when there should be no other.
func (r *retrier) next(cause error) (wait time.Duration, again bool) {
	r.failures++
	if e, ok := errors.AsType[*CloseError](cause); ok {
		return r.afterClose(e)
	}
	if e, ok := errors.AsType[*HandshakeError](cause); ok {
		return r.afterRefusal(e)
	}
	return r.full(), true
}

// final reports whether a client stays away after a close code.
func final(code int) bool {
	switch code {
	case 1000, 1003, 1007, 1008, 1009, 4403, 4409:
		return true
	}
	return false
}

func (r *retrier) afterClose(e *CloseError) (time.Duration, bool) {
	if final(e.Code) {
		return 0, false
	}
	switch e.Code {
	case 4401:
		return r.renew()
	case 1001, 1012:
		if advice, ok := retryAdvice(e.Reason); ok {
			return r.advised(advice), true
		}
	}
	return r.full(), true
}

func (r *retrier) afterRefusal(e *HandshakeError) (time.Duration, bool) {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return r.renew()
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if e.RetryAfter > 0 {
			return r.advised(e.RetryAfter), true
		}
	}
	return r.full(), true
}

// renew allows one attempt with a new token.
func (r *retrier) renew() (time.Duration, bool) {
	if !r.renewable || r.renewed {
		return 0, false
	}
	r.renewed = true
	return r.full(), true
}

// full is a random time up to the bound of the backoff.
func (r *retrier) full() time.Duration {
	bound := r.backoff.Base
	for i := 1; i < r.failures && bound < r.backoff.Max; i++ {
		bound *= 2
	}
	return time.Duration(r.random(int64(min(bound, r.backoff.Max)) + 1))
}

// advised is the time that the server asked for, and a random one on top so that its clients do not return together.
func (r *retrier) advised(d time.Duration) time.Duration { return min(d, maxAdvice) + r.full() }

// retryAdvice finds retry=<ms> among the words of a close reason.
func retryAdvice(reason string) (time.Duration, bool) {
	for _, word := range strings.FieldsFunc(reason, func(c rune) bool { return c == ' ' || c == ';' || c == ',' }) {
		if value, ok := strings.CutPrefix(word, "retry="); ok {
			ms, err := strconv.ParseUint(value, 10, 32)
			return time.Duration(ms) * time.Millisecond, err == nil
		}
	}
	return 0, false
}

// parseRetryAfter reads the Retry-After header (RFC 9110, section 10.2.3); 0 when it says nothing.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
