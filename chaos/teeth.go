package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/chaos/link"
)

// bug is one that is planted into nodes when they are built, by changing their source on the way to the compiler. What is done to
// them then must bring it to light.
type bug struct {
	name  string
	edits []edit
	run   func(ctx context.Context, t *trial) error
}

// edit replaces a piece of text that is once in a file of the project.
type edit struct{ file, old, new string }

var bugs = []bug{
	{"no-fence", []edit{
		{"runtime/cluster/nats/snapshots.go", "expecting(newMessage(w.names.fence(w.slot), nil), w.epoch, w.names.record(cluster.SlotKey(w.slot)))",
			"newMessage(w.names.fence(w.slot), nil)"},
		{"runtime/cluster/nats/snapshots.go", `expecting(all[len(all)-1], before.sequence, "")`, "all[len(all)-1]"},
	}, lateSave},
	{"plain-renewal", []edit{
		{"runtime/cluster/nats/directory.go", `"log/slog"`, "\"log/slog\"\n\t\"strings\""},
		{"runtime/cluster/nats/directory.go", `m := expecting(newMessage(subject, w.Value), w.Last, "")`,
			"m := newMessage(subject, w.Value)\n\tif !strings.Contains(subject, \".d.node.\") {\n\t\tm = expecting(m, w.Last, \"\")\n\t}"},
	}, lateRenewal},
	{"read-ownership", []edit{
		{"runtime/cluster/steward.go", "epoch, err := n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: last}, n.Alive)",
			"n.done.Go(func() { _, _ = n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: last}, n.Alive) })\n" +
				"\tepoch, err := last+1, error(nil)"},
	}, nothing},
	{"no-self-stop", []edit{
		{"runtime/cluster/node.go", "return n.clock.Now().UnixNano() < n.lease.Load()", "return n.lease.Load() != 0"},
	}, freeze},
	{"no-dedupe", []edit{
		{"runtime/cluster/linkreceive.go", "known := k.next - h.first", "known := uint64(0)"},
	}, stutter},
	{"sync-without-seq", []edit{
		{"runtime/mesh_move.go", "h.missed(a.at, absence{}, r.seq)", "h.missed(resume.Position{Epoch: h.epoch, Seq: r.seq}, absence{}, r.seq)"},
	}, loseOwner},
	{"no-epoch-check", []edit{
		{"runtime/mesh_branch.go", "return !s.mine && s.route.Owner == from && s.route.Epoch == f.Epoch", "return !s.mine"},
	}, lateCasts},
}

// control is the name under which all of it is done to nodes without a bug.
const control = "control"

// bite plants bugs one after the other, and reports whether each was found.
func (h *harness) bite(ctx context.Context) (bool, error) {
	h.lease = leaseTimes{time.Second / 2, 3 * time.Second, 4 * time.Second}
	h.clients, h.generated, h.rooms, h.rate, h.lenient = 60, 6, 10, 3, true
	ok := true
	for _, b := range bugs {
		healthy := h.teeth == control
		if !healthy && h.teeth != "all" && !slices.Contains(strings.Split(h.teeth, ","), b.name) {
			continue
		}
		bin := h.bin
		if !healthy {
			var err error
			if bin, err = h.plant(ctx, b); err != nil {
				return false, err
			}
		}
		r, err := h.scenario(ctx, scenario{b.name, b.run}, bin)
		if err != nil {
			return false, fmt.Errorf("%s: %w", b.name, err)
		}
		if healthy {
			fmt.Println(r)
			ok = ok && len(r.violations) == 0
			continue
		}
		fmt.Println(bitten(r))
		ok = ok && len(r.violations) > 0
	}
	return ok, nil
}

// bitten says what was found.
func bitten(r *result) string {
	rules := make(map[string]int)
	for _, v := range r.violations {
		rules[v.Rule]++
	}
	if len(rules) == 0 {
		return fmt.Sprintf("%s: NOT FOUND in %v", r.name, r.took.Round(time.Second))
	}
	var parts []string
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		parts = append(parts, fmt.Sprintf("%s %d", rule, rules[rule]))
	}
	return fmt.Sprintf("%s: found in %v: %d violations (%s), such as %v", r.name, r.took.Round(time.Second), len(r.violations),
		strings.Join(parts, ", "), r.violations[0])
}

