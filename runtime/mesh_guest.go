package runtime

// Guests: connections of other nodes, at the owner of a room. To a handler they are as those of this node.

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/codec"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// remote is what a guest has instead of a socket.
type remote struct {
	mesh *mesh
	peer cluster.Peer // its gateway
	ip   netip.Addr

	// These are guarded by the connection's mu.
	topics []string // that the gateway knew when it last spoke of them
	old    *Conn    // that had the session before; nil: nobody
}

// merge returns the rooms of a guest: those of other owners that its gateway knew of, and own, those of this node, which it may not
// know yet. The connection's mu is held.
func (r *remote) merge(own []string) []string {
	topics := slices.DeleteFunc(slices.Clone(r.topics), func(t string) bool {
		here := !r.mesh.srv.shards[r.mesh.srv.Shard(t)].away.Load()
		return here && !slices.Contains(own, t)
	})
	for _, t := range own {
		if !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	return topics
}

// send queues a frame for the guest at its gateway. A node that may not act sends nothing, and one that has ended gets nothing: the
// same connection may be here again by now, as another guest, which its gateway has named after a new link.
func (r *remote) send(c *Conn, f *socket.Frame) {
	if !r.mesh.node.Alive() || c.ended() {
		return
	}
	class, key := f.Class()
	r.mesh.tell(r.peer, &wire.Frame{Kind: wire.Send, Conn: c.id, Class: uint64(class), Key: key, Frame: f.Payload()})
}

// sendOf is send for a frame of a room, which counts as long as the gateway takes this node for its owner.
func (r *remote) sendOf(room *Room, c *Conn, f *socket.Frame, at resume.Position, flags uint64) {
	if !room.silent() {
		r.tellOf(room, c, f, at, flags)
	}
}

// tellOf is sendOf for what does no harm if the room is not this node's any more.
func (r *remote) tellOf(room *Room, c *Conn, f *socket.Frame, at resume.Position, flags uint64) {
	if c.ended() {
		return
	}
	class, key := f.Class()
	r.mesh.tell(r.peer, &wire.Frame{Kind: wire.Send, Conn: c.id, Class: uint64(class), Key: key, Frame: f.Payload(), Flags: flags,
		Slot: uint64(room.shard.id), Epoch: room.epoch, Topic: room.topic, Position: at.Epoch, Seq: at.Seq})
}

func (r *remote) close(c *Conn, code CloseCode, reason string) {
	r.mesh.tell(r.peer, &wire.Frame{Kind: wire.Close, Conn: c.id, Count: uint64(code), Text: reason})
}

// quit makes the guest leave a room that is not on this node.
func (r *remote) quit(c *Conn, topic string) {
	c.mu.Lock()
	r.topics = slices.DeleteFunc(slices.Clone(r.topics), func(t string) bool { return t == topic })
	c.mu.Unlock()
	r.mesh.tell(r.peer, &wire.Frame{Kind: wire.Quit, Conn: c.id, Topic: topic})
}

func (r *remote) expireAt(c *Conn, at, now time.Time) {
	f := &wire.Frame{Kind: wire.Expire, Conn: c.id}
	if at.IsZero() {
		f.Flags = wire.Never
	} else {
		f.Timeout = uint64(max(at.Sub(now).Milliseconds(), 0))
	}
	r.mesh.tell(r.peer, f)
}

// introduction is what a peer was told of a connection.
type introduction struct {
	who     *identity
	session string
	moves   uint32
}

// introduce tells a peer who a connection is, when that is new to it. An error says that there is no link to the peer.
func (m *mesh) introduce(to cluster.Peer, c *Conn) error {
	p := m.peer(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return cluster.ErrUnknownPeer
	}
	old := p.known[c]
	c.mu.Lock()
	now := &introduction{c.identity.Load(), c.session, c.moves}
	topics := c.topics()
	closing := c.closing
	c.mu.Unlock()
	switch {
	case old != nil && *old == *now:
		return nil
	case closing:
		return Errorf(CodeUnavailable, "the connection is closing")
	}
	f := &wire.Frame{Kind: wire.Conn, Conn: c.id, Session: now.session, Topics: topics}
	if c.v1 {
		f.Flags |= wire.V1
	}
	if old != nil && old.who == now.who {
		f.Flags |= wire.Known
	} else if now.who.claims != nil {
		var w jx.Writer
		m.srv.protocol.Claims.Payload.Encode(&w, now.who.claims)
		f.Claims = w.Buf
	}
	if ip := c.IP(); ip.IsValid() {
		f.IP = ip.AsSlice()
	}
	if err := m.node.Send(to, f.Encode(), true); err != nil {
		return err
	}
	p.known[c] = now
	if old == nil {
		m.mu.Lock()
		m.conns[c.id] = c
		m.mu.Unlock()
	}
	return nil
}

// gone tells all who know a connection of this node, or who have it as a guest, that it has ended.
func (m *mesh) gone(c *Conn) {
	for _, p := range m.peerList() {
		p.mu.Lock()
		_, known := p.known[c]
		delete(p.known, c)
		p.mu.Unlock()
		if known {
			m.tell(p.peer, &wire.Frame{Kind: wire.Gone, Conn: c.id})
		}
	}
	m.mu.Lock()
	delete(m.conns, c.id)
	m.mu.Unlock()
}

// meetGuest takes an introduction.
func (m *mesh) meetGuest(from cluster.Peer, f *wire.Frame) {
	p := m.peer(from)
	p.mu.Lock()
	if p.gone {
		p.mu.Unlock()
		return
	}
	c := p.guests[f.Conn]
	if c == nil {
		c = m.newGuest(from, f)
		p.guests[f.Conn] = c
	}
	p.mu.Unlock()
	if f.Flags&wire.Known == 0 {
		c.identity.Store(m.srv.identify(m.claims(f.Claims)))
	}
	if c.handle == nil {
		c.handle = m.srv.NewConn(c)
	}
	c.mu.Lock()
	c.remote.topics = f.Topics
	changed := c.session != f.Session
	c.mu.Unlock()
	if changed && f.Session != "" {
		m.takeSession(c, f.Session)
	}
}

// newGuest returns a connection of another node.
func (m *mesh) newGuest(from cluster.Peer, f *wire.Frame) *Conn {
	ip, _ := netip.AddrFromSlice(f.IP)
	c := &Conn{srv: m.srv, id: f.Conn, v1: f.Flags&wire.V1 != 0, remote: &remote{mesh: m, peer: from, ip: ip}}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.identity.Store(m.srv.identify(nil))
	return c
}

// claims reads claims; those that cannot be read are none.
func (m *mesh) claims(data []byte) any {
	if data == nil {
		return nil
	}
	var d codec.Decoder
	d.Reset(data, codec.Lenient)
	claims := m.srv.protocol.Claims.Payload.Decode(&d)
	d.End()
	if d.Err() != nil {
		return nil
	}
	return claims
}

// takeSession makes a guest the one of a session, and remembers who had it before.
func (m *mesh) takeSession(c *Conn, session string) {
	old := m.srv.holder(c.UserID(), session)
	if old == c {
		old = nil
	}
	c.setSession(session)
	c.mu.Lock()
	c.remote.old = old
	c.mu.Unlock()
}

// endGuest lets all rooms go of a guest that has ended, or whose gateway has.
func (m *mesh) endGuest(c *Conn) {
	c.mu.Lock()
	c.closing = true
	rooms, requests := c.rooms, slices.Clone(c.requests)
	c.rooms = nil
	c.mu.Unlock()
	c.cancel(nil)
	for _, r := range requests {
		r.abandon()
	}
	for _, r := range rooms {
		r.release(c, Disconnected, nil)
	}
	s := m.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := s.sessionKey(c.UserID(), c.sessionToken()); s.sessions[key] == c {
		delete(s.sessions, key)
	}
}
