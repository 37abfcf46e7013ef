// Package embed runs a NATS server with JetStream inside a program, for natscluster.Connect. How a cluster may run:
//
//   - Without NATS: a server that has no cluster configured.
//   - One server in the process that needs it, for development and for one machine: Start with a Dir. Nothing listens, unless
//     Listen says so.
//   - Three servers in three named processes, which keep every record on each of them: Start with Routes in each. Further nodes
//     have no server of their own; they connect to those three with a URL. So starting and stopping them never
//     changes who must agree on a write.
//   - Servers of their own, which is for production: natscluster.Options.URL is all that is needed.
package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/internal/hostlock"
)

// Options says what the server is like.
type Options struct {
	// Dir is where it keeps its streams; required. Start refuses one that another process uses.
	Dir string
	// Name of the server, unique among those of the cluster and the same after each restart. Required with Routes.
	Name string
	// Listen is the address for clients, such as ":4222"; they need no password, unless Configure asks for one. The default is not
	// to listen: only this process can connect. With Routes, which need a server that listens, it is a free port of this machine.
	Listen string
	// Routes are the addresses at which the three servers of a cluster listen for each other, such as "a:6222", this one's
	// included. With none the server is alone.
	Routes []string
	// ListenRoutes is the address for the other servers. Required with Routes.
	ListenRoutes string
	// SyncAlways writes to the disk what is acknowledged, at some cost in time. By default a machine that loses its power may
	// have forgotten what was acknowledged in the last two minutes; in a cluster only when most of them do.
	SyncAlways bool
	// Logger gets warnings and errors of the server, and notices at the level of debugging. The default is slog.Default().
	Logger *slog.Logger
	// Configure changes the server's options before it starts: TLS, users, limits. Optional.
	Configure func(*server.Options)
}

// clusterName tells servers that got the wrong address that they do not belong together.
const clusterName = "wsgen"

// startTime is how long Start waits when its context has no deadline.
const startTime = 30 * time.Second

// Server is a running server.
type Server struct {
	server *server.Server
	lock   *hostlock.Lock // of its directory
}

// Start starts a server and waits until it takes connections, until ctx ends or for 30 seconds when ctx has no deadline. It does
// not wait for the other servers of a cluster; natscluster.Connect does.
func Start(ctx context.Context, o Options) (*Server, error) {
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(config)
	if err != nil {
		lock.Release()
		return nil, fmt.Errorf("embed: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s.SetLoggerV2(newLogger(o.Logger.With("nats", config.ServerName)), false, false, false)
	s.Start()
	wait := startTime
	if deadline, ok := ctx.Deadline(); ok {
		wait = time.Until(deadline)
	}
	started := &Server{s, lock}
	if !s.ReadyForConnections(wait) || !s.JetStreamEnabled() {
		started.Close()
		return nil, fmt.Errorf("embed: the server does not start; is one of its addresses (%s, %s) or the directory %s in use?",
			o.Listen, o.ListenRoutes, o.Dir)
	}
	return started, nil
}

// Options returns what natscluster.Connect needs for this server. The connections do not go over the network.
func (s *Server) Options(namespace string) natscluster.Options {
	return natscluster.Options{Namespace: namespace, NATS: []nats.Option{nats.InProcessServer(s.server)}}
}

// URL returns where other programs connect; "" when it does not listen.
func (s *Server) URL() string {
	if s.server.Addr() == nil {
		return ""
	}
	return s.server.ClientURL()
}

// Close hands over what the server leads, stops it and waits until it has. Close what is connected to it before.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	s.lock.Release()
}

// lockDir keeps other processes from a directory. Where that is not possible nothing does.
func lockDir(dir string) (*hostlock.Lock, error) {
	err := os.MkdirAll(dir, 0o700)
	var lock *hostlock.Lock
	if err == nil {
		lock, err = hostlock.Take(filepath.Join(dir, "wsgen.lock"))
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("embed: directory %s: %w", dir, err)
	}
	return lock, nil
}

// config are the options of the server. Pings find a connection that is dead and does not say so within some seconds, where
// the defaults take minutes.
func (o Options) config() (*server.Options, error) {
	c := &server.Options{
		ServerName:   o.Name,
		JetStream:    true,
		StoreDir:     o.Dir,
		SyncAlways:   o.SyncAlways,
		NoSigs:       true,
		PingInterval: 5 * time.Second,
		MaxPingsOut:  2,
	}
	if o.Dir == "" {
		return nil, errors.New("embed: Dir is required")
	}
	var err error
	if o.Listen == "" && len(o.Routes) > 0 {
		o.Listen = "127.0.0.1:0"
	}
	if c.DontListen = o.Listen == ""; !c.DontListen {
		if c.Host, c.Port, err = address(o.Listen); err != nil {
			return nil, err
		}
	}
	if len(o.Routes) > 0 {
		err = o.cluster(c)
	}
	if o.Configure != nil {
		o.Configure(c)
	}
	if c.DontListen && c.Cluster.Port != 0 { // it would wait for itself, also when it is to end
		return nil, errors.New("embed: a server with Routes must listen: leave DontListen as it is")
	}
	return c, err
}

func (o Options) cluster(c *server.Options) (err error) {
	if o.Name == "" || o.ListenRoutes == "" || len(o.Routes) < 3 {
		return errors.New("embed: a cluster needs Name, ListenRoutes and Routes to three servers")
	}
	c.Cluster = server.ClusterOpts{Name: clusterName, PingInterval: 5 * time.Second, MaxPingsOut: 2}
	if c.Cluster.Host, c.Cluster.Port, err = address(o.ListenRoutes); err != nil {
		return err
	}
	for _, r := range o.Routes {
		c.Routes = append(c.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	return nil
}

// address splits an address; port 0 is any that is free.
func address(s string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("embed: %w", err)
	}
	if port, err = strconv.Atoi(text); err != nil {
		return "", 0, fmt.Errorf("embed: address %q: the port must be a number", s)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}
