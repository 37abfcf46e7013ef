package editor_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/internal/editor"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/schema"
)

var update = flag.Bool("update", false, "write testdata/editor.schema.json")

var chatTypes = []string{"common.User", "RoomID", "Role", "Member", "Attachment", "RoomMessage"}

// compiled returns the description as a validator has it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := editor.Schema(chatTypes)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("editor.json", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("editor.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Draft != jsonschema.Draft7 {
		t.Errorf("it is %v", s.Draft)
	}
	return s
}

// value returns a node as an editor sees it: keys are text, and so is a date.
func value(t *testing.T, n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return value(t, n.Content[0])
	case yaml.MappingNode:
		out := make(map[string]any)
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = value(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			out[i] = value(t, item)
		}
		return out
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

func parse(t *testing.T, src []byte) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		t.Fatal(err)
	}
	return value(t, &doc)
}

// TestSnapshot has the text that the language server is tested with; see e2e.
func TestSnapshot(t *testing.T) {
	got, err := editor.Schema(chatTypes)
	if err != nil {
		t.Fatal(err)
	}
	shuffled := append(slices.Clone(chatTypes[2:]), chatTypes[:3]...)
	if again, err := editor.Schema(shuffled); err != nil || !bytes.Equal(got, again) {
		t.Errorf("the order of the names shows, %v", err)
	}
	name := filepath.Join("testdata", "editor.schema.json")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what Schema returns (%v): run go test ./internal/editor -update, and read the difference", name, err)
	}
	if _, err := output.Plan("testdata", []output.File{{Path: "editor.schema.json", Data: got}}); err != nil {
		t.Errorf("it is not seen as ours: %v", err)
	}
}

func TestNamesAreChecked(t *testing.T) {
	for _, name := range []string{"", "roomID", "a.b", "a.b.C", `X"`, "$X", "X Y"} {
		if _, err := editor.Schema([]string{name}); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if _, err := editor.Schema([]string{"Ünïcödé", "a-1.X_2"}); err != nil {
		t.Error(err)
	}
}

// TestAccepts has every protocol of this repository that wsgen generates code from.
func TestAccepts(t *testing.T) {
	s := compiled(t)
	files := 0
	for _, pattern := range []string{"internal/editor/testdata/*.yaml", "examples/*.yaml", "golden/*/*.yaml",
		"golden/*/*/*.yaml"} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			if strings.Contains(filepath.ToSlash(name), "golden/errors/") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files++
			if err := s.Validate(parse(t, src)); err != nil {
				t.Errorf("%s: %#v", name, err)
			}
		}
	}
	if files < 10 {
		t.Errorf("only %d files were found", files)
	}
}

// types are what may stand where a type may stand, beside the words.
var types = []string{
	"RoomID", "New", "common.New", "null | string", "T[]", "T[](1..3)", "string(1..64)", "string(36)", "int32( -5 .. 5 )",
	"float(-1.5..1e3)", "map<T>", "map<RoomID, int>", "map<map<string[]>>[](..9)", "(A | B)[]", "date-time|null",
	"'T = 5'", "'string = \"#fff\"'", "'T[] = []'", "'int=5'", "true", "[T]", "[[{a: int}]]", "{}",
	"{type: int32, multipleOf: 5}", "{type: [string, 'null']}", "{type: array, prefixItems: [int, {a: T}], items: false}",
	"{enum: [a, 1, null]}", "{enum: {a: text, b: }}", "{const: {a: 1}}", "{discriminator: kind, mapping: {a: {x: int}}}",
	"{discriminator: {propertyName: kind}, oneOf: [A, B]}", "{fields: {type: string}}", "{not: string}",
	"{anyOf: [A], if: A, then: B, else: C}",
	"{type: object, patternProperties: {^a: T}, propertyNames: T, minProperties: 1}",
	"{type: string, x-mine: [1], contentMediaType: application/json, contentSchema: T}",
	"{$ref: ./a.yaml#/types/B, optional: true, default: 1}",
	"{type: object, dependentRequired: {a: [b]}, dependentSchemas: {a: {b: T}}, unevaluatedProperties: false, $defs: {A: int}}",
	"{type: array, contains: T, minContains: 1, maxContains: 2, unevaluatedItems: T, uniqueItems: true}",
	"{title: string, items: [T], if: int}",
}

// TestAcceptsTypes has each of them as the type of a field.
func TestAcceptsTypes(t *testing.T) {
	s := compiled(t)
	for _, typ := range append(schema.Words(), types...) {
		src := "wsgen: 1\ntypes: \n  X:\n    f: " + typ + "\nboth:\n  M:\n    payload: {f: {a: int}}\n"
		if err := s.Validate(parse(t, []byte(src))); err != nil {
			t.Errorf("%s: %#v", typ, err)
		}
	}
}

