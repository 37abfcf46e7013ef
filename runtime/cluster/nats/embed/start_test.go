package embed_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/wsgen/wsgen/internal/freeport"
	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// shared are three servers for the tests that do not stop them, as it takes seconds until they have agreed on who leads.
var shared struct {
	once sync.Once
	*trio
	err error
}

// TestMain finds out whether servers and connections leave goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.trio != nil {
		shared.close()
		_ = os.RemoveAll(shared.dir)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// namespace is that of tests with servers of their own.
const namespace = "test"

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// context20 ends before the test's time does.
func context20(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start starts a server that stops with the test.
func start(t testing.TB, o embed.Options) *embed.Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Logger = quiet()
	s, err := embed.Start(context20(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// connect connects a node that is gone before the servers.
func connect(t testing.TB, o natscluster.Options) *natscluster.Plane {
	t.Helper()
	o.Logger = quiet()
	p, err := natscluster.Connect(context20(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dial opens a connection beside those of nodes.
func dial(t testing.TB, o natscluster.Options) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(o.URL, append(o.NATS, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// trio are three servers that keep every record.
type trio struct {
	dir     string
	ports   freeport.Ports
	servers []*embed.Server
	urls    string // of all
}

// newTrio starts three servers. They find each other at routes(i), the addresses of all as seen by server i; nil: those that
// they listen at.
func newTrio(dir string, routes func(i int, real []string) []string, more func(*server.Options)) (*trio, error) {
	all := &trio{dir: dir, servers: make([]*embed.Server, 3)}
	real, err := all.ports.Addresses(3)
	if err != nil {
		return all, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	errs, urls := make([]error, 3), make([]string, 3)
	var started sync.WaitGroup
	for i := range 3 {
		o := embed.Options{Dir: filepath.Join(dir, fmt.Sprint(i)), Name: fmt.Sprintf("s%d", i), Listen: "127.0.0.1:0",
			ListenRoutes: real[i], Routes: real, Configure: more, Logger: quiet()}
		if routes != nil {
			o.Routes = routes(i, real)
		}
		started.Go(func() {
			if all.servers[i], errs[i] = embed.Start(ctx, o); errs[i] == nil {
				urls[i] = all.servers[i].URL()
			}
		})
	}
	started.Wait()
	all.urls = strings.Join(urls, ",")
	return all, errors.Join(errs...)
}

func (c *trio) close() {
	var all sync.WaitGroup
	for _, s := range c.servers {
		if s != nil {
			all.Go(s.Close)
		}
	}
	all.Wait()
	c.ports.Close()
}

// startTrio starts three servers that stop with the test.
func startTrio(t testing.TB, routes func(i int, real []string) []string, more func(*server.Options)) *trio {
	t.Helper()
	c, err := newTrio(t.TempDir(), routes, more)
	t.Cleanup(c.close)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onShared returns how to connect to the three servers for all tests, in a namespace that no other test uses.
func onShared(t testing.TB) natscluster.Options {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "trio")
		if shared.err = err; err == nil {
			shared.trio, shared.err = newTrio(dir, nil, nil)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return natscluster.Options{URL: shared.urls, Namespace: fmt.Sprintf("t%x", sha256.Sum256([]byte(t.Name())))[:20]}
}

func (c *trio) options() natscluster.Options {
	return natscluster.Options{URL: c.urls, Namespace: namespace}
}

// leader returns the index of the server that leads the stream.
func (c *trio) leader(t testing.TB, nc *nats.Conn) int {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for {
		s, err := js.Stream(context20(t), "WSG_"+namespace)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.servers {
			if info := s.CachedInfo(); info.Cluster != nil && info.Cluster.Leader == fmt.Sprintf("s%d", i) {
				return i
			}
		}
	}
}

// recorder collects what a Watch reports.
type recorder struct {
	mu      sync.Mutex
	changed chan struct{}
	all     []cluster.Record
}

// watch runs a Watch that ends with the test.
func watch(t testing.TB, d cluster.Directory) *recorder {
	t.Helper()
	r := &recorder{changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- d.Watch(ctx, func(c cluster.Record) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.all = append(r.all, c)
			close(r.changed)
			r.changed = make(chan struct{})
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return r
}

// until waits until what was reported satisfies a condition.
func (r *recorder) until(t testing.TB, what string, ok func([]cluster.Record) bool) []cluster.Record {
	t.Helper()
	end := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		all, changed := r.all[:len(r.all):len(r.all)], r.changed
		r.mu.Unlock()
		if ok(all) {
			return all
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("the watch has not reported %s: %v", what, all)
		}
	}
}

// has says whether a record was reported with a revision.
func has(key string, revision uint64) func([]cluster.Record) bool {
	return func(all []cluster.Record) bool {
		for _, r := range all {
			if r.Key == key && r.Revision == revision {
				return true
			}
		}
		return false
	}
}

// inOrder checks that revisions grow, and that there is one zero Record.
func inOrder(t testing.TB, all []cluster.Record) {
	t.Helper()
	var last, zeros uint64
	for _, r := range all {
		switch {
		case r.Revision == 0:
			zeros++
		case r.Revision <= last:
			t.Errorf("revision %d of %s after %d", r.Revision, r.Key, last)
		}
		last = max(last, r.Revision)
	}
	if zeros != 1 {
		t.Errorf("%d zero Records", zeros)
	}
}

func mustWrite(t testing.TB, d cluster.Directory, w cluster.Write) uint64 {
	t.Helper()
	revision, err := d.Write(context20(t), w)
	if err != nil {
		t.Fatalf("%+v: %v", w, err)
	}
	return revision
}

func TestStartAndClose(t *testing.T) {
	begin := time.Now()
	s := start(t, embed.Options{})
	started := time.Since(begin)
	p := connect(t, s.Options(namespace))
	connected := time.Since(begin)
	mustWrite(t, p.Backplane.Directory, cluster.Write{Key: "cfg", Value: []byte("x"), ID: "1"})
	t.Logf("server started after %v, connected after %v, first write after %v", started, connected, time.Since(begin))
	if s.URL() != "" {
		t.Errorf("it listens at %s", s.URL())
	}
}

// TestStartWithRoutes starts a server of three without the others: it is there, and ends when it should.
func TestStartWithRoutes(t *testing.T) {
	var ports freeport.Ports
	defer ports.Close()
	routes, err := ports.Addresses(3)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, embed.Options{Name: "a", Routes: routes, ListenRoutes: routes[0]})
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

// TestOneServerForADirectory: a second one would write over what the first one writes.
func TestOneServerForADirectory(t *testing.T) {
	o := embed.Options{Dir: t.TempDir()}
	s := start(t, o)
	o.Logger = quiet()
	if second, err := embed.Start(context20(t), o); err == nil {
		second.Close()
		t.Error("a second server starts")
	} else if !strings.Contains(err.Error(), "another process of this host has locked it") {
		t.Error(err)
	}
	s.Close()
	start(t, o)
}

func TestStartRefuses(t *testing.T) {
	for name, o := range map[string]embed.Options{
		"no directory":            {},
		"bad address":             {Dir: t.TempDir(), Listen: "here"},
		"a cluster without names": {Dir: t.TempDir(), Routes: []string{"a:1", "b:1", "c:1"}, ListenRoutes: ":1"},
		"a cluster of two":        {Dir: t.TempDir(), Name: "a", Routes: []string{"a:1", "b:1"}, ListenRoutes: ":1"},
		"a cluster that nobody can connect to": {Dir: t.TempDir(), Name: "a", Routes: []string{"a:1", "b:1", "c:1"}, ListenRoutes: "127.0.0.1:1",
			Configure: func(c *server.Options) { c.DontListen = true }},
		"a directory that is a file": {Dir: filepath.Join("/dev/null", "x"),
			Configure: func(c *server.Options) { c.JetStream = true }},
	} {
		o.Logger = quiet()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if s, err := embed.Start(ctx, o); err == nil {
			s.Close()
			t.Errorf("%s: it starts", name)
		}
		cancel()
	}
}
