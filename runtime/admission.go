package runtime

import (
	"net/http"
	"net/netip"
	"sync"
)

// admission counts connections by where they come from. A place is taken before the program is asked about the connection,
// so that two handshakes at once cannot both get the last one.
type admission struct {
	limits Limits

	mu     sync.Mutex
	total  int
	byIP   map[netip.Addr]int
	byUser map[string]int
}

func (a *admission) init(limits Limits) {
	a.limits, a.byIP, a.byUser = limits, make(map[netip.Addr]int), make(map[string]int)
}

// ticket is a place that was taken.
type ticket struct {
	admission *admission
	ip        netip.Addr
	userID    string
	once      sync.Once
}

// enter takes a place, or returns the HTTP status to refuse with.
func (a *admission) enter(ip netip.Addr) (*ticket, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.limits.Connections > 0 && a.total >= a.limits.Connections:
		return nil, http.StatusServiceUnavailable
	case a.limits.PerIP > 0 && ip.IsValid() && a.byIP[ip] >= a.limits.PerIP:
		return nil, http.StatusTooManyRequests
	}
	a.total++
	if ip.IsValid() {
		a.byIP[ip]++
	}
	return &ticket{admission: a, ip: ip}, 0
}

// user takes a place of the user as well; false when there is none. It is called once at most.
func (t *ticket) user(id string) bool {
	if id == "" {
		return true
	}
	a := t.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limits.PerUser > 0 && a.byUser[id] >= a.limits.PerUser {
		return false
	}
	a.byUser[id]++
	t.userID = id
	return true
}

// release gives the place back. Calls after the first do nothing.
func (t *ticket) release() {
	t.once.Do(func() {
		a := t.admission
		a.mu.Lock()
		defer a.mu.Unlock()
		a.total--
		if t.ip.IsValid() {
			decrement(a.byIP, t.ip)
		}
		if t.userID != "" {
			decrement(a.byUser, t.userID)
		}
	})
}

func decrement[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] <= 0 {
		delete(m, k)
	}
}
