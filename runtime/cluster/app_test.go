package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// proc is a process: a node and the app on it.
type proc struct {
	*cluster.Node
	w      *world
	name   string
	killed bool

	calls atomic.Int32 // of methods that are called one at a time

	// The world's lock is held for what follows.
	open     map[int]uint64 // epochs of the slots that the process owns
	yielding map[int]uint64 // and of those that are made ready to be given away, or were given
	routes   [slots]cluster.Route
	notes
	onYield func(ctx context.Context, slot int) error // nil: all goes well

	rooms atomic.Int64 // in each slot that it owns
}

// kill ends the process without a word.
func (p *proc) kill() {
	if p.killed {
		return
	}
	p.killed = true
	cluster.Kill(p.Node)
}

// notes are what an app was told.
type notes struct {
	moves    []int // slots, as they were told
	yields   []int
	lost     []int
	reopened []int // slots that were opened again in the epoch that they had
	gone     []cluster.Peer
	resets   []cluster.Peer
	frames   []string
	pauses   []time.Duration
}

// leave ends the process well.
func (p *proc) leave() {
	p.w.t.Helper()
	p.killed = true
	if err := p.Leave(); err != nil {
		p.w.t.Errorf("%s leaves: %v", p.name, err)
	}
}

// crash ends the process as the loss of its machine does. It goes on until the end of the test, but nobody hears of it.
func (p *proc) crash() { p.w.Crash(p.name) }

// owned returns the slots of the process, whose lease holds.
func (p *proc) owned() map[int]uint64 {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if !p.Alive() {
		return nil
	}
	return maps.Clone(p.open)
}

// kept returns the slots of the process, whether its lease holds or not.
func (p *proc) kept() map[int]uint64 {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return maps.Clone(p.open)
}

// told returns the routes that the app knows.
func (p *proc) told() [slots]cluster.Route {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.routes
}

// noted returns a copy of what the app has noted.
func noted[T any](p *proc, list *[]T) []T {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return slices.Clone(*list)
}

// note changes what the app knows.
func (p *proc) note(f func()) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	f()
}

// alone fails the test when methods are called at a time that must not be.
func (p *proc) alone() (end func()) {
	if p.calls.Add(1) != 1 {
		p.w.t.Error("Open, Lost, Moved and Gone are called at a time")
	}
	return func() { p.calls.Add(-1) }
}

func (p *proc) Open(slot int, epoch uint64) {
	defer p.alone()()
	p.note(func() {
		again := p.yielding[slot] == epoch && p.w.epochs[slot] == epoch
		switch {
		case p.open[slot] != 0:
			p.w.t.Errorf("slot %d is opened in epoch %d, and is open in %d", slot, epoch, p.open[slot])
		case again:
			p.reopened = append(p.reopened, slot)
		case epoch <= p.w.epochs[slot]:
			p.w.t.Errorf("slot %d is opened in epoch %d after %d", slot, epoch, p.w.epochs[slot])
		default:
			p.w.opens[slot]++
		}
		delete(p.yielding, slot)
		p.open[slot], p.w.epochs[slot] = epoch, epoch
		if p.Alive() {
			p.w.mustNotBeOthers(slot, p)
		}
	})
}

func (p *proc) Lost(slot int) {
	defer p.alone()()
	p.note(func() {
		if p.open[slot] == 0 && p.yielding[slot] == 0 {
			p.w.t.Errorf("slot %d is lost, and was not open", slot)
		}
		delete(p.open, slot)
		delete(p.yielding, slot)
		p.lost = append(p.lost, slot)
	})
}

func (p *proc) Yield(ctx context.Context, slot int) error {
	var f func(context.Context, int) error
	p.note(func() {
		if p.open[slot] == 0 {
			p.w.t.Errorf("slot %d is to be given away, and is not open", slot)
		}
		p.yields = append(p.yields, slot)
		p.yielding[slot] = p.open[slot]
		delete(p.open, slot)
		f = p.onYield
	})
	if f == nil {
		return nil
	}
	return f(ctx, slot)
}

func (p *proc) Moved(slot int) {
	defer p.alone()()
	route := p.Route(slot)
	p.note(func() {
		p.moves = append(p.moves, slot)
		p.routes[slot] = route
	})
}

func (p *proc) Gone(peer cluster.Peer) {
	defer p.alone()()
	p.note(func() { p.gone = append(p.gone, peer) })
}

func (p *proc) Receive(from cluster.Peer, frame []byte) {
	p.note(func() { p.frames = append(p.frames, fmt.Sprintf("%s: %s", from.Node, frame)) })
}

func (p *proc) Reset(peer cluster.Peer) { p.note(func() { p.resets = append(p.resets, peer) }) }

func (p *proc) Paused(since time.Duration) { p.note(func() { p.pauses = append(p.pauses, since) }) }

func (p *proc) Load() cluster.Load { return cluster.Load{Connections: 7} }

// Rooms of a proc are as many in each slot that it has.
func (p *proc) Rooms(rooms []int) {
	for slot := range p.kept() {
		rooms[slot] = int(p.rooms.Load())
	}
}
