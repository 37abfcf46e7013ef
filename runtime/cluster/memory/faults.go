package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Traffic is what happens to packets on their way. The zero value is a network without faults.
type Traffic struct {
	Loss      float64       // share of the packets that are lost
	Duplicate float64       // share that comes twice, the second time late
	Late      float64       // share that comes late: what was sent after it overtakes it
	Delay     time.Duration // of every packet
	Jitter    time.Duration // the delay is up to this much longer; the order is kept
	LateBy    time.Duration // late packets are delayed by up to this in addition; 0: 1 s
	Seed      uint64        // of the random numbers
}

// Fault is what is wrong between a node and its directory, which includes the snapshots.
type Fault int

// The faults of a directory.
const (
	Works       Fault = iota
	Unreachable       // calls do nothing and fail when their time is up; watches stand still
	LostAcks          // calls have their effect, and fail nevertheless when their time is up; watches go on
	Held              // calls have their effect when the fault is over, even if they have failed by then; watches stand still
	Blind             // calls work; watches stand still
)

type direction struct{ from, to string }

// SetTraffic sets what happens to the packets that are sent from now on.
func (c *Cluster) SetTraffic(t Traffic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.LateBy <= 0 {
		t.LateBy = time.Second
	}
	c.traffic, c.random = t, rand.New(rand.NewPCG(t.Seed, 1))
}

// Cut loses all packets between two nodes from now on. The senders do not notice.
func (c *Cluster) Cut(a, b string) {
	c.CutOneWay(a, b)
	c.CutOneWay(b, a)
}

// CutOneWay loses all packets from one node to another from now on.
func (c *Cluster) CutOneWay(from, to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts[direction{from, to}] = true
}

// Heal ends what Cut and CutOneWay did to two nodes.
func (c *Cluster) Heal(a, b string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.cuts, direction{a, b})
	delete(c.cuts, direction{b, a})
}

// HealAll ends all that Cut and CutOneWay did.
func (c *Cluster) HealAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.cuts)
}

// Pause makes a node stand still, as a process does that is stopped: until Resume its calls to the directory do not return, not
// even when their time is up, nothing is delivered to it, and what it sends leaves when it is resumed.
func (c *Cluster) Pause(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node(name).paused = true
}

// Resume ends a Pause.
func (c *Cluster) Resume(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.node(name)
	n.paused = false
	for _, p := range n.outgoing {
		n.send(p.address, p.packet)
	}
	n.outgoing = nil
	for _, l := range c.listeners {
		l.wake.Broadcast()
	}
	c.change()
}

// Crash ends what runs on a node as the loss of its machine does: nothing reaches it any more, nothing that it sends leaves, and
// its calls to the directory have no effect and fail when their time is up. What Node returns for the name from here on
// is of another machine, without faults of its own.
func (c *Cluster) Crash(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.node(name)
	n.crashed, n.paused, n.outgoing, n.held = true, false, nil, nil
	delete(c.nodes, name)
	for address, l := range c.listeners {
		if l.node == n {
			delete(c.listeners, address)
			l.queue, l.bytes = nil, 0
		}
	}
	c.servers = slices.DeleteFunc(c.servers, func(s *server) bool { return s.node == n })
	c.change()
}

// SetDirectory sets what is wrong between the named nodes and the directory; of all nodes, those to come included, when no name
// is given.
func (c *Cluster) SetDirectory(f Fault, names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.node(name).fault = &f
	}
	if len(names) == 0 {
		c.fault = f
		for _, n := range c.nodes {
			n.fault = nil
		}
	}
	for _, n := range c.nodes {
		n.release()
	}
	c.change()
}

// SetLatency sets how long calls to the directory take, and how late watches are; both 0 in the beginning.
func (c *Cluster) SetLatency(calls, watches time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.watches = calls, watches
	c.change()
}

// state returns the fault that counts; the lock is held.
func (n *node) state() Fault {
	if n.crashed {
		return Unreachable
	}
	if n.fault != nil {
		return *n.fault
	}
	return n.c.fault
}

// release lets calls have their effect that were held back; the lock is held.
func (n *node) release() {
	if n.state() == Held {
		return
	}
	for _, apply := range n.held {
		apply()
	}
	n.held = nil
}

// running waits while the node is paused.
func (n *node) running(ctx context.Context) {
	for {
		n.c.mu.Lock()
		paused, changed := n.paused, n.c.changed
		n.c.mu.Unlock()
		if !paused {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// call lets a call to the directory have its effect, at most once and with the lock held, and waits as the node's faults have
// it. The effect may come after call has returned an error.
func (n *node) call(ctx context.Context, apply func()) error {
	n.running(context.Background())
	defer n.running(context.Background())
	n.c.mu.Lock()
	latency := n.c.calls
	n.c.mu.Unlock()
	n.c.sleep(ctx, latency/2)
	if ctx.Err() == nil {
		select {
		case <-n.apply(apply):
			n.c.sleep(ctx, latency-latency/2)
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: the directory has not answered: %w", err)
	}
	return nil
}

// apply returns what is closed when a call is answered; nil when it never is.
func (n *node) apply(effect func()) <-chan struct{} {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	answered := make(chan struct{})
	switch n.state() {
	case Unreachable:
		return nil
	case LostAcks:
		effect()
		return nil
	case Held:
		n.held = append(n.held, func() { effect(); close(answered) })
	default:
		effect()
		close(answered)
	}
	return answered
}
