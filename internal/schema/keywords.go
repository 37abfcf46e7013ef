package schema

// This file reads the keywords that judge values, by the type of those values.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

func (l *longReader) stringKeyword(e entry) bool {
	s := l.s
	switch e.key {
	case "minLength":
		s.MinLength = l.low(e)
	case "maxLength":
		s.MaxLength = l.size(e)
	case "pattern":
		s.Pattern = l.p.pattern(e.value)
	case "format":
		s.Format = l.p.str(e.value, e.key).Value
	case "contentEncoding":
		s.ContentEncoding = l.p.str(e.value, e.key).Value
	case "contentMediaType":
		s.ContentMediaType = l.p.str(e.value, e.key).Value
	case "contentSchema":
		s.ContentSchema = l.schema(e)
	default:
		return false
	}
	return true
}

func (l *longReader) arrayKeyword(e entry) bool {
	s := l.s
	switch e.key {
	case "items":
		s.Items = l.schema(e)
	case "prefixItems":
		s.PrefixItems = l.list(e)
	case "minItems":
		s.MinItems = l.low(e)
	case "maxItems":
		s.MaxItems = l.size(e)
	case "uniqueItems":
		s.UniqueItems = l.flag(e)
	case "contains":
		s.Contains = l.schema(e)
	case "minContains":
		s.MinContains = l.size(e)
	case "maxContains":
		s.MaxContains = l.size(e)
	case "unevaluatedItems":
		s.UnevaluatedItems = l.schema(e)
	default:
		return false
	}
	return true
}

func (l *longReader) objectKeyword(e entry) bool {
	s := l.s
	switch e.key {
	case "properties":
		l.properties(e)
	case "required":
		for _, name := range l.strings(e) {
			if !slices.Contains(s.Required, name) {
				s.Required = append(s.Required, name)
			}
		}
	case "additionalProperties":
		s.AdditionalProperties = l.schema(e)
	case "patternProperties":
		s.PatternProperties = l.named(e)
		for i, entry := range e.value.entries {
			s.PatternProperties[i].Name = l.p.patternText(entry.key, entry.pos)
		}
	case "propertyNames":
		s.PropertyNames = l.schema(e)
	case "minProperties":
		s.MinProperties = l.low(e)
	case "maxProperties":
		s.MaxProperties = l.size(e)
	case "unevaluatedProperties":
		s.UnevaluatedProperties = l.schema(e)
	case "dependentRequired":
		l.dependent(e)
	case "dependentSchemas":
		s.DependentSchemas = l.named(e)
	default:
		return false
	}
	return true
}

func (l *longReader) properties(e entry) {
	for _, f := range l.named(e) {
		if !l.p.fieldName(Text{f.Name, f.Pos}) {
			l.bad = true
			continue
		}
		if !l.p.doubleField(l.s, f.Name, f.Pos) {
			l.s.Properties = append(l.s.Properties, f)
		}
	}
}

func (l *longReader) dependent(e entry) {
	if !l.p.isMapping(e.value, e.key) {
		l.bad = true
		return
	}
	for _, m := range e.value.entries {
		l.s.DependentRequired = append(l.s.DependentRequired, jsonschema.Dependent{Name: m.key, Required: l.strings(m)})
	}
}

func (l *longReader) numberKeyword(e entry) bool {
	s := l.s
	target := map[string]*string{"minimum": &s.Minimum, "maximum": &s.Maximum, "exclusiveMinimum": &s.ExclusiveMinimum,
		"exclusiveMaximum": &s.ExclusiveMaximum, "multipleOf": &s.MultipleOf}[e.key]
	if target == nil {
		return false
	}
	v := Rational(e.value.text)
	switch {
	case e.value.kind != scalar || e.value.quoted || v == nil || l.p.json(e.value) == nil:
		l.p.errorf(e.value.pos, "bad-bounds", "", "%s must be a number of at most 64 characters and an exponent of at most 400",
			e.key)
		l.bad = true
	case e.key == "multipleOf" && v.Sign() <= 0:
		l.p.errorf(e.value.pos, "bad-bounds", "", "multipleOf must be greater than 0")
		l.bad = true
	default:
		*target = number(e.value.text)
	}
	return true
}

// enum reads a list of values, or a mapping of strings to their texts.
func (l *longReader) enum(e entry) {
	n, s := e.value, l.s
	docs := false
	switch n.kind {
	case list:
		for _, item := range n.items {
			if l.notText(item) {
				continue
			}
			doc := strings.TrimSpace(strings.TrimLeft(item.comment, "# "))
			docs = l.enumValue(item, scalarValue(l.p.json(item)), doc) || docs
		}
	case mapping:
		for _, m := range n.entries {
			doc := m.doc
			if !m.value.isNull() {
				doc = l.p.str(m.value, "the text of a value").Value
			}
			docs = l.enumValue(&node{pos: m.pos, text: m.key}, quote(m.key), doc) || docs
		}
	default:
		l.p.errorf(n.pos, "bad-type", "", "enum must be a list of values such as [open, closed]")
		l.bad = true
		return
	}
	if l.bad = l.bad || len(s.Enum) == 0; len(n.items)+len(n.entries) == 0 {
		l.p.errorf(n.pos, "empty-enum", "", "an enum needs at least one value")
	}
	if !docs {
		s.EnumDocs = nil
	}
}

