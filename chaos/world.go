package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/chaos/link"
	"github.com/wsgen/wsgen/chaos/trace"
	"github.com/wsgen/wsgen/internal/clustercheck"
)

// size is how many nodes and how many servers there are.
const size = 3

// world is a cluster of processes: servers of NATS, nodes, and the links between them.
type world struct {
	network network
	dir     string // of traces, logs and what the servers store
	bin     string // of the programs
	lease   leaseTimes
	slots   int
	sync    string // sync_interval of the servers
	log     *trace.Log
	servers [size]*server
	nodes   [size]*node
	routes  [size][size]connection // from the first server to the second
	uplinks [size][size]connection // from a node to a server

	mu  sync.Mutex
	err error // of the network
}

// Ports of a server.
const (
	clientPort = iota
	routePort
	monitorPort
	serverPorts
)

// server is a server of NATS.
type server struct {
	name        string
	host        *host
	config, log string // files
	process     *process
}

// node is a node of the cluster.
type node struct {
	name, addr string
	host       *host
	mu         sync.Mutex
	process    *process
}

// leaseTimes are those of cluster.LeaseTimes.
type leaseTimes struct{ renew, stop, dead time.Duration }

func (t leaseTimes) String() string { return fmt.Sprintf("%v,%v,%v", t.renew, t.stop, t.dead) }

