package runtime

import (
	"strings"
	"sync"
)

// shard owns the rooms whose topics hash to it, and counts its capacity.
type shard struct {
	srv *Server
	id  int

	mu    sync.RWMutex
	rooms map[string]*Room // by topic

	countMu sync.Mutex
	conns   map[*Conn]int // rooms of this shard that a connection is in
}

func newShard(s *Server, id int) *shard {
	return &shard{srv: s, id: id, rooms: make(map[string]*Room), conns: make(map[*Conn]int)}
}

// post puts a message into the mailbox of its room, which is made if need be. The room cannot close between the two,
// because it is forgotten under the same lock.
func (sh *shard) post(in *inbound) error {
	sh.mu.RLock()
	r := sh.rooms[in.topic]
	if r != nil {
		defer sh.mu.RUnlock()
		return r.deliver(in)
	}
	sh.mu.RUnlock()

	sh.mu.Lock()
	defer sh.mu.Unlock()
	r = sh.rooms[in.topic]
	if r == nil {
		if limit := sh.srv.Limits.Rooms; limit > 0 && len(sh.rooms) >= limit {
			return Errorf(CodeShardRooms, "the shard has %d rooms", len(sh.rooms))
		}
		_, key, _ := strings.Cut(in.topic, ":")
		r = newRoom(sh, in.t.Kind, key, in.topic)
		sh.rooms[in.topic] = r
		sh.srv.stats.rooms.Add(1)
	}
	return r.deliver(in)
}

// deliver posts a message and counts it as in flight for its connection, until it is done.
func (r *Room) deliver(in *inbound) error {
	c := in.conn
	c.mu.Lock()
	in.room = r
	if c.inflight == nil {
		c.inflight = make(map[*Room]int)
	}
	c.inflight[r]++
	c.mu.Unlock()
	if !r.mail.Post(roomMail{in: in}) {
		return Errorf(CodeResourceExhausted, "%d messages wait for %s", r.srv.Limits.Mailbox, r.topic)
	}
	return nil
}

// forget takes a room off the shard; what is sent to its topic from here on makes a new one.
func (sh *shard) forget(r *Room) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.drop(r)
}

// forgetIdle is forget for a room without mail. It reports whether that was so.
func (sh *shard) forgetIdle(r *Room) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if r.mail.Len() > 0 {
		return false
	}
	sh.drop(r)
	return true
}

func (sh *shard) drop(r *Room) {
	if sh.rooms[r.topic] == r {
		delete(sh.rooms, r.topic)
		sh.srv.stats.rooms.Add(-1)
	}
}

// all returns the rooms that are open now.
func (sh *shard) all() []*Room {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	rooms := make([]*Room, 0, len(sh.rooms))
	for _, r := range sh.rooms {
		rooms = append(rooms, r)
	}
	return rooms
}

// room returns an open room, or nil.
func (sh *shard) room(topic string) *Room {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rooms[topic]
}

// admit counts a connection that joins a room of this shard. Checking and counting are one step.
func (sh *shard) admit(c *Conn) error {
	sh.countMu.Lock()
	defer sh.countMu.Unlock()
	if limit := sh.srv.Limits.PerShard; limit > 0 && sh.conns[c] == 0 && len(sh.conns) >= limit {
		return Errorf(CodeShardFull, "the shard has %d connections", len(sh.conns))
	}
	sh.conns[c]++
	return nil
}

func (sh *shard) dismiss(c *Conn) {
	sh.countMu.Lock()
	defer sh.countMu.Unlock()
	decrement(sh.conns, c)
}