// plant builds a node with a bug, and returns the folder of the programs.
func (h *harness) plant(ctx context.Context, b bug) (string, error) {
	dir, err := os.MkdirTemp(h.dir, b.name+"-bin-")
	if err != nil {
		return "", err
	}
	replaced, err := b.sources("..", dir)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o644); err != nil {
		return "", err
	}
	if err := os.Symlink(filepath.Join(h.bin, "nats-server"), filepath.Join(dir, "nats-server")); err != nil {
		return "", err
	}
	return dir, build(ctx, filepath.Join(dir, "node"), "./node", "-overlay", overlay)
}

// sources writes the changed files into a folder, and returns which file of the project is replaced by which.
func (b bug) sources(root, dir string) (map[string]string, error) {
	replaced := make(map[string]string)
	for _, e := range b.edits {
		path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(e.file)))
		if err != nil {
			return nil, err
		}
		from := path
		if replaced[path] != "" {
			from = replaced[path]
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			return nil, fmt.Errorf("%s: %q is %d times in %s: the bug has to be planted in another way", b.name, e.old, n, e.file)
		}
		to := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644); err != nil {
			return nil, err
		}
		replaced[path] = to
	}
	return replaced, nil
}

// nothing is done: the start is enough.
func nothing(ctx context.Context, t *trial) error {
	pause(ctx, 3*time.Second)
	return nil
}

// hold holds up what a node sends to the servers; only: on connections with this name.
func (t *trial) hold(node int, only string) {
	t.fault("hold up what node %d sends: %s", node, only)
	for j := range size {
		t.uplinks[node][j].Set(link.Fault{Up: true, Only: only})
	}
}

func (t *trial) release(node int) {
	t.world.fault("release node %d", node)
	for j := range size {
		t.uplinks[node][j].Set(link.Fault{})
	}
}

// lateSave lets snapshots of a node arrive when others own its slots, and then loses those.
func lateSave(ctx context.Context, t *trial) error {
	pause(ctx, 4*time.Second)
	t.hold(0, "")
	pause(ctx, t.lease.dead+7*time.Second) // others have saved by then
	t.release(0)
	pause(ctx, 300*time.Millisecond)
	for i := 1; i < size; i++ {
		t.fault("kill node %d", i)
		t.nodes[i].proc().kill()
	}
	pause(ctx, t.lease.dead+5*time.Second)
	for i := 1; i < size; i++ {
		if err := t.startNode(i); err != nil {
			return err
		}
	}
	return t.awaitNode(ctx, 1)
}

// lateRenewal lets renewals of nodes arrive when others have taken them for dead.
func lateRenewal(ctx context.Context, t *trial) error {
	for i := range size {
		t.hold(i, "")
		pause(ctx, t.lease.dead+3*time.Second)
		t.release(i)
		pause(ctx, 5*time.Second)
	}
	return nil
}

// freeze stops nodes for longer than their leases.
func freeze(ctx context.Context, t *trial) error {
	for i := range 2 {
		t.fault("freeze node %d", i)
		t.nodes[i].proc().signal(syscall.SIGSTOP)
		pause(ctx, t.lease.dead+2*time.Second)
		t.nodes[i].proc().signal(syscall.SIGCONT)
		pause(ctx, 5*time.Second)
	}
	return nil
}

// stutter holds up what nodes send for a short time, so that they send it again.
func stutter(ctx context.Context, t *trial) error {
	for i := range size {
		t.hold(i, "")
		pause(ctx, 1500*time.Millisecond)
		t.release(i)
		pause(ctx, time.Second)
	}
	return nil
}

// loseOwner kills a node. Rooms go on from snapshots that are older than what clients have seen.
func loseOwner(ctx context.Context, t *trial) error {
	pause(ctx, 3*time.Second)
	t.fault("kill node 0")
	t.nodes[0].proc().kill()
	pause(ctx, t.lease.dead+5*time.Second)
	if err := t.startNode(0); err != nil {
		return err
	}
	return t.awaitNode(ctx, 0)
}

// lateCasts lets what a node has published arrive when others own its slots, to which it has given them itself.
func lateCasts(ctx context.Context, t *trial) error {
	t.hold(0, " links")
	pause(ctx, 500*time.Millisecond)
	t.fault("drain node 0")
	p := t.nodes[0].proc()
	p.signal(syscall.SIGTERM)
	pause(ctx, 6*time.Second)
	t.release(0)
	_ = p.end(70 * time.Second)
	if err := t.startNode(0); err != nil {
		return err
	}
	return t.awaitNode(ctx, 0)
}
