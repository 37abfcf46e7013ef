// Package hub fans frames out to sockets. A process has a few hubs, about one per core; each socket belongs to one, and
// that hub alone knows which of its sockets are in which group and alone writes to them.
//
// What happens to a hub's sockets is an ordered queue of events. The hub takes all that is queued, appends frames to
// its sockets' queues, and then writes each touched socket once: batches grow with the load by themselves and add no delay.
package hub

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// Options configure the hubs of a server.
type Options struct {
	Hubs     int // 0: one per core
	Clock    clock.Clock
	Liveness socket.Liveness
}

// Set is the hubs of a server.
type Set struct {
	hubs []*Hub
	next atomic.Uint32
}

// New starts the hubs. They run until Close.
func New(o Options) *Set {
	n := o.Hubs
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	s := &Set{}
	for range n {
		h := &Hub{clock: o.Clock, liveness: o.Liveness, wake: make(chan struct{}, 1), done: make(chan struct{}), ping: socket.NewPing()}
		h.room.L = &h.mu
		s.hubs = append(s.hubs, h)
		go h.run()
	}
	return s
}

// Close ends the loops after they have done what was posted before.
func (s *Set) Close() {
	for _, h := range s.hubs {
		h.post(event{kind: evStop})
	}
	for _, h := range s.hubs {
		<-h.done
	}
}

// Add gives a socket to the next hub.
func (s *Set) Add(sock *socket.Socket) *Member {
	h := s.hubs[int(s.next.Add(1))%len(s.hubs)]
	m := &Member{Socket: sock, hub: h, index: -1}
	h.post(event{kind: evAdd, member: m})
	return m
}

// Sync waits until every hub has done what was posted before, and has offered it to the kernel.
func (s *Set) Sync() {
	for _, h := range s.hubs {
		done := make(chan struct{})
		h.post(event{kind: evSync, call: func() { close(done) }})
		<-done
	}
}

// Member is a socket on its hub.
type Member struct {
	Socket *socket.Socket
	hub    *Hub

	// These belong to the hub's loop.
	index  int // in hub.members; -1: not there
	dirty  bool
	groups []groupRef
}

// Hub returns the hub that the socket belongs to.
func (m *Member) Hub() *Hub { return m.hub }

// Send queues a frame for this socket, behind everything that was posted before.
func (m *Member) Send(f *socket.Frame) { m.hub.post(event{kind: evSend, member: m, frame: f}) }

// Close sends a close frame behind everything that was posted before.
func (m *Member) Close(code int, reason string) {
	m.hub.post(event{kind: evCall, call: func() { m.Socket.Close(code, reason) }})
}

// Remove takes the socket off its hub and out of all its groups. It is the last event of a socket.
func (m *Member) Remove() { m.hub.post(event{kind: evRemove, member: m}) }

// Group is the members of one room on one hub.
type Group struct {
	hub     *Hub
	members []*Member // belongs to the hub's loop
}

// groupRef is a group that a member is in, and its place there.
type groupRef struct {
	group *Group
	at    int
}

// NewGroup returns a group without members on h.
func (h *Hub) NewGroup() *Group { return &Group{hub: h} }

// Join adds a member of the group's hub.
func (g *Group) Join(m *Member) { g.hub.post(event{kind: evJoin, group: g, member: m}) }

// Leave removes a member; one that is not in the group is left alone.
func (g *Group) Leave(m *Member) { g.hub.post(event{kind: evLeave, group: g, member: m}) }

// Publish queues a frame for every member but except, which may be nil.
func (g *Group) Publish(f *socket.Frame, except *Member) {
	g.hub.post(event{kind: evPublish, group: g, frame: f, member: except})
}

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

// maxQueued is how many events may wait before those who post have to. The hub itself waits for nobody, so they do not
// wait for long.
const maxQueued = 64 << 10

// sweepInterval is how often sockets are checked for signs of life.
const sweepInterval = time.Second

// parallelFlush is the number of touched sockets from which on several cores write.
const parallelFlush = 256

