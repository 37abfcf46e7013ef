package scaffold_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/wsgen/wsgen/internal/scaffold"
)

var update = flag.Bool("update", false, "rewrite the example")

// TestExampleIsWhatInitWrites renders the templates for the module path of examples/chat.
func TestExampleIsWhatInitWrites(t *testing.T) {
	files, err := scaffold.Files(scaffold.Project{
		Module: "github.com/wsgen/wsgen/examples/chat", Title: "chat", Messages: "../messages.yaml",
		Generate: "go run ../../cmd/wsgen generate --out chat ../messages.yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		target := filepath.Join("../../examples/chat", filepath.FromSlash(f.Path))
		switch f.Path {
		case "go.mod", ".gitignore", "README.md":
			continue // the example is part of this module
		case "messages.yaml":
			target = "../../examples/messages.yaml"
		}
		if *update {
			if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(target, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(target)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, f.Data) {
			t.Errorf("%s differs from the template: change the template, and run go test ./internal/scaffold -update", target)
		}
	}
}
