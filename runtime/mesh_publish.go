package runtime

// What is published from outside of a room: at once where that is possible, else behind what must come first.

// relay publishes a message in a room of this node. With errLater it was not: the slot is not here, or the room is
// not ready. The shard's lock keeps the slot here meanwhile: that it is gone is told to other nodes behind the message.
func (m *mesh) relay(topic string, t *MessageType, v any) (int, error) {
	sh := m.srv.shards[m.srv.Shard(topic)]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.away.Load() {
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
	if e.pub.link != nil {
		e.pub.link.moved()
		return
	}
	if err := m.wait(e); err != nil {
		e.pub.end(0, err)
	}
}
