package golang

// This file prints how values inside of others are read.

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// decodePointer prints how a value of t is read into target, a *T.
//
//	m.Nick = new(d.StringLen(1, 32))
//
//	m.User = new(User)
//	m.User.decode(d)
func decodePointer(g *jen.Group, target *jen.Statement, t *model.Type, depth int) {
	if t.UnionType() != nil {
		decodeInto(g, target, "=", t, depth)
		return
	}
	if v := decodeScalar(t); v != nil {
		g.Add(target.Clone()).Op("=").New(v)
		return
	}
	if t.Kind == model.Ref && t.Check == nil {
		g.Add(target.Clone()).Op("=").New(jen.Id(t.Ref.Go))
		g.Add(target.Clone()).Dot("decode").Call(jen.Id("d"))
		return
	}
	name := numbered("v", depth)
	declareAndDecode(g, name, t, depth)
	g.Add(target.Clone()).Op("=").Op("&").Id(name)
}

// declareAndDecode prints a variable and how a value of t, which is no scalar, is read into it.
func declareAndDecode(g *jen.Group, name string, t *model.Type, depth int) {
	if t.Kind == model.Ref && t.UnionType() == nil {
		g.Var().Id(name).Id(t.Ref.Go)
		decodeInto(g, jen.Id(name), "=", t, depth+1)
		return
	}
	decodeInto(g, jen.Id(name), ":=", t, depth+1)
}

// decodeInto prints how a value of t that is not null is read into target. op is := when target is a new variable.
// Variables of loops are numbered by depth.
func decodeInto(g *jen.Group, target *jen.Statement, op string, t *model.Type, depth int) {
	if t.Check != nil {
		unchecked := *t
		unchecked.Check = nil
		at := numbered("at", depth)
		g.Id(at).Op(":=").Id("d").Dot("Mark").Call()
		decodeInto(g, target, op, &unchecked, depth)
		g.Id("d").Dot("Validate").Call(jen.Id(at), jen.Id(t.Check.Name))
		return
	}
	switch t.Kind {
	case model.Ref:
		if t.UnionType() != nil {
			g.Add(target.Clone()).Op(op).Add(decodeUnion(t))
			return
		}
		g.Add(target.Clone()).Dot("decode").Call(jen.Id("d"))
	case model.Array:
		g.Add(target.Clone()).Op(op).Add(goType(t)).Values()
		decodeArray(g, target, t, depth)
	case model.Map:
		g.Add(target.Clone()).Op(op).Add(goType(t)).Values()
		decodeMap(g, target, t, depth)
	default:
		g.Add(target.Clone()).Op(op).Add(decodeScalar(t))
	}
}

// decodeArray prints the loop over the items.
//
//	for a := d.Array(0, 10); a.Next(); {
//		m.Tags = append(m.Tags, d.String())
//	}
func decodeArray(g *jen.Group, target *jen.Statement, t *model.Type, depth int) {
	a := numbered("a", depth)
	g.For(jen.Id(a).Op(":=").Id("d").Dot("Array").Call(sizes(t)...), jen.Id(a).Dot("Next").Call(), jen.Empty()).
		BlockFunc(func(g *jen.Group) {
			if t.Elem.Kind == model.Ref && !t.Elem.Nullable && t.Elem.Check == nil && t.Elem.UnionType() == nil {
				g.Add(codec("Grow")).Call(jen.Op("&").Add(target.Clone())).Dot("decode").Call(jen.Id("d"))
				return
			}
			v := decodeElem(g, t.Elem, depth)
			g.Add(target.Clone()).Op("=").Append(target.Clone(), v)
		})
}

// decodeElem prints what reads an item or a map's value, and returns the expression that has it.
func decodeElem(g *jen.Group, t *model.Type, depth int) *jen.Statement {
	if v := decodeScalar(t); v != nil && !t.Nullable {
		return v
	}
	name := numbered("v", depth)
	if !t.Nullable {
		declareAndDecode(g, name, t, depth)
		return jen.Id(name)
	}
	g.Var().Id(name).Add(elemType(t))
	g.If(jen.Op("!").Id("d").Dot("Null").Call()).BlockFunc(func(g *jen.Group) { decodePointer(g, jen.Id(name), t, depth+1) })
	return jen.Id(name)
}

