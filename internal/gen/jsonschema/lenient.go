package jsonschema

import (
	"encoding/json"
	"slices"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// LenientDefinitions returns the definitions as clients read them, made from the same types as the code that does so:
// unknown fields, enum values and variants are allowed, and bounds are not checked.
func LenientDefinitions(api *model.API) jsonschema.Definitions {
	var out jsonschema.Definitions
	for _, n := range append(slices.Clone(api.Types), api.Claims) {
		if n == nil || api.Defs.Get(n.Path) == nil && n.Schema == nil {
			continue
		}
		out = append(out, jsonschema.Property{Name: n.Path, Schema: lenient(n.Type)})
	}
	return out
}

// lenient returns what clients accept for a type.
func lenient(t *model.Type) *jsonschema.Schema {
	s := lenientPlain(t)
	if !t.Nullable || s.IsAny() {
		return s
	}
	if len(s.Type) == 1 && s.AnyOf == nil {
		s.Type = append(s.Type, "null")
		return s
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: []string{"null"}}}}
}

// lenientTypes are the JSON types of kinds that need no more.
var lenientTypes = map[model.Kind]string{
	model.String: "string", model.Bool: "boolean", model.Float32: "number", model.Float64: "number", model.Object: "object",
	model.Enum: "string",
}

// intFormats are the formats whose ranges the Go types of integers have.
var intFormats = map[model.Kind]string{
	model.Int: "", model.IntEnum: "", model.Int8: "int8", model.Int16: "int16", model.Int32: "int32", model.Uint8: "uint8",
	model.Uint16: "uint16",
	model.Uint32: "uint32", model.Int64Number: "int64", model.Uint64Number: "uint64",
}

// LenientRange returns the least and the greatest integer of a kind that clients accept: those of its Go type.
func LenientRange(k model.Kind) (least, most string) {
	r := jsonschema.IntRanges[intFormats[k]]
	if k == model.Int || k == model.IntEnum {
		// The Go type int has 64 bits, and so have integers that a newer server allows.
		r = jsonschema.IntRanges["int64"]
	}
	return r[0], r[1]
}

func lenientPlain(t *model.Type) *jsonschema.Schema {
	if name := lenientTypes[t.Kind]; name != "" {
		s := &jsonschema.Schema{Type: []string{name}}
		if t.Kind == model.Float32 {
			s.Format = "float"
		}
		return s
	}
	if format, ok := intFormats[t.Kind]; ok {
		least, most := LenientRange(t.Kind)
		return &jsonschema.Schema{Type: []string{"integer"}, Format: format, Minimum: least, Maximum: most}
	}
	switch t.Kind {
	case model.Ref:
		return &jsonschema.Schema{Ref: t.Ref.Path}
	case model.Int64:
		return &jsonschema.Schema{Type: []string{"string"}, Format: "int64", Pattern: jsonschema.Int64Pattern}
	case model.Uint64:
		return &jsonschema.Schema{Type: []string{"string"}, Format: "uint64", Pattern: jsonschema.Uint64Pattern}
	case model.DateTime:
		return &jsonschema.Schema{Type: []string{"string"}, Format: "date-time"}
	case model.Bytes:
		return &jsonschema.Schema{Type: []string{"string"}, ContentEncoding: "base64"}
	case model.Array:
		return &jsonschema.Schema{Type: []string{"array"}, Items: notAny(lenient(t.Elem))}
	case model.Map:
		return &jsonschema.Schema{Type: []string{"object"}, AdditionalProperties: notAny(lenient(t.Elem))}
	case model.Box:
		return lenient(t.Elem)
	case model.Struct:
		return lenientStruct(t)
	case model.Tuple:
		return lenientTuple(t)
	case model.Union:
		return lenientUnion(t)
	case model.OneOf:
		return lenientOneOf(t)
	}
	return &jsonschema.Schema{} // Any
}

// lenientOneOf allows the types, and values of other JSON types than those.
func lenientOneOf(t *model.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	others := []string{"string", "number", "boolean", "array", "object"}
	for _, f := range t.Fields {
		s.AnyOf = append(s.AnyOf, lenient(f.Type))
		others = slices.DeleteFunc(others, func(kind string) bool { return kind == f.Wire })
	}
	if len(others) > 0 {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: others})
	}
	return s
}

// notAny leaves away what says nothing.
func notAny(s *jsonschema.Schema) *jsonschema.Schema {
	if s.IsAny() {
		return nil
	}
	return s
}

func lenientStruct(t *model.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: []string{"object"}}
	for _, f := range t.Fields {
		s.Properties = append(s.Properties, jsonschema.Property{Name: f.Wire, Schema: lenient(f.Type)})
		if !f.Optional && f.Default == nil {
			s.Required = append(s.Required, f.Wire)
		}
	}
	if t.Extra != nil {
		s.AdditionalProperties = notAny(lenient(t.Extra.Elem))
	}
	return s
}

func lenientTuple(t *model.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: []string{"array"}}
	for i, f := range t.Fields {
		s.PrefixItems = append(s.PrefixItems, lenient(f.Type))
		if !f.Optional {
			n := i + 1
			s.MinItems = &n
		}
	}
	if t.Elem != nil {
		s.Items = notAny(lenient(t.Elem))
	}
	return s
}

// lenientUnion allows the variants, and objects with another tag.
func lenientUnion(t *model.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	kind := "string"
	var known []json.RawMessage
	for _, v := range t.Union {
		raw := json.RawMessage(v.Tag)
		if !v.Int {
			raw, _ = json.Marshal(v.Tag) // a string always has a form
		} else {
			kind = "integer"
		}
		known = append(known, raw)
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Ref: v.Type.Path,
			Properties: []jsonschema.Property{{Name: t.Tag, Schema: &jsonschema.Schema{Const: raw}}}})
	}
	unknown := &jsonschema.Schema{Type: []string{kind}, Not: &jsonschema.Schema{Enum: known}}
	s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: []string{"object"}, Required: []string{t.Tag},
		Properties: []jsonschema.Property{{Name: t.Tag, Schema: unknown}}})
	return s
}
