package breaking

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/runtime/fallback"
)

// constants compares const and enum. It returns true when there is nothing more to compare.
func (c *comparison) constants(o, n plain, a at) bool {
	olds, news := listed(o.Schema), listed(n.Schema)
	if olds == nil && news == nil {
		return false
	}
	if c.same(o.Schema, n.Schema) {
		return true
	}
	switch {
	case o.Const != nil && n.Const != nil && string(o.Const) != string(n.Const):
		c.report("field-const-changed", a, "", "%s is always %s instead of %s", a.path, n.Const, o.Const)
		return true
	case olds == nil:
		c.report("enum-introduced", a, "", "%s takes some values only", a.path)
	case news == nil:
		c.report("enum-dissolved", a, "", "%s takes other values than those of the enum", a.path)
	}
	for _, v := range refused(news, o.Schema, c.old) {
		c.report("enum-value-added", a, "", "%s may be %s", a.path, v)
	}
	misfits := refused(olds, ofGoType(n.Schema), c.new)
	for _, v := range refused(olds, n.Schema, c.new) {
		id := "enum-value-removed"
		if news == nil && slices.ContainsFunc(misfits, func(m json.RawMessage) bool { return string(m) == string(v) }) {
			id += "/typed"
		}
		c.report(id, a, "", "%s may not be %s any more", a.path, v)
	}
	return true
}

// ofGoType returns what the Go type of a string or a number can hold: that much is asked by those who read leniently, too.
func ofGoType(s *jsonschema.Schema) *jsonschema.Schema {
	out := &jsonschema.Schema{Type: s.Type, ContentEncoding: s.ContentEncoding}
	if isTyped(s.Format) || !slices.Contains(s.Type, "string") {
		out.Format = s.Format
	}
	switch r, ok := jsonschema.IntRanges[s.Format]; {
	case isDigits(s):
		out.Pattern = s.Pattern
	case ok && s.Format != "" && isInteger(s):
		out.Minimum, out.Maximum = r[0], r[1]
	}
	return out
}

// listed returns the values that are allowed; nil when they are not listed. Null is not among them.
func listed(s *jsonschema.Schema) []json.RawMessage {
	if s.Const != nil {
		return []json.RawMessage{s.Const}
	}
	return slices.DeleteFunc(slices.Clone(s.Enum), func(v json.RawMessage) bool { return string(v) == "null" })
}

// refused returns the values that a schema does not allow.
func refused(values []json.RawMessage, s *jsonschema.Schema, p *Protocol) []json.RawMessage {
	if len(values) == 0 {
		return nil
	}
	compiled, err := fallback.Compile(document(s, p))
	if err != nil {
		return values
	}
	var out []json.RawMessage
	for _, raw := range values {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var v any
		right := dec.Decode(&v) == nil
		fallback.Of(compiled).Validate(v, func(string, string) { right = false })
		if !right {
			out = append(out, raw)
		}
	}
	return out
}

// types compares the JSON types. It returns those that are in both, or that nothing more is to be said.
func (c *comparison) types(o, n plain, a at) (shared []string, decided bool) {
	x, y := o.Schema, n.Schema
	same := len(x.Type) == len(y.Type) && covers(x.Type, y.Type) && covers(y.Type, x.Type)
	switch {
	case same:
		return y.Type, false
	case o.Const != nil && n.Const != nil:
		return nil, false
	case isDigits(x) && isInteger(y), isInteger(x) && isDigits(y):
		c.report("field-int-encoding-changed", a, "", "%s travels as %s instead of %s", a.path, kinds(y), kinds(x))
		return nil, true
	case covers(y.Type, x.Type):
		c.report("field-type-widened", a, "", "%s may be %s instead of %s", a.path, kinds(y), kinds(x))
		return x.Type, n.IsAny()
	case covers(x.Type, y.Type):
		c.report("field-type-narrowed", a, "", "%s may only be %s instead of %s", a.path, kinds(y), kinds(x))
		return y.Type, o.IsAny()
	}
	c.report("field-type-changed", a, "", "%s is %s instead of %s", a.path, kinds(y), kinds(x))
	return nil, true
}

func isDigits(s *jsonschema.Schema) bool {
	return (s.Format == "int64" || s.Format == "uint64") && slices.Equal(s.Type, []string{"string"})
}

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
		article := "a "
		if t == "integer" || t == "array" || t == "object" {
			article = "an "
		}
		out += article + t
	}
	return or(out, "anything")
}
