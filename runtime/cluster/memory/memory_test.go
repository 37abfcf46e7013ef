package memory_test

import (
	"context"
	"testing"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/clustertest"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

func TestDirectory(t *testing.T) {
	clustertest.Directory(t, func(testing.TB) (a, b cluster.Directory) {
		c := memory.New(clock.Real{})
		return c.Node("a").Directory, c.Node("b").Directory
	})
}

func TestTransport(t *testing.T) {
	clustertest.Transport(t, func(testing.TB) (a, b cluster.Transport) {
		c := memory.New(clock.Real{})
		return c.Node("a").Transport, c.Node("b").Transport
	})
}

func TestSnapshots(t *testing.T) {
	clustertest.Snapshots(t, func(testing.TB) (d cluster.Directory, a, b cluster.Snapshots) {
		c := memory.New(clock.Real{})
		return c.Node("a").Directory, c.Node("a").Snapshots, c.Node("b").Snapshots
	})
}

func TestEdge(t *testing.T) {
	clustertest.Edge(t, func(testing.TB) (a, b cluster.Edge, call func(context.Context, []byte) ([]byte, error)) {
		c := memory.New(clock.Real{})
		return c.Node("a").Edge, c.Node("b").Edge, c.Call
	})
}
