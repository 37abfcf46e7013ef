package model

// This file decides which Go type a schema gets. What that type does not say is left to a Check.

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/schema"
)

// typ returns the type of a schema that stands inside of another. What needs a name in Go is lifted.
func (b *builder) typ(s *jsonschema.Schema, path, goName string) *Type {
	null, plain := b.nullable(s)
	index := len(b.lifted)
	checks := len(b.checks)
	t := b.shape(plain, path, goName)
	if null && t.Kind == Any && t.Check != nil {
		b.checks = b.checks[:checks] // null is a value like others then
		t = b.raw(s, place{path: path, goName: goName})
	}
	if t.Kind.IsNamed() || t.As != nil {
		n := b.lift(t, s, path, goName, index)
		b.joinUnion(n)
		t = &Type{Kind: Ref, Ref: n}
	}
	t.Nullable = null && t.Kind != Any
	return t
}

// nullable reports whether a schema is written as something or null, and returns that something.
func (b *builder) nullable(s *jsonschema.Schema) (bool, *jsonschema.Schema) {
	switch {
	case s.Ref != "" && onlyRef(s):
		target := b.deref(s)
		if target.Ref != "" && onlyRef(target) {
			return false, s // it is not declared, or a circle
		}
		null, _ := b.nullable(target)
		return null, s
	case slices.Contains(s.Type, "null") && len(s.Type) > 1:
		plain := *s
		plain.Type = slices.DeleteFunc(slices.Clone(s.Type), func(t string) bool { return t == "null" })
		if !admits(s, json.RawMessage("null")) {
			return false, &plain
		}
		plain.Enum = withoutNull(s.Enum)
		return true, &plain
	case s.Type == nil && len(s.Enum) > 1 && admits(s, json.RawMessage("null")):
		plain := *s
		plain.Enum = withoutNull(s.Enum)
		return true, &plain
	case len(s.AnyOf) > 1 && s.OneOf == nil:
		return b.nullableUnion(s, s.AnyOf, func(plain *jsonschema.Schema, rest []*jsonschema.Schema) { plain.AnyOf = rest })
	case len(s.OneOf) > 1 && s.AnyOf == nil:
		return b.nullableUnion(s, s.OneOf, func(plain *jsonschema.Schema, rest []*jsonschema.Schema) { plain.OneOf = rest })
	}
	return false, s
}

// nullableUnion takes null away from alternatives, when it is one of them and no other allows null.
func (b *builder) nullableUnion(s *jsonschema.Schema, list []*jsonschema.Schema,
	set func(*jsonschema.Schema, []*jsonschema.Schema)) (bool, *jsonschema.Schema) {
	rest := slices.DeleteFunc(slices.Clone(list), (*jsonschema.Schema).IsNull)
	if len(rest) != len(list)-1 || slices.ContainsFunc(rest, b.mayBeNull) {
		return false, s
	}
	plain := *s
	set(&plain, nil)
	if alone := plain; len(rest) == 1 {
		if alone.Default = nil; alone.IsAny() {
			return true, rest[0]
		}
		return false, s
	}
	set(&plain, rest)
	return true, &plain
}

// mayBeNull reports whether null could be a value of a schema; it is true when that is not plain to see.
func (b *builder) mayBeNull(s *jsonschema.Schema) bool {
	e := b.deref(s)
	switch {
	case len(e.Type) > 0:
		return slices.Contains(e.Type, "null")
	case e.Enum != nil:
		return admits(e, json.RawMessage("null"))
	case e.Const != nil:
		return string(e.Const) == "null"
	case len(e.OneOf) > 0 && e.Ref == "":
		return slices.ContainsFunc(e.OneOf, b.mayBeNull)
	case len(e.AnyOf) > 0 && e.Ref == "":
		return slices.ContainsFunc(e.AnyOf, b.mayBeNull)
	}
	return true
}

// admits reports whether const and enum of a schema allow a value.
func admits(s *jsonschema.Schema, value json.RawMessage) bool {
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(v json.RawMessage) bool { return string(v) == string(value) }) {
		return false
	}
	return s.Const == nil || string(s.Const) == string(value)
}

