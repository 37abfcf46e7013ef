package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
)

// decidingKeys make a mapping a JSON Schema object rather than a field map. items is not among them: a cart has items.
var decidingKeys = []string{"type", "enum", "const", "$ref", "oneOf", "anyOf", "allOf", "not", "properties", "discriminator", "fields"}

// schemaKeywords are what may stand in a mapping with a deciding key.
var schemaKeywords = strings.Fields(`$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary
	additionalProperties allOf anyOf const contains contentEncoding contentMediaType contentSchema default definitions dependentRequired
	dependentSchemas deprecated description discriminator else enum examples exclusiveMaximum exclusiveMinimum fields format if items
	mapping maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minProperties minimum multipleOf
	not oneOf optional pattern patternProperties prefixItems properties propertyNames readOnly required then title type
	unevaluatedItems unevaluatedProperties uniqueItems writeOnly`)

// typ reads a node in type position. After an error the type is Invalid.
func (p *parser) typ(n *node) *Type {
	t := p.fieldType(n)
	if t.Default != nil {
		p.errorf(t.Default.Pos, "bad-default", onlyFieldHint, onlyField)
		t.Default = nil
	}
	return t
}

const (
	onlyField     = "only a field has a default"
	onlyFieldHint = "write it behind the type of a field"
)

// fieldType reads a node in the position of a field's type, where it may have a default.
func (p *parser) fieldType(n *node) *Type {
	t := &Type{Shape: Invalid}
	switch {
	case n.kind == list:
		t = p.listType(n)
	case n.kind == mapping:
		t = p.mappingType(n)
	case n.kind == unreadable:
	case n.isNull():
		p.errorf(n.pos, "bad-type", "", "a type is missing")
	case n.tag == "!!bool" && !n.quoted:
		p.unsupported(n.pos, "a schema that is true or false is")
	default:
		t = p.expr(n)
	}
	if t.Pos.Line == 0 {
		t.Pos = n.pos
	}
	return t
}

func invalid() *Type { return &Type{Shape: Invalid} }

func (p *parser) listType(n *node) *Type {
	if len(n.items) != 1 {
		var words []string
		for _, item := range n.items {
			words = append(words, item.text)
		}
		p.errorf(n.pos, "bad-type", "", "[T] is an array of T and takes one type; for a fixed set of values write {enum: [%s]}", strings.Join(words, ", "))
		return invalid()
	}
	return &Type{Shape: ListOf, Elem: p.typ(n.items[0])}
}

func (p *parser) mappingType(n *node) *Type {
	i := slices.IndexFunc(n.entries, func(e entry) bool { return slices.Contains(decidingKeys, e.key) })
	if i < 0 {
		return p.fieldMap(n)
	}
	deciding := n.entries[i].key
	for _, e := range n.entries {
		switch {
		case e.key == "nullable":
			p.errorf(e.pos, "bad-type", "", `"nullable" is OpenAPI 3.0; write string | null`)
			return invalid()
		case !slices.Contains(schemaKeywords, e.key) && !strings.HasPrefix(e.key, "x-"):
			p.errorf(e.pos, "bad-type", "", "%q is not a JSON Schema keyword; for an object with a field called %q write fields: %s", e.key, deciding, flowText(n))
			return invalid()
		}
	}
	switch {
	case n.get("fields") != nil:
		return p.withDoc(n, p.fieldsType(n))
	case n.get("enum") != nil:
		return p.withDoc(n, p.enumType(n))
	}
	p.errorf(n.entries[i].pos, "unsupported", "use the short form, such as string(1..64), or fields: {…} for an object", "JSON Schema in long form is not supported yet")
	return invalid()
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

// withDoc lets a description beside the deciding key document the type.
func (p *parser) withDoc(n *node, t *Type) *Type {
	if d := n.get("description"); d != nil {
		t.Doc = p.str(d, "description").Value
	}
	return t
}

// others reports keys of a schema object that do not go with its deciding key yet.
func (p *parser) others(n *node, known ...string) bool {
	ok := true
	for _, e := range n.entries {
		if !slices.Contains(known, e.key) && !strings.HasPrefix(e.key, "x-") {
			p.unsupported(e.pos, fmt.Sprintf("%q beside %q is", e.key, known[0]))
			ok = false
		}
	}
	return ok
}

func (p *parser) fieldsType(n *node) *Type {
	fields := n.get("fields")
	if !p.others(n, "fields", "description") {
		return invalid()
	}
	if fields.kind != mapping {
		p.errorf(fields.pos, "bad-type", "write fields: {type: string}, say", "fields must be a mapping of names to types")
		return invalid()
	}
	return p.fieldMap(fields)
}

func (p *parser) enumType(n *node) *Type {
	values := n.get("enum")
	if kind := n.get("type"); kind != nil && kind.text != "string" {
		p.unsupported(kind.pos, "an enum of anything but strings is")
		return invalid()
	}
	if !p.others(n, "enum", "type", "description") {
		return invalid()
	}
	t := &Type{Shape: Enum}
	seen := make(map[string]bool)
	switch values.kind {
	case list:
		for _, item := range values.items {
			p.enumValue(t, seen, item)
		}
	case mapping:
		for _, e := range values.entries {
			doc := e.doc
			if !e.value.isNull() {
				doc = p.str(e.value, "the text of a value").Value
			}
			p.addValue(t, seen, nameText(e), doc)
		}
	default:
		p.errorf(values.pos, "bad-type", "", "enum must be a list of values such as [open, closed]")
		return invalid()
	}
	if len(values.items)+len(values.entries) == 0 {
		p.errorf(values.pos, "empty-enum", "", "an enum needs at least one value")
	}
	if len(t.Values) == 0 {
		return invalid()
	}
	return t
}

func (p *parser) enumValue(t *Type, seen map[string]bool, item *node) {
	if item.kind != scalar {
		p.errorf(item.pos, "bad-type", "", "an enum holds strings")
		return
	}
	if !item.isString() {
		p.errorf(item.pos, "enum-value", fmt.Sprintf("quote it: %q", item.text), "YAML reads %s as %s, not as a string", or(item.text, "nothing"), yamlType(item.tag))
		return
	}
	p.addValue(t, seen, Text{item.text, item.pos}, strings.TrimSpace(strings.TrimLeft(item.comment, "# ")))
}

func (p *parser) addValue(t *Type, seen map[string]bool, v Text, doc string) {
	if seen[v.Value] {
		p.errorf(v.Pos, "duplicate-value", "", "%q is in the enum twice", v.Value)
		return
	}
	seen[v.Value] = true
	t.Values = append(t.Values, EnumValue{Value: v, Doc: doc})
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
func (p *parser) fieldMap(n *node) *Type {
	t := &Type{Shape: Object}
	seen := make(map[string]diag.Pos)
	for _, e := range n.entries {
		f := &Field{Name: Text{e.key, e.pos}, Doc: e.doc}
		if name, ok := strings.CutSuffix(e.key, "?"); ok {
			f.Name.Value, f.Optional = name, true
		}
		if !p.fieldName(f.Name) {
			continue
		}
		if first, dup := seen[f.Name.Value]; dup {
			p.errorf(e.pos, "duplicate-key", fmt.Sprintf("the first is at line %d", first.Line), "the field %q is given twice", f.Name.Value)
			continue
		}
		seen[f.Name.Value] = e.pos
		f.Type = p.fieldType(e.value)
		if f.Type.Shape != Enum {
			f.Doc = or(f.Type.Doc, f.Doc)
		}
		t.Fields = append(t.Fields, f)
	}
	return t
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
