package gen_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/schema"
)

func build(t *testing.T, src string) *model.API {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", []byte(src), &diags), &diags)
	if api == nil {
		t.Fatal(diags.Sorted())
	}
	return api
}

// TestFilesCanBeWritten holds what the output relies on: order, one file per path, and our header, without which a file
// could never be updated.
func TestFilesCanBeWritten(t *testing.T) {
	src := "wsgen: 1\nname: Test\nclientToServer:\n"
	for i := range 50 {
		src += fmt.Sprintf("  MESSAGE_%d: {id: uuid, text: string, by: map<uint8>, at: date-time}\n", i)
	}
	first, err := gen.Go(build(t, src))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(first, func(a, b output.File) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("the files are not sorted")
	}
	seen := make(map[string]bool)
	for _, f := range first {
		if seen[f.Path] {
			t.Errorf("%s is there twice", f.Path)
		}
		seen[f.Path] = true
		if !bytes.HasPrefix(f.Data, []byte("// "+output.Header+"\n")) {
			t.Errorf("%s does not begin with the header", f.Path)
		}
	}
	again, err := gen.Go(build(t, src))
	if err != nil ||
		!slices.EqualFunc(first, again, func(a, b output.File) bool { return a.Path == b.Path && bytes.Equal(a.Data, b.Data) }) {
		t.Errorf("a second run differs: %v", err)
	}
}
