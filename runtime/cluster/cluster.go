// Package cluster spreads rooms over several processes, its nodes. Each slot, a fixed part of all rooms, is owned by one node at
// a time, and any node takes any connection.
//
// A program that runs on one node only needs nothing of it. A cluster needs a Backplane: package nats, which is a module of its own,
// has one, and package memory has one for tests. The server of the runtime is the App on top.
//
// How a slot stays with one owner:
//
//   - Each node has a lease, a record of the directory that it writes anew every LeaseTimes.Renew. It stops its slots by its
//     own clock when LeaseTimes.Stop has passed since it began the last renewal that succeeded.
//   - A node that has not seen another one's record change for LeaseTimes.Dead writes that the other is dead, on condition that
//     the record is still the one it saw. So either that write succeeds or the renewal does, never both.
//   - A slot's record names its owner. It is written on condition of its last revision, when the owner before is dead
//     or has given the slot away. The revision of the record is the slot's epoch: it only grows.
//
// Ownership is thus decided by writes alone. What a node reads may be late.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// Directory is a small table of records that all nodes agree on. Writes are linearizable: of two that expect the same
// revision of a record, one succeeds. Its methods are safe for concurrent use.
type Directory interface {
	// Write stores a record and returns its revision, which is larger than that of any earlier write to the table. It
	// returns ErrConflict when the record's revision is not w.Last, and only then: nothing of the write is there, and nothing
	// will be. It may go on trying until ctx ends.
	// After any other error it is not known whether it was, or will be; the same Write, with the same ID, may be called again
	// and then succeeds, or reports a conflict, as if it had been one call.
	Write(ctx context.Context, w Write) (revision uint64, err error)
	// Watch calls f with every record that there is, then with the zero Record, then with every change, until ctx ends;
	// one at a time, in the order of revisions. A record that is overwritten soon may be left out. What f sees may be
	// late, and never reports a record twice or an older revision after a newer one. It returns an error when it cannot
	// begin or go on; a lost connection that comes back is not one.
	Watch(ctx context.Context, f func(Record)) error
}

// Write is a record to be stored.
type Write struct {
	Key   string // of letters, digits, '-', '_' and '.'
	Value []byte
	Last  uint64 // revision that the record has; 0: there is no such record
	ID    string // of this write: unique in the table
}

// Record is an entry of a Directory.
type Record struct {
	Key      string
	Value    []byte // must not be changed
	Revision uint64
}

// ErrConflict says that a record was written by somebody else.
var ErrConflict = errors.New("cluster: the record has another revision")

// Transport takes packets from node to node, at most once: they may be lost. Those of one sender to one address keep their
// order, except that one that was given up for lost may come late, or twice. Its methods are safe for concurrent use.
type Transport interface {
	// Listen calls f with each packet that is sent to an address, one at a time, until stop is called; f is not running any
	// more when stop returns. The packet is f's. f may block for a short time; what cannot be kept meanwhile is lost. There
	// is one listener to an address.
	Listen(address string, f func(packet []byte)) (stop func(), err error)
	// Send hands a packet of up to MaxPacket bytes over and does not wait for it to arrive; it does not keep it. ErrNobody
	// says that it is certain that nobody listens there now.
	Send(address string, packet []byte) error
}

// MaxPacket is the size of the largest packet.
const MaxPacket = 512 << 10

// ErrNobody says that nobody listens to an address.
var ErrNobody = errors.New("cluster: nobody listens there")

// Snapshots keeps what rooms leave behind, for their next owner. Its methods are safe for concurrent use; those for one
// topic are called one at a time by its owner.
type Snapshots interface {
	// Load returns what was saved last; nil when there is nothing. It sees every Save that had returned before it was called.
	Load(ctx context.Context, slot int, topic string) ([]byte, error)
	// Save keeps a snapshot; nil deletes it. It is refused with ErrFenced when the slot's record has another revision than
	// epoch: whoever owns the slot now must not get the state of an owner before it. One that has failed may have its effect
	// later, but not behind that of a Save of the same topic that was called later.
	Save(ctx context.Context, slot int, epoch uint64, topic string, snapshot []byte) error
}

// ErrFenced says that somebody else owns the slot by now.
var ErrFenced = errors.New("cluster: the slot has another owner")

// Edge takes calls of programs that are no nodes.
type Edge interface {
	// Serve calls f with each call, at one node of all that serve, until stop is called; concurrently. What f returns is the
	// answer. A call that nobody has taken within the caller's time fails there.
	Serve(f func(ctx context.Context, call []byte) []byte) (stop func(), err error)
}

// Backplane is what a cluster runs on. Every node of a cluster has one that reaches the same directory. Rooms of which every message is
// kept, which the schema does not have yet, would need a log as a further field, with commits that are fenced like snapshots.
type Backplane struct {
	Directory Directory
	Transport Transport
	Snapshots Snapshots // nil: rooms are lost with their owner, and handed over without their state
	Edge      Edge      // nil: only nodes publish
	// Address returns where an incarnation of a node listens; nil: "<node>.<incarnation in hexadecimal digits>".
	Address func(node string, incarnation uint64) string
}

// Peer is an incarnation of a node: a process from the moment in which it joins the cluster.
type Peer struct {
	Node        string // unique among the nodes that run at a time
	Incarnation uint64 // random; never 0
	Address     string // where it listens
}

// String returns the node and the first digits of its incarnation.
func (p Peer) String() string {
	if p.Incarnation == 0 {
		return "nobody"
	}
	return fmt.Sprintf("%s/%.6s", p.Node, strconv.FormatUint(p.Incarnation, 16))
}

// SlotKey returns the key of a slot's record in the directory.
func SlotKey(slot int) string { return "own." + strconv.Itoa(slot) }

// NodeKey returns the key of a node's record in the directory.
func NodeKey(node string) string { return "node." + node }

// settingsKey is the key of what all nodes of a cluster must agree on.
const settingsKey = "cfg"

// MaxNodeName is how many characters the name of a node may have.
const MaxNodeName = 64
