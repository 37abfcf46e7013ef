package scaffold_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/wsgen/wsgen/internal/scaffold"
)

var update = flag.Bool("update", false, "rewrite the example")

// TestExampleIsWhatInitWrites renders the templates for the module path of examples/chat.
func TestExampleIsWhatInitWrites(t *testing.T) {
	files, err := scaffold.Files(scaffold.Project{
		Module: "github.com/wsgen/wsgen/examples/chat", Title: "chat", Messages: "../messages.yaml", Web: true,
		Generate: "go run ../../cmd/wsgen generate --out chat ../messages.yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		target := filepath.Join("../../examples/chat", filepath.FromSlash(f.Path))
		switch f.Path {
		case "go.mod", ".gitignore":
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

// TestCheckout makes a project beside a checkout whose path go.mod has to quote.
func TestCheckout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my sources")
	mod := "module github.com/wsgen/wsgen\n\ngo 1.26\n\nrequire (\n\texample.com/a v1.2.3\n\texample.com/b v0.1.0 // " +
		"indirect\n)\n"
	for name, text := range map[string]string{"go.mod": mod, "go.sum": "sums\n"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	checkout, err := scaffold.ReadCheckout(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := scaffold.Files(scaffold.Project{Module: "demo", Title: "demo", Messages: "messages.yaml",
		Generate: "go tool wsgen generate", Go: "1.26", Version: "v0.0.0", Checkout: checkout})
	if err != nil {
		t.Fatal(err)
	}
	text := make(map[string]string)
	for _, f := range files {
		text[f.Path] = string(f.Data)
	}
	if text["go.sum"] != "sums\n" {
		t.Errorf("go.sum: %q", text["go.sum"])
	}
	got, err := modfile.Parse("go.mod", []byte(text["go.mod"]), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text["go.mod"])
	}
	if len(got.Replace) != 1 || got.Replace[0].New.Path != dir {
		t.Errorf("the checkout is not used:\n%s", text["go.mod"])
	}
	for _, want := range []string{"module demo\n", "example.com/a v1.2.3", "example.com/b v0.1.0",
		"tool github.com/wsgen/wsgen/cmd/wsgen"} {
		if !strings.Contains(text["go.mod"], want) {
			t.Errorf("go.mod has no %q:\n%s", want, text["go.mod"])
		}
	}
	if c, err := scaffold.ReadCheckout(t.TempDir()); c != nil || err != nil {
		t.Errorf("a folder without go.mod: %v, %v", c, err)
	}
}
