package main

import (
	"fmt"
	"math"
	"slices"
)

// cell is what all runs of a scenario against a peer have shown.
type cell struct {
	samples []sample
	failed  string // why there are none
}

// median returns the median of a figure.
func (c *cell) median(of func(sample) float64) float64 {
	if c == nil || len(c.samples) == 0 {
		return math.NaN()
	}
	values := make([]float64, len(c.samples))
	for i, s := range c.samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// spread returns the smallest and the largest value of a figure.
func (c *cell) spread(of func(sample) float64) (low, high float64) {
	if c == nil || len(c.samples) == 0 {
		return math.NaN(), math.NaN()
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range c.samples {
		low, high = min(low, of(s)), max(high, of(s))
	}
	return low, high
}

// The figures.
func cpuOf(s sample) float64    { return s.CPU }
func p50Of(s sample) float64    { return s.P50 }
func p99Of(s sample) float64    { return s.P99 }
func p999Of(s sample) float64   { return s.P999 }
func rateOf(s sample) float64   { return s.Rate }
func allocsOf(s sample) float64 { return s.Allocs }
func rssOf(s sample) float64    { return s.RSS }
func liveOf(s sample) float64   { return s.Live }
func goOf(s sample) float64     { return s.Goroutines }

// table holds all cells.
type table map[string]map[string]*cell // by scenario and peer

func (t table) at(scenario, peer string) *cell {
	if t[scenario] == nil {
		t[scenario] = make(map[string]*cell)
	}
	if t[scenario][peer] == nil {
		t[scenario][peer] = &cell{}
	}
	return t[scenario][peer]
}

// bound is something that the project sets itself.
type bound struct {
	scenario, text string
	got, want      float64
}

// met reports whether the bound holds; a figure that is not there meets nothing.
func (b bound) met() bool { return b.got <= b.want }

// bounds compares the project's figures with those of the peers in the same run.
func (t table) bounds(names []string) []bound {
	own := func(sc string, of func(sample) float64) float64 { return t.at(sc, names[0]).median(of) }
	var out []bound
	add := func(sc, text string, got, want float64) {
		if !math.IsNaN(got) && !math.IsNaN(want) {
			out = append(out, bound{sc, text, got, want})
		}
	}
	ratio := func(sc, peer string, of func(sample) float64) float64 { return own(sc, of) / t.at(sc, peer).median(of) }
	for _, b := range []struct {
		scenario string
		want     float64
	}{{"hot-room", .45}, {"small-rooms", .75}, {"one-at-a-time", .75}} {
		add(b.scenario, "CPU per delivery, of centrifuge's", ratio(b.scenario, "centrifuge", cpuOf), b.want)
		add(b.scenario, "CPU per delivery, of gws's", ratio(b.scenario, "gws", cpuOf), 1)
		best := math.Inf(1)
		for _, name := range names[1:] {
			if v := t.at(b.scenario, name).median(p99Of); v < best {
				best = v
			}
		}
		add(b.scenario, "p99, of the best peer's", own(b.scenario, p99Of)/best, 1)
	}
	add("hot-room", "allocations per delivery", own("hot-room", allocsOf), .05)
	add("stalled", "p99, of the same room with nobody stalled", own("stalled", p99Of)/own("hot-room", p99Of), 1.1)
	add("rpc", "CPU per request more than gws's echo, µs", own("rpc", cpuOf)-t.at("rpc", "gws").median(cpuOf), 3)
	add("idle", "resident memory, of centrifuge's", ratio("idle", "centrifuge", rssOf), .5)
	add("idle", "heap and stacks of a connection, KB", own("idle", liveOf), 9)
	add("idle", "goroutines of a connection", own("idle", goOf), 1.01)
	return out
}

// figure writes a number as short as it is meaningful.
func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
