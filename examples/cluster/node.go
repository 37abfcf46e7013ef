package main

import (
	"context"
	"errors"
	_ "expvar"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
	"github.com/wsgen/wsgen/runtime/filestore"
	wsprom "github.com/wsgen/wsgen/runtime/prometheus"

	"github.com/wsgen/wsgen/examples/chat/chat"
	"github.com/wsgen/wsgen/examples/chat/lobby"
	"github.com/wsgen/wsgen/examples/chat/web"
)

// What a node prints once it serves, and once it is out of service.
const (
	serving = "The chat is on http://"
	drained = "Out of service"
)

// stuck is how long a hub may be in one turn before the process had better be started anew.
const stuck = 30 * time.Second

// runNode is one node, from the first connection to NATS to the last one that is closed.
func (c *config) runNode(ctx context.Context) error {
	ctx, gone, stop := c.untilAbandoned(ctx)
	defer stop()
	if err := os.MkdirAll(c.data, 0o777); err != nil {
		return err
	}
	cfg := chat.Config{Authenticate: c.tokens().Authenticate, OpenRoom: lobby.Open}
	cfg.Unlimited = c.unlimited
	if c.cluster == single {
		store, err := filestore.New(filepath.Join(c.data, "rooms"))
		if err != nil {
			return err
		}
		cfg.Store = store
		return c.serve(ctx, cfg)
	}
	plane, end, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	defer plane.Close()
	cfg.Cluster = &cluster.Config{
		Backplane: plane.Backplane, Node: c.node, Zone: c.zone, Lease: c.lease(),
		Lock: filepath.Join(c.data, "node.lock"),
	}
	err = c.serve(ctx, cfg)
	if c.supervised && c.cluster == embed3 {
		fmt.Println(drained)
		<-gone // the others need the server to save their rooms
	}
	return err
}

// untilAbandoned returns a context that ends with ctx, and with standard input when that is of a process that supervises this
// one; gone is closed then.
func (c *config) untilAbandoned(ctx context.Context) (_ context.Context, gone <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	if !c.supervised {
		return ctx, nil, cancel
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
		cancel()
	}()
	return ctx, over, cancel
}

// connect connects to NATS, and starts a server before when it is to be in this process; end stops that.
func (c *config) connect(ctx context.Context) (plane *natscluster.Plane, end func(), err error) {
	o := natscluster.Options{URL: c.cluster, Namespace: c.namespace}
	if user := os.Getenv("NATS_USER"); user != "" {
		o.NATS = append(o.NATS, nats.UserInfo(user, os.Getenv("NATS_PASSWORD")))
	}
	end = func() {}
	if c.cluster == embed1 || c.cluster == embed3 {
		server, err := c.startNATS(ctx)
		if err != nil {
			return nil, nil, err
		}
		o, end = server.Options(c.namespace), server.Close
	}
	if plane, err = natscluster.Connect(ctx, o); err != nil {
		end()
		return nil, nil, err
	}
	return plane, end, nil
}

// startNATS starts the NATS server of this process.
func (c *config) startNATS(ctx context.Context) (*embed.Server, error) {
	o := embed.Options{Dir: filepath.Join(c.data, "nats"), Listen: c.listenNATS}
	if c.cluster == embed3 {
		o.Name, o.ListenRoutes, o.Routes = c.node, c.listenRoutes, splitList(c.routes)
	}
	return embed.Start(ctx, o)
}

// serve serves until ctx ends, and then takes the node out of service: its rooms go to other nodes, and then its clients.
func (c *config) serve(ctx context.Context, cfg chat.Config) error {
	metrics := wsprom.New()
	cfg.Metrics = metrics
	srv, err := chat.NewServer(cfg)
	if err != nil {
		return err
	}
	metrics.Watch(srv.Runtime())
	hs := &http.Server{Handler: c.handler(srv), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	listener, err := net.Listen("tcp", c.addr)
	if err == nil {
		err = c.serveDebug(srv, metrics)
	}
	if err != nil {
		served <- err
	} else {
		go func() { served <- hs.Serve(listener) }()
		fmt.Println(serving + listener.Addr().String())
	}
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), c.drain)
	defer cancel()
	return errors.Join(err, srv.Drain(drain), hs.Shutdown(drain))
}

// handler serves the chat, and the probes of whoever looks after the process.
func (c *config) handler(srv *chat.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/ws", srv)
	mux.Handle("/readyz", srv.Runtime().ReadyHandler())
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) {
		if d := srv.Runtime().Stuck(stuck); d > 0 {
			http.Error(w, fmt.Sprintf("a hub has been in one turn for %v", d), http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/token", c.tokens())
	mux.Handle("/", web.Handler())
	return mux
}

// serveDebug shows operators what the node does: /debug/wsgen, /debug/vars, /debug/pprof and /metrics.
func (c *config) serveDebug(srv *chat.Server, metrics prometheus.Collector) error {
	if c.debug == "" {
		return nil
	}
	listener, err := net.Listen("tcp", c.debug)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	mux := http.NewServeMux()
	mux.Handle("/debug/wsgen", srv.Runtime().DebugHandler())
	mux.Handle("/debug/", http.DefaultServeMux) // of expvar and pprof
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	log.Printf("operators: http://%s/debug/wsgen", listener.Addr())
	go func() { log.Print((&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(listener)) }()
	return nil
}
