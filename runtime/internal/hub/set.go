// Package hub fans frames out to sockets. A process has one hub, or a few on a large machine; each socket belongs to one, and
// that hub alone knows which of its sockets are in which group, and writes to their queues. Others do for single frames while
// it has nothing to do, so that the order of what is sent to a socket stays that of the posts.
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

// coresPerHub is how many cores share a hub. A hub writes on all cores when there is much to write, so the cores are not
// what it lacks; and one hub has all frames of a room together, where several would write at different times.
const coresPerHub = 8

// Options configure the hubs of a server.
type Options struct {
	Hubs     int         // 0 or less: one for every 8 cores
	Clock    clock.Clock // nil: the system's
	Liveness socket.Liveness
	// Turn is called after a hub has written what was queued: how many frames, to how many sockets. Nil: nobody is told.
	Turn func(frames, sockets int, took time.Duration)
}

// Set is the hubs of a server. Its methods are safe for concurrent use.
type Set struct {
	hubs []*Hub
	next atomic.Uint32
}

// New starts the hubs. They run until Close.
func New(o Options) *Set {
	if o.Hubs <= 0 {
		o.Hubs = (runtime.GOMAXPROCS(0) + coresPerHub - 1) / coresPerHub
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	s := &Set{}
	scratches := &sync.Pool{New: newScratch}
	for range o.Hubs {
		h := newHub(o, scratches)
		s.hubs = append(s.hubs, h)
		go h.run()
	}
	return s
}

// Close ends the loops after they have done what was posted before, and waits for that. Later posts do nothing, but for
// Member.Close. The sockets are left alone: the caller has ended them, or ends them now.
func (s *Set) Close() {
	for _, h := range s.hubs {
		h.post(event{kind: evStop})
	}
	for _, h := range s.hubs {
		<-h.done
	}
}

// Load is what a hub has to do.
type Load struct {
	Sockets int
	Queue   int           // events that wait
	Turn    time.Duration // since its turn began; 0: it has none
}

// Load returns what the hubs have to do; now is of the system's clock.
func (s *Set) Load(now time.Time) []Load {
	out := make([]Load, len(s.hubs))
	for i, h := range s.hubs {
		h.mu.Lock()
		queue := len(h.queue)
		h.mu.Unlock()
		out[i] = Load{Sockets: int(h.sockets.Load()), Queue: queue}
		if began := h.began.Load(); began != 0 {
			out[i].Turn = max(now.Sub(time.Unix(0, began)), 0)
		}
	}
	return out
}

// Add gives a socket to the next hub. It may be sent to and joined to groups at once.
func (s *Set) Add(sock *socket.Socket) *Member {
	h := s.hubs[s.next.Add(1)%uint32(len(s.hubs))]
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
