package runtime

// The mesh is the backplane of a cluster. This file is what it is made of, and what the node of the cluster calls.
//
// A connection's gateway is the node that has its socket; a room's owner is the node that runs it. Between a gateway and an
// owner everything goes over one link, in order: messages one way; answers, memberships and what rooms publish the other.
//
//	mesh_errand.go   gateway: messages on their way to owners, and those that wait for one
//	mesh_answer.go   gateway: what becomes of them
//	mesh_branch.go   gateway: which of its connections are members of rooms of others
//	mesh_guest.go    owner: connections of other nodes, as Conns whose socket is elsewhere
//	mesh_serve.go    owner: what gateways send
//	mesh_outlet.go   owner: what it sends to the members on a gateway
//	mesh_message.go  both: messages on the way between them
//	mesh_publish.go  both: what is published from outside of rooms
//	mesh_audit.go    both: whether they agree on who is a member
//	mesh_move.go     how a slot comes and goes, with its rooms
//	mesh_gather.go   owner: until it knows all members of a slot that has come

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
)

// joinTime is how long a server waits for the directory of its cluster when it is made.
const joinTime = 15 * time.Second

// mesh implements backplane and cluster.App.
type mesh struct {
	local
	node  *cluster.Node
	slots []meshSlot
	order atomic.Uint64 // of messages
	held  atomic.Int64  // messages that wait for an owner

	heldBytes atomic.Int64
	cut       atomic.Bool // connections were sent away, because the node could not act for long

	mu      sync.Mutex
	peers   map[cluster.Peer]*meshPeer
	over    []cluster.Peer        // that ended last: what they have sent may still be handled
	conns   map[wire.ConnID]*Conn // of this node, that peers know
	stop    func()                // serving the edge
	auditor clock.Timer           // of the next digests; nil: the server ends
}

// meshSlot is a slot as a gateway sees it.
type meshSlot struct {
	id       int
	mu       sync.Mutex
	route    cluster.Route
	lapses   int // how often route was forgotten for a moment, when what its owner sends goes by
	mine     bool
	over     bool               // the server has ended
	unsaved  atomic.Bool        // a room has closed for that, and could not be saved
	waits    atomic.Bool        // the slot is here, and another node has errands that are yet to come back
	synced   uint64             // epoch in which the owner knows of the branches
	sent     []*errand          // without an answer, in order
	held     []*errand          // for the next owner, in order
	expiry   clock.Timer        // of held
	leaves   []*wire.Frame      // of members that have left while nobody was known who has to learn it
	branches map[string]*branch // by topic

	gathering atomic.Pointer[gathering] // the slot is here, and other nodes have not named all members yet; nil: they have
}

// meshPeer is another node. Its fields are guarded by mu.
type meshPeer struct {
	peer cluster.Peer

	mu     sync.Mutex
	known  map[*Conn]*introduction // connections of this node that it knows
	guests map[wire.ConnID]*Conn   // its connections
	audits map[uint64]*audits      // by slot: where digests have differed
	greets map[uint64]uint64       // epoch in which it has said Hello, by slot
	gone   bool
}

func newMesh(s *Server) *mesh {
	return &mesh{local: local{s}, peers: make(map[cluster.Peer]*meshPeer), conns: make(map[wire.ConnID]*Conn)}
}

