package cluster

import "time"

// due returns when something is to be done although nothing happens; the zero time: never. The lock is held.
func (k *link) due() time.Time {
	var due time.Time
	earlier := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	limits := &k.links.limits
	if k.owed > 0 && !k.ackNow {
		earlier(k.owedAt.Add(limits.acknowledge))
	}
	if k.sent > 0 || k.announces() {
		earlier(k.sentAt.Add(k.pause))
	}
	if k.waiting() > 0 {
		earlier(k.takenAt.Add(limits.dead))
	}
	return due
}

// announces reports whether the peer must be told of a new session. The lock is held.
func (k *link) announces() bool { return k.mine > 1 && !k.announced }

// setTimer has tick called when something is due. A timer that is set for an earlier time stays: tick sees that nothing is due.
// The lock is held.
func (k *link) setTimer() {
	due := k.due()
	if due.IsZero() || !k.timerIsDueAt.IsZero() && !due.Before(k.timerIsDueAt) {
		return
	}
	k.timerIsDueAt = due
	if wait := due.Sub(k.links.clock.Now()); k.timer == nil {
		k.timer = k.links.clock.AfterFunc(wait, k.tick)
	} else {
		k.timer.Reset(wait)
	}
}

// tick does what is due.
func (k *link) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over.Load() {
		return
	}
	k.timerIsDueAt = time.Time{}
	now := k.links.clock.Now()
	limits := &k.links.limits
	if k.owed > 0 && now.Sub(k.owedAt) >= limits.acknowledge {
		k.ackNow = true
	}
	switch {
	case k.waiting() > 0 && now.Sub(k.takenAt) >= limits.dead:
		k.restart(k.mine+1, now)
	case (k.sent > 0 || k.announces()) && now.Sub(k.sentAt) >= k.pause:
		k.pause, k.sentAt = min(2*k.pause, limits.retransmitLater), now
		if k.ask = true; k.sent > 0 {
			k.sent, k.probing = 0, true
			k.retransmits++
		}
	}
	k.wake()
}

// end drops the link.
func (k *link) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over.Store(true)
	k.unsend(err)
	k.inbox, k.inboxHead, k.partial = nil, 0, nil
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *link) stats() linkStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := linkStats{peer: k.peer, frames: k.waiting(), bytes: k.bytes, resets: k.resets, retransmits: k.retransmits, nacks: k.nacks}
	if !k.ackedAt.IsZero() {
		s.acknowledged = k.links.clock.Now().Sub(k.ackedAt)
	}
	return s
}
