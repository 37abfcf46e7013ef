package hub

// The loop of a hub: its queue, and what the events do.

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

type eventKind uint8

const (
	evAdd eventKind = iota
	evRemove
	evJoin
	evLeave
	evPublish
	evSend
	evCall
	evSync
	evSweep
	evStop
)

type event struct {
	kind   eventKind
	group  *Group
	member *Member
	frame  *socket.Frame
	call   func()
}

const (
	// maxQueued is how many events may wait before those who post have to. The hub itself waits for nobody, so they do
	// not wait for long.
	maxQueued = 64 << 10
	// maxTurn is how many events are done before the sockets are written. It is well below what a socket's queue holds,
	// so that a burst of messages does not make a reader look slow before it was sent anything.
	maxTurn = 512

	// How long a hub waits for more after a turn: this part of the turn's time, within these bounds.
	gatherPart = 3
	minGather  = 20 * time.Microsecond
	maxGather  = 2 * time.Millisecond
)

// Hub is one loop and its sockets.
type Hub struct {
	clock     clock.Clock
	turn      func(frames, sockets int, took time.Duration)
	liveness  socket.Liveness
	ping      *socket.Frame
	scratches *sync.Pool // of other cores, shared by the hubs of a set
	wake      chan struct{}
	began     atomic.Int64 // UnixNano, of the system's clock, of the turn; 0: there is none
	sockets   atomic.Int64 // len(members)
	quiet     atomic.Bool  // all that was posted is done
	done      chan struct{}

	mu     sync.Mutex
	room   sync.Cond // signalled when the queue was taken
	queue  []event
	asleep bool
	ended  bool

	// These belong to the loop.
	members  []*Member
	dirty    []*Member
	scratch  []byte // for what is written to one socket
	sweeper  clock.Timer
	sweeping bool
	stopped  bool
	frames   int // pushed to sockets since gather
	writes   int // of sockets
}

func newHub(o Options, scratches *sync.Pool) *Hub {
	h := &Hub{
		clock: o.Clock, liveness: o.Liveness, turn: o.Turn, ping: socket.NewPing(),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		scratches: scratches, scratch: make([]byte, 0, scratchSize),
	}
	h.room.L = &h.mu
	return h
}

// post appends an event. It waits while the queue is full, which is what slows down those who publish faster than the
// machine can write.
func (h *Hub) post(e event) {
	h.mu.Lock()
	for len(h.queue) >= maxQueued && !h.ended && e.kind != evSweep {
		h.room.Wait()
	}
	if h.ended {
		h.mu.Unlock()
		if e.call != nil {
			e.call() // nobody else will, and Sync waits for it
		}
		return
	}
	h.queue = append(h.queue, e)
	h.quiet.Store(false)
	wake := h.asleep
	h.asleep = false
	h.mu.Unlock()
	if wake {
		h.wake <- struct{}{} // never full: asleep is set before each receive, and unset by one post
	}
}

// run is the loop: take all, apply in order, write each touched socket once.
func (h *Hub) run() {
	defer close(h.done)
	var batch []event
	for !h.stopped {
		batch = h.take(batch)
		start := time.Now()
		h.began.Store(start.UnixNano())
		h.turns(batch)
		h.began.Store(0)
		h.gather(time.Since(start))
		clear(batch)
	}
	h.mu.Lock()
	rest := h.queue // posted before the end was known, and nobody posts any more
	h.queue = nil
	h.mu.Unlock()
	h.turns(rest)
	h.members = nil
}

// gather lets what follows come together: a hub that is under load waits for a fraction of the time that its turn took,
// and then writes more frames at once. Each write costs about the same, however many frames it has; so this saves a good
// part of the processor's time, and with it latency. Where sockets get one frame at a time there is nothing to gather, and
// nobody waits.
func (h *Hub) gather(took time.Duration) {
	frames, writes := h.frames, h.writes
	h.frames, h.writes = 0, 0
	if h.turn != nil && writes > 0 {
		h.turn(frames, writes, took)
	}
	if wait := min(took/gatherPart, maxGather); frames >= 2*writes && wait >= minGather {
		time.Sleep(wait)
	}
}

