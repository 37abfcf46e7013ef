package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hostlock"
)

// App is what a node serves: it keeps the rooms of the slots that the node owns, and the connections that are in rooms of
// others. Open, Lost, Moved and Gone are called one at a time; they must not block, nor call methods of the node other than Route, Send,
// Alive, Self and Members.
type App interface {
	// Open says that the node owns a slot from here on.
	Open(slot int, epoch uint64)
	// Lost says that it does not any more, and that somebody else may: nothing that happens in rooms of the slot may be seen.
	Lost(slot int)
	// Yield makes ready to give a slot away: it takes nothing for it any more, finishes what runs, and saves what the next
	// owner begins with. An error, or the end of ctx, leaves the slot here; Open is called again then, with the same epoch.
	Yield(ctx context.Context, slot int) error
	// Moved says that Route returns another owner for a slot, or that there is a way to the owner again.
	Moved(slot int)
	// Gone says that an incarnation has ended for good. What it was sent is lost, if it has not answered.
	Gone(peer Peer)
	// Receive takes what a peer has sent, in order, one frame of a peer at a time.
	Receive(from Peer, frame []byte)
	// Reset says that the link to a peer has broken: what was sent to it and not answered may be lost, and what it sent.
	Reset(peer Peer)
	// Paused is called every second while the node may not act, with how long that has been so.
	Paused(since time.Duration)
	// Load returns what the node tells others of what it has to do.
	Load() Load
	// Rooms may be called at any time. It sets each element to how many rooms of that slot are open here; there is one for each slot, and it is 0 before.
	Rooms(rooms []int)
}

// Load is what a node has to do.
type Load struct {
	Connections int        `json:"connections"`
	Rooms       int        `json:"rooms"`
	Hottest     []RoomLoad `json:"hottest,omitempty"` // the busiest rooms, the busiest first
}

// RoomLoad is what a room has had to do since the last Load.
type RoomLoad struct {
	Topic    string `json:"topic"`
	Messages uint64 `json:"messages"`
	Members  int    `json:"members"`
}

// Node is this process in its cluster. Its methods are safe for concurrent use.
type Node struct {
	cfg    Config
	app    App
	clock  clock.Clock
	schema Schema

	ctx     context.Context
	cancel  context.CancelFunc
	lives   context.Context // ends when the node is to leave: it renews its lease until then
	retire  context.CancelFunc
	retired chan struct{} // closed when it does not any more
	done    sync.WaitGroup
	lock    *hostlock.Lock
	process uint64        // random, for the ids of writes
	writes  atomic.Uint64 // numbers them

	lease atomic.Int64 // until when the node may act, UnixNano of its clock; 0: not at all

	calls sync.Mutex // held while the app is told of slots and peers

	mu       sync.Mutex
	changed  sync.Cond     // the lease, or who owns what, may have changed
	wake     chan struct{} // for the steward
	kick     chan struct{} // for the next renewal
	self     Peer          // zero: between two incarnations
	links    *links        // nil: between two incarnations
	revision uint64        // of the node's own record
	nodes    map[string]*nodeState
	slots    []slotState
	view     viewState
	draining bool
	settled  time.Time // when the set of nodes changed last
	paused   time.Time // since when the node may not act; zero: it may
	acted    bool      // it has been able to
	gives    int       // slots that are being given away
	churn    churn
	unread   bool // it was said that some slots are for no node
	events   EventCounts
	renewal  time.Duration // that the last renewal took
	joined   chan struct{}
	joinErr  error
	joinOnce sync.Once
}

// viewState is how much of the directory the node has seen.
type viewState struct {
	complete bool // all that there was at the beginning
	settings []byte
	revision uint64 // of settings
}

// nodeState is what is known of a node.
type nodeState struct {
	record   nodeRecord
	revision uint64
	seen     time.Time // when its record changed last, as far as this node knows, or this node could act again
	killing  bool
}

