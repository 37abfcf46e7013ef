package runtime

// Branches: the members of a room of another node that this node has, as their gateway. The gateway is what is true of them: an
// owner that begins anew is told them.

import (
	"slices"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// branch is guarded by its slot's mu, but for topic and kind, which do not change.
type branch struct {
	mesh    *mesh
	slot    *meshSlot
	topic   string
	kind    int
	members map[*Conn]progress
	outlets []*hubOutlet
	at      resume.Position // up to which its members have had what the room published, but for those that are behind
}

// progress is how far a member has come. The room says so itself when it begins, when it catches up, and when a message was not for it;
// else it has what all have. These are frames of their own, and a link may break between any two.
type progress struct {
	at     resume.Position
	behind bool // of the branch: what it lacks is on its way
	live   bool // it gets what all get: the owner knows it
}

// position returns up to where a member has had what the room published. b.slot.mu is held.
func (b *branch) position(c *Conn) resume.Position {
	p := b.members[c]
	if !p.live || p.behind || p.at.Epoch == b.at.Epoch && p.at.Seq > b.at.Seq {
		return p.at
	}
	return b.at
}

// place notes how far a member has come. b.slot.mu is held.
func (b *branch) place(c *Conn, at resume.Position) {
	p := b.members[c]
	p.at, p.behind = at, at.Epoch != b.at.Epoch || at.Seq < b.at.Seq
	b.members[c] = p
}

// positions returns the members by how far they have come. b.slot.mu is held.
func (b *branch) positions() map[resume.Position][]*Conn {
	all := make(map[resume.Position][]*Conn)
	for c := range b.members {
		at := b.position(c)
		all[at] = append(all[at], c)
	}
	return all
}

func (b *branch) name() string { return b.topic }
func (b *branch) of() int      { return b.kind }

// branch returns the members of a topic; it is made if need be. s.mu is held.
func (m *mesh) branch(s *meshSlot, topic string) *branch {
	b := s.branches[topic]
	if b == nil {
		kind, _ := m.srv.kindOf(topic)
		b = &branch{mesh: m, slot: s, topic: topic, kind: kind, members: make(map[*Conn]progress)}
		s.branches[topic] = b
	}
	return b
}

// outlet returns the outlet to a hub. b.slot.mu is held.
func (b *branch) outlet(h *hub.Hub) *hubOutlet {
	for _, o := range b.outlets {
		if o.hub == h {
			return o
		}
	}
	o := newHubOutlet(h)
	b.outlets = append(b.outlets, o)
	return o
}

// keep makes a connection a member that the owner is yet to learn of. b.slot.mu is held.
func (b *branch) keep(c *Conn, at resume.Position) {
	if !b.has(c) {
		b.members[c] = progress{at: at}
	}
}

// add makes a connection a member that gets what all get. b.slot.mu is held.
func (b *branch) add(c *Conn) {
	if p := b.members[c]; !p.live {
		p.live = true
		b.members[c] = p
		b.outlet(c.member.Hub()).join(c, welcome{})
	}
}

// pause keeps from the members what the room publishes, until its owner has learned of them and given them what they lack.
// b.slot.mu is held.
func (b *branch) pause() {
	for c, p := range b.members {
		if p.live {
			b.members[c] = progress{at: b.position(c)}
			b.outlet(c.member.Hub()).leave(c, nil)
		}
	}
}

// remove reports whether the connection was a member. b.slot.mu is held.
func (b *branch) remove(c *Conn) bool {
	p, ok := b.members[c]
	if !ok {
		return false
	}
	delete(b.members, c)
	if p.live {
		b.outlet(c.member.Hub()).leave(c, nil)
	}
	if len(b.members) == 0 && b.slot.branches[b.topic] == b {
		delete(b.slot.branches, b.topic)
	}
	return true
}

// dissolve takes all members off the hubs and returns them: the room comes to this node. b.slot.mu is held.
func (b *branch) dissolve() map[resume.Position][]*Conn {
	b.pause()
	all := b.positions()
	clear(b.members)
	delete(b.slot.branches, b.topic)
	return all
}

// release implements seat: the connection has left, or has ended, and the owner is to learn it.
func (b *branch) release(c *Conn, cause LeaveCause, done func()) {
	m, s := b.mesh, b.slot
	s.mu.Lock()
	b.remove(c)
	switch {
	case s.mine: // the room has come here since
		if r := m.srv.shards[s.id].room(b.topic); r != nil {
			s.mu.Unlock()
			r.release(c, cause, done)
			return
		}
	default:
		leave := &wire.Frame{Kind: wire.Leave, Slot: uint64(s.id), Epoch: s.route.Epoch, Conn: c.id, Topic: b.topic, Count: uint64(cause)}
		if s.route.Epoch != 0 {
			m.tell(s.route.Owner, leave)
		} else if !c.ended() { // the end of one that has ended is told in any case
			s.leaves = append(s.leaves, leave)
		}
	}
	s.mu.Unlock()
	if done != nil {
		done()
	}
}

// current reports whether a frame is of the owner that this node knows of. What an earlier one still sends is for nobody. s.mu is
// held.
func (s *meshSlot) current(from cluster.Peer, f *wire.Frame) bool {
	return !s.mine && s.route.Owner == from && s.route.Epoch == f.Epoch
}

// take handles what an owner sends.
func (m *mesh) take(from cluster.Peer, f *wire.Frame) {
	switch f.Kind {
	case wire.Done:
		m.finished(from, f)
	case wire.Moved:
		m.returned(from, f)
	case wire.Audit:
		m.answerAudit(from, f)
	case wire.Joined, wire.Left, wire.Synced, wire.Cast:
		m.takeOfRoom(from, f)
	case wire.Send, wire.Close, wire.Quit, wire.Expire:
		if f.Topic != "" && f.Kind == wire.Send {
			m.takeOfRoom(from, f)
		} else if c := m.conn(f.Conn); c != nil {
			c.command(f)
		}
	}
}

// conn returns a connection of this node that others know; nil: it has ended.
func (m *mesh) conn(id wire.ConnID) *Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns[id]
}

