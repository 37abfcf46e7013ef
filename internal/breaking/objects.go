package breaking

import (
	"regexp"
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

func (c *comparison) objects(o, n *jsonschema.Schema, a at) {
	c.sizes("map-size", "another number of fields", o.MinProperties, o.MaxProperties, n.MinProperties, n.MaxProperties, a)
	oldMore, newMore := orAny(o.AdditionalProperties), orAny(n.AdditionalProperties)
	switch {
	case newMore.False && !oldMore.False:
		c.report("object-closed", a, "", "%s refuses unknown fields", a.path)
		if elem := elemOfClients(n, a); elem != nil && c.opts.AnyOrder {
			c.schemas(oldMore, elem, a.in("values", elem.Pos))
		}
	case oldMore.False && !newMore.False:
		c.report("object-opened", a, "", "%s allows unknown fields", a.path)
		if elem := elemOfClients(o, a); elem != nil {
			c.schemas(elem, newMore, a.in("values", newMore.Pos))
		}
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

// matching returns what the patterns of an object ask of a field.
func matching(s *jsonschema.Schema, name string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, p := range s.PatternProperties {
		if re, err := regexp.Compile(p.Name); err != nil || re.MatchString(name) {
			out = append(out, p.Schema)
		}
	}
	return out
}

// held returns what an object asks of a field that it names, by itself and by its patterns.
func held(s *jsonschema.Schema, p jsonschema.Property) *jsonschema.Schema {
	list := matching(s, p.Name)
	if len(list) == 0 {
		return p.Schema
	}
	own := p.Schema
	return &jsonschema.Schema{Pos: own.Pos, AllOf: append(list, own), Default: own.Default, Deprecated: own.Deprecated}
}

// unnamed returns what an object asks of a field that it does not name; nil when nobody sends one. Who has a struct for the
// object sends the fields that are in it, and is not asked about others; a map has any key.
func unnamed(s *jsonschema.Schema, name string) *jsonschema.Schema {
	if list := matching(s, name); len(list) > 0 {
		return &jsonschema.Schema{AllOf: list}
	}
	more := orAny(s.AdditionalProperties)
	if more.False || more.IsAny() && len(s.Properties) > 0 {
		return nil
	}
	return more
}

// elemOfClients returns what clients ask of all values of a map, where servers ask it of the keys of a pattern only: Go has
// one type for the values, and who reads leniently does not look at keys.
func elemOfClients(s *jsonschema.Schema, a at) *jsonschema.Schema {
	isMap := len(s.Properties) == 0 && len(s.PatternProperties) == 1 && orAny(s.AdditionalProperties).False
	if !isMap || a.direction != ServerToClient {
		return nil
	}
	return s.PatternProperties[0].Schema
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
		if i := slices.IndexFunc(n.Properties, func(q jsonschema.Property) bool { return q.Name == p.Name }); i >= 0 {
			inner.pos = n.Properties[i].Pos
			c.field(p.Schema, n.Properties[i].Schema, o.Requires(p.Name), n.Requires(p.Name), inner)
			continue
		}
		if more := unnamed(n, p.Name); more != nil {
			c.field(held(o, p), more, o.Requires(p.Name), n.Requires(p.Name), inner)
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
		if elem := elemOfClients(n, a); elem != nil && c.opts.AnyOrder {
			c.schemas(held(o, p), elem, inner)
		}
		c.goneField(o, p, inner)
	}
	for _, p := range added {
		c.newField(o, n, p, a)
	}
}

// newField reports a field that the old version does not name. It may have had it among others.
func (c *comparison) newField(o, n *jsonschema.Schema, p jsonschema.Property, a at) {
	more := unnamed(o, p.Name)
	if more == nil {
		more = elemOfClients(o, a)
	}
	a = a.in(p.Name, p.Pos)
	if more != nil {
		c.schemas(more, held(n, p), a)
	}
	if n.Requires(p.Name) {
		c.report("field-added-required", a, `make it "`+p.Name+`?:", or give it a default`,
			"%s is required now; old clients do not send it (was: absent in %s)", a.path, c.label())
	} else {
		c.report("field-added-optional", a, "", "%s is new", a.path)
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
		c.report("field-default-removed/required", a, "keep the default",
			"%s is required now, and has no default any more", a.path)
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
	c.schemas(o, n, a)
}
