package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// maxNesting is how deep schemas may stand in each other.
const maxNesting = 200

// Parse reads what Printer{Docs: true} has written. A keyword that it does not write is an error.
func Parse(raw json.RawMessage) (*Schema, error) { return parse(raw, 0) }

// ParseDefinitions reads the value of $defs, in its order.
func ParseDefinitions(raw json.RawMessage) (Definitions, error) {
	list, err := named(raw, 0)
	return Definitions(list), err
}

func parse(raw json.RawMessage, depth int) (*Schema, error) {
	switch string(bytes.TrimSpace(raw)) {
	case "true":
		return &Schema{}, nil
	case "false":
		return &Schema{False: true}, nil
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d levels deep", maxNesting)
	}
	members, err := Members(raw)
	if err != nil {
		return nil, err
	}
	s := &Schema{}
	for _, m := range members {
		if err := s.keyword(m.Key, m.Value.(json.RawMessage), depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Key, err)
		}
	}
	return s, nil
}

// Members returns the members of an object in their order; each Value is a json.RawMessage.
func Members(raw json.RawMessage) (Object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not an object: %.40s", raw)
	}
	var out Object
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		out.Add(key.(string), value)
	}
	return out, nil
}

func named(raw json.RawMessage, depth int) ([]Property, error) {
	members, err := Members(raw)
	if err != nil {
		return nil, err
	}
	var out []Property
	for _, m := range members {
		s, err := parse(m.Value.(json.RawMessage), depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Key, err)
		}
		out = append(out, Property{Name: m.Key, Schema: s})
	}
	return out, nil
}

func (s *Schema) keyword(key string, raw json.RawMessage, depth int) error {
	if target := s.schemaOf(key); target != nil {
		var err error
		*target, err = parse(raw, depth)
		return err
	}
	if target := s.listOf(key); target != nil {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, item := range list {
			one, err := parse(item, depth)
			if err != nil {
				return err
			}
			*target = append(*target, one)
		}
		return nil
	}
	if target := s.namedOf(key); target != nil {
		var err error
		*target, err = named(raw, depth)
		return err
	}
	if target := s.numberOf(key); target != nil {
		*target = string(raw)
		return nil
	}
	if target := s.plain(key); target != nil {
		return json.Unmarshal(raw, target)
	}
	return s.special(key, raw)
}

func (s *Schema) schemaOf(key string) **Schema {
	return map[string]**Schema{"contentSchema": &s.ContentSchema, "items": &s.Items, "contains": &s.Contains,
		"unevaluatedItems":     &s.UnevaluatedItems,
		"additionalProperties": &s.AdditionalProperties, "propertyNames": &s.PropertyNames,
		"unevaluatedProperties": &s.UnevaluatedProperties,
		"not":                   &s.Not, "if": &s.If, "then": &s.Then, "else": &s.Else}[key]
}

func (s *Schema) listOf(key string) *[]*Schema {
	return map[string]*[]*Schema{"prefixItems": &s.PrefixItems, "allOf": &s.AllOf, "anyOf": &s.AnyOf, "oneOf": &s.OneOf}[key]
}

func (s *Schema) namedOf(key string) *[]Property {
	return map[string]*[]Property{"properties": &s.Properties, "patternProperties": &s.PatternProperties,
		"dependentSchemas": &s.DependentSchemas}[key]
}

func (s *Schema) numberOf(key string) *string {
	return map[string]*string{"minimum": &s.Minimum, "maximum": &s.Maximum, "exclusiveMinimum": &s.ExclusiveMinimum,
		"exclusiveMaximum": &s.ExclusiveMaximum, "multipleOf": &s.MultipleOf}[key]
}

// plain returns where encoding/json puts the value of a keyword.
func (s *Schema) plain(key string) any {
	return map[string]any{"minLength": &s.MinLength, "maxLength": &s.MaxLength, "pattern": &s.Pattern, "format": &s.Format,
		"contentEncoding": &s.ContentEncoding, "contentMediaType": &s.ContentMediaType, "minItems": &s.MinItems,
		"maxItems":    &s.MaxItems,
		"uniqueItems": &s.UniqueItems, "minContains": &s.MinContains, "maxContains": &s.MaxContains, "required": &s.Required,
		"minProperties": &s.MinProperties, "maxProperties": &s.MaxProperties, "title": &s.Title, "description": &s.Description,
		"deprecated": &s.Deprecated, "readOnly": &s.ReadOnly, "writeOnly": &s.WriteOnly, "x-discriminator": &s.Discriminator,
		"x-enum-names": &s.EnumNames, "x-enum-descriptions": &s.EnumDocs}[key]
}

func (s *Schema) special(key string, raw json.RawMessage) error {
	switch key {
	case "enum":
		if err := json.Unmarshal(raw, &s.Enum); err != nil {
			return err
		}
		for i, v := range s.Enum {
			s.Enum[i] = compactOf(v)
		}
	case "const":
		s.Const = compactOf(raw)
	case "default":
		s.Default = compactOf(raw)
	case "type":
		if json.Unmarshal(raw, &s.Type) == nil {
			return nil
		}
		s.Type = make([]string, 1)
		return json.Unmarshal(raw, &s.Type[0])
	case "$ref":
		var ref string
		if err := json.Unmarshal(raw, &ref); err != nil {
			return err
		}
		name, err := url.PathUnescape(strings.TrimPrefix(ref, "#/$defs/"))
		s.Ref = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		return err
	case "dependentRequired":
		members, err := Members(raw)
		if err != nil {
			return err
		}
		for _, m := range members {
			d := Dependent{Name: m.Key}
			if err := json.Unmarshal(m.Value.(json.RawMessage), &d.Required); err != nil {
				return err
			}
			s.DependentRequired = append(s.DependentRequired, d)
		}
	case "examples":
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, e := range list {
			s.Examples = append(s.Examples, Example{JSON: compactOf(e)})
		}
	default:
		if !strings.HasPrefix(key, "x-") {
			return fmt.Errorf("unknown keyword")
		}
		s.Extra = append(s.Extra, Member{key, compactOf(raw)})
	}
	return nil
}

func compactOf(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}
