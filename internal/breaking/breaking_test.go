package breaking_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/breaking"
	"github.com/wsgen/wsgen/internal/conformance"
	"github.com/wsgen/wsgen/internal/diag"
	gen "github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
	"github.com/wsgen/wsgen/runtime/fallback"
)

var update = flag.Bool("update", false, "rewrite the expected findings")

// load builds a protocol that has no errors.
func load(t *testing.T, path string) *model.API {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Load(filepath.ToSlash(path),
		func(name string) ([]byte, error) { return os.ReadFile(filepath.FromSlash(name)) }, &diags), &diags)
	if api == nil {
		t.Fatalf("%s: %+v", path, diags.Sorted())
	}
	return api
}

var all = breaking.Options{Categories: []breaking.Category{breaking.Wire, breaking.Ops, breaking.Source}, All: true,
	Label: "main"}

func lines(found []breaking.Finding) string {
	var b strings.Builder
	for _, f := range found {
		d := f.Diagnostic()
		fmt.Fprintf(&b, "%d:%d %v %s: %s\n", d.Pos.Line, d.Pos.Col, d.Severity, f.Rule.ID, d.Message)
	}
	return b.String()
}

func folder(id string) string {
	return filepath.Join("testdata", strings.ReplaceAll(id, "/", "-"))
}

// TestRules compares the pair of files of each rule.
func TestRules(t *testing.T) {
	for _, rule := range breaking.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			dir := folder(rule.ID)
			old, new := load(t, filepath.Join(dir, "old.yaml")), load(t, filepath.Join(dir, "new.yaml"))
			got := lines(breaking.Compare(breaking.Of(old), breaking.Of(new), all))
			if !strings.Contains(got, " "+rule.ID+": ") {
				t.Errorf("the rule finds nothing:\n%s", got)
			}
			path := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want, err := os.ReadFile(path); err != nil || string(want) != got {
				t.Errorf("got\n%swant\n%s%v", got, want, err)
			}
		})
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(breaking.Rules(),
			func(r breaking.Rule) bool { return folder(r.ID) == filepath.Join("testdata", e.Name()) }) {
			t.Errorf("no rule has the folder %s", e.Name())
		}
	}
}

// TestTheTableIsTrue looks for values that the new side sends and the other refuses: a row that is an error has one, a harmless
// one has none.
func TestTheTableIsTrue(t *testing.T) {
	for _, rule := range breaking.Rules() {
		if rule.Category != breaking.Wire {
			continue
		}
		dir := folder(rule.ID)
		old, new := load(t, filepath.Join(dir, "old.yaml")), load(t, filepath.Join(dir, "new.yaml"))
		if len(old.Messages) != 1 || len(new.Messages) != 1 || old.Messages[0].Wire != new.Messages[0].Wire ||
			!old.Messages[0].HasBody ||
			!new.Messages[0].HasBody || old.Messages[0].Direction != model.Both || new.Messages[0].Direction != model.Both {
			continue // no row about values
		}
		path := old.Messages[0].Payload.Path
		anyOrder := func(direction string) breaking.Level {
			if notByItself[rule.ID] {
				return breaking.Warning
			}
			if rule.Any == "both" || slices.Contains(strings.Fields(rule.Any), direction) {
				return breaking.Error
			}
			return breaking.Info
		}
		for _, d := range []struct {
			name         string
			sends, takes jsonschema.Definitions
			level        breaking.Level
		}{
			{"client to server", old.Defs, new.Defs, rule.C2S},
			{"server to client", new.Defs, gen.LenientDefinitions(old), rule.S2C},
			{"new client to old server", new.Defs, old.Defs, anyOrder("c2s")},
			{"old server to new client", old.Defs, gen.LenientDefinitions(new), anyOrder("s2c")},
		} {
			refused := counterexample(t, d.sends, d.takes, path)
			switch {
			case d.level == breaking.Error && refused == "" && !semanticOnly[rule.ID]:
				t.Errorf("%s, %s: it is an error, and no value is refused", rule.ID, d.name)
			case (d.level == breaking.Info || d.level == breaking.InfoStar) && refused != "":
				t.Errorf("%s, %s: it is harmless, and %s is refused", rule.ID, d.name, refused)
			}
		}
	}
}

// semanticOnly are rules whose change no schema sees: the bytes are refused or misread by code.
var semanticOnly = map[string]bool{
	"envelope-changed":    true, // the frame around the value
	"reserved-removed":    true, // later messages
	"field-const-changed": true, // clients do not look at constants
	"format-changed":      true, // nor at formats without a type of their own
	"encoding-changed":    true, // text is text
	"tuple-shape-changed": true, // nor at more items
	"clients-strict":      true, // what old clients do does not change
	"union-tag-changed":   true, // lenient clients take another tag for an unknown variant, if theirs is there
	"version-decreased":   true,
}

// notByItself are rules of which any order of deployment refuses values because of another finding of the pair, or whose pair
// is one of several cases that the rule does not tell apart.
var notByItself = map[string]bool{
	"enum-value-removed/typed": true, // with enum-dissolved
	"version-not-bumped":       true, // with what breaks
	"field-default-changed":    true, // nothing is refused, and both sides take it for another value
	"map-key-changed":          true, // more keys or fewer
	"schema-not-comparable":    true, // more or less
}

