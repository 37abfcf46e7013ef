package model

// This file tells alternatives apart: by a tag, by their JSON types, or not at all.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// constKind returns the JSON type of a value; integer for whole numbers.
func constKind(raw json.RawMessage) string {
	switch raw[0] {
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
	if v := schema.Rational(string(raw)); v != nil && v.IsInt() {
		return "integer"
	}
	return "number"
}

func allStrings(values []json.RawMessage) bool {
	return !slices.ContainsFunc(values, func(v json.RawMessage) bool { return v[0] != '"' })
}

// values_ returns the type of a schema with enum or const.
func (b *builder) values_(s *jsonschema.Schema, at place) *Type {
	rest := *s
	rest.Default = nil
	switch {
	case s.Const == nil && allStrings(s.Enum) && (len(s.Type) == 0 || s.Type[0] == "string"):
		rest.Enum, rest.Type = nil, nil
		return b.withCheck(b.enum(s, at), &rest, at)
	case s.Const == nil && b.smallInts(s.Enum) && (len(s.Type) == 0 || s.Type[0] == "integer" || s.Type[0] == "number"):
		rest.Enum, rest.Type, rest.Minimum, rest.Maximum, rest.Format = nil, nil, "", "", ""
		if s.Minimum != jsonschema.IntRanges[s.Format][0] || s.Maximum != jsonschema.IntRanges[s.Format][1] {
			rest.Minimum, rest.Maximum = s.Minimum, s.Maximum
		}
		return b.withCheck(b.intEnum(s, at), &rest, at)
	case s.Enum == nil && len(s.Type) <= 1:
		return b.constShape(s, &rest, at)
	}
	return b.raw(s, at)
}

// withCheck adds what is left of a schema to a type.
func (b *builder) withCheck(t *Type, rest *jsonschema.Schema, at place) *Type {
	if !rest.IsAny() {
		t.Check = b.check(rest, at)
	}
	return t
}

// constShape returns the type of one value; where it is a required field, the field is a constant.
func (b *builder) constShape(s, rest *jsonschema.Schema, at place) *Type {
	kind := constKind(s.Const)
	if len(s.Type) == 1 && s.Type[0] != kind && (kind != "integer" || s.Type[0] != "number") {
		return b.raw(s, at)
	}
	rest.Type = nil
	switch kind {
	case "string":
		return b.withCheck(&Type{Kind: String}, rest, at)
	case "boolean":
		return b.withCheck(&Type{Kind: Bool}, rest, at)
	case "integer":
		if r := jsonschema.IntRanges[""]; !less(string(s.Const), r[0]) && !less(r[1], string(s.Const)) {
			return b.withCheck(&Type{Kind: Int, Min: r[0], Max: r[1]}, rest, at)
		}
	case "number":
		return b.withCheck(&Type{Kind: Float64}, rest, at)
	}
	return b.raw(s, at)
}

// smallInts reports whether all values are whole numbers that int holds, each written in digits.
func (b *builder) smallInts(values []json.RawMessage) bool {
	r := jsonschema.IntRanges[""]
	return len(values) > 0 && !slices.ContainsFunc(values, func(v json.RawMessage) bool {
		_, err := strconv.ParseInt(string(v), 10, 64)
		return err != nil || string(v) == "-0" || less(string(v), r[0]) || less(r[1], string(v))
	})
}

func (b *builder) enum(s *jsonschema.Schema, at place) *Type {
	values := make([]string, len(s.Enum))
	for i, raw := range s.Enum {
		_ = json.Unmarshal(raw, &values[i]) // it is a string
	}
	return b.enumValues(Enum, values, s, at)
}

func (b *builder) intEnum(s *jsonschema.Schema, at place) *Type {
	values := make([]string, len(s.Enum))
	for i, raw := range s.Enum {
		values[i] = string(raw)
	}
	return b.enumValues(IntEnum, values, s, at)
}

// enumValues names the values.
func (b *builder) enumValues(kind Kind, values []string, s *jsonschema.Schema, at place) *Type {
	suffixes, _ := names.Enum(values)
	if kind == IntEnum {
		suffixes = names.IntEnum(values)
	}
	if len(s.EnumNames) == len(values) {
		for i, name := range s.EnumNames {
			suffixes[i] = names.Go(name)
		}
	} else if s.EnumNames != nil {
		b.errorf(s.KeyPos("x-enum-names"), "bad-value", "name each value once, in their order", "%d names for %d values",
			len(s.EnumNames), len(values))
	}
	t := &Type{Kind: kind}
	for i, wire := range values {
		v := EnumValue{Wire: wire, Go: at.goName + suffixes[i]}
		if i < len(s.EnumDocs) {
			v.Doc = s.EnumDocs[i]
		}
		pos := s.KeyPos("enum")
		if s.Source != nil && i < len(s.Source.EnumPos) {
			pos = s.Source.EnumPos[i]
		}
		b.take(v.Go, fmt.Sprintf("the value %q of %s", wire, at.path), pos)
		t.Values = append(t.Values, v)
	}
	return t
}

// alternatives returns the type of oneOf or anyOf.
func (b *builder) alternatives(s *jsonschema.Schema, at place) *Type {
	list := append(slices.Clone(s.OneOf), s.AnyOf...)
	if slices.ContainsFunc(list, (*jsonschema.Schema).Invalid) {
		return brokenType()
	}
	beside := *s
	beside.OneOf, beside.AnyOf, beside.Default = nil, nil, nil
	both := len(s.OneOf) > 0 && len(s.AnyOf) > 0
	object := len(beside.Type) == 1 && beside.Type[0] == "object"
	switch tags := b.tagsOf(list); {
	case both:
	case len(s.Properties) > 0 || len(s.Type) == 1 && len(tags) == 0:
		return b.typedAlternatives(s, at)
	case len(tags) > 0 && (s.Discriminator == "" || slices.Contains(tags, s.Discriminator)):
		if object {
			beside.Type = nil // they are objects anyhow
		}
		return b.withCheck(b.tagged(list, or(s.Discriminator, tags[0]), at), &beside, at)
	case b.distinctKinds(list) && len(s.Type) == 0:
		return b.withCheck(b.byKind(list, at), &beside, at)
	case s.Source != nil && s.Source.Short:
		b.cannotTell(s, list)
		return brokenType()
	}
	t := b.raw(s, at)
	for _, v := range list {
		if d := b.defs[v.Ref]; d != nil && onlyRef(v) {
			t.As = append(t.As, d.named)
		}
	}
	return t
}

// typedAlternatives returns the type that is given beside oneOf or anyOf, which are checked.
func (b *builder) typedAlternatives(s *jsonschema.Schema, at place) *Type {
	if len(s.Type) != 1 {
		return b.raw(s, at)
	}
	return b.single(s, at)
}

func (b *builder) cannotTell(s *jsonschema.Schema, list []*jsonschema.Schema) {
	what := []string{"one", "another"}
	for i, v := range list[:2] {
		switch {
		case v.Source != nil && v.Source.Name != "":
			what[i] = v.Source.Name
		case len(v.Type) == 1:
			what[i] = or(v.Format, v.Type[0])
		}
	}
	b.errorf(s.Pos, "cannot-tell-apart", "give both a field with a different const, or use discriminator and mapping",
		"cannot tell %s from %s", what[0], what[1])
}

// tagsOf returns the fields that tell the variants of a union apart, in alphabetical order: required in all, with a
// different const in each.
func (b *builder) tagsOf(list []*jsonschema.Schema) []string {
	var tags []string
	if len(list) == 0 {
		return nil
	}
	first := b.objectOf(list[0])
	if first == nil {
		return nil
	}
	for _, p := range first.Properties {
		if b.isTag(p.Name, list) {
			tags = append(tags, p.Name)
		}
	}
	slices.Sort(tags)
	return tags
}

func (b *builder) isTag(name string, list []*jsonschema.Schema) bool {
	seen := make(map[string]bool)
	kinds := make(map[string]bool)
	for _, v := range list {
		o := b.objectOf(v)
		if o == nil || !o.Requires(name) || o.Property(name) == nil || !isScalarConst(o.Property(name)) {
			return false
		}
		value := o.Property(name).Const
		kinds[constKind(value)] = true
		if seen[string(value)] {
			return false
		}
		seen[string(value)] = true
	}
	return len(kinds) == 1 && !kinds["boolean"]
}

// objectOf returns the object that a schema is or refers to; nil when it is none with fields of its own.
func (b *builder) objectOf(s *jsonschema.Schema) *jsonschema.Schema {
	e := b.deref(s)
	if len(e.Type) != 1 || e.Type[0] != "object" || len(e.Properties) == 0 || len(e.AllOf) > 0 || len(e.OneOf) > 0 ||
		len(e.AnyOf) > 0 || e.Ref != "" || e.Invalid() {
		return nil
	}
	return e
}

// tagged returns a union whose variants a tag tells apart.
func (b *builder) tagged(list []*jsonschema.Schema, tag string, at place) *Type {
	t := &Type{Kind: Union, Tag: tag}
	for _, v := range list {
		value := b.objectOf(v).Property(tag).Const
		text := string(value)
		if value[0] == '"' {
			_ = json.Unmarshal(value, &text) // it is a string
		}
		variant := Variant{Tag: text, Int: value[0] != '"'}
		use := b.typ(v, at.path+"."+text, at.goName+names.Go(text))
		if use.Kind == Ref && use.Check == nil {
			variant.Type = use.Ref
			if use.Ref.Path == at.path+"."+text { // it stands here alone
				use.Ref.Doc = or(use.Ref.Doc, v.Description)
			}
			t.Union = append(t.Union, variant)
		}
	}
	return t
}

// joinUnion tells the variants of a union that they are its.
func (b *builder) joinUnion(n *Named) {
	if n.Type.Kind != Union || b.joined[n.Go] {
		return
	}
	b.joined[n.Go] = true
	b.take("Unknown"+n.Go, "the unknown variant of "+n.Path, n.Pos)
	b.take("Unmarshal"+n.Go, n.Path, n.Pos)
	for _, v := range n.Type.Union {
		v.Type.VariantOf = append(v.Type.VariantOf, n)
	}
}

// kindOf returns the JSON type of all values of a schema, number for integers too; "" when there are several.
func (b *builder) kindOf(s *jsonschema.Schema) string {
	e := b.deref(s)
	kind := ""
	switch {
	case len(e.Type) == 1:
		kind = e.Type[0]
	case len(e.Type) == 0 && e.Const != nil:
		kind = constKind(e.Const)
	}
	if kind == "integer" {
		return "number"
	}
	return kind
}

func (b *builder) distinctKinds(list []*jsonschema.Schema) bool {
	seen := map[string]bool{"": true, "null": true}
	for _, v := range list {
		k := b.kindOf(v)
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

// byKind returns a type with a field for each JSON type.
func (b *builder) byKind(list []*jsonschema.Schema, at place) *Type {
	t := &Type{Kind: OneOf}
	for _, v := range list {
		kind := b.kindOf(v)
		name := names.Go(kind)
		f := &Field{Wire: kind, Go: name, TS: kind, Optional: true, Type: b.typ(v, at.path+"."+kind, at.goName+name)}
		t.Fields = append(t.Fields, f)
	}
	return t
}

// severalTypes returns the type of a schema with a list of JSON types: each has the keywords that are about it.
func (b *builder) severalTypes(s *jsonschema.Schema, at place) *Type {
	var list []*jsonschema.Schema
	for _, kind := range s.Type {
		if kind == "integer" && slices.Contains(s.Type, "number") || kind == "null" {
			continue
		}
		one := *s
		one.Type, one.Source, one.Default = []string{kind}, nil, nil
		one.AllOf, one.AnyOf, one.OneOf, one.Not, one.If, one.Then, one.Else = nil, nil, nil, nil, nil, nil, nil
		ignoreOthers(&one, kind)
		list = append(list, &one)
	}
	if slices.Contains(s.Type, "null") || len(list) < 2 {
		return b.raw(s, at)
	}
	rest := jsonschema.Schema{Pos: s.Pos, AllOf: s.AllOf, AnyOf: s.AnyOf, OneOf: s.OneOf, Not: s.Not, If: s.If, Then: s.Then,
		Else: s.Else}
	return b.withCheck(b.byKind(list, at), &rest, at)
}
