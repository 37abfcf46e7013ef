// Package jsonschema is the canonical form of types: JSON Schema 2020-12 without what has more than one spelling. Short and
// long forms of the language become the same Schema. It is what wsgen schema prints, what the lock file holds and what
// breaking changes are judged by.
package jsonschema

import (
	"encoding/json"

	"github.com/wsgen/wsgen/internal/diag"
)

// Schema is one schema. The zero value allows every value.
type Schema struct {
	Pos    diag.Pos // where it is written
	Source *Source  // how it is written; nil: nothing is to be known of it

	False bool   // the schema false: no value
	Ref   string // name of a definition: $ref is #/$defs/ and this; empty: none

	Type  []string          // JSON types; empty: any
	Enum  []json.RawMessage // compact; nil: none
	Const json.RawMessage   // compact; nil: none

	// Numbers, as literals; empty: none.
	Minimum, Maximum, ExclusiveMinimum, ExclusiveMaximum, MultipleOf string

	// Strings.
	MinLength, MaxLength              *int
	Pattern, Format                   string
	ContentEncoding, ContentMediaType string
	ContentSchema                     *Schema

	// Arrays.
	Items                *Schema
	PrefixItems          []*Schema
	MinItems, MaxItems   *int
	UniqueItems          bool
	Contains             *Schema
	MinContains          *int
	MaxContains          *int
	UnevaluatedItems     *Schema
	Properties           []Property // in file order
	Required             []string   // in the order of Properties, then others
	AdditionalProperties *Schema
	PatternProperties    []Property // Name is the pattern
	PropertyNames        *Schema
	MinProperties        *int
	MaxProperties        *int

	UnevaluatedProperties *Schema
	DependentRequired     []Dependent
	DependentSchemas      []Property

	AllOf, AnyOf, OneOf []*Schema
	Not, If, Then, Else *Schema

	Default json.RawMessage // compact; nil: none

	// What follows is for people and generators; no value is judged by it.
	Title, Description  string
	Deprecated          bool
	DeprecatedText      string // why, and what to use instead
	Examples            []Example
	ReadOnly, WriteOnly bool
	EnumDocs            []string // beside Enum, when any value has one
	EnumNames           []string // of x-enum-names, beside Enum
	Discriminator       string   // the tag of a union where more than one property could be it
	GoName, TSName      string   // of go: {name: …} and ts: {name: …}
	Extra               []Member // keywords x-…
}

// Property is a named schema.
type Property struct {
	Name   string
	Pos    diag.Pos // of the name
	Schema *Schema
}

// Dependent is an entry of dependentRequired.
type Dependent struct {
	Name     string
	Required []string
}

// Example is a value that the schema is said to allow.
type Example struct {
	Pos  diag.Pos
	JSON json.RawMessage // compact
}

// Nullable reports whether the schema is written as something or null: by its type, or as one of two alternatives. It does
// not follow $ref.
func (s *Schema) Nullable() bool {
	for _, t := range s.Type {
		if t == "null" && len(s.Type) > 1 {
			return true
		}
	}
	for _, list := range [][]*Schema{s.AnyOf, s.OneOf} {
		for _, v := range list {
			if v.IsNull() {
				return true
			}
		}
	}
	return false
}

// IsNull reports whether the schema is exactly {"type": "null"}.
func (s *Schema) IsNull() bool {
	return len(s.Type) == 1 && s.Type[0] == "null" && !s.constrains(true)
}

// IsAny reports whether the schema allows every value.
func (s *Schema) IsAny() bool {
	return !s.False && s.Ref == "" && len(s.Type) == 0 && !s.constrains(false)
}

// constrains reports whether there is any keyword that judges values, beside type.
func (s *Schema) constrains(ignoreType bool) bool {
	return !ignoreType && len(s.Type) > 0 || s.Ref != "" || s.False ||
		s.Enum != nil || s.Const != nil ||
		s.Minimum != "" || s.Maximum != "" || s.ExclusiveMinimum != "" || s.ExclusiveMaximum != "" || s.MultipleOf != "" ||
		s.MinLength != nil || s.MaxLength != nil || s.Pattern != "" || s.Format != "" || s.ContentEncoding != "" ||
		s.ContentMediaType != "" ||
		s.MinItems != nil || s.MaxItems != nil || s.UniqueItems || s.MinContains != nil || s.MaxContains != nil ||
		len(s.Required) > 0 || s.MinProperties != nil || s.MaxProperties != nil || len(s.DependentRequired) > 0 || s.hasChildren()
}

