package model

// This file makes the schemas of a protocol known by their names, and resolves what refers to them.

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// definition is a schema with a name.
type definition struct {
	named  *Named
	schema *jsonschema.Schema
	filled bool // named has its shape, or is getting it
}

// scope is what the names of a file mean.
type scope struct {
	file  *schema.File
	types map[string]*definition
}

// declareTypes makes all declared names known before any is resolved: they may refer to each other in any order, and over
// files.
func (b *builder) declareTypes() {
	var order []*definition
	for _, f := range b.file.All() {
		sc := &scope{file: f, types: make(map[string]*definition)}
		b.scopes[f.Source] = sc
		for _, t := range f.Types {
			n := &Named{Path: t.Name.Value, Go: or(t.Type.GoName, names.Go(t.Name.Value)), TS: or(t.Type.TSName, t.Name.Value),
				Pos: t.Name.Pos}
			b.take(n.Go, b.typeBy(f, n.Path), t.Name.Pos)
			d := &definition{named: n, schema: t.Type}
			sc.types[t.Name.Value] = d
			if b.defs[n.Path] == nil {
				b.defs[n.Path] = d
				b.api.Types = append(b.api.Types, n)
				order = append(order, d)
			}
		}
	}
	for _, d := range order {
		b.link(d.schema, place{path: d.named.Path, goName: d.named.Go})
	}
	b.complete(append(order, b.hoist()...))
}

// complete gives linked definitions their shapes.
func (b *builder) complete(list []*definition) {
	for _, d := range list {
		b.expand(d.schema)
	}
	b.breakCircles(list)
	for _, d := range list {
		b.api.Defs = append(b.api.Defs, jsonschema.Property{Name: d.named.Path, Pos: d.named.Pos, Schema: d.schema})
		b.fill(d)
	}
}

// typeBy says what has a name; with the file when there are several.
func (b *builder) typeBy(f *schema.File, name string) string {
	if f == b.file {
		return "the type " + name
	}
	return "the type " + name + " of " + path.Base(f.Source)
}

// define gives a name to a schema that stands in a message, an error or the claims.
func (b *builder) define(n *Named, s *jsonschema.Schema) {
	n.Pos = s.Pos
	d := &definition{named: n, schema: s}
	b.defs[n.Path] = d
	b.link(s, place{path: n.Path, goName: n.Go})
	b.complete(append([]*definition{d}, b.hoist()...))
}

// place is where a schema stands: its path in the protocol, the Go name that a type there gets, and the outermost mapping
// with keywords around it, which #/… refers to.
type place struct {
	path, goName string
	root         *root
}

// root is the schema that pointers such as #/$defs/name start from.
type root struct {
	schema *jsonschema.Schema
	place  place
}

// link resolves the names and pointers in a schema.
func (b *builder) link(s *jsonschema.Schema, at place) {
	if s.Source != nil {
		if s.Source.Long && at.root == nil {
			at.root = &root{s, at}
		}
		b.linkSource(s, at)
	}
	s.Children(func(keyword, name string, child *jsonschema.Schema) { b.link(child, at.child(keyword, name)) })
}

// child returns the place of a schema inside of another.
func (at place) child(keyword, name string) place {
	switch keyword {
	case "properties":
		at.path, at.goName = at.path+"."+name, at.goName+names.Go(name)
	case "items":
		at.path, at.goName = at.path+".items", at.goName+"Item"
	case "prefixItems":
		at.path, at.goName = at.path+"."+name, at.goName+"V"+name
	case "additionalProperties", "patternProperties":
		at.path, at.goName = at.path+".values", at.goName+"Value"
	case "propertyNames":
		at.path, at.goName = at.path+".keys", at.goName+"Key"
	}
	return at
}

func (b *builder) linkSource(s *jsonschema.Schema, at place) {
	src := s.Source
	switch {
	case src.Name != "":
		b.linkName(s)
	case src.Pointer != "":
		b.linkPointer(s, at)
	case src.Short:
		b.unionOfWords(s)
	}
	for _, d := range src.Defs {
		b.link(d.Schema, place{at.path + "." + d.Name, at.goName + names.Go(d.Name), at.root})
	}
	for _, v := range src.Mapping {
		b.link(v.Schema, place{at.path + "." + v.Name, at.goName + names.Go(v.Name), at.root})
	}
}

