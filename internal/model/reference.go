package model

// This file follows $ref: to a declared type, to another file, or to a place inside of the schema that it stands in.

import (
	"net/url"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
)

// hoist is a schema inside of another that gets a definition of its own, because a $ref points to it.
type hoist struct {
	schema *jsonschema.Schema
	named  *Named
	copy   *jsonschema.Schema // where the schema went; nil before
}

// linkPointer resolves a $ref as it is written in JSON Schema.
func (b *builder) linkPointer(s *jsonschema.Schema, at place) {
	file, pointer, _ := strings.Cut(s.Source.Pointer, "#")
	fail := func(hint, format string, args ...any) {
		s.Source.Invalid = true
		b.errorf(s.KeyPos("$ref"), "bad-reference", hint, format, args...)
	}
	tokens, ok := pointerTokens(pointer)
	if !ok {
		fail("write #/types/Name, or #/$defs/name", "%q is no pointer", s.Source.Pointer)
		return
	}
	sc := b.scopes[s.Pos.File]
	if file != "" {
		if sc = b.scopeOf(s.Pos.File, file); sc == nil {
			s.Source.Invalid = true // its error is reported
			return
		}
	}
	if len(tokens) >= 2 && tokens[0] == "types" {
		d := sc.types[tokens[1]]
		if d == nil {
			fail(b.didYouMean(tokens[1], typesOf(sc.file)), "there is no type %q", tokens[1])
			return
		}
		at = place{path: d.named.Path, goName: d.named.Go}
		at.root = &root{d.schema, at}
		tokens = tokens[2:]
	} else if file != "" || at.root == nil {
		fail("write "+file+"#/types/Name", "%q names no type", s.Source.Pointer)
		return
	}
	if why := b.point(s, at.root, tokens); why != "" {
		fail("a $ref is #/types/Name, or leads from the schema around it, as #/$defs/name", "%s: %s", s.Source.Pointer, why)
	}
}

// scopeOf returns the scope of a file by its path as it is written in another; nil when it could not be read.
func (b *builder) scopeOf(from, to string) *scope {
	for _, i := range append(b.scopes[from].file.Imports, b.scopes[from].file.Refs...) {
		if i.Path.Value == to && i.File != nil {
			return b.scopes[i.File.Source]
		}
	}
	return nil
}

// pointerTokens returns the steps of a JSON Pointer in a URI fragment.
func pointerTokens(pointer string) ([]string, bool) {
	if pointer == "" {
		return nil, true
	}
	text, err := url.PathUnescape(pointer)
	if err != nil || text[0] != '/' {
		return nil, false
	}
	tokens := strings.Split(text[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return tokens, true
}

// point makes s refer to what tokens lead to from a root; otherwise it says why not.
func (b *builder) point(s *jsonschema.Schema, from *root, tokens []string) string {
	target, at := from.schema, from.place
	for len(tokens) > 0 {
		next, used := step(b.unhoisted(target), tokens)
		if next == nil {
			return "there is no " + strings.Join(tokens[:used], "/")
		}
		label := tokens[used-1]
		if used == 1 {
			at = at.child(tokens[0], "")
		} else {
			at.path, at.goName = at.path+"."+label, at.goName+names.Go(label)
		}
		target, tokens = next, tokens[used:]
	}
	if d := b.defs[at.path]; d != nil && d.schema == target {
		s.Ref = at.path
		return ""
	}
	s.Ref = b.hoistedPath(target, at)
	return ""
}

// hoistedPath returns the path of a schema inside of another, which gets a definition.
func (b *builder) hoistedPath(target *jsonschema.Schema, at place) string {
	for _, h := range b.hoisted {
		if h.schema == target || h.copy == target {
			return h.named.Path
		}
	}
	n := &Named{Path: at.path, Go: at.goName, TS: names.TSType(at.goName), Pos: target.Pos}
	for b.defs[n.Path] != nil {
		n.Path += "_"
	}
	b.take(n.Go, n.Path, target.Pos)
	b.hoisted = append(b.hoisted, &hoist{schema: target, named: n})
	b.defs[n.Path] = &definition{named: n}
	return n.Path
}

// unhoisted returns where the content of a schema went.
func (b *builder) unhoisted(s *jsonschema.Schema) *jsonschema.Schema {
	for _, h := range b.hoisted {
		if h.schema == s && h.copy != nil {
			return h.copy
		}
	}
	return s
}

// hoist moves the schemas that a $ref points to into definitions, and leaves a $ref in their place. It returns the new ones.
func (b *builder) hoist() []*definition {
	var fresh []*definition
	for _, h := range b.hoisted {
		if h.copy != nil {
			continue
		}
		moved := *h.schema
		h.copy = &moved
		*h.schema = jsonschema.Schema{Pos: moved.Pos, Ref: h.named.Path, Description: moved.Description, Default: moved.Default,
			Source: &jsonschema.Source{DefaultPos: moved.Pos, DefaultText: string(moved.Default)}}
		h.copy.Default = nil
		d := b.defs[h.named.Path]
		d.schema = h.copy
		fresh = append(fresh, d)
		b.api.Types = append(b.api.Types, h.named)
	}
	return fresh
}

// step follows the first tokens of a pointer, and returns how many it used.
func step(s *jsonschema.Schema, tokens []string) (*jsonschema.Schema, int) {
	keyword := tokens[0]
	used := 1
	name := ""
	switch keyword {
	case "fields":
		keyword = "properties"
		fallthrough
	case "properties", "patternProperties", "dependentSchemas", "prefixItems", "allOf", "anyOf", "oneOf", "$defs",
		"definitions", "mapping":
		if len(tokens) < 2 {
			return nil, 1
		}
		used, name = 2, tokens[1]
	}
	if s.Source != nil {
		for _, list := range [][]jsonschema.Property{s.Source.Defs, s.Source.Mapping} {
			for _, d := range list {
				if used == 2 && d.Name == name && (keyword == "$defs" || keyword == "definitions" || keyword == "mapping") {
					return d.Schema, used
				}
			}
		}
	}
	var found *jsonschema.Schema
	s.Children(func(k, n string, child *jsonschema.Schema) {
		if k == keyword && n == name {
			found = child
		}
	})
	return found, used
}

// deref follows references to the schema that carries the shape. It ends for schemas that refer to each other in a circle.
func (b *builder) deref(s *jsonschema.Schema) *jsonschema.Schema {
	for range len(b.defs) + 1 {
		if s.Ref == "" || !onlyRef(s) {
			return s
		}
		d := b.defs[s.Ref]
		if d == nil || d.schema == nil {
			return s
		}
		s = d.schema
	}
	return s
}

// onlyRef reports whether a schema says nothing but $ref that values are judged by.
func onlyRef(s *jsonschema.Schema) bool {
	alone := *s
	alone.Ref, alone.Default = "", nil
	return alone.IsAny()
}
