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
	"time"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// bug is one that is planted into nodes when they are built, by changing their source on the way to the compiler. What is done to
// them then must bring it to light: at least one of the rules is broken.
type bug struct {
	name  string
	edits []edit
	run   func(ctx context.Context, t *trial) error
	rules []string
}

// edit replaces a piece of text that is once in a file of the project.
type edit struct{ file, old, new string }

var bugs = []bug{
	// A snapshot is refused for the owner of its slot, or for the snapshot in whose place it would come. One of the two is enough
	// against what is done here, so that both are left out.
	{"no-fence", []edit{
		{"runtime/cluster/nats/saves.go",
			"expecting(newMessage(g.names.fence(lead.slot), nil), lead.epoch, g.names.record(cluster.SlotKey(lead.slot)))",
			"newMessage(g.names.fence(lead.slot), nil)"},
		{"runtime/cluster/nats/saves.go", `expecting(all[len(all)-1], before[n].sequence, "")`, "all[len(all)-1]"},
	}, lateSave, []string{"fence"}},
	{"plain-renewal", []edit{
		{"runtime/cluster/nats/directory.go", `"log/slog"`, "\"log/slog\"\n\t\"strings\""},
		{"runtime/cluster/nats/directory.go", `m := expecting(newMessage(subject, w.Value), w.Last, "")`,
			"m := newMessage(subject, w.Value)\n\tif !strings.Contains(subject, \".d.node.\") {\n\t\tm = expecting(m, w.Last, \"\")\n\t}"},
	}, lateRenewal, []string{"I1", "I2"}},
	{"read-ownership", []edit{
		{"runtime/cluster/steward.go", "epoch, err := n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: last}, n.Alive)",
			"n.done.Go(func() { _, _ = n.write(n.ctx, Write{Key: SlotKey(slot), Value: mustJSON(rec), Last: last}, n.Alive) })\n" +
				"\tepoch, err := last+1, error(nil)"},
	}, contend, []string{"I1", "I4"}},
	{"no-self-stop", []edit{
		{"runtime/cluster/node.go", "return n.clock.Now().UnixNano() < n.lease.Load()", "return n.lease.Load() != 0"},
	}, freeze, []string{"I10"}},
	{"no-dedupe", []edit{
		{"runtime/cluster/linkreceive.go", "known := k.next - h.first", "known := uint64(0)"},
	}, stutter, []string{"I6"}},
	{"sync-without-seq", []edit{
		{"runtime/mesh_move.go", "h.missed(a.at, absence{}, r.seq)", "h.missed(resume.Position{Epoch: h.epoch, Seq: r.seq}, absence{}, r.seq)"},
	}, loseOwner, []string{"I8"}},
	{"no-epoch-check", []edit{
		{"runtime/mesh_branch.go", "return !s.mine && s.route.Owner == from && s.route.Epoch == f.Epoch", "return !s.mine"},
	}, lateCasts, []string{"I2"}},
}

// control is the name under which all of it is done to nodes without a bug; with names of bugs, what is done for those.
const control = "control"

// bite plants bugs one after the other, and reports whether each was found.
func (h *harness) bite(ctx context.Context) (bool, error) {
	h.lease = leaseTimes{time.Second / 2, 3 * time.Second, 4 * time.Second}
	h.clients, h.generated, h.rooms, h.slots, h.rate = 60, 6, 10, 16, 3
	names := strings.Split(h.teeth, ",")
	healthy := slices.Contains(names, control)
	h.lenient = !healthy
	every := slices.Contains(names, "all") || healthy && len(names) == 1
	ok := true
	for _, b := range bugs {
		if !every && !slices.Contains(names, b.name) {
			continue
		}
		bin := h.bin()
		if !healthy {
			var err error
			if bin, err = h.plant(ctx, b); err != nil {
				return false, err
			}
		}
		for range h.times {
			r, err := h.scenario(ctx, scenario{b.name, b.run}, bin)
			switch {
			case err != nil:
				return false, fmt.Errorf("%s: %w", b.name, err)
			case healthy:
				fmt.Println(r)
				ok = ok && r.ok()
			default:
				fmt.Println(b.bitten(r))
				ok = ok && b.found(r)
			}
			h.seed++
		}
	}
	return ok, nil
}

// found reports whether what was found is of the bug.
func (b bug) found(r *result) bool {
	return slices.ContainsFunc(r.violations, func(v clustercheck.Violation) bool { return slices.Contains(b.rules, v.Rule) })
}

// bitten says what was found.
func (b bug) bitten(r *result) string {
	counts := make(map[string]int)
	for _, v := range r.violations {
		counts[v.Rule]++
	}
	var parts []string
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", rule, counts[rule]))
	}
	what := fmt.Sprintf("%s: seed %d, %v, %d violations (%s)", r.name, r.seed, r.took.Round(time.Second), len(r.violations),
		strings.Join(parts, ", "))
	for _, v := range r.violations {
		if slices.Contains(b.rules, v.Rule) {
			return fmt.Sprintf("%s: found, such as %v", what, v)
		}
	}
	return fmt.Sprintf("%s: NOT FOUND, %d wrong: %s", what, len(r.wrong), strings.Join(r.wrong, "; "))
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
	if err := os.Symlink(filepath.Join(h.bin(), "nats-server"), filepath.Join(dir, "nats-server")); err != nil {
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
