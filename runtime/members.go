package runtime

// Members of a room: how they come, and how they go.

import (
	"iter"
	"log/slog"
	"slices"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// membership is what a room knows of a member.
type membership struct {
	id   int    // among all of the room
	from uint64 // number of the room's last message when it began
}

// Join makes a connection a member: from here on it gets what the room publishes. It does nothing when the connection is a
// member. The error is an *Error for the client: Authorize's answer, or the code of a capacity that is used up.
func (r *Room) Join(c *Conn) error {
	if r.Has(c) {
		return nil
	}
	if r.srv.Authorize != nil {
		if err := c.authorize(c.ctx, &Op{Kind: OpJoin, Topic: r.topic}); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.members[c]; ok {
		return nil
	}
	return r.admit(c, r.seq, r.welcome(c, r.seq))
}

// welcome is where a member begins.
type welcome struct {
	seq   uint64        // of the last message that it has had
	frame *socket.Frame // that tells it so; nil: it is not told
	known bool          // to its gateway, which has named it as a member
}

// welcome returns how a member begins behind a message. r.mu is held.
func (r *Room) welcome(c *Conn, seq uint64) welcome {
	w := welcome{seq: seq}
	if r.tracks(c) {
		at := resume.Position{Epoch: r.history.epoch, Seq: seq}
		w.frame = controlFrame(resume.TypeJoined, r.topic, 0, func(w *jx.Writer) { resume.EncodePosition(w, at) })
	}
	return w
}

// admit makes a connection that is none a member, within the limits. from is the number of the room's last message when the membership
// began, of which this one may be the continuation. r.mu is held.
func (r *Room) admit(c *Conn, from uint64, w welcome) error {
	limits := &r.srv.Limits
	if limits.RoomMembers > 0 && len(r.members) >= limits.RoomMembers {
		return Errorf(CodeRoomFull, "%s has %d members", r.topic, len(r.members))
	}
	if err := c.enter(r, limits.RoomsPerConn); err != nil {
		return err
	}
	r.joins++
	r.members[c] = membership{id: r.joins, from: from}
	r.outlet(c).join(c, w)
	r.presenceJoined(c)
	r.srv.stats.members.Add(1)
	return nil
}

// enter adds a room to the connection and the connection to the room's shard. It is refused when the connection has ended,
// so that no room keeps it.
func (c *Conn) enter(r *Room, limit int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return Errorf(CodeUnavailable, "the connection is closing")
	case r.closed:
		return Errorf(CodeUnavailable, "%s is closed", r.topic)
	}
	at := c.seatAt(r.topic)
	if n := c.roomCount(); limit > 0 && at < 0 && n >= limit {
		return Errorf(CodeTooManyRooms, "in %d rooms", n)
	}
	if err := r.shard.admit(c); err != nil {
		return err
	}
	c.moves++
	if at >= 0 { // it was in the room when another node owned it
		c.rooms[at] = r
		return nil
	}
	c.rooms = append(c.rooms, r)
	return nil
}

// roomCount returns the number of rooms that the connection is in. c.mu is held.
func (c *Conn) roomCount() int {
	if c.remote != nil {
		return len(c.topics())
	}
	return len(c.rooms)
}

// Leave ends a membership: nothing that the room publishes after it reaches the connection. OnLeave is not called.
func (r *Room) Leave(c *Conn) { r.remove(c, Left) }

// Kick ends a membership and tells the connection with an ERROR frame of PERMISSION_DENIED. The handler's OnLeave is called
// in a turn of its own.
func (r *Room) Kick(c *Conn, reason string) {
	if !r.remove(c, Kicked) {
		return
	}
	c.answerError(false, "", Errorf(CodePermissionDenied, "removed from %s: %s", r.topic, reason))
	r.mail.PostAlways(roomMail{call: func() { r.notifyLeft(c, Kicked) }})
}

// left handles the end of a membership that did not come from the room.
func (r *Room) left(c *Conn, cause LeaveCause) {
	if r.remove(c, cause) {
		r.notifyLeft(c, cause)
		r.active = r.srv.Clock.Now()
	}
}

func (r *Room) notifyLeft(c *Conn, cause LeaveCause) {
	if r.state != roomOpen || r.srv.OnLeave == nil {
		return
	}
	if err := guard(func() error { r.srv.OnLeave(r.ctx, r.handler, c, cause); return nil }); err != nil {
		r.srv.report(r.ctx, c, err, slog.String("topic", r.topic))
	}
}

// remove reports whether the connection was a member. One that is only disconnected may come back.
func (r *Room) remove(c *Conn, cause LeaveCause) bool {
	r.mu.Lock()
	m, ok := r.members[c]
	if ok {
		delete(r.members, c)
		var farewell *socket.Frame
		if cause == Disconnected {
			r.interrupted(c, m)
		} else if r.tracks(c) {
			farewell = leftFrame(r.topic, resume.Left{})
		}
		r.outlet(c).leave(c, farewell)
		r.presenceLeft(m)
		c.exit(r)
		r.shard.dismiss(c)
		r.srv.stats.members.Add(-1)
	}
	r.mu.Unlock()
	if ok {
		r.armIdle()
	}
	return ok
}

// exit takes a room off the connection.
func (c *Conn) exit(r seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.rooms, r); i >= 0 {
		c.rooms = slices.Delete(c.rooms, i, i+1)
		c.moves++
	}
}

// Has reports whether the connection is a member.
func (r *Room) Has(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.members[c]
	return ok
}

// Len returns the number of members.
func (r *Room) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members)
}

// Members returns the members at the time of the call, in no order.
func (r *Room) Members() iter.Seq[*Conn] {
	r.mu.Lock()
	members := make([]*Conn, 0, len(r.members))
	for c := range r.members {
		members = append(members, c)
	}
	r.mu.Unlock()
	return slices.Values(members)
}
