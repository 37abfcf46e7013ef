package golden_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/output"
)

// imports reads what generated packages import from where the compiler has put it. It keeps what it has read.
var imports = sync.OnceValues(func() (types.Importer, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "testing", "../runtime/wstest", "../runtime/client", "../runtime/validate", "../runtime/fallback")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }), nil
})

// compile parses and type-checks generated files, and returns them.
func compile(t *testing.T, files []output.File) []*ast.File {
	t.Helper()
	imports, err := imports()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f.Path, f.Data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%v\n%s", err, f.Data)
		}
		parsed = append(parsed, file)
	}
	conf := types.Config{GoVersion: "go1.26", Importer: imports}
	if _, err := conf.Check("generated", fset, parsed, nil); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// FuzzGenerate wants Go that compiles of every protocol that has no findings.
func FuzzGenerate(f *testing.F) {
	for _, name := range cases(f) {
		src, err := os.ReadFile(filepath.Join(name, "messages.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		api, _ := build(t, "", src)
		if api == nil {
			return
		}
		files, err := gen.Go(api)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gen.TypeScript(api); err != nil {
			t.Fatal(err)
		}
		compile(t, files)
	})
}

// quote writes a string so that YAML reads it, and nothing else: its escapes are those of Go.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// FuzzGenerateNames has two names wherever a protocol has names. They are refused, or the Go compiles.
func FuzzGenerateNames(f *testing.F) {
	for _, pair := range [][2]string{
		{"JOIN_ROOM", "roomId"}, {"joinRoom", "join-room"}, {"type", "func"}, {"Server", "client"}, {"New", "Error"}, {"errors", "Err"},
		{"Close", "Send"}, {"ÜBER", "房间"}, {"1st", "2nd"}, {"a`b", "a\"b\\"}, {"@id", "$ref"}, {"m", "M"}, {"String", "int"},
		{"ctx", "json"}, {"Details", "Known"}, {"Room", "Handler"}, {"x\ny", "//go:embed x"}, {"MarshalJSON", "unmarshal_json"}, {"", "?"},
		{"room", "On_leave"}, {"ROOM_TOPIC", "UnimplementedConnHandler"}, {"serverMessage", "dispatch"}, {"ID", "id"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, template := range []string{
			"types:\n  T: {A: string, B: int}\nclientToServer:\n  M: {A: T, B: {A: {B: int = 1}}}\n",
			"types:\n  T: {enum: [A, B]}\n  U: {x: T = A, y: \"T | null\", z: \"map<T, T>\"}\nclientToServer:\n  M: U\n",
			"clientToServer:\n  A: {x: int = 1}\n  B: {request: {A: int}, response: , progress: {B: bool}}\n",
			"both:\n  A: {x: int}\nserverToClient:\n  B: [string]\n",
			"clientToServer:\n  M:\n    response: {x: int}\n    errors: {A: {B: int}, B: }\n",
			"sharding: {key: {A: roomId, B: matchId}}\nclientToServer:\n  M: {roomId: string}\n  N: {matchId: string}\n",
			"sharding: {key: A}\nclaims: {A: string, B: [string], userId: string}\nclientToServer:\n  M: {A: string}\n  B: {A: int}\n",
		} {
			src := "wsgen: 1\nname: Names\n" + strings.NewReplacer("A", quote(a), "B", quote(b)).Replace(template)
			api, _ := build(t, "", []byte(src))
			if api == nil {
				continue
			}
			files, err := gen.Go(api)
			if err != nil {
				t.Fatalf("%v\n%s", err, src)
			}
			if compile(t, files); t.Failed() {
				t.Fatal(src)
			}
		}
	})
}

// FuzzGenerateTexts has a text wherever a protocol has documentation and values. Nothing but comments and strings may
// depend on it.
func FuzzGenerateTexts(f *testing.F) {
	for _, text := range []string{
		"plain", "", "*/ func init() {} /*", "// x\nfunc init() {}", "a\r\nb\rc", "/* a", "go:embed x\n//go:noinline", "line x.go:1", "\x00\x01\uFEFF\xff",
		"+build ignore", "  indented */\n\n\ntwo", "`", "\\", "\"", "%s%d%!", "#cgo", "Deprecated: no", "'", "${x}", "{{.}}", "\u2028", "export F",
	} {
		f.Add(text)
	}
	plain := "" // the code of a text that can do no harm
	f.Fuzz(func(t *testing.T, text string) {
		src := func(text string) []byte {
			value, _ := json.Marshal(text) // a string can always be encoded
			return fmt.Appendf(nil, `wsgen: 1
name: Texts
description: %[1]s
version: %[4]s
types:
  Role: {enum: {owner: %[1]s, member: }, description: %[1]s}
  T: {fields: {a: {fields: {b: int}, description: %[1]s}}, description: %[1]s}
clientToServer:
  EVENT: {payload: {a: T, s: %[2]s, n: %[3]s}, description: %[1]s, deprecated: %[1]s, since: %[1]s}
  GET: {request: {a: int}, response: T, errors: {GONE: {description: %[1]s, details: {a: int}}}, description: %[1]s}
both:
  TALK: {payload: {a: int}, description: %[1]s}
`, quote(text), quote("string = "+string(value)), quote("string | null = "+string(value)), quote("v"+text))
		}
		api, findings := build(t, "", src(text))
		if api == nil {
			t.Skipf("%s", findings[0].Message)
		}
		if plain == "" {
			_, files := generate(t, "", src("text"))
			plain = code(t, compile(t, goFiles(files)))
		}
		files, err := gen.Go(api)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gen.TypeScript(api); err != nil {
			t.Fatal(err)
		}
		parsed := compile(t, files)
		for _, file := range parsed {
			for _, group := range file.Comments {
				for _, c := range group.List {
					if c.Text != "//" && !strings.HasPrefix(c.Text, "// ") && !strings.HasPrefix(c.Text, "//\t") || strings.HasPrefix(c.Text, "// +build") {
						t.Errorf("the comment %q", c.Text)
					}
				}
			}
		}
		if got := code(t, parsed); got != plain {
			t.Errorf("the code depends on the text:\n%s", udiff.Unified("text", "this text", plain, got))
		}
	})
}

// code prints files without comments, and with all strings empty.
func code(t *testing.T, files []*ast.File) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range files {
		f.Doc, f.Comments = nil, nil
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					n.Value = `""`
				}
			case *ast.GenDecl:
				n.Doc = nil
			case *ast.FuncDecl:
				n.Doc = nil
			case *ast.Field:
				n.Doc, n.Comment = nil, nil
			case *ast.ValueSpec:
				n.Doc, n.Comment = nil, nil
			case *ast.TypeSpec:
				n.Doc, n.Comment = nil, nil
			}
			return true
		})
		if err := printer.Fprint(&b, token.NewFileSet(), f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// goFiles returns the Go among files.
func goFiles(files []output.File) []output.File {
	return slices.DeleteFunc(files, func(f output.File) bool { return !strings.HasSuffix(f.Path, ".go") })
}
