package runtime

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// counters are what a server counts.
type counters struct {
	accepted                   atomic.Uint64
	received, invalid, limited atomic.Uint64
	answered, suppressed       atomic.Uint64
	published, delivered       atomic.Uint64
	resumed, gaps, replayed    atomic.Uint64
	rooms, members             atomic.Int64
	mapsMu                     sync.Mutex
	errors                     map[Code]uint64
	refused                    map[string]uint64
	closes                     map[int]uint64
}

// tally counts in one of the maps.
func tally[K comparable](c *counters, m *map[K]uint64, key K) {
	c.mapsMu.Lock()
	defer c.mapsMu.Unlock()
	if *m == nil {
		*m = make(map[K]uint64)
	}
	(*m)[key]++
}

func (c *counters) failed(code Code)      { tally(c, &c.errors, code) }
func (c *counters) refusal(reason string) { tally(c, &c.refused, reason) }

// closed counts the end of a connection by its close code. Clients choose among 2,000 codes of their own, which count as two.
func (c *counters) closed(cause error) {
	code := 1006
	if e, ok := errors.AsType[*socket.CloseError](cause); ok {
		if code = e.Code; !e.Local && code >= 3000 {
			code -= code % 1000
		}
	}
	tally(c, &c.closes, code)
}

// Stats are figures of a server. Those that are not called current count since its start.
type Stats struct {
	Connections, Rooms, Members int // current; a connection counts as a member once per room

	Accepted            uint64            // handshakes
	Refused             map[string]uint64 // handshakes, by reason: draining, origin, full, ip, user, ip-rate, rate, unauthenticated, panic, timeout, upgrade
	Closes              map[int]uint64    // connections that ended, by close code; 1006 without one; 3000 and 4000 for all such codes of clients
	Received            uint64            // frames
	Invalid             uint64            // frames that were refused for what they hold
	Limited             uint64            // messages over a rate
	Answered            uint64            // requests with a response
	Errors              map[Code]uint64
	Suppressed          uint64 // ERROR frames that were not sent, because there were many
	Published           uint64 // messages to rooms that had members
	Delivered           uint64 // members that they were queued for
	FramesOut, BytesOut uint64 // written to sockets
	Writes              uint64 // to sockets; each has all frames that waited
	Blocked             uint64 // writes that the kernel did not take at once
	Dropped, Replaced   uint64 // droppable messages not sent; waiting messages replaced by a later one
	SlowReaders         uint64 // connections closed for their queue
	Resumed, Gaps       uint64 // members that came back, with all that they missed; or with something lost
	Replayed            uint64 // messages that were sent again to those who came back
	Shards              []ShardStats
	Messages            []MessageStats
	Held                int             // messages that wait for a room to have an owner, in a cluster
	Cluster             *cluster.Status // nil: the server is in none
}

// MessageStats are the figures of a message of the schema, in its order.
type MessageStats struct {
	Name      string
	Received  uint64 // from clients, and right
	Published uint64 // to rooms that had members
	Delivered uint64 // members that it was queued for
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
		Accepted: c.accepted.Load(),
		Resumed:  c.resumed.Load(), Gaps: c.gaps.Load(), Replayed: c.replayed.Load(),
		Received: c.received.Load(), Invalid: c.invalid.Load(), Limited: c.limited.Load(),
		Answered: c.answered.Load(), Suppressed: c.suppressed.Load(),
		Published: c.published.Load(), Delivered: c.delivered.Load(),
		FramesOut: s.wire.FramesOut.Load(), BytesOut: s.wire.BytesOut.Load(), Writes: s.wire.Writes.Load(), Blocked: s.wire.Blocked.Load(),
		Dropped: s.wire.Dropped.Load(), Replaced: s.wire.Replaced.Load(), SlowReaders: s.wire.Slow.Load(),
	}
	c.mapsMu.Lock()
	st.Errors, st.Refused, st.Closes = maps.Clone(c.errors), maps.Clone(c.refused), maps.Clone(c.closes)
	c.mapsMu.Unlock()
	for _, m := range s.protocol.Messages {
		t := s.messages[m.Name]
		st.Messages = append(st.Messages, MessageStats{m.Name, t.received.Load(), t.published.Load(), t.delivered.Load()})
	}
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
	if s.mesh != nil {
		status := s.mesh.node.Status()
		st.Held, st.Cluster = int(s.mesh.held.Load()), &status
	}
	return st
}
