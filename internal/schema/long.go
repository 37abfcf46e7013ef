package schema

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// long reads a mapping with a deciding key: JSON Schema 2020-12, where a type may stand for each schema.
func (p *parser) long(n *node) *jsonschema.Schema {
	l := &longReader{p: p, n: n, keys: make(map[string]diag.Pos)}
	l.s = l.base()
	l.s.Pos = n.pos
	for _, e := range n.entries {
		l.keys[e.key] = e.pos
		if !l.refused(e) {
			l.keyword(e)
		}
	}
	src := l.s.Src()
	src.Long, src.Keys = true, l.keys
	src.Invalid = src.Invalid || l.bad
	l.finish()
	return l.s
}

// longReader reads one long form.
type longReader struct {
	p    *parser
	n    *node
	s    *jsonschema.Schema
	keys map[string]diag.Pos
	bad  bool
}

// jsonTypes are the values of type in JSON Schema.
var jsonTypes = []string{"string", "integer", "number", "boolean", "null", "array", "object"}

// base reads what the keywords are laid over: type, which may be a type expression, or fields.
func (l *longReader) base() *jsonschema.Schema {
	t, fields := l.n.get("type"), l.n.get("fields")
	switch {
	case fields != nil && fields.kind != mapping:
		l.p.errorf(fields.pos, "bad-type", "write fields: {type: string}, say", "fields must be a mapping of names to types")
		return invalid(l.n.pos)
	case fields != nil:
		return l.p.fieldMap(fields)
	case t == nil:
		return &jsonschema.Schema{}
	case t.kind == list:
		return l.typeList(t)
	case t.kind == scalar && slices.Contains([]string{"array", "null"}, t.text):
		return &jsonschema.Schema{Type: []string{t.text}}
	}
	return l.p.typ(t)
}

// typeList reads [T, "null"], or several of the JSON types.
func (l *longReader) typeList(t *node) *jsonschema.Schema {
	var types []string
	for _, item := range t.items {
		name := item.text
		if item.kind != scalar || !slices.Contains(jsonTypes, name) || slices.Contains(types, name) {
			l.p.errorf(item.pos, "bad-type",
				"write each of string, integer, number, boolean, array, object and null once at most",
				"%q cannot be in a list of types", name)
			return invalid(t.pos)
		}
		types = append(types, name)
	}
	switch plain := slices.DeleteFunc(slices.Clone(types), func(s string) bool { return s == "null" }); {
	case len(types) == 0:
		l.p.errorf(t.pos, "bad-type", "", "a list of types needs one at least")
		return invalid(t.pos)
	case len(plain) == 1:
		s := word(plain[0])
		if s == nil {
			s = &jsonschema.Schema{Type: plain}
		}
		if len(types) == 2 {
			s.Type = append(s.Type, "null")
		}
		return s
	}
	return &jsonschema.Schema{Type: types}
}

// refusals are keywords of JSON Schema that a protocol cannot have, and why.
var refusals = map[string][2]string{
	"$id":            {"a schema has no address of its own", "leave it away; refer to it as #/types/Name"},
	"$anchor":        {"anchors are not supported", "refer to the schema by its place: #/$defs/name"},
	"$dynamicRef":    {"dynamic references are not supported", "write $ref, with the schema that is meant"},
	"$dynamicAnchor": {"dynamic references are not supported", "write $ref, with the schema that is meant"},
	"$vocabulary":    {"vocabularies are not supported", "leave it away"},
}

func (l *longReader) refused(e entry) bool {
	why, ok := refusals[e.key]
	if ok {
		l.p.errorf(e.pos, "unsupported-keyword", why[1], "%s: %s", e.key, why[0])
		l.bad = true
	}
	return ok
}

// keyword reads one entry.
func (l *longReader) keyword(e entry) {
	if l.annotation(e) || l.stringKeyword(e) || l.arrayKeyword(e) || l.objectKeyword(e) || l.numberKeyword(e) {
		return
	}
	s := l.s
	switch e.key {
	case "enum":
		l.enum(e)
	case "const":
		s.Const = scalarValue(l.p.json(e.value))
	case "default":
		s.Default = l.p.json(e.value)
		s.Src().DefaultPos, s.Source.DefaultText = e.value.pos, string(s.Default)
	case "$ref":
		l.structural(e, s.Ref != "" || s.Source != nil && s.Source.Name != "")
		l.reference(e)
	case "$defs", "definitions":
		s.Src().Defs = append(s.Source.Defs, l.named(e)...)
	case "discriminator", "mapping":
		l.discriminator(e)
	case "allOf":
		s.AllOf = l.list(e)
	case "anyOf":
		l.structural(e, s.AnyOf != nil)
		s.AnyOf = l.list(e)
	case "oneOf":
		s.OneOf = l.list(e)
	case "not":
		s.Not = l.schema(e)
	case "if":
		s.If = l.schema(e)
	case "then":
		s.Then = l.schema(e)
	case "else":
		s.Else = l.schema(e)
	}
}

// reference reads $ref. The file that it names is loaded like an import.
func (l *longReader) reference(e entry) {
	ref := l.p.str(e.value, "$ref")
	l.s.Src().Pointer = ref.Value
	switch file, _, _ := strings.Cut(ref.Value, "#"); {
	case strings.Contains(file, "://") || strings.HasPrefix(file, "urn:"):
		l.p.errorf(ref.Pos, "bad-reference", "download it and refer to the file", "%s is on another machine", file)
		l.bad = true
	case file != "" && !strings.ContainsAny(file, "./\\"):
		l.p.errorf(ref.Pos, "bad-reference", "write #/types/"+file+", or the type "+file+" without $ref",
			"%q names no schema", ref.Value)
		l.bad = true
	case file != "":
		l.p.refs = append(l.p.refs, &Import{Path: Text{file, ref.Pos}})
	}
}