// decodeMap prints the loop over the members.
//
//	for o2 := d.Map(0, codec.NoLimit); o2.Next(); {
//		k2, ok := o2.StringKey(1, 64)
//		if !ok {
//			continue
//		}
//		if _, ok := m.Counters[k2]; ok {
//			o2.Duplicate()
//			continue
//		}
//		m.Counters[k2] = d.Uint32(0, math.MaxUint32)
//	}
func decodeMap(g *jen.Group, target *jen.Statement, t *model.Type, depth int) {
	o, k := numbered("o", depth+1), numbered("k", depth)
	key := jen.Id(k)
	if t.Key != nil && t.Key.Kind == model.Ref {
		key = jen.Id(t.Key.Ref.Go).Call(key)
	}
	g.For(jen.Id(o).Op(":=").Id("d").Dot("Map").Call(sizes(t)...), jen.Id(o).Dot("Next").Call(), jen.Empty()).
		BlockFunc(func(g *jen.Group) {
			if read := checkedKey(o, t.Key); read != nil {
				g.List(jen.Id(k), jen.Id("ok")).Op(":=").Add(read)
				g.If(jen.Op("!").Id("ok")).Block(jen.Continue())
			} else {
				g.Id(k).Op(":=").String().Call(jen.Id(o).Dot("Key").Call())
			}
			g.If(jen.List(jen.Id("_"), jen.Id("ok")).Op(":=").Add(target.Clone()).Index(key.Clone()), jen.Id("ok")).
				Block(jen.Id(o).Dot("Duplicate").Call(), jen.Continue())
			v := decodeElem(g, t.Elem, depth)
			g.Add(target.Clone()).Index(key.Clone()).Op("=").Add(v)
		})
}

// checkedKey returns the call that reads a key with bounds; nil for any string.
func checkedKey(o string, key *model.Type) *jen.Statement {
	if key == nil {
		return nil
	}
	t := key.Resolve()
	if t.Kind == model.Enum {
		return jen.Id(o).Dot("EnumKey").Call(jen.Id(enumOf(key).Go).Call(jen.Lit("")).Dot("names").Call().Op("..."))
	}
	if t.Pattern != "" {
		return jen.Id(o).Dot("PatternKey").Call(append([]jen.Code{jen.Id(patternName(t.Pattern))}, sizes(t)...)...)
	}
	if f, ok := stringFormat(t); ok {
		return jen.Id(o).Dot("FormatKey").Call(append([]jen.Code{f}, sizes(t)...)...)
	}
	if hasSizes(t) {
		return jen.Id(o).Dot("StringKey").Call(sizes(t)...)
	}
	return nil
}

// enumOf returns the enum that t, a reference, leads to.
func enumOf(t *model.Type) *model.Named {
	for t.Ref.Type.Kind == model.Ref {
		t = t.Ref.Type
	}
	return t.Ref
}

// numbered returns a variable's name for a depth of nesting: v, v2, v3.
func numbered(name string, depth int) string {
	if depth <= 1 {
		return name
	}
	return name + strconv.Itoa(depth)
}

// decodeScalar returns the expression that reads a value of t, or nil when that takes more than an expression.
func decodeScalar(t *model.Type) *jen.Statement {
	if t.Check != nil {
		return nil
	}
	d := func(name string, args ...jen.Code) *jen.Statement { return jen.Id("d").Dot(name).Call(args...) }
	switch t.Kind {
	case model.String:
		f, ok := stringFormat(t)
		switch {
		case t.Pattern != "":
			return d("StringPattern", append([]jen.Code{jen.Id(patternName(t.Pattern))}, sizes(t)...)...)
		case ok && hasSizes(t):
			return d("FormatLen", append([]jen.Code{f}, sizes(t)...)...)
		case ok:
			return d("Format", f)
		case hasSizes(t):
			return d("StringLen", sizes(t)...)
		}
		return d("String")
	case model.Bool:
		return d("Bool")
	case model.Int64:
		return d("Int64")
	case model.Uint64:
		return d("Uint64")
	case model.Float32, model.Float64:
		name := map[model.Kind]string{model.Float32: "Float32", model.Float64: "Float64"}[t.Kind]
		if t.Min == "" && t.Max == "" {
			return d(name)
		}
		return d(name+"Range", floatBounds(t)...)
	case model.Bytes:
		return d("Bytes", sizes(t)...)
	case model.DateTime:
		return d("Time")
	case model.Any:
		return d("Any")
	case model.Object:
		return d("JSONObject", sizes(t)...)
	case model.Ref:
		if t.UnionType() != nil {
			return decodeUnion(t)
		}
		return nil
	case model.Array, model.Map, model.Struct, model.Enum:
		return nil
	case model.Int64Number:
		return d("Int64Number", intBounds(t)...)
	case model.Uint64Number:
		return d("Uint64Number", intBounds(t)...)
	}
	return d(methodName(t.Kind), intBounds(t)...)
}

// methodName returns the name of a Decoder's method for an integer: Int32 for int32.
func methodName(k model.Kind) string {
	name := numberName(k)
	return string(name[0]-'a'+'A') + name[1:]
}
