package cluster_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// TestConfig: what is wrong with a configuration is said before anything begins.
func TestConfig(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for want, change := range map[string]func(c *cluster.Config){
			"needs Backplane":              func(c *cluster.Config) { c.Backplane = nil },
			"with a directory":             func(c *cluster.Config) { c.Backplane = &cluster.Backplane{Transport: c.Backplane.Transport} },
			"and a transport":              func(c *cluster.Config) { c.Backplane = &cluster.Backplane{Directory: c.Backplane.Directory} },
			"give each node a name":        func(c *cluster.Config) { c.Node = "" },
			`the name "chat.0"`:            func(c *cluster.Config) { c.Node = "chat.0" },
			"up to 64 letters":             func(c *cluster.Config) { c.Node = strings.Repeat("a", cluster.MaxNodeName+1) },
			"-1 slots":                     func(c *cluster.Config) { c.Slots = -1 },
			"100 slots: use a power of":    func(c *cluster.Config) { c.Slots = 100 },
			"8192 slots":                   func(c *cluster.Config) { c.Slots = 8192 },
			"at least two times Renew":     func(c *cluster.Config) { c.Lease.Renew = 7 * time.Second },
			"renewed every -1s":            func(c *cluster.Config) { c.Lease.Renew = -time.Second },
			"a quarter more than Stop":     func(c *cluster.Config) { c.Lease.Dead = 14 * time.Second },
			"Lock: open /nowhere/at.lock:": func(c *cluster.Config) { c.Lock = "/nowhere/at.lock" },
		} {
			if _, err := w.join(t.Context(), w.config("a", change)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, not %q", err, want)
			}
		}
	})
}

// TestSettingsThatDiffer keep a node from joining.
func TestSettingsThatDiffer(t *testing.T) {
	started(t, []string{"a"}, func(t *testing.T, w *world, p []*proc) {
		before := w.opened()
		for want, change := range map[string]func(c *cluster.Config){
			"has 16 slots and leases of {2s 12s 16s}, this node 32": func(c *cluster.Config) { c.Slots = 32 },
			"this node 16 and {2s 12s 20s}":                         func(c *cluster.Config) { c.Lease.Dead = 20 * time.Second },
		} {
			if _, err := w.join(t.Context(), w.config("b", change)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, not %q", err, want)
			}
		}
		b := w.startWith("b", func(c *cluster.Config) { c.Lease.Stop = 12 * time.Second }) // the default
		w.within(slack, "b is ready", b.Ready)
		w.pass(time.Second)
		if now := w.opened(); now != before {
			t.Errorf("slots have moved: %v, and %v before", now, before)
		}
	})
}

func TestAClusterOfAnotherFormat(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		cfg := cluster.Write{Key: "cfg", Value: []byte(`{"format":7,"shards":3}`), ID: "of a later version"}
		if _, err := w.Node("z").Directory.Write(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if _, err := w.join(t.Context(), w.config("a", nil)); err == nil || !strings.Contains(err.Error(), "is of format 7") {
			t.Errorf("the node joins: %v", err)
		}
	})
}

// TestNodesThatFoundAClusterAtATime agree.
func TestNodesThatFoundAClusterAtATime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.SetLatency(100*time.Millisecond, 300*time.Millisecond)
		joined := make(chan error)
		for _, name := range []string{"a", "b", "c"} {
			go func() {
				_, err := w.join(t.Context(), w.config(name, nil))
				joined <- err
			}()
		}
		for range 3 {
			if err := <-joined; err != nil {
				t.Error(err)
			}
		}
		w.mustShare("all have joined", 30*time.Second, w.procs...)
	})
}

func TestJoinWithoutADirectory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.SetDirectory(memory.Unreachable)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := w.join(ctx, w.config("a", nil))
		if err == nil || !strings.Contains(err.Error(), "the directory does not answer") || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestTwoProcessesOfOneName: the second one waits for the end of the first, which does not notice.
func TestTwoProcessesOfOneName(t *testing.T) {
	for _, test := range []struct {
		name  string
		end   func(first *proc)
		takes time.Duration
	}{
		{"the first leaves", (*proc).leave, slack},
		{"the first is killed", (*proc).kill, dead + slack},
	} {
		t.Run(test.name, func(t *testing.T) {
			started(t, []string{"a", "b"}, func(t *testing.T, w *world, p []*proc) {
				before := w.opened()
				second := w.start("a")
				w.pass(time.Minute)
				if second.Ready() || second.Alive() || second.Self().Incarnation != 0 {
					t.Errorf("the second process acts: %v", second.Self())
				}
				if now := w.opened(); now != before || !w.shared(p...) || p[0].Status().Events.Fences != 0 {
					t.Errorf("slots have moved: %v, and %v before", now, before)
				}
				if second.Route(0) != p[1].Route(0) {
					t.Errorf("the second process does not know who owns what: %v, not %v", second.Route(0), p[1].Route(0))
				}
				test.end(p[0])
				w.mustShare("the second one takes over", test.takes+10*time.Second, second, p[1])
			})
		})
	}
}

// TestTwoProcessesOfOneNameAtATime: one of them is the node, and the other one waits.
func TestTwoProcessesOfOneNameAtATime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.SetLatency(100*time.Millisecond, 300*time.Millisecond)
		joined := make(chan *proc)
		for range 2 {
			go func() {
				p, _ := w.join(t.Context(), w.config("a", nil))
				joined <- p
			}()
		}
		p, other := <-joined, <-joined
		w.within(slack, "one is ready", func() bool { return p.Ready() || other.Ready() })
		if other.Ready() {
			p, other = other, p
		}
		w.pass(time.Minute)
		if !w.shared(p) || other.Ready() || other.Self().Incarnation != 0 {
			t.Errorf("the one has %v, the other one %v", p.owned(), other.owned())
		}
	})
}

// TestRestart: a node that is killed and starts again has its slots at once if its lock says that there is no process before
// it any more; otherwise it waits until the lease has ended.
func TestRestart(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second string // locks
		atOnce        bool
	}{
		{"on the same host", "a.lock", "a.lock", true},
		{"with another lock", "a.lock", "b.lock", false},
		{"with a lock, where there was none", "", "a.lock", false},
		{"without a lock", "a.lock", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				dir := t.TempDir()
				with := func(lock string) func(*cluster.Config) {
					return func(c *cluster.Config) {
						if lock != "" {
							c.Lock = filepath.Join(dir, lock)
						}
					}
				}
				first, b := w.startWith("a", with(test.first)), w.start("b")
				w.mustShare("in the beginning", 30*time.Second, first, b)
				had, others := first.owned(), b.owned()
				first.kill()
				second := w.startWith("a", with(test.second))
				took := w.mustShare("a is back", dead+slack+10*time.Second, second, b)
				if atOnce := took < time.Second; atOnce != test.atOnce {
					t.Errorf("a has its slots after %v", took)
				}
				if now := second.owned(); len(now) != len(had) || test.atOnce && !maps.Equal(b.owned(), others) {
					t.Errorf("a had %v and has %v, b had %v and has %v", had, now, others, b.owned())
				}
			})
		})
	}
}

// TestALockThatIsTaken: two nodes of a host must not use the same.
func TestALockThatIsTaken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		lock := func(c *cluster.Config) { c.Lock = filepath.Join(t.TempDir(), "node.lock") }
		cfg := w.config("a", lock)
		if _, err := w.join(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		other := w.config("b", nil)
		other.Lock = cfg.Lock
		if _, err := w.join(t.Context(), other); err == nil || !strings.Contains(err.Error(), "give each one its own") {
			t.Errorf("the second one joins: %v", err)
		}
	})
}
