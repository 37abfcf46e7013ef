package docs

// This file makes up values for messages that have no example.

import (
	"encoding/json"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/runtime/fallback"
)

// sample returns a value that the schema allows; nil when none is found at once.
func (b *builder) sample(n *model.Named, there bool) json.RawMessage {
	if !there || n.Schema == nil {
		return nil
	}
	raw, err := jsonschema.Marshal(b.value(n.Schema, "", 0))
	if err != nil {
		return nil
	}
	text, err := jsonschema.Standalone(n.Schema, b.api.Defs.Get)
	if err != nil {
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil
	}
	right := true
	fallback.New(string(text)).Validate(v, func(string, string) { right = false })
	if !right {
		return nil
	}
	return raw
}

// samples are values of the formats.
var samples = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "time": "03:04:05Z", "duration": "PT5M",
	"uuid":  "123e4567-e89b-12d3-a456-426614174000",
	"email": "ann@example.com", "uri": "https://example.com/", "uri-reference": "/path", "hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"json-pointer": "/a/0", "regex": "^a", "int64": "42", "uint64": "42",
}

const maxDepth = 6

func (b *builder) value(s *jsonschema.Schema, name string, depth int) any {
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0].JSON
	case s.Ref != "" && depth < maxDepth:
		if d := b.api.Defs.Get(s.Ref); d != nil {
			return b.value(d, name, depth+1)
		}
	case s.Default != nil:
		return s.Default
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return b.value(s.OneOf[0], name, depth+1)
	case len(s.AnyOf) > 0:
		return b.value(s.AnyOf[0], name, depth+1)
	case len(s.Type) > 0:
		return b.typed(s, name, depth)
	}
	return nil
}

func (b *builder) typed(s *jsonschema.Schema, name string, depth int) any {
	switch s.Type[0] {
	case "string":
		return textSample(s, name)
	case "integer", "number":
		return numberSample(s)
	case "boolean":
		return true
	case "array":
		return b.list(s, name, depth)
	case "object":
		return b.members(s, depth)
	}
	return nil
}

func textSample(s *jsonschema.Schema, name string) string {
	text := samples[s.Format]
	switch {
	case s.ContentEncoding != "":
		text = "aGVsbG8="
	case text == "" && name != "":
		text = name
	case text == "":
		text = "text"
	}
	if s.MaxLength != nil && len(text) > *s.MaxLength {
		text = text[:*s.MaxLength]
	}
	for s.MinLength != nil && len(text) < *s.MinLength && len(text) < 1000 {
		text += "a"
	}
	return text
}

func numberSample(s *jsonschema.Schema) json.Number {
	one := json.Number("1")
	for _, bound := range []string{s.Minimum, s.MultipleOf, s.Maximum} {
		if v := json.Number(bound); bound != "" {
			if f, err := v.Float64(); err == nil && (bound == s.Maximum && f < 1 || bound != s.Maximum && f > 1) {
				return v
			}
		}
	}
	return one
}

func (b *builder) list(s *jsonschema.Schema, name string, depth int) any {
	out := []any{}
	for _, item := range s.PrefixItems {
		out = append(out, b.value(item, name, depth+1))
	}
	if len(out) == 0 && s.Items != nil && !s.Items.False && depth < maxDepth {
		out = append(out, b.value(s.Items, strings.TrimSuffix(name, "s"), depth+1))
	}
	return out
}

func (b *builder) members(s *jsonschema.Schema, depth int) any {
	out := jsonschema.Object{}
	for _, p := range s.Properties {
		if s.Requires(p.Name) || depth < 2 && p.Schema.Ref == "" {
			out.Add(p.Name, b.value(p.Schema, p.Name, depth+1))
		}
	}
	if more := s.AdditionalProperties; len(s.Properties) == 0 && more != nil && !more.False && depth < maxDepth {
		key := "key"
		if s.PropertyNames != nil {
			if k, ok := b.value(s.PropertyNames, key, depth+1).(string); ok {
				key = k
			}
		}
		out.Add(key, b.value(more, key, depth+1))
	}
	return out
}
