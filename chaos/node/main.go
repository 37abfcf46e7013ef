// node is a process of a cluster under test. It serves rooms, and writes down all that happens in them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"

	protocol "github.com/wsgen/wsgen/golden/cluster/cluster"

	"github.com/wsgen/wsgen/chaos/trace"
)

type options struct {
	name, addr, nats, trace, lock, lease string
	spread                               time.Duration
	slots                                int
}

func main() {
	var o options
	flag.StringVar(&o.name, "name", "", "name of the node")
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "where it listens")
	flag.StringVar(&o.nats, "nats", "", "URLs of the NATS servers; empty: no cluster")
	flag.StringVar(&o.trace, "trace", "", "file to which it adds what happens")
	flag.StringVar(&o.lock, "lock", "", "file that it locks while it runs")
	flag.StringVar(&o.lease, "lease", "2s,12s,16s", "times of its lease: renewal, stop, dead")
	flag.DurationVar(&o.spread, "spread", 2*time.Second, "time over which connections are sent away at the end")
	flag.IntVar(&o.slots, "slots", 64, "slots of the cluster")
	flag.Parse()
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	term, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	file, err := trace.Open(o.trace)
	if err != nil {
		return err
	}
	j := newJournal(file, o.name)
	cfg := wsrt.Options{DrainSpread: o.spread, PingInterval: 5 * time.Second, PingTimeout: 5 * time.Second,
		Unlimited: true, Interceptors: []wsrt.Interceptor{j.intercept}}
	if o.nats != "" {
		plane, err := natscluster.Connect(term, natscluster.Options{URL: o.nats, Namespace: "chaos", Replicas: 3})
		if err != nil {
			return err
		}
		defer plane.Close()
		plane.Backplane.Snapshots = &snapshots{plane.Backplane.Snapshots, j}
		plane.Backplane.Transport = &transport{Transport: plane.Backplane.Transport, j: j}
		plane.Backplane.Directory = &directory{plane.Backplane.Directory, j}
		if cfg.Cluster, err = o.cluster(plane.Backplane, j); err != nil {
			return err
		}
	}
	srv, err := protocol.NewServer(protocol.Config{
		Authenticate: func(_ *http.Request, token string) (*protocol.Claims, error) {
			return &protocol.Claims{UserID: token}, nil
		},
		OpenRoom: j.open,
		Options:  cfg,
	})
	if err != nil {
		return err
	}
	return serve(term, o.addr, srv, j)
}

// cluster returns how the node takes part in its cluster.
func (o options) cluster(b *cluster.Backplane, j *journal) (*cluster.Config, error) {
	var times []time.Duration
	for text := range strings.SplitSeq(o.lease, ",") {
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		times = append(times, d)
	}
	if len(times) != 3 {
		return nil, fmt.Errorf("-lease %s: give three times", o.lease)
	}
	return &cluster.Config{Backplane: b, Node: o.name, Slots: o.slots, Lock: o.lock, Trace: j.event,
		Lease: cluster.LeaseTimes{Renew: times[0], Stop: times[1], Dead: times[2]}}, nil
}

// serve serves until it is asked to end, and drains.
func serve(term context.Context, addr string, srv *protocol.Server, j *journal) error {
	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.Handle("/ready", srv.Runtime().ReadyHandler())
	mux.HandleFunc("/debug", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(srv.Runtime().Debug(1000)) // the client is gone
	})
	mux.HandleFunc("/counts", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(j.counts()) })
	mux.HandleFunc("/publish", func(w http.ResponseWriter, r *http.Request) { publish(w, r, srv) })
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-term.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = srv.Drain(ctx)
	if err != nil {
		slog.Warn("not drained", "error", err)
	}
	return errors.Join(err, web.Close())
}

// publish sends as many messages to a room as it is asked for, without any client.
func publish(w http.ResponseWriter, r *http.Request, srv *protocol.Server) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	every, _ := time.ParseDuration(r.FormValue("every"))
	room := r.FormValue("room")
	for i := range n {
		m := &protocol.Said{RoomID: room, ID: strconv.FormatInt(trace.Now(), 10), N: i}
		if err := srv.Publish(r.Context(), protocol.RoomTopic(room), m); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		time.Sleep(every)
	}
}
