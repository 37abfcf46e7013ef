package jsonschema

import (
	"bytes"
	"encoding/json"
)

// Definitions are named schemas, in their order.
type Definitions []Property

// Get returns the schema of a name; nil when there is none.
func (d Definitions) Get(name string) *Schema {
	for _, p := range d {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}

// Object returns the definitions as the value of $defs.
func (d Definitions) Object(p Printer) Object {
	out := Object{}
	for _, def := range d {
		out.Add(def.Name, p.Schema(def.Schema))
	}
	return out
}

// Dialect is the value of $schema in documents.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Standalone returns a compact document of a schema with the definitions that it refers to, directly or not. lookup returns
// the definition of a name.
func Standalone(s *Schema, lookup func(name string) *Schema) ([]byte, error) {
	var names []string
	seen := make(map[string]bool)
	var collect func(s *Schema)
	collect = func(s *Schema) {
		if s.Ref != "" && !seen[s.Ref] {
			seen[s.Ref] = true
			names = append(names, s.Ref)
			if def := lookup(s.Ref); def != nil {
				collect(def)
			}
		}
		s.Children(func(_, _ string, child *Schema) { collect(child) })
	}
	collect(s)
	value := Printer{}.Schema(s)
	if len(names) > 0 {
		o := value.(Object) // false refers to nothing
		defs := Object{}
		for _, name := range names {
			if def := lookup(name); def != nil {
				defs.Add(name, Printer{}.Schema(def))
			}
		}
		o.Add("$defs", defs)
		value = o
	}
	return Marshal(value)
}

// Indent returns a value as indented JSON with a line end.
func Indent(v any) ([]byte, error) {
	raw, err := Marshal(v)
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
