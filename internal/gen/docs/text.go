package docs

// This file writes types as the short form of the language has them, as far as it has a form for them.

import (
	"slices"
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// words is a type's text in the making.
type words struct {
	b     *builder
	parts []Part
}

func (w *words) add(text string) {
	if n := len(w.parts); n > 0 && w.parts[n-1].Link == "" {
		w.parts[n-1].Text += text
		return
	}
	w.parts = append(w.parts, Part{Text: text})
}

func (b *builder) typeText(s *jsonschema.Schema) []Part {
	w := &words{b: b}
	w.schema(s)
	return w.parts
}

func (w *words) schema(s *jsonschema.Schema) {
	switch {
	case s.Ref != "" && w.b.declared(s.Ref):
		w.parts = append(w.parts, Part{s.Ref, anchor("type-" + s.Ref)})
	case s.Ref != "":
		if d := w.b.api.Defs.Get(s.Ref); d != nil && d.Ref == "" {
			w.add(s.Ref)
		}
	case s.False:
		w.add("nothing")
	case s.Const != nil:
		w.add(string(s.Const))
	case s.Enum != nil:
		w.enum(s)
	case len(s.AnyOf) > 0:
		w.list(s.AnyOf, " | ")
	case len(s.OneOf) > 0:
		w.list(s.OneOf, " | ")
	case len(s.AllOf) > 0:
		w.list(s.AllOf, " & ")
	case len(s.Type) == 0:
		w.add("any")
	default:
		w.typed(s)
	}
}

func (w *words) list(list []*jsonschema.Schema, between string) {
	for i, s := range list {
		if i > 0 {
			w.add(between)
		}
		w.schema(s)
	}
}

func (w *words) enum(s *jsonschema.Schema) {
	const shown = 12
	for i, v := range s.Enum {
		if i > 0 {
			w.add(" | ")
		}
		if i == shown {
			w.add("…")
			return
		}
		w.add(string(v))
	}
}

// typed writes a schema that names JSON types.
func (w *words) typed(s *jsonschema.Schema) {
	for i, kind := range s.Type {
		if i > 0 {
			w.add(" | ")
		}
		switch kind {
		case "string":
			w.text(s)
		case "integer", "number":
			w.number(s, kind)
		case "array":
			w.array(s)
		case "object":
			w.object(s)
		case "boolean":
			w.add("bool")
		default:
			w.add(kind)
		}
	}
}

func (w *words) text(s *jsonschema.Schema) {
	switch {
	case s.ContentEncoding == "base64":
		w.add("bytes")
		w.sizes(decoded(s.MinLength), decoded(s.MaxLength))
	case s.Format == "int64" || s.Format == "uint64":
		w.add(s.Format)
	case s.Format != "":
		w.add(s.Format)
		w.sizes(s.MinLength, s.MaxLength)
	default:
		w.add("string")
		w.sizes(s.MinLength, s.MaxLength)
	}
	if s.Pattern != "" && s.Pattern != jsonschema.Int64Pattern && s.Pattern != jsonschema.Uint64Pattern {
		w.add(" matching " + s.Pattern)
	}
}

// decoded returns how many bytes base64 text of n characters holds.
func decoded(n *int) *int {
	if n == nil {
		return nil
	}
	bytes := *n / 4 * 3
	return &bytes
}

func (w *words) sizes(low, high *int) {
	switch {
	case low == nil && high == nil:
	case low != nil && high != nil && *low == *high:
		w.add("(" + strconv.Itoa(*low) + ")")
	default:
		w.add("(" + sizeText(low) + ".." + sizeText(high) + ")")
	}
}

func sizeText(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func (w *words) number(s *jsonschema.Schema, kind string) {
	name, low, high := "float", s.Minimum, s.Maximum
	if kind == "integer" {
		name = "int"
		if s.Format != "" {
			name = s.Format
		}
		r := jsonschema.IntRanges[s.Format]
		if low == r[0] {
			low = ""
		}
		if high == r[1] {
			high = ""
		}
	} else if s.Format == "float" {
		name = "float32"
	}
	w.add(name)
	if low != "" || high != "" {
		w.add("(" + low + ".." + high + ")")
	}
	for _, more := range [][2]string{{"greater than ", s.ExclusiveMinimum}, {"less than ", s.ExclusiveMaximum},
		{"a multiple of ", s.MultipleOf}} {
		if more[1] != "" {
			w.add(", " + more[0] + more[1])
		}
	}
}

func (w *words) array(s *jsonschema.Schema) {
	if len(s.PrefixItems) > 0 {
		w.add("[")
		w.list(s.PrefixItems, ", ")
		if s.Items == nil || !s.Items.False {
			w.add(", …")
		}
		w.add("]")
		return
	}
	if s.Items == nil {
		w.add("any[]")
	} else {
		group := len(s.Items.AnyOf)+len(s.Items.OneOf)+len(s.Items.Enum) > 1 || len(s.Items.Type) > 1
		if group {
			w.add("(")
		}
		w.schema(s.Items)
		if group {
			w.add(")")
		}
		w.add("[]")
	}
	w.sizes(s.MinItems, s.MaxItems)
	if s.UniqueItems {
		w.add(", all different")
	}
}

func (w *words) object(s *jsonschema.Schema) {
	switch {
	case len(s.Properties) > 0:
		w.members(s)
	case s.AdditionalProperties != nil && !s.AdditionalProperties.False:
		w.add("map<")
		if s.PropertyNames != nil {
			w.schema(s.PropertyNames)
			w.add(", ")
		}
		w.schema(s.AdditionalProperties)
		w.add(">")
		w.sizes(s.MinProperties, s.MaxProperties)
	default:
		w.add("object")
		w.sizes(s.MinProperties, s.MaxProperties)
	}
}

func (w *words) members(s *jsonschema.Schema) {
	w.add("{")
	for i, p := range s.Properties {
		if i > 0 {
			w.add(", ")
		}
		w.add(p.Name)
		if !slices.Contains(s.Required, p.Name) {
			w.add("?")
		}
		w.add(": ")
		w.schema(p.Schema)
	}
	if s.AdditionalProperties == nil || !s.AdditionalProperties.False {
		w.add(", …")
	}
	w.add("}")
}
