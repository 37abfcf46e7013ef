package cluster_test

import (
	"errors"
	"testing"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// BenchmarkLink sends frames of 200 bytes from one node to another over the memory transport.
func BenchmarkLink(b *testing.B) {
	c := memory.New(clock.Real{})
	sender, receiver := benchLinks(b, c, "a", 1), benchLinks(b, c, "b", 2)
	frame := make([]byte, 200)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		for errors.Is(sender.Send(receiver.self, frame), cluster.ErrLinkFull) {
			if err := sender.Flush(b.Context(), receiver.self); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := sender.Flush(b.Context(), receiver.self); err != nil {
		b.Fatal(err)
	}
}

// benchLinks returns links whose handler does nothing.
func benchLinks(b *testing.B, c *memory.Cluster, node string, incarnation uint64) *end {
	e := &end{self: cluster.Peer{Node: node, Incarnation: incarnation, Address: node}}
	e.TestLinks = cluster.NewTestLinks(e.self, c.Node(node).Transport, clock.Real{}, cluster.LinkLimits{},
		func(cluster.Peer, []byte) {}, func(cluster.Peer) { b.Error("the link broke") })
	if err := e.Listen(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	return e
}

// BenchmarkChannel is what a link would cost if there was nothing to it.
func BenchmarkChannel(b *testing.B) {
	frames, done := make(chan []byte, 1024), make(chan struct{})
	go func() {
		defer close(done)
		for range frames {
		}
	}()
	frame := make([]byte, 200)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		frames <- frame
	}
	close(frames)
	<-done
}
