package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
)

// decidingKeys make a mapping a JSON Schema object rather than a field map. items is not among them: a cart has items.
var decidingKeys = []string{"type", "enum", "const", "$ref", "oneOf", "anyOf", "allOf", "not", "properties",
	"discriminator", "fields"}

// schemaKeywords are what may stand in a mapping with a deciding key.
var schemaKeywords = strings.Fields(`$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary
	additionalProperties allOf anyOf const contains contentEncoding contentMediaType contentSchema default definitions dependentRequired
	dependentSchemas deprecated description discriminator else enum examples exclusiveMaximum exclusiveMinimum fields format go if items
	mapping maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minProperties minimum multipleOf
	not oneOf optional pattern patternProperties prefixItems properties propertyNames readOnly required then title ts type
	unevaluatedItems unevaluatedProperties uniqueItems writeOnly`)

// typ reads a node in type position. After an error the schema is invalid.
func (p *parser) typ(n *node) *jsonschema.Schema {
	s := p.fieldType(n)
	if s.Default != nil && s.Source != nil && !s.Source.Long {
		p.errorf(s.Source.DefaultPos, "bad-default", onlyFieldHint, onlyField)
		s.Default = nil
	}
	return s
}

const (
	onlyField     = "only a field has a default"
	onlyFieldHint = "write it behind the type of a field"
)

// fieldType reads a node in the position of a field's type, where it may have a default.
func (p *parser) fieldType(n *node) *jsonschema.Schema {
	s := invalid(n.pos)
	switch {
	case n.kind == list:
		s = p.listType(n)
	case n.kind == mapping:
		s = p.mappingType(n)
	case n.kind == unreadable:
	case n.isNull():
		p.errorf(n.pos, "bad-type", "", "a type is missing")
	case n.tag == "!!bool" && !n.quoted:
		s = &jsonschema.Schema{False: !strings.EqualFold(n.text, "true")}
	default:
		s = p.expr(n)
	}
	if s.Pos.Line == 0 {
		s.Pos = n.pos
	}
	return s
}

func invalid(pos diag.Pos) *jsonschema.Schema {
	return &jsonschema.Schema{Pos: pos, Source: &jsonschema.Source{Invalid: true}}
}

func (p *parser) listType(n *node) *jsonschema.Schema {
	if len(n.items) != 1 {
		var words []string
		for _, item := range n.items {
			words = append(words, item.text)
		}
		p.errorf(n.pos, "bad-type", "for values of different types at each place write {type: array, prefixItems: [A, B]}",
			"[T] is an array of T and takes one type; for a fixed set of values write {enum: [%s]}", strings.Join(words, ", "))
		return invalid(n.pos)
	}
	return &jsonschema.Schema{Type: []string{"array"}, Items: p.typ(n.items[0])}
}

func (p *parser) mappingType(n *node) *jsonschema.Schema {
	i := slices.IndexFunc(n.entries, func(e entry) bool { return slices.Contains(decidingKeys, e.key) })
	if i < 0 && lacksType(n) {
		p.errorf(n.pos, "bad-type", "write {type: any, …}, or the type that is meant",
			"a mapping is JSON Schema when it has one of %s", strings.Join(decidingKeys, ", "))
		return invalid(n.pos)
	}
	if i < 0 {
		return p.fieldMap(n)
	}
	for _, e := range n.entries {
		switch {
		case e.key == "nullable":
			p.errorf(e.pos, "bad-type", "", `"nullable" is OpenAPI 3.0; write string | null`)
			return invalid(n.pos)
		case !slices.Contains(schemaKeywords, e.key) && !strings.HasPrefix(e.key, "x-"):
			p.notKeyword(n, e, n.entries[i].key)
			return invalid(n.pos)
		}
	}
	return p.long(n)
}

// lacksType reports whether a mapping without a deciding key is meant as JSON Schema all the same: all its keys are keywords, and
// some value could be no type.
func lacksType(n *node) bool {
	value := false
	for _, e := range n.entries {
		if !slices.Contains(schemaKeywords, e.key) {
			return false
		}
		v := e.value
		value = value || v.kind == scalar && !v.isString() && !v.quoted && !v.isNull() || e.key == "pattern" && v.quoted ||
			e.key == "required" && v.kind == list
	}
	return value
}

// notKeyword reports a key among keywords. When it is like one, it was meant to be.
func (p *parser) notKeyword(n *node, e entry, deciding string) {
	if s := names.Similar(e.key, schemaKeywords); s != "" && deciding != "type" {
		p.errorf(e.pos, "unknown-key", fmt.Sprintf("did you mean %q?", s), "%q is not a JSON Schema keyword", e.key)
		return
	}
	p.errorf(e.pos, "bad-type", "", "%q is not a JSON Schema keyword; for an object with a field called %q write fields: %s",
		e.key, deciding, flowText(n))
}

// flowText writes a small mapping as it would stand in a line.
func flowText(n *node) string {
	var parts []string
	for _, e := range n.entries {
		value := "…"
		if e.value.kind == scalar {
			value = e.value.text
		}
		parts = append(parts, e.key+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func yamlType(tag string) string {
	switch tag {
	case "!!null":
		return "null"
	case "!!bool":
		return "a boolean"
	}
	return "a number"
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// fieldMap reads name → type. A field whose type is wrong is there all the same: that it exists is known.
func (p *parser) fieldMap(n *node) *jsonschema.Schema {
	s := &jsonschema.Schema{Pos: n.pos, Type: []string{"object"}, AdditionalProperties: &jsonschema.Schema{False: true}}
	for _, e := range n.entries {
		name, optional := strings.CutSuffix(e.key, "?")
		if !p.fieldName(Text{name, e.pos}) || p.doubleField(s, name, e.pos) {
			continue
		}
		t := p.fieldType(e.value)
		optional = p.optional(t, e.value) || optional
		t.Description = or(t.Description, e.doc)
		s.Properties = append(s.Properties, jsonschema.Property{Name: name, Pos: e.pos, Schema: t})
		if !optional && t.Default == nil {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// optional reads `optional: true` of a field's long form.
func (p *parser) optional(t *jsonschema.Schema, n *node) bool {
	if t.Source == nil || !t.Source.Long {
		return false
	}
	o := n.get("optional")
	return o != nil && p.boolean(o, "optional")
}

// doubleField reports a field that is there already: nick and nick? are one.
func (p *parser) doubleField(s *jsonschema.Schema, name string, pos diag.Pos) bool {
	for _, f := range s.Properties {
		if f.Name == name {
			p.errorf(pos, "duplicate-key", fmt.Sprintf("the first is at line %d", f.Pos.Line),
				"the field %q is given twice", name)
			return true
		}
	}
	return false
}

func (p *parser) fieldName(name Text) bool {
	switch {
	case name.Value == "":
		p.errorf(name.Pos, "bad-name", "", "a field needs a name")
	case name.Value == "__proto__":
		p.errorf(name.Pos, "reserved-name", "", "a field called __proto__ would change objects in JavaScript")
	default:
		return true
	}
	return false
}

// nameText is the place of an entry's key.
func nameText(e entry) Text { return Text{Value: e.key, Pos: e.pos} }
