package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// needsCheck reports whether n has a check method: whether its Go type can hold values that the schema refuses.
// Payload.Check of a type without one is nil.
func needsCheck(n *model.Named) bool { return checkNeeds{}.named(n) }

// typeNeedsCheck is needsCheck for a type without a name.
func typeNeedsCheck(t *model.Type) bool { return checkNeeds{}.typ(t) }

// checkNeeds remembers the types that were looked at. A type that contains itself needs a check, because its values can be
// nested too deep.
type checkNeeds map[*model.Named]bool

func (c checkNeeds) named(n *model.Named) bool {
	if needs, known := c[n]; known {
		return needs
	}
	c[n] = true
	c[n] = len(n.VariantOf) > 0 || c.typ(n.Type) // the check of a union calls those of its variants
	return c[n]
}

func (c checkNeeds) typ(t *model.Type) bool {
	if t.Check != nil {
		return true
	}
	switch t.Kind {
	case model.Bool, model.Int64, model.Uint64:
		return false
	case model.String:
		_, hasFormat := stringFormat(t)
		return hasFormat || hasSizes(t) || t.Pattern != ""
	case model.Union, model.OneOf, model.Tuple, model.Box:
		return true
	case model.Bytes:
		return hasSizes(t)
	case model.Ref:
		return c.named(t.Ref)
	case model.Struct:
		for _, f := range t.Fields {
			if f.Const == nil && c.typ(f.Type) {
				return true
			}
		}
		return t.Extra != nil
	case model.Array:
		return hasSizes(t) || c.typ(t.Elem)
	case model.Map:
		return hasSizes(t) || t.Key != nil && c.typ(t.Key) || c.typ(t.Elem)
	case model.Int64Number, model.Uint64Number:
		return !isWidth(t)
	}
	return !t.Kind.IsInt() || !isWidth(t)
}

// checkMethod prints the method that checks a value which is about to be sent.
func checkMethod(n *model.Named) *jen.Statement {
	return readMethod(n, "check").Params(jen.Id("c").Op("*").Add(codec("Checker"))).BlockFunc(func(g *jen.Group) {
		checkNamed(g, n)
		if n.Type.Check != nil {
			g.Id("c").Dot("Validate").Call(jen.Id(n.Type.Check.Name), jen.Id(recv(n)).Dot("encode"))
		}
	})
}

func checkNamed(g *jen.Group, n *model.Named) {
	v := jen.Id("v")
	switch n.Type.Kind {
	case model.Struct:
		checkStruct(g, n.Type)
	case model.Tuple:
		checkTuple(g, n.Type)
	case model.OneOf:
		checkOneOf(g, n.Type)
	case model.Box:
		g.Id("check"+n.Type.Elem.UnionType().Go).Call(jen.Id("c"), jen.Id("m").Dot("Value"))
	case model.Enum:
		g.Id("c").Dot("OneOf").Call(jen.String().Call(v), v.Clone().Dot("names").Call().Op("..."))
	case model.IntEnum:
		g.Id("c").Dot("OneOfInt").Call(jen.Int64().Call(v), v.Clone().Dot("names").Call().Op("..."))
	case model.Ref:
		if typeNeedsCheck(&model.Type{Kind: model.Ref, Ref: n.Type.Ref}) {
			g.Add(asReferred(n)).Dot("check").Call(jen.Id("c"))
		}
	default:
		unchecked := *n.Type
		unchecked.Check = nil
		if !typeNeedsCheck(&unchecked) {
			return
		}
		switch n.Type.Kind {
		case model.Array, model.Map, model.Bytes, model.Object:
		default:
			v = goType(n.Type).Call(v)
		}
		checkValue(g, v, &unchecked, 1)
	}
}

// checkStruct prints the checks of the fields that need one.
//
//	if !c.Enter() {
//		return
//	}
//	c.Field("text")
//	c.StringLen(m.Text, 1, 2000)
//	if m.Nick != nil {
//		c.Field("nick")
//		c.StringLen(*m.Nick, 1, 32)
//	}
//	c.Leave()
func checkStruct(g *jen.Group, t *model.Type) {
	if !(checkNeeds{}).typ(&model.Type{Kind: model.Struct, Fields: t.Fields, Extra: t.Extra}) {
		return
	}
	g.If(jen.Op("!").Id("c").Dot("Enter").Call()).Block(jen.Return())
	for _, f := range t.Fields {
		if f.Const == nil && typeNeedsCheck(f.Type) {
			checkField(g, f, "Field", jen.Lit(f.Wire))
		}
	}
	checkExtra(g, t)
	g.Id("c").Dot("Leave").Call()
}