func (s *Schema) hasChildren() bool {
	return s.ContentSchema != nil || s.Items != nil || len(s.PrefixItems) > 0 || s.Contains != nil || s.UnevaluatedItems != nil ||
		len(s.Properties) > 0 || s.AdditionalProperties != nil || len(s.PatternProperties) > 0 || s.PropertyNames != nil ||
		s.UnevaluatedProperties != nil || len(s.DependentSchemas) > 0 ||
		len(s.AllOf) > 0 || len(s.AnyOf) > 0 || len(s.OneOf) > 0 || s.Not != nil || s.If != nil || s.Then != nil || s.Else != nil
}

// Property returns the schema of a property; nil when there is none.
func (s *Schema) Property(name string) *Schema {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}

// Requires reports whether a property must be there.
func (s *Schema) Requires(name string) bool {
	for _, r := range s.Required {
		if r == name {
			return true
		}
	}
	return false
}

// Children calls visit for each schema that stands directly in s, with the keyword and, for named ones, the name or index.
func (s *Schema) Children(visit func(keyword, name string, child *Schema)) {
	one := func(keyword string, child *Schema) {
		if child != nil {
			visit(keyword, "", child)
		}
	}
	named := func(keyword string, list []Property) {
		for _, p := range list {
			visit(keyword, p.Name, p.Schema)
		}
	}
	each := func(keyword string, list []*Schema) {
		for i, child := range list {
			visit(keyword, itoa(i), child)
		}
	}
	one("contentSchema", s.ContentSchema)
	each("prefixItems", s.PrefixItems)
	one("items", s.Items)
	one("contains", s.Contains)
	one("unevaluatedItems", s.UnevaluatedItems)
	named("properties", s.Properties)
	named("patternProperties", s.PatternProperties)
	one("additionalProperties", s.AdditionalProperties)
	one("propertyNames", s.PropertyNames)
	one("unevaluatedProperties", s.UnevaluatedProperties)
	named("dependentSchemas", s.DependentSchemas)
	each("allOf", s.AllOf)
	each("anyOf", s.AnyOf)
	each("oneOf", s.OneOf)
	one("not", s.Not)
	one("if", s.If)
	one("then", s.Then)
	one("else", s.Else)
}

// Source is what has to be known of how a schema is written, until its references are resolved and for findings.
type Source struct {
	Invalid bool     // an error about it is in the findings already
	Name    string   // a name in a type expression: Member or common.User; Ref is still empty then
	Bounds  diag.Pos // of bounds behind that name, which has bounds of its own
	Short   bool     // A | B: alternatives that must be told apart

	Long    bool                // a mapping with keywords: what #/… in it refers to
	Pointer string              // $ref as it is written; Ref is still empty then
	Defs    []Property          // $defs and definitions
	Mapping []Property          // tag → variant of discriminator and mapping; OneOf is still empty then
	Keys    map[string]diag.Pos // of keywords

	DefaultPos  diag.Pos
	DefaultText string     // as it is written
	EnumPos     []diag.Pos // beside Enum
	RoundedFrom string     // a bound of bytes that base64 text cannot tell apart from the one that is checked
}

// Src returns the Source of s, which is made if there is none.
func (s *Schema) Src() *Source {
	if s.Source == nil {
		s.Source = &Source{}
	}
	return s.Source
}

// Invalid reports whether there is an error in the schema that is reported already.
func (s *Schema) Invalid() bool { return s.Source != nil && s.Source.Invalid }

// KeyPos returns the place of a keyword, or of the schema.
func (s *Schema) KeyPos(keyword string) diag.Pos {
	if s.Source != nil {
		if pos, ok := s.Source.Keys[keyword]; ok {
			return pos
		}
	}
	return s.Pos
}
