package cluster_test

// What the tests of nodes have in common: processes with an app that notes what it is told, in a bubble of virtual time.
// Whatever a test does, a slot never has two owners whose leases hold, its epochs grow, and each app is told what Route
// returns.

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// The default times of a lease, and what it may take in addition until others have what a node had.
const (
	stop  = 12 * time.Second
	dead  = 16 * time.Second
	slack = 5 * time.Second
)

// slots is how many slots the clusters of these tests have.
const slots = 16

// world is a cluster.
type world struct {
	*memory.Cluster
	t     *testing.T
	procs []*proc

	schema cluster.Schema // of processes that start

	mu     sync.Mutex
	epochs [slots]uint64 // in which each slot was opened last
	opens  [slots]int    // how often it was opened in a new epoch
}

// inWorld runs a test of nodes in a bubble. Processes that run at the end are killed.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{Cluster: memory.New(clock.Real{}), t: t, schema: cluster.Schema{Fingerprint: "fingerprint"}}
		t.Cleanup(func() {
			w.mustTellRoutes()
			for _, p := range w.procs {
				p.kill()
			}
		})
		f(t, w)
	})
}

// started runs a test of a cluster whose nodes have shared the slots. What they were told until then is forgotten.
func started(t *testing.T, names []string, f func(t *testing.T, w *world, p []*proc)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		for _, name := range names {
			w.start(name)
		}
		w.mustShare("in the beginning", 30*time.Second, w.procs...)
		w.pass(10 * time.Second) // they come to rest
		for _, p := range w.procs {
			p.note(func() { p.notes = notes{} })
		}
		f(t, w, w.procs)
	})
}

// config returns the configuration of a process; change may be nil.
func (w *world) config(name string, change func(*cluster.Config)) cluster.Config {
	cfg := cluster.Config{
		Backplane: w.Node(name), Node: name, Slots: slots, Clock: clock.Real{},
		Logger: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func (w *world) start(name string) *proc {
	w.t.Helper()
	return w.startWith(name, nil)
}

// startWith starts a process with another configuration.
func (w *world) startWith(name string, change func(*cluster.Config)) *proc {
	w.t.Helper()
	p, err := w.join(w.t.Context(), w.config(name, change))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) join(ctx context.Context, cfg cluster.Config) (*proc, error) {
	p := &proc{w: w, name: cfg.Node, open: make(map[int]uint64), yielding: make(map[int]uint64)}
	_, err := cluster.Join(ctx, cfg, w.schema, func(n *cluster.Node) cluster.App {
		p.Node = n
		p.note(func() { w.procs = append(w.procs, p) })
		return p
	})
	if err != nil {
		p.note(func() { w.procs = slices.DeleteFunc(w.procs, func(other *proc) bool { return other == p }) })
	}
	return p, err
}

// pass lets time pass, and looks all the while whether a slot has two owners.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.until(d, func() bool { return false })
}

// until lets time pass until something is so, and returns how long it took; and false when that was not within d.
func (w *world) until(d time.Duration, is func() bool) (time.Duration, bool) {
	const step = 100 * time.Millisecond
	for start := time.Now(); ; time.Sleep(step) {
		synctest.Wait()
		w.mustHaveOneOwner()
		took := time.Since(start)
		if is() {
			return took, true
		}
		if took >= d {
			return took, false
		}
	}
}

// within is until for what must be so in time.
func (w *world) within(d time.Duration, what string, is func() bool) time.Duration {
	w.t.Helper()
	took, ok := w.until(d, is)
	if !ok {
		w.t.Fatalf("%s: not within %v", what, d)
	}
	return took
}

func (w *world) mustHaveOneOwner() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for slot := range slots {
		w.mustNotBeOthers(slot, nil)
	}
}

// mustNotBeOthers fails when more than one process may act for a slot, of which p is one unless it is nil. w.mu is held.
func (w *world) mustNotBeOthers(slot int, p *proc) {
	for _, other := range w.procs {
		if other == p || other.open[slot] == 0 || !other.Alive() {
			continue
		}
		if p != nil {
			w.t.Errorf("slot %d has two owners, in epochs %d and %d", slot, other.open[slot], p.open[slot])
		}
		p = other
	}
}

// shared reports whether processes own all slots together, each those that are for it, and all of them know.
func (w *world) shared(procs ...*proc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, p := range procs {
		names = append(names, p.name)
	}
	for slot, name := range cluster.Assignment(names, slots) {
		owner := procs[slices.Index(names, name)]
		route := cluster.Route{Owner: owner.Self(), Epoch: owner.open[slot]}
		for _, p := range procs {
			if !p.Ready() || route.Epoch == 0 || p.Route(slot) != route {
				return false
			}
		}
	}
	return true
}

// mustShare waits until processes have shared all slots.
func (w *world) mustShare(what string, d time.Duration, procs ...*proc) time.Duration {
	w.t.Helper()
	return w.within(d, what+": the slots are shared", func() bool { return w.shared(procs...) })
}

// allOpen reports whether processes own all slots together, whichever.
func (w *world) allOpen(procs ...*proc) bool {
	n := 0
	for _, p := range procs {
		n += len(p.owned())
	}
	return n == slots
}

// overwrite changes a record of the directory behind the back of the nodes.
func (w *world) overwrite(key, value string) {
	w.t.Helper()
	directory := w.Node("operator").Directory
	var last uint64
	ctx, cancel := context.WithCancel(w.t.Context())
	if err := directory.Watch(ctx, func(r cluster.Record) {
		if r.Key == key {
			last = r.Revision
		}
		if r.Key == "" {
			cancel()
		}
	}); err != nil {
		w.t.Fatal(err)
	}
	write := cluster.Write{Key: key, Value: []byte(value), Last: last, ID: "operator " + key}
	if _, err := directory.Write(w.t.Context(), write); err != nil {
		w.t.Fatal(err)
	}
}

// mustTellRoutes fails when an app was not told of a route.
func (w *world) mustTellRoutes() {
	synctest.Wait()
	for _, p := range w.procs {
		for slot, told := range p.told() {
			if now := p.Route(slot); !p.killed && now != told {
				w.t.Errorf("%v was told that slot %d is of %v, but it is of %v", p.Self(), slot, told, now)
			}
		}
	}
}

// opened returns how often each slot has come to an owner.
func (w *world) opened() [slots]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opens
}