// slotState is what is known of a slot.
type slotState struct {
	record   ownRecord
	revision uint64
	mine     uint64    // epoch in which this node owns it; 0: it does not
	taken    time.Time // when it came to this node last
	kept     time.Time // when it could not be given away last
	busy     bool      // a claim or a handover is under way
	stale    bool      // there is a newer record than this one, which was not seen yet
	orphaned time.Time // since when nobody owns it, as far as this node knows; zero: somebody does
	routed   Route     // as the app was told last
}

// Join makes this process a node of its cluster. It returns once the cluster's settings are known to be the same as the
// node's; the lease and slots come after that, and Ready tells. When ctx ends before, or the settings differ, it returns an
// error that says so. app is called once, before anything of what it returns is, with the node. End
// the node with Leave.
func Join(ctx context.Context, cfg Config, schema Schema, app func(n *Node) App) (*Node, error) {
	cfg, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, clock: cfg.Clock, schema: schema, process: newIncarnation(), retired: make(chan struct{}),
		wake: make(chan struct{}, 1), kick: make(chan struct{}, 1), joined: make(chan struct{}),
		nodes: make(map[string]*nodeState), slots: make([]slotState, cfg.Slots),
	}
	if cfg.Lock != "" {
		if n.lock, err = hostlock.Take(cfg.Lock); err != nil {
			return nil, fmt.Errorf("cluster: Lock: %w", err)
		}
	}
	n.changed.L = &n.mu
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.lives, n.retire = context.WithCancel(n.ctx)
	n.app = app(n)
	n.done.Go(n.watch)
	n.done.Go(func() {
		defer close(n.retired)
		n.live()
	})
	n.done.Go(n.steward)
	select {
	case <-n.joined:
		err = n.joinErr
	case <-ctx.Done():
		err = fmt.Errorf("cluster: the directory does not answer: %w", context.Cause(ctx))
	}
	if err != nil {
		n.end()
		return nil, err
	}
	return n, nil
}

// Slots returns the number of slots.
func (n *Node) Slots() int { return n.cfg.Slots }

// Lease returns the times of the cluster's leases.
func (n *Node) Lease() LeaseTimes { return n.cfg.Lease }

// Snapshots returns where rooms leave their state; nil: nowhere.
func (n *Node) Snapshots() Snapshots { return n.cfg.Backplane.Snapshots }

// Self returns the node's present incarnation; the zero Peer when it has none.
func (n *Node) Self() Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self
}

// Alive reports whether the node may act now: its lease holds by its own clock.
func (n *Node) Alive() bool { return n.clock.Now().UnixNano() < n.lease.Load() }

// Ready reports whether the node may act and knows who owns what.
func (n *Node) Ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.view.complete && !n.draining && n.self.Incarnation != 0 && n.Alive()
}

// Route is who owns a slot.
type Route struct {
	Owner Peer   // zero: nobody
	Epoch uint64 // 0: nobody
}

// Route returns who owns a slot, as far as this node knows.
func (n *Node) Route(slot int) Route {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.slots[slot].routed
}

// route works out what Route returns. n.mu is held.
func (n *Node) route(slot int) Route {
	s := &n.slots[slot]
	if s.mine != 0 {
		return Route{n.self, s.mine}
	}
	owner := n.nodes[s.record.Node]
	if s.record.State != slotActive || owner == nil || !owner.record.runs(uint64(s.record.Incarnation)) || s.record.of(n.self) {
		return Route{}
	}
	return Route{owner.record.peer(s.record.Node), s.revision}
}