// Hub is one loop and its sockets.
type Hub struct {
	clock    clock.Clock
	liveness socket.Liveness
	ping     *socket.Frame
	wake     chan struct{}
	done     chan struct{}

	mu     sync.Mutex
	room   sync.Cond // signalled when the queue was taken
	queue  []event
	asleep bool
	ended  bool

	// These belong to the loop.
	members  []*Member
	dirty    []*Member
	scratch  []byte
	sweeping bool
	stopped  bool
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
	wake := h.asleep
	h.asleep = false
	h.mu.Unlock()
	if wake {
		h.wake <- struct{}{}
	}
}

// run is the loop: take all, apply in order, write each touched socket once.
func (h *Hub) run() {
	defer close(h.done)
	var batch []event
	for !h.stopped {
		batch = h.take(batch)
		now := h.clock.Now().UnixNano()
		for i := range batch {
			h.apply(&batch[i], now)
		}
		clear(batch)
		h.flush()
	}
	h.mu.Lock()
	rest := h.queue // posted before the end was known
	h.queue = nil
	h.mu.Unlock()
	for i := range rest {
		h.apply(&rest[i], h.clock.Now().UnixNano())
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
		e.member.index = len(h.members)
		h.members = append(h.members, e.member)
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
	if !m.Socket.Push(f, now) {
		m.Socket.CloseSlow("too slow a reader")
		return
	}
	if !m.dirty {
		m.dirty = true
		h.dirty = append(h.dirty, m)
	}
}

// flush writes all touched sockets, on several cores when they are many. The order of each socket's frames is fixed by
// then.
func (h *Hub) flush() {
	if len(h.dirty) == 0 {
		return
	}
	if workers := runtime.GOMAXPROCS(0); len(h.dirty) >= parallelFlush && workers > 1 {
		h.flushParallel(workers)
	} else {
		if h.scratch == nil {
			h.scratch = make([]byte, 0, 64<<10)
		}
		flushAll(h.dirty, h.scratch)
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
}

func (h *Hub) flushParallel(workers int) {
	var wg sync.WaitGroup
	part := (len(h.dirty) + workers - 1) / workers
	for rest := h.dirty; len(rest) > 0; {
		n := min(part, len(rest))
		some := rest[:n]
		rest = rest[n:]
		wg.Go(func() {
			scratch := scratches.Get().(*[]byte)
			flushAll(some, *scratch)
			scratches.Put(scratch)
		})
	}
	wg.Wait()
}

// scratches are the buffers of parallel flushes, for all hubs of the process.
var scratches = sync.Pool{New: func() any {
	b := make([]byte, 0, 64<<10)
	return &b
}}

func flushAll(members []*Member, scratch []byte) {
	for _, m := range members {
		m.dirty = false
		m.Socket.Flush(scratch)
	}
}

func (h *Hub) remove(m *Member) {
	if m.index < 0 {
		return
	}
	for len(m.groups) > 0 {
		m.groups[len(m.groups)-1].group.remove(m)
	}
	last := h.members[len(h.members)-1]
	h.members[m.index] = last
	last.index = m.index
	h.members[len(h.members)-1] = nil
	h.members = h.members[:len(h.members)-1]
	m.index = -1
	m.groups = nil
}

// scheduleSweep arms the one timer of the hub while it has members.
func (h *Hub) scheduleSweep() {
	if h.sweeping || len(h.members) == 0 {
		return
	}
	h.sweeping = true
	h.clock.AfterFunc(sweepInterval, func() { h.post(event{kind: evSweep}) })
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
	h.flush()
	h.mu.Lock()
	h.ended = true
	h.room.Broadcast()
	h.mu.Unlock()
	h.stopped = true
}

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
	m.groups[i] = m.groups[len(m.groups)-1]
	m.groups = m.groups[:len(m.groups)-1]

	last := len(g.members) - 1
	if moved := g.members[last]; moved != m {
		g.members[at] = moved
		moved.groups[g.find(moved)].at = at
	}
	g.members[last] = nil
	g.members = g.members[:last]
}
