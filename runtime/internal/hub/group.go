package hub

// Members and groups: what the rest of the server holds of a hub. Their methods post events, in whose order things happen.

import "github.com/wsgen/wsgen/runtime/internal/socket"

// Member is a socket on its hub. Its methods are safe for concurrent use, and wait only while the hub's queue is full.
type Member struct {
	Socket *socket.Socket
	hub    *Hub

	// These belong to the hub's loop.
	index  int32 // in hub.members; -1: not there
	dirty  bool
	groups []groupRef
}

// groupRef is a group that a member is in, and its place there.
type groupRef struct {
	group *Group
	at    int
}

// Hub returns the hub that the socket belongs to.
func (m *Member) Hub() *Hub { return m.hub }

// Send queues a frame for this socket, behind everything that was posted before.
func (m *Member) Send(f *socket.Frame) { m.hub.post(event{kind: evSend, member: m, frame: f}) }

// SendNow is Send for a frame that is worth a write of its own: when the hub has done all that was posted before, and so
// nothing can come before it, the caller's goroutine writes it, which costs the hub no turn.
func (m *Member) SendNow(f *socket.Frame) {
	if !m.hub.quiet.Load() || !m.Socket.Send(f) {
		m.Send(f)
	}
}

// Close sends a close frame behind everything that was posted before, as Socket.Close does.
func (m *Member) Close(code int, reason string) {
	m.hub.post(event{kind: evCall, call: func() { m.Socket.Close(code, reason) }})
}

// Remove takes the socket off its hub and out of all its groups; later events for it do nothing. It is wanted once for
// every socket, and does no harm twice.
func (m *Member) Remove() { m.hub.post(event{kind: evRemove, member: m}) }

// Group is the members of one room on one hub. It needs no end: without members, and without a reference, it is gone. Its
// methods are safe for concurrent use, and wait only while the hub's queue is full.
type Group struct {
	hub     *Hub
	members []*Member // belongs to the hub's loop
}

// NewGroup returns a group without members on h.
func (h *Hub) NewGroup() *Group { return &Group{hub: h} }

// Join adds a member of the group's own hub; one of another hub is not added. It gets what is published from here on.
func (g *Group) Join(m *Member) {
	if m.hub == g.hub {
		g.hub.post(event{kind: evJoin, group: g, member: m})
	}
}

// Leave removes a member; one that is not in the group is left alone.
func (g *Group) Leave(m *Member) {
	if m.hub == g.hub {
		g.hub.post(event{kind: evLeave, group: g, member: m})
	}
}

// Publish queues a frame for every member but except, which may be nil.
func (g *Group) Publish(f *socket.Frame, except *Member) {
	g.hub.post(event{kind: evPublish, group: g, frame: f, member: except})
}

// find returns where in m.groups the group is, or -1. Members are in few groups.
func (g *Group) find(m *Member) int {
	for i, ref := range m.groups {
		if ref.group == g {
			return i
		}
	}
	return -1
}

func (g *Group) add(m *Member) {
	if g.find(m) >= 0 {
		return
	}
	m.groups = append(m.groups, groupRef{g, len(g.members)})
	g.members = append(g.members, m)
}

func (g *Group) remove(m *Member) {
	i := g.find(m)
	if i < 0 {
		return
	}
	at := m.groups[i].at
	last := len(m.groups) - 1
	m.groups[i] = m.groups[last]
	m.groups[last] = groupRef{}
	m.groups = m.groups[:last]

	last = len(g.members) - 1
	if moved := g.members[last]; moved != m {
		g.members[at] = moved
		moved.groups[g.find(moved)].at = at
	}
	g.members[last] = nil
	g.members = g.members[:last]
	if len(g.members) == 0 {
		g.members = nil
	}
}
