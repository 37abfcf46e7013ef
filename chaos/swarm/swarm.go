// Package swarm are clients of the cluster under test. They send at random, come back by themselves when their connection ends, to any
// node, and write down all that they send and see.
package swarm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/chaos/trace"
)

// Config says what the clients do.
type Config struct {
	Nodes     []string // addresses
	Rooms     int
	Clients   int     // of raw frames
	Generated int     // of the generated client
	Rate      float64 // messages a second of each
	Seed      uint64
	Log       *trace.Log
}

// Swarm are clients that run.
type Swarm struct {
	cfg       Config
	quiet     atomic.Bool
	only      atomic.Pointer[string] // address of the node whose clients send; nil: all do
	clients   []*client
	generated []*generated
	running   sync.WaitGroup
	cancel    context.CancelFunc
}

// Room returns the name of a room.
func Room(i int) string { return fmt.Sprintf("room-%02d", i) }

// Start starts clients. Each is in one room, and every fifth in a second one.
func Start(cfg Config) *Swarm {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Swarm{cfg: cfg, cancel: cancel}
	for i := range cfg.Clients + cfg.Generated {
		random := rand.New(rand.NewPCG(cfg.Seed, uint64(i)))
		rooms := []string{Room(i % cfg.Rooms)}
		if i%5 == 0 {
			rooms = append(rooms, Room((i+1+random.IntN(cfg.Rooms-1))%cfg.Rooms))
		}
		if i < cfg.Clients {
			c := &client{swarm: s, name: fmt.Sprint("c", i), rooms: rooms, random: random, first: i}
			s.clients = append(s.clients, c)
			s.running.Go(func() { c.run(ctx) })
			continue
		}
		g := &generated{swarm: s, name: fmt.Sprint("g", i-cfg.Clients), room: rooms[0], random: random}
		s.generated = append(s.generated, g)
		s.running.Go(func() { g.run(ctx) })
	}
	return s
}

// pause returns how long a client waits before its next message.
func (s *Swarm) pause(random *rand.Rand) time.Duration {
	return time.Duration((0.5 + random.Float64()) / s.cfg.Rate * float64(time.Second))
}

// node returns the address of a node at random.
func (s *Swarm) node(random *rand.Rand) string { return s.cfg.Nodes[random.IntN(len(s.cfg.Nodes))] }

// Settled reports whether all clients are connected, in their rooms, and wait for nothing; else it names one that is not.
func (s *Swarm) Settled() (who string, ok bool) {
	for _, c := range s.clients {
		if what, ok := c.settled(); !ok {
			return c.name + " " + what, false
		}
	}
	for _, g := range s.generated {
		if !g.idle.Load() {
			return g.name + " waits", false
		}
	}
	return "", true
}

// Members returns the names of the clients that are to be in a room, by name.
func (s *Swarm) Members(room string) []string {
	var names []string
	for _, c := range s.clients {
		if slices.Contains(c.rooms, room) {
			names = append(names, c.name)
		}
	}
	for _, g := range s.generated {
		if g.room == room {
			names = append(names, g.name)
		}
	}
	slices.Sort(names)
	return names
}

// Quiet makes the clients send nothing any more. They stay connected, and in their rooms.
func (s *Swarm) Quiet() { s.quiet.Store(true) }

// Only makes the clients of other nodes listen and nothing else, until it is called with an empty address. Clients of the generated
// client, of which it is not known where they are, count as those of others.
func (s *Swarm) Only(addr string) {
	if addr == "" {
		s.only.Store(nil)
		return
	}
	s.only.Store(&addr)
}

// listens reports whether a connection must not send.
func (s *Swarm) listens(conn string) bool {
	only := s.only.Load()
	return s.quiet.Load() || only != nil && !strings.HasSuffix(conn, "@"+*only)
}

// Stop ends the clients.
func (s *Swarm) Stop() {
	s.cancel()
	s.running.Wait()
}

// sleep waits; false: ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
