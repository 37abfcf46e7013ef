package cluster

import (
	"slices"
	"time"
)

// delivery is what the handler is called for.
type delivery struct {
	reset  bool
	frames [][]byte
	pieces int // of which they are made
	bytes  int
}

// take takes a packet of the peer.
func (k *link) take(h *linkHeader, pieces []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over.Load() {
		return
	}
	now := k.links.clock.Now()
	defer k.wake()
	asks := h.flags&flagAsk != 0
	if !k.isCurrent(h, now) {
		if (asks || h.count > 0) && now.Sub(k.answeredAt) >= k.links.limits.repeat {
			k.ackNow, k.answeredAt = true, now // it learns of the session that there is now
		}
		return
	}
	if h.flags&flagOver == 0 {
		k.acknowledged(h, now)
	}
	if h.count > 0 {
		k.accept(h, pieces, now)
	}
	k.ackNow = k.ackNow || asks
}

// expect prepares for a new session of the peer. The lock is held.
func (k *link) expect() {
	k.next, k.partial = 1, nil
	k.owed, k.owedBytes, k.ackNow, k.nackNow = 0, 0, false, false
	k.nacked, k.busy = 0, false
}

// accept hands the pieces of a packet on that are the next ones. The lock is held.
func (k *link) accept(h *linkHeader, pieces []byte, now time.Time) {
	if h.first > k.next {
		k.nack(now)
		return
	}
	known := k.next - h.first // of them; they come again
	if known >= uint64(h.count) {
		k.owe(1, 0, now) // perhaps the acknowledgement was lost
		return
	}
	limits := &k.links.limits
	if k.inboxPieces >= limits.frames || k.inboxBytes >= limits.bytes {
		k.busy = true
		return
	}
	var d delivery
	size := len(pieces)
	for i := range uint64(h.count) {
		p, rest, _ := nextPiece(pieces)
		if pieces = rest; i < known {
			continue
		}
		if len(k.partial)+len(p.data) > limits.frame {
			break // nobody sends that
		}
		d.pieces++
		d.bytes += len(p.data)
		if p.more {
			k.partial = append(k.partial, p.data...)
			continue
		}
		d.frames = append(d.frames, k.complete(p.data, size))
	}
	k.next += uint64(d.pieces)
	k.owe(d.pieces, d.bytes, now)
	k.put(d)
}

// complete returns the frame that a piece ends. One that is a small part of a packet is copied: whoever keeps it should not keep
// the packet. The lock is held.
func (k *link) complete(data []byte, packet int) []byte {
	if k.partial != nil {
		data = append(k.partial, data...)
		k.partial = nil
		return data
	}
	if len(data) < packet/4 {
		return slices.Clone(data)
	}
	return data
}

// nack tells the peer at once that something is missing; once more only after a while. The lock is held.
func (k *link) nack(now time.Time) {
	if k.next == k.nacked && now.Sub(k.nackedAt) < k.links.limits.repeat {
		return
	}
	k.nacked, k.nackedAt, k.nackNow = k.next, now, true
	k.nacks++
}

// owe notes that pieces are to be acknowledged: soon, or at once when there are many. The lock is held.
func (k *link) owe(pieces, bytes int, now time.Time) {
	if k.owed == 0 {
		k.owedAt = now
	}
	k.owed += pieces
	k.owedBytes += bytes
	if k.owed >= k.links.limits.unacknowledged || k.owedBytes >= k.links.limits.bytes/16 {
		k.ackNow = true
	}
}

// put hands something to the handler, behind what waits for it. The lock is held.
func (k *link) put(d delivery) {
	k.inbox = append(k.inbox, d)
	k.inboxPieces += d.pieces
	k.inboxBytes += d.bytes
	if !k.delivering {
		k.delivering = true
		k.links.running.Add(1)
		go k.deliver()
	}
}

// deliver calls the handler until nothing waits for it.
func (k *link) deliver() {
	defer k.links.running.Done()
	var d delivery
	for k.delivered(&d) {
		if d.reset {
			k.links.handler.reset(k.peer)
		}
		for _, frame := range d.frames {
			if k.over.Load() {
				break
			}
			k.links.handler.receive(k.peer, frame)
		}
	}
}

// delivered replaces what was handled by what comes next; false: there is nothing, and the goroutine ends.
func (k *link) delivered(d *delivery) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.inboxPieces -= d.pieces
	k.inboxBytes -= d.bytes
	if k.busy && k.inboxPieces <= k.links.limits.frames/2 && k.inboxBytes <= k.links.limits.bytes/2 {
		k.busy, k.nackNow = false, true // go on
		k.wake()
	}
	if k.over.Load() || k.inboxHead == len(k.inbox) {
		k.delivering = false
		if k.inbox, k.inboxHead = k.inbox[:0], 0; cap(k.inbox) > keptPieces {
			k.inbox = nil
		}
		return false
	}
	*d = k.inbox[k.inboxHead]
	k.inbox[k.inboxHead] = delivery{}
	if k.inboxHead++; k.inboxHead > keptPieces && k.inboxHead > len(k.inbox)/2 { // it has not been empty for long
		k.inbox, k.inboxHead = slices.Delete(k.inbox, 0, k.inboxHead), 0
	}
	if d.reset {
		k.pending--
	}
	return true
}
