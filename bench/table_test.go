package main

import (
	"math"
	"strings"
	"testing"
)

func cellOf(values ...float64) *cell {
	c := &cell{}
	for _, v := range values {
		c.samples = append(c.samples, sample{CPU: v, P99: v})
	}
	return c
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		cell *cell
		want float64
	}{{cellOf(3), 3}, {cellOf(5, 1, 3), 3}, {cellOf(4, 1, 3, 100), 3.5}} {
		if got := test.cell.median(cpuOf); got != test.want {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
	if got := (&cell{}).median(cpuOf); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

func TestBounds(t *testing.T) {
	table := table{"hot-room": {"wsgen": cellOf(1), "centrifuge": cellOf(4), "gws": cellOf(.5)}}
	verdicts := make(map[string]bool)
	for _, b := range table.bounds([]string{"wsgen", "centrifuge", "gws"}) {
		if b.scenario != "hot-room" {
			t.Errorf("%s was not run, and is judged", b.scenario)
		}
		verdicts[b.text] = b.met()
	}
	if !verdicts["CPU per delivery, of centrifuge's"] || verdicts["CPU per delivery, of gws's"] ||
		verdicts["p99, of the best peer's"] {
		t.Errorf("got %v", verdicts)
	}
}

func TestSplice(t *testing.T) {
	got, err := splice("before\n"+begin+"\nold\n"+end+"\nafter\n", "new")
	if err != nil || !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "\nafter\n") || strings.Contains(got,
		"old") || !strings.Contains(got, "\nnew\n") {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := splice("no lines", "new"); err == nil {
		t.Error("a document without the lines is taken")
	}
}

func TestMessagesAreOfOneSize(t *testing.T) {
	for _, p := range peers() {
		if n := len(p.text()); n < 60 || n > size+20 {
			t.Errorf("%s publishes %d bytes", p.name, n)
		}
	}
}
