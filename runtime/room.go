package runtime

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/actor"
)

// Room is a room that is open. Its messages are handled one at a time, in its turn; its methods are safe to call from
// anywhere, and keep their order with what is called before and after them in the turn.
type Room struct {
	srv    *Server
	shard  *shard
	epoch  uint64 // of the shard, in a cluster
	store  Store  // nil: the room is not kept
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

	lost     atomic.Bool // another node may own the shard: nothing of this room may be seen any more
	yielding atomic.Bool // the shard is being given away: messages go to its next owner

	retreats sync.Mutex // held while mail is sent to the next owner

	// pending is what a publication from outside must not overtake: the room's opening, members on their way to it, and other
	// such publications in its mailbox.
	pending atomic.Int32

	mu       sync.Mutex
	members  map[*Conn]membership
	outlets  []outlet
	seq      uint64
	joins    int    // memberships so far
	reported uint64 // seq when the node told others of it
	history  *history
	presence presence
	counter  clock.Timer // of presence in a large room; nil: it has not been one
	idle     clock.Timer
	timers   map[*roomTimer]struct{}
	closed   bool
	sealed   bool // its last snapshot is taken: a number that was given out now would be given out again
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
	sync  *arrival   // are members on a node that the room may not know of
	pub   *errand    // is a publication from outside
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
	taskCount             // the members of a large room are to learn their number
	taskSave              // a snapshot is due
	taskYield             // the shard goes to another node
)

func newRoom(sh *shard, kind int, key, topic string) *Room {
	r := &Room{srv: sh.srv, shard: sh, epoch: sh.epoch, store: sh.store(), kind: kind, key: key, topic: topic, members: make(map[*Conn]membership)}
	if limits := sh.srv.protocol.Sharding.History; limits != nil {
		r.history = newHistory(*limits)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.pending.Store(1) // it is to open
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

func (r *Room) name() string { return r.topic }
func (r *Room) of() int      { return r.kind }

func (r *Room) release(c *Conn, cause LeaveCause, done func()) {
	r.mail.PostAlways(roomMail{leave: c, cause: cause, done: done})
}

// Epoch returns the number of the ownership under which the room runs here: in a cluster every later owner of the same room has a
// larger one, so that a store outside of it can refuse what an earlier owner writes late. It is 0 without a cluster.
func (r *Room) Epoch() uint64 { return r.epoch }

// Handle returns the generated type around this room.
func (r *Room) Handle() any { return r.handle }

// Context ends when the room closes.
func (r *Room) Context() context.Context { return r.ctx }

// turn handles one piece of mail. It runs for one at a time.
func (r *Room) turn(m roomMail) {
	if r.srv.mesh != nil && !(r.ready(&m) && r.mail.Begin()) {
		r.forsake(m)
		return
	}
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
	case m.sync != nil:
		r.meet(m.sync)
		r.pending.Add(-1)
	case m.pub != nil:
		r.publishLate(m.pub)
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
	case taskCount:
		r.tellCount()
	case taskSave:
		r.saveNow()
	case taskYield:
		r.yield()
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
