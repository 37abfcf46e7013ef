// Package cluster_test runs the nodes of a cluster in virtual time, breaks what can break between them, and judges what they and
// their clients have seen.
package cluster_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsgen/wsgen/internal/clustercheck"
	"github.com/wsgen/wsgen/runtime/clock"
	nodes "github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/sharding"
	"github.com/wsgen/wsgen/runtime/wstest"
)

var (
	seeds   = flag.Int("seeds", 3, "how many runs of the model")
	first   = flag.Uint64("seed", 1, "seed of the first one")
	records = flag.String("records", "", "a file for the records of a run that fails")
	calm    = flag.Bool("calm", true, "break one thing at a time")
	bite    = flag.Bool("teeth", false, "plant bugs, which must be found")
	verbose = flag.Bool("logs", false, "show what the nodes log")
)

const (
	slots = 8
	dead  = 16 * time.Second // the default of LeaseTimes.Dead
)

// rooms has one room of each slot.
var rooms = func() []string {
	var list []string
	taken := make(map[int]bool)
	for i := 0; len(list) < slots; i++ {
		room := fmt.Sprint("r", i)
		if slot := sharding.Slot("room:"+room, slots); !taken[slot] {
			taken[slot] = true
			list = append(list, room)
		}
	}
	return list
}()

// model is one run.
type model struct {
	t      *testing.T
	random *rand.Rand // of the faults
	memory *memory.Cluster
	locks  bool
	dir    string
	plan   plan

	mu      sync.Mutex
	records []clustercheck.Record
	runs    int
	nodes   map[string]*node // that run
	pending sync.WaitGroup   // starts and ends of nodes
}

func (m *model) backplane(name string) *nodes.Backplane {
	b := m.memory.Node(name)
	if m.plan.wrap != nil {
		b = m.plan.wrap(b)
	}
	return b
}

// log writes a record down.
func (m *model) log(r clustercheck.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.At = time.Now().UnixNano()
	m.records = append(m.records, r)
}

// pick returns a node that takes connections, the named one rather than others; nil when there is none.
func (m *model) pick(random *rand.Rand, rather string) *node {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.nodes[rather]; n != nil && random.IntN(3) == 0 {
		return n
	}
	var list []*node
	for _, name := range names {
		if n := m.nodes[name]; n != nil {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[random.IntN(len(list))]
}

var names = []string{"n1", "n2", "n3", "n4", "n5"}

// plan is what a run does.
type plan struct {
	seed  uint64
	wrap  func(b *nodes.Backplane) *nodes.Backplane // plants a bug; may be nil
	clock func(node string) clock.Clock             // nil: the system's
	lax   bool                                      // what goes wrong beside the records is no matter
	hurt  time.Duration                             // for how long things break
	calm  bool                                      // one thing at a time
	users int
}

// run runs the model and returns what was written down.
func run(t *testing.T, p plan) (out []clustercheck.Record) {
	t.Helper()
	dir := t.TempDir()
	wstest.Run(t, func(t *testing.T) {
		m := &model{t: t, random: rand.New(rand.NewPCG(p.seed, 3)), memory: memory.New(clock.Real{}), dir: dir, plan: p,
			nodes: make(map[string]*node)}
		m.locks = m.random.IntN(2) == 0
		for _, name := range names[:3+m.random.IntN(3)] {
			m.launch(name)
		}
		m.pending.Wait()
		time.Sleep(5 * time.Second)
		ctx, quiet := context.WithCancel(context.Background())
		defer quiet()
		var users sync.WaitGroup
		var clients []*client
		for i := range p.users {
			c := newClient(m, fmt.Sprintf("u%d", i), p.seed*100+uint64(i))
			clients = append(clients, c)
			users.Go(func() { c.live(ctx) })
		}
		m.breakThings(p.hurt, p.calm)
		m.pending.Wait() // a drain may take longer, and the process that follows it waits for a lease
		time.Sleep(dead + 5*time.Second)
		m.probe()
		quiet()
		users.Wait()
		m.settle(clients)
		m.census()
		for _, c := range clients {
			c.leave()
		}
		m.finish()
		out = m.records
	})
	return out
}

// launch starts a node, however often that takes.
func (m *model) launch(name string) {
	m.pending.Go(func() {
		for range 100 {
			n, err := m.start(name)
			if err == nil {
				m.mu.Lock()
				m.nodes[name] = n
				m.mu.Unlock()
				n.log(clustercheck.Record{Kind: "start"})
				return
			}
			time.Sleep(time.Second)
		}
		m.fail("%s does not start", name)
	})
}

func (m *model) fail(format string, args ...any) {
	if !m.plan.lax {
		m.t.Errorf(format, args...)
	}
}

// take takes a node off those that run.
func (m *model) take(name string) *node {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.nodes[name]
	delete(m.nodes, name)
	return n
}

// live returns the nodes that run.
func (m *model) live() []*node {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*node
	for _, name := range names {
		if n := m.nodes[name]; n != nil {
			list = append(list, n)
		}
	}
	return list
}

// probe asks each room by each node.
func (m *model) probe() {
	for _, n := range m.live() {
		p := newClient(m, "probe-"+n.name, 1)
		for _, room := range rooms {
			_, code := p.census(n, room)
			m.log(clustercheck.Record{Kind: clustercheck.Probe, Node: n.name, Room: room, Code: code})
		}
		p.leave()
	}
}

// settle waits until all that was sent has been handled.
func (m *model) settle(clients []*client) {
	time.Sleep(15 * time.Second)
	for _, c := range clients { // those that were cut off want to know what they are members of
		for range 20 {
			if c.connected() {
				break
			}
			c.connect()
			time.Sleep(time.Second)
		}
	}
	time.Sleep(5 * time.Second)
	m.log(clustercheck.Record{Kind: clustercheck.Final})
}

// census asks for the members of each room.
func (m *model) census() {
	n := m.live()[0]
	p := newClient(m, "clerk", 1)
	for _, room := range rooms {
		members, code := p.census(n, room)
		m.log(clustercheck.Record{Kind: clustercheck.Census, Room: room, Members: members, Code: code})
	}
	p.leave()
}

// finish drains all nodes.
func (m *model) finish() {
	m.pending.Wait()
	for _, n := range m.live() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := n.srv.Drain(ctx); err != nil {
			m.fail("%s does not drain: %v", n.name, err)
		}
		cancel()
	}
}

func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds a run")
	}
	for i := range uint64(*seeds) {
		seed := *first + i
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			out := run(t, plan{seed: seed, hurt: 90 * time.Second, users: 6, calm: *calm})
			found := clustercheck.Check(out)
			for _, v := range found[:min(len(found), 10)] {
				t.Error(v)
			}
			if len(found) > 0 {
				keep(t, out)
			}
		})
	}
}

// keep writes the records of a run that failed.
func keep(t *testing.T, out []clustercheck.Record) {
	if *records == "" {
		return
	}
	f, err := os.Create(*records + strings.ReplaceAll(t.Name(), "/", "-"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		_, _ = fmt.Fprintln(f, r)
	}
	_ = f.Close()
}
