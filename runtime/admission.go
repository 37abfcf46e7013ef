package runtime

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/ratelimit"
)

// admission counts connections by where they come from. A place is taken before the program is asked about the connection,
// so that two handshakes at once cannot both get the last one.
type admission struct {
	srv    *Server
	limits Limits

	mu     sync.Mutex
	total  int
	byIP   map[netip.Addr]int
	byUser map[string]int
	rate   ratelimit.Bucket
	rateIP ratelimit.Keyed
}

func (a *admission) init(s *Server) {
	a.srv, a.limits, a.byIP, a.byUser = s, s.Limits, make(map[netip.Addr]int), make(map[string]int)
}

// ticket is a place that was taken.
type ticket struct {
	admission *admission
	ip        netip.Addr

	// These are guarded by the admission's mu.
	userID   string
	released bool
}

// refusal is why a handshake is refused, and what its client gets to know.
type refusal struct {
	reason     string // for the figures
	status     int
	text       string
	retryAfter time.Duration
}

// closeCode returns what a client is told that cannot see the status; 0: nothing, and it comes back by itself.
func (r *refusal) closeCode() CloseCode {
	switch {
	case r != nil && r.status == http.StatusUnauthorized:
		return CloseUnauthenticated
	case r != nil && r.status == http.StatusForbidden:
		return CloseForbidden
	}
	return 0
}

// source returns what an address counts as. Who has an address of IPv6 has 2^64 of them.
func source(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return p.Addr()
}

// source returns what the connection's messages count as by address; with no address known, each connection is one.
func (c *Conn) source() string {
	if src := source(c.ticket.ip); src.IsValid() {
		return src.String()
	}
	return c.ID()
}

// enter takes a place, or says why there is none.
func (a *admission) enter(ip netip.Addr) (*ticket, *refusal) {
	src := source(ip)
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.refusal(src); r != nil {
		return nil, r
	}
	a.total++
	if src.IsValid() {
		a.byIP[src]++
	}
	return &ticket{admission: a, ip: ip}, nil
}

// refusal checks the limits. a.mu is held.
func (a *admission) refusal(src netip.Addr) *refusal {
	l, now := &a.limits, a.srv.Clock.Now()
	switch {
	case l.Connections > 0 && a.total >= l.Connections:
		return &refusal{"full", http.StatusServiceUnavailable, "too many connections", time.Second}
	case l.PerIP > 0 && src.IsValid() && a.byIP[src] >= l.PerIP:
		return &refusal{"ip", http.StatusTooManyRequests, "too many connections of this address", time.Second}
	}
	if n := l.HandshakesIP; n > 0 && src.IsValid() {
		if wait := a.rateIP.Take(src.String(), ratelimit.Rate{Limit: n, Per: time.Minute, Burst: n}, now); wait > 0 {
			return &refusal{"ip-rate", http.StatusTooManyRequests, "too many handshakes of this address", wait}
		}
	}
	if n := l.Handshakes; n > 0 {
		if wait := a.rate.Take(ratelimit.Rate{Limit: n, Per: time.Second, Burst: n}, now); wait > 0 {
			return &refusal{"rate", http.StatusServiceUnavailable, "too many handshakes", wait}
		}
	}
	return nil
}

// user takes a place of the user as well; false when there is none. A ticket takes one at most.
func (t *ticket) user(id string) bool {
	if id == "" {
		return true
	}
	a := t.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.released || a.limits.PerUser > 0 && a.byUser[id] >= a.limits.PerUser {
		return false
	}
	a.byUser[id]++
	t.userID = id
	return true
}

// release gives the place back. Calls after the first do nothing.
func (t *ticket) release() {
	a := t.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.released {
		return
	}
	t.released = true
	a.total--
	if src := source(t.ip); src.IsValid() {
		decrement(a.byIP, src)
	}
	if t.userID != "" {
		decrement(a.byUser, t.userID)
	}
}

func decrement[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] <= 0 {
		delete(m, k)
	}
}
