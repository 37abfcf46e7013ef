package wsgen_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/cli"
)

// TestDocumentsCompile generates code from every protocol in the documents and compiles the Go that follows it.
func TestDocumentsCompile(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(docs, "README.md", "CONTRIBUTING.md") {
		t.Run(filepath.ToSlash(doc), func(t *testing.T) {
			text, err := os.ReadFile(doc)
			if err != nil {
				t.Fatal(err)
			}
			compileDocument(t, string(text))
		})
	}
}

// compileDocument writes a module in which each protocol of the document is a program: its generated package, and a file
// for each block of Go between it and the next protocol.
func compileDocument(t *testing.T, text string) {
	dir := t.TempDir()
	program, blocks := "", 0
	for i, b := range fencedBlocks(text) {
		switch {
		case b.lang == "yaml" && strings.Contains(b.text, "wsgen: 1"):
			program = filepath.Join(dir, fmt.Sprintf("program%d", i))
			generateInto(t, program, b.text)
		case b.lang == "go":
			if program == "" {
				t.Fatalf("line %d: a block of Go without a protocol before it", b.line)
			}
			blocks++
			name := filepath.Join(program, fmt.Sprintf("block%d.go", i))
			write(t, name, goFile(b.text, filepath.Base(program)))
		}
	}
	if program == "" {
		return
	}
	write(t, filepath.Join(dir, "go.mod"), moduleFile(t))
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), string(sums))
	cmd := exec.Command("go", "vet", "-mod=mod", "./...")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%d blocks of Go compiled", blocks)
}

type fenced struct {
	lang, text string
	line       int
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\\n(.*?)^```$")

func fencedBlocks(text string) []fenced {
	var out []fenced
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		out = append(out, fenced{
			lang: text[m[2]:m[3]],
			text: text[m[4]:m[5]],
			line: 1 + strings.Count(text[:m[0]], "\n"),
		})
	}
	return out
}

func generateInto(t *testing.T, dir, protocol string) {
	t.Helper()
	file := filepath.Join(dir, "messages.yaml")
	write(t, file, protocol)
	name := strings.ToLower(protocolName.FindStringSubmatch(protocol)[1])
	write(t, filepath.Join(dir, "main.go"), fmt.Sprintf(mainFile, filepath.Base(dir), name))
	var out bytes.Buffer
	if code := cli.Run([]string{"generate", file}, strings.NewReader(""), &out, &out); code != 0 {
		t.Fatalf("generate ends with %d:\n%s", code, out.String())
	}
}

// mainFile is what the snippets leave out.
const mainFile = `package main

import (
	"errors"
	"net/http"

	"example.com/docs/%[1]s/%[2]s"
)

func authenticate(r *http.Request, token string) (*%[2]s.Claims, error) { return nil, errors.New("nobody") }

var _ = authenticate

func main() {}
`

var protocolName = regexp.MustCompile(`(?m)^name: (\w+)`)

// The packages that snippets use without naming them.
var snippetImports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "log": "log", "os": "os", "slog": "log/slog",
	"testing": "testing", "time": "time",
	"wsrt": "github.com/wsgen/wsgen/runtime", "client": "github.com/wsgen/wsgen/runtime/client",
	"wstest": "github.com/wsgen/wsgen/runtime/wstest",
}

// goFile makes a file of a snippet: it adds the package clause and the imports unless the snippet has them.
func goFile(snippet, program string) string {
	if strings.HasPrefix(snippet, "package ") {
		return snippet
	}
	var imports []string
	for name, path := range snippetImports {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(snippet) {
			imports = append(imports, fmt.Sprintf("%s %q", name, path))
		}
	}
	for _, m := range regexp.MustCompile(`\b([a-z]+)\.[A-Z]`).FindAllStringSubmatch(snippet, -1) {
		if m[1] == "chat" || m[1] == "board" {
			imports = append(imports, fmt.Sprintf("%q", "example.com/docs/"+program+"/"+m[1]))
		}
	}
	slices.Sort(imports)
	return "package main\n\nimport (\n" + strings.Join(slices.Compact(imports), "\n") + "\n)\n\n" + snippet
}

// moduleFile is a go.mod with the requirements of this module and this module itself.
func moduleFile(t *testing.T) string {
	t.Helper()
	own, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^(module .*|tool .*)$`).ReplaceAllString(string(own), "")
	return "module example.com/docs\n" + text + "\nrequire github.com/wsgen/wsgen v0.0.0\nreplace github.com/wsgen/wsgen => " +
		root + "\n"
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
