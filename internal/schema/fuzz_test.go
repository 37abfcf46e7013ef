package schema_test

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// FuzzParse reads arbitrary files as far as the model: whatever they hold, there is a protocol or there are errors, at
// places that exist.
func FuzzParse(f *testing.F) {
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
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var diags diag.List
		api := model.Build(schema.Parse("messages.yaml", src, &diags), &diags)
		if (api == nil) != diags.HasErrors() {
			t.Fatalf("a protocol: %t, errors: %t", api != nil, diags.HasErrors())
		}
		for _, d := range diags.Sorted() {
			if d.Message == "" || d.Pos.Line < 0 || d.Pos.Line > 0 && d.Pos.Col < 1 || !utf8.ValidString(d.Message) {
				t.Errorf("finding %+v", d)
			}
		}
	})
}
