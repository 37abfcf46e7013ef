package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/chaos/link"
)

// random breaks nodes and servers at random, both at the same time, for as long as it was asked to. It does all that it can before
// it does something again.
func random(ctx context.Context, t *trial) error {
	until := time.Now().Add(t.h.time)
	lanes := [][]disturbance{nodeFaults, serverFaults}
	if t.h.short {
		lanes = lanes[:1]
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i, faults := range lanes {
		lane := &lane{trial: t, random: rand.New(rand.NewPCG(t.h.seed, uint64(i+10))), mu: &mu}
		running.Go(func() {
			if err := lane.run(ctx, faults, until); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	running.Wait()
	return failed
}

// lane does one thing after the other.
type lane struct {
	*trial
	random *rand.Rand
	mu     *sync.Mutex // of the trial's result
}

// disturbance breaks something, and mends it.
type disturbance struct {
	name string
	run  func(ctx context.Context, l *lane) error
}

func (l *lane) run(ctx context.Context, faults []disturbance, until time.Time) error {
	var order []int
	for time.Now().Before(until) {
		if len(order) == 0 {
			order = l.random.Perm(len(faults))
		}
		f := faults[order[0]]
		order = order[1:]
		if err := f.run(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		l.rest(ctx, 1, 4)
	}
	return nil
}

// fault writes a fault down, and counts it.
func (l *lane) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trial.fault(format, args...)
}

// between returns a time at random, in seconds; shorter where leases are.
func (l *lane) between(least, most float64) time.Duration {
	return time.Duration((least + l.random.Float64()*(most-least)) * float64(l.lease.dead) / 16)
}

// rest waits.
func (l *lane) rest(ctx context.Context, least, most float64) { pause(ctx, l.between(least, most)) }

// pause waits until a time has passed or ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

var nodeFaults = []disturbance{
	{"kill", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("kill node %d", i)
		l.nodes[i].proc().kill()
		if l.random.IntN(2) == 0 { // others notice first
			pause(ctx, l.lease.dead+2*time.Second)
		} else {
			l.rest(ctx, 0, 3)
		}
		if err := l.startNode(i); err != nil {
			return err
		}
		return l.ready(ctx, i)
	}},
	{"freeze", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("freeze node %d", i)
		l.freeze(i)
		l.rest(ctx, 2, 22)
		l.thaw(i)
		return l.ready(ctx, i)
	}},
	{"drain", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("drain node %d", i)
		_ = l.nodes[i].proc().end(70 * time.Second) // when the servers are broken it does not end well
		if err := l.startNode(i); err != nil {
			return err
		}
		return l.ready(ctx, i)
	}},
	{"cut", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		f := []link.Fault{{Up: true, Down: true}, {Up: true}, {Down: true}, {Break: true}}[l.random.IntN(4)]
		only := l.random.IntN(2*size) - size // one server, or all
		l.fault("cut node %d from server %d: %+v", i, only, f)
		l.uplink(i, only, f)
		l.rest(ctx, 2, 22)
		l.uplink(i, only, link.Fault{})
		l.world.fault("mend node %d", i)
		return l.ready(ctx, i)
	}},
	{"slow", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		f := link.Fault{Delay: time.Duration(l.random.IntN(300)) * time.Millisecond}
		if l.random.IntN(2) == 0 {
			f = link.Fault{Rate: 100_000 + l.random.IntN(400_000)}
		}
		l.fault("slow links of node %d: %+v", i, f)
		l.uplink(i, all, f)
		l.rest(ctx, 5, 15)
		l.uplink(i, all, link.Fault{})
		return nil
	}},
}

// all stands for all servers.
const all = -1

// uplink sets what is wrong between a node and a server, or all of them.
func (w *world) uplink(node, server int, f link.Fault) {
	for j := range size {
		if server < 0 || server == j {
			w.set(w.uplinks[node][j], f)
		}
	}
}

// ready waits for a node, for some time: the servers may be broken.
func (l *lane) ready(ctx context.Context, i int) error {
	_ = wait(ctx, l.lease.dead+10*time.Second, "", func() bool { return get("http://"+l.nodes[i].addr+"/ready", nil) == nil })
	if !l.nodes[i].proc().runs() { // it gives up when it finds no servers for long; a system starts it again
		l.world.fault("start node %d again", i)
		return l.startNode(i)
	}
	return ctx.Err()
}

var serverFaults = []disturbance{
	{"kill server", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("kill server %d", i)
		l.servers[i].process.kill()
		l.rest(ctx, 0, 6)
		if err := l.startServer(i); err != nil {
			return err
		}
		return l.awaitServer(ctx, i)
	}},
	{"freeze server", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("freeze server %d", i)
		l.servers[i].process.signal(syscall.SIGSTOP)
		l.rest(ctx, 2, 14)
		l.servers[i].process.signal(syscall.SIGCONT)
		return l.awaitServer(ctx, i)
	}},
	{"part servers", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		j := (i + 1 + l.random.IntN(size-1)) % size
		oneWay := l.random.IntN(2) == 0
		l.fault("cut server %d from server %d, one way: %v", i, j, oneWay)
		l.cutServers(i, j, oneWay)
		l.rest(ctx, 3, 15)
		l.joinServers()
		return nil
	}},
	{"isolate server", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("isolate server %d", i)
		l.cutServers(i, (i+1)%size, false)
		l.cutServers(i, (i+2)%size, false)
		l.rest(ctx, 3, 15)
		l.joinServers()
		return nil
	}},
	{"restart server", func(ctx context.Context, l *lane) error {
		i := l.random.IntN(size)
		l.fault("restart server %d", i)
		_ = l.servers[i].process.end(20 * time.Second) // a lame one is killed
		if err := l.startServer(i); err != nil {
			return err
		}
		return l.awaitServer(ctx, i)
	}},
}

// cutServers holds up, or loses, what the first server sends to the second one, and the other way round.
func (w *world) cutServers(i, j int, oneWay bool) {
	w.set(w.routes[i][j], link.Fault{Up: true, Down: !oneWay})
	w.set(w.routes[j][i], link.Fault{Up: !oneWay, Down: true})
}

// joinServers mends all links between servers.
func (w *world) joinServers() {
	for i := range size {
		for j := range size {
			if i != j {
				w.set(w.routes[i][j], link.Fault{})
			}
		}
	}
}