func withoutNull(values []json.RawMessage) []json.RawMessage {
	if values == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(values), func(v json.RawMessage) bool { return string(v) == "null" })
}

// shape returns the type of a schema that is not null. It may be of a kind that only a Named has.
func (b *builder) shape(s *jsonschema.Schema, path, goName string) *Type {
	at := place{path: path, goName: goName}
	switch {
	case s.Invalid():
		b.shapeInside(s, at)
		return brokenType()
	case s.Ref != "":
		return b.reference(s, at)
	case s.IsAny():
		return &Type{Kind: Any}
	case s.False, len(s.Type) == 1 && s.Type[0] == "null", len(s.Type) > 1 && (s.Enum != nil || s.Const != nil):
		return b.raw(s, at)
	case len(s.AllOf) > 0:
		return b.allOf(s, at)
	case s.Const != nil || s.Enum != nil:
		return b.values_(s, at)
	case len(s.OneOf) > 0 || len(s.AnyOf) > 0:
		return b.alternatives(s, at)
	case len(s.Type) == 0:
		return b.raw(s, at)
	case len(s.Type) > 1:
		return b.severalTypes(s, at)
	}
	return b.single(s, at)
}

// shapeInside looks for what else is wrong in a schema with an error.
func (b *builder) shapeInside(s *jsonschema.Schema, at place) {
	s.Children(func(keyword, name string, child *jsonschema.Schema) {
		if !child.Invalid() {
			return
		}
		b.shapeInside(child, at.child(keyword, name))
	})
}

// reference returns the type that a $ref names. Keywords beside it are checked.
func (b *builder) reference(s *jsonschema.Schema, at place) *Type {
	d := b.defs[s.Ref]
	if d == nil {
		return brokenType()
	}
	t := &Type{Kind: Ref, Ref: d.named}
	if !onlyRef(s) {
		rest := *s
		if rest.Default = nil; rest.UnevaluatedItems == nil && rest.UnevaluatedProperties == nil {
			rest.Ref = "" // it is judged already; the others ask what it has looked at
		}
		t.Check = b.check(&rest, at)
	}
	return t
}

// raw returns the type of values that have no Go type: their JSON, which is checked.
func (b *builder) raw(s *jsonschema.Schema, at place) *Type {
	return &Type{Kind: Any, Check: b.check(s, at)}
}

// single returns the type of a schema with one JSON type.
func (b *builder) single(s *jsonschema.Schema, at place) *Type {
	rest := *s
	rest.Type, rest.Default = nil, nil
	var t *Type
	switch s.Type[0] {
	case "string":
		t = stringShape(&rest)
	case "boolean":
		t = &Type{Kind: Bool}
	case "integer":
		t = integerShape(&rest)
	case "number":
		t = numberShape(&rest)
	case "array":
		t = b.arrayShape(s, &rest, at)
	default:
		t = b.objectShape(s, &rest, at)
	}
	ignoreOthers(&rest, s.Type[0])
	if !rest.IsAny() && t.Check == nil {
		t.Check = b.check(&rest, at)
	}
	return t
}

// ignoreOthers drops keywords that judge values of other types only.
func ignoreOthers(s *jsonschema.Schema, kind string) {
	if kind != "string" {
		s.MinLength, s.MaxLength, s.Pattern, s.Format, s.ContentEncoding, s.ContentMediaType, s.ContentSchema = nil, nil, "",
			"", "", "", nil
	}
	if kind != "integer" && kind != "number" {
		s.Minimum, s.Maximum, s.ExclusiveMinimum, s.ExclusiveMaximum, s.MultipleOf = "", "", "", "", ""
	}
	if kind != "array" {
		s.Items, s.PrefixItems, s.MinItems, s.MaxItems, s.UniqueItems, s.Contains, s.MinContains, s.MaxContains,
			s.UnevaluatedItems = nil, nil, nil, nil, false, nil, nil, nil, nil
	}
	if kind != "object" {
		s.Properties, s.Required, s.AdditionalProperties, s.PatternProperties, s.PropertyNames = nil, nil, nil, nil, nil
		s.MinProperties, s.MaxProperties, s.UnevaluatedProperties, s.DependentRequired, s.DependentSchemas = nil, nil,
			nil, nil, nil
	}
}