// lookup finds the declared type of a name or of alias.Name.
func (b *builder) lookup(file, name string) *definition {
	sc := b.scopes[file]
	if sc == nil {
		return nil
	}
	if alias, rest, ok := strings.Cut(name, "."); ok {
		for _, i := range sc.file.Imports {
			if i.Alias.Value == alias && i.File != nil {
				return b.scopes[i.File.Source].types[rest]
			}
		}
		return nil
	}
	return sc.types[name]
}

// linkName resolves a name of a type expression.
func (b *builder) linkName(s *jsonschema.Schema) {
	name := s.Source.Name
	if d := b.lookup(s.Pos.File, name); d != nil {
		s.Ref = d.named.Path
		if s.Source.Bounds.Line > 0 {
			b.errorf(s.Source.Bounds, "bad-bounds", "put the bounds where the type is declared", "%s has bounds of its own", name)
		}
		return
	}
	s.Source.Invalid = true
	alias, rest, dotted := strings.Cut(name, ".")
	switch {
	case name == "null":
		b.errorf(s.Pos, "bad-type", "write T | null", "null alone is no type")
	case dotted:
		b.unknownImport(s, alias, rest)
	default:
		b.errorf(s.Pos, "unknown-type", b.didYouMean(name, b.typeNames(s.Pos.File)), "unknown type %q", name)
	}
}

func (b *builder) unknownImport(s *jsonschema.Schema, alias, rest string) {
	var aliases []string
	for _, i := range b.scopes[s.Pos.File].file.Imports {
		if i.Alias.Value != alias {
			aliases = append(aliases, i.Alias.Value)
			continue
		}
		if i.File != nil { // else its error is reported
			b.errorf(s.Pos, "unknown-type", b.didYouMean(rest, typesOf(i.File)),
				"%s has no type %q", path.Base(i.File.Source), rest)
		}
		return
	}
	hint := or(b.didYouMean(alias, aliases), fmt.Sprintf("add imports: {%s: ./%s.yaml}", alias, alias))
	b.errorf(s.Pos, "unknown-type", hint, "unknown type %q: nothing is imported as %q", alias+"."+rest, alias)
}

func typesOf(f *schema.File) []string {
	var out []string
	for _, t := range f.Types {
		out = append(out, t.Name.Value)
	}
	return out
}

func (b *builder) typeNames(file string) []string {
	out := schema.Words()
	if sc := b.scopes[file]; sc != nil {
		out = append(out, typesOf(sc.file)...)
	}
	return out
}

// unionOfWords tells what is meant by A | B when no type has any of the names.
func (b *builder) unionOfWords(s *jsonschema.Schema) {
	var unknown []string
	for _, v := range s.AnyOf {
		if v.IsNull() {
			continue
		}
		if v.Source == nil || v.Source.Name == "" || b.lookup(v.Pos.File, v.Source.Name) != nil {
			return
		}
		unknown = append(unknown, v.Source.Name)
	}
	quoted := make([]string, len(unknown))
	for i, w := range unknown {
		quoted[i] = strconv.Quote(w)
	}
	b.errorf(s.Pos, "unknown-type", "", "unknown types %s and %s; for a fixed set of values write {enum: [%s]}",
		strings.Join(quoted[:len(quoted)-1], ", "), quoted[len(quoted)-1], strings.Join(unknown, ", "))
	s.AnyOf, s.Source.Invalid = nil, true
}

// fill gives a named type its shape.
func (b *builder) fill(d *definition) {
	if d.filled {
		return
	}
	d.filled = true
	n := d.named
	n.Schema, n.Doc = d.schema, or(n.Doc, d.schema.Description)
	t, plain := b.nullable(d.schema)
	n.Type = b.shape(plain, n.Path, n.Go)
	n.Type.Nullable = t
	b.joinUnion(n)
	b.valuesOf(d.schema)
}

// lift names a type that stands inside of another and needs a name in Go.
func (b *builder) lift(t *Type, s *jsonschema.Schema, path, goName string, index int) *Named {
	n := &Named{Path: path, Go: goName, TS: names.TSType(goName), Schema: s, Pos: s.Pos, Type: t}
	if s.Source != nil && s.Source.Long && s.GoName == "" {
		n.Doc = s.Description
	}
	b.take(n.Go, path, s.Pos)
	b.lifted = slices.Insert(b.lifted, min(index, len(b.lifted)), n)
	return n
}

// known reports whether a type expression names something.
func (b *builder) known(s *jsonschema.Schema) bool {
	return s.Source == nil || s.Source.Name == "" || b.lookup(s.Pos.File, s.Source.Name) != nil
}
