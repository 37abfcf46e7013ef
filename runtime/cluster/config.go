package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// Config is how a server takes part in a cluster.
type Config struct {
	// Backplane is what the cluster runs on. It is required.
	Backplane *Backplane
	// Node is this process's name: unique among those that run at a time, and the same after a restart, such as the name of a pod of
	// a stateful set. Letters, digits, '-' and '_', up to MaxNodeName. It is required.
	Node string
	// Slots is the number of slots, a power of two up to MaxSlots; 0: 256. All nodes of a cluster have the same.
	Slots int
	// Lease are the times of the leases; all nodes of a cluster have the same. The zero value has safe defaults.
	Lease LeaseTimes
	// Lock is a file that this process locks while it runs. A node that starts again on the same host and gets the lock of its
	// predecessor knows that it has ended, and takes its slots over at once instead of after Lease.Dead. Empty: none.
	Lock string
	// Weight is this node's share of the slots, compared with those of others; 0: 1. The most is MaxWeight.
	Weight int
	// Reads is the largest major version of the schema, which is the number before the first dot, whose rooms this program can restore
	// although its own is smaller. Programs that take the place of a newer version need it, and so do those that come after them until
	// their own version is as large. 0: that of its own schema.
	Reads int
	// Zone and Version are shown to operators.
	Zone, Version string
	// Trace is told what decides about ownership, for checkers; nil: nobody. It is called by several goroutines, and must not block.
	Trace func(Event)

	Logger *slog.Logger // nil: the server's
	Clock  clock.Clock  // nil: the system's, which goes on while the machine is suspended
}

// MaxSlots is the largest number of slots.
const MaxSlots = 4096

// MaxWeight is the largest weight of a node.
const MaxWeight = 1000

// LeaseTimes are the times of a node's lease. A directory that is out of service for less than Stop stops no room. Dead
// must be larger than Stop by what the clocks of two machines may drift apart in that time.
type LeaseTimes struct {
	Renew time.Duration // between two renewals; 0: 2s
	Stop  time.Duration // after the beginning of the last one that succeeded, the node stops its rooms; 0: 12s
	Dead  time.Duration // without a change of its record, others take its slots; 0: 16s
}

func (t LeaseTimes) resolve() LeaseTimes {
	if t.Renew == 0 {
		t.Renew = 2 * time.Second
	}
	if t.Stop == 0 {
		t.Stop = 12 * time.Second
	}
	if t.Dead == 0 {
		t.Dead = 16 * time.Second
	}
	return t
}

func (t LeaseTimes) check() error {
	switch {
	case t.Renew <= 0 || t.Stop < 2*t.Renew:
		return fmt.Errorf("a lease of %v that is renewed every %v: Stop must be at least two times Renew", t.Stop, t.Renew)
	case t.Dead < t.Stop+t.Stop/4:
		return fmt.Errorf("a lease that is stopped after %v and taken after %v: Dead must be a quarter more than Stop", t.Stop, t.Dead)
	}
	return nil
}

// resolve returns the configuration with its defaults, or what is wrong with it.
func (c Config) resolve() (Config, error) {
	if c.Backplane == nil || c.Backplane.Directory == nil || c.Backplane.Transport == nil {
		return c, errors.New("cluster: the config needs Backplane, with a directory and a transport")
	}
	if err := checkName(c.Node); err != nil {
		return c, fmt.Errorf("cluster: Node: %w", err)
	}
	c.Slots = c.SlotCount()
	if c.Slots < 1 || c.Slots > MaxSlots || c.Slots&(c.Slots-1) != 0 {
		return c, fmt.Errorf("cluster: %d slots: use a power of two up to %d", c.Slots, MaxSlots)
	}
	if c.Weight < 0 || c.Weight > MaxWeight {
		return c, fmt.Errorf("cluster: a weight of %d: use 1 to %d, or 0 for 1", c.Weight, MaxWeight)
	}
	if c.Reads < 0 {
		return c, fmt.Errorf("cluster: Reads is %d: give the number before the first dot of a version", c.Reads)
	}
	c.Lease = c.Lease.resolve()
	if err := c.Lease.check(); err != nil {
		return c, fmt.Errorf("cluster: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = boot{}
	}
	return c, nil
}

// SlotCount returns Slots, or its default.
func (c *Config) SlotCount() int {
	if c.Slots == 0 {
		return 256
	}
	return c.Slots
}

// checkName says what a name of a node lacks to be a part of keys and addresses.
func checkName(name string) error {
	if name == "" {
		return errors.New("give each node a name")
	}
	if len(name) > MaxNodeName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return fmt.Errorf("the name %.80q: use up to %d letters, digits, '-' and '_'", name, MaxNodeName)
	}
	return nil
}

// Event is something that decides about ownership. Kinds: "join", "renew", "fence", "kill", "claim", "yield", "give", "lose",
// "leave". A slot is made ready to be given away between "yield" and "give".
type Event struct {
	At    time.Time // of the node's clock
	Node  Peer      // who does it
	Kind  string
	Slot  int       // -1: none
	Epoch uint64    // of the slot; 0: none
	Other Peer      // whom it concerns; zero: nobody
	Until time.Time // of a renewal: until when the node may act, by its clock
}
