package wsgen_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wsgen/wsgen/"

// An importRule says what the packages below a folder may import of what is not in the standard library.
type importRule struct {
	folder string // packages it holds for; the rule with the longest matching folder counts
	allow  []string
	why    string
}

var importRules = []importRule{
	{"cmd/wsgen", []string{"internal/cli"}, "main is one line"},
	{"internal/diag", []string{}, "findings are plain data"},
	{"internal/names", []string{}, "names are pure functions"},
	{"internal/jsonschema", []string{"internal/diag"}, "schemas are plain data"},
	{"internal/schema", []string{"internal/diag", "internal/jsonschema", "internal/names", "gopkg.in/yaml.v3"},
		"only the syntax tree knows YAML"},
	{"internal/model", []string{"internal/diag", "internal/jsonschema", "internal/names", "internal/schema", "runtime/codec",
		"runtime/fallback", "runtime/validate"},
		"the model is language neutral; defaults and examples are judged as messages are"},
	{"runtime/prometheus", []string{"runtime", "github.com/prometheus/client_golang"}, "a program that wants it links it"},
	{"runtime/otel", []string{"runtime", "go.opentelemetry.io/otel"}, "a program that wants it links it"},
	{"internal/breaking", []string{"internal/diag", "internal/jsonschema", "internal/model", "runtime/fallback"},
		"it compares models, not files"},
	{"internal/lint", []string{"internal/diag", "internal/jsonschema", "internal/model", "internal/names", "internal/schema",
		"runtime/codec"}, "rules read the model"},
	{"internal/gen", []string{"internal/gen", "internal/jsonschema", "internal/model", "internal/output", "internal/names",
		"templates",
		"runtime/codec", "runtime/fallback", "github.com/dave/jennifer"}, "emitters read the model and print"},
	{"internal/output", []string{"github.com/aymanbagabas/go-udiff"}, "it knows files, not protocols"},
	{"templates", []string{}, "templates decide nothing"},
	{"runtime/fallback", []string{"runtime/codec", "github.com/santhosh-tekuri/jsonschema/v5"},
		"it is linked only where a schema needs it"},
	{"runtime/cluster", []string{"runtime/clock", "runtime/internal/hash", "runtime/internal/hostlock"}, "the server is an App on top of it, and what it runs on is given to it"},
	{"runtime/cluster/memory", []string{"runtime/cluster", "runtime/clock"}, "a backplane knows no rooms"},
	{"runtime/cluster/clustertest", []string{"runtime/cluster", "runtime/clock"}, "backplanes that are modules of their own use it"},
	{"runtime", []string{"runtime", "github.com/coder/websocket", "github.com/go-faster/jx"}, "it is linked into every program"},
}

// TestImportDirections keeps the layers apart.
func TestImportDirections(t *testing.T) {
	for _, p := range listPackages(t) {
		rule, ok := ruleFor(strings.TrimPrefix(p.ImportPath, module))
		if !ok {
			continue
		}
		for _, imported := range p.Imports {
			if !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				continue // standard library
			}
			if !slices.ContainsFunc(rule.allow, func(a string) bool {
				path := strings.TrimPrefix(imported, module)
				return path == a || strings.HasPrefix(path, a+"/")
			}) {
				t.Errorf("%s imports %s, but below %s only %v may be imported: %s", p.ImportPath, imported, rule.folder,
					rule.allow, rule.why)
			}
		}
	}
}

// TestGeneratedProgramsStaySmall builds the example's package list: what is optional in the runtime is not linked into a program
// that does not ask for it.
func TestGeneratedProgramsStaySmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./examples/chat").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, banned := range []string{"prometheus", "opentelemetry", "nats", "jsonschema", "yaml", "jennifer"} {
		if strings.Contains(string(out), banned) {
			t.Errorf("the chat links %s", banned)
		}
	}
}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func ruleFor(path string) (importRule, bool) {
	var best importRule
	for _, r := range importRules {
		if (path == r.folder || strings.HasPrefix(path, r.folder+"/")) && len(r.folder) > len(best.folder) {
			best = r
		}
	}
	return best, best.folder != ""
}
