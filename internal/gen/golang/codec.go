package golang

// This file prints codec.gen.go; codec_decode.go, codec_encode.go and codec_check.go have its parts.

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitCodec prints how values of each type are read, written and checked, and the methods for encoding/json on top.
//
//	func (m *JoinRoom) decode(d *codec.Decoder) { … }
//	func (m *JoinRoom) encode(w *jx.Writer) { … }
//	func (m *JoinRoom) check(c *codec.Checker) { … }
//	func (m JoinRoom) MarshalJSON() ([]byte, error) { … }
//	func (m *JoinRoom) UnmarshalJSON(data []byte) error { … }
func emitCodec(f *jen.File, api *model.API) {
	for _, n := range namedTypes(api) {
		if n.Type.Kind == model.Union {
			unionCodec(f, n)
			continue
		}
		if n.Type.UnionType() != nil {
			continue // it is another name of the union
		}
		if n.Type.Kind == model.Enum || n.Type.Kind == model.IntEnum {
			f.Add(enumNames(n))
			f.Line()
		}
		f.Add(decodeMethod(n))
		f.Line()
		f.Add(encodeMethod(n))
		f.Line()
		if needsCheck(n) {
			f.Add(checkMethod(n))
			f.Line()
		}
		f.Add(marshalMethod(n))
		f.Line()
		f.Add(unmarshalMethod(n))
		f.Line()
	}
}

// recv returns the name of n's receivers: m for structs, v for all others.
func recv(n *model.Named) string {
	if isStruct(n) {
		return "m"
	}
	return "v"
}

// isStruct reports whether n is held in a struct, so that its methods have pointers as receivers.
func isStruct(n *model.Named) bool {
	switch n.Type.Resolve().Kind {
	case model.Struct, model.Tuple, model.OneOf, model.Box:
		return true
	}
	return false
}

// readMethod begins a method that does not change its receiver: on a pointer for structs, on a value for all others.
func readMethod(n *model.Named, name string) *jen.Statement {
	if isStruct(n) {
		return method(recv(n), n.Go, name)
	}
	return valueMethod(recv(n), n.Go, name)
}

// asReferred returns the receiver of a method of readMethod as the type that n is defined over: (*T)(m) or T(v).
func asReferred(n *model.Named) *jen.Statement {
	if isStruct(n) {
		return jen.Parens(ptr(n.Type.Ref.Go)).Call(jen.Id(recv(n)))
	}
	return jen.Id(n.Type.Ref.Go).Call(jen.Id(recv(n)))
}

// enumNames prints the values of an enum for messages.
//
//	func (Role) names() []string { return []string{"owner", "member"} }
func enumNames(n *model.Named) *jen.Statement {
	elem := jen.String()
	if n.Type.Kind == model.IntEnum {
		elem = jen.Int64()
	}
	return jen.Func().Params(jen.Id(n.Go)).Id("names").Params().Index().Add(elem).Block(
		jen.Return(jen.Index().Add(elem).ValuesFunc(func(g *jen.Group) {
			for _, v := range n.Type.Values {
				g.Add(enumLiteral(n.Type, v))
			}
		})),
	)
}

// marshalMethod prints MarshalJSON.
//
//	func (m JoinRoom) MarshalJSON() ([]byte, error) { return codec.Marshal(m.check, m.encode) }
func marshalMethod(n *model.Named) *jen.Statement {
	r := recv(n)
	check := jen.Nil()
	if needsCheck(n) {
		check = jen.Id(r).Dot("check")
	}
	return doc("MarshalJSON writes what would be sent; it fails for what the schema refuses.").Line().
		Add(valueMethod(r, n.Go, "MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(
			jen.Return(codec("Marshal").Call(check, jen.Id(r).Dot("encode"))),
		))
}

// unmarshalMethod prints UnmarshalJSON.
//
//	func (m *JoinRoom) UnmarshalJSON(data []byte) error {
//		var read JoinRoom
//		if err := codec.Unmarshal(data, read.decode); err != nil {
//			return err
//		}
//		*m = read
//		return nil
//	}
func unmarshalMethod(n *model.Named) *jen.Statement {
	r := recv(n)
	return doc("UnmarshalJSON reads strictly: it fails for what the schema refuses.").Line().
		Add(method(r, n.Go, "UnmarshalJSON").Params(jen.Id("data").Index().Byte()).Error().Block(
			jen.Var().Id("read").Id(n.Go),
			jen.If(jen.Err().Op(":=").Add(codec("Unmarshal")).Call(jen.Id("data"), jen.Id("read").Dot("decode")),
				jen.Err().Op("!=").Nil()).
				Block(jen.Return(jen.Err())),
			jen.Op("*").Id(r).Op("=").Id("read"),
			jen.Return(jen.Nil()),
		))
}

