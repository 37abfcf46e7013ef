package breaking

import (
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// at is a place in both versions.
type at struct {
	path      string
	direction Direction
	pos       diag.Pos // of what is around it
	inOther   bool     // in a type that stands where another one stood
}

func (a at) in(name string, pos diag.Pos) at {
	a.path += "." + name
	if pos.Line > 0 {
		a.pos = pos
	}
	return a
}

// maxSteps is how many pairs of schemas are compared of one body.
const maxSteps = 1 << 17

// schemas compares two schemas at a place.
func (c *comparison) schemas(old, new *jsonschema.Schema, a at) {
	a, again := c.enter(old, new, a)
	if again {
		return
	}
	if c.steps++; c.steps > maxSteps {
		c.opaque(old, new, a)
		return
	}
	o, ok := c.old.plain(old)
	n, ok2 := c.new.plain(new)
	if !ok || !ok2 {
		c.opaque(old, new, a)
		return
	}
	if !o.untyped() && !n.untyped() {
		switch {
		case !o.null && n.null:
			c.report("field-became-nullable", a, "", "%s may be null", a.path)
		case o.null && !n.null:
			c.report("field-became-non-nullable", a, "", "%s may not be null any more", a.path)
		}
	}
	c.values(o, n, a)
}

// enter moves to a pair of schemas. A pair of references is compared once for each body, for types may contain themselves, and
// others in many ways.
func (c *comparison) enter(old, new *jsonschema.Schema, a at) (at, bool) {
	if new.Pos.Line > 0 {
		a.pos = new.Pos
	}
	if old.Ref == "" && new.Ref == "" && len(old.AllOf) == 0 && len(new.AllOf) == 0 {
		return a, false
	}
	pair := []string{c.root, a.direction.String(), text(old), text(new), a.path}
	switch same := old.Ref != "" && onlyRef(old) && onlyRef(new) && old.Ref == new.Ref; {
	case same: // a type that both have: it is the place
		a.path, a.inOther = new.Ref, false
		if def := c.new.definitions[new.Ref]; def != nil && def.Pos.Line > 0 {
			a.pos = def.Pos
		}
		pair[4] = ""
	case a.inOther:
		pair[4] = ""
	default:
		a.inOther = true
	}
	key := strings.Join(pair, "\x00")
	again := c.entered[key]
	c.entered[key] = true
	return a, again
}

// onlyRef reports whether nothing is asked for beside $ref.
func onlyRef(s *jsonschema.Schema) bool {
	own := *s
	own.Ref = ""
	return own.IsAny()
}

// opaque compares schemas as a whole: they are the same, or somebody has to look at them.
func (c *comparison) opaque(old, new *jsonschema.Schema, a at) {
	if !c.same(old, new) {
		c.report("schema-not-comparable", a, "", "what is asked of %s has changed, and it is not decided how", a.path)
	}
}

// same reports whether schemas and all that they refer to are written alike.
func (c *comparison) same(old, new *jsonschema.Schema) bool {
	if old == nil || new == nil {
		return old == new
	}
	return document(old, c.old) == document(new, c.new)
}

func document(s *jsonschema.Schema, p *Protocol) string {
	raw, err := jsonschema.Standalone(s, func(name string) *jsonschema.Schema { return p.definitions[name] })
	if err != nil {
		return "" // what cannot be written is a number, which was read from JSON
	}
	return string(raw)
}

func text(s *jsonschema.Schema) string {
	raw, err := jsonschema.Marshal(jsonschema.Printer{}.Schema(s))
	if err != nil {
		return ""
	}
	return string(raw)
}

func (c *comparison) report(id string, a at, advice, format string, args ...any) {
	c.change(id, a.direction, a.path, a.pos, advice, format, args...)
}

// values compares what may be there when it is not null.
func (c *comparison) values(o, n plain, a at) {
	olds, news := c.old.union(o), c.new.union(n)
	switch {
	case olds != nil && news != nil:
		c.unions(olds, news, a)
	case news != nil:
		c.report("union-introduced", a, "", "%s may be of another type, too", a.path)
		c.alternative(o, news, a, c.new, func(one plain, v *jsonschema.Schema, a at) { c.schemas(one.Schema, v, a) })
	case olds != nil:
		c.report("union-dissolved", a, "", "%s is of one type only", a.path)
		c.alternative(n, olds, a, c.old, func(one plain, v *jsonschema.Schema, a at) { c.schemas(v, one.Schema, a) })
	default:
		c.single(o, n, a)
	}
}

// alternative compares a schema with the alternatives that are of its JSON types.
func (c *comparison) alternative(
	s plain, list []*jsonschema.Schema, a at, p *Protocol, compare func(plain, *jsonschema.Schema, at),
) {
	for _, kind := range s.Type {
		var fits []*jsonschema.Schema
		for _, v := range list {
			if k := p.kindOf(v); k == kind || k == "number" && kind == "integer" || k == "integer" && kind == "number" {
				fits = append(fits, v)
			}
		}
		one := *s.Schema
		one.Type = []string{kind}
		if len(fits) == 1 {
			compare(plain{Schema: &one}, fits[0], a)
		} else {
			c.report("field-type-changed", a, "", "%s is %s in one version, and none or several of its alternatives are that",
				a.path, kinds(&one))
		}
	}
	if len(s.Type) == 0 {
		c.report("field-type-changed", a, "", "%s is anything in one version, and one of several types in the other", a.path)
	}
}

// union returns the alternatives of a schema; nil when it is no union, or has more to say than that.
func (p *Protocol) union(s plain) []*jsonschema.Schema {
	list := append(slices.Clone(s.AnyOf), s.OneOf...)
	if len(list) == 0 || len(s.AnyOf) > 0 && len(s.OneOf) > 0 {
		return nil
	}
	beside := *s.Schema
	beside.AnyOf, beside.OneOf = nil, nil
	object := slices.Equal(beside.Type, []string{"object"})
	if object {
		beside.Type = nil
	}
	for _, v := range list {
		plain, ok := p.plain(v)
		if !ok || plain.untyped() || object && p.kindOf(v) != "object" {
			return nil
		}
	}
	if !beside.IsAny() {
		return nil
	}
	return list
}

// kindOf returns the JSON type of a schema; "" when there are several.
func (p *Protocol) kindOf(s *jsonschema.Schema) string {
	if plain, ok := p.plain(s); ok && len(plain.Type) == 1 {
		return plain.Type[0]
	}
	return ""
}

// single compares schemas that are no unions.
func (c *comparison) single(o, n plain, a at) {
	switch {
	case o.False && n.False:
		return
	case n.False:
		c.report("field-type-narrowed", a, "", "%s may not be there any more", a.path)
		return
	case o.False:
		c.report("field-type-widened", a, "", "%s may be there", a.path)
		return
	}
	shared, decided := c.types(o, n, a)
	if decided || c.constants(o, n, a) {
		return
	}
	c.conditions(o.Schema, n.Schema, a)
	if len(shared) == 0 {
		c.opaque(o.Schema, n.Schema, a)
	}
	for _, kind := range shared {
		switch kind {
		case "string":
			c.strings(o.Schema, n.Schema, a)
		case "integer", "number":
			c.numbers(o.Schema, n.Schema, a)
		case "array":
			c.arrays(o.Schema, n.Schema, a)
		case "object":
			c.objects(o.Schema, n.Schema, a)
		}
	}
}

// conditions compares the keywords that are not compared one by one.
func (c *comparison) conditions(o, n *jsonschema.Schema, a at) {
	pick := func(s *jsonschema.Schema) *jsonschema.Schema {
		return &jsonschema.Schema{AnyOf: s.AnyOf, OneOf: s.OneOf, Not: s.Not, If: s.If, Then: s.Then, Else: s.Else,
			Contains: s.Contains, MinContains: s.MinContains, MaxContains: s.MaxContains,
			UnevaluatedItems: s.UnevaluatedItems, ContentSchema: s.ContentSchema,
			UnevaluatedProperties: s.UnevaluatedProperties, DependentRequired: s.DependentRequired,
			DependentSchemas: s.DependentSchemas,
			ContentMediaType: s.ContentMediaType}
	}
	x, y := pick(o), pick(n)
	if (!x.IsAny() || !y.IsAny()) && !c.same(x, y) {
		c.report("schema-not-comparable", a, "", "the conditions of %s have changed", a.path)
	}
}
