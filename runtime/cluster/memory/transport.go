package memory

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// What waits for a listener, and what a node sends while it is paused; what is above is lost.
const (
	maxWaiting      = 1 << 14 // packets
	maxWaitingBytes = 64 << 20
)

// parcel is a packet on its way.
type parcel struct {
	address string
	packet  []byte
	due     time.Time // the zero time: at once
}

// listener calls f with what arrives at an address.
type listener struct {
	node    *node
	address string
	f       func([]byte)
	wake    sync.Cond // on the cluster's lock
	done    chan struct{}

	stopped bool
	queue   []parcel // by the time when they are due
	bytes   int
	timer   clock.Timer // wakes when the first of the queue is due
}

// transport is a node's way to the others.
type transport struct{ n *node }

func (t transport) Listen(address string, f func([]byte)) (stop func(), err error) {
	c := t.n.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listeners[address] != nil {
		return nil, fmt.Errorf("memory: %s has a listener", address)
	}
	l := &listener{node: t.n, address: address, f: f, wake: sync.Cond{L: &c.mu}, done: make(chan struct{})}
	c.listeners[address] = l
	go l.run()
	return l.stop, nil
}

func (t transport) Send(address string, packet []byte) error {
	if len(packet) > cluster.MaxPacket {
		return fmt.Errorf("memory: a packet of %d bytes is too large", len(packet))
	}
	t.n.c.mu.Lock()
	defer t.n.c.mu.Unlock()
	if !t.n.paused {
		return t.n.send(address, packet)
	}
	if len(t.n.outgoing) < maxWaiting {
		t.n.outgoing = append(t.n.outgoing, parcel{address: address, packet: slices.Clone(packet)})
	}
	return nil
}

// send puts a packet on its way; the lock is held.
func (n *node) send(address string, packet []byte) error {
	c := n.c
	if n.crashed {
		return nil
	}
	l := c.listeners[address]
	if l == nil {
		return cluster.ErrNobody
	}
	if c.cuts[direction{n.name, l.node.name}] {
		return nil
	}
	t := &c.traffic
	if c.happens(t.Duplicate) {
		l.add(parcel{address, slices.Clone(packet), c.clock.Now().Add(t.Delay + c.upTo(t.LateBy))})
	}
	switch {
	case c.happens(t.Loss):
	case c.happens(t.Late):
		l.add(parcel{address, slices.Clone(packet), c.clock.Now().Add(t.Delay + c.upTo(t.LateBy))})
	default:
		due := n.last[address] // not before the one before it
		if t.Delay+t.Jitter > 0 {
			if d := c.clock.Now().Add(t.Delay + c.upTo(t.Jitter)); d.After(due) {
				due = d
				n.last[address] = due
			}
		}
		l.add(parcel{address, slices.Clone(packet), due})
	}
	return nil
}

// happens throws the dice.
func (c *Cluster) happens(share float64) bool { return share > 0 && c.random.Float64() < share }

// upTo returns a random time.
func (c *Cluster) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(c.random.Int64N(int64(d)))
}

// add queues a packet behind those that are due at the same time; the lock is held.
func (l *listener) add(p parcel) {
	if len(l.queue) >= maxWaiting || l.bytes+len(p.packet) > maxWaitingBytes {
		return
	}
	i := len(l.queue)
	for i > 0 && l.queue[i-1].due.After(p.due) {
		i--
	}
	l.queue = slices.Insert(l.queue, i, p)
	l.bytes += len(p.packet)
	l.wake.Broadcast()
}

func (l *listener) run() {
	defer close(l.done)
	for {
		packet, ok := l.next()
		if !ok {
			return
		}
		l.f(packet)
	}
}

// next waits for the packet that is due next; false: the listener is stopped.
func (l *listener) next() ([]byte, bool) {
	c := l.node.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; !l.stopped; l.wake.Wait() {
		if l.node.paused || len(l.queue) == 0 {
			continue
		}
		p := l.queue[0]
		if !p.due.IsZero() {
			if wait := p.due.Sub(c.clock.Now()); wait > 0 {
				l.wakeIn(wait)
				continue
			}
		}
		l.queue[0] = parcel{}
		l.queue = l.queue[1:]
		l.bytes -= len(p.packet)
		return p.packet, true
	}
	return nil, false
}

// wakeIn has next look again after a time; the lock is held.
func (l *listener) wakeIn(d time.Duration) {
	if l.timer != nil {
		l.timer.Reset(d)
		return
	}
	l.timer = l.node.c.clock.AfterFunc(d, func() {
		l.node.c.mu.Lock()
		defer l.node.c.mu.Unlock()
		l.wake.Broadcast()
	})
}

func (l *listener) stop() {
	c := l.node.c
	c.mu.Lock()
	if !l.stopped {
		l.stopped = true
		if c.listeners[l.address] == l {
			delete(c.listeners, l.address)
		}
		if l.timer != nil {
			l.timer.Stop()
		}
		l.wake.Broadcast()
	}
	c.mu.Unlock()
	<-l.done
}
