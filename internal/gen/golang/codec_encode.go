package golang

import (
	"encoding/json"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// encodeMethod prints the method that writes a value of n.
func encodeMethod(n *model.Named) *jen.Statement {
	head := readMethod(n, "encode").Params(jen.Id("w").Op("*").Add(jen.Qual(pkgJX, "Writer")))
	v := jen.Id("v")
	switch n.Type.Kind {
	case model.Struct:
		return head.BlockFunc(func(g *jen.Group) { encodeStruct(g, n.Type) })
	case model.Tuple:
		return head.BlockFunc(func(g *jen.Group) { encodeTuple(g, n.Type) })
	case model.OneOf:
		return head.BlockFunc(func(g *jen.Group) { encodeOneOf(g, n.Type) })
	case model.Box:
		return head.Block(jen.Id("encode"+n.Type.Elem.UnionType().Go).Call(jen.Id("w"), jen.Id("m").Dot("Value")))
	case model.IntEnum:
		return head.Block(jen.Id("w").Dot("Int").Call(jen.Int().Call(v)))
	case model.Enum:
		return head.Block(codec("WriteString").Call(jen.Id("w"), jen.String().Call(v)))
	case model.Ref:
		return head.Block(asReferred(n).Dot("encode").Call(jen.Id("w")))
	case model.Array, model.Map, model.Bytes, model.Object:
		return head.BlockFunc(func(g *jen.Group) { encodeValue(g, v, n.Type, 1) })
	}
	return head.BlockFunc(func(g *jen.Group) { encodeValue(g, goType(n.Type).Call(v), n.Type, 1) })
}

// encodeStruct prints the fields in the order of the schema. Text that is the same for every value is written as it
// stands.
//
//	w.RawStr(`{"roomId":`)
//	m.RoomID.encode(w)
//	w.RawStr(`,"text":`)
//	codec.WriteString(w, m.Text)
//	w.RawStr(`}`)
//
// When the first field may be absent, each field has its comma behind it, and CloseObject turns the last one into the
// brace.
func encodeStruct(g *jen.Group, t *model.Type) {
	fields := t.Fields
	if len(fields) == 0 && t.Extra == nil {
		g.Add(raw("{}"))
		return
	}
	commaBehind := len(fields) == 0 || !alwaysWritten(fields[0])
	if commaBehind {
		g.Id("w").Dot("ObjStart").Call()
	}
	for i, f := range fields {
		key := jsonString(f.Wire) + ":"
		switch {
		case commaBehind:
		case i == 0:
			key = "{" + key
		default:
			key = "," + key
		}
		encodeField(g, f, key, commaBehind)
	}
	encodeExtra(g, t, commaBehind)
	if commaBehind {
		g.Add(codec("CloseObject")).Call(jen.Id("w"))
	} else {
		g.Add(raw("}"))
	}
}

// encodeExtra prints what writes the keys that have no field.
//
//	for k, v := range codec.Sorted(m.Extra) {
//		w.Comma()
//		codec.WriteString(w, k)
//		w.RawStr(`:`)
//		codec.WriteString(w, v)
//	}
func encodeExtra(g *jen.Group, t *model.Type, commaBehind bool) {
	if t.Extra == nil {
		return
	}
	g.For(jen.List(jen.Id("k"), jen.Id("v")).Op(":=").Range().Add(codec("Sorted")).Call(jen.Id("m").Dot(t.Extra.Go))).
		BlockFunc(func(g *jen.Group) {
			if !commaBehind {
				g.Id("w").Dot("Comma").Call()
			}
			g.Add(codec("WriteString")).Call(jen.Id("w"), jen.Id("k"))
			g.Add(raw(":"))
			encodeElem(g, jen.Id("v"), t.Extra.Elem, 2)
			if commaBehind {
				g.Id("w").Dot("Comma").Call()
			}
		})
}

// alwaysWritten reports whether a field has no state in which it is left out.
func alwaysWritten(f *model.Field) bool { return !f.Optional || f.Default != nil }

// encodeField prints the key and the value of a field that is there.
func encodeField(g *jen.Group, f *model.Field, key string, commaBehind bool) {
	if f.Const != nil {
		g.Add(raw(key + string(f.Const)))
		if commaBehind {
			g.Id("w").Dot("Comma").Call()
		}
		return
	}
	target := jen.Id("m").Dot(f.Go)
	write := func(g *jen.Group, value func(g *jen.Group)) {
		g.Add(raw(key))
		value(g)
		if commaBehind {
			g.Id("w").Dot("Comma").Call()
		}
	}
	present := func(g *jen.Group) { encodeValue(g, target, f.Type, 1) }
	switch {
	case f.Presence() == model.ThreeState:
		g.If(jen.Op("!").Add(target).Dot("Absent").Call()).BlockFunc(func(g *jen.Group) {
			write(g, func(g *jen.Group) {
				g.If(jen.List(jen.Id("v"), jen.Id("ok")).Op(":=").Add(target.Clone()).Dot("Get").Call(), jen.Id("ok")).
					BlockFunc(func(g *jen.Group) { encodeValue(g, jen.Id("v"), f.Type, 1) }).
					Else().Block(jen.Id("w").Dot("Null").Call())
			})
		})
	case f.Type.Nullable:
		write(g, func(g *jen.Group) { encodePointer(g, target, f.Type, 1) })
	case f.Presence() == model.Pointer:
		g.If(target.Clone().Op("!=").Nil()).BlockFunc(func(g *jen.Group) {
			write(g, func(g *jen.Group) { encodeValue(g, deref(target, f.Type), f.Type, 1) })
		})
	case f.Presence() == model.NilZero:
		g.If(target.Clone().Op("!=").Nil()).BlockFunc(func(g *jen.Group) { write(g, present) })
	default:
		write(g, present)
	}
}

// encodePointer prints null for nil, else the value.
func encodePointer(g *jen.Group, target *jen.Statement, t *model.Type, depth int) {
	g.If(target.Clone().Op("==").Nil()).Block(jen.Id("w").Dot("Null").Call()).
		Else().BlockFunc(func(g *jen.Group) { encodeValue(g, deref(target, t), t, depth) })
}

// deref returns what a *T points to, so that it can be indexed. Methods are called on the pointer itself.
func deref(target *jen.Statement, t *model.Type) *jen.Statement {
	if t.UnionType() != nil {
		return target
	}
	switch t.Kind {
	case model.Ref:
		return target
	case model.Array, model.Map:
		return jen.Parens(jen.Op("*").Add(target.Clone()))
	}
	return jen.Op("*").Add(target.Clone())
}

// encodeValue prints what writes v, a value of t that is not null.
func encodeValue(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	w := jen.Id("w")
	switch t.Kind {
	case model.Ref:
		if u := t.UnionType(); u != nil {
			g.Id("encode"+u.Go).Call(w, v.Clone())
			return
		}
		g.Add(v.Clone()).Dot("encode").Call(w)
	case model.Array:
		encodeArray(g, v, t, depth)
	case model.Map:
		g.Add(codec("WriteMap")).Call(w, v.Clone(), jen.Func().Params(jen.Id("w").Op("*").Qual(pkgJX, "Writer"),
			jen.Id("v").Add(elemType(t.Elem))).
			BlockFunc(func(g *jen.Group) { encodeElem(g, jen.Id("v"), t.Elem, depth+1) }))
	case model.String, model.Int64, model.Uint64, model.Bytes, model.DateTime, model.Any, model.Object:
		name := map[model.Kind]string{
			model.String: "WriteString", model.Int64: "WriteInt64", model.Uint64: "WriteUint64", model.Bytes: "WriteBytes",
			model.DateTime: "WriteTime", model.Any: "WriteAny", model.Object: "WriteJSONObject",
		}[t.Kind]
		g.Add(codec(name)).Call(w, v.Clone())
	case model.Bool:
		g.Add(w).Dot("Bool").Call(v.Clone())
	case model.Int64Number:
		g.Add(w).Dot("Int64").Call(v.Clone())
	case model.Uint64Number:
		g.Add(w).Dot("UInt64").Call(v.Clone())
	default:
		g.Add(w).Dot(strings.Replace(methodName(t.Kind), "Uint", "UInt", 1)).Call(v.Clone())
	}
}

// encodeArray prints the loop over the items.
//
//	w.ArrStart()
//	for i := range m.Files {
//		if i > 0 {
//			w.Comma()
//		}
//		m.Files[i].encode(w)
//	}
//	w.ArrEnd()
func encodeArray(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	i := numbered("i", depth)
	g.Id("w").Dot("ArrStart").Call()
	g.For(jen.Id(i).Op(":=").Range().Add(v.Clone())).BlockFunc(func(g *jen.Group) {
		g.If(jen.Id(i).Op(">").Lit(0)).Block(jen.Id("w").Dot("Comma").Call())
		encodeElem(g, v.Clone().Index(jen.Id(i)), t.Elem, depth+1)
	})
	g.Id("w").Dot("ArrEnd").Call()
}

// encodeElem prints what writes an item or a map's value, which may be null.
func encodeElem(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	if t.Nullable {
		encodePointer(g, v, t, depth)
		return
	}
	encodeValue(g, v, t, depth)
}

// raw returns the call that writes text as it stands.
func raw(text string) *jen.Statement { return jen.Id("w").Dot("RawStr").Call(rawString(text)) }

// jsonString returns s as a JSON string.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always has a form
	return strings.TrimSuffix(b.String(), "\n")
}
