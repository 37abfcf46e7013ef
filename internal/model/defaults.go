package model

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/schema"
	"github.com/wsgen/wsgen/runtime/codec"
)

// formats are what the generated code checks strings with.
var formats = map[string]codec.Format{
	"uuid": codec.FormatUUID, "date": codec.FormatDate, "time": codec.FormatTime, "duration": codec.FormatDuration,
	"email": codec.FormatEmail, "uri": codec.FormatURI, "uri-reference": codec.FormatURIReference, "hostname": codec.FormatHostname,
	"ipv4": codec.FormatIPv4, "ipv6": codec.FormatIPv6, "json-pointer": codec.FormatJSONPointer, "regex": codec.FormatRegex,
}

// checkDefault checks a default against the field's type.
func (b *builder) checkDefault(f *Field, d *schema.Literal) {
	v, err := parseJSON(d.JSON)
	if err == nil {
		err = fits(f.Type, v)
	}
	if err != nil {
		b.errorf(d.Pos, "bad-default", "", "default %s does not fit: %v", d.Text, err)
	}
}

func parseJSON(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// fits returns why a value cannot be of a type, or nil. It judges as the generated code does.
func fits(t *Type, v any) error {
	switch {
	case v == nil && t.Nullable, t.Kind == broken:
		return nil
	case t.Kind == Ref:
		return fits(t.Ref.Type, v)
	}
	expected := map[Kind]string{String: "string", Enum: "string", Bytes: "string", DateTime: "string", Int64: "string", Uint64: "string",
		Bool: "boolean", Float32: "number", Float64: "number", Array: "array", Map: "object", Struct: "object", Object: "object"}[t.Kind]
	if t.Kind.IsInt() {
		expected = "number"
	}
	if got := jsonType(v); expected != "" && got != expected {
		return fmt.Errorf("expected %s, but got %s", expected, got)
	}
	switch v := v.(type) {
	case string:
		return fitsString(t, v)
	case json.Number:
		return fitsNumber(t, v)
	case []any:
		return fitsArray(t, v)
	case map[string]any:
		return fitsObject(t, v)
	}
	return nil
}

func fitsString(t *Type, s string) error {
	switch t.Kind {
	case Enum:
		var values []string
		for _, v := range t.Values {
			values = append(values, v.Wire)
		}
		if !slices.Contains(values, s) {
			return fmt.Errorf("it must be one of %s", strings.Join(values, ", "))
		}
	case String:
		if f, ok := formats[t.Format]; ok && !f.Match(s) {
			return fmt.Errorf("it is no %s", t.Format)
		}
		return fitsSize(t, utf8.RuneCountInString(s), "characters")
	case Bytes:
		data, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || strings.ContainsAny(s, "\r\n") {
			return errors.New("it is no base64 with padding")
		}
		return fitsSize(t, len(data), "bytes")
	case DateTime:
		if _, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err != nil || !codec.FormatDateTime.Match(s) {
			return errors.New("it is no date-time such as 2026-01-02T03:04:05Z")
		}
	case Int64, Uint64:
		v, ok := new(big.Int).SetString(s, 10)
		if !ok || v.String() != s || t.Kind == Int64 && !v.IsInt64() || t.Kind == Uint64 && !v.IsUint64() {
			return errors.New("it must be digits in quotes")
		}
	}
	return nil
}

func fitsNumber(t *Type, n json.Number) error {
	v := rational(string(n))
	if v == nil || !t.Kind.IsInt() && !fitsFloat(t.Kind, v) {
		return errors.New("it is out of range")
	}
	if t.Kind.IsInt() && !v.IsInt() {
		return errors.New("it must be an integer")
	}
	if t.Min != "" && less(string(n), t.Min) {
		return fmt.Errorf("it must be at least %s", t.Min)
	}
	if t.Max != "" && less(t.Max, string(n)) {
		return fmt.Errorf("it must be at most %s", t.Max)
	}
	return nil
}

func fitsSize(t *Type, n int, thing string) error {
	if t.MinLen != nil && n < *t.MinLen {
		return fmt.Errorf("it must have at least %d %s", *t.MinLen, thing)
	}
	if t.MaxLen != nil && n > *t.MaxLen {
		return fmt.Errorf("it must have at most %d %s", *t.MaxLen, thing)
	}
	return nil
}

func fitsArray(t *Type, items []any) error {
	elem := t.Elem
	if t.Kind == Any {
		elem = t
	}
	for _, item := range items {
		if err := fits(elem, item); err != nil {
			return err
		}
	}
	return fitsSize(t, len(items), "items")
}

func fitsObject(t *Type, m map[string]any) error {
	switch t.Kind {
	case Any, Object:
		return fitsObject(&Type{Kind: Map, Elem: &Type{Kind: Any}, MinLen: t.MinLen, MaxLen: t.MaxLen}, m)
	case Map:
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if t.Key != nil {
				if err := fits(t.Key, k); err != nil {
					return fmt.Errorf("key %s: %w", k, err)
				}
			}
			if err := fits(t.Elem, m[k]); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
		return fitsSize(t, len(m), "keys")
	case Struct:
		for _, f := range t.Fields {
			v, ok := m[f.Wire]
			if !ok {
				if !f.Optional && f.Default == nil {
					return fmt.Errorf("the field %s is missing", f.Wire)
				}
				continue
			}
			if err := fits(f.Type, v); err != nil {
				return fmt.Errorf("%s: %w", f.Wire, err)
			}
			delete(m, f.Wire)
		}
		if len(m) > 0 {
			return fmt.Errorf("there is no field %s", slices.Min(slices.Collect(maps.Keys(m))))
		}
	}
	return nil
}
