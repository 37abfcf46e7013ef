// Package natscluster runs a cluster on NATS with JetStream, server 2.12 or later.
//
//	plane, err := natscluster.Connect(ctx, natscluster.Options{URL: "nats://nats:4222", Namespace: "chat"})
//	// …
//	defer plane.Close()
//	// plane.Backplane is what the cluster runs on.
//
// All records and snapshots of a namespace are in one stream, WSG_<namespace>, which Connect makes when it is not there:
//
//   - The revision of a record is its sequence in the stream. A write is refused by the server when the record has another one.
//   - A snapshot is written in a batch that the server takes as a whole, and refuses when the record of the slot has
//     another revision than its owner claimed it with, at the moment in which the batch is committed.
//   - Snapshots are read from any replica that has all that was acknowledged before: a small message is written first, and an
//     answer counts only if its replica has that message.
//
// No setting of the stream may let it forget records: Connect refuses a stream with an age or size limit. What NATS acknowledges
// is on a majority of the replicas' processes; it is on their disks, too, with sync_interval: always only. The account should
// be that of the cluster alone: who may publish to the stream may take slots.
//
// Packets between nodes and calls of other programs go over core NATS, at most once.
package natscluster

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Plane is a connection to the NATS of a cluster.
type Plane struct {
	// Backplane is for the cluster's configuration. It fails after Close.
	Backplane *cluster.Backplane

	conns []*nats.Conn
}

// Connect connects, checks the servers and makes the stream when it is not there. It tries until ctx ends, or for 30 seconds
// when ctx has no deadline, as servers may start at the same time as nodes. It fails at once when settings are wrong.
func Connect(ctx context.Context, o Options) (*Plane, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startTime)
		defer cancel()
	}
	p := &Plane{}
	if err := p.open(ctx, o); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// open makes three connections: neither a full queue of packets nor a large snapshot may hold up the renewal of a lease.
func (p *Plane) open(ctx context.Context, o Options) error {
	for _, what := range []string{"directory", "links", "snapshots"} {
		nc, err := o.connect(ctx, what)
		if err != nil {
			return err
		}
		p.conns = append(p.conns, nc)
	}
	names := newNames(o.Namespace)
	js, err := jetstream.New(p.conns[0])
	if err != nil {
		return fmt.Errorf("natscluster: %w", err)
	}
	if err := checkServer(ctx, p.conns[0], js); err != nil {
		return err
	}
	if err := makeStream(ctx, p.conns[0], js, names, o); err != nil {
		return err
	}
	p.Backplane = &cluster.Backplane{
		Directory: &directory{store: store{nc: p.conns[0], names: names}, js: js, log: o.Logger},
		Transport: &transport{nc: p.conns[1], names: names},
		Snapshots: newSnapshots(store{nc: p.conns[2], names: names}),
		Edge:      &edge{nc: p.conns[2], subject: names.edge()},
	}
	return nil
}

// Close closes the connections. Watches end with an error, and what waits for an answer fails.
func (p *Plane) Close() {
	for _, nc := range p.conns {
		nc.Close()
	}
}
