package runtime

import (
	"sync"
	"sync/atomic"
)

// counters are what a server counts.
type counters struct {
	accepted, refused          atomic.Uint64
	received, invalid, limited atomic.Uint64
	answered, suppressed       atomic.Uint64
	published, delivered       atomic.Uint64
	resumed, gaps, replayed    atomic.Uint64
	rooms, members             atomic.Int64
	errorsMu                   sync.Mutex
	errors                     map[Code]uint64
}

func (c *counters) failed(code Code) {
	c.errorsMu.Lock()
	defer c.errorsMu.Unlock()
	if c.errors == nil {
		c.errors = make(map[Code]uint64)
	}
	c.errors[code]++
}

// Stats are figures of a server. Those that are not called current count since its start.
type Stats struct {
	Connections, Rooms, Members int // current; a connection counts as a member once per room

	Accepted, Refused   uint64 // handshakes; refused ones for a limit
	Received            uint64 // frames
	Invalid             uint64 // frames that were refused for what they hold
	Limited             uint64 // messages over a rate
	Answered            uint64 // requests with a response
	Errors              map[Code]uint64
	Suppressed          uint64 // ERROR frames that were not sent, because there were many
	Published           uint64 // messages to rooms that had members
	Delivered           uint64 // members that they were queued for
	FramesOut, BytesOut uint64 // written to sockets
	Writes              uint64 // of hubs to sockets; each has all frames that waited
	Blocked             uint64 // writes that the kernel did not take at once
	Dropped, Replaced   uint64 // droppable messages not sent; waiting messages replaced by a later one
	SlowReaders         uint64 // connections closed for their queue
	Shards              []ShardStats
}

// ShardStats are the current figures of a shard.
type ShardStats struct {
	Rooms       int
	Connections int // with a membership on the shard
}

// Stats returns the figures of now. It is safe for concurrent use; the figures are not from one instant.
func (s *Server) Stats() Stats {
	c := &s.stats
	st := Stats{
		Rooms: int(c.rooms.Load()), Members: int(c.members.Load()),
		Accepted: c.accepted.Load(), Refused: c.refused.Load(),
		Received: c.received.Load(), Invalid: c.invalid.Load(), Limited: c.limited.Load(),
		Answered: c.answered.Load(), Suppressed: c.suppressed.Load(),
		Published: c.published.Load(), Delivered: c.delivered.Load(),
		FramesOut: s.wire.FramesOut.Load(), BytesOut: s.wire.BytesOut.Load(), Writes: s.wire.Writes.Load(), Blocked: s.wire.Blocked.Load(),
		Dropped: s.wire.Dropped.Load(), Replaced: s.wire.Replaced.Load(), SlowReaders: s.wire.Slow.Load(),
		Errors: make(map[Code]uint64),
	}
	c.errorsMu.Lock()
	for code, n := range c.errors {
		st.Errors[code] = n
	}
	c.errorsMu.Unlock()
	s.mu.Lock()
	st.Connections = len(s.conns)
	s.mu.Unlock()
	for _, sh := range s.shards {
		sh.mu.RLock()
		rooms := len(sh.rooms)
		sh.mu.RUnlock()
		sh.countMu.Lock()
		st.Shards = append(st.Shards, ShardStats{Rooms: rooms, Connections: len(sh.conns)})
		sh.countMu.Unlock()
	}
	return st
}
