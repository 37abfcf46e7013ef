package model

// This file makes one schema of the parts of an allOf.

import (
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// allOf returns the type of a schema with allOf: of the one schema that the parts come to or, when there is no such thing,
// of the JSON, which is checked.
func (b *builder) allOf(s *jsonschema.Schema, at place) *Type {
	parts, ok := b.partsOf(s, nil, make(map[*jsonschema.Schema]bool))
	if !ok {
		return b.raw(s, at)
	}
	merged := &jsonschema.Schema{Pos: s.Pos, Description: s.Description}
	for _, part := range parts {
		if part.Invalid() {
			return brokenType()
		}
		if !b.mergeType(merged, part) {
			return brokenType()
		}
	}
	if !b.closedParts(parts) {
		return brokenType()
	}
	for _, part := range parts {
		if !mergeable(part) || !b.merge(merged, part) {
			return b.raw(s, at)
		}
	}
	if len(merged.Type) == 0 {
		return b.raw(s, at)
	}
	if b.merging++; b.merging > maxMerging {
		b.merging--
		b.errorf(s.Pos, "endless-type", "give one of the types a name for the whole, and refer to that",
			"the parts of allOf have fields in common whose parts have fields in common, and so on: no Go type has an "+
				"end for that")
		return brokenType()
	}
	defer func() { b.merging-- }()
	return b.shape(merged, at.path, at.goName)
}

// maxMerging is how deep fields that several parts of an allOf have may lead into such fields. Types that refer to each
// other can make them lead on without end.
const maxMerging = 5

// partsOf returns a schema without its allOf, and the schemas of that, and so on, each once. It is not ok when they contain
// each other. seen are those around s, and taken those that were returned.
func (b *builder) partsOf(s *jsonschema.Schema, seen []*jsonschema.Schema,
	taken map[*jsonschema.Schema]bool) ([]*jsonschema.Schema, bool) {
	if slices.Contains(seen, s) {
		return nil, false
	}
	if taken[s] {
		return nil, true
	}
	taken[s] = true
	seen = append(slices.Clone(seen), s)
	if s.Ref != "" && onlyRef(s) {
		if d := b.defs[s.Ref]; d != nil && d.schema != nil {
			return b.partsOf(d.schema, seen, taken)
		}
		return nil, false
	}
	own := *s
	own.AllOf, own.Default = nil, nil
	var out []*jsonschema.Schema
	if !own.IsAny() {
		out = append(out, &own)
	}
	for _, part := range s.AllOf {
		inner, ok := b.partsOf(part, seen, taken)
		if !ok {
			return nil, false
		}
		out = append(out, inner...)
	}
	return out, true
}

// mergeable reports whether all that a part says can be said together with others.
func mergeable(s *jsonschema.Schema) bool {
	more := s.AdditionalProperties
	return !s.False && s.Ref == "" && len(s.Type) <= 1 && s.Const == nil && s.Enum == nil && len(s.AnyOf) == 0 &&
		len(s.OneOf) == 0 &&
		s.Not == nil && s.If == nil && s.Then == nil && s.Else == nil && len(s.PatternProperties) == 0 &&
		(more == nil || more.False) &&
		s.PropertyNames == nil && s.UnevaluatedProperties == nil && s.UnevaluatedItems == nil && len(s.PrefixItems) == 0 &&
		s.Items == nil &&
		s.Contains == nil && s.DependentRequired == nil && s.DependentSchemas == nil && s.ContentMediaType == "" &&
		s.ContentEncoding == "" &&
		s.ExclusiveMinimum == "" && s.ExclusiveMaximum == "" && s.MultipleOf == ""
}

// mergeType unites the types; it reports those that exclude each other.
func (b *builder) mergeType(into, part *jsonschema.Schema) bool {
	if len(part.Type) != 1 || len(into.Type) > 1 {
		return true
	}
	switch x, y := "", part.Type[0]; {
	case len(into.Type) == 0:
		into.Type = part.Type
	default:
		x = into.Type[0]
		switch {
		case x == y:
		case x == "number" && y == "integer":
			into.Type = part.Type
		case x == "integer" && y == "number":
		default:
			b.errorf(part.Pos, "conflicting-types", "leave one of them away", "no value is both %s and %s", x, y)
			return false
		}
	}
	return true
}

// merge adds what a part says. It returns false when that cannot be said in one schema.
func (b *builder) merge(into, part *jsonschema.Schema) bool {
	for _, p := range part.Properties {
		i := slices.IndexFunc(into.Properties, func(q jsonschema.Property) bool { return q.Name == p.Name })
		if i < 0 {
			into.Properties = append(into.Properties, p)
			continue
		}
		if old := into.Properties[i].Schema; !sameSchema(old, p.Schema) {
			into.Properties[i].Schema = &jsonschema.Schema{Pos: p.Schema.Pos, AllOf: []*jsonschema.Schema{old, p.Schema},
				Description: or(p.Schema.Description, old.Description), Default: p.Schema.Default}
		}
	}
	for _, name := range part.Required {
		if !slices.Contains(into.Required, name) {
			into.Required = append(into.Required, name)
		}
	}
	if part.AdditionalProperties != nil {
		into.AdditionalProperties = part.AdditionalProperties
	}
	largest(&into.MinLength, part.MinLength)
	largest(&into.MinItems, part.MinItems)
	largest(&into.MinProperties, part.MinProperties)
	smallest(&into.MaxLength, part.MaxLength)
	smallest(&into.MaxItems, part.MaxItems)
	smallest(&into.MaxProperties, part.MaxProperties)
	into.UniqueItems = into.UniqueItems || part.UniqueItems
	if part.Minimum != "" && (into.Minimum == "" || less(into.Minimum, part.Minimum)) {
		into.Minimum = part.Minimum
	}
	if part.Maximum != "" && (into.Maximum == "" || less(part.Maximum, into.Maximum)) {
		into.Maximum = part.Maximum
	}
	return same(&into.Pattern, part.Pattern) && same(&into.Format, part.Format)
}

// sameSchema reports whether two schemas say the same about values.
func sameSchema(x, y *jsonschema.Schema) bool {
	a, err := jsonschema.Marshal(jsonschema.Printer{}.Schema(x))
	c, err2 := jsonschema.Marshal(jsonschema.Printer{}.Schema(y))
	return err == nil && err2 == nil && string(a) == string(c)
}

func largest(into **int, n *int) {
	if n != nil && (*into == nil || **into < *n) {
		*into = n
	}
}

func smallest(into **int, n *int) {
	if n != nil && (*into == nil || **into > *n) {
		*into = n
	}
}

// same takes over a text; it returns false when there is another.
func same(into *string, text string) bool {
	if text == "" || *into == text {
		return true
	}
	if *into != "" {
		return false
	}
	*into = text
	return true
}

// closedParts reports a field of one part that another, closed one refuses: no value could have it.
func (b *builder) closedParts(parts []*jsonschema.Schema) bool {
	for _, closed := range parts {
		if closed.AdditionalProperties == nil || !closed.AdditionalProperties.False || len(closed.PatternProperties) > 0 {
			continue
		}
		for _, part := range parts {
			for _, p := range part.Properties {
				if closed.Property(p.Name) == nil {
					b.errorf(p.Pos, "closed-part", "fields of a field map are all there are: write the part in long form, "+
						"{type: object, properties: …, required: …}, to leave it open",
						"the part of allOf at line %d refuses the field %q", closed.Pos.Line, p.Name)
					return false
				}
			}
		}
	}
	return true
}