// join makes the server a node of its cluster.
func (m *mesh) join() error {
	s := m.srv
	cfg := *s.Cluster
	if cfg.Logger == nil {
		cfg.Logger = s.Logger
	}
	if cfg.Clock == nil && s.Clock != (clock.Real{}) {
		cfg.Clock = s.Clock // a test's
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	timer := s.Clock.AfterFunc(joinTime, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	m.slots = make([]meshSlot, len(s.shards))
	for i := range m.slots {
		m.slots[i].id = i
		m.slots[i].branches = make(map[string]*branch)
	}
	_, err := cluster.Join(ctx, cfg, s.schema(), func(n *cluster.Node) cluster.App {
		m.node = n
		return meshApp{m}
	})
	if err != nil {
		return err
	}
	if edge := cfg.Backplane.Edge; edge != nil {
		if m.stop, err = edge.Serve(m.serveEdge); err != nil {
			m.leave()
			return fmt.Errorf("cluster: the edge cannot be served: %w", err)
		}
	}
	m.mu.Lock()
	m.auditor = s.Clock.AfterFunc(auditEvery, m.auditLoop)
	m.mu.Unlock()
	return nil
}

// schema returns what nodes tell each other of the protocol.
func (s *Server) schema() cluster.Schema {
	p := s.protocol
	return cluster.Schema{Version: p.Version, Fingerprint: p.Fingerprint, Keeps: p.Sharding.Persistent}
}

// leave ends the node.
func (m *mesh) leave() error {
	if m.stop != nil {
		m.stop()
	}
	m.mu.Lock()
	if m.auditor != nil {
		m.auditor.Stop()
		m.auditor = nil
	}
	m.mu.Unlock()
	for i := range m.slots {
		m.retire(i)
		m.lose(i) // rooms that are still there had no time to close
	}
	return m.node.Leave()
}

// slot returns the slot of a topic.
func (m *mesh) slot(topic string) *meshSlot { return &m.slots[m.srv.Shard(topic)] }

// mostOver is how many nodes are known to have ended.
const mostOver = 256

// peer returns what is known of a node; it is made if need be, and not kept if the node has ended.
func (m *mesh) peer(p cluster.Peer) *meshPeer {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp := m.peers[p]
	if mp == nil {
		mp = &meshPeer{peer: p, known: make(map[*Conn]*introduction), guests: make(map[wire.ConnID]*Conn),
			greets: make(map[uint64]uint64), audits: make(map[uint64]*audits), gone: slices.Contains(m.over, p)}
		if !mp.gone {
			m.peers[p] = mp
		}
	}
	return mp
}

// peerList returns the nodes that are known.
func (m *mesh) peerList() []*meshPeer {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*meshPeer, 0, len(m.peers))
	for _, p := range m.peers {
		list = append(list, p)
	}
	return list
}

// tell sends a frame to a peer that has to get it as long as it lives.
func (m *mesh) tell(to cluster.Peer, f *wire.Frame) {
	_ = m.node.Send(to, f.Encode(), true) // a peer that is gone needs no frames
}

// gateway names the outlet that reaches a connection.
func (m *mesh) gateway(r *Room, c *Conn) (any, func() outlet) {
	if c.remote == nil {
		return m.local.gateway(r, c)
	}
	peer := c.remote.peer
	return peer, func() outlet { return &nodeOutlet{mesh: m, peer: peer, room: r} }
}

// meshApp is what the node calls.
type meshApp struct{ *mesh }

func (a meshApp) Open(slot int, epoch uint64)               { a.open(slot, epoch) }
func (a meshApp) Lost(slot int)                             { a.lose(slot) }
func (a meshApp) Yield(ctx context.Context, slot int) error { return a.yield(ctx, slot) }
func (a meshApp) Moved(slot int)                            { a.moved(slot) }
func (a meshApp) Gone(p cluster.Peer)                       { a.partTo(p, true) }
func (a meshApp) Reset(p cluster.Peer)                      { a.partTo(p, false) }
func (a meshApp) Load() cluster.Load                        { return a.load() }
func (a meshApp) Rooms(rooms []int)                         { a.countRooms(rooms) }
func (a meshApp) Paused(d time.Duration)                    { a.paused(d) }

// Receive takes a frame of a peer.
func (a meshApp) Receive(from cluster.Peer, data []byte) {
	f, err := wire.Decode(data)
	if err != nil {
		a.srv.Logger.Error("a frame of a node cannot be read", slog.String("node", from.Node), slog.Any("error", err))
		return
	}
	if f.Slot >= uint64(len(a.slots)) {
		return
	}
	if f.Kind < wire.Done {
		a.serve(from, f)
	} else {
		a.take(from, f)
	}
}

// partTo forgets what a peer and this node know of each other: its incarnation is gone, or the link to it has broken. What it was
// sent has no answer any more; its connections are no members of rooms here, until it names them again.
func (m *mesh) partTo(p cluster.Peer, gone bool) {
	mp := m.peer(p)
	mp.mu.Lock()
	guests := mp.guests
	clear(mp.known)
	clear(mp.greets)
	clear(mp.audits)
	mp.guests, mp.gone = make(map[wire.ConnID]*Conn), gone
	mp.mu.Unlock()
	if gone {
		m.mu.Lock()
		delete(m.peers, p)
		m.over = append(m.over, p)
		m.over = slices.Delete(m.over, 0, max(len(m.over)-mostOver, 0))
		m.mu.Unlock()
	}
	for _, c := range guests {
		m.endGuest(c)
	}
	for i := range m.slots {
		s := &m.slots[i]
		s.part(m, p)
		if gone {
			m.named(s, p, 0)
		}
	}
}

// outage is how long a node that is cut off from its cluster keeps its connections: others may serve them.
const outage = 20 * time.Second

// errCutOff is what clients are told of that.
const errCutOff = "the node is cut off from its cluster"

// paused sends connections to other nodes when this one has not been able to act for long, and takes none until it can.
func (m *mesh) paused(d time.Duration) {
	if d < outage {
		return
	}
	conns := m.srv.connections()
	if !m.cut.Swap(true) {
		m.srv.Logger.Warn("clients are sent to other nodes: this one is cut off from its cluster", slog.Int("connections", len(conns)))
	}
	for _, c := range conns {
		c.Close(CloseTryLater, errCutOff)
	}
}

// cutOff reports whether the node has not been able to act for so long that it takes no connections.
func (m *mesh) cutOff() bool {
	if m.cut.Load() && m.node.Alive() {
		m.cut.Store(false)
	}
	return m.cut.Load()
}

// load returns what the node tells others.
func (m *mesh) load() cluster.Load {
	s := m.srv
	return cluster.Load{Connections: s.connected(), Rooms: int(s.stats.rooms.Load()), Hottest: m.hottest()}
}

// countRooms counts the rooms of each slot.
func (m *mesh) countRooms(rooms []int) {
	for i, sh := range m.srv.shards {
		sh.mu.RLock()
		rooms[i] = len(sh.rooms)
		sh.mu.RUnlock()
	}
}

// errLost says that a room is not this node's any more.
func errLost(topic string) *Error {
	return Errorf(CodeUnavailable, "%s is not on this node any more", topic)
}

// errMaybeApplied is for messages that may have been handled.
func errMaybeApplied(format string, args ...any) *Error {
	return Errorf(CodeUnavailable, format, args...).WithMaybeApplied(true)
}

// errNotApplied is for messages that were certainly not handled.
func errNotApplied(format string, args ...any) *Error {
	return Errorf(CodeUnavailable, format, args...).WithRetry(true, time.Second).WithMaybeApplied(false)
}

// kindOf returns the kind of a topic.
func (s *Server) kindOf(topic string) (int, bool) {
	kind, key, _ := strings.Cut(topic, ":")
	i, ok := s.kinds[kind]
	return i, ok && key != ""
}

// storeTime is how long the cluster's snapshots may take: a room waits for them, and a slot that is given away for the room.
const storeTime = 5 * time.Second

// slotStore keeps the rooms of a slot in the cluster's snapshots, in the name of an epoch.
type slotStore struct {
	snapshots cluster.Snapshots
	clock     clock.Clock
	slot      int
	epoch     uint64
}

// Load implements Store.
func (s *slotStore) Load(ctx context.Context, topic string) ([]byte, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.snapshots.Load(ctx, s.slot, topic)
}

// Save implements Store.
func (s *slotStore) Save(ctx context.Context, topic string, snapshot []byte) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.snapshots.Save(ctx, s.slot, s.epoch, topic, snapshot)
}

