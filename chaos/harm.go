package main

// What is done to nodes to bring planted bugs to light. Healthy nodes stand all of it.

import (
	"context"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/chaos/link"
)

// The names of the connections of a node to NATS, as in the first bytes of each.
const (
	ofDirectory = `"wsgen chaos directory"`
	ofLinks     = `"wsgen chaos links"`
	ofSnapshots = `"wsgen chaos snapshots"`
)

// hold does something to the connections of a node to the servers.
func (t *trial) hold(node int, f link.Fault) {
	t.fault("hold up what is on the links of node %d: %+v", node, f)
	t.uplink(node, all, f)
}

// release ends that.
func (t *trial) release(node int) {
	t.world.fault("release node %d", node)
	t.uplink(node, all, link.Fault{})
}

// spread waits until each node has slots. With a bug that may never be so.
func (t *trial) spread(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_ = t.awaitBalance(ctx)
}

// replace kills a node and starts it again; its lock shows that the old process is gone.
func (t *trial) replace(ctx context.Context, node int) error {
	t.fault("kill node %d and start it again", node)
	t.nodes[node].proc().kill()
	if err := t.startNode(node); err != nil {
		return err
	}
	return t.awaitNode(ctx, node)
}

// saves is a little longer than the time between two snapshots of a room that is used.
const saves = 6 * time.Second

// lateSave lets snapshots of a process arrive when its successor has saved others, and then loses the successor. The process must
// not get them through in another way, or else the servers know them already.
func lateSave(ctx context.Context, t *trial) error {
	t.spread(ctx)
	pause(ctx, saves) // each room has saved once: the next time it does not look before
	t.hold(0, link.Fault{Up: true, Only: ofSnapshots})
	pause(ctx, saves)
	t.hold(0, link.Fault{Up: true, Only: ofSnapshots, Old: true}) // but what its successor sends
	if err := t.replace(ctx, 0); err != nil {
		return err
	}
	pause(ctx, saves)
	t.release(0)
	pause(ctx, 300*time.Millisecond)
	err := t.replace(ctx, 0)
	pause(ctx, 2*time.Second)
	return err
}

// lateRenewal lets the last renewal of a process, which says that it drains, arrive when its successor runs and hears nothing
// from the servers for a while. When others believe it they take the successor's slots at once.
func lateRenewal(ctx context.Context, t *trial) error {
	t.spread(ctx)
	for i := range 2 {
		t.hold(i, link.Fault{Up: true, Only: ofDirectory, Old: true})
		t.nodes[i].proc().signal(syscall.SIGTERM)
		pause(ctx, 100*time.Millisecond)
		if err := t.replace(ctx, i); err != nil {
			return err
		}
		pause(ctx, 2*time.Second)
		t.hold(i, link.Fault{Down: true, Only: ofDirectory})
		pause(ctx, t.lease.stop-2*t.lease.renew) // its lease holds all the time
		t.release(i)
		pause(ctx, 4*time.Second)
	}
	return nil
}

// contend kills a node, and keeps the writes of another one from the servers, which therefore must not take any slot: the third
// one takes all. Both want them at the same time.
func contend(ctx context.Context, t *trial) error {
	t.spread(ctx)
	t.fault("kill node 0")
	t.nodes[0].proc().kill()
	pause(ctx, t.lease.dead-2*t.lease.renew)
	t.hold(1, link.Fault{Up: true, Only: ofDirectory})
	pause(ctx, t.lease.dead+2*time.Second)
	t.release(1)
	if err := t.startNode(0); err != nil {
		return err
	}
	return t.awaitNode(ctx, 0)
}

// freeze stops nodes for longer than their leases.
func freeze(ctx context.Context, t *trial) error {
	t.spread(ctx)
	for i := range 2 {
		t.fault("freeze node %d", i)
		t.freeze(i)
		pause(ctx, t.lease.dead+2*time.Second)
		t.thaw(i)
		pause(ctx, 5*time.Second)
	}
	return nil
}

// stutter holds up what nodes send for a short time, so that they send it again.
func stutter(ctx context.Context, t *trial) error {
	t.spread(ctx)
	for i := range size {
		t.hold(i, link.Fault{Up: true, Only: ofLinks})
		pause(ctx, 1500*time.Millisecond)
		t.release(i)
		pause(ctx, time.Second)
	}
	return nil
}

// loseOwner kills a node. Rooms go on from snapshots that are older than what clients have seen.
func loseOwner(ctx context.Context, t *trial) error {
	t.spread(ctx)
	pause(ctx, 3*time.Second)
	t.fault("kill node 0")
	t.nodes[0].proc().kill()
	pause(ctx, t.lease.dead+5*time.Second)
	if err := t.startNode(0); err != nil {
		return err
	}
	return t.awaitNode(ctx, 0)
}

// lateCasts lets what a node has published arrive when others own its slots, to which it has given them itself. It gives four at
// a time, and waits two seconds for its peers to confirm what it has sent; after twelve the link would break. A node that waits
// for an answer of the old owner does not ask the new one before, so that the clients of others are silent until that is there.
func lateCasts(ctx context.Context, t *trial) error {
	t.spread(ctx)
	t.swarm.Only(t.nodes[0].addr)
	pause(ctx, 2*time.Second)
	t.hold(0, link.Fault{Up: true, Only: ofLinks})
	pause(ctx, 3*time.Second)
	t.fault("drain node 0")
	p := t.nodes[0].proc()
	p.signal(syscall.SIGTERM)
	pause(ctx, 5*time.Second)
	t.swarm.Only("")
	pause(ctx, 2*time.Second)
	t.release(0)
	_ = p.end(70 * time.Second)
	if err := t.startNode(0); err != nil {
		return err
	}
	return t.awaitNode(ctx, 0)
}
