package runtime

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/actor"
	"github.com/wsgen/wsgen/runtime/internal/resume"
)

// Room is a room that is open. Its messages are handled one at a time, in its turn; its methods are safe to call from
// anywhere, and keep their order with what is called before and after them in the turn.
type Room struct {
	srv    *Server
	shard  *shard
	kind   int
	key    string
	topic  string
	handle any
	ctx    context.Context
	cancel context.CancelFunc
	mail   actor.Mailbox[roomMail]

	// These belong to the turn.
	state   roomState
	handler any
	openErr error
	active  time.Time // of the last message

	persistence persistence // of the turn

	mu       sync.Mutex
	members  map[*Conn]membership
	outlets  []outlet
	seq      uint64
	joins    int // memberships so far
	history  *history
	presence presence
	idle     clock.Timer
	timers   map[*roomTimer]struct{}
	closed   bool
}

// membership is what a room knows of a member.
type membership struct {
	id   int    // among all of the room
	from uint64 // number of the room's last message when it began
}

type roomState int

const (
	roomNew roomState = iota
	roomOpen
	roomRefused
	roomClosed
)

// roomMail is one thing that happens in a room's turn.
type roomMail struct {
	in    *inbound
	leave *Conn      // is to leave, or has left
	cause LeaveCause // of leave
	call  func()     // After
	back  *returning // wants to be a member again
	task  roomTask   // of the room's own
	done  func()     // called at the end; may be nil
}

// roomTask is something that a room has to do by itself.
type roomTask uint8

const (
	taskNone     roomTask = iota
	taskIdle              // it may have been empty for long enough
	taskClose             // the server drains
	taskPresence          // members came and went
	taskSave              // a snapshot is due
)

// RoomCloseHandler is implemented by room handlers that want to know when their room closes: it was empty for the idle
// time, or the server drains. OnClose is the room's last turn.
type RoomCloseHandler interface {
	OnClose(ctx context.Context)
}

func newRoom(sh *shard, kind int, key, topic string) *Room {
	r := &Room{srv: sh.srv, shard: sh, kind: kind, key: key, topic: topic, members: make(map[*Conn]membership)}
	if limits := sh.srv.protocol.Sharding.History; limits != nil {
		r.history = newHistory(*limits)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.mail.Init(&sh.srv.workers, sh.srv.Limits.Mailbox, r.turn)
	r.handle = sh.srv.NewRoom(r)
	return r
}

// ID returns the room's key, such as general.
func (r *Room) ID() string { return r.key }

// Topic returns <kind>:<key>, such as room:general.
func (r *Room) Topic() string { return r.topic }

// Shard returns the number of the shard that owns the room.
func (r *Room) Shard() int { return r.shard.id }

// Handle returns the generated type around this room.
func (r *Room) Handle() any { return r.handle }

// Context ends when the room closes.
func (r *Room) Context() context.Context { return r.ctx }

// turn handles one piece of mail. It runs for one at a time.
func (r *Room) turn(m roomMail) {
	switch {
	case m.in != nil:
		r.message(m.in)
	case m.leave != nil:
		r.left(m.leave, m.cause)
	case m.call != nil:
		if r.state == roomOpen {
			if err := guard(func() error { m.call(); return nil }); err != nil {
				r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
			}
		}
	case m.back != nil:
		r.welcomeBack(m.back)
	default:
		r.do(m.task)
	}
	if m.done != nil {
		m.done()
	}
}

func (r *Room) do(task roomTask) {
	switch task {
	case taskIdle:
		r.closeIdle()
	case taskClose:
		r.end()
	case taskPresence:
		r.tellPresence()
	case taskSave:
		r.saveNow()
	}
}

func (r *Room) message(in *inbound) {
	if r.state == roomNew {
		r.open()
	}
	if r.state != roomOpen {
		in.done(nil, r.openErr)
		return
	}
	r.active = in.run(r.handler)
	r.armIdle()
	r.armSave()
}

// open makes the handler. When that fails the room is forgotten, and all that wait for it learn why.
func (r *Room) open() {
	err := r.load()
	if err == nil {
		err = guard(func() (err error) {
			r.handler, err = r.srv.OpenRoom[r.kind](r.ctx, r)
			if err == nil && isNil(r.handler) {
				err = Errorf(CodeNotFound, "there is no %s", r.topic)
			}
			return err
		})
	}
	if err == nil {
		err = r.restore()
	}
	if err == nil {
		r.state = roomOpen
		return
	}
	r.state, r.openErr = roomRefused, err
	r.shard.forget(r)
	r.release()
}

// armIdle sees to it that an empty room closes after the idle time.
func (r *Room) armIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := r.srv.settings.idle
	if len(r.members) > 0 || r.closed || idle < 0 {
		return
	}
	if r.idle == nil {
		r.idle = r.srv.Clock.AfterFunc(idle, func() { r.mail.PostAlways(roomMail{task: taskIdle}) })
	} else {
		r.idle.Reset(idle)
	}
}

