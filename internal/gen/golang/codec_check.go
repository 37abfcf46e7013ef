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
	c[n] = c.typ(n.Type)
	return c[n]
}

func (c checkNeeds) typ(t *model.Type) bool {
	switch t.Kind {
	case model.Bool, model.Int64, model.Uint64:
		return false
	case model.String:
		_, hasFormat := stringFormat(t)
		return hasFormat || hasSizes(t)
	case model.Bytes:
		return hasSizes(t)
	case model.Ref:
		return c.named(t.Ref)
	case model.Struct:
		for _, f := range t.Fields {
			if c.typ(f.Type) {
				return true
			}
		}
		return false
	case model.Array:
		return hasSizes(t) || c.typ(t.Elem)
	case model.Map:
		return hasSizes(t) || t.Key != nil && c.typ(t.Key) || c.typ(t.Elem)
	}
	return !t.Kind.IsInt() || !isWidth(t)
}

// checkMethod prints the method that checks a value which is about to be sent.
func checkMethod(n *model.Named) *jen.Statement {
	head := readMethod(n, "check").Params(jen.Id("c").Op("*").Add(codec("Checker")))
	v := jen.Id("v")
	switch n.Type.Kind {
	case model.Struct:
		return head.BlockFunc(func(g *jen.Group) { checkStruct(g, n.Type.Fields) })
	case model.Enum:
		return head.Block(jen.Id("c").Dot("OneOf").Call(jen.String().Call(v), v.Clone().Dot("names").Call().Op("...")))
	case model.Ref:
		return head.Block(asReferred(n).Dot("check").Call(jen.Id("c")))
	case model.Array, model.Map, model.Bytes, model.Object:
		return head.BlockFunc(func(g *jen.Group) { checkValue(g, v, n.Type, 1) })
	}
	return head.BlockFunc(func(g *jen.Group) { checkValue(g, goType(n.Type).Call(v), n.Type, 1) })
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
func checkStruct(g *jen.Group, fields []*model.Field) {
	g.If(jen.Op("!").Id("c").Dot("Enter").Call()).Block(jen.Return())
	for _, f := range fields {
		if !typeNeedsCheck(f.Type) {
			continue
		}
		target := jen.Id("m").Dot(f.Go)
		check := func(v *jen.Statement) func(g *jen.Group) {
			return func(g *jen.Group) {
				g.Id("c").Dot("Field").Call(jen.Lit(f.Wire))
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
	g.Id("c").Dot("Leave").Call()
}

// checkValue prints the checks of v, a value of t that is not null.
func checkValue(g *jen.Group, v *jen.Statement, t *model.Type, depth int) {
	c := func(name string, args ...jen.Code) {
		g.Id("c").Dot(name).Call(append([]jen.Code{v.Clone()}, args...)...)
	}
	switch t.Kind {
	case model.Ref:
		g.Add(v.Clone()).Dot("check").Call(jen.Id("c"))
	case model.String:
		f, ok := stringFormat(t)
		switch {
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