// checkField prints the check of a field that is there. where and key are the call that says which it is.
func checkField(g *jen.Group, f *model.Field, where string, key *jen.Statement) {
	target := jen.Id("m").Dot(f.Go)
	check := func(v *jen.Statement) func(g *jen.Group) {
		return func(g *jen.Group) {
			g.Id("c").Dot(where).Call(key)
			checkValue(g, v, f.Type, 1)
		}
	}
	switch f.Presence() {
	case model.Pointer:
		g.If(target.Clone().Op("!=").Nil()).BlockFunc(check(deref(target, f.Type)))
	case model.NilZero:
		g.If(target.Clone().Op("!=").Nil()).BlockFunc(check(target))
	case model.ThreeState:
		g.If(jen.List(jen.Id("v"), jen.Id("ok")).Op(":=").Add(target.Clone()).Dot("Get").Call(), jen.Id("ok")).
			BlockFunc(check(jen.Id("v")))
	default:
		check(target)(g)
	}
}

// checkExtra prints the checks of keys that have no field, and that they are such keys.
func checkExtra(g *jen.Group, t *model.Type) {
	if t.Extra == nil {
		return
	}
	g.For(jen.List(jen.Id("k"), jen.Id("v")).Op(":=").Range().Add(codec("Sorted")).Call(jen.Id("m").Dot(t.Extra.Go))).
		BlockFunc(func(g *jen.Group) {
			g.Id("c").Dot("Field").Call(jen.Id("k"))
			if len(t.Fields) > 0 {
				g.Switch(jen.Id("k")).Block(jen.CaseFunc(func(g *jen.Group) {
					for _, f := range t.Fields {
						g.Lit(f.Wire)
					}
				}).Block(jen.Id("c").Dot("AddIssue").Call(jen.Lit("has a field of its own"))))
			}
			if typeNeedsCheck(t.Extra.Elem) {
				checkElem(g, jen.Id("v"), t.Extra.Elem, 2)
			} else {
				g.Id("_").Op("=").Id("v")
			}
		})
}

// checkValue prints the checks of v, a value of t that is not null.
func checkValue(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	if t.Check != nil {
		unchecked := *t
		unchecked.Check = nil
		if typeNeedsCheck(&unchecked) {
			checkValue(g, v, &unchecked, depth)
		}
		g.Id("c").Dot("Validate").Call(jen.Id(t.Check.Name), jen.Func().Params(jen.Id("w").Op("*").Qual(pkgJX, "Writer")).
			BlockFunc(func(g *jen.Group) { encodeValue(g, v, &unchecked, depth+1) }))
		return
	}
	c := func(name string, args ...jen.Code) {
		g.Id("c").Dot(name).Call(append([]jen.Code{v.Clone()}, args...)...)
	}
	switch t.Kind {
	case model.Ref:
		if u := t.UnionType(); u != nil {
			g.Id("check"+u.Go).Call(jen.Id("c"), v.Clone())
			return
		}
		g.Add(v.Clone()).Dot("check").Call(jen.Id("c"))
	case model.Int64Number:
		if !isWidth(t) {
			g.Id("c").Dot("Int").Call(append([]jen.Code{v.Clone()}, intBounds(t)...)...)
		}
	case model.Uint64Number:
		g.Id("c").Dot("Uint").Call(append([]jen.Code{v.Clone()}, intBounds(t)...)...)
	case model.String:
		f, ok := stringFormat(t)
		switch {
		case t.Pattern != "":
			c("StringPattern", append([]jen.Code{jen.Id(patternName(t.Pattern))}, sizes(t)...)...)
		case ok && hasSizes(t):
			c("FormatLen", append([]jen.Code{f}, sizes(t)...)...)
		case ok:
			c("Format", f)
		default:
			c("StringLen", sizes(t)...)
		}
	case model.Float32, model.Float64:
		name := map[model.Kind]string{model.Float32: "Float32", model.Float64: "Float64"}[t.Kind]
		if t.Min == "" && t.Max == "" {
			c(name)
			return
		}
		c(name+"Range", floatBounds(t)...)
	case model.Bytes:
		c("Bytes", sizes(t)...)
	case model.DateTime:
		c("Time")
	case model.Any:
		c("Any")
	case model.Object:
		c("JSONObject", sizes(t)...)
	case model.Array:
		checkArray(g, v, t, depth)
	case model.Map:
		checkMap(g, v, t, depth)
	default:
		g.Id("c").Dot("Int").Call(append([]jen.Code{jen.Int64().Call(v.Clone())}, intBounds(t)...)...)
	}
}