// payload returns the codec of n as the runtime's descriptors have it; nil stands for a check that every value passes.
//
//	wsrt.PayloadOf((*JoinRoom).decode, (*JoinRoom).encode, (*JoinRoom).check)
func payload(n *model.Named) *jen.Statement {
	method := func(name string) jen.Code { return jen.Parens(ptr(n.Go)).Dot(name) }
	check := jen.Nil()
	if needsCheck(n) {
		check = jen.Add(method("check"))
	}
	return rt("PayloadOf").Call(method("decode"), method("encode"), check)
}

// sizes returns the bounds of t's size as arguments: min, max.
func sizes(t *model.Type) []jen.Code {
	min, max := jen.Lit(0), codec("NoLimit")
	if t.MinLen != nil {
		min = jen.Lit(*t.MinLen)
	}
	if t.MaxLen != nil {
		max = jen.Lit(*t.MaxLen)
	}
	return []jen.Code{min, max}
}

// hasSizes reports whether t's size has a bound.
func hasSizes(t *model.Type) bool { return t.MinLen != nil && *t.MinLen > 0 || t.MaxLen != nil }

// stringFormat returns the constant of a string's format: codec.FormatUUID. ok is false for a string without one.
func stringFormat(t *model.Type) (name *jen.Statement, ok bool) {
	names := map[string]string{
		"uuid": "UUID", "date-time": "DateTime", "date": "Date", "time": "Time", "duration": "Duration", "email": "Email",
		"uri": "URI", "uri-reference": "URIReference", "hostname": "Hostname", "ipv4": "IPv4", "ipv6": "IPv6",
		"json-pointer": "JSONPointer", "regex": "Regex", "relative-json-pointer": "RelativeJSONPointer",
		"iri-reference": "IRIReference",
		"int64":         "Int64", "uint64": "Uint64",
	}
	if t.Kind != model.String || names[t.Format] == "" {
		return nil, false
	}
	return codec("Format" + names[t.Format]), true
}

// intBounds returns the bounds of an integer as arguments, by name where they are those of the type.
func intBounds(t *model.Type) []jen.Code {
	min, max := widthOf(t.Kind)
	return []jen.Code{intBound(t.Min, min), intBound(t.Max, max)}
}

// A bound is the end of an integer type's range: its value and the constant that says it.
type bound struct {
	value string
	pkg   string
	name  string
}

func intBound(value string, width bound) *jen.Statement {
	if value == "" || value == width.value {
		if width.name == "" {
			return jen.Lit(0)
		}
		return jen.Qual(width.pkg, width.name)
	}
	return intLiteral([]byte(value))
}

// widthOf returns the range of an integer type.
func widthOf(k model.Kind) (min, max bound) {
	switch k {
	case model.Int:
		return bound{"-9007199254740991", pkgCodec, "MinInt"}, bound{"9007199254740991", pkgCodec, "MaxInt"}
	case model.Int8:
		return bound{"-128", "math", "MinInt8"}, bound{"127", "math", "MaxInt8"}
	case model.Int16:
		return bound{"-32768", "math", "MinInt16"}, bound{"32767", "math", "MaxInt16"}
	case model.Int32:
		return bound{"-2147483648", "math", "MinInt32"}, bound{"2147483647", "math", "MaxInt32"}
	case model.Uint8:
		return bound{value: "0"}, bound{"255", "math", "MaxUint8"}
	case model.Uint16:
		return bound{value: "0"}, bound{"65535", "math", "MaxUint16"}
	case model.Int64Number:
		return bound{"-9223372036854775808", "math", "MinInt64"}, bound{"9223372036854775807", "math", "MaxInt64"}
	case model.Uint64Number:
		return bound{value: "0"}, bound{"18446744073709551615", "math", "MaxUint64"}
	}
	return bound{value: "0"}, bound{"4294967295", "math", "MaxUint32"}
}

// isWidth reports whether an integer has no bounds but those of its Go type.
func isWidth(t *model.Type) bool {
	min, max := widthOf(t.Kind)
	return t.Kind != model.Int && (t.Min == "" || t.Min == min.value) && (t.Max == "" || t.Max == max.value)
}

// floatBounds returns the bounds of a float as arguments.
func floatBounds(t *model.Type) []jen.Code {
	end := func(value string, sign int) *jen.Statement {
		if value == "" {
			return jen.Qual("math", "Inf").Call(jen.Lit(sign))
		}
		v, _ := strconv.ParseFloat(value, 64)
		return jen.Lit(v)
	}
	return []jen.Code{end(t.Min, -1), end(t.Max, 1)}
}
