package typescript

// This file decides how types are declared: what is read, and what may be sent, where that differs.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/model"
)

// Type is a declaration. One of Fields, Values and Expr is used.
type Type struct {
	Name, Doc string
	Fields    []Field // of an interface
	Index     string  // type of its other members; empty: there are none
	Values    []Field // of an enum: its table
	Expr      string
}

// Field is a member of an interface or a table.
type Field struct{ Key, Doc, Mark, Type string }

// usage is who gets to see values of a type.
type usage struct{ sent, received map[*model.Named]bool }

func usageOf(api *model.API) usage {
	u := usage{map[*model.Named]bool{}, map[*model.Named]bool{}}
	for _, m := range api.Messages {
		if m.Direction.FromClient() {
			mark(u.sent, m.Payload, m.Meta)
		}
		if m.Direction.FromServer() && m.Request == nil {
			mark(u.received, m.Payload, m.Meta)
		}
		if m.Request != nil {
			mark(u.received, m.Request.Response, m.Request.Progress)
		}
	}
	for _, e := range errorCodes(api) {
		mark(u.received, e.Details)
	}
	return u
}

// mark adds types and all that they contain.
func mark(set map[*model.Named]bool, list ...*model.Named) {
	for _, n := range list {
		if n == nil || set[n] {
			continue
		}
		set[n] = true
		mark(set, contained(n.Type)...)
	}
}

// contained returns the types that a type names.
func contained(t *model.Type) []*model.Named {
	var out []*model.Named
	for _, inner := range parts(t) {
		if inner.Ref != nil {
			out = append(out, inner.Ref)
		}
		out = append(out, contained(inner)...)
	}
	if t.Ref != nil {
		out = append(out, t.Ref)
	}
	for _, v := range t.Union {
		out = append(out, v.Type)
	}
	return out
}

// parts returns the types that a type is made of.
func parts(t *model.Type) []*model.Type {
	var out []*model.Type
	for _, f := range t.Fields {
		if f.Const == nil {
			out = append(out, f.Type)
		}
	}
	if t.Elem != nil {
		out = append(out, t.Elem)
	}
	if t.Key != nil {
		out = append(out, t.Key)
	}
	if t.Extra != nil {
		out = append(out, t.Extra.Elem)
	}
	return out
}

// open reports whether values of a type may be such as the schema does not have, from a newer server.
func (b *builder) open(n *model.Named) bool { return b.use.received[n] && !b.api.StrictClients }

// differs reports whether what may be sent of a type is not what is read: it may leave defaults out, and is never unknown.
func (b *builder) differs(n *model.Named) bool { return b.different[n] }

// findDifferent goes on until nothing changes, for types contain each other in circles.
func (b *builder) findDifferent(all []*model.Named) {
	for changed := true; changed; {
		changed = false
		for _, n := range all {
			if !b.different[n] && b.anyDiffers(n, n.Type) {
				b.different[n], changed = true, true
			}
		}
	}
}

func (b *builder) anyDiffers(n *model.Named, t *model.Type) bool {
	switch {
	case slices.ContainsFunc(t.Fields, func(f *model.Field) bool { return f.Default != nil && f.Const == nil }):
		return true
	case (t.Kind == model.OneOf || t.Kind == model.Union) && b.open(n):
		return true
	case slices.ContainsFunc(t.Union, func(v model.Variant) bool { return b.differs(v.Type) }):
		return true
	case t.Kind == model.Ref && isEnum(t.Ref):
		return b.open(n)
	case t.Kind == model.Ref:
		return b.differs(t.Ref)
	}
	return slices.ContainsFunc(parts(t), func(inner *model.Type) bool { return b.anyDiffers(n, inner) })
}

func isEnum(n *model.Named) bool {
	k := n.Type.Resolve().Kind
	return k == model.Enum || k == model.IntEnum
}

// declare returns the declarations of a type.
func (b *builder) declare(n *model.Named) []Type {
	out := []Type{b.declaration(n, false)}
	if b.names.in[n] != "" {
		in := b.declaration(n, true)
		in.Name = b.names.in[n]
		in.Doc = paragraphs(in.Doc, "As it may be sent: what has a default may be left out, and nothing is there that the schema does not have.")
		out = append(out, in)
	}
	if n.Type.Kind == model.Union && b.open(n) {
		out = append(out, Type{Name: b.unknown[n], Doc: "A variant that this program does not know, of a newer server. It cannot be sent.", Fields: []Field{
			{Key: key(n.Type.Tag), Type: "null"},
			{Key: "$tag", Doc: "The value of " + n.Type.Tag + ".", Type: "string | number"},
			{Key: "$json", Doc: "The whole object.", Type: "unknown"},
		}})
	}
	return out
}

