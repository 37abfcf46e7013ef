package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// links are the ordered, acknowledged channels of a node to all others, over one Transport. Frames to one peer arrive once and in
// order as long as the session of the link lives; when it breaks, both sides are told.
//
// The story: links.go is what the node uses. linksend.go keeps frames until they are acknowledged and makes packets of them,
// linkreceive.go takes packets apart, linksession.go decides which of them count.
type links struct {
	self      Peer
	transport Transport
	clock     clock.Clock
	limits    linkLimits
	handler   linkHandler
	stop      func() // the listener; nil: none
	started   atomic.Bool
	running   sync.WaitGroup
	buffers   sync.Pool // of packets: *[]byte

	mu        sync.RWMutex
	closed    bool
	peers     map[uint64]*link    // by incarnation
	forgotten map[uint64]struct{} // incarnations that are over
	before    map[uint64]struct{} // those that were forgotten earlier
}

// linkHandler is what a link calls: for one peer one call at a time.
type linkHandler struct {
	receive func(from Peer, frame []byte) // frames of one peer in order; the frame is the handler's
	// reset says that what was sent to the peer and not confirmed, and what it sent, may be lost. It is called once for each session
	// that breaks, on each side. Frames that are sent from within reset or later belong to the new session, those before to the
	// broken one, and those that others send while it is about to be called to either.
	reset func(peer Peer)
}

// linkLimits are bounds and times of links; what is 0 has the default.
type linkLimits struct {
	frames, bytes   int           // that wait for one peer, or of it for the handler, before more is refused; 64 Ki, 8 MiB
	frame           int           // size of a frame; 16 MiB
	packet          int           // size of a packet; 256 KiB
	acknowledge     time.Duration // the longest time until what has come is acknowledged; 50 ms
	unacknowledged  int           // so many frames are acknowledged at once; 32
	retransmit      time.Duration // until something is sent again for the first time; 500 ms
	retransmitLater time.Duration // the longest time until it is sent again once more; 1 s, so that a dozen tries fit into dead
	dead            time.Duration // a peer that takes nothing for so long has lost its session; 12 s
	repeat          time.Duration // a gap, or a wrong session, is told so often; 100 ms
	peers           int           // how many links there may be to peers that began; 4 Ki
}

func (l linkLimits) resolve() linkLimits {
	set := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	set(&l.frames, 64<<10)
	set(&l.bytes, 8<<20)
	set(&l.frame, 16<<20)
	set(&l.packet, 256<<10)
	set(&l.unacknowledged, 32)
	set(&l.peers, 4<<10)
	for t, value := range map[*time.Duration]time.Duration{
		&l.acknowledge: 50 * time.Millisecond, &l.retransmit: 500 * time.Millisecond, &l.retransmitLater: time.Second,
		&l.dead: 12 * time.Second, &l.repeat: 100 * time.Millisecond,
	} {
		if *t == 0 {
			*t = value
		}
	}
	return l
}

// linkStats is the state of the link to a peer.
type linkStats struct {
	peer          Peer
	frames, bytes int           // that were sent and not acknowledged
	resets        uint64        // sessions that broke
	retransmits   uint64        // how often it began to send again what it had sent
	nacks         uint64        // how often the peer was told that something is missing
	acknowledged  time.Duration // since the peer acknowledged something; 0: it never has
}

var (
	errLinkFull   = errors.New("cluster: too much waits for the peer")
	errLinkReset  = errors.New("cluster: the link to the peer has broken")
	errLinkOver   = errors.New("cluster: the peer is gone")
	errLinkClosed = errors.New("cluster: the links are closed")
)

func newLinks(self Peer, t Transport, c clock.Clock, limits linkLimits, h linkHandler) *links {
	return &links{
		self: self, transport: t, clock: c, limits: limits.resolve(), handler: h,
		buffers: sync.Pool{New: func() any { return new([]byte) }},
		peers:   make(map[uint64]*link), forgotten: make(map[uint64]struct{}),
	}
}

// listen begins to receive. It is called once, before close.
func (l *links) listen() (err error) {
	l.stop, err = l.transport.Listen(l.self.Address, l.arrive)
	return err
}

