package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// link is the channel to one incarnation of a peer.
type link struct {
	links *links
	peer  Peer
	over  atomic.Bool // set with the lock held

	mu         sync.Mutex
	introduced bool // the peer knows who this is
	announced  bool // the peer knows the session, or it is the first one
	mine       uint64
	theirs     uint64 // the highest session of the peer that was received
	receiving  bool   // it still is
	resets     uint64

	// What is sent. Pieces from base on are not acknowledged; sent of them are on their way.
	queue       []piece
	head        int // queue[:head] is acknowledged
	bytes       int
	base        uint64
	sent        int
	highest     uint64 // that was ever sent in the session
	probing     bool   // the peer did not answer: one packet at a time until it does
	ask         bool   // the next packet asks for an acknowledgement
	pause       time.Duration
	sentAt      time.Time // when the wait for an answer began
	takenAt     time.Time // when the peer took something, or the first of what waits was sent
	ackedAt     time.Time
	retransmits uint64
	flushes     []flush
	writing     bool // the writer runs

	// What is received.
	next         uint64 // the number of the piece that is expected
	partial      []byte // of a frame whose end is missing
	owed         int    // pieces that are to be acknowledged
	owedBytes    int
	owedAt       time.Time // when that began
	ackNow       bool
	nackNow      bool
	nacked       uint64    // what was missing when the peer was told last
	nackedAt     time.Time // when that was
	answeredAt   time.Time // when the peer was told last that its session is over
	nacks        uint64
	busy         bool // something was refused because too much waits for the handler
	inbox        []delivery
	inboxHead    int
	inboxPieces  int
	inboxBytes   int
	delivering   bool
	pending      int // resets that the handler does not know yet
	timer        clock.Timer
	timerIsDueAt time.Time // zero: it is not set
}

// piece is a frame, or a part of it.
type piece struct {
	data []byte
	more bool // the frame goes on in the next piece
}

// flush is somebody who waits until a piece is acknowledged.
type flush struct {
	number uint64
	done   chan error
}

// send queues a frame when less waits than so many quarters of what may.
func (k *link) send(frame []byte, quarters int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over.Load() {
		return errLinkOver
	}
	if k.pending > 0 {
		return nil // it belongs to a session that has broken
	}
	limits := &k.links.limits
	if k.waiting() >= limits.frames/4*quarters || k.bytes >= limits.bytes/4*quarters {
		if quarters < 4 {
			return errLinkFull
		}
		k.restart(k.mine+1, k.links.clock.Now())
		k.wake()
		return errLinkReset
	}
	if k.waiting() == 0 {
		k.takenAt = k.links.clock.Now()
	}
	k.bytes += len(frame)
	for size := limits.packet - linkHeaderSize - maxIntroduction - maxPieceHeader; len(frame) > size; frame = frame[size:] {
		k.queue = append(k.queue, piece{frame[:size], true})
	}
	k.queue = append(k.queue, piece{frame, false})
	k.wake()
	return nil
}

// waiting returns how many pieces are not acknowledged. The lock is held.
func (k *link) waiting() int { return len(k.queue) - k.head }

// unsend forgets all that was sent in a session. The lock is held.
func (k *link) unsend(err error) {
	k.queue, k.head, k.bytes = nil, 0, 0
	k.base, k.sent, k.highest, k.probing = 1, 0, 0, false
	for _, f := range k.flushes {
		f.done <- err
	}
	k.flushes = nil
}

// flushed returns what tells when all that was sent is acknowledged.
func (k *link) flushed() <-chan error {
	k.mu.Lock()
	defer k.mu.Unlock()
	done := make(chan error, 1)
	switch {
	case k.over.Load():
		done <- errLinkOver
	case k.pending > 0:
		done <- errLinkReset
	case k.waiting() == 0:
		done <- nil
	default:
		k.flushes = append(k.flushes, flush{k.base + uint64(k.waiting()) - 1, done})
		k.ask = true
		k.wake()
	}
	return done
}

