package golang

// This file prints default values as Go expressions, and the constructors that fill them in.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// constructor prints the function that makes a value with its defaults.
//
//	// NewGetHistoryRequest returns a GetHistoryRequest with the defaults of the schema.
//	func NewGetHistoryRequest() *GetHistoryRequest {
//		return &GetHistoryRequest{Limit: 50}
//	}
func constructor(n *model.Named) *jen.Statement {
	name := "New" + n.Go
	value := jen.Op("&").Id(n.Go).Values(defaultFields(n.Type.Resolve().Fields)...)
	if n.Type.Kind == model.Ref {
		value = jen.Parens(ptr(n.Go)).Call(jen.Id("New" + n.Type.Ref.Go).Call())
	}
	return doc(name + " returns a " + n.Go + " with the defaults of the schema.").Line().
		Func().Id(name).Params().Add(ptr(n.Go)).Block(jen.Return(value))
}

// defaultFields returns the fields of a struct literal that are not zero by default.
func defaultFields(fields []*model.Field) []jen.Code {
	var out []jen.Code
	for _, f := range fields {
		switch {
		case f.Default != nil:
			if v := defaultValue(f); v != nil {
				out = append(out, jen.Line().Id(f.Go).Op(":").Add(v))
			}
		case f.Const == nil && f.Presence() == model.Plain && f.Type.Kind == model.Ref && f.Type.Ref.HasDefaults:
			out = append(out, jen.Line().Id(f.Go).Op(":").Op("*").Id("New"+f.Type.Ref.Go).Call())
		}
	}
	if len(out) > 0 {
		out = append(out, jen.Line())
	}
	return out
}

// defaultValue returns the default of a field as an expression of the field's type; nil for null.
func defaultValue(f *model.Field) *jen.Statement {
	if !f.Type.Nullable {
		return literal(f.Type, f.Default)
	}
	if isNull(f.Default) {
		return nil
	}
	return pointerTo(f.Type, f.Default)
}

// pointerTo returns new(T(x)), or &T{…} for a composite value.
func pointerTo(t *model.Type, value json.RawMessage) *jen.Statement {
	if t.UnionType() != nil {
		return literal(t, value)
	}
	return jen.New(typedLiteral(t, value))
}

// typedLiteral is literal for places where an untyped constant would get another type.
func typedLiteral(t *model.Type, value json.RawMessage) *jen.Statement {
	switch {
	case t.Kind.IsInt() && t.Kind != model.Int, t.Kind == model.Int64, t.Kind == model.Uint64, t.Kind == model.Int64Number,
		t.Kind == model.Uint64Number, t.Kind == model.Float32,
		t.Kind == model.Float64:
		return goType(t).Call(literal(t, value))
	}
	return literal(t, value)
}

// literal returns valid JSON of type t as a Go expression.
func literal(t *model.Type, value json.RawMessage) *jen.Statement {
	switch t.Kind {
	case model.Ref:
		return refLiteral(t.Ref, value)
	case model.Bool:
		return jen.Lit(string(value) == "true")
	case model.Float32, model.Float64:
		return floatLiteral(value)
	case model.Bytes:
		return bytesLiteral(value)
	case model.DateTime:
		return timeLiteral(value)
	case model.Any:
		return jen.Qual("encoding/json", "RawMessage").Call(rawString(string(value)))
	case model.Object:
		return anyLiteral(decodeAny(value))
	case model.Array, model.Map, model.Struct:
		return compositeLiteral(goType(t), t, value)
	}
	switch {
	case t.Kind.IsInt(), t.Kind == model.Int64, t.Kind == model.Uint64, t.Kind == model.Int64Number, t.Kind == model.Uint64Number:
		return intLiteral(value)
	}
	return jen.Lit(unquote(value))
}

// refLiteral returns a value of a declared type.
func refLiteral(n *model.Named, value json.RawMessage) *jen.Statement {
	if u := (&model.Type{Kind: model.Ref, Ref: n}).UnionType(); u != nil {
		return codec("DefaultUnion").Call(rawString(string(value)), jen.Id("decode"+u.Go))
	}
	switch n.Type.Kind {
	case model.Tuple, model.OneOf, model.Any:
		return codec("Default").Call(rawString(string(value)), jen.Parens(ptr(n.Go)).Dot("decode"))
	case model.IntEnum:
		for _, v := range n.Type.Values {
			if v.Wire == string(value) {
				return jen.Id(v.Go)
			}
		}
		return jen.Id(n.Go).Call(intLiteral(value))
	case model.Enum:
		for _, v := range n.Type.Values {
			if v.Wire == unquote(value) {
				return jen.Id(v.Go)
			}
		}
		return jen.Id(n.Go).Call(jen.Lit(unquote(value)))
	case model.Array, model.Map, model.Struct:
		return compositeLiteral(jen.Id(n.Go), n.Type, value)
	case model.Object:
		return jen.Id(n.Go).Add(anyFields(decodeAny(value)))
	}
	return jen.Id(n.Go).Call(literal(n.Type, value))
}

