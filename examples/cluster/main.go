// cluster is the chat of examples/chat on several nodes: the same handlers, the same page, and a cluster around them.
//
//	go run .                                            three nodes, of which each has one of three NATS servers
//	go run . --cluster embed                            three nodes and one NATS server
//	go run . --cluster nats://127.0.0.1:4222            three nodes on NATS servers that run already
//	go run . --cluster single                           one process without NATS
//	go run . --node a --cluster nats://nats-0:4222      one node, as it runs in production
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/examples/chat/lobby"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// config is the command line.
type config struct {
	cluster   string // single, embed, embed3, or the URLs of NATS servers
	nodes     int    // that this process starts; it is one itself when node is set
	node      string
	addr      string
	debug     string
	data      string
	namespace string
	secret    string
	zone      string
	renew     time.Duration
	drain     time.Duration
	unlimited bool

	// Of a node with one of three NATS servers.
	listenNATS   string
	listenRoutes string
	routes       string

	supervised bool // by the process that has started it
}

// Modes of config.cluster.
const (
	single = "single" // no cluster
	embed1 = "embed"  // a NATS server in this process
	embed3 = "embed3" // one of three NATS servers in each of three nodes
)

func main() {
	cfg, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = cfg.run(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func parse(args []string) (*config, error) {
	var c config
	f := flag.NewFlagSet("cluster", flag.ContinueOnError)
	f.StringVar(&c.cluster, "cluster", embed3, "single, embed, embed3, or the URLs of NATS servers with commas between them; "+
		"NATS_USER and NATS_PASSWORD of the environment are shown to those")
	f.IntVar(&c.nodes, "nodes", 3, "number of nodes to start, without -node")
	f.StringVar(&c.node, "node", "", "be the node with this name, and start no others")
	f.StringVar(&c.addr, "addr", "127.0.0.1:8081", "address to listen on; of the first node; the others have the next ports")
	f.StringVar(&c.debug, "debug", "", "address of a listener for operators, likewise; empty: none")
	f.StringVar(&c.data, "data", "data", "folder for what outlives the process")
	f.StringVar(&c.namespace, "namespace", "chat", "tells clusters on the same NATS servers apart")
	f.StringVar(&c.secret, "secret", "demo", "what tokens are signed with; the same for all nodes, because pages show them to any")
	f.StringVar(&c.zone, "zone", "", "where the node is, for operators")
	f.DurationVar(&c.renew, "renew", 2*time.Second, "time between renewals of a lease; after eight a dead node is replaced")
	f.DurationVar(&c.drain, "drain", 25*time.Second, "how long going down may take")
	f.BoolVar(&c.unlimited, "unlimited", false, "lift rate and admission limits, for load tests")
	f.StringVar(&c.listenNATS, "listen-nats", "", "with -node and embed3: address for clients of the node's NATS server")
	f.StringVar(&c.listenRoutes, "listen-routes", "", "with -node and embed3: address for the other two NATS servers")
	f.StringVar(&c.routes, "routes", "", "with -node and embed3: such addresses of all three, with commas between them")
	f.BoolVar(&c.supervised, "supervised", false, "end with standard input, and keep the NATS server until then")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	return &c, c.check(f.NArg())
}

// check says what is wrong with the command line.
func (c *config) check(args int) error {
	switch {
	case args > 0:
		return errors.New("there are flags only: -help lists them")
	case c.cluster != single && c.cluster != embed1 && c.cluster != embed3 && !strings.Contains(c.cluster, "://"):
		return fmt.Errorf("-cluster %q: use single, embed, embed3, or a URL such as nats://127.0.0.1:4222", c.cluster)
	case c.node != "" && c.cluster == embed3 && (c.routes == "" || c.listenRoutes == ""):
		return errors.New("a node with one of three NATS servers needs -listen-routes and -routes")
	case c.node == "" && c.cluster == embed3 && c.nodes < 3:
		return errors.New("embed3 needs three nodes: use -cluster embed for fewer")
	case c.node == "" && c.nodes < 1:
		return errors.New("-nodes: at least one")
	}
	return nil
}

// tokens say who somebody is, to all nodes.
func (c *config) tokens() *lobby.Tokens { return lobby.NewTokens([]byte(c.secret), time.Hour) }

func (c *config) run(ctx context.Context) error {
	if c.node == "" && c.cluster != single {
		return c.runNodes(ctx)
	}
	return c.runNode(ctx)
}

// lease are the times of the nodes' leases, in the proportions of the defaults.
func (c *config) lease() cluster.LeaseTimes {
	return cluster.LeaseTimes{Renew: c.renew, Stop: 6 * c.renew, Dead: 8 * c.renew}
}

// portAfter returns an address with a later port. Port 0, which is any that is free, stays.
func portAfter(addr string, n int) (string, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("address %q: the port must be a number", addr)
	}
	if port > 0 {
		port += n
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}