// acknowledged takes what the peer says about my session. The lock is held.
func (k *link) acknowledged(h *linkHeader, now time.Time) {
	k.introduced, k.announced = true, true
	if h.flags&flagBusy != 0 {
		k.takenAt = now
	}
	if h.ack > k.highest || h.ack+1 < k.base {
		return
	}
	if n := int(h.ack + 1 - k.base); n > 0 {
		k.drop(n)
		k.pause, k.probing = k.links.limits.retransmit, false
		k.sentAt, k.takenAt, k.ackedAt = now, now, now
	}
	if h.flags&flagNack != 0 && k.sent > 0 {
		k.sent, k.probing = 0, false
		k.retransmits++
	}
}

// drop removes the oldest pieces, which are acknowledged. The lock is held.
func (k *link) drop(n int) {
	for i := range n {
		k.bytes -= len(k.queue[k.head+i].data)
	}
	clear(k.queue[k.head : k.head+n])
	k.head += n
	k.base += uint64(n)
	k.sent = max(0, k.sent-n)
	switch left := k.waiting(); {
	case left == 0:
		k.head = 0
		if k.queue = k.queue[:0]; cap(k.queue) > keptPieces {
			k.queue = nil
		}
	case k.head > keptPieces && k.head > left:
		copy(k.queue, k.queue[k.head:])
		clear(k.queue[left:])
		k.queue, k.head = k.queue[:left], 0
	}
	done := 0
	for ; done < len(k.flushes) && k.flushes[done].number < k.base; done++ {
		k.flushes[done].done <- nil
	}
	k.flushes = k.flushes[done:]
}

// keptPieces is for how many pieces a link has room that has nothing to send.
const keptPieces = 64

// wake starts the writer when there is something to write, and sets the timer for what is due later. The lock is held.
func (k *link) wake() {
	if k.over.Load() {
		return
	}
	if !k.writing && k.mustWrite() {
		k.writing = true
		k.links.running.Add(1)
		go k.write()
	}
	k.setTimer()
}

func (k *link) mustWrite() bool {
	return k.links.started.Load() && (k.mustSend() || k.ackNow || k.nackNow || k.ask)
}

// mustSend reports whether there are pieces to send. The lock is held.
func (k *link) mustSend() bool { return k.sent < k.waiting() && !(k.probing && k.sent > 0) }

// write sends packets until there is nothing to send. What comes meanwhile shares the next packet.
func (k *link) write() {
	defer k.links.running.Done()
	buffer := k.links.buffers.Get().(*[]byte)
	defer k.links.buffers.Put(buffer)
	for {
		packet := k.pack((*buffer)[:0])
		if packet == nil {
			return
		}
		// What is lost is sent again, whatever the reason.
		_ = k.links.transport.Send(k.peer.Address, packet)
		*buffer = packet
	}
}

// pack makes the next packet; nil when there is none, and the writer ends.
func (k *link) pack(b []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over.Load() || !k.mustWrite() {
		k.writing = false
		return nil
	}
	h := k.header()
	b = appendLinkHeader(b, &h)
	count := 0
	if k.mustSend() {
		if k.sent == 0 {
			k.sentAt = k.links.clock.Now()
		}
		for ; k.sent < k.waiting(); count++ {
			p := k.queue[k.head+k.sent]
			if count > 0 && len(b)+maxPieceHeader+len(p.data) > k.links.limits.packet {
				break
			}
			b = appendPiece(b, p)
			k.sent++
		}
		k.highest = max(k.highest, k.base+uint64(k.sent)-1)
	}
	if k.probing || k.sent == k.waiting() {
		k.ask = false
	}
	sealPacket(b, count)
	k.setTimer()
	return b
}

// header returns the header of the next packet, which acknowledges what has come. The lock is held.
func (k *link) header() linkHeader {
	h := linkHeader{
		source: k.links.self.Incarnation, target: k.peer.Incarnation,
		session: k.mine, peerSession: k.theirs, first: k.base + uint64(k.sent), ack: k.next - 1,
	}
	set := func(flag byte, on bool) {
		if on {
			h.flags |= flag
		}
	}
	set(flagOver, !k.receiving)
	set(flagAsk, k.ask || !k.announced && k.mine > 1)
	set(flagNack, k.nackNow)
	set(flagBusy, k.busy)
	if !k.introduced {
		h.flags |= flagIntroduction
		h.node, h.address = []byte(k.links.self.Node), []byte(k.links.self.Address)
	}
	k.owed, k.owedBytes, k.ackNow, k.nackNow = 0, 0, false, false
	return h
}
