package breaking

import (
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

func (c *comparison) objects(o, n *jsonschema.Schema, a at) {
	c.sizes("map-size", "another number of fields", o.MinProperties, o.MaxProperties, n.MinProperties, n.MaxProperties, a)
	oldMore, newMore := orAny(o.AdditionalProperties), orAny(n.AdditionalProperties)
	switch {
	case newMore.False && !oldMore.False:
		c.report("object-closed", a, "", "%s refuses unknown fields", a.path)
	case oldMore.False && !newMore.False:
		c.report("object-opened", a, "", "%s allows unknown fields", a.path)
	case !oldMore.False:
		c.schemas(oldMore, newMore, a.in("values", newMore.Pos))
	}
	if !c.same(keys(o), keys(n)) {
		c.report("map-key-changed", a, "", "%s allows other keys", a.path)
	}
	c.fields(o, n, a)
}

// keys is what an object asks of the names of its fields.
func keys(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{PropertyNames: s.PropertyNames, PatternProperties: s.PatternProperties}
}

// unnamed returns what an object asks of a field that it does not name; nil when there are none of those, or nothing is asked.
func unnamed(s *jsonschema.Schema) *jsonschema.Schema {
	if more := orAny(s.AdditionalProperties); !more.False && !more.IsAny() {
		return more
	}
	return nil
}

// fields pairs the fields of two objects by their names.
func (c *comparison) fields(o, n *jsonschema.Schema, a at) {
	var added []jsonschema.Property
	for _, p := range n.Properties {
		if o.Property(p.Name) == nil {
			added = append(added, p)
		}
	}
	for _, p := range o.Properties {
		inner := a.in(p.Name, a.pos)
		if more := unnamed(n); more != nil && n.Property(p.Name) == nil {
			c.field(p.Schema, more, o.Requires(p.Name), n.Requires(p.Name), inner)
			continue
		}
		if s := n.Property(p.Name); s != nil {
			i := slices.IndexFunc(n.Properties, func(q jsonschema.Property) bool { return q.Name == p.Name })
			inner.pos = n.Properties[i].Pos
			c.field(p.Schema, s, o.Requires(p.Name), n.Requires(p.Name), inner)
			continue
		}
		if i := slices.IndexFunc(added, func(q jsonschema.Property) bool {
			return text(q.Schema) == text(p.Schema) && o.Requires(p.Name) == n.Requires(q.Name)
		}); i >= 0 {
			inner.pos = added[i].Pos
			c.report("field-renamed", inner, "keep the old name", "%s is called %s", inner.path, added[i].Name)
			added = slices.Delete(added, i, i+1)
			continue
		}
		if open := orAny(n.AdditionalProperties).IsAny() && len(n.PatternProperties) == 0; open && a.direction == ClientToServer {
			continue // it may still be sent
		}
		c.goneField(o, p, inner)
	}
	for _, p := range added {
		inner := a.in(p.Name, p.Pos)
		if more := unnamed(o); more != nil {
			c.schemas(more, p.Schema, inner)
		}
		if n.Requires(p.Name) {
			c.report("field-added-required", inner, `make it "`+p.Name+`?:", or give it a default`, "%s is required now; old clients do not send it (was: absent in %s)", inner.path, c.label())
		} else {
			c.report("field-added-optional", inner, "", "%s is new", inner.path)
		}
	}
}

// goneField reports a field that is not there any more, at what was around it.
func (c *comparison) goneField(o *jsonschema.Schema, p jsonschema.Property, a at) {
	id := "field-removed-optional"
	if o.Requires(p.Name) {
		id = "field-removed-required"
	}
	c.report(id, a, "keep it with deprecated: for a while", "%s is gone (it was at %s in %s)", a.path, where(p.Pos), c.label())
}

// field compares a field that both versions have.
func (c *comparison) field(o, n *jsonschema.Schema, wasRequired, isRequired bool, a at) {
	switch {
	case wasRequired && !isRequired && n.Default != nil:
		c.report("field-default-added", a, "", "%s may be left out, and is %s then", a.path, n.Default)
	case wasRequired && !isRequired:
		c.report("field-became-optional", a, "give it a default", "%s may be left out", a.path)
	case !wasRequired && isRequired && o.Default != nil:
		c.report("field-default-removed/required", a, "keep the default", "%s is required now, and has no default any more", a.path)
	case !wasRequired && isRequired:
		c.report("field-became-required", a, `make it "?:", or give it a default`, "%s is required now", a.path)
	case o.Default == nil && n.Default != nil:
		c.report("field-default-changed", a, "", "%s is %s when it is left out, instead of absent", a.path, n.Default)
	case o.Default != nil && n.Default == nil:
		c.report("field-default-removed", a, "", "%s is not %s any more when it is left out", a.path, o.Default)
	case string(o.Default) != string(n.Default):
		c.report("field-default-changed", a, "", "%s is %s when it is left out, instead of %s", a.path, n.Default, o.Default)
	}
	if n.Deprecated && !o.Deprecated {
		c.report("field-deprecated", a, "", "%s is deprecated", a.path)
	}
	pos := a.pos
	c.schemas(o, n, a)
	a.pos = pos
}
