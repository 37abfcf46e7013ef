package conformance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// A Sampler makes values for schemas: most of them nearly right.
type Sampler struct {
	*rand.Rand
	Lookup func(name string) *jsonschema.Schema // the schema of a definition
}

// Value returns a value that a schema may allow, as encoding/json holds it with UseNumber. It is no deeper than depth where
// the schema leaves a choice.
func (s *Sampler) Value(schema *jsonschema.Schema, depth int) any {
	switch {
	case schema.False:
		return s.Anything(1)
	case schema.Ref != "":
		return s.Value(s.Lookup(schema.Ref), depth-1)
	case schema.Const != nil:
		return Decode(schema.Const)
	case len(schema.Enum) > 0:
		return Decode(schema.Enum[s.IntN(len(schema.Enum))])
	case len(schema.OneOf) > 0 && (len(schema.Properties) == 0 || s.IntN(2) == 0):
		return s.Value(s.shallow(schema.OneOf, depth), depth-1)
	case len(schema.AnyOf) > 0 && (len(schema.Properties) == 0 || s.IntN(2) == 0):
		return s.Value(s.shallow(schema.AnyOf, depth), depth-1)
	case len(schema.AllOf) > 0:
		return s.all(schema, depth)
	}
	switch s.kind(schema) {
	case "null":
		return nil
	case "boolean":
		return s.IntN(2) == 0
	case "integer":
		return s.integer(schema)
	case "number":
		return s.number(schema)
	case "string":
		return s.text(schema)
	case "array":
		return s.array(schema, depth)
	}
	return s.object(schema, depth)
}

// shallow chooses an alternative, when it is deep already one that ends.
func (s *Sampler) shallow(list []*jsonschema.Schema, depth int) *jsonschema.Schema {
	if depth <= 0 {
		for _, v := range list {
			if v.IsNull() || len(v.Type) == 1 && v.Type[0] != "array" && v.Type[0] != "object" {
				return v
			}
		}
	}
	return list[s.IntN(len(list))]
}

func (s *Sampler) kind(schema *jsonschema.Schema) string {
	if len(schema.Type) > 0 {
		return schema.Type[s.IntN(len(schema.Type))]
	}
	switch {
	case len(schema.Properties) > 0 || len(schema.Required) > 0:
		return "object"
	case len(schema.PrefixItems) > 0 || schema.Items != nil:
		return "array"
	}
	return []string{"null", "boolean", "integer", "number", "string", "array", "object"}[s.IntN(7)]
}

// all unites what the parts say when they are objects, and otherwise takes one of them.
func (s *Sampler) all(schema *jsonschema.Schema, depth int) any {
	out := map[string]any{}
	own := *schema
	own.AllOf = nil
	for _, part := range append([]*jsonschema.Schema{&own}, schema.AllOf...) {
		v := s.Value(part, depth-1)
		m, ok := v.(map[string]any)
		if !ok {
			return s.Value(schema.AllOf[s.IntN(len(schema.AllOf))], depth-1)
		}
		for key, item := range m {
			out[key] = item
		}
	}
	return out
}

func (s *Sampler) integer(schema *jsonschema.Schema) json.Number {
	edges := []string{"0", "1", "2", "3", "-1", "5", "7", "9", "20", "128", "65536", "2147483648", "9007199254740992", "1e2",
		"3.0", "-0", "0.5"}
	for _, bound := range []string{schema.Minimum, schema.Maximum, schema.MultipleOf} {
		if bound != "" {
			edges = append(edges, bound, bound)
		}
	}
	return json.Number(edges[s.IntN(len(edges))])
}

func (s *Sampler) number(schema *jsonschema.Schema) json.Number {
	edges := []string{"0", "0.5", "1", "1.5", "-1", "0.1", "0.3", "1e-3", "100", "0.30000000000000004", "1E+2"}
	for _, bound := range []string{schema.Minimum, schema.Maximum, schema.ExclusiveMinimum, schema.ExclusiveMaximum,
		schema.MultipleOf} {
		if bound != "" {
			edges = append(edges, bound, bound)
		}
	}
	return json.Number(edges[s.IntN(len(edges))])
}

