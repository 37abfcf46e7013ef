package embed_test

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/clustertest"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// pair connects two nodes in a namespace of their own.
type pair func(t testing.TB) (a, b *natscluster.Plane)

// onePair are two nodes at one server.
func onePair(t testing.TB) (a, b *natscluster.Plane) {
	o := start(t, embed.Options{}).Options(namespace)
	return connect(t, o), connect(t, o)
}

// farPair are two nodes at different servers of three.
func farPair(t testing.TB) (a, b *natscluster.Plane) {
	o := onShared(t)
	o.NATS = []nats.Option{nats.IgnoreDiscoveredServers()}
	other := o
	o.URL, other.URL = shared.servers[0].URL(), shared.servers[1].URL()
	return connect(t, o), connect(t, other)
}

// nearPair are two nodes at the same of three servers. Packets between servers are lost until they know who listens.
func nearPair(t testing.TB) (a, b *natscluster.Plane) {
	o := onShared(t)
	o.NATS, o.URL = []nats.Option{nats.IgnoreDiscoveredServers()}, shared.servers[2].URL()
	return connect(t, o), connect(t, o)
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]pair{"one": onePair, "three": farPair} {
		t.Run("directory/"+name, func(t *testing.T) {
			clustertest.Directory(t, func(t testing.TB) (cluster.Directory, cluster.Directory) {
				a, b := open(t)
				return a.Backplane.Directory, b.Backplane.Directory
			})
		})
		t.Run("snapshots/"+name, func(t *testing.T) {
			clustertest.Snapshots(t, func(t testing.TB) (cluster.Directory, cluster.Snapshots, cluster.Snapshots) {
				a, b := open(t)
				return b.Backplane.Directory, a.Backplane.Snapshots, b.Backplane.Snapshots
			})
		})
	}
	for name, open := range map[string]pair{"one": onePair, "three": nearPair} {
		t.Run("transport/"+name, func(t *testing.T) {
			clustertest.Transport(t, func(t testing.TB) (cluster.Transport, cluster.Transport) {
				a, b := open(t)
				return a.Backplane.Transport, b.Backplane.Transport
			})
		})
	}
	t.Run("edge", func(t *testing.T) {
		type call = func(context.Context, []byte) ([]byte, error)
		clustertest.Edge(t, func(t testing.TB) (cluster.Edge, cluster.Edge, call) {
			s := start(t, embed.Options{})
			a, b := connect(t, s.Options(namespace)), connect(t, s.Options(namespace))
			caller := natscluster.NewCaller(dial(t, s.Options(namespace)), namespace)
			return a.Backplane.Edge, b.Backplane.Edge, caller.Call
		})
	})
}
