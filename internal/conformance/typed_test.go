package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	judge "github.com/wsgen/wsgen/runtime/fallback"
)

// about is the JSON type that a keyword judges values of.
var about = map[string]string{
	"minLength": "string", "maxLength": "string", "pattern": "string", "format": "string", "contentEncoding": "string",
	"minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number", "multipleOf": "number",
	"items": "array", "prefixItems": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array",
	"properties": "object", "required": "object", "additionalProperties": "object", "patternProperties": "object",
	"propertyNames": "object",
	"minProperties": "object", "maxProperties": "object",
}

// TestTypedProjection gives schemas without a type the one that their keyword is about, so that Go types and not only checks
// are tried. The suite does not know these schemas: jsonschema/v5 judges.
func TestTypedProjection(t *testing.T) {
	all := readGroups(t, suiteFolder(t), "")
	classify(all)
	var groups []*group
	for _, g := range all {
		if typed := project(g); typed != nil && g.class == compiled {
			groups = append(groups, typed)
		}
	}
	classify(groups)
	var names []string
	var questions []question
	var wanted []bool
	for _, g := range groups {
		if g.class == refused {
			for _, d := range g.findings {
				if d.Rule != "name-collision" { // the fields of a struct need names
					t.Errorf("%s: %s: the projection is refused: %+v", g.file, g.Description, d)
				}
			}
			continue
		}
		oracle, err := judge.Compile(string(g.Schema))
		if err != nil {
			t.Fatalf("%s: %v", g.Description, err)
		}
		names = append(names, g.id)
		for _, i := range g.Tests {
			questions = append(questions, question{g.id, fmt.Appendf(nil, `{"v":%s}`, i.Data)})
			wanted = append(wanted, oracle.Validate(tree(t, i.Data)) == nil)
		}
	}
	for n, v := range ask(t, protocol(groups), names, questions) {
		if accepted := len(v.Paths) == 0; accepted != wanted[n] {
			t.Errorf("%s %s: accepted %t, jsonschema/v5 says %t; %s", questions[n].Type, questions[n].JSON, accepted,
				wanted[n], v.Error)
		}
	}
	t.Logf("%d typed schemas, %d instances", len(groups), len(questions))
}

// project returns a group with a type added to its schema; nil when that is not plain.
func project(g *group) *group {
	var members map[string]json.RawMessage
	if json.Unmarshal(g.Schema, &members) != nil || members["type"] != nil || strings.HasPrefix(g.file, "content") {
		return nil
	}
	kind := ""
	for key := range members {
		switch k := about[key]; {
		case key == "$schema", key == "$comment", key == "$defs":
		case k == "" || kind != "" && kind != k:
			return nil
		default:
			kind = k
		}
	}
	if kind == "" {
		return nil
	}
	members["type"] = json.RawMessage(`"` + kind + `"`)
	raw, _ := json.Marshal(members)
	typed := *g
	typed.Schema, typed.id = raw, "Typed"+g.id
	return &typed
}

// tree decodes a value as jsonschema/v5 takes it.
func tree(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
