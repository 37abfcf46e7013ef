package golang

// This file prints arrays with a type for each of the first items.

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// tupleFields prints a field for each item with a place of its own, and one for the rest.
func tupleFields(g *jen.Group, t *model.Type) {
	for _, f := range t.Fields {
		if f.Doc != "" {
			g.Add(doc(f.Doc))
		}
		s := g.Id(f.Go).Add(fieldType(f))
		if note := presenceNote(f); note != "" {
			s.Comment("// " + note)
		}
	}
	if t.Elem != nil {
		g.Id("Rest").Index().Add(elemType(t.Elem))
	}
}

// decodeTuple prints how the items are read, one by one.
func decodeTuple(g *jen.Group, t *model.Type) {
	g.Id("a").Op(":=").Id("d").Dot("Array").Call(sizes(t)...)
	for _, f := range t.Fields {
		g.If(jen.Id("a").Dot("Next").Call()).BlockFunc(func(g *jen.Group) { decodeField(g, f) }).Else().BlockFunc(func(g *jen.Group) {
			if !f.Optional {
				g.Id("a").Dot("Short").Call()
			}
			g.Return()
		})
	}
	g.For(jen.Id("a").Dot("Next").Call()).BlockFunc(func(g *jen.Group) {
		if t.Elem == nil {
			g.Id("d").Dot("Skip").Call()
			return
		}
		v := decodeElem(g, t.Elem, 1)
		g.Id("m").Dot("Rest").Op("=").Append(jen.Id("m").Dot("Rest"), v)
	})
}

// encodeTuple prints how the items are written, up to the first that is absent.
func encodeTuple(g *jen.Group, t *model.Type) {
	g.Id("w").Dot("ArrStart").Call()
	for _, f := range t.Fields {
		item := func(g *jen.Group) {
			encodePresent(g, f)
			g.Id("w").Dot("Comma").Call()
		}
		if f.Optional {
			g.If(present(f)).BlockFunc(item)
		} else {
			item(g)
		}
	}
	if t.Elem != nil {
		g.For(jen.List(jen.Id("_"), jen.Id("v")).Op(":=").Range().Id("m").Dot("Rest")).BlockFunc(func(g *jen.Group) {
			encodeElem(g, jen.Id("v"), t.Elem, 2)
			g.Id("w").Dot("Comma").Call()
		})
	}
	g.Add(codec("CloseArray")).Call(jen.Id("w"))
}

// checkTuple prints the checks of the items, and that none is absent before another.
func checkTuple(g *jen.Group, t *model.Type) {
	g.If(jen.Op("!").Id("c").Dot("Enter").Call()).Block(jen.Return())
	g.Id("n").Op(":=").Lit(0)
	for i, f := range t.Fields {
		index := jen.Lit(i)
		if f.Optional {
			g.If(present(f)).BlockFunc(func(g *jen.Group) {
				g.If(jen.Id("n").Op("<").Lit(i)).Block(
					jen.Id("c").Dot("Item").Call(jen.Id("n")), jen.Id("c").Dot("AddIssue").Call(jen.Lit("is required before item "+strconv.Itoa(i))))
				g.Id("n").Op("=").Lit(i + 1)
			})
		} else {
			g.Id("n").Op("=").Lit(i + 1)
		}
		if typeNeedsCheck(f.Type) {
			checkField(g, f, "Item", index)
		}
	}
	if t.Elem != nil {
		g.For(jen.List(jen.Id("i"), jen.Id("v")).Op(":=").Range().Id("m").Dot("Rest")).BlockFunc(func(g *jen.Group) {
			g.Id("c").Dot("Item").Call(jen.Id("n").Op("+").Id("i"))
			g.If(jen.Id("n").Op("<").Lit(len(t.Fields))).Block(jen.Id("c").Dot("AddIssue").Call(jen.Lit("stands behind items that are absent")))
			if typeNeedsCheck(t.Elem) {
				checkElem(g, jen.Id("v"), t.Elem, 2)
			} else {
				g.Id("_").Op("=").Id("v")
			}
		})
		g.Id("n").Op("+=").Len(jen.Id("m").Dot("Rest"))
	}
	g.Id("c").Dot("Leave").Call()
	if hasSizes(t) {
		g.Id("c").Dot("Items").Call(append([]jen.Code{jen.Id("n")}, sizes(t)...)...)
	}
}
