package cluster

import "time"

// How two nodes agree on sessions. Each side numbers its own, and says in each packet which one it is in, and which one of the
// other side it receives. A side whose session breaks begins a new one, and is over with the session that it received: it says so
// (flagOver) until it receives a newer one. That makes the other side begin a new one, too, unless it has just done so. So
//
//   - a session is received once, from its beginning, or not at all: numbers only grow, and what is over stays over;
//   - two sides that break at once do with one new session each;
//   - first contact is the state in which all sessions up to 0 are over.

// isCurrent reports whether a packet belongs to the session of the link; before that it begins to receive a new one, and breaks
// the present one, when the packet says so. The lock is held.
func (k *link) isCurrent(h *linkHeader, now time.Time) bool {
	if h.session < k.theirs || h.session == k.theirs && !k.receiving {
		return false // it is over
	}
	if h.session == k.theirs {
		return k.accepts(h)
	}
	switch over := h.flags&flagOver != 0; {
	case !over && h.peerSession > k.mine:
		return false // there is no such session
	case over && h.peerSession >= k.mine:
		k.restart(h.peerSession+1, now) // the peer will not receive mine any more
	case k.receiving:
		k.restart(k.mine+1, now) // what it sent before is over
	}
	if !k.accepts(h) {
		return false
	}
	k.theirs, k.receiving = h.session, true
	k.expect()
	return true
}

// accepts reports whether the sender of a packet receives my session, or may begin to. The lock is held.
func (k *link) accepts(h *linkHeader) bool {
	if h.flags&flagOver != 0 {
		return h.peerSession < k.mine
	}
	return h.peerSession == k.mine
}

// restart breaks the session and begins a new one, which the peer hears of until it answers. The lock is held.
func (k *link) restart(session uint64, now time.Time) {
	k.mine = session
	k.receiving = false
	k.resets++
	k.unsend(errLinkReset)
	k.expect()
	k.announced, k.ask = false, true
	k.pause, k.sentAt = k.links.limits.retransmit, now
	k.pending++
	k.put(delivery{reset: true})
}