// stringShape takes what it uses away from rest.
func stringShape(rest *jsonschema.Schema) *Type {
	switch {
	case rest.Format == "int64" && rest.Pattern == jsonschema.Int64Pattern:
		rest.Format, rest.Pattern = "", ""
		return &Type{Kind: Int64}
	case rest.Format == "uint64" && rest.Pattern == jsonschema.Uint64Pattern:
		rest.Format, rest.Pattern = "", ""
		return &Type{Kind: Uint64}
	case rest.Format == "date-time":
		rest.Format = ""
		return &Type{Kind: DateTime}
	case rest.ContentEncoding == "base64" && rest.Format == "":
		return bytesShape(rest)
	}
	t := &Type{Kind: String, MinLen: rest.MinLength, MaxLen: rest.MaxLength}
	rest.MinLength, rest.MaxLength = nil, nil
	if _, known := formats[rest.Format]; known {
		t.Format, rest.Format = rest.Format, ""
	} else {
		rest.Format = "" // an annotation
		t.Pattern, rest.Pattern = rest.Pattern, ""
	}
	return t
}

// bytesShape takes bounds that are lengths of base64 text as bounds of bytes.
func bytesShape(rest *jsonschema.Schema) *Type {
	t := &Type{Kind: Bytes}
	rest.ContentEncoding = ""
	if n := rest.MaxLength; n != nil && *n%4 == 0 {
		most := *n / 4 * 3
		t.MaxLen, rest.MaxLength = &most, nil
	}
	if n := rest.MinLength; n != nil && *n%4 == 0 {
		least := *n/4*3 - 2
		t.MinLen, rest.MinLength = &least, nil
	}
	return t
}

// intKinds are the Go types of integers by their format.
var intKinds = map[string]Kind{"": Int, "int8": Int8, "int16": Int16, "int32": Int32, "uint8": Uint8, "uint16": Uint16,
	"uint32": Uint32,
	"int64":  Int64Number, "uint64": Uint64Number}

func integerShape(rest *jsonschema.Schema) *Type {
	kind, known := intKinds[rest.Format]
	format := rest.Format
	if !known {
		kind, format = Int, ""
	}
	t := &Type{Kind: kind, Min: jsonschema.IntRanges[format][0], Max: jsonschema.IntRanges[format][1]}
	if inside(rest.Minimum, t) {
		t.Min, rest.Minimum = rest.Minimum, ""
	} else if less(rest.Minimum, t.Min) {
		rest.Minimum = ""
	}
	if inside(rest.Maximum, t) {
		t.Max, rest.Maximum = rest.Maximum, ""
	} else if less(t.Max, rest.Maximum) {
		rest.Maximum = ""
	}
	rest.Format = ""
	return t
}

// inside reports whether a bound is a whole number that the type can hold.
func inside(bound string, t *Type) bool {
	v := schema.Rational(bound)
	return v != nil && v.IsInt() && !less(bound, t.Min) && !less(t.Max, bound)
}

// less compares two number literals.
func less(a, b string) bool {
	x, y := schema.Rational(a), schema.Rational(b)
	return x != nil && y != nil && x.Cmp(y) < 0
}

func numberShape(rest *jsonschema.Schema) *Type {
	t := &Type{Kind: Float64}
	if rest.Format == "float" {
		t.Kind = Float32
	}
	if exactFloat(rest.Minimum) {
		t.Min, rest.Minimum = rest.Minimum, ""
	}
	if exactFloat(rest.Maximum) {
		t.Max, rest.Maximum = rest.Maximum, ""
	}
	rest.Format = ""
	return t
}

// exactFloat reports whether a literal is what its float64 is written as, so that nothing is lost by that.
func exactFloat(literal string) bool {
	v := schema.Rational(literal)
	if v == nil {
		return false
	}
	f, _ := v.Float64()
	back, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && back.Cmp(v) == 0
}