// start begins to send. Until then frames wait: nobody must have got anything of a node that nobody will have heard of.
func (l *links) start() {
	l.started.Store(true)
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, k := range l.peers {
		k.mu.Lock()
		k.wake()
		k.mu.Unlock()
	}
}

// send sends a frame behind those that were sent before, and does not block. The frame must not be changed any more. It returns
// errLinkFull when three quarters of what may wait do: the frame is not sent then.
func (l *links) send(to Peer, frame []byte) error { return l.sendBelow(to, frame, 3) }

// sendAlways is send for frames that must not be missing: it has all of the room, and breaks the session when that does not
// do, which it reports as errLinkReset.
func (l *links) sendAlways(to Peer, frame []byte) error { return l.sendBelow(to, frame, 4) }

func (l *links) sendBelow(to Peer, frame []byte, quarters int) error {
	if len(frame) > l.limits.frame {
		return fmt.Errorf("cluster: a frame of %d bytes for %v is larger than %d", len(frame), to, l.limits.frame)
	}
	k, err := l.link(to, false)
	if err != nil {
		return err
	}
	return k.send(frame, quarters)
}

// flush waits until the peer has acknowledged all that was sent to it before. It returns errLinkReset when the session broke
// meanwhile, and the error of ctx when that ends.
func (l *links) flush(ctx context.Context, to Peer) error {
	l.mu.RLock()
	k := l.peers[to.Incarnation]
	l.mu.RUnlock()
	if k == nil {
		return nil
	}
	select {
	case err := <-k.flushed():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forget drops the link to an incarnation that is over, and ignores what comes from it later. It does not wait for a call of the
// handler that is running.
func (l *links) forget(peer Peer) {
	l.mu.Lock()
	k := l.peers[peer.Incarnation]
	delete(l.peers, peer.Incarnation)
	if len(l.forgotten) >= maxForgotten {
		l.before, l.forgotten = l.forgotten, make(map[uint64]struct{})
	}
	l.forgotten[peer.Incarnation] = struct{}{}
	l.mu.Unlock()
	if k != nil {
		k.end(errLinkOver)
	}
}

// maxForgotten is how many incarnations are known to be over, at least.
const maxForgotten = 16 << 10

// close drops all links, and returns when no goroutine and no timer is left. It must not be called by the handler.
func (l *links) close() {
	l.mu.Lock()
	l.closed = true
	stop, peers := l.stop, l.peers
	l.stop, l.peers = nil, nil
	l.mu.Unlock()
	if stop != nil {
		stop()
	}
	for _, k := range peers {
		k.end(errLinkClosed)
	}
	l.running.Wait()
}

// stats returns the state of all links.
func (l *links) stats() []linkStats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]linkStats, 0, len(l.peers))
	for _, k := range l.peers {
		all = append(all, k.stats())
	}
	return all
}

// link returns the link to a peer, or makes it; began: by the peer.
func (l *links) link(peer Peer, began bool) (*link, error) {
	l.mu.RLock()
	k := l.peers[peer.Incarnation]
	l.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, over := l.forgotten[peer.Incarnation]
	_, overBefore := l.before[peer.Incarnation]
	switch k = l.peers[peer.Incarnation]; {
	case k != nil:
		return k, nil
	case l.closed:
		return nil, errLinkClosed
	case over || overBefore:
		return nil, errLinkOver
	case peer.Incarnation == 0 || peer.Incarnation == l.self.Incarnation || began && len(l.peers) >= l.limits.peers:
		return nil, fmt.Errorf("cluster: there is no link to %v", peer)
	}
	k = &link{links: l, peer: peer, mine: 1, base: 1, next: 1, pause: l.limits.retransmit}
	l.peers[peer.Incarnation] = k
	return k, nil
}

// arrive takes a packet of whatever peer. Those that make no sense are lost.
func (l *links) arrive(packet []byte) {
	h, pieces, err := parsePacket(packet)
	if err != nil || h.target != l.self.Incarnation {
		return
	}
	l.mu.RLock()
	k := l.peers[h.source]
	l.mu.RUnlock()
	if k == nil {
		if h.flags&flagIntroduction == 0 {
			return
		}
		k, err = l.link(Peer{Node: string(h.node), Incarnation: h.source, Address: string(h.address)}, true)
		if err != nil {
			return
		}
	}
	k.take(&h, pieces)
}
