package model

import (
	"slices"
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
)

// objectShape takes what it uses away from rest.
func (b *builder) objectShape(s, rest *jsonschema.Schema, at place) *Type {
	whole := s.UnevaluatedProperties != nil
	var t *Type
	switch {
	case len(s.Properties) > 0 || s.AdditionalProperties != nil && s.AdditionalProperties.False && s.PatternProperties == nil:
		t = b.structShape(s, rest, at)
		if asked := *rest; t.Open && t.Extra == nil {
			if ignoreOthers(&asked, "object"); !asked.IsAny() {
				t.Extra = &Extra{extraName(t), &Type{Kind: Any}} // what is asked may be about keys without a field
			}
		}
	case len(s.PatternProperties) > 0:
		t = b.patternMap(s, at)
	case s.AdditionalProperties == nil:
		t = &Type{Kind: Object, MinLen: s.MinProperties, MaxLen: s.MaxProperties}
		rest.MinProperties, rest.MaxProperties = nil, nil
	default:
		t = b.mapShape(s, rest, at)
	}
	if whole && t.Check == nil {
		t.Check = b.check(s, at)
	}
	return t
}

func (b *builder) mapShape(s, rest *jsonschema.Schema, at place) *Type {
	inner := at.child("additionalProperties", "")
	t := &Type{Kind: Map, Elem: b.typ(s.AdditionalProperties, inner.path, inner.goName), MinLen: s.MinProperties,
		MaxLen: s.MaxProperties}
	rest.AdditionalProperties, rest.MinProperties, rest.MaxProperties = nil, nil, nil
	if s.PropertyNames == nil {
		return t
	}
	if b.isKey(s.PropertyNames) {
		inner := at.child("propertyNames", "")
		t.Key = b.typ(s.PropertyNames, inner.path, inner.goName)
		rest.PropertyNames = nil
	} else if e := b.deref(s.PropertyNames); s.Source == nil && !e.Invalid() && e.Ref == "" { // of map<K, T>
		b.errorf(s.PropertyNames.Pos, "bad-type", "write map<T>, or map<K, T> with a string type K",
			"the keys of a map are strings")
	}
	return t
}

// isKey reports whether the keys of a map can be of a schema's Go type: plain strings, or an enum of them.
func (b *builder) isKey(s *jsonschema.Schema) bool {
	e := b.deref(s)
	if len(e.Type) != 1 || e.Type[0] != "string" || e.Const != nil {
		return false
	}
	rest := *e
	rest.Type, rest.Default, rest.Enum = nil, nil, nil
	if t := stringShape(&rest); t.Kind != String {
		return false
	}
	ignoreOthers(&rest, "string")
	return rest.IsAny() && (e.Enum == nil || allStrings(e.Enum))
}

// patternMap returns a map of what patterns allow. Which key is held to which pattern is left to a check.
func (b *builder) patternMap(s *jsonschema.Schema, at place) *Type {
	t := &Type{Kind: Map, Elem: &Type{Kind: Any}, Check: b.check(s, at)}
	if len(s.PatternProperties) == 1 && s.AdditionalProperties != nil && s.AdditionalProperties.False {
		inner := at.child("patternProperties", "")
		t.Elem = b.typ(s.PatternProperties[0].Schema, inner.path, inner.goName)
	}
	return t
}

// structShape returns a struct with a field for each property.
func (b *builder) structShape(s, rest *jsonschema.Schema, at place) *Type {
	t := &Type{Kind: Struct, Open: true}
	left := *rest
	left.Properties, left.Required = nil, nil
	byGo := make(map[string]jsonschema.Property)
	for _, p := range s.Properties {
		if p.Schema.False {
			left.Properties = append(left.Properties, p) // a field that must not be there
			continue
		}
		if f := b.field(s, p, at, byGo); f != nil {
			t.Fields = append(t.Fields, f)
		}
	}
	for _, name := range s.Required {
		if p := s.Property(name); p == nil || p.False {
			left.Required = append(left.Required, name)
		}
	}
	*rest = left
	b.unknownKeys(t, s, rest, at)
	return t
}