// texts are values of the formats, right and wrong.
var texts = map[string][]string{
	"date-time": {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.25+01:30", "2026-12-31T23:59:60Z", "2026-01-02", "2026-01-02 03:04:05Z"},
	"date":      {"2026-01-02", "2026-02-30", "x"},
	"uuid":      {"123e4567-e89b-12d3-a456-426614174000", "a23e4567-e89b-12d3-a456-426614174000", "x"},
	"email":     {"a@example.com", "a@", "x"},
	"uri":       {"https://example.com/a?b#c", "/a", "x y"},
	"ipv4":      {"127.0.0.1", "256.0.0.1"},
	"int64":     {"0", "-1", "9223372036854775807", "9223372036854775808", "01", "-0", "1.0"},
	"uint64":    {"0", "18446744073709551615", "18446744073709551616", "-1"},
	"base64":    {"", "YQ==", "YWI=", "YWJj", "YWJjZGVm", "YWJjZGVmZw==", "YQ", "YR==", "YQ==\n", "e30="},
}

func (s *Sampler) text(schema *jsonschema.Schema) string {
	list := texts[schema.Format]
	if schema.ContentEncoding != "" {
		list = texts["base64"]
	}
	if len(list) > 0 && s.IntN(8) > 0 {
		return list[s.IntN(len(list))]
	}
	const letters = "abckzé9 😀{}\"\\\u0000"
	runes := []rune(letters)
	n := s.IntN(4)
	if schema.MinLength != nil && s.IntN(4) > 0 {
		n = *schema.MinLength
	}
	var b strings.Builder
	for range n {
		b.WriteRune(runes[s.IntN(min(len(runes), 4+s.IntN(len(runes))))])
	}
	return b.String()
}

func (s *Sampler) array(schema *jsonschema.Schema, depth int) any {
	n := s.IntN(4)
	if depth <= 0 {
		n = 0
	}
	if schema.MinItems != nil && n < *schema.MinItems && s.IntN(5) > 0 {
		n = *schema.MinItems
	}
	if len(schema.PrefixItems) > 0 && s.IntN(3) > 0 {
		n = len(schema.PrefixItems) + s.IntN(2)
	}
	out := make([]any, 0, n)
	for i := range n {
		switch {
		case i < len(schema.PrefixItems):
			out = append(out, s.Value(schema.PrefixItems[i], depth-1))
		case schema.Items != nil:
			out = append(out, s.Value(schema.Items, depth-1))
		case schema.Contains != nil && s.IntN(2) == 0:
			out = append(out, s.Value(schema.Contains, depth-1))
		default:
			out = append(out, s.Anything(1))
		}
	}
	return out
}

func (s *Sampler) object(schema *jsonschema.Schema, depth int) any {
	out := map[string]any{}
	for _, p := range schema.Properties {
		required := schema.Requires(p.Name)
		if !required && (depth <= 0 || s.IntN(2) == 0) {
			continue
		}
		out[p.Name] = s.Value(p.Schema, depth-1)
	}
	if depth <= 0 {
		return out
	}
	for range s.IntN(3) {
		key := []string{"a", "ak", "b0", "k", "extra", "abcd", "z", "p"}[s.IntN(8)]
		switch {
		case len(schema.PatternProperties) > 0 && s.IntN(2) == 0:
			out[key] = s.Value(schema.PatternProperties[s.IntN(len(schema.PatternProperties))].Schema, depth-1)
		case schema.AdditionalProperties != nil && !schema.AdditionalProperties.False:
			out[key] = s.Value(schema.AdditionalProperties, depth-1)
		case schema.AdditionalProperties == nil && s.IntN(2) == 0:
			out[key] = s.Anything(1)
		}
	}
	return out
}

// Anything returns any value, of little depth.
func (s *Sampler) Anything(depth int) any {
	switch n := s.IntN(9); {
	case n == 0:
		return nil
	case n == 1:
		return s.IntN(2) == 0
	case n == 2:
		return json.Number(fmt.Sprint(s.IntN(12) - 3))
	case n == 3:
		return json.Number("2.50")
	case n < 6 || depth == 0:
		return []string{"", "a", "abc", "2026-01-02", "ka"}[s.IntN(5)]
	case n == 6:
		return []any{s.Anything(depth - 1)}
	case n == 7:
		return map[string]any{"a": s.Anything(depth - 1)}
	}
	return map[string]any{"kind": "ka", "p": s.Anything(depth - 1)}
}

// Mutate returns a value with one thing changed, somewhere.
func (s *Sampler) Mutate(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && s.IntN(4) > 0 {
			i := s.IntN(len(v))
			if s.IntN(4) == 0 {
				return append(v, v[i])
			}
			v[i] = s.Mutate(v[i])
			return v
		}
	case map[string]any:
		if len(v) > 0 && s.IntN(5) > 0 {
			return s.mutateMember(v)
		}
		v["unknown"] = s.Anything(1)
		return v
	}
	return s.Anything(2)
}

func (s *Sampler) mutateMember(m map[string]any) any {
	keys := sortedKeys(m)
	key := keys[s.IntN(len(keys))]
	switch s.IntN(5) {
	case 0:
		delete(m, key)
	case 1:
		m[key] = nil
	default:
		m[key] = s.Mutate(m[key])
	}
	return m
}
