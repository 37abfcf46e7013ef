// bench compares the chat of examples/ with servers of other libraries: the same load, on the same machine, in the same run.
//
//	go run . -runs 5 -out ../docs/performance.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

type options struct {
	runs             int
	scenarios, peers string
	quick            bool
	out              string
	profile          string
}

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "runs of each load against each peer")
	flag.StringVar(&o.scenarios, "scenarios", "", "loads, with commas between; empty: all")
	flag.StringVar(&o.peers, "peers", "", "peers beside wsgen, with commas between; empty: all")
	flag.BoolVar(&o.quick, "quick", false, "one short run of each, to see that it works")
	flag.StringVar(&o.out, "out", "", "document whose figures are replaced, and beside which the picture is put; empty: none")
	flag.StringVar(&o.profile, "profile", "", "folder for a profile of each server under each load; empty: none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o options) error {
	if err := raiseLimit(); err != nil {
		return err
	}
	div := 1
	if o.quick {
		o.runs, div = 1, 5
	}
	scs := pick(scenarios(div), o.scenarios, func(s scenario) string { return s.name })
	ps := pick(peers(), with(o.peers, "wsgen"), func(p *peer) string { return p.name })
	dir, err := os.MkdirTemp("", "wsgen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, p := range ps {
		build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, p.name), p.pkg)
		build.Dir = p.dir
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", p.name, err, out)
		}
	}
	t := make(table)
	for _, sc := range scs {
		if err := t.fill(ctx, sc, ps, o.runs, dir, o.profile); err != nil {
			return err
		}
	}
	figures := t.report(scs, ps, o.runs)
	fmt.Println(figures)
	if o.out == "" {
		return nil
	}
	return write(t, scs, ps, figures, o.out)
}

// with adds a name to a list that is not empty.
func with(list, name string) string {
	if list == "" || slices.Contains(strings.Split(list, ","), name) {
		return list
	}
	return name + "," + list
}

// pick returns those whose names are in a list; all when that is empty.
func pick[T any](all []T, names string, name func(T) string) []T {
	if names == "" {
		return all
	}
	wanted := strings.Split(names, ",")
	return slices.DeleteFunc(all, func(v T) bool { return !slices.Contains(wanted, name(v)) })
}

// fill runs a scenario against all peers in turn, several times. A run that fails is told and counts for nothing.
func (t table) fill(ctx context.Context, sc scenario, ps []*peer, runs int, dir, profile string) error {
	for i := range runs {
		for _, p := range ps {
			s, err := measure(ctx, sc, p, filepath.Join(dir, p.name), profile)
			c := t.at(sc.name, p.name)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, context.DeadlineExceeded):
				c.failed = fmt.Sprintf("not done in %v", timeLimit)
			case err != nil:
				c.failed = "failed"
			default:
				c.samples = append(c.samples, s)
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "%-14s %d %-11s %v\n", sc.name, i+1, p.name, err)
				continue
			}
			fmt.Fprintf(os.Stderr, "%-14s %d %-11s cpu %s µs  p50 %s p99 %s ms  allocs %s  rss %s live %s KB\n", sc.name,
				i+1, p.name,
				figure(s.CPU), figure(s.P50), figure(s.P99), figure(s.Allocs), figure(s.RSS), figure(s.Live))
		}
	}
	return nil
}

// write puts the figures and the picture into place.
func write(t table, scs []scenario, ps []*peer, figures, out string) error {
	old, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	text, err := splice(string(old), figures)
	if err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	if err := t.draw(scs, ps, strings.TrimSuffix(out, filepath.Ext(out))+".svg"); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(text), 0o644)
}
