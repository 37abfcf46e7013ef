package model

// This file writes out unions that are given by a discriminator and a mapping.

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// expand gives the variants of each mapping in a schema the field that tells them apart.
func (b *builder) expand(s *jsonschema.Schema) {
	if s.Source != nil && s.Source.Mapping != nil && s.OneOf == nil && !s.Source.Invalid {
		for _, v := range s.Source.Mapping {
			if variant := b.variant(s.Discriminator, v); variant != nil {
				s.OneOf = append(s.OneOf, variant)
			} else {
				s.Source.Invalid = true
			}
		}
		if tags := b.tagsOf(s.OneOf); len(tags) > 0 && tags[0] == s.Discriminator {
			s.Discriminator = "" // so it would be found
		}
	}
	s.Children(func(_, _ string, child *jsonschema.Schema) { b.expand(child) })
}

// variant returns an entry of a mapping as an object with the tag; nil after an error.
func (b *builder) variant(tag string, v jsonschema.Property) *jsonschema.Schema {
	target := b.deref(v.Schema)
	if target.Invalid() || v.Schema.Invalid() {
		return nil
	}
	if len(target.Type) != 1 || target.Type[0] != "object" {
		b.errorf(v.Schema.Pos, "bad-type", "write its fields: "+v.Name+": {text: string}",
			"the variant %q of a union is no object", v.Name)
		return nil
	}
	value, _ := json.Marshal(v.Name) // a string always has a form
	if has := target.Property(tag); has != nil {
		if constOf(has) == nil || !slices.Equal(constOf(has), value) || !target.Requires(tag) {
			b.errorf(v.Schema.Pos, "bad-type", fmt.Sprintf("leave the field away, or make it a required {const: %s}", v.Name),
				"the variant %q has a field %q of its own", v.Name, tag)
			return nil
		}
		return v.Schema
	}
	tagged := *target
	tagged.Pos, tagged.Source = v.Schema.Pos, nil
	tagged.Description = or(v.Schema.Description, target.Description)
	tagged.Properties = append([]jsonschema.Property{{Name: tag, Pos: v.Pos,
		Schema: &jsonschema.Schema{Pos: v.Pos, Const: value}}}, target.Properties...)
	tagged.Required = append([]string{tag}, target.Required...)
	return &tagged
}

// constOf returns the one value that a schema allows by const or by an enum of one; nil when it is not such a schema.
func constOf(s *jsonschema.Schema) json.RawMessage {
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) == 1:
		return s.Enum[0]
	}
	return nil
}
