package embed

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestOfAKindOnce says one of a kind at once and the others not, and all that is of no kind.
func TestOfAKindOnce(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(slog.New(slog.NewTextHandler(&out, nil)))
	for i := range 5 {
		l.Errorf("route %d is gone", i)
		l.Warnf("slow consumer %d", i)
	}
	for _, text := range []string{"disk full", "stream lost"} {
		l.Errorf("%s", text)
	}
	for want, n := range map[string]int{"is gone": 1, "slow consumer": 1, "disk full": 1, "stream lost": 1} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%q is there %d times, not %d:\n%s", want, got, n, out.String())
		}
	}
}