func (r *Room) closeIdle() {
	switch {
	case r.state != roomOpen || r.Len() > 0:
	case r.srv.Clock.Now().Sub(r.active) < r.srv.settings.idle, r.awaited():
		r.armIdle() // it was used meanwhile, or somebody may come back
	case !r.saveLast():
		r.armIdle() // what is not saved is not thrown away
	case r.shard.forgetIdle(r):
		r.finish()
	default:
		r.saveAgain()
		r.armIdle()
	}
}

// end closes the room, whatever is in it.
func (r *Room) end() {
	if r.state == roomOpen && !r.saveLast() {
		r.srv.unsaved.Add(1)
	}
	r.finish()
}

// finish is the last turn that the handler sees.
func (r *Room) finish() {
	if r.state == roomOpen {
		if h, ok := r.handler.(RoomCloseHandler); ok {
			if err := guard(func() error { h.OnClose(r.ctx); return nil }); err != nil {
				r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
			}
		}
	}
	if r.state != roomClosed {
		r.state, r.openErr = roomClosed, Errorf(CodeUnavailable, "the room is closed")
		r.shard.forget(r)
		r.release()
	}
}

// release stops the timers of a room that nobody can reach any more.
func (r *Room) release() {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.idle != nil {
		r.idle.Stop()
	}
	if r.history != nil && r.history.trim != nil {
		r.history.trim.Stop()
	}
	for t := range r.timers {
		t.timer.Stop()
	}
	r.timers = nil
	r.persistence.stop()
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
	return r.admit(c, func(m membership) {
		if r.tracks(c) {
			c.sendJoined(r.topic, resume.Position{Epoch: r.history.epoch, Seq: m.from})
		}
	})
}

// admit makes a connection that is none a member, within the limits; begun is called before anything can be published to
// it. r.mu is held.
func (r *Room) admit(c *Conn, begun func(m membership)) error {
	limits := &r.srv.Limits
	if limits.RoomMembers > 0 && len(r.members) >= limits.RoomMembers {
		return Errorf(CodeRoomFull, "%s has %d members", r.topic, len(r.members))
	}
	if err := c.enter(r, limits.RoomsPerConn); err != nil {
		return err
	}
	r.joins++
	m := membership{id: r.joins, from: r.seq}
	r.members[c] = m
	r.outlet(c).join(c)
	begun(m)
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
	case c.closing || r.closed:
		return Errorf(CodeUnavailable, "the connection is closing")
	case limit > 0 && len(c.rooms) >= limit:
		return Errorf(CodeTooManyRooms, "in %d rooms", len(c.rooms))
	}
	if err := r.shard.admit(c); err != nil {
		return err
	}
	c.rooms = append(c.rooms, r)
	return nil
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
		r.outlet(c).leave(c)
		if cause == Disconnected {
			r.interrupted(c, m)
		} else if r.tracks(c) {
			c.sendLeft(r.topic, resume.Left{})
		}
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
func (c *Conn) exit(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.rooms, r); i >= 0 {
		c.rooms = slices.Delete(c.rooms, i, i+1)
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

type roomTimer struct{ timer clock.Timer }

// After calls f in the room's turn once d has passed. The function that it returns cancels the call and reports whether
// that came in time. A room that closes cancels all its calls; they do not keep it open.
func (r *Room) After(d time.Duration, f func()) (stop func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return func() bool { return false }
	}
	t := &roomTimer{}
	forget := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		_, waits := r.timers[t]
		delete(r.timers, t)
		return waits
	}
	t.timer = r.srv.Clock.AfterFunc(d, func() {
		r.mail.PostAlways(roomMail{call: func() {
			if forget() {
				f()
			}
		}})
	})
	if r.timers == nil {
		r.timers = make(map[*roomTimer]struct{})
	}
	r.timers[t] = struct{}{}
	return func() bool {
		t.timer.Stop()
		return forget()
	}
}
