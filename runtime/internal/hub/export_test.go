package hub

// What tests see of a hub's inside.

// MaxQueued is how many events may wait.
const MaxQueued = maxQueued

// Do runs f in the loop, behind everything that was posted before.
func (h *Hub) Do(f func()) { h.post(event{kind: evCall, call: f}) }

// Each calls f for the hubs of a set.
func (s *Set) Each(f func(*Hub)) {
	for _, h := range s.hubs {
		f(h)
	}
}

// Members returns how many sockets a hub has. It is called by Do.
func (h *Hub) Members() int { return len(h.members) }

// Members returns how many members a group has. It is called by Do.
func (g *Group) Members() int { return len(g.members) }

// Groups returns how many groups a member is in. It is called by Do.
func (m *Member) Groups() int { return len(m.groups) }

// Queued returns how many events wait.
func (h *Hub) Queued() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queue)
}
