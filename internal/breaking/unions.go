package breaking

import (
	"encoding/json"
	"slices"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// variant is an alternative of a union, called by the value of the tag, by its JSON type, or by what it refers to.
type variant struct {
	name   string
	schema *jsonschema.Schema
}

// unions compares alternatives by their tags, or else by what they are.
func (c *comparison) unions(old, new []*jsonschema.Schema, a at) {
	oldTags, newTags := c.old.tags(old), c.new.tags(new)
	tag := common(oldTags, newTags)
	if tag == "" && len(oldTags)+len(newTags) > 0 {
		c.report("union-tag-changed", a, "", "the variants of %s are told apart by %s instead of %s", a.path,
			or(common(newTags, newTags), "their JSON types"), or(common(oldTags, oldTags), "their JSON types"))
		return
	}
	byKind := c.old.distinct(old) && c.new.distinct(new)
	if tag == "" && !byKind {
		c.opaque(&jsonschema.Schema{AnyOf: old}, &jsonschema.Schema{AnyOf: new}, a)
	}
	olds, news := c.old.variants(old, tag, byKind), c.new.variants(new, tag, byKind)
	for _, o := range olds {
		i := slices.IndexFunc(news, func(n variant) bool { return n.name == o.name })
		if i < 0 {
			c.report("union-variant-removed", a, "", "%s has no variant %s any more", a.path, o.name)
			continue
		}
		c.schemas(o.schema, news[i].schema, a.in(unquote(o.name), diag.Pos{}))
	}
	for _, n := range news {
		if !slices.ContainsFunc(olds, func(o variant) bool { return o.name == n.name }) {
			c.report("union-variant-added", a, "", "%s may be the variant %s", a.path, n.name)
		}
	}
}

// unquote returns the text of a tag as it is in a path.
func unquote(name string) string {
	var s string
	if json.Unmarshal([]byte(name), &s) == nil {
		return s
	}
	return name
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// common returns the first of a that is in b; "" when there is none.
func common(a, b []string) string {
	for _, s := range a {
		if slices.Contains(b, s) {
			return s
		}
	}
	return ""
}

// tags returns the fields that are another const in each variant, and required there, in alphabetical order.
func (p *Protocol) tags(list []*jsonschema.Schema) []string {
	first, ok := p.plain(list[0])
	if !ok {
		return nil
	}
	var out []string
	for _, candidate := range first.Properties {
		seen := make(map[string]bool)
		if !slices.ContainsFunc(list, func(v *jsonschema.Schema) bool {
			value := p.tagOf(v, candidate.Name)
			if value == "" || seen[value] {
				return true
			}
			seen[value] = true
			return false
		}) {
			out = append(out, candidate.Name)
		}
	}
	slices.Sort(out)
	return out
}

// tagOf returns the value that a field of a variant always has; "" when there is none.
func (p *Protocol) tagOf(v *jsonschema.Schema, name string) string {
	s, ok := p.plain(v)
	if !ok || !s.Requires(name) || s.Property(name) == nil {
		return ""
	}
	field, ok := p.plain(s.Property(name))
	switch {
	case !ok:
		return ""
	case field.Const == nil && len(field.Enum) == 1:
		return string(field.Enum[0])
	}
	return string(field.Const)
}

// distinct reports whether each alternative is of another JSON type.
func (p *Protocol) distinct(list []*jsonschema.Schema) bool {
	seen := map[string]bool{"": true}
	for _, v := range list {
		kind := p.kindOf(v)
		if kind == "integer" {
			kind = "number"
		}
		if seen[kind] {
			return false
		}
		seen[kind] = true
	}
	return true
}

func (p *Protocol) variants(list []*jsonschema.Schema, tag string, byKind bool) []variant {
	var out []variant
	for _, v := range list {
		name := text(v)
		switch {
		case tag != "":
			name = p.tagOf(v, tag)
		case byKind:
			if name = p.kindOf(v); name == "integer" {
				name = "number"
			}
		case v.Ref != "":
			name = v.Ref
		}
		out = append(out, variant{name, v})
	}
	return out
}
