package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// group is a schema of the suite with instances.
type group struct {
	file        string // items, optional/bignum
	Description string
	Schema      json.RawMessage
	Tests       []instance

	id       string // of the generated type
	class    class
	findings []diag.Diagnostic
}

type instance struct {
	Description string
	Data        json.RawMessage
	Valid       bool
}

// class is what becomes of a schema.
type class string

const (
	compiled class = "compiled"
	fallback class = "fallback"
	refused  class = "refused"
)

// suiteFolder returns the suite, and skips the test where there is none.
func suiteFolder(t *testing.T) string {
	t.Helper()
	folders := []string{os.Getenv("JSON_SCHEMA_TEST_SUITE"), "../../../shared/data/json-schema-test-suite"}
	for _, folder := range folders {
		for _, inner := range []string{"tests/draft2020-12", "draft2020-12"} {
			path := filepath.Join(folder, filepath.FromSlash(inner))
			if info, err := os.Stat(path); folder != "" && err == nil && info.IsDir() {
				return path
			}
		}
	}
	t.Skip("SKIPPED: the JSON Schema test suite is not here; clone https://github.com/json-schema-org/JSON-Schema-Test-Suite " +
		"and set JSON_SCHEMA_TEST_SUITE to its folder")
	return ""
}

// readGroups reads the files of a folder.
func readGroups(t *testing.T, folder, prefix string) []*group {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	var out []*group
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var groups []*group
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, g := range groups {
			g.file = prefix + strings.TrimSuffix(filepath.Base(path), ".json")
			g.id = fmt.Sprintf("Case%04d", len(out))
			out = append(out, g)
		}
	}
	return out
}

const head = "wsgen: 1\nname: Cases\n"

// declaration returns the type of a group as it stands in the YAML.
func (g *group) declaration() string {
	return fmt.Sprintf("  %s:\n    v: %s\n", g.id, yamlOf(g.Schema))
}

// deciding are the keys that make a mapping a schema; one without is a field map.
var deciding = []string{"type", "enum", "const", "$ref", "oneOf", "anyOf", "allOf", "not", "properties",
	"discriminator", "fields"}

// yamlOf returns a schema of the suite as our YAML has it: type: any stands where no key says that it is a schema.
func yamlOf(raw json.RawMessage) string {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return "null"
	}
	return encode(decide(v))
}

func encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // it was decoded
	return strings.TrimSpace(b.String())
}

// decide adds type: any to schemas without a deciding key.
func decide(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m)+1)
	found := false
	for key, value := range m {
		found = found || slices.Contains(deciding, key)
		out[key] = decideIn(key, value)
	}
	if !found {
		out["type"] = "any"
	}
	return out
}

func decideIn(key string, value any) any {
	switch key {
	case "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else", "unevaluatedItems",
		"unevaluatedProperties", "contentSchema":
		return decide(value)
	case "prefixItems", "allOf", "anyOf", "oneOf":
		list, _ := value.([]any)
		out := make([]any, len(list))
		for i, item := range list {
			out[i] = decide(item)
		}
		return out
	case "properties", "patternProperties", "dependentSchemas", "$defs", "definitions":
		members, _ := value.(map[string]any)
		out := make(map[string]any, len(members))
		for name, item := range members {
			out[name] = decide(item)
		}
		return out
	}
	return value
}

// classify builds each group alone.
func classify(groups []*group) {
	for _, g := range groups {
		src := head + "types:\n" + g.declaration() + "both:\n  USE: {x: " + g.id + "}\n"
		var diags diag.List
		api := model.Build(schema.Parse("messages.yaml", []byte(src), &diags), &diags)
		g.findings = diags.Sorted()
		switch {
		case api == nil:
			g.class = refused
		case usesFallback(api):
			g.class = fallback
		default:
			g.class = compiled
		}
	}
}

// usesFallback reports whether any check is left to a JSON Schema library.
func usesFallback(api *model.API) bool {
	return slices.ContainsFunc(model.Checks(api), func(c *model.Check) bool { return c.Fallback != "" })
}

// protocol returns the YAML of all groups that are not refused.
func protocol(groups []*group) string {
	var b strings.Builder
	b.WriteString(head + "types:\n")
	for _, g := range groups {
		if g.class != refused {
			b.WriteString(g.declaration())
		}
	}
	b.WriteString("both:\n  PING: {x: string}\n")
	return b.String()
}