// compositeLiteral returns an array, map or struct of the Go type typ.
func compositeLiteral(typ *jen.Statement, t *model.Type, value json.RawMessage) *jen.Statement {
	switch t.Kind {
	case model.Array:
		var items []json.RawMessage
		_ = json.Unmarshal(value, &items) // the model has checked the default
		return typ.ValuesFunc(func(g *jen.Group) {
			for _, item := range items {
				g.Add(elemLiteral(t.Elem, item))
			}
		})
	case model.Map:
		d := jen.Dict{}
		for key, item := range members(value) {
			d[keyLiteral(t, key)] = elemLiteral(t.Elem, item)
		}
		return typ.Values(d)
	}
	values := members(value)
	var fields []jen.Code
	if t.Extra != nil {
		return codec("Default").Call(rawString(string(value)), jen.Parens(jen.Op("*").Add(typ)).Dot("decode"))
	}
	for _, f := range t.Fields {
		if f.Const != nil {
			continue
		}
		if v := fieldLiteral(f, values[f.Wire]); v != nil {
			fields = append(fields, jen.Id(f.Go).Op(":").Add(v))
		}
	}
	return typ.Values(fields...)
}

// fieldLiteral returns what a field of a struct holds when the JSON has value for it, or nil when that is zero.
func fieldLiteral(f *model.Field, value json.RawMessage) *jen.Statement {
	if value == nil {
		if f.Default == nil {
			return nil
		}
		value = f.Default
	}
	switch f.Presence() {
	case model.ThreeState:
		if isNull(value) {
			return codec("Null").Types(goType(f.Type)).Call()
		}
		return codec("Some").Call(typedLiteral(f.Type, value))
	case model.Pointer:
		if isNull(value) {
			return nil
		}
		return pointerTo(f.Type, value)
	}
	return literal(f.Type, value)
}

func elemLiteral(t *model.Type, value json.RawMessage) *jen.Statement {
	if !t.Nullable {
		return literal(t, value)
	}
	if isNull(value) {
		return jen.Nil()
	}
	return pointerTo(t, value)
}

func keyLiteral(t *model.Type, key string) *jen.Statement {
	if t.Key != nil && t.Key.Kind == model.Ref {
		quoted, _ := json.Marshal(key)
		return refLiteral(t.Key.Ref, quoted)
	}
	return jen.Lit(key)
}

// intLiteral takes a number, also one like 1.0 or 1e2, or the string of digits of a 64-bit integer.
func intLiteral(value json.RawMessage) *jen.Statement {
	r, ok := new(big.Rat).SetString(strings.Trim(string(value), `"`))
	if !ok || !r.IsInt() {
		return jen.Lit(0)
	}
	return jen.Op(r.Num().String())
}

func floatLiteral(value json.RawMessage) *jen.Statement {
	var v float64
	_ = json.Unmarshal(value, &v)
	if v == 0 && math.Signbit(v) {
		v = 0 // Go has no literal for it
	}
	return jen.Lit(v)
}

func bytesLiteral(value json.RawMessage) *jen.Statement {
	data, _ := base64.StdEncoding.DecodeString(unquote(value))
	return jen.Index().Byte().Call(jen.Lit(string(data)))
}

// timeLiteral prints a time in UTC.
func timeLiteral(value json.RawMessage) *jen.Statement {
	var t time.Time
	if parsed, err := time.Parse(time.RFC3339Nano, strings.ToUpper(unquote(value))); err == nil {
		t = parsed.UTC()
	}
	return jen.Qual("time", "Date").Call(
		jen.Lit(t.Year()), jen.Qual("time", t.Month().String()), jen.Lit(t.Day()),
		jen.Lit(t.Hour()), jen.Lit(t.Minute()), jen.Lit(t.Second()), jen.Lit(t.Nanosecond()),
		jen.Qual("time", "UTC"),
	)
}

// anyLiteral prints what encoding/json decodes into an any.
func anyLiteral(v any) *jen.Statement {
	switch v := v.(type) {
	case map[string]any:
		return jen.Map(jen.String()).Any().Add(anyFields(v))
	case []any:
		return jen.Index().Any().ValuesFunc(func(g *jen.Group) {
			for _, item := range v {
				g.Add(anyLiteral(item))
			}
		})
	case float64:
		return jen.Float64().Call(jen.Lit(v))
	case nil:
		return jen.Nil()
	}
	return jen.Lit(v)
}

func anyFields(v any) *jen.Statement {
	fields, _ := v.(map[string]any)
	d := jen.Dict{}
	for key, item := range fields {
		d[jen.Lit(key)] = anyLiteral(item)
	}
	return jen.Values(d)
}

func decodeAny(value json.RawMessage) any {
	var v any
	_ = json.Unmarshal(value, &v)
	return v
}

func members(value json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal(value, &m)
	return m
}

func unquote(value json.RawMessage) string {
	var s string
	_ = json.Unmarshal(value, &s)
	return s
}

func isNull(value json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(value), []byte("null")) }
