// chaos runs a cluster of real processes, three servers of NATS and three nodes, under clients that send at random, breaks it on
// purpose, and looks whether its promises were kept.
//
//	go run . -time 3m            faults at random
//	go run . -short              faults of nodes only, for some seconds, with short leases: less than a minute in all
//	go run . -run kill,drain     faults of one kind, each with a verdict
//	go run . -teeth all          nodes with a bug planted: the run must find it
//	go run . -measure            figures for the documents
//
// Processes are in network namespaces of their own, with cables between them, where the system allows that; else on addresses of this
// machine, with proxies between them. Bugs are planted with proxies, which can tell one connection from another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/chaos/netns"
)

type options struct {
	run, keep, sync string
	network, dir    string
	seed            uint64
	time            time.Duration
	clients, rooms  int
	slots, times    int
	generated       int
	rate            float64
	short, measure  bool
	lenient         bool // nodes have a bug: what was written down is judged although a scenario did not come to its end
	teeth           string
	lease           leaseTimes
}

// limit bounds a scenario: whatever happens, the program ends.
const limit = 8 * time.Minute

func main() {
	var o options
	flag.StringVar(&o.run, "run", "random", "scenarios, with commas between: random, kill, drain, nats, frames")
	flag.StringVar(&o.teeth, "teeth", "", "bugs to plant, with commas between, or all; with control: without any")
	flag.IntVar(&o.times, "times", 1, "how often each bug of -teeth, or the control, is run")
	flag.BoolVar(&o.measure, "measure", false, "measure, and print a table")
	flag.BoolVar(&o.short, "short", false, "short leases, and faults of nodes only")
	flag.Uint64Var(&o.seed, "seed", 0, "of the faults and of what the clients do; 0: any")
	flag.DurationVar(&o.time, "time", 0, "time of faults at random; 0: 3m, or 15s with -short")
	flag.IntVar(&o.clients, "clients", 280, "clients of raw frames")
	flag.IntVar(&o.generated, "generated", 20, "clients that are the generated one")
	flag.IntVar(&o.rooms, "rooms", 30, "rooms")
	flag.IntVar(&o.slots, "slots", 64, "slots of the cluster")
	flag.Float64Var(&o.rate, "rate", 1, "messages that each client sends in a second")
	flag.StringVar(&o.sync, "sync", `"2m"`, "sync_interval of the servers")
	flag.StringVar(&o.keep, "keep", "", "folder for logs and traces, which is kept; empty: a temporary one, kept when something is wrong")
	flag.StringVar(&o.network, "network", "", "namespaces or proxies; empty: namespaces where they are allowed, proxies with -teeth")
	flag.StringVar(&o.dir, "built", "", "folder in which the programs are: how this program starts itself")
	flag.Parse()
	o.resolve()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := start(ctx, o)
	if err != nil {
		log.Print(err)
	}
	if errors.Is(err, errNoNamespaces) {
		os.Exit(exitNoNamespaces)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func (o *options) resolve() {
	o.lease = leaseTimes{2 * time.Second, 12 * time.Second, 16 * time.Second}
	if o.short {
		o.lease = leaseTimes{time.Second / 2, 3 * time.Second, 4 * time.Second}
	}
	if o.network == "" && o.teeth != "" {
		o.network = proxies
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	if o.time == 0 {
		if o.time = 3 * time.Minute; o.short {
			o.time = 15 * time.Second
		}
	}
}

// start builds the programs and runs what is asked for, in namespaces if possible. It reports whether all went well.
func start(ctx context.Context, o options) (bool, error) {
	if err := raiseLimit(); err != nil {
		return false, err
	}
	if o.dir != "" {
		return run(ctx, o)
	}
	o.dir = o.keep
	if o.dir == "" {
		var err error
		if o.dir, err = os.MkdirTemp("", "wsgen-chaos-"); err != nil {
			return false, err
		}
	}
	server := make(chan error, 1)
	go func() {
		server <- build(ctx, filepath.Join(o.bin(), "nats-server"), "github.com/nats-io/nats-server/v2")
	}()
	if err := errors.Join(build(ctx, filepath.Join(o.bin(), "node"), "./node"), <-server); err != nil {
		return false, err
	}
	ok, err := spaceOrNot(ctx, o)
	switch {
	case o.keep != "":
	case err != nil || !ok:
		fmt.Println("traces and logs:", o.dir)
	default:
		err = os.RemoveAll(o.dir)
	}
	return ok, err
}

func (o *options) bin() string { return filepath.Join(o.dir, "bin") }

// run runs what is asked for in the network that this process is in.
func run(ctx context.Context, o options) (bool, error) {
	if o.network == namespaces {
		n, err := netns.New()
		if err != nil {
			return false, fmt.Errorf("%w: %w", errNoNamespaces, err)
		}
		_ = n.Close() // each world makes one of its own
	}
	h := &harness{options: o, spawner: newSpawner()}
	if o.network == namespaces {
		fmt.Println("processes in network namespaces, with cables between them")
	} else {
		fmt.Println("processes on one host, with proxies between them")
	}
	return h.all(ctx)
}

// harness runs scenarios.
type harness struct {
	options
	spawner *spawner
}

func (h *harness) all(ctx context.Context) (bool, error) {
	if h.teeth != "" {
		return h.bite(ctx)
	}
	if h.measure {
		return true, h.figures(ctx)
	}
	ok := true
	for name := range strings.SplitSeq(h.run, ",") {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return false, fmt.Errorf("there is no scenario %q", name)
		}
		r, err := h.scenario(ctx, scenarios[i], h.bin())
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(r)
		ok = ok && r.ok()
	}
	return ok, nil
}

// build compiles a program. Some files may be replaced by others.
func build(ctx context.Context, to, pkg string, flags ...string) error {
	args := append([]string{"build", "-o", to}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// raiseLimit lets this process, and those that it starts, open as many files as the system allows.
func raiseLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
