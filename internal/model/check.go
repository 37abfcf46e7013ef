package model

// This file collects what is checked as JSON Schema: by generated code what Go types do not say, and here defaults and examples.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/fallback"
	"github.com/wsgen/wsgen/runtime/validate"
)

// formats are what the generated code checks strings with.
var formats = codec.Formats()

// pendingCheck is a Check whose document is made when all definitions are there.
type pendingCheck struct {
	check  *Check
	schema *jsonschema.Schema
}

// check returns what is checked as JSON Schema at a place.
func (b *builder) check(s *jsonschema.Schema, at place) *Check {
	alone := *s
	alone.Default = nil
	name := "schema" + at.goName
	if b.checkNames[name]++; b.checkNames[name] > 1 {
		name = fmt.Sprintf("%s%d", name, b.checkNames[name])
	}
	c := &Check{Name: name, Pos: s.Pos}
	b.checks = append(b.checks, &pendingCheck{c, &alone})
	return c
}

// Checks returns the checks of all types, in no order that matters.
func Checks(api *API) []*Check {
	var out []*Check
	seen := make(map[*Type]bool)
	var visit func(t *Type)
	visit = func(t *Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		if t.Check != nil {
			out = append(out, t.Check)
		}
		for _, f := range t.Fields {
			visit(f.Type)
		}
		visit(t.Elem)
		visit(t.Key)
		if t.Extra != nil {
			visit(t.Extra.Elem)
		}
	}
	for _, n := range append(slices.Clone(api.Types), api.Claims) {
		visit(n.Type)
	}
	return out
}

// Tags returns the fields that could tell the variants of a union apart, in alphabetical order.
func Tags(api *API, s *jsonschema.Schema) []string {
	b := &builder{defs: make(map[string]*definition)}
	for _, d := range api.Defs {
		b.defs[d.Name] = &definition{schema: d.Schema}
	}
	return b.tagsOf(slices.DeleteFunc(append(slices.Clone(s.OneOf), s.AnyOf...), (*jsonschema.Schema).IsNull))
}

func (b *builder) definition(name string) *jsonschema.Schema {
	if d := b.defs[name]; d != nil {
		return d.schema
	}
	return nil
}

// nameChecks completes the checks.
func (b *builder) nameChecks() {
	if b.diags.HasErrors() {
		return
	}
	for _, p := range b.checks {
		text, err := jsonschema.Standalone(p.schema, b.definition)
		if err != nil {
			b.errorf(p.check.Pos, "bad-type", "", "%v", err)
			continue
		}
		p.check.Schema = string(text)
		p.check.Fallback = b.fallback(p.schema, make(map[string]bool))
		if p.check.Fallback != "" {
			_, err = fallback.Compile(p.check.Schema)
		} else {
			_, err = validate.Compile(p.check.Schema)
		}
		if err != nil {
			b.errorf(p.check.Pos, "endless-type", "let each reference lead to a part of the value",
				"the schema cannot be checked: %v", err)
		}
	}
}

// fallback returns a keyword that only a JSON Schema library judges; "" when there is none.
func (b *builder) fallback(s *jsonschema.Schema, seen map[string]bool) string {
	for _, k := range []struct {
		set     bool
		keyword string
	}{
		{s.Not != nil, "not"}, {s.If != nil, "if"}, {s.Then != nil, "then"}, {s.Else != nil, "else"},
		{s.MinContains != nil, "minContains"}, {s.MaxContains != nil, "maxContains"}, {s.ContentSchema != nil, "contentSchema"},
		{s.Contains != nil, "contains"}, {s.DependentRequired != nil, "dependentRequired"},
		{s.DependentSchemas != nil, "dependentSchemas"}, {s.UnevaluatedItems != nil, "unevaluatedItems"},
		{s.UnevaluatedProperties != nil, "unevaluatedProperties"},
		{s.ContentMediaType != "" && s.ContentMediaType != "application/json", "contentMediaType"},
	} {
		if k.set {
			return k.keyword
		}
	}
	if s.Ref != "" && !seen[s.Ref] {
		seen[s.Ref] = true
		if d := b.definition(s.Ref); d != nil {
			if k := b.fallback(d, seen); k != "" {
				return k
			}
		}
	}
	found := ""
	s.Children(func(_, _ string, child *jsonschema.Schema) {
		if found == "" {
			found = b.fallback(child, seen)
		}
	})
	return found
}

// valueCheck is a value in the file that a schema has to allow.
type valueCheck struct {
	schema *jsonschema.Schema
	value  json.RawMessage
	pos    diag.Pos
	text   string // of a default, as it is written; empty: the value is an example
}

// valuesOf notes the defaults and examples in a schema.
func (b *builder) valuesOf(s *jsonschema.Schema) {
	if s.Default != nil && !s.Invalid() {
		v := valueCheck{schema: s, value: s.Default, pos: s.Pos, text: string(s.Default)}
		if s.Source != nil && s.Source.DefaultPos.Line > 0 {
			v.pos, v.text = s.Source.DefaultPos, or(s.Source.DefaultText, v.text)
		}
		b.values = append(b.values, v)
	}
	for _, e := range s.Examples {
		b.values = append(b.values, valueCheck{schema: s, value: e.JSON, pos: e.Pos})
	}
	s.Children(func(_, _ string, child *jsonschema.Schema) { b.valuesOf(child) })
}

// checkValues judges defaults and examples. Equal schemas are compiled once.
func (b *builder) checkValues() {
	compiled := make(map[string]*fallback.Schema)
	for _, v := range b.values {
		if b.anyInvalid(v.schema, make(map[string]bool)) {
			continue
		}
		alone := *v.schema
		alone.Default = nil
		text, err := jsonschema.Standalone(&alone, b.definition)
		if err != nil {
			continue
		}
		if compiled[string(text)] == nil {
			c, err := fallback.Compile(string(text))
			if err != nil {
				continue // nameChecks reports it
			}
			compiled[string(text)] = fallback.Of(c)
		}
		if why := judge(compiled[string(text)], v.value); why != "" {
			if v.text != "" {
				b.errorf(v.pos, "bad-default", "", "default %s does not fit: %s", v.text, why)
			} else {
				b.errorf(v.pos, "bad-example", "", "the example does not fit: %s", why)
			}
		}
	}
}

// anyInvalid reports whether there is an error in a schema, or in what it refers to.
func (b *builder) anyInvalid(s *jsonschema.Schema, seen map[string]bool) bool {
	if s.Invalid() || s.Source != nil && s.Source.Pointer != "" && s.Ref == "" {
		return true
	}
	found := false
	if s.Ref != "" && !seen[s.Ref] {
		seen[s.Ref] = true
		d := b.definition(s.Ref)
		found = d == nil || b.anyInvalid(d, seen)
	}
	s.Children(func(_, _ string, child *jsonschema.Schema) { found = found || b.anyInvalid(child, seen) })
	return found
}

// judge returns why a schema does not allow a value; "" when it does.
func judge(s *fallback.Schema, raw json.RawMessage) string {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return err.Error()
	}
	var why []string
	s.Validate(v, func(path, message string) {
		if path != "" {
			message = strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".") + ": " + message
		}
		why = append(why, message)
	})
	return strings.Join(why, "; ")
}