// refused are parts of protocols that editors should mark, and where.
var refused = []struct{ src, place string }{
	{"name: Chat", ""},
	{"wsgen: 2", "/wsgen"},
	{"clientToServr: {}", ""},
	{"types: {roomID: string}", "/types/roomID"},
	{"types: {R: strnig}", "/types/R"},
	{"types: {R: 5}", "/types/R"},
	{"types: {R: {f: }}", "/types/R/f"},
	{"types: {R: [a, b]}", "/types/R"},
	{"types: {R: {f: {g: open | closed}}}", "/types/R/f/g"},
	{"types: {R: {type: string, maxLen: 5}}", "/types/R"},
	{"types: {R: {type: string, maxLength: long}}", "/types/R/maxLength"},
	{"types: {R: {type: string, $id: x}}", "/types/R"},
	{"types: {R: {type: [int32]}}", "/types/R/type/0"},
	{"types: {R: {type: object, properties: {f: strnig}}}", "/types/R/properties/f"},
	{"types: {R: {enum: []}}", "/types/R/enum"},
	{"types: {R: {enum: string}}", "/types/R/enum"},
	{"types: {R: {oneOf: []}}", "/types/R/oneOf"},
	{"types: {R: {type: object, mapping: {a: T}}}", "/types/R"},
	{"types: {R: {$ref: 'https://a/b'}}", "/types/R/$ref"},
	{"types: {R: {__proto__: int}}", "/types/R/__proto__"},
	{"types: {R: {type: map, nullable: true}}", "/types/R"},
	{"both: {M: {payload: {}, rat: 5/s}}", "/both/M"},
	{"both: {M: {payload: {}, rate: often}}", "/both/M/rate"},
	{"both: {M: {payload: {}, rate: {burst: 5}}}", "/both/M/rate"},
	{"both: {M: {payload: {}, timeout: 5s}}", "/both/M"},
	{"both: {M: {payload: {}, response: {}}}", "/both/M"},
	{"both: {M: {request: {}}}", "/both/M"},
	{"both: {M: {response: {}, timeout: 5}}", "/both/M/timeout"},
	{"both: {M: {response: {}, errors: {X: string}}}", "/both/M/errors/X"},
	{"both: {M: {response: {}, errors: {X: {details: {a: int}, retry: true}}}}", "/both/M/errors/X"},
	{"both: {M: {payload: {}, delivery: latest}}", "/both/M/delivery"},
	{"both: {M: {payload: {}, auth: []}}", "/both/M/auth"},
	{"both: {M: {payload: {}, auth: admin}}", "/both/M/auth"},
	{"both: {M: {payload: {}, maxBytes: 5GB}}", "/both/M/maxBytes"},
	{"both: {M: {payload: {}, sunset: soon}}", "/both/M/sunset"},
	{"both: {M: {payload: {}, go: {nam: X}}}", "/both/M/go"},
	{"both: {M: 5}", "/both/M"},
	{"both: {M: {f: 5}}", "/both/M/f"},
	{"sharding: {hash: modulo}", "/sharding/hash"},
	{"sharding: {shards: 0}", "/sharding/shards"},
	{"sharding: {capacity: {room: 1}}", "/sharding/capacity"},
	{"sharding: {state: snapshot}", "/sharding/state"},
	{"sharding: {overflow: drop}", "/sharding/overflow"},
	{"sharding: {history: {message: 1}}", "/sharding/history"},
	{"imports: {common: 'https://a/b.yaml'}", "/imports/common"},
	{"envelope: flat", "/envelope"},
	{"envelope: {kind: op}", "/envelope"},
	{"envelope: {values: text}", "/envelope/values"},
	{"reserved: NAME", "/reserved"},
	{"clients: strikt", "/clients"},
	{"claims: {userId: strnig}", "/claims/userId"},
	{"limits: {maxBytes: 0}", "/limits/maxBytes"},
	{"go: {pakage: x}", "/go"},
	{"lint: {expect: [x]}", "/lint"},
}

func TestRefuses(t *testing.T) {
	s := compiled(t)
	for _, c := range refused {
		src := c.src
		if c.place != "" && c.place != "/wsgen" || strings.HasPrefix(c.src, "clientToServr") {
			src = "wsgen: 1\n" + src
		}
		places := placesOf(s.Validate(parse(t, []byte(src))))
		if !slices.Contains(places, c.place) {
			t.Errorf("%s: marked at %q, want %q", c.src, places, c.place)
		}
	}
}

// placesOf returns where the innermost errors are.
func placesOf(err error) []string {
	top, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return nil
	}
	var places []string
	var visit func(e *jsonschema.ValidationError)
	visit = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			places = append(places, e.InstanceLocation)
		}
		for _, c := range e.Causes {
			visit(c)
		}
	}
	visit(top)
	return places
}

// TestAttributesAreAllThere compares with what the parser reads.
func TestAttributesAreAllThere(t *testing.T) {
	text, err := editor.Schema(nil)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Definitions map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range schema.Attributes() {
		inEvent, inRequest := doc.Definitions["event"].Properties[name] != nil, doc.Definitions["request"].Properties[name] != nil
		if !inEvent && !inRequest {
			t.Errorf("%s is not there", name)
		}
	}
}
