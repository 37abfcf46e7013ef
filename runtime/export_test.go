package runtime

// ForgetBranch makes a gateway forget, without a word to the owner, that its connection of an id is in a room of another node. It
// reports whether there was something to forget.
func ForgetBranch(s *Server, topic, id string) bool {
	m := s.mesh
	slot := m.slot(topic)
	slot.mu.Lock()
	defer slot.mu.Unlock()
	b := slot.branches[topic]
	if b == nil {
		return false
	}
	for c := range b.members {
		if c.ID() == id {
			c.exit(b)
			return b.remove(c)
		}
	}
	return false
}

// ForgetMember makes an owner forget, without a word to the gateway, that a connection of an id is in a room.
func ForgetMember(s *Server, topic, id string) bool {
	r, _ := s.shards[s.Shard(topic)].here(topic)
	if r == nil {
		return false
	}
	for c := range r.Members() {
		if c.ID() == id {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.members, c)
			r.shard.dismiss(c)
			r.srv.stats.members.Add(-1)
			c.exit(r)
			return true
		}
	}
	return false
}

// ReaderWaits reports whether a connection's reader waits until fewer of its messages are pending.
func ReaderWaits(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stall != nil && c.stall.waits
}