// checkArray prints the check of the number of items, and of each item where they need it.
//
//	c.Items(len(m.Tags), 0, 10)
//	if c.Enter() {
//		for i, v := range m.Tags {
//			c.Item(i)
//			c.StringLen(v, 1, 32)
//		}
//		c.Leave()
//	}
func checkArray(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	if hasSizes(t) {
		g.Id("c").Dot("Items").Call(append([]jen.Code{jen.Len(v.Clone())}, sizes(t)...)...)
	}
	if !typeNeedsCheck(t.Elem) {
		return
	}
	i := numbered("i", depth)
	g.If(jen.Id("c").Dot("Enter").Call()).Block(
		jen.For(jen.Id(i).Op(":=").Range().Add(v.Clone())).BlockFunc(func(g *jen.Group) {
			g.Id("c").Dot("Item").Call(jen.Id(i))
			checkElem(g, v.Clone().Index(jen.Id(i)), t.Elem, depth+1)
		}),
		jen.Id("c").Dot("Leave").Call(),
	)
}

// checkMap prints the check of the number of keys, and of each key and value where they need it.
func checkMap(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	if hasSizes(t) {
		g.Id("c").Dot("Fields").Call(append([]jen.Code{jen.Len(v.Clone())}, sizes(t)...)...)
	}
	keys, values := t.Key != nil && typeNeedsCheck(t.Key), typeNeedsCheck(t.Elem)
	if !keys && !values {
		return
	}
	k, e := numbered("k", depth), numbered("v", depth+1)
	vars := jen.Id(k)
	if values {
		vars = jen.List(jen.Id(k), jen.Id(e))
	}
	text := jen.Id(k)
	if t.Key != nil && t.Key.Kind == model.Ref {
		text = jen.String().Call(jen.Id(k))
	}
	g.If(jen.Id("c").Dot("Enter").Call()).Block(
		jen.For(vars.Op(":=").Range().Add(codec("Sorted")).Call(v.Clone())).BlockFunc(func(g *jen.Group) {
			g.Id("c").Dot("Field").Call(text.Clone())
			if keys {
				checkKey(g, text, t.Key)
			}
			if values {
				checkElem(g, jen.Id(e), t.Elem, depth+1)
			}
		}),
		jen.Id("c").Dot("Leave").Call(),
	)
}

// checkKey prints the check of a map's key.
func checkKey(g *jen.Group, text *jen.Statement, key *model.Type) {
	t := key.Resolve()
	c := func(name string, args ...jen.Code) {
		g.Id("c").Dot(name).Call(append([]jen.Code{text.Clone()}, args...)...)
	}
	if t.Kind == model.Enum {
		c("EnumKey", jen.Id(enumOf(key).Go).Call(jen.Lit("")).Dot("names").Call().Op("..."))
		return
	}
	if t.Pattern != "" {
		c("PatternKey", append([]jen.Code{jen.Id(patternName(t.Pattern))}, sizes(t)...)...)
		return
	}
	if f, ok := stringFormat(t); ok {
		c("FormatKey", append([]jen.Code{f}, sizes(t)...)...)
		return
	}
	c("StringKey", sizes(t)...)
}

// checkElem prints the check of an item or a map's value, which may be nil.
func checkElem(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	if !t.Nullable {
		checkValue(g, v, t, depth)
		return
	}
	g.If(v.Clone().Op("!=").Nil()).BlockFunc(func(g *jen.Group) { checkValue(g, deref(v, t), t, depth) })
}
