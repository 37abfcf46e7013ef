package breaking

import (
	"slices"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// at is a place in both versions.
type at struct {
	path      string
	direction Direction
	pos       diag.Pos           // of what is around it
	seen      map[[2]string]bool // pairs of definitions on the way
}

func (a at) in(name string, pos diag.Pos) at {
	a.path += "." + name
	if pos.Line > 0 {
		a.pos = pos
	}
	return a
}

// schemas compares two schemas at a place.
func (c *comparison) schemas(old, new *jsonschema.Schema, a at) {
	if old.Ref != "" && new.Ref != "" {
		pair := [2]string{old.Ref, new.Ref}
		if a.seen[pair] {
			return
		}
		seen := map[[2]string]bool{pair: true}
		for k := range a.seen {
			seen[k] = true
		}
		a.seen = seen
		if old.Ref == new.Ref { // a type that both have: it is the place
			a.path, a.pos = new.Ref, c.new.places[new.Ref]
		}
	}
	o, oldNull := c.plain(old, c.old)
	n, newNull := c.plain(new, c.new)
	if n.Pos.Line > 0 {
		a.pos = n.Pos
	}
	switch {
	case !oldNull && newNull:
		c.report("field-became-nullable", a, "clients and servers that do not know of it fail", "%s may be null", a.path)
	case oldNull && !newNull:
		c.report("field-became-non-nullable", a, "keep | null", "%s may not be null any more", a.path)
	}
	c.values(o, n, a)
}

// plain follows references and takes null away.
func (c *comparison) plain(s *jsonschema.Schema, p *Protocol) (*jsonschema.Schema, bool) {
	null := false
	for range 100 {
		switch {
		case s.Ref != "" && p.definitions[s.Ref] != nil:
			s = p.definitions[s.Ref]
		case len(s.Type) > 1 && slices.Contains(s.Type, "null"):
			plain := *s
			plain.Type = slices.DeleteFunc(slices.Clone(s.Type), func(t string) bool { return t == "null" })
			s, null = &plain, true
		case len(s.AnyOf) > 1 && slices.ContainsFunc(s.AnyOf, (*jsonschema.Schema).IsNull):
			plain := *s
			plain.AnyOf = slices.DeleteFunc(slices.Clone(s.AnyOf), (*jsonschema.Schema).IsNull)
			s, null = &plain, true
		case len(s.AnyOf) == 1:
			s = s.AnyOf[0]
		default:
			return s, null
		}
	}
	return s, null
}

func (c *comparison) report(id string, a at, advice, format string, args ...any) {
	c.change(id, a.direction, a.path, a.pos, advice, format, args...)
}

// values compares schemas that are neither references nor null.
func (c *comparison) values(o, n *jsonschema.Schema, a at) {
	oldUnion, newUnion := variantsOf(o), variantsOf(n)
	switch {
	case oldUnion != nil && newUnion != nil:
		c.unions(oldUnion, newUnion, a)
		return
	case oldUnion == nil && newUnion != nil:
		c.report("union-introduced", a, "", "%s may be of another type, too", a.path)
		return
	case oldUnion != nil:
		c.report("union-dissolved", a, "", "%s is of one type only", a.path)
		return
	}
	if c.constants(o, n, a) || c.types(o, n, a) {
		return
	}
	if conditions(o) != conditions(n) {
		c.report("schema-not-comparable", a, "look at it yourself", "the conditions of %s have changed", a.path)
	}
	for _, kind := range n.Type {
		switch kind {
		case "string":
			c.strings(o, n, a)
		case "integer", "number":
			c.numbers(o, n, a)
		case "array":
			c.arrays(o, n, a)
		case "object":
			c.objects(o, n, a)
		}
	}
	if len(n.Type) == 0 && text(o) != text(n) {
		c.report("schema-not-comparable", a, "look at it yourself", "what is asked of %s has changed", a.path)
	}
}

// variantsOf returns the alternatives of a union.
func variantsOf(s *jsonschema.Schema) []*jsonschema.Schema {
	switch {
	case len(s.OneOf) > 0:
		return s.OneOf
	case len(s.AnyOf) > 0:
		return s.AnyOf
	}
	return nil
}

func text(s *jsonschema.Schema) string {
	raw, err := jsonschema.Marshal(jsonschema.Printer{}.Schema(s))
	if err != nil {
		return ""
	}
	return string(raw)
}

// conditions is the text of the keywords that are not compared one by one.
func conditions(s *jsonschema.Schema) string {
	return text(&jsonschema.Schema{AllOf: s.AllOf, Not: s.Not, If: s.If, Then: s.Then, Else: s.Else, Contains: s.Contains, MinContains: s.MinContains,
		MaxContains: s.MaxContains, UnevaluatedItems: s.UnevaluatedItems, UnevaluatedProperties: s.UnevaluatedProperties,
		DependentRequired: s.DependentRequired, DependentSchemas: s.DependentSchemas, ContentMediaType: s.ContentMediaType})
}

// unions compares alternatives by their tags, or else by what they are.
func (c *comparison) unions(old, new []*jsonschema.Schema, a at) {
	oldTag, newTag := c.tag(old, c.old), c.tag(new, c.new)
	if oldTag != newTag {
		c.report("union-tag-changed", a, "", "the variants of %s are told apart by %s instead of %s", a.path, or(newTag, "their JSON types"), or(oldTag, "their JSON types"))
		return
	}
	olds, news := c.variants(old, oldTag, c.old), c.variants(new, newTag, c.new)
	for name, o := range olds {
		n := news[name]
		if n == nil {
			c.report("union-variant-removed", a, "keep it", "%s has no variant %s any more", a.path, name)
			continue
		}
		c.schemas(o, n, a.in(name, diag.Pos{}))
	}
	for name := range news {
		if olds[name] == nil {
			c.report("union-variant-added", a, "", "%s may be the variant %s", a.path, name)
		}
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// tag returns the field that is another const in each variant; "" when there is none.
func (c *comparison) tag(list []*jsonschema.Schema, p *Protocol) string {
	first, _ := c.plain(list[0], p)
	for _, candidate := range first.Properties {
		seen := make(map[string]bool)
		if !slices.ContainsFunc(list, func(v *jsonschema.Schema) bool {
			s, _ := c.plain(v, p)
			prop := s.Property(candidate.Name)
			if prop == nil || prop.Const == nil || !s.Requires(candidate.Name) || seen[string(prop.Const)] {
				return true
			}
			seen[string(prop.Const)] = true
			return false
		}) {
			return candidate.Name
		}
	}
	return ""
}

// variants returns the alternatives by the values of their tag, or by their types.
func (c *comparison) variants(list []*jsonschema.Schema, tag string, p *Protocol) map[string]*jsonschema.Schema {
	out := make(map[string]*jsonschema.Schema)
	for _, v := range list {
		s, _ := c.plain(v, p)
		switch {
		case tag != "":
			out[string(s.Property(tag).Const)] = v
		case v.Ref != "":
			out[v.Ref] = v
		case len(s.Type) == 1:
			out[s.Type[0]] = v
		default:
			out[text(v)] = v
		}
	}
	return out
}

// constants compares const and enum. It returns true when there is nothing more to compare.
func (c *comparison) constants(o, n *jsonschema.Schema, a at) bool {
	switch {
	case o.Const != nil && n.Const != nil:
		if string(o.Const) != string(n.Const) {
			c.report("field-const-changed", a, "keep it", "%s is always %s instead of %s", a.path, n.Const, o.Const)
		}
		return true
	case o.Enum == nil && o.Const == nil && (n.Enum != nil || n.Const != nil):
		c.report("enum-introduced", a, "", "%s takes some values only", a.path)
		return true
	case n.Enum == nil && n.Const == nil && (o.Enum != nil || o.Const != nil):
		c.report("enum-dissolved", a, "", "%s takes other values than those of the enum", a.path)
		return true
	case o.Enum == nil && n.Enum == nil:
		return false
	}
	olds, news := values(o), values(n)
	for _, v := range news {
		if !slices.Contains(olds, v) {
			c.report("enum-value-added", a, "", "%s may be %s", a.path, v)
		}
	}
	for _, v := range olds {
		if !slices.Contains(news, v) {
			c.report("enum-value-removed", a, "keep it, and let the server refuse it if it must", "%s may not be %s any more", a.path, v)
		}
	}
	return true
}

func values(s *jsonschema.Schema) []string {
	var out []string
	for _, v := range s.Enum {
		out = append(out, string(v))
	}
	if s.Const != nil {
		out = append(out, string(s.Const))
	}
	return out
}

// types compares the JSON types. It returns true when they have nothing in common.
func (c *comparison) types(o, n *jsonschema.Schema, a at) bool {
	if slices.Equal(o.Type, n.Type) {
		return false
	}
	switch {
	case isDigits(o) && isInteger(n), isInteger(o) && isDigits(n):
		c.report("field-int-encoding-changed", a, "add a field of another name", "%s travels as %s instead of %s", a.path, kinds(n), kinds(o))
	case covers(n.Type, o.Type):
		c.report("field-type-widened", a, "", "%s may be %s instead of %s", a.path, kinds(n), kinds(o))
	case covers(o.Type, n.Type):
		c.report("field-type-narrowed", a, "", "%s may only be %s instead of %s", a.path, kinds(n), kinds(o))
	default:
		c.report("field-type-changed", a, "add a field of another name", "%s is %s instead of %s", a.path, kinds(n), kinds(o))
	}
	return true
}

func isDigits(s *jsonschema.Schema) bool { return s.Format == "int64" || s.Format == "uint64" }

func isInteger(s *jsonschema.Schema) bool { return len(s.Type) == 1 && s.Type[0] == "integer" }

// covers reports whether all JSON types of few are among those of many; none is any.
func covers(many, few []string) bool {
	if len(many) == 0 {
		return true
	}
	return len(few) > 0 && !slices.ContainsFunc(few, func(t string) bool {
		return !slices.Contains(many, t) && (t != "integer" || !slices.Contains(many, "number"))
	})
}

func kinds(s *jsonschema.Schema) string {
	out := ""
	for i, t := range s.Type {
		if i > 0 {
			out += " or "
		}
		out += "a " + t
		if t == "integer" || t == "array" || t == "object" {
			out = out[:len(out)-len(t)-2] + "an " + t
		}
	}
	return or(out, "anything")
}
