package runtime

import (
	"slices"
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
	r, err := sh.open(in.t.Kind, in.topic)
	if err != nil {
		return err
	}
	return r.deliver(in)
}

// open returns the room of a topic, a new one if need be. sh.mu is held.
func (sh *shard) open(kind int, topic string) (*Room, error) {
	r := sh.rooms[topic]
	if r == nil {
		if limit := sh.srv.Limits.Rooms; limit > 0 && len(sh.rooms) >= limit {
			return nil, Errorf(CodeShardRooms, "the shard has %d rooms", len(sh.rooms))
		}
		_, key, _ := strings.Cut(topic, ":")
		r = newRoom(sh, kind, key, topic)
		sh.rooms[topic] = r
		sh.srv.stats.rooms.Add(1)
	}
	return r, nil
}

// resume lets a client ask its room to take it back. A room that is not open can only know it from its snapshot.
func (sh *shard) resume(kind int, topic string, m *returning) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := sh.rooms[topic]
	if r == nil && sh.srv.Store == nil {
		return errNotResumable(topic)
	}
	r, err := sh.open(kind, topic)
	if err != nil {
		return err
	}
	m.conn.expect(r)
	if !r.mail.Post(roomMail{back: m, done: func() { m.conn.settled(r) }}) {
		m.conn.settled(r)
		return Errorf(CodeResourceExhausted, "%d messages wait for %s", sh.srv.Limits.Mailbox, topic)
	}
	return nil
}

// deliver posts a message and counts it as in flight for its connection, until it is done.
func (r *Room) deliver(in *inbound) error {
	in.room = r
	in.conn.expect(r)
	if !r.mail.Post(roomMail{in: in}) {
		return Errorf(CodeResourceExhausted, "%d messages wait for %s", r.srv.Limits.Mailbox, r.topic)
	}
	return nil
}

// expect counts something that a room has yet to do for the connection, so that messages behind it wait until it is known
// which rooms the connection is in.
func (c *Conn) expect(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.inflight {
		if c.inflight[i].room == r {
			c.inflight[i].n++
			return
		}
	}
	c.inflight = append(c.inflight, inflight{r, 1})
}

// inflight is how much a room has yet to do for a connection. Connections wait for few rooms at a time, and most for none.
type inflight struct {
	room *Room
	n    int
}

// expects reports whether a room has something to do for the connection. c.mu is held.
func (c *Conn) expects(r *Room) bool {
	return slices.ContainsFunc(c.inflight, func(f inflight) bool { return f.room == r })
}

// settled says that the room has done it.
func (c *Conn) settled(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.inflight, func(f inflight) bool { return f.room == r })
	if c.inflight[i].n--; c.inflight[i].n == 0 {
		c.inflight = slices.Delete(c.inflight, i, i+1)
	}
	c.wakeRouted()
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