// world starts a world in a folder.
func (h *harness) world(ctx context.Context, bin, dir string) (*world, error) {
	n, err := h.newNetwork()
	if err != nil {
		return nil, err
	}
	w := &world{network: n, dir: dir, bin: bin, lease: h.lease, slots: h.slots, sync: h.sync, log: &trace.Log{}}
	err = w.start(ctx)
	if err == nil && !h.lenient {
		err = w.awaitBalance(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	if err := w.place(); err != nil {
		return err
	}
	if err := w.connect(); err != nil {
		return err
	}
	for i := range w.servers {
		if err := w.startServer(i); err != nil {
			return err
		}
	}
	for i := range w.servers {
		if err := w.awaitServer(ctx, i); err != nil {
			return err
		}
	}
	for i := range w.nodes {
		if err := w.startNode(i); err != nil {
			return err
		}
	}
	for i := range w.nodes {
		if err := w.awaitNode(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// place gives servers and nodes their hosts.
func (w *world) place() error {
	for i := range size {
		sh, err := w.network.host(serverPorts)
		if err != nil {
			return err
		}
		nh, err := w.network.host(1)
		if err != nil {
			return err
		}
		name := fmt.Sprint("s", i)
		w.servers[i] = &server{name: name, host: sh, config: filepath.Join(w.dir, name+".conf"), log: filepath.Join(w.dir, name+".log")}
		w.nodes[i] = &node{name: fmt.Sprint("n", i), host: nh, addr: nh.reached[0]}
	}
	return nil
}

// connect lets the servers reach each other, and the nodes reach them.
func (w *world) connect() error {
	for i := range size {
		for j := range size {
			var err error
			if w.uplinks[i][j], err = w.network.connect(w.nodes[i].host, w.servers[j].host, clientPort); err != nil {
				return err
			}
			if i == j {
				continue
			}
			if w.routes[i][j], err = w.network.connect(w.servers[i].host, w.servers[j].host, routePort); err != nil {
				return err
			}
		}
	}
	return nil
}

// connections calls f for all there are.
func (w *world) connections(f func(connection)) {
	for i := range size {
		for j := range size {
			for _, c := range []connection{w.routes[i][j], w.uplinks[i][j]} {
				if c != nil {
					f(c)
				}
			}
		}
	}
}

// set replaces what is wrong with a connection.
func (w *world) set(c connection, f link.Fault) {
	if err := c.set(f); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = errors.Join(w.err, err)
	}
}

// failed returns what could not be done to the network.
func (w *world) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// config is what a server is started with. Servers know each other by the links between them only, and tell nobody of
// another way.
const config = `
server_name: %s
listen: "%s"
http: "%s"
ping_interval: "5s"
ping_max: 2
jetstream { store_dir: "%s", sync_interval: %s }
cluster {
  name: chaos
  listen: "%s"
  advertise: "127.0.0.1:1"
  no_advertise: true
  ping_interval: "5s"
  ping_max: 2
  routes: [%s]
}
`

func (w *world) startServer(i int) error {
	s := w.servers[i]
	var routes []string
	for j := range size {
		if i != j {
			routes = append(routes, `"nats://`+w.routes[i][j].addr()+`"`)
		}
	}
	text := fmt.Sprintf(config, s.name, s.host.listen[clientPort], s.host.listen[monitorPort], filepath.Join(w.dir, s.name), w.sync,
		s.host.listen[routePort], strings.Join(routes, ", "))
	if err := os.WriteFile(s.config, []byte(text), 0o644); err != nil {
		return err
	}
	var err error
	s.process, err = s.host.start(s.log, filepath.Join(w.bin, "nats-server"), "-c", s.config)
	return err
}

// awaitServer waits until a server takes part in the replication of streams.
func (w *world) awaitServer(ctx context.Context, i int) error {
	s := w.servers[i]
	return wait(ctx, 30*time.Second, "server "+s.name+" does not start; see "+s.log, func() bool {
		return get("http://"+s.host.reached[monitorPort]+"/healthz?js-server-only=true", nil) == nil
	})
}

func (w *world) startNode(i int) error {
	n := w.nodes[i]
	var urls []string
	for j := range size {
		urls = append(urls, "nats://"+w.uplinks[i][j].addr())
	}
	p, err := n.host.start(filepath.Join(w.dir, n.name+".log"), filepath.Join(w.bin, "node"), "-name", n.name,
		"-addr", n.host.listen[0], "-nats", strings.Join(urls, ","), "-trace", filepath.Join(w.dir, n.name+".trace"),
		"-lock", filepath.Join(w.dir, n.name+".lock"), "-lease", w.lease.String(), "-slots", strconv.Itoa(w.slots))
	if err == nil {
		n.mu.Lock()
		n.process = p
		n.mu.Unlock()
	}
	return err
}

// proc returns the process of the node at the moment.
func (n *node) proc() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

func (w *world) awaitNode(ctx context.Context, i int) error {
	n := w.nodes[i]
	return wait(ctx, w.lease.dead+30*time.Second, "node "+n.name+" does not start; see its log in "+w.dir, func() bool {
		return get("http://"+n.addr+"/ready", nil) == nil
	})
}

// awaitBalance waits until every node has about as many slots as the others.
func (w *world) awaitBalance(ctx context.Context) error {
	return wait(ctx, 60*time.Second, "slots are not spread over the nodes", func() bool {
		var d runtime.Debug
		if get("http://"+w.nodes[0].addr+"/debug", &d) != nil || d.Cluster == nil || d.Cluster.Orphans() > 0 {
			return false
		}
		most := 0
		for _, n := range d.Cluster.Nodes {
			most = max(most, n.Slots)
		}
		return most <= (len(d.Cluster.Slots)*13/10+size-1)/size
	})
}

// stop ends everything. An error is of the network.
func (w *world) stop() error {
	for _, n := range w.nodes {
		if n != nil && n.proc() != nil {
			n.proc().kill()
		}
	}
	for _, s := range w.servers {
		if s != nil && s.process != nil {
			s.process.kill()
		}
	}
	w.connections(connection.close)
	return w.network.close()
}

// drainAll ends the nodes as a system does that shuts down, one after the other, and reports those that do not end well.
func (w *world) drainAll() error {
	var errs []error
	for _, n := range w.nodes {
		errs = append(errs, n.proc().end(70*time.Second))
	}
	return errors.Join(errs...)
}

// heal mends all that is broken.
func (w *world) heal() {
	w.connections(func(c connection) { w.set(c, link.Fault{}) })
	for i := range w.nodes {
		w.nodes[i].proc().signal(syscall.SIGCONT)
		w.servers[i].process.signal(syscall.SIGCONT)
	}
}

// records returns what all nodes and clients have written down.
func (w *world) records() ([]clustercheck.Record, error) {
	all := slices.Clone(w.log.Records())
	for _, n := range w.nodes {
		f, err := os.Open(filepath.Join(w.dir, n.name+".trace"))
		if err != nil {
			return nil, err
		}
		records, err := clustercheck.Read(f)
		_ = f.Close() // it was read only
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, records...)
	}
	return all, nil
}

// Kinds of records about a node that stands still.
const (
	frozen = "freeze"
	thawed = "thaw"
)

// freeze stops a node.
func (w *world) freeze(i int) {
	w.nodes[i].proc().signal(syscall.SIGSTOP)
	w.log.Add(clustercheck.Record{Kind: frozen, Node: w.nodes[i].name})
}

// thaw lets it go on.
func (w *world) thaw(i int) {
	w.log.Add(clustercheck.Record{Kind: thawed, Node: w.nodes[i].name})
	w.nodes[i].proc().signal(syscall.SIGCONT)
}

// fault writes down what is done to the world.
func (w *world) fault(format string, args ...any) {
	w.log.Add(clustercheck.Record{Kind: clustercheck.Fault, Note: fmt.Sprintf(format, args...)})
}

// wait waits until something is so.
func wait(ctx context.Context, within time.Duration, what string, f func() bool) error {
	for end := time.Now().Add(within); !f(); {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Now().After(end):
			return fmt.Errorf("%s within %v", what, within)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// get asks a process for JSON, or whether it is well.
func get(address string, v any) error {
	c := http.Client{Timeout: 2 * time.Second}
	resp, err := c.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		u, _ := url.Parse(address) // it was asked
		return fmt.Errorf("%s %s", u.Path, resp.Status)
	}
	if v == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(v)
}
