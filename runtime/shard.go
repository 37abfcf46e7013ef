package runtime

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// shard owns the rooms whose topics hash to it, and counts its capacity.
type shard struct {
	srv *Server
	id  int

	// mu comes before the locks of rooms, and those before the locks of connections. away changes with mu held, and is read without it
	// where a room's or a connection's is.
	mu    sync.RWMutex
	rooms map[string]*Room // by topic
	away  atomic.Bool      // another node owns it, or nobody
	epoch uint64           // in which this node owns it, in a cluster

	countMu sync.Mutex
	conns   map[*Conn]int // rooms of this shard that a connection is in
}

func newShard(s *Server, id int) *shard {
	sh := &shard{srv: s, id: id, rooms: make(map[string]*Room), conns: make(map[*Conn]int)}
	sh.away.Store(s.Cluster != nil)
	return sh
}

// errAway says that a shard is not this node's: nothing was done.
var errAway = errors.New("wsgen: the shard is not here")

// store returns where the shard's rooms are kept; nil: nowhere.
func (sh *shard) store() Store {
	if sh.srv.Store == nil && sh.srv.mesh != nil {
		if snapshots := sh.srv.mesh.node.Snapshots(); snapshots != nil {
			return &slotStore{snapshots, sh.srv.Clock, sh.id, sh.epoch}
		}
	}
	return sh.srv.Store
}

// post puts a message into the mailbox of its room, which is made if need be. The room cannot close between the two,
// because it is forgotten under the same lock.
func (sh *shard) post(in *inbound) error {
	sh.mu.RLock()
	r := sh.rooms[in.topic]
	if r != nil && !sh.away.Load() {
		defer sh.mu.RUnlock()
		return r.deliver(in)
	}
	sh.mu.RUnlock()

	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.away.Load() {
		return errAway
	}
	return sh.postLocked(in)
}

// postLocked is post for whoever has found that the shard is here. sh.mu is held.
func (sh *shard) postLocked(in *inbound) error {
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
	if sh.away.Load() {
		return errAway
	}
	return sh.resumeLocked(kind, topic, m)
}

func (sh *shard) resumeLocked(kind int, topic string, m *returning) error {
	r := sh.rooms[topic]
	if r == nil && sh.store() == nil {
		return errNotResumable(topic)
	}
	r, err := sh.open(kind, topic)
	if err != nil {
		return err
	}
	if !r.mail.Post(roomMail{back: m}) {
		return r.full()
	}
	return nil
}

// full says that more mail waits for the room than may.
func (r *Room) full() *Error {
	return Errorf(CodeResourceExhausted, "%d messages wait for %s", r.srv.Limits.Mailbox, r.topic)
}

// deliver posts a message and counts it as in flight for its connection, until it is done.
func (r *Room) deliver(in *inbound) error {
	in.room = r
	if !in.expected {
		in.expected = true
		in.conn.expect(r.topic)
	}
	if !r.mail.Post(roomMail{in: in}) {
		return r.full()
	}
	return nil
}

// expect counts something that a room has yet to do for the connection, so that messages behind it wait until it is known
// which rooms the connection is in.
func (c *Conn) expect(topic string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.inflight {
		if c.inflight[i].topic == topic {
			c.inflight[i].n++
			return
		}
	}
	c.inflight = append(c.inflight, inflight{topic, 1})
}

// inflight is how much a room has yet to do for a connection. Connections wait for few rooms at a time, and most for none.
type inflight struct {
	topic string
	n     int
}

// expects reports whether a room has something to do for the connection. c.mu is held.
func (c *Conn) expects(topic string) bool {
	return slices.ContainsFunc(c.inflight, func(f inflight) bool { return f.topic == topic })
}

// expectsOther reports whether a room of a kind, other than that of a topic, has something to do for the connection. c.mu is
// held.
func (c *Conn) expectsOther(kind int, topic string) bool {
	return slices.ContainsFunc(c.inflight, func(f inflight) bool {
		name, _, _ := strings.Cut(f.topic, ":")
		return f.topic != topic && name == c.srv.protocol.Kinds[kind]
	})
}

// settled says that the room has done it.
func (c *Conn) settled(topic string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(topic)
}

// settle is settled with c.mu held.
func (c *Conn) settle(topic string) {
	i := slices.IndexFunc(c.inflight, func(f inflight) bool { return f.topic == topic })
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

// forgetIdle is forget for a room without mail and members, which gets none from here on. It reports whether that was so.
func (sh *shard) forgetIdle(r *Room) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if r.mail.Len() > 0 || !r.shut() {
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

// here reports whether the shard is this node's, and returns an open room of it, or nil.
func (sh *shard) here(topic string) (r *Room, here bool) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rooms[topic], !sh.away.Load()
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
