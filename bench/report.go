package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report writes the table as Markdown.
func (t table) report(scs []scenario, ps []*peer, runs int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s: %s\n\n", time.Now().Format("2006-01-02"), machine())
	fmt.Fprintf(&b, "Versions: %s.\n\n", strings.Join(versions(ps), ", "))
	fmt.Fprintf(&b, "Medians of %d runs, all peers in turn in each; in brackets the smallest and the largest. CPU is the "+
		"server's, in µs for a delivered message (an answer, of requests).\n\n", runs)
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = p.name
	}
	for _, sc := range scs {
		fmt.Fprintf(&b, "### %s\n\n", sc.title)
		if sc.idle {
			t.idleRows(&b, sc, names)
		} else {
			t.rows(&b, sc, names)
		}
		b.WriteString("\n")
	}
	b.WriteString(
		"### What the project sets itself\n\n| load | figure | measured | at most | |\n| --- | --- | --- | --- | --- |\n")
	for _, bound := range t.bounds(names) {
		verdict := "holds"
		if !bound.met() {
			verdict = "**lost**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", bound.scenario, bound.text, figure(bound.got),
			figure(bound.want), verdict)
	}
	return b.String()
}

func (t table) rows(b *strings.Builder, sc scenario, names []string) {
	b.WriteString("| server | CPU µs | of centrifuge | of gws | p50 ms | p99 ms | p99.9 ms | per second | allocations |\n| --- " +
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range names {
		c := t.at(sc.name, name)
		if len(c.samples) == 0 {
			fmt.Fprintf(b, "| %s | %s | | | | | | | |\n", name, c.failed)
			continue
		}
		low, high := c.spread(cpuOf)
		cpu := c.median(cpuOf)
		fmt.Fprintf(b, "| %s | %s (%s–%s) | %s | %s | %s | %s | %s | %s | %s |\n", name, figure(cpu), figure(low), figure(high),
			figure(cpu/t.at(sc.name, "centrifuge").median(cpuOf)), figure(cpu/t.at(sc.name, "gws").median(cpuOf)),
			figure(c.median(p50Of)), figure(c.median(p99Of)), figure(c.median(p999Of)), figure(c.median(rateOf)),
			figure(c.median(allocsOf)))
	}
}

func (t table) idleRows(b *strings.Builder, sc scenario, names []string) {
	b.WriteString("| server | resident KB | of centrifuge | heap and stacks KB | goroutines |\n| --- | --- | --- | --- | --- |\n")
	for _, name := range names {
		c := t.at(sc.name, name)
		if len(c.samples) == 0 {
			fmt.Fprintf(b, "| %s | %s | | | |\n", name, c.failed)
			continue
		}
		rss := c.median(rssOf)
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, figure(rss), figure(rss/t.at(sc.name, "centrifuge").median(rssOf)),
			figure(c.median(liveOf)), figure(c.median(goOf)))
	}
}

// machine describes where it was measured.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, %d cores for server and load together, Linux %s, %s, loopback.", model, runtime.NumCPU(),
		strings.TrimSpace(string(kernel)), runtime.Version())
}

// versions returns the peers with their versions.
func versions(ps []*peer) []string {
	var out []string
	for _, p := range ps {
		if p.module == "" {
			continue
		}
		version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", p.module).Output()
		if err == nil {
			out = append(out, p.name+" "+strings.TrimSpace(string(version)))
		}
	}
	return out
}

// The lines between which a document has the figures.
const begin, end = "<!-- figures: written by make bench -->", "<!-- end of the figures -->"

// splice returns a document with new figures. The rest of it is written by hand.
func splice(document, figures string) (string, error) {
	before, rest, ok := strings.Cut(document, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the document needs the lines %q and %q, to write the figures between them", begin, end)
	}
	return before + begin + "\n\n" + figures + "\n" + end + after, nil
}
