// Package memory is a backplane for the nodes of a cluster that run in one process: for tests, of clusters and of what goes wrong
// with them.
//
// Each node has a view of its own, whose faults are told to the Cluster: packets that are lost, late or doubled, nodes that
// do not reach each other, that stand still, or whose directory does not answer. Nothing does anything while it waits, so
// that all of it works in the bubbles of testing/synctest.
package memory

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// Cluster is what the nodes have in common. Its methods are safe for concurrent use.
type Cluster struct {
	clock clock.Clock

	mu        sync.Mutex
	changed   chan struct{} // closed, and made anew, when the directory or a fault changes
	nodes     map[string]*node
	directory table
	snapshots map[topic]kept
	saves     atomic.Uint64
	listeners map[string]*listener
	servers   []*server // of calls
	turn      int       // which of them is asked next

	random  *rand.Rand
	traffic Traffic
	cuts    map[direction]bool
	fault   Fault // of nodes that have none of their own
	calls   time.Duration
	watches time.Duration
}

// node is a node's view of the cluster.
type node struct {
	c    *Cluster
	name string

	paused   bool
	crashed  bool                 // for ever
	outgoing []parcel             // sent while it was paused
	fault    *Fault               // nil: the cluster's
	held     []func()             // what Held keeps back
	last     map[string]time.Time // per address: when the packet sent last is due
}

// New returns a cluster without nodes, whose delays are by the given clock.
func New(c clock.Clock) *Cluster {
	return &Cluster{
		clock:     c,
		changed:   make(chan struct{}),
		nodes:     make(map[string]*node),
		directory: table{revisions: make(map[string]uint64)},
		snapshots: make(map[topic]kept),
		listeners: make(map[string]*listener),
		random:    rand.New(rand.NewPCG(1, 1)),
		cuts:      make(map[direction]bool),
	}
}

// Node returns what a node runs on. Incarnations of the same name share their faults.
func (c *Cluster) Node(name string) *cluster.Backplane {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.node(name)
	return &cluster.Backplane{Directory: directory{n}, Transport: transport{n}, Snapshots: snapshots{n}, Edge: edge{n}}
}

// node finds a node or makes it; the lock is held.
func (c *Cluster) node(name string) *node {
	n := c.nodes[name]
	if n == nil {
		n = &node{c: c, name: name, last: make(map[string]time.Time)}
		c.nodes[name] = n
	}
	return n
}

// change wakes all who wait for something else than it was; the lock is held.
func (c *Cluster) change() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// sleep waits by the cluster's clock; less when ctx ends.
func (c *Cluster) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	done := make(chan struct{})
	timer := c.clock.AfterFunc(d, func() { close(done) })
	defer timer.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
