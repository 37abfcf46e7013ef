package model

import (
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

func (b *builder) arrayShape(s, rest *jsonschema.Schema, at place) *Type {
	if rest.UnevaluatedItems != nil {
		t := b.arrayParts(s, rest, at)
		t.Check = b.check(s, at)
		return t
	}
	return b.arrayParts(s, rest, at)
}

func (b *builder) arrayParts(s, rest *jsonschema.Schema, at place) *Type {
	if len(s.PrefixItems) > 0 {
		return b.tupleShape(s, rest, at)
	}
	t := &Type{Kind: Array, MinLen: rest.MinItems, MaxLen: rest.MaxItems, Elem: &Type{Kind: Any}}
	rest.MinItems, rest.MaxItems = nil, nil
	switch {
	case s.Items == nil, s.Items.IsAny():
		rest.Items = nil
	case s.Items.False: // an empty array
	default:
		inner := at.child("items", "")
		t.Elem = b.typ(s.Items, inner.path, inner.goName)
		rest.Items = nil
	}
	return t
}

// tupleShape returns an array with a type for each of the first items.
func (b *builder) tupleShape(s, rest *jsonschema.Schema, at place) *Type {
	t := &Type{Kind: Tuple, MinLen: s.MinItems, MaxLen: s.MaxItems}
	for i, item := range s.PrefixItems {
		name := strconv.Itoa(i)
		inner := at.child("prefixItems", name)
		f := &Field{Wire: name, Go: "V" + name, TS: name, Doc: item.Description, Optional: s.MinItems == nil || i >= *s.MinItems}
		f.Type = b.typ(item, inner.path, inner.goName)
		t.Fields = append(t.Fields, f)
	}
	switch {
	case s.Items == nil:
		t.Elem = &Type{Kind: Any}
	case s.Items.False:
		if n := len(t.Fields); t.MaxLen == nil || *t.MaxLen > n {
			t.MaxLen = &n
		}
	default:
		inner := at.child("items", "")
		t.Elem = b.typ(s.Items, inner.path, inner.goName)
	}
	rest.PrefixItems, rest.Items, rest.MinItems, rest.MaxItems = nil, nil, nil, nil
	return t
}