// counterexample returns a value that one schema allows and the other does not; "" when none is found.
func counterexample(t *testing.T, sends, takes jsonschema.Definitions, path string) string {
	t.Helper()
	compile := func(defs jsonschema.Definitions) *fallback.Schema {
		text, err := jsonschema.Standalone(defs.Get(path), defs.Get)
		if err != nil {
			t.Fatal(err)
		}
		return fallback.New(string(text))
	}
	from, to := compile(sends), compile(takes)
	allows := func(s *fallback.Schema, v any) bool {
		right := true
		s.Validate(v, func(string, string) { right = false })
		return right
	}
	for _, source := range []jsonschema.Definitions{sends, takes} {
		s := &conformance.Sampler{Rand: rand.New(rand.NewPCG(1, 2)), Lookup: source.Get}
		for range 500 {
			v := s.Value(source.Get(path), 4)
			if s.IntN(3) == 0 {
				v = s.Mutate(v)
			}
			if allows(from, v) && !allows(to, v) {
				return string(conformance.Encode(v))
			}
		}
	}
	return ""
}

// TestAnotherFormReportsNothing compares a protocol with its long form, both ways, and with what its lock says.
func TestAnotherFormReportsNothing(t *testing.T) {
	short, long := load(t, "../../golden/language/messages.yaml"), load(t, "../../golden/language/long/messages.yaml")
	for name, pair := range map[string][2]*breaking.Protocol{
		"long form":  {breaking.Of(short), breaking.Of(long)},
		"short form": {breaking.Of(long), breaking.Of(short)},
		"lock":       {lockOf(t, short), breaking.Of(long)},
	} {
		if found := breaking.Compare(pair[0], pair[1], all); len(found) > 0 {
			t.Errorf("%s:\n%s", name, lines(found))
		}
	}
}

// lockOf writes and reads a lock file.
func lockOf(t *testing.T, api *model.API) *breaking.Protocol {
	t.Helper()
	data, err := breaking.Lock(breaking.Of(api))
	if err != nil || !json.Valid(data) {
		t.Fatalf("%s %v", data, err)
	}
	p, err := breaking.ReadLock(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLockIsAsGood finds the same changes against a lock file as against the protocol that it was written for.
func TestLockIsAsGood(t *testing.T) {
	for _, rule := range breaking.Rules() {
		old, new := load(t, filepath.Join(folder(rule.ID), "old.yaml")), load(t, filepath.Join(folder(rule.ID), "new.yaml"))
		if got := lines(breaking.Compare(lockOf(t, old), breaking.Of(new), all)); !strings.Contains(got, " "+rule.ID+": ") {
			t.Errorf("%s is not found against the lock:\n%s", rule.ID, got)
		}
	}
	for _, bad := range []string{"", "{}", `{"wsgen":2}`, `{"wsgen":1,"name":"x","$defs":{"A":{"minimun":1}}}`, "[]"} {
		if _, err := breaking.ReadLock([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// TestAnyOrder makes errors of what new clients send to old servers, and of what old servers send that new clients refuse: those
// that read leniently look at types and required fields, and not at bounds.
func TestAnyOrder(t *testing.T) {
	const up, down = model.ClientToServer, model.ServerToClient
	for _, test := range []struct {
		id        string
		direction model.Direction
		strict    bool
		want      diag.Severity
	}{
		{"field-added-optional", up, false, diag.Error},
		{"field-added-optional", down, false, diag.Info},
		{"enum-value-added", up, false, diag.Error},
		{"field-became-required", down, false, diag.Error},
		{"field-became-non-nullable", down, false, diag.Error},
		{"field-type-narrowed", down, false, diag.Error},
		{"format-added/typed", down, false, diag.Error},
		{"union-dissolved", down, false, diag.Error},
		{"enum-value-removed", down, false, diag.Info},
		{"enum-value-removed", down, true, diag.Error},
		{"number-range-tightened", down, false, diag.Info},
		{"number-range-tightened", down, true, diag.Error},
		{"object-closed", down, false, diag.Info},
		{"object-closed", down, true, diag.Error},
	} {
		old, new := load(t, filepath.Join(folder(test.id), "old.yaml")), load(t, filepath.Join(folder(test.id), "new.yaml"))
		opts := all
		opts.AnyOrder = true
		for _, api := range []*model.API{old, new} {
			api.Messages[0].Direction, api.StrictClients = test.direction, test.strict
		}
		found := breaking.Compare(breaking.Of(old), breaking.Of(new), opts)
		i := slices.IndexFunc(found, func(f breaking.Finding) bool { return f.Rule.ID == test.id })
		if i < 0 || found[i].Severity != test.want {
			t.Errorf("%s, strict %v: want %v\n%s", test.id, test.strict, test.want, lines(found))
		}
	}
}

// TestOneFindingForAType reports a change of a type once, however often it is used.
func TestOneFindingForAType(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const src = "wsgen: 1\nname: T\ntypes:\n  P: {x: int%s}\n  Q: {p: P, q: [P]}\nclientToServer:\n  A: {p: P}\n  B: {q: Q}\n  " +
		"C: {request: P, response: Q}\n"
	old, new := load(t, write("old.yaml", fmt.Sprintf(src, ""))), load(t, write("new.yaml", fmt.Sprintf(src, ", y: int")))
	found := breaking.Compare(breaking.Of(old), breaking.Of(new), breaking.Options{})
	if len(found) != 1 || found[0].Path != "P.y" || found[0].Places != 4 || found[0].Severity != diag.Error {
		t.Errorf("%s%+v", lines(found), found)
	}
}