// scalarValue writes equal numbers the same.
func scalarValue(raw json.RawMessage) json.RawMessage {
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return json.RawMessage(number(string(raw)))
	}
	return raw
}

// structural refuses a keyword that the type has used.
func (l *longReader) structural(e entry, used bool) {
	if used {
		l.p.errorf(e.pos, "bad-type", "write both under allOf", "%s does not go with this type", e.key)
		l.bad = true
	}
}

func (l *longReader) schema(e entry) *jsonschema.Schema { return l.p.typ(e.value) }

func (l *longReader) list(e entry) []*jsonschema.Schema {
	if e.value.kind != list || len(e.value.items) == 0 {
		l.p.errorf(e.value.pos, "bad-type", "", "%s is a list of one type at least", e.key)
		l.bad = true
		return nil
	}
	out := make([]*jsonschema.Schema, len(e.value.items))
	for i, item := range e.value.items {
		out[i] = l.p.typ(item)
	}
	return out
}

func (l *longReader) named(e entry) []jsonschema.Property {
	if !l.p.isMapping(e.value, e.key) {
		l.bad = true
		return nil
	}
	out := make([]jsonschema.Property, len(e.value.entries))
	for i, m := range e.value.entries {
		t := l.p.fieldType(m.value)
		t.Description = or(t.Description, m.doc)
		out[i] = jsonschema.Property{Name: m.key, Pos: m.pos, Schema: t}
	}
	return out
}

func (l *longReader) strings(e entry) []string {
	var out []string
	if e.value.kind != list {
		l.p.errorf(e.value.pos, "bad-value", "", "%s is a list of names", e.key)
		l.bad = true
	}
	for _, item := range e.value.items {
		out = append(out, l.p.str(item, "a name").Value)
	}
	return out
}

func (l *longReader) flag(e entry) bool { return l.p.boolean(e.value, e.key) }

// size reads a whole number, which may be written 2.0.
func (l *longReader) size(e entry) *int {
	v := Rational(e.value.text)
	if e.value.kind != scalar || e.value.quoted || v == nil || !v.IsInt() || v.Sign() < 0 || !v.Num().IsInt64() ||
		v.Num().Int64() > MaxSize {
		l.p.errorf(e.value.pos, "bad-bounds", "", "%s is a whole number from 0 to %d", e.key, MaxSize)
		return nil
	}
	n := int(v.Num().Int64())
	return &n
}

// low is size where 0 says nothing.
func (l *longReader) low(e entry) *int {
	if n := l.size(e); n != nil && *n > 0 {
		return n
	}
	return nil
}

// discriminator reads the name of the tag, also as OpenAPI writes it, and the variants by their tags.
func (l *longReader) discriminator(e entry) {
	switch {
	case e.key == "mapping":
		if l.n.get("discriminator") == nil {
			l.p.errorf(e.pos, "missing-key", "add discriminator: kind, say: the field that tells the variants apart",
				"a mapping needs a discriminator")
			l.bad = true
			return
		}
		l.s.Src().Mapping = l.named(e)
		if len(l.s.Source.Mapping) == 0 {
			l.p.errorf(e.value.pos, "bad-type", "", "a mapping needs one variant at least")
			l.bad = true
		}
	case e.value.kind == mapping && e.value.get("propertyName") != nil:
		l.s.Discriminator = l.p.str(e.value.get("propertyName"), "propertyName").Value
	default:
		l.s.Discriminator = l.p.str(e.value, "discriminator").Value
	}
	if e.key == "discriminator" && l.n.get("mapping") == nil && l.n.get("oneOf") == nil && l.n.get("anyOf") == nil {
		l.p.errorf(e.pos, "missing-key", "add mapping: {value: Type}, or oneOf: [A, B]", "a discriminator needs variants")
		l.bad = true
	}
}

// annotation reads what no value is judged by.
func (l *longReader) annotation(e entry) bool {
	s := l.s
	switch e.key {
	case "type", "fields", "optional", "$schema", "$comment":
	case "title":
		s.Title = l.p.str(e.value, e.key).Value
	case "description":
		s.Description = l.p.str(e.value, e.key).Value
	case "deprecated":
		if s.DeprecatedText = l.p.deprecated(e.value); s.DeprecatedText != "" {
			s.Deprecated = true
		}
	case "readOnly":
		s.ReadOnly = l.flag(e)
	case "writeOnly":
		s.WriteOnly = l.flag(e)
	case "examples":
		l.examples(e)
	case "go":
		s.GoName = l.p.rename(e).Value
	case "ts":
		s.TSName = l.p.rename(e).Value
	case "x-enum-names":
		s.EnumNames = l.strings(e)
	default:
		if !strings.HasPrefix(e.key, "x-") {
			return false
		}
		if raw := l.p.json(e.value); raw != nil {
			s.Extra = append(s.Extra, jsonschema.Member{Key: e.key, Value: raw})
		}
	}
	return true
}

func (l *longReader) examples(e entry) {
	if e.value.kind != list {
		l.p.errorf(e.value.pos, "bad-value", "", "examples is a list of values")
		return
	}
	for _, item := range e.value.items {
		if raw := l.p.json(item); raw != nil {
			l.s.Examples = append(l.s.Examples, jsonschema.Example{Pos: item.pos, JSON: raw})
		}
	}
}
