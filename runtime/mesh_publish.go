package runtime

// What is published from outside of a room: at once where that is possible, else behind what must come first.

// relay publishes a message in a room of this node. With errLater it was not: the slot is not here, or not all members are
// known. The shard's lock keeps the slot here meanwhile: that it is gone is told to other nodes behind the message.
func (m *mesh) relay(topic string, t *MessageType, v any) (int, error) {
	s := m.slot(topic)
	sh := m.srv.shards[s.id]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.away.Load() || s.gathering.Load() != nil {
		return 0, errLater
	}
	return sh.rooms[topic].relay(t, v)
}

// receive takes a publication of another node on.
func (m *mesh) receive(s *meshSlot, e *errand) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mine {
		return errAway
	}
	return m.deliver(s, e)
}

// bounce sends a publication to where the next owner of its room will be looked for: nobody has published it.
func (e *errand) bounce(m *mesh) {
	s := m.slot(e.topic())
	s.mu.Lock()
	defer s.mu.Unlock()
	e.bounceLocked(m, s)
}

// bounceLocked is bounce with s.mu held.
func (e *errand) bounceLocked(m *mesh, s *meshSlot) {
	if e.pub.link != nil {
		e.pub.link.moved()
		return
	}
	if err := m.waitLocked(s, e); err != nil {
		e.pub.end(0, err)
	}
}
