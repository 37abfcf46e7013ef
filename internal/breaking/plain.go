package breaking

// This file puts what a place asks for into one schema: references are followed, the parts of allOf put together.

import (
	"encoding/json"
	"math/big"
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// plain is a schema without references, allOf and null. Its type is known where values are listed, too.
type plain struct {
	*jsonschema.Schema
	null bool // it may be null, too
}

// untyped reports whether values of each JSON type may be allowed.
func (s plain) untyped() bool {
	return len(s.Type) == 0 && !s.False && len(s.AnyOf) == 0 && len(s.OneOf) == 0
}

// maxParts is how deep references and allOf may lead.
const maxParts = 50

// plain returns a schema in its plain form. It is not ok when there is none.
func (p *Protocol) plain(s *jsonschema.Schema) (plain, bool) {
	parts, ok := p.parts(s, 0)
	if !ok || !mayMerge(parts) {
		return plain{}, false
	}
	out := plain{&jsonschema.Schema{Pos: s.Pos}, true}
	for i, part := range parts {
		out.null = out.null && part.null
		if i == 0 {
			out.Schema = part.Schema
		} else if out.Schema, ok = merge(out.Schema, part.Schema); !ok {
			return plain{}, false
		}
	}
	if out.UnevaluatedProperties != nil && out.UnevaluatedProperties.False && !out.evaluatesMore() {
		out.AdditionalProperties, out.UnevaluatedProperties = out.UnevaluatedProperties, nil
	}
	return out, true
}

// evaluatesMore reports whether fields may be known that are not among the properties.
func (s plain) evaluatesMore() bool {
	return s.AdditionalProperties != nil || len(s.PatternProperties) > 0 || len(s.AnyOf) > 0 || len(s.OneOf) > 0 || s.If != nil ||
		len(s.DependentSchemas) > 0 || s.Not != nil
}

// parts returns what a value must satisfy, all of it.
func (p *Protocol) parts(s *jsonschema.Schema, depth int) ([]plain, bool) {
	if depth > maxParts {
		return nil, false
	}
	own := *s
	own.Ref, own.AllOf, own.Default = "", nil, nil
	inner := slices.Clone(s.AllOf)
	if s.Ref != "" {
		def := p.definitions[s.Ref]
		if def == nil {
			return nil, false
		}
		inner = append(inner, def)
	}
	one, wrapped := ownPart(&own)
	var out []plain
	if !own.IsAny() {
		out = append(out, one)
	}
	if wrapped != nil {
		list, ok := p.parts(wrapped, depth+1)
		if !ok {
			return nil, false
		}
		for _, part := range list {
			out = append(out, plain{part.Schema, one.null})
		}
	}
	for _, s := range inner {
		list, ok := p.parts(s, depth+1)
		if !ok {
			return nil, false
		}
		out = append(out, list...)
	}
	return out, true
}

// ownPart takes null away from a schema. wrapped is what else it may be, when that is one thing.
func ownPart(s *jsonschema.Schema) (out plain, wrapped *jsonschema.Schema) {
	if s.Type == nil {
		s.Type = valueTypes(s)
	}
	out = plain{s, len(s.Type) == 0 || slices.Contains(s.Type, "null")}
	if len(s.Type) > 1 {
		s.Type = slices.DeleteFunc(slices.Clone(s.Type), func(t string) bool { return t == "null" })
	}
	for _, list := range []*[]*jsonschema.Schema{&s.AnyOf, &s.OneOf} {
		switch {
		case len(*list) == 0:
			continue
		case !slices.ContainsFunc(*list, (*jsonschema.Schema).IsNull):
			out.null = false
			continue
		}
		*list = slices.DeleteFunc(slices.Clone(*list), (*jsonschema.Schema).IsNull)
		if len(*list) == 1 && wrapped == nil {
			wrapped, *list = (*list)[0], nil
		}
	}
	return out, wrapped
}

// valueTypes returns the JSON types of the values that a schema lists.
func valueTypes(s *jsonschema.Schema) []string {
	list := s.Enum
	if s.Const != nil {
		list = []json.RawMessage{s.Const}
	}
	var out []string
	for _, v := range list {
		if kind := valueType(v); !slices.Contains(out, kind) {
			out = append(out, kind)
		}
	}
	return out
}

func valueType(v json.RawMessage) string {
	switch v[0] {
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	case '[':
		return "array"
	case '{':
		return "object"
	}
	if n, ok := number(string(v)); ok && n.IsInt() {
		return "integer"
	}
	return "number"
}

// number reads a literal that is not so large that it takes long.
func number(literal string) (*big.Rat, bool) {
	if len(literal) > 64 || len(literal) == 0 {
		return nil, false
	}
	if f, ok := new(big.Float).SetString(literal); !ok || f.IsInf() || f.MantExp(nil) > 4000 || f.MantExp(nil) < -4000 {
		return nil, false
	}
	return new(big.Rat).SetString(literal)
}

// mayMerge reports whether a part that is about all other fields knows the fields of the other parts.
func mayMerge(parts []plain) bool {
	for i, closed := range parts {
		more := closed.AdditionalProperties
		if more == nil && len(closed.PatternProperties) == 0 {
			continue
		}
		for j, part := range parts {
			for _, p := range part.Properties {
				if i != j && (closed.Property(p.Name) == nil || len(closed.PatternProperties) > 0) {
					return false
				}
			}
			if i != j && (part.AdditionalProperties != nil || len(part.PatternProperties) > 0) {
				return false
			}
		}
	}
	return true
}

// rest is a schema without the keywords that can be put together.
func rest(s *jsonschema.Schema) *jsonschema.Schema {
	r := *s
	r.Type, r.Properties, r.Required, r.UniqueItems = nil, nil, nil, false
	r.MinLength, r.MaxLength, r.MinItems, r.MaxItems, r.MinProperties, r.MaxProperties = nil, nil, nil, nil, nil, nil
	r.Minimum, r.Maximum = "", ""
	return &r
}

// merge returns a schema that asks for all that two ask for. It is not ok when there is none that says so plainly.
func merge(a, b *jsonschema.Schema) (*jsonschema.Schema, bool) {
	out := rest(a)
	if more := rest(b); out.IsAny() {
		pos := out.Pos
		*out = *more
		out.Pos = pos
	} else if !more.IsAny() && text(out) != text(more) {
		return nil, false
	}
	var ok bool
	if out.Type, ok = bothTypes(a.Type, b.Type); !ok {
		return nil, false
	}
	out.Properties = slices.Clone(a.Properties)
	for _, p := range b.Properties {
		i := slices.IndexFunc(out.Properties, func(q jsonschema.Property) bool { return q.Name == p.Name })
		if i < 0 {
			out.Properties = append(out.Properties, p)
		} else if old := out.Properties[i].Schema; text(old) != text(p.Schema) {
			both := []*jsonschema.Schema{old, p.Schema}
			out.Properties[i].Schema = &jsonschema.Schema{Pos: old.Pos, AllOf: both, Default: p.Schema.Default}
		}
	}
	out.Required = append(slices.Clone(a.Required), b.Required...)
	out.UniqueItems = a.UniqueItems || b.UniqueItems
	out.MinLength, out.MaxLength = larger(a.MinLength, b.MinLength), smaller(a.MaxLength, b.MaxLength)
	out.MinItems, out.MaxItems = larger(a.MinItems, b.MinItems), smaller(a.MaxItems, b.MaxItems)
	out.MinProperties, out.MaxProperties = larger(a.MinProperties, b.MinProperties), smaller(a.MaxProperties, b.MaxProperties)
	out.Minimum, out.Maximum = tighter(a.Minimum, b.Minimum, 1), tighter(a.Maximum, b.Maximum, -1)
	return out, true
}

// bothTypes returns the JSON types that are in two lists; none is any. It is not ok when there is none left.
func bothTypes(a, b []string) ([]string, bool) {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clone(a), b...), true
	}
	var out []string
	for _, t := range a {
		switch {
		case slices.Contains(b, t), t == "integer" && slices.Contains(b, "number"):
			out = append(out, t)
		case t == "number" && slices.Contains(b, "integer"):
			out = append(out, "integer")
		}
	}
	return out, len(out) > 0
}

func larger(a, b *int) *int {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

func smaller(a, b *int) *int {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// tighter returns the bound that lets less through; sign is 1 for a lower one.
func tighter(a, b string, sign int) string {
	if a == "" || b == "" {
		return a + b
	}
	x, ok := number(a)
	y, ok2 := number(b)
	if ok && ok2 && y.Cmp(x)*sign > 0 {
		return b
	}
	return a
}