// passOn sends the client what a frame has for it, if anything.
func (c *Conn) passOn(f *wire.Frame) {
	if f.Frame != nil {
		c.member.Send(socket.NewText(f.Frame, socket.Class(f.Class), f.Key))
	}
}

// command does with a connection what an owner wants.
func (c *Conn) command(f *wire.Frame) {
	switch f.Kind {
	case wire.Send:
		c.passOn(f)
	case wire.Close:
		c.Close(CloseCode(f.Count), f.Text)
	case wire.Quit:
		c.Leave(f.Topic)
	case wire.Expire:
		at := time.Time{}
		if f.Flags&wire.Never == 0 {
			at = c.srv.Clock.Now().Add(time.Duration(f.Timeout) * time.Millisecond)
		}
		c.ExpireAt(at)
	}
}

// takeOfRoom handles what a room sends to its members on this node.
func (m *mesh) takeOfRoom(from cluster.Peer, f *wire.Frame) {
	s := &m.slots[f.Slot]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.current(from, f) {
		return
	}
	switch f.Kind {
	case wire.Joined:
		m.joined(s, f)
	case wire.Left:
		if b, c := s.branches[f.Topic], m.conn(f.Conn); b != nil && c != nil {
			b.remove(c)
			c.exit(b)
			c.passOn(f)
		}
	case wire.Synced:
		m.synced(s, f)
	case wire.Send:
		if c := m.conn(f.Conn); c != nil && s.branches[f.Topic].passes(c, f) {
			c.command(f)
		}
	case wire.Cast:
		if b := s.branches[f.Topic]; b != nil {
			b.cast(m, f)
		}
	}
}

// synced takes the owner's word that it knows members and has sent them what they lacked. One that has ceased to be a member, while it was
// named as one, is to be none there either. s.mu is held.
func (m *mesh) synced(s *meshSlot, f *wire.Frame) {
	at, b := resume.Position{Epoch: f.Position, Seq: f.Seq}, s.branches[f.Topic]
	if b != nil {
		b.at = at
	}
	for _, id := range f.Conns {
		c := m.conn(id)
		if c == nil { // the owner is told that it has ended
			continue
		}
		if b == nil || !b.has(c) {
			m.refuse(s, f, id, Left)
			continue
		}
		b.members[c] = progress{at: at, live: b.members[c].live}
		b.add(c)
	}
}

// has reports whether a connection is a member. b.slot.mu is held.
func (b *branch) has(c *Conn) bool {
	_, member := b.members[c]
	return member
}

// refuse has the owner end a membership that this node does not know. s.mu is held.
func (m *mesh) refuse(s *meshSlot, f *wire.Frame, id wire.ConnID, cause LeaveCause) {
	m.tell(s.route.Owner, &wire.Frame{Kind: wire.Leave, Slot: f.Slot, Epoch: f.Epoch, Conn: id, Topic: f.Topic, Count: uint64(cause)})
}

// passes reports whether a frame of the room for one connection is for it: what it has had is not. b may be nil; b.slot.mu is held
// if it is not.
func (b *branch) passes(c *Conn, f *wire.Frame) bool {
	if f.Position == "" {
		return true
	}
	if b == nil {
		return false
	}
	if !b.has(c) {
		return false
	}
	at := resume.Position{Epoch: f.Position, Seq: f.Seq}
	if now := b.position(c); f.Flags&wire.Begins == 0 && now.Epoch == at.Epoch && at.Seq <= now.Seq {
		return false
	}
	b.place(c, at)
	return true
}