func (b *builder) declaration(n *model.Named, in bool) Type {
	d := Type{Name: b.names.out[n], Doc: n.Doc}
	t := n.Type
	s := side{b, n, in}
	switch t.Kind {
	case model.Struct:
		for _, f := range t.Fields {
			d.Fields = append(d.Fields, s.field(f))
		}
		switch {
		case t.Extra != nil && len(t.Fields) == 0:
			d.Index = s.typ(t.Extra.Elem)
		case t.Extra != nil:
			d.Index = "unknown"
		case len(t.Fields) == 0:
			d.Expr = "Record<string, never>"
		}
	case model.Enum, model.IntEnum:
		for _, v := range t.Values {
			f := Field{Key: key(v.Wire), Doc: v.Doc, Type: quote(v.Wire)}
			if t.Kind == model.IntEnum {
				f.Key, f.Type = key(strings.TrimPrefix(v.Go, n.Go)), v.Wire
			}
			d.Values = append(d.Values, f)
		}
	case model.Union:
		d.Expr = s.union(t)
	default:
		d.Expr, d.Doc = s.typ(t), described(n.Doc, t)
	}
	return d
}

// side is one of the forms of a type.
type side struct {
	b  *builder
	n  *model.Named
	in bool
}

func (s side) open() bool { return !s.in && s.b.open(s.n) }

func (s side) field(f *model.Field) Field {
	text := f.Doc
	if f.Const == nil {
		text = described(text, f.Type)
	}
	out := Field{Key: key(memberName(f)), Doc: paragraphs(text, deprecated(f.Deprecated))}
	if f.Optional && (f.Default == nil || s.in || !s.b.use.received[s.n] && s.b.names.in[s.n] == "") {
		out.Mark = "?"
	}
	if f.Default != nil {
		out.Doc = paragraphs(out.Doc, "@defaultValue `"+strings.ReplaceAll(string(f.Default), "`", "'")+"`")
	}
	if f.Const != nil {
		out.Type = string(f.Const)
	} else {
		out.Type = s.typ(f.Type)
	}
	return out
}

// memberName returns the name that a field has in TypeScript, without quotes.
func memberName(f *model.Field) string {
	if name, err := strconv.Unquote(f.TS); err == nil {
		return name
	}
	return f.TS
}

// typ returns a type as it stands in another one.
func (s side) typ(t *model.Type) string {
	text := s.plain(t)
	if t.Nullable {
		text += " | null"
	}
	return text
}

// plainTypes are those that need no thought.
var plainTypes = map[model.Kind]string{
	model.String: "string", model.Bool: "boolean", model.Int64: "bigint", model.Uint64: "bigint", model.Bytes: "Uint8Array",
	model.DateTime: "string", model.Any: "unknown", model.Object: "Record<string, unknown>",
}

func (s side) plain(t *model.Type) string {
	if text := plainTypes[t.Kind]; text != "" {
		return text
	}
	switch t.Kind {
	case model.Array:
		return group(s.typ(t.Elem)) + "[]"
	case model.Map:
		return "Record<string, " + s.typ(t.Elem) + ">"
	case model.Ref:
		return s.ref(t.Ref)
	case model.Box:
		return s.typ(t.Elem)
	case model.Tuple:
		return s.tuple(t)
	case model.OneOf:
		return s.oneOf(t)
	}
	return "number"
}

func (s side) ref(n *model.Named) string {
	name := s.b.names.out[n]
	if s.in && s.b.names.in[n] != "" {
		name = s.b.names.in[n]
	}
	if isEnum(n) && s.open() {
		kind := map[model.Kind]string{model.Enum: "string", model.IntEnum: "number"}[n.Type.Resolve().Kind]
		return name + " | (" + kind + " & {})"
	}
	return name
}

// group puts a type into parentheses where it would fall apart before [].
func group(text string) string {
	if strings.Contains(text, " | ") {
		return "(" + text + ")"
	}
	return text
}

func (s side) tuple(t *model.Type) string {
	var items []string
	for _, f := range t.Fields {
		text := s.typ(f.Type)
		if f.Const != nil {
			text = string(f.Const)
		}
		if f.Optional {
			text = group(text) + "?"
		}
		items = append(items, text)
	}
	if t.Elem != nil {
		items = append(items, "..."+group(s.typ(t.Elem))+"[]")
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (s side) oneOf(t *model.Type) string {
	var kinds []string
	for _, f := range t.Fields {
		kinds = append(kinds, s.typ(f.Type))
	}
	if s.open() {
		kinds = append(kinds, "{ $unknown: unknown }")
	}
	return strings.Join(kinds, " | ")
}

func (s side) union(t *model.Type) string {
	var variants []string
	for _, v := range t.Union {
		variants = append(variants, s.ref(v.Type))
	}
	if s.open() {
		variants = append(variants, s.b.unknown[s.n])
	}
	return strings.Join(variants, " | ")
}