// unknownKeys decides what becomes of keys that have no field.
func (b *builder) unknownKeys(t *Type, s, rest *jsonschema.Schema, at place) {
	name := extraName(t)
	more := s.AdditionalProperties
	if more != nil && more.IsAny() {
		more, rest.AdditionalProperties = nil, nil
	}
	switch {
	case len(s.PatternProperties) > 0:
		t.Extra = &Extra{name, &Type{Kind: Any}}
		rest.Properties = nil // additionalProperties is about the rest of them
		for _, p := range s.Properties {
			if p.Schema.False {
				rest.Properties = append(rest.Properties, p)
			} else {
				rest.Properties = append(rest.Properties, jsonschema.Property{Name: p.Name, Schema: &jsonschema.Schema{}})
			}
		}
	case more == nil && b.file.KeepUnknown:
		t.Extra = &Extra{name, &Type{Kind: Any}}
	case more == nil:
	case more.False:
		t.Open, rest.AdditionalProperties = false, nil
		rest.Properties = nil // they are unknown
	default:
		inner := at.child("additionalProperties", "")
		t.Extra = &Extra{name, b.typ(more, inner.path, inner.goName)}
		rest.AdditionalProperties = nil
	}
}

// extraName returns the name of the Go field for keys that have none.
func extraName(t *Type) string {
	if slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.Go == "Extra" }) {
		return "AdditionalProperties"
	}
	return "Extra"
}

// field returns the field of a property; nil after an error.
func (b *builder) field(s *jsonschema.Schema, p jsonschema.Property, at place, byGo map[string]jsonschema.Property) *Field {
	f := &Field{Wire: p.Name, Go: or(p.Schema.GoName, fieldName(p.Name)), TS: tsField(or(p.Schema.TSName, p.Name)),
		Doc:        p.Schema.Description,
		Deprecated: p.Schema.DeprecatedText, Optional: !s.Requires(p.Name)}
	if f.Go == "" || !names.IsGo(f.Go) {
		b.errorf(p.Pos, "bad-name", "set a name: {type: …, go: {name: …}}", "the field %q has no letter or digit", p.Name)
		return nil
	}
	if old, dup := byGo[f.Go]; dup {
		b.errorf(p.Pos, "name-collision", "rename one of them, or set go: {name: …}", "%q and %q (line %d) are both %s in Go",
			p.Name, old.Name, old.Pos.Line, f.Go)
		return nil
	}
	byGo[f.Go] = p
	if p.Schema.Default != nil {
		f.Default, f.Optional = p.Schema.Default, true
	}
	if value := constOf(p.Schema); value != nil && !f.Optional && isScalarConst(p.Schema) {
		f.Const = value
	}
	inner := place{path: at.path + "." + p.Name, goName: at.goName + names.Go(p.Name)}
	f.Type = b.typ(p.Schema, inner.path, inner.goName)
	return f
}

// isScalarConst reports whether a schema allows one string, boolean or whole number and says nothing else.
func isScalarConst(s *jsonschema.Schema) bool {
	value := s.Const
	if value == nil {
		return false
	}
	alone := *s
	alone.Type, alone.Const, alone.Default = nil, nil, nil
	k := constKind(value)
	return alone.IsAny() && (k == "string" || k == "boolean" || k == "integer") &&
		(len(s.Type) == 0 || slices.Contains(s.Type, k) || k == "integer" && slices.Contains(s.Type, "number"))
}

// fieldName is names.Go, without hiding the methods that payload types have.
func fieldName(wire string) string {
	name := names.Go(wire)
	if name == "MarshalJSON" || name == "UnmarshalJSON" {
		name += "Field"
	}
	return name
}

func tsField(wire string) string {
	for i, r := range wire {
		letter := r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return strconv.Quote(wire)
		}
	}
	return wire
}
