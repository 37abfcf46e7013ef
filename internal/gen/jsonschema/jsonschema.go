// Package jsonschema prints what a protocol means as one JSON Schema 2020-12 document, with an entry of $defs for every
// type and every body of a message. Other tools may consume it, and it is what the fingerprint is made of.
package jsonschema

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/model"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o *object) add(key string, value any) { *o = append(*o, member{key, value}) }

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal is json.Marshal without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Canonical returns the document, indented and with a line end. It depends on what the file declares and in which order, not on how it
// is written.
func Canonical(api *model.API) ([]byte, error) {
	raw, err := marshal(document(api))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Fingerprint names what travels: 16 hex digits of the SHA-256 of the canonical schema and of what the frames have beside
// it. Comments, limits and the order of declarations do not change it.
func Fingerprint(api *model.API) (string, error) {
	raw, err := marshal(definitions(api, false))
	if err != nil {
		return "", err
	}
	var unordered any // encoding/json writes the keys of maps in their order
	if err := json.Unmarshal(raw, &unordered); err != nil {
		return "", err
	}
	sortNames(unordered)
	if raw, err = marshal(unordered); err != nil {
		return "", err
	}
	lines := make([]string, len(api.Messages))
	for i, m := range api.Messages {
		lines[i] = frames(m)
	}
	slices.Sort(lines)
	h := sha256.New()
	h.Write(raw)
	h.Write([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// sortNames sorts lists of names: required and enum.
func sortNames(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			sortNames(e)
		}
	case []any:
		slices.SortFunc(v, func(a, b any) int {
			x, _ := a.(string)
			y, _ := b.(string)
			return strings.Compare(x, y)
		})
		for _, e := range v {
			sortNames(e)
		}
	}
}

// frames is a text that is the same for messages whose frames are the same but for their bodies.
func frames(m *model.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %v", m.Wire, m.Direction, m.HasBody)
	if r := m.Room; r != nil {
		fmt.Fprintf(&b, " room %s %v", r.Kind.Name, r.Joined)
		for _, f := range r.Path {
			fmt.Fprintf(&b, " %q", f.Wire)
		}
	}
	if r := m.Request; r != nil {
		fmt.Fprintf(&b, " request %q %v", r.ResponseWire, r.ResponseBody)
		var codes []string
		for _, e := range r.Errors {
			codes = append(codes, e.Wire)
		}
		slices.Sort(codes)
		fmt.Fprintf(&b, " %q", codes)
	}
	return b.String()
}

func document(api *model.API) object {
	doc := object{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", api.Name}}
	if api.Version != "" {
		doc.add("version", api.Version)
	}
	if api.Doc != "" {
		doc.add("description", api.Doc)
	}
	doc.add("$defs", definitions(api, true))
	return doc
}

// definitions returns $defs, with or without what is only for people.
func definitions(api *model.API, docs bool) object {
	p := printer{docs: docs, bodiless: make(map[*model.Named]bool)}
	for _, m := range api.Messages {
		if !m.HasBody {
			p.bodiless[m.Payload] = true
		}
		if m.Request != nil && !m.Request.ResponseBody {
			p.bodiless[m.Request.Response] = true
		}
	}
	defs := object{}
	for _, n := range append(append([]*model.Named{}, api.Types...), api.Claims) {
		if n != nil && !p.bodiless[n] {
			defs.add(n.Path, p.named(n))
		}
	}
	return defs
}

type printer struct {
	docs     bool
	bodiless map[*model.Named]bool
}

func (p printer) named(n *model.Named) object {
	s := p.typ(n.Type)
	if p.docs && n.Doc != "" {
		s = append(object{{"description", n.Doc}}, s...)
	}
	return s
}

// typ returns the schema of a type.
func (p printer) typ(t *model.Type) object {
	s := p.plain(t)
	if !t.Nullable || len(s) == 0 { // an empty schema allows anything, null too
		return s
	}
	if name, ok := s[0].value.(string); ok && s[0].key == "type" {
		s[0].value = []string{name, "null"}
		return s
	}
	return object{{"anyOf", []object{s, {{"type", "null"}}}}}
}

var jsonTypes = map[model.Kind]string{
	model.String: "string", model.Bool: "boolean", model.Int64: "string", model.Uint64: "string", model.Float32: "number", model.Float64: "number",
	model.Bytes: "string", model.DateTime: "string", model.Object: "object", model.Enum: "string", model.Struct: "object",
	model.Array: "array", model.Map: "object",
}

var intFormats = map[model.Kind]string{
	model.Int8: "int8", model.Int16: "int16", model.Int32: "int32", model.Uint8: "uint8", model.Uint16: "uint16", model.Uint32: "uint32",
}

func (p printer) plain(t *model.Type) object {
	s := object{}
	if t.Kind.IsInt() {
		s.add("type", "integer")
	} else if name := jsonTypes[t.Kind]; name != "" {
		s.add("type", name)
	}
	switch t.Kind {
	case model.Ref:
		s.add("$ref", "#/$defs/"+reference(t.Ref.Path))
	case model.String:
		if t.Format != "" {
			s.add("format", t.Format)
		}
		s.sizes("minLength", "maxLength", t.MinLen, t.MaxLen)
	case model.Int64:
		s.add("format", "int64")
		s.add("pattern", "^(0|-?[1-9][0-9]{0,18})$")
	case model.Uint64:
		s.add("format", "uint64")
		s.add("pattern", "^(0|[1-9][0-9]{0,19})$")
	case model.Float32:
		s.add("format", "float")
	case model.DateTime:
		s.add("format", "date-time")
	case model.Bytes:
		s.add("contentEncoding", "base64")
		s.sizes("minLength", "maxLength", base64Length(t.MinLen), base64Length(t.MaxLen))
	case model.Enum:
		var values []string
		for _, v := range t.Values {
			values = append(values, v.Wire)
		}
		s.add("enum", values)
	case model.Array:
		s.add("items", p.typ(t.Elem))
		s.sizes("minItems", "maxItems", t.MinLen, t.MaxLen)
	case model.Map:
		s.add("additionalProperties", p.typ(t.Elem))
		if t.Key != nil {
			s.add("propertyNames", p.typ(t.Key))
		}
		s.sizes("minProperties", "maxProperties", t.MinLen, t.MaxLen)
	case model.Object:
		s.sizes("minProperties", "maxProperties", t.MinLen, t.MaxLen)
	case model.Struct:
		p.fields(&s, t)
	}
	s.numbers(t)
	return s
}

// numbers adds the bounds of a number.
func (o *object) numbers(t *model.Type) {
	if f := intFormats[t.Kind]; f != "" {
		o.add("format", f)
	}
	if t.Min != "" {
		o.add("minimum", json.Number(t.Min))
	}
	if t.Max != "" {
		o.add("maximum", json.Number(t.Max))
	}
}

func (o *object) sizes(low, high string, min, max *int) {
	if min != nil && *min > 0 {
		o.add(low, *min)
	}
	if max != nil {
		o.add(high, *max)
	}
}

// base64Length returns the length of n bytes as text.
func base64Length(n *int) *int {
	if n == nil {
		return nil
	}
	length := (*n + 2) / 3 * 4
	return &length
}

func (p printer) fields(s *object, t *model.Type) {
	properties, required := object{}, []string{}
	for _, f := range t.Fields {
		schema := p.typ(f.Type)
		if p.docs && f.Doc != "" {
			schema.add("description", f.Doc)
		}
		if p.docs && f.Deprecated != "" {
			schema.add("deprecated", true)
		}
		if f.Default != nil {
			schema.add("default", f.Default)
		}
		properties.add(f.Wire, schema)
		if !f.Optional && f.Default == nil {
			required = append(required, f.Wire)
		}
	}
	if len(properties) > 0 {
		s.add("properties", properties)
	}
	if len(required) > 0 {
		s.add("required", required)
	}
	s.add("additionalProperties", false)
}

// reference escapes a name for a JSON Pointer in a URI.
func reference(path string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(path))
}
