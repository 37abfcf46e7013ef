package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// question is a value for a generated type.
type question struct {
	Type string
	JSON json.RawMessage
}

// verdict is what the generated type says of it.
type verdict struct {
	Paths   []string        // of the issues; none: it is accepted
	Error   string          // the issues
	Written json.RawMessage // what it writes for an accepted value
}

const program = `package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"

	"github.com/wsgen/wsgen/runtime/codec"

	"cases.test/cases/cases"
)

type question struct {
	Type string
	JSON json.RawMessage
}

type verdict struct {
	Paths   []string
	Error   string
	Written json.RawMessage
}

type value interface {
	UnmarshalJSON([]byte) error
	MarshalJSON() ([]byte, error)
}

func main() {
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := out.Encode(judge(q)); err != nil {
			panic(err)
		}
	}
}

func judge(q question) (v verdict) {
	read := types[q.Type]()
	if err := read.UnmarshalJSON(q.JSON); err != nil {
		var issues codec.Issues
		if errors.As(err, &issues) {
			for _, i := range issues {
				v.Paths = append(v.Paths, i.Path)
			}
		} else {
			v.Paths = []string{""}
		}
		v.Error = err.Error()
		return v
	}
	written, err := read.MarshalJSON()
	if err != nil {
		v.Written, _ = json.Marshal("cannot be written: " + err.Error())
		return v
	}
	v.Written = written
	return v
}

var types = map[string]func() value{
%s}
`

// ask generates and builds the package of a protocol, once, and returns what its types say.
func ask(t *testing.T, src string, names []string, questions []question) []verdict {
	t.Helper()
	dir := t.TempDir()
	buildProgram(t, dir, src, names)
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range questions {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "cases.bin"))
	cmd.Stdin = &in
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	verdicts := make([]verdict, 0, len(questions))
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var v verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(questions) {
		t.Fatalf("%d verdicts for %d questions", len(verdicts), len(questions))
	}
	return verdicts
}

// buildProgram writes and builds a module that uses this checkout.
func buildProgram(t *testing.T, dir, src string, names []string) {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", []byte(src), &diags), &diags)
	if api == nil {
		t.Fatalf("findings: %+v", diags.Sorted())
	}
	files, err := gen.Go(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, filepath.Join(dir, "cases", f.Path), f.Data)
	}
	var table strings.Builder
	for _, name := range names {
		fmt.Fprintf(&table, "\t%q: func() value { return new(cases.%s) },\n", name, name)
	}
	write(t, filepath.Join(dir, "main.go"), fmt.Appendf(nil, program, table.String()))
	writeModule(t, dir)
	cmd := exec.Command("go", "build", "-o", "cases.bin", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the generated package does not build: %v\n%s", err, out)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeModule makes a module with all that this one requires.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			data = bytes.Replace(data, []byte("module github.com/wsgen/wsgen\n"), []byte("module cases.test/cases\n"), 1)
			data = fmt.Appendf(data, "\nrequire github.com/wsgen/wsgen v0.0.0\n\nreplace github.com/wsgen/wsgen => %q\n", root)
		}
		write(t, filepath.Join(dir, name), data)
	}
}
