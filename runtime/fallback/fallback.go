// Package fallback judges values by the parts of JSON Schema that generated code does not check itself, such as not, if
// and unevaluatedProperties. It is github.com/santhosh-tekuri/jsonschema/v5 with formats and content asserted as package
// codec judges them, and guarded against the numbers that it fails on.
package fallback

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/runtime/codec"
)

// Schema is a JSON Schema 2020-12 document that is compiled when it is first needed. It is safe for concurrent use.
type Schema struct {
	compiled func() *jsonschema.Schema
}

// New returns the schema of a document, which the generator has made; Validate panics for one that is wrong.
func New(text string) *Schema {
	return &Schema{sync.OnceValue(func() *jsonschema.Schema {
		s, err := Compile(text)
		if err != nil {
			panic(err)
		}
		return s
	})}
}

// Of returns the schema of a document that was compiled by Compile.
func Of(compiled *jsonschema.Schema) *Schema {
	return &Schema{func() *jsonschema.Schema { return compiled }}
}

// Compile returns a document as the library's own schema. References must not lead out of it: nothing is read from files or
// the network. The schema is safe for concurrent use, but panics on numbers that codec.GuardNumber refuses.
func Compile(text string) (*jsonschema.Schema, error) {
	const location = "wsgen:///schema.json" // not relative: the library would make a path of this machine of it
	c := jsonschema.NewCompiler()
	c.LoadURL = func(ref string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("a reference must not leave the document: %s", ref)
	}
	c.Draft = jsonschema.Draft2020
	c.AssertFormat, c.AssertContent = true, true
	c.Decoders["base64"] = func(s string) ([]byte, error) {
		if strings.ContainsAny(s, "\r\n") {
			return nil, errors.New("line ends in base64")
		}
		return base64.StdEncoding.Strict().DecodeString(s)
	}
	for name := range jsonschema.Formats {
		c.Formats[name] = anything // what codec does not know is an annotation
	}
	for name, f := range codec.Formats() {
		c.Formats[name] = func(v any) bool {
			s, ok := v.(string)
			return !ok || f.Match(s)
		}
	}
	if err := c.AddResource(location, strings.NewReader(text)); err != nil {
		return nil, fmt.Errorf("fallback: %w", err)
	}
	s, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("fallback: %w", err)
	}
	return s, nil
}

func anything(any) bool { return true }

// Validate implements codec.Validator. The findings are sorted by their place.
func (s *Schema) Validate(v any, report func(path, message string)) {
	if path, message := guard(v, ""); message != "" {
		report(path, message)
		return
	}
	for _, f := range findings(s.compiled(), v) {
		report(f.path, f.message)
	}
}

type finding struct{ path, message string }

// findings returns what the library finds. A panic of it is a finding, too: values come from anybody.
func findings(s *jsonschema.Schema, v any) (out []finding) {
	defer func() {
		if p := recover(); p != nil {
			out = []finding{{"", "cannot be checked"}}
		}
	}()
	var invalid *jsonschema.ValidationError
	if err := s.Validate(v); err == nil {
		return nil
	} else if !errors.As(err, &invalid) {
		return []finding{{"", "cannot be checked: " + err.Error()}}
	}
	leaves(invalid, &out)
	slices.SortFunc(out, func(a, b finding) int {
		return strings.Compare(a.path+"\x00"+a.message, b.path+"\x00"+b.message)
	})
	return slices.Compact(out)
}

// leaves collects what the errors come from.
func leaves(e *jsonschema.ValidationError, out *[]finding) {
	if len(e.Causes) == 0 {
		*out = append(*out, finding{Pointer(e.InstanceLocation), e.Message})
	}
	for _, cause := range e.Causes {
		leaves(cause, out)
	}
}

// Pointer returns a place that the library reports, which has the escapes of a URL, as a plain JSON Pointer.
func Pointer(location string) string {
	plain, err := url.PathUnescape(location)
	if err != nil {
		return location
	}
	return plain
}

// guard finds numbers that the library panics on, or takes megabytes for.
func guard(v any, path string) (where, message string) {
	switch v := v.(type) {
	case json.Number:
		return path, codec.GuardNumber(string(v))
	case []any:
		for i, item := range v {
			if where, message = guard(item, fmt.Sprintf("%s/%d", path, i)); message != "" {
				return where, message
			}
		}
	case map[string]any:
		for key, item := range codec.Sorted(v) {
			if where, message = guard(item, path+"/"+codec.EscapePointer(key)); message != "" {
				return where, message
			}
		}
	}
	return path, ""
}