// notText refuses a value that YAML does not read as text, where it stands among values that are text without quotes.
func (l *longReader) notText(item *node) bool {
	if item.kind != scalar || item.isString() || item.quoted {
		return false
	}
	t, text := l.n.get("type"), false
	if t != nil {
		text = t.text == "string"
		if t.kind == list && item.isNull() {
			return false
		}
	}
	for _, other := range l.n.get("enum").items {
		text = text || other.isString() && !other.quoted
	}
	if text {
		l.p.errorf(item.pos, "enum-value", fmt.Sprintf("quote it: %q", item.text), "YAML reads %s as %s, not as a string",
			or(item.text, "nothing"), yamlType(item.tag))
		l.bad = true
	}
	return text
}

// enumValue adds a value, and reports whether it has a text.
func (l *longReader) enumValue(item *node, raw []byte, doc string) bool {
	s := l.s
	if raw == nil {
		l.bad = true
		return false
	}
	if slices.ContainsFunc(s.Enum, func(old json.RawMessage) bool { return string(old) == string(raw) }) {
		l.p.errorf(item.pos, "duplicate-value", "", "%q is in the enum twice", item.text)
		return false
	}
	s.Enum, s.EnumDocs = append(s.Enum, raw), append(s.EnumDocs, doc)
	s.Src().EnumPos = append(s.Source.EnumPos, item.pos)
	return doc != ""
}

// finish gives one form to what can be written in several.
func (l *longReader) finish() {
	s := l.s
	if s.Type == nil && l.allText() && s.Enum != nil {
		s.Type = []string{"string"}
	}
	if len(s.Type) > 0 && s.Type[0] == "integer" && l.n.get("type").kind != list || len(s.Type) == 2 && s.Type[0] == "integer" &&
		s.Type[1] == "null" {
		l.finishInteger()
	}
	if len(s.Type) > 1 && slices.Contains(s.Type, "integer") && !slices.Contains(s.Type, "number") {
		l.limitIntegers()
	}
	if len(s.Type) > 0 && s.Type[0] == "string" && s.Pattern == "" && s.Enum == nil {
		switch s.Format {
		case "int64":
			s.Pattern = jsonschema.Int64Pattern
		case "uint64":
			s.Pattern = jsonschema.Uint64Pattern
		}
	}
	l.orderRequired()
	l.checkSizes()
}

// allText reports whether an enum is written as in short form, so that all its values are text.
func (l *longReader) allText() bool {
	for _, raw := range l.s.Enum {
		if raw[0] != '"' {
			return false
		}
	}
	return true
}

// finishInteger applies the format to the range that integers have unless they say otherwise, and makes exclusive bounds
// inclusive.
func (l *longReader) finishInteger() {
	s := l.s
	if r, ok := jsonschema.IntRanges[s.Format]; ok && s.Format != "" {
		if l.n.get("minimum") == nil && l.n.get("type").text == "integer" {
			s.Minimum = r[0]
		}
		if l.n.get("maximum") == nil && l.n.get("type").text == "integer" {
			s.Maximum = r[1]
		}
	}
	if n := Rational(s.ExclusiveMinimum); n != nil && n.IsInt() {
		if above := add(n, 1); less(s.Minimum, above) {
			s.Minimum = above
		}
		s.ExclusiveMinimum = ""
	}
	if n := Rational(s.ExclusiveMaximum); n != nil && n.IsInt() {
		if below := add(n, -1); less(below, s.Maximum) {
			s.Maximum = below
		}
		s.ExclusiveMaximum = ""
	}
}

// limitIntegers gives integers among other types the range that they have alone.
func (l *longReader) limitIntegers() {
	r := jsonschema.IntRanges[""]
	if s := l.s; s.Minimum == "" || less(s.Minimum, r[0]) {
		s.Minimum = r[0]
	}
	if s := l.s; s.Maximum == "" || less(r[1], s.Maximum) {
		s.Maximum = r[1]
	}
}

// orderRequired puts required names into the order of the properties; what has a default there is not required.
func (l *longReader) orderRequired() {
	s := l.s
	var out []string
	for _, f := range s.Properties {
		if s.Requires(f.Name) {
			out = append(out, f.Name)
		}
	}
	for _, name := range s.Required {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	s.Required = out
}

// checkSizes refuses bounds that nothing fits between.
func (l *longReader) checkSizes() {
	s := l.s
	for _, b := range []struct {
		low, high *int
		key       string
	}{{s.MinLength, s.MaxLength, "maxLength"}, {s.MinItems, s.MaxItems, "maxItems"},
		{s.MinProperties, s.MaxProperties, "maxProperties"}} {
		if b.low != nil && b.high != nil && *b.low > *b.high {
			l.p.errorf(l.keyPos(b.key), "bad-bounds", "write the smaller number first", "nothing is between %d and %d",
				*b.low, *b.high)
		}
	}
	if s.Minimum != "" && s.Maximum != "" && less(s.Maximum, s.Minimum) {
		l.p.errorf(l.keyPos("maximum"), "bad-bounds", "make the minimum the smaller number", "nothing is between %s and %s",
			s.Minimum, s.Maximum)
	}
}

func (l *longReader) keyPos(keyword string) diag.Pos {
	if pos, ok := l.keys[keyword]; ok {
		return pos
	}
	return l.n.pos
}