// Await waits until the node may act as the owner of a slot in an epoch, and returns true; or false when it never will again.
func (n *Node) Await(slot int, epoch uint64) bool {
	if n.Alive() && n.owns(slot, epoch) {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.slots[slot].mine == epoch && n.ctx.Err() == nil {
		if n.Alive() {
			return true
		}
		n.changed.Wait()
	}
	return false
}

func (n *Node) owns(slot int, epoch uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.slots[slot].mine == epoch
}

// ErrBusy says that too much waits to be sent to a peer.
var ErrBusy = errors.New("cluster: too much waits for that node")

// ErrUnknownPeer says that there is no link to a peer: it has ended, or this node is between two incarnations.
var ErrUnknownPeer = errors.New("cluster: no link to that node")

// Send sends a frame to a peer, behind what was sent to it before. It does not wait. Frames of a link that does not break
// arrive once and in order. ErrBusy says that the frame was not sent, because too much waits; urgent frames use the whole
// bound, and break the link when it is passed.
func (n *Node) Send(to Peer, frame []byte, urgent bool) error {
	n.mu.Lock()
	l := n.links
	// One that is not in the record may have begun since: what it sends may come before its record is seen.
	if s := n.nodes[to.Node]; s != nil && uint64(s.record.Incarnation) == to.Incarnation && s.record.State == nodeDead {
		l = nil
	}
	n.mu.Unlock()
	if l == nil || !urgent && !l.started.Load() {
		return ErrUnknownPeer
	}
	send := l.send
	if urgent {
		send = l.sendAlways
	}
	switch err := send(to, frame); {
	case err == nil, errors.Is(err, errLinkReset): // the app is told of a link that breaks
		return nil
	case errors.Is(err, errLinkFull):
		return ErrBusy
	case errors.Is(err, errLinkOver), errors.Is(err, errLinkClosed):
		return ErrUnknownPeer
	default:
		return err
	}
}

// Members returns the peers that run, without this one, by name.
func (n *Node) Members() []Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	var peers []Peer
	for name, s := range n.nodes {
		if s.record.State != nodeDead && name != n.cfg.Node {
			peers = append(peers, s.record.peer(name))
		}
	}
	sortPeers(peers)
	return peers
}

// newIncarnation returns a random number that is not 0.
func newIncarnation() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])>>1 | 1
}

// address returns where an incarnation listens.
func (n *Node) address(incarnation uint64) string {
	if f := n.cfg.Backplane.Address; f != nil {
		return f(n.cfg.Node, incarnation)
	}
	return n.cfg.Node + "." + strconv.FormatUint(incarnation, 16)
}

// write stores a record, and tries again while it is not known whether that was done: until ctx ends or keep returns false. It
// returns ErrConflict when somebody else has written.
func (n *Node) write(ctx context.Context, w Write, keep func() bool) (uint64, error) {
	w.ID = fmt.Sprintf("%s/%x/%d", n.cfg.Node, n.process, n.writes.Add(1))
	for {
		rev, err := n.writeOnce(ctx, w)
		if err == nil || errors.Is(err, ErrConflict) || ctx.Err() != nil || !keep() {
			return rev, err
		}
		n.cfg.Logger.Warn("the cluster's directory does not answer", slog.String("key", w.Key), slog.Any("error", err))
		if !n.sleep(ctx, n.cfg.Lease.Renew/8) {
			return 0, err
		}
	}
}

// writeOnce gives a write the time of a renewal.
func (n *Node) writeOnce(ctx context.Context, w Write) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := n.clock.AfterFunc(n.cfg.Lease.Renew, cancel)
	defer timer.Stop()
	return n.cfg.Backplane.Directory.Write(ctx, w)
}

// sleep waits by the node's clock; false when ctx ended first.
func (n *Node) sleep(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	timer := n.clock.AfterFunc(max(d, 0), func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// trace counts an event, and tells the checker.
func (n *Node) trace(kind string, slot int, epoch uint64, other Peer) {
	n.traceEvent(Event{Kind: kind, Slot: slot, Epoch: epoch, Other: other})
}

func (n *Node) traceEvent(e Event) {
	n.mu.Lock()
	n.events.count(e.Kind)
	e.Node = n.self
	n.mu.Unlock()
	if n.cfg.Trace != nil {
		e.At = n.clock.Now()
		n.cfg.Trace(e)
	}
}

// poke puts a token into a channel of one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
