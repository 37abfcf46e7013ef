package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// edge is where a node takes calls.
type edge struct{ n *node }

// server is a function that takes calls.
type server struct {
	node    *node
	f       func(context.Context, []byte) []byte
	ctx     context.Context
	running sync.WaitGroup // Add with the cluster's lock held, and only while it is in the list of servers
}

// Serve takes calls until stop is called. Stop ends the context of those that are running and waits for them.
func (e edge) Serve(f func(ctx context.Context, call []byte) []byte) (stop func(), err error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{node: e.n, f: f, ctx: ctx}
	c := e.n.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers = append(c.servers, s)
	return func() {
		c.mu.Lock()
		c.servers = slices.DeleteFunc(c.servers, func(other *server) bool { return other == s })
		c.mu.Unlock()
		cancel()
		s.running.Wait()
	}, nil
}

// Call makes a call as a program does that is no node: at one of the nodes that serve, each in turn. It returns ErrNobody when
// there is none.
func (c *Cluster) Call(ctx context.Context, call []byte) ([]byte, error) {
	c.mu.Lock()
	if len(c.servers) == 0 {
		c.mu.Unlock()
		return nil, cluster.ErrNobody
	}
	c.turn++
	s := c.servers[c.turn%len(c.servers)]
	s.running.Add(1)
	c.mu.Unlock()
	answer := make(chan []byte, 1)
	go s.take(ctx, slices.Clone(call), answer)
	select {
	case a, ok := <-answer:
		if ok {
			return a, nil
		}
		return nil, fmt.Errorf("memory: %s did not take the call", s.node.name)
	case <-ctx.Done():
		return nil, fmt.Errorf("memory: %s has not answered: %w", s.node.name, ctx.Err())
	}
}

// take runs a call, unless its time is up before the node is there.
func (s *server) take(ctx context.Context, call []byte, answer chan<- []byte) {
	defer s.running.Done()
	defer close(answer)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if s.node.running(ctx); ctx.Err() == nil {
		answer <- slices.Clone(s.f(ctx, call))
	}
}
