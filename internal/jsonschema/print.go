package jsonschema

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// Object is a JSON object whose members keep their order.
type Object []Member

// Member is a member of an Object.
type Member struct {
	Key   string
	Value any
}

// Add appends a member.
func (o *Object) Add(key string, value any) { *o = append(*o, Member{key, value}) }

// MarshalJSON writes the members in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, v := range []any{m.Key, m.Value} {
			if j > 0 {
				b.WriteByte(':')
			}
			raw, err := Marshal(v)
			if err != nil {
				return nil, err
			}
			b.Write(raw)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Marshal is json.Marshal without escapes for HTML.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Reference returns the value of $ref for the definition of a name.
func Reference(name string) string {
	return "#/$defs/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
}

// A Printer writes schemas as JSON, keywords in a fixed order.
type Printer struct {
	Docs bool // with what no value is judged by
}

// Schema returns what stands for a schema in a JSON document: true, false or an Object.
func (p Printer) Schema(s *Schema) any {
	if s.False {
		return false
	}
	o, err := p.object(s)
	if err != nil {
		return false // what cannot be printed is a number, which was read from JSON
	}
	return o
}

func (p Printer) object(s *Schema) (Object, error) {
	o := Object{}
	if s.Ref != "" {
		o.Add("$ref", Reference(s.Ref))
	}
	switch len(s.Type) {
	case 0:
	case 1:
		o.Add("type", s.Type[0])
	default:
		o.Add("type", s.Type)
	}
	if s.Enum != nil {
		o.Add("enum", s.Enum)
	}
	if s.Const != nil {
		o.Add("const", s.Const)
	}
	p.strings(&o, s)
	p.numbers(&o, s)
	p.arrays(&o, s)
	p.objects(&o, s)
	p.combined(&o, s)
	if s.Default != nil {
		o.Add("default", s.Default)
	}
	if p.Docs {
		p.docs(&o, s)
	}
	return o, nil
}

func (o *Object) size(key string, n *int) {
	if n != nil {
		o.Add(key, *n)
	}
}

func (o *Object) text(key, s string) {
	if s != "" {
		o.Add(key, s)
	}
}

func (o *Object) flag(key string, set bool) {
	if set {
		o.Add(key, true)
	}
}

func (p Printer) one(o *Object, key string, s *Schema) {
	if s != nil {
		o.Add(key, p.Schema(s))
	}
}

func (p Printer) list(o *Object, key string, list []*Schema) {
	if len(list) == 0 {
		return
	}
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = p.Schema(s)
	}
	o.Add(key, out)
}

func (p Printer) named(o *Object, key string, list []Property) {
	if len(list) == 0 {
		return
	}
	out := Object{}
	for _, m := range list {
		out.Add(m.Name, p.Schema(m.Schema))
	}
	o.Add(key, out)
}

func (p Printer) strings(o *Object, s *Schema) {
	o.text("format", s.Format)
	o.size("minLength", s.MinLength)
	o.size("maxLength", s.MaxLength)
	o.text("pattern", s.Pattern)
	o.text("contentEncoding", s.ContentEncoding)
	o.text("contentMediaType", s.ContentMediaType)
	p.one(o, "contentSchema", s.ContentSchema)
}

func (p Printer) numbers(o *Object, s *Schema) {
	for _, n := range []Member{
		{"minimum", s.Minimum}, {"exclusiveMinimum", s.ExclusiveMinimum}, {"maximum", s.Maximum},
		{"exclusiveMaximum", s.ExclusiveMaximum}, {"multipleOf", s.MultipleOf},
	} {
		if n.Value != "" {
			o.Add(n.Key, json.RawMessage(n.Value.(string)))
		}
	}
}

func (p Printer) arrays(o *Object, s *Schema) {
	p.list(o, "prefixItems", s.PrefixItems)
	p.one(o, "items", s.Items)
	o.size("minItems", s.MinItems)
	o.size("maxItems", s.MaxItems)
	o.flag("uniqueItems", s.UniqueItems)
	p.one(o, "contains", s.Contains)
	o.size("minContains", s.MinContains)
	o.size("maxContains", s.MaxContains)
	p.one(o, "unevaluatedItems", s.UnevaluatedItems)
}

func (p Printer) objects(o *Object, s *Schema) {
	p.named(o, "properties", s.Properties)
	p.named(o, "patternProperties", s.PatternProperties)
	if len(s.Required) > 0 {
		o.Add("required", s.Required)
	}
	p.one(o, "additionalProperties", s.AdditionalProperties)
	p.one(o, "propertyNames", s.PropertyNames)
	o.size("minProperties", s.MinProperties)
	o.size("maxProperties", s.MaxProperties)
	p.one(o, "unevaluatedProperties", s.UnevaluatedProperties)
	if len(s.DependentRequired) > 0 {
		out := Object{}
		for _, d := range s.DependentRequired {
			out.Add(d.Name, append([]string{}, d.Required...))
		}
		o.Add("dependentRequired", out)
	}
	p.named(o, "dependentSchemas", s.DependentSchemas)
}

func (p Printer) combined(o *Object, s *Schema) {
	p.list(o, "allOf", s.AllOf)
	p.list(o, "anyOf", s.AnyOf)
	p.list(o, "oneOf", s.OneOf)
	p.one(o, "not", s.Not)
	p.one(o, "if", s.If)
	p.one(o, "then", s.Then)
	p.one(o, "else", s.Else)
}

func (p Printer) docs(o *Object, s *Schema) {
	o.text("title", s.Title)
	o.text("description", s.Description)
	o.flag("deprecated", s.Deprecated || s.DeprecatedText != "")
	o.flag("readOnly", s.ReadOnly)
	o.flag("writeOnly", s.WriteOnly)
	if len(s.Examples) > 0 {
		out := make([]json.RawMessage, len(s.Examples))
		for i, e := range s.Examples {
			out[i] = e.JSON
		}
		o.Add("examples", out)
	}
	o.text("x-discriminator", s.Discriminator)
	if s.EnumNames != nil {
		o.Add("x-enum-names", s.EnumNames)
	}
	if s.EnumDocs != nil {
		o.Add("x-enum-descriptions", s.EnumDocs)
	}
	*o = append(*o, s.Extra...)
}

func itoa(i int) string { return strconv.Itoa(i) }
