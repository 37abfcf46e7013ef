package socket

// A reader that waits for something else than its peer.

// Pause says that the reader reads nothing for a while: that nothing arrives is not the peer's silence then. wake is called
// when the connection ends meanwhile, or has ended, on whatever goroutine; it must not block. Resume ends the pause.
func (s *Socket) Pause(wake func()) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.paused = wake; s.out.closing {
		wake()
	}
}

// Resume says that the reader goes on. What the peer sent meanwhile counts as of now.
func (s *Socket) Resume() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.seen.Store(s.out.options.Clock.Now().UnixNano())
	s.out.paused = nil
}

// Closing reports whether the connection has ended, or its last frame is on its way.
func (s *Socket) Closing() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.closing
}

func (c *outbound) isPaused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused != nil
}

// wake tells a reader that waits of the end. c.mu is held.
func (c *outbound) wake() {
	if c.paused != nil {
		c.paused()
	}
}