// turns applies events, and writes after each maxTurn of them.
func (h *Hub) turns(batch []event) {
	for len(batch) > 0 {
		n := min(len(batch), maxTurn)
		now := h.clock.Now().UnixNano()
		for i := range batch[:n] {
			h.apply(&batch[i], now)
		}
		h.flush()
		batch = batch[n:]
	}
}

// take waits for events and returns all of them in exchange for the buffer of the last ones.
func (h *Hub) take(spare []event) []event {
	for {
		// Readers and rooms that are about to post add to the batch.
		runtime.Gosched()
		h.mu.Lock()
		if len(h.queue) > 0 {
			batch := h.queue
			if cap(spare) > 4096 && len(batch) < cap(spare)/8 {
				spare = nil
			}
			h.queue = spare[:0]
			h.room.Broadcast()
			h.mu.Unlock()
			return batch
		}
		h.asleep = true
		h.quiet.Store(true)
		h.mu.Unlock()
		<-h.wake
	}
}

func (h *Hub) apply(e *event, now int64) {
	switch e.kind {
	case evPublish:
		for _, m := range e.group.members {
			if m != e.member {
				h.push(m, e.frame, now)
			}
		}
	case evSend:
		if e.member.index >= 0 {
			h.push(e.member, e.frame, now)
		}
	case evJoin:
		if e.member.index >= 0 {
			e.group.add(e.member)
		}
	case evLeave:
		e.group.remove(e.member)
	case evAdd:
		e.member.index = int32(len(h.members))
		h.members = append(h.members, e.member)
		h.sockets.Add(1)
		h.scheduleSweep()
	case evRemove:
		h.remove(e.member)
	case evCall:
		e.call()
	case evSync:
		h.flush()
		e.call()
	case evSweep:
		h.sweep(now)
	case evStop:
		h.stop()
	}
}

func (h *Hub) push(m *Member, f *socket.Frame, now int64) {
	if !m.Socket.Push(f, now, h.scratch) {
		m.Socket.CloseSlow(socket.ReasonSlow)
		return
	}
	h.frames++
	if !m.dirty {
		m.dirty = true
		h.dirty = append(h.dirty, m)
	}
}

func (h *Hub) remove(m *Member) {
	if m.index < 0 {
		return
	}
	for len(m.groups) > 0 {
		m.groups[len(m.groups)-1].group.remove(m)
	}
	last := len(h.members) - 1
	h.members[m.index] = h.members[last]
	h.members[m.index].index = m.index
	h.members[last] = nil
	h.members = h.members[:last]
	m.index = -1
	m.groups = nil
	h.sockets.Add(-1)
}

// sweepInterval is how often sockets are checked for signs of life.
const sweepInterval = time.Second

// scheduleSweep arms the one timer of the hub while it has members.
func (h *Hub) scheduleSweep() {
	if h.sweeping || h.stopped || len(h.members) == 0 {
		return
	}
	h.sweeping = true
	if h.sweeper == nil {
		h.sweeper = h.clock.AfterFunc(sweepInterval, func() { h.post(event{kind: evSweep}) })
		return
	}
	h.sweeper.Reset(sweepInterval)
}

func (h *Hub) sweep(now int64) {
	h.sweeping = false
	for _, m := range h.members {
		m.Socket.Check(h.liveness, h.ping, now)
	}
	h.scheduleSweep()
}

// stop ends the loop. Those who wait to post are let go.
func (h *Hub) stop() {
	h.mu.Lock()
	h.ended = true
	h.room.Broadcast()
	h.mu.Unlock()
	h.stopped = true
	if h.sweeper != nil {
		h.sweeper.Stop()
	}
}
