// Package golden_test compares what the generator prints with the packages that are kept here. Each folder with a
// messages.yaml is a case; the tests beside its package use what was generated. `go test ./golden -update` rewrites the
// packages and the texts of golden/errors.
package golden_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/schema"
)

var update = flag.Bool("update", false, "rewrite golden files and remove those that nothing generates")

// build reads a protocol as the command line does, with what it imports from a folder; nil when it has findings, which are
// returned.
func build(tb testing.TB, folder string, src []byte) (*model.API, []diag.Diagnostic) {
	tb.Helper()
	var diags diag.List
	api := model.Build(schema.Load("messages.yaml", func(name string) ([]byte, error) {
		if name == "messages.yaml" {
			return src, nil
		}
		if folder == "" {
			return nil, fs.ErrNotExist
		}
		data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return data, err
	}, &diags), &diags)
	if api == nil {
		return nil, diags.Sorted()
	}
	var err error
	if api.Fingerprint, err = jsonschema.Fingerprint(api); err != nil {
		tb.Fatal(err)
	}
	return api, diags.Sorted()
}

// generate returns the package of a protocol that has no findings, and its files.
func generate(tb testing.TB, folder string, src []byte) (name string, files []output.File) {
	tb.Helper()
	api, findings := build(tb, folder, src)
	if len(findings) > 0 || api == nil {
		tb.Fatalf("findings: %s", text(tb, src, findings))
	}
	files, err := gen.Go(api)
	if err != nil {
		tb.Fatal(err)
	}
	ts, err := gen.TypeScript(api)
	if err != nil {
		tb.Fatal(err)
	}
	return api.GoPackage, append(files, ts...)
}

func text(tb testing.TB, src []byte, findings []diag.Diagnostic) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := diag.Text(&b, findings, func(string) []byte { return src }); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// cases returns the names of the folders with a protocol; that of the conformance fixtures is one.
func cases(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("*/messages.yaml")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no cases: %v", err)
	}
	for i, f := range files {
		files[i] = filepath.Dir(f)
	}
	return append(files, "../conformance")
}

func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(name, "messages.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			pkg, files := generate(t, name, src)
			compareFolder(t, filepath.Join(name, pkg), files)
			noOtherPackage(t, name, pkg)
		})
	}
}

// TestLongForm generates the same from the long form of a protocol as from its short form.
func TestLongForm(t *testing.T) {
	for _, name := range []string{"language"} {
		var packages [2][]output.File
		for i, folder := range []string{name, filepath.Join(name, "long")} {
			src, err := os.ReadFile(filepath.Join(folder, "messages.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, packages[i] = generate(t, folder, src)
		}
		for i, short := range packages[0] {
			if long := packages[1][i]; short.Path != long.Path || !bytes.Equal(short.Data, long.Data) {
				t.Errorf("%s differs:\n%s", short.Path, udiff.Unified("short", "long", string(short.Data), string(long.Data)))
			}
		}
	}
}

// noOtherPackage finds what a case has generated under an earlier name.
func noOtherPackage(t *testing.T, name, pkg string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(name, "*", "protocol.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if folder := filepath.Dir(f); filepath.Base(folder) != pkg {
			stale(t, folder)
		}
	}
}

// compareFolder wants a folder to hold these files, and no others that are generated.
func compareFolder(t *testing.T, folder string, files []output.File) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var known []string
	for _, f := range files {
		known = append(known, f.Path)
		compareFile(t, filepath.Join(folder, filepath.FromSlash(f.Path)), f.Data)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) && strings.Contains(e.Name(), ".gen") { // others are written by hand
			stale(t, filepath.Join(folder, e.Name()))
		}
	}
}

// compareFile wants a file to hold exactly this.
func compareFile(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; go test ./golden -update writes it", err)
		return
	}
	if !bytes.Equal(want, got) {
		t.Errorf("go test ./golden -update accepts this:\n%s", udiff.Unified(path, "generated", string(want), string(got)))
	}
}

// stale removes or reports a golden file that nothing generates.
func stale(t *testing.T, path string) {
	t.Helper()
	if !*update {
		t.Errorf("nothing generates %s; go test ./golden -update removes it", path)
	} else if err := os.RemoveAll(path); err != nil {
		t.Error(err)
	}
}

// TestSameBytesEveryTime generates each case again and again, with one and with many processors.
func TestSameBytesEveryTime(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for _, name := range cases(t) {
		src, err := os.ReadFile(filepath.Join(name, "messages.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		_, first := generate(t, name, src)
		for i := range 4 { // what depends on the order of a map differs in one of all these cases
			runtime.GOMAXPROCS(1 + i)
			_, again := generate(t, name, src)
			if !slices.EqualFunc(first, again, func(a, b output.File) bool { return a.Path == b.Path && bytes.Equal(a.Data, b.Data) }) {
				t.Fatalf("%s: run %d differs from the first", name, i)
			}
		}
	}
}

// BenchmarkGenerate is a protocol of 1,000 messages with five fields each, from its YAML to the files. Parsing alone is
// beside it for comparison.
func BenchmarkGenerate(b *testing.B) {
	src := largeProtocol(1000)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			build(b, "", src)
		}
	})
	b.Run("generate", func(b *testing.B) {
		for b.Loop() {
			generate(b, "", src)
		}
	})
	b.Run("4000", func(b *testing.B) {
		four := largeProtocol(4000)
		var one, all time.Duration
		for b.Loop() {
			start := time.Now()
			generate(b, "", src)
			half := time.Now()
			generate(b, "", four)
			one, all = one+half.Sub(start), all+time.Since(half)
		}
		b.ReportMetric(float64(all)/float64(one), "times-as-long-as-1000")
	})
}

func largeProtocol(messages int) []byte {
	var b bytes.Buffer
	b.WriteString("wsgen: 1\nname: Large\nsharding: {key: roomId}\nclientToServer:\n")
	for i := range messages {
		fmt.Fprintf(&b, "  MESSAGE_%d:\n    roomId: string(1..64)\n    text: string(..2000)\n    count: int32(0..100) = 1\n    tags: string[](..9)\n    at?: date-time | null\n", i)
	}
	return b.Bytes()
}