// Delete implements Store.
func (s *slotStore) Delete(ctx context.Context, topic string) error {
	return s.Save(ctx, topic, nil)
}

// within gives a call its time.
func (s *slotStore) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := s.clock.AfterFunc(storeTime, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// giveAway gives all slots to other nodes. What cannot be given in half of the time that there is goes down with this node.
func (m *mesh) giveAway(ctx context.Context) error {
	within := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		within, cancel = context.WithDeadline(ctx, time.Now().Add(time.Until(deadline)/2))
		defer cancel()
	}
	if err := m.node.Drain(within); err != nil {
		m.srv.Logger.Warn("not all slots could be given to other nodes", slog.Any("error", err))
	}
	return context.Cause(ctx)
}

// mostHottest is how many rooms a node tells others of.
const mostHottest = 8

// hottest returns the rooms that have published most since it was called last.
func (m *mesh) hottest() []cluster.RoomLoad {
	var list []cluster.RoomLoad
	for _, sh := range m.srv.shards {
		for _, r := range sh.all() {
			if load := r.loadSince(); load.Messages > 0 {
				list = append(list, load)
			}
		}
	}
	slices.SortFunc(list, func(a, b cluster.RoomLoad) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Topic, b.Topic))
	})
	return slices.Clip(list[:min(len(list), mostHottest)])
}

// loadSince returns what the room has published since it was called last.
func (r *Room) loadSince() cluster.RoomLoad {
	r.mu.Lock()
	defer r.mu.Unlock()
	load := cluster.RoomLoad{Topic: r.topic, Messages: r.seq - r.reported, Members: len(r.members)}
	r.reported = r.seq
	return load
}

// Owns reports whether the room of a topic would run in this process. Without a cluster it always does.
func (s *Server) Owns(topic string) bool {
	return !s.shards[s.Shard(topic)].away.Load()
}
