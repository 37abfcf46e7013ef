package format_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/format"
)

// FuzzSource formats arbitrary files: what is YAML is formatted, and a second time changes nothing. Source itself sees to the
// meaning, so it must not have to refuse; only of comments in a muddle it may.
func FuzzSource(f *testing.F) {
	for _, pattern := range []string{"../../golden/*/messages.yaml", "../../golden/errors/*.yaml", "../../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s: %v", pattern, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(src) < 10_000 {
				f.Add(src)
			}
		}
	}
	for _, c := range cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, err := format.Source("messages.yaml", src)
		var problem *format.Error
		if errors.As(err, &problem) {
			if d := problem.Findings[0]; strings.Contains(d.Hint, "simpler") {
				t.Fatalf("not formatted: %v", err)
			}
			return
		}
		again, err := format.Source("messages.yaml", out)
		if err != nil || string(again) != string(out) {
			t.Fatalf("the second time: %v\n%s\nthe first time\n%s", err, again, out)
		}
	})
}
