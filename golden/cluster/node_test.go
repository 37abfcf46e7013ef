package cluster_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wsgen/wsgen/golden/cluster/cluster"
	"github.com/wsgen/wsgen/internal/clustercheck"
	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	nodes "github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// node is a process of the cluster.
type node struct {
	m    *model
	name string
	run  string // differs between the processes of one name
	srv  *cluster.Server
	http *wstest.Server

	mu     sync.Mutex
	dead   bool          // what it still does is nothing
	thawed chan struct{} // its handlers stand still until it is closed; nil: they run
}

// epochKey finds the epoch in a handler's context.
type epochKey struct{}

// start begins a process. An error says that its server could not be made.
func (m *model) start(name string) (*node, error) {
	m.mu.Lock()
	m.runs++
	n := &node{m: m, name: name, run: fmt.Sprintf("%s#%d", name, m.runs)}
	m.mu.Unlock()
	cfg := &nodes.Config{
		Backplane: m.backplane(name), Node: name, Slots: slots, Clock: clock.Real{}, Trace: n.trace,
	}
	if m.locks {
		cfg.Lock = m.dir + "/" + name + ".lock"
	}
	if m.plan.clock != nil {
		cfg.Clock = m.plan.clock(name)
	}
	var err error
	n.srv, err = cluster.NewServer(cluster.Config{
		Authenticate: func(_ *http.Request, token string) (*cluster.Claims, error) {
			return &cluster.Claims{UserID: token}, nil
		},
		OpenRoom: func(_ context.Context, r *cluster.Room) (cluster.RoomHandler, error) {
			return &room{r: r, n: n}, nil
		},
		Options: wsrt.Options{
			Limits: wsrt.Limits{QueueAge: time.Hour}, DrainSpread: -1, Idle: 20 * time.Second, Cluster: cfg, Logger: m.logger(),
			Interceptors: []wsrt.Interceptor{withEpoch},
		},
	})
	if err != nil {
		return nil, err
	}
	n.http = wstest.Serve(m.t, n.srv)
	return n, nil
}

func (m *model) logger() *slog.Logger {
	out := io.Discard
	if *verbose {
		out = m.t.Output()
	}
	return slog.New(slog.NewTextHandler(out, nil))
}

// withEpoch tells handlers in which epoch they run.
func withEpoch(next wsrt.HandlerFunc) wsrt.HandlerFunc {
	return func(ctx context.Context, call *wsrt.Call) (any, error) {
		return next(context.WithValue(ctx, epochKey{}, call.Room.Epoch()), call)
	}
}

// trace writes down what decides about ownership.
func (n *node) trace(e nodes.Event) {
	r := clustercheck.Record{Kind: e.Kind, Slot: e.Slot, Epoch: e.Epoch, Other: e.Other.String(),
		Inc: strconv.FormatUint(e.Node.Incarnation, 16)}
	if !e.Until.IsZero() {
		r.Until = e.Until.UnixNano()
	}
	n.log(r)
}

// log writes down what the process does.
func (n *node) log(r clustercheck.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.dead {
		r.Node, r.Run = n.name, n.run
		n.m.log(r)
	}
}

// freeze lets handlers stand still in the middle of what they do, as those of a process do that is stopped. Their clock goes on.
func (n *node) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.thawed == nil && !n.dead {
		n.thawed = make(chan struct{})
	}
}

func (n *node) thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.thawed != nil {
		close(n.thawed)
		n.thawed = nil
	}
}

// stall waits while the node is frozen.
func (n *node) stall() {
	n.mu.Lock()
	thawed := n.thawed
	n.mu.Unlock()
	if thawed != nil {
		<-thawed
	}
}

// crash ends the process without a word. What its goroutines still do reaches nobody.
func (n *node) crash() {
	n.mu.Lock()
	n.dead = true
	n.mu.Unlock()
	n.m.memory.Crash(n.name)
	n.thaw()
	n.http.DropConnections()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.srv.Drain(ctx) // it cannot do it, and ends
}

// room counts what it is sent, and tells it to all.
type room struct {
	r *cluster.Room
	n *node
	cluster.UnimplementedRoomHandler
	total int
}

func (h *room) Join(_ context.Context, c *cluster.Conn, _ *cluster.Join) error { return h.r.Join(c) }

func (h *room) Leave(_ context.Context, c *cluster.Conn, _ *cluster.Leave) error {
	h.r.Leave(c)
	return nil
}

func epochOf(ctx context.Context) int64 { return int64(ctx.Value(epochKey{}).(uint64)) }

// apply writes down that a message is handled here.
func (h *room) apply(ctx context.Context, id string) {
	h.total++
	h.n.log(clustercheck.Record{Kind: clustercheck.Apply, Slot: h.r.Shard(), Epoch: uint64(epochOf(ctx)), Room: h.r.ID(), ID: id,
		N: uint64(h.total)})
	h.n.stall()
}

func (h *room) Say(ctx context.Context, c *cluster.Conn, m *cluster.Say) error {
	h.apply(ctx, m.ID)
	var opts []wsrt.PublishOption
	if m.Others {
		opts = append(opts, cluster.Except(c))
	}
	err := h.tell(ctx, m.ID, opts...)
	if err == nil && m.Hint {
		err = h.r.Publish(&cluster.Hint{RoomID: h.r.ID(), Epoch: int(epochOf(ctx))})
	}
	return err
}

func (h *room) tell(ctx context.Context, id string, opts ...wsrt.PublishOption) error {
	return h.r.Publish(&cluster.Said{RoomID: h.r.ID(), ID: id, Epoch: int(epochOf(ctx)), N: h.total}, opts...)
}

func (h *room) Ask(ctx context.Context, _ *cluster.Conn, m *cluster.AskRequest) (*cluster.AskResponse, error) {
	h.apply(ctx, m.ID)
	if err := h.tell(ctx, m.ID); err != nil {
		return nil, err
	}
	return &cluster.AskResponse{Epoch: int(epochOf(ctx)), N: h.total}, nil
}

func (h *room) Census(ctx context.Context, _ *cluster.Conn, _ *cluster.CensusRequest) (*cluster.CensusResponse, error) {
	resp := &cluster.CensusResponse{Epoch: int(epochOf(ctx)), Members: []string{}}
	for c := range h.r.Members() {
		resp.Members = append(resp.Members, c.UserID())
	}
	return resp, nil
}

func (h *room) Snapshot() ([]byte, error) {
	if h.total == 0 {
		return nil, nil
	}
	return strconv.AppendInt(nil, int64(h.total), 10), nil
}

func (h *room) Restore(snapshot []byte) (err error) {
	h.total, err = strconv.Atoi(string(snapshot))
	return err
}