// joined makes a connection a member that the owner has let in. One that has ended meanwhile, or that is in too many rooms of
// other owners by now, is taken back. s.mu is held.
func (m *mesh) joined(s *meshSlot, f *wire.Frame) {
	c := m.conn(f.Conn)
	if c == nil {
		m.refuse(s, f, f.Conn, Disconnected)
		return
	}
	b := m.branch(s, f.Topic)
	if len(b.members) == 0 || b.at.Epoch != f.Position {
		b.at = resume.Position{Epoch: f.Position, Seq: f.Seq}
	}
	if err := c.sit(b, m.srv.Limits.RoomsPerConn); err != nil {
		if len(b.members) == 0 {
			delete(s.branches, f.Topic)
		}
		m.refuse(s, f, f.Conn, Left)
		if !c.ended() {
			c.answerError(false, "", err)
		}
		return
	}
	// One that is a member already goes on from where it is, unless it is told another place.
	if !b.has(c) || f.Frame != nil {
		b.keep(c, resume.Position{})
		b.add(c)
		b.place(c, resume.Position{Epoch: f.Position, Seq: f.Count})
		c.passOn(f)
	}
}

// sit adds a room of another node to those that the connection is in.
func (c *Conn) sit(b *branch, limit int) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.seatAt(b.topic)
	switch {
	case c.closing:
		return Errorf(CodeUnavailable, "the connection is closing")
	case at >= 0:
		c.rooms[at] = b
	case limit > 0 && len(c.rooms) >= limit:
		return Errorf(CodeTooManyRooms, "in %d rooms", len(c.rooms))
	default:
		c.rooms = append(c.rooms, b)
	}
	c.moves++
	return nil
}

// ended reports whether no room takes the connection any more.
func (c *Conn) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// cast passes on what a room has published. What its members have had already is left out. b.slot.mu is held.
func (b *branch) cast(m *mesh, f *wire.Frame) {
	if f.Seq != 0 {
		if f.Seq <= b.at.Seq {
			return
		}
		b.at.Seq = f.Seq
	}
	p := &publication{v1Only: f.Flags&wire.V1Only != 0}
	if f.Frame != nil {
		p.base = socket.NewText(f.Frame, socket.Class(f.Class), f.Key)
	}
	if f.V1 != nil {
		p.v1 = socket.NewText(f.V1, socket.Class(f.Class), f.Key)
	}
	if f.Except != (wire.ConnID{}) {
		p.except = m.conn(f.Except)
	}
	for _, o := range b.outlets {
		o.publishEncoded(p)
	}
}

// publishEncoded is publish for frames that were made elsewhere, for those profiles that had members there.
func (o *hubOutlet) publishEncoded(p *publication) {
	var except *hub.Member
	if p.except != nil {
		except = p.except.member
	}
	if o.nBase > 0 && p.base != nil {
		o.base.Publish(p.base, except)
	}
	if o.nV1 > 0 && p.v1 != nil {
		o.v1.Publish(p.v1, except)
	}
}

// syncAtOnce is how many members one frame names.
const syncAtOnce = 4096

// sync tells the owner which members this node has. s.mu is held.
func (m *mesh) sync(s *meshSlot, b *branch) {
	for at, conns := range b.positions() {
		list := make([]wire.ConnID, 0, len(conns))
		for _, c := range conns {
			switch {
			case m.introduce(s.route.Owner, c) == nil:
				list = append(list, c.id)
			case !c.ended():
				return // the owner is gone
			}
		}
		for chunk := range slices.Chunk(list, syncAtOnce) {
			m.tell(s.route.Owner, &wire.Frame{Kind: wire.Sync, Slot: uint64(s.id), Epoch: s.route.Epoch, Topic: b.topic,
				Position: at.Epoch, Seq: at.Seq, Conns: chunk})
		}
	}
}

// tellAllNamed tells the owner that all members of this node in the slot have been named. s.mu is held.
func (m *mesh) tellAllNamed(s *meshSlot) {
	m.tell(s.route.Owner, &wire.Frame{Kind: wire.Sync, Slot: uint64(s.id), Epoch: s.route.Epoch}) // of no room
}

// adopt takes over the members that a room of this node has here, or that were on their way to it, when it goes to another node: they
// stay members, of a room that is elsewhere; or of the next one here, if the slot is back already.
func (m *mesh) adopt(r *Room, a *arrival) {
	s := m.slot(r.topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine {
		r.shard.mu.Lock()
		r.shard.welcome(r.kind, r.topic, a)
		r.shard.mu.Unlock()
		return
	}
	b := m.branch(s, r.topic)
	if len(b.members) == 0 {
		b.at = a.at
	}
	for _, c := range a.list {
		if c.reseat(b) {
			b.keep(c, a.at)
		}
	}
	if len(b.members) == 0 {
		delete(s.branches, r.topic)
	} else if s.route.Epoch != 0 && s.synced == s.route.Epoch {
		m.sync(s, b) // the next owner was quicker
	}
}

// reseat puts a seat in the place of another one of the same room; false when the connection is not there any more.
func (c *Conn) reseat(to seat) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.seatAt(to.name())
	if i < 0 || c.closing {
		return false
	}
	c.rooms[i] = to
	c.moves++
	return true
}
