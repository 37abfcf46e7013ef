package embed_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
)

// cable is a route from one server to another that can be cut.
type cable struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	all   sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to}
	c.all.Go(c.run)
	return c
}

func (c *cable) close() {
	_ = c.listener.Close()
	c.set(true)
	c.all.Wait()
}

func (c *cable) run() {
	for {
		from, err := c.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = from.Close()
			continue
		}
		c.mu.Lock()
		if c.conns = append(c.conns, from, to); c.cut {
			_, _ = from.Close(), to.Close()
		}
		c.mu.Unlock()
		for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
			c.all.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_, _ = pair[0].Close(), pair[1].Close()
			})
		}
	}
}

// set cuts the cable, or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut = cut; cut {
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.conns = nil
	}
}

// TestCutOffLeader cuts the server that leads the stream off from the two others, which elect another one. The former answers
// reads with what was there before, and even refuses writes because of it; a node that is connected to it must neither believe
// that nor take it for a conflict.
func TestCutOffLeader(t *testing.T) {
	cables := make(map[[2]int]*cable)
	c := startTrio(t, func(i int, real []string) []string {
		seen := append([]string(nil), real...)
		for j := range seen {
			if j != i {
				cables[[2]int{i, j}] = newCable(t, real[j])
				seen[j] = cables[[2]int{i, j}].listener.Addr().String()
			}
		}
		return seen
	}, func(o *server.Options) {
		// Servers that hear of each other connect past the cables, unless what they hear leads nowhere.
		o.Cluster.NoAdvertise, o.Cluster.Advertise = true, "127.0.0.1:1"
	})
	t.Cleanup(func() {
		for _, one := range cables {
			one.close()
		}
	})
	p := connect(t, c.options())
	leader := c.leader(t, dial(t, c.options()))
	inside := connect(t, c.servers[leader].Options(namespace))
	outside := connect(t, natscluster.Options{URL: c.servers[(leader+1)%3].URL(), Namespace: namespace,
		NATS: []nats.Option{nats.IgnoreDiscoveredServers()}})
	first := claim(t, p, 1, 0, "first")
	mustSave(t, p, 1, first, "r", []byte("first"))
	seen := watch(t, inside.Backplane.Directory)
	seen.until(t, "the first owner", has("own.1", first))

	cut := func(off bool) {
		for ends, one := range cables {
			if ends[0] == leader || ends[1] == leader {
				one.set(off)
			}
		}
	}
	cut(true)
	second := claim(t, outside, 1, first, "second")
	mustSave(t, outside, 1, second, "r", []byte("second"))

	nc := dial(t, c.servers[leader].Options(namespace))
	stale, err := nc.Request("$JS.API.DIRECT.GET.WSG_test.wsg.test.d.own.1", nil, 2*time.Second)
	if err != nil || stale.Header.Get("Nats-Sequence") != strconv.FormatUint(first, 10) {
		t.Errorf("the server that is cut off answers %v, %v", stale, err)
	}
	third := cluster.Write{Key: "own.1", Value: []byte("third"), Last: second, ID: "third"}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := inside.Backplane.Directory.Write(ctx, third); err == nil || errors.Is(err, cluster.ErrConflict) {
		t.Errorf("a write to it: %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if got, err := inside.Backplane.Snapshots.Load(ctx, 1, "r"); err == nil {
		t.Errorf("it has snapshot %q", got)
	}
	ctx, cancel = context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := inside.Backplane.Snapshots.Save(ctx, 1, first, "r", []byte("zombie")); err == nil {
		t.Error("it takes a snapshot")
	}

	cut(false)
	if got := mustLoad(t, inside, 1, "r"); string(got) != "second" {
		t.Errorf("loaded %q", got)
	}
	inOrder(t, seen.until(t, "the third owner", has("own.1", mustWrite(t, inside.Backplane.Directory, third))))
}
