package golang

// This file prints unions: interfaces for objects that a tag tells apart, and structs with a field for each JSON type.

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// unionType prints the interface of a union, its variants' marks, and the variant that a newer server may send.
//
//	type Attachment interface {
//		isAttachment()
//		encode(w *jx.Writer)
//		check(c *codec.Checker)
//	}
//
//	func (*AttachmentImage) isAttachment() {}
//
//	// UnknownAttachment is a variant that this program does not know. Clients may get it from newer servers; it cannot be sent.
//	type UnknownAttachment struct {
//		Kind string          // value of the tag
//		JSON json.RawMessage // the whole object
//	}
func unionType(f *jen.File, n *model.Named) {
	mark := "is" + n.Go
	f.Type().Id(n.Go).Interface(
		jen.Id(mark).Params(),
		jen.Id("encode").Params(jen.Id("w").Op("*").Qual(pkgJX, "Writer")),
		jen.Id("check").Params(jen.Id("c").Op("*").Add(codec("Checker"))),
	)
	f.Line()
	for _, v := range n.Type.Union {
		f.Func().Params(ptr(v.Type.Go)).Id(mark).Params().Block()
	}
	f.Line()
	unknown := "Unknown" + n.Go
	f.Add(doc(unknown + " is a variant that this program does not know. Clients may get it from newer servers; it cannot be sent."))
	f.Type().Id(unknown).Struct(
		jen.Id("Tag").Add(tagType(n.Type)).Comment("// value of "+cleanLine(n.Type.Tag)),
		jen.Id("JSON").Qual("encoding/json", "RawMessage").Comment("// the whole object"),
	)
	f.Line()
	f.Func().Params(ptr(unknown)).Id(mark).Params().Block()
}

// tagType returns the Go type of a union's tag.
func tagType(t *model.Type) *jen.Statement {
	if t.Union[0].Int {
		return jen.Int64()
	}
	return jen.String()
}

func tagLiteral(v model.Variant) *jen.Statement {
	if v.Int {
		return jen.Op(v.Tag)
	}
	return jen.Lit(v.Tag)
}

// unionText names the variants for a comment.
func unionText(t *model.Type) string {
	names := make([]string, len(t.Union))
	for i, v := range t.Union {
		names[i] = "*" + v.Type.Go
	}
	if len(names) == 1 {
		return "is a " + names[0] + "; more variants may follow."
	}
	return "is one of " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + ", as " + cleanLine(t.Tag) + " tells."
}

// unionCodec prints how a value of a union is read, written and checked.
func unionCodec(f *jen.File, n *model.Named) {
	f.Add(decodeUnionFunc(n))
	f.Line()
	f.Add(unionFunc("encode", n, jen.Id("w").Op("*").Qual(pkgJX, "Writer"), jen.Id("w").Dot("Null").Call(), jen.Id("v").Dot("encode").Call(jen.Id("w"))))
	f.Line()
	absent := jen.Id("c").Dot("AddIssue").Call(jen.Lit("is required"))
	calls := []jen.Code{jen.Id("v").Dot("check").Call(jen.Id("c"))}
	if c := n.Type.Check; c != nil {
		calls = append(calls, jen.Id("c").Dot("Validate").Call(jen.Id(c.Name), jen.Id("v").Dot("encode")))
	}
	f.Add(unionFunc("check", n, jen.Id("c").Op("*").Add(codec("Checker")), absent, calls...))
	f.Line()
	unknown := "Unknown" + n.Go
	f.Func().Params(jen.Id("u").Add(ptr(unknown))).Id("encode").Params(jen.Id("w").Op("*").Qual(pkgJX, "Writer")).
		Block(codec("WriteAny").Call(jen.Id("w"), jen.Id("u").Dot("JSON")))
	f.Line()
	f.Func().Params(ptr(unknown)).Id("check").Params(jen.Id("c").Op("*").Add(codec("Checker"))).
		Block(jen.Id("c").Dot("AddIssue").Call(jen.Lit("is of a variant that the schema does not have")))
	f.Line()
	name := "Unmarshal" + n.Go
	f.Add(doc(name + " reads a " + n.Go + " strictly: it fails for what the schema refuses."))
	f.Func().Id(name).Params(jen.Id("data").Index().Byte()).Params(jen.Id(n.Go), jen.Error()).Block(
		jen.Return(codec("UnmarshalUnion").Call(jen.Id("data"), jen.Id("decode"+n.Go))))
	f.Line()
}

// unionFunc prints a function over a union that does something else for nil.
func unionFunc(name string, n *model.Named, param, absent jen.Code, present ...jen.Code) *jen.Statement {
	return jen.Func().Id(name+n.Go).Params(param, jen.Id("v").Id(n.Go)).Block(
		append([]jen.Code{jen.If(jen.Id("v").Op("==").Nil()).Block(absent, jen.Return())}, present...)...)
}

// decodeUnion returns the expression that reads a value of a union.
func decodeUnion(t *model.Type) *jen.Statement {
	return jen.Id("decode" + t.UnionType().Go).Call(jen.Id("d"))
}

// decodeUnionFunc prints the function that reads a union.
//
//	func decodeAttachment(d *codec.Decoder) Attachment {
//		tag, ok := d.Tag("kind")
//		if !ok {
//			return nil
//		}
//		switch string(tag) {
//		case "image":
//			v := new(AttachmentImage)
//			v.decode(d)
//			return v
//		}
//		if d.Mode() == codec.Lenient {
//			return &UnknownAttachment{Tag: string(tag), JSON: d.Any()}
//		}
//		d.UnknownTag("kind", "image")
//		return nil
//	}
func decodeUnionFunc(n *model.Named) *jen.Statement {
	t := n.Type
	read, unknown, tag := "Tag", "UnknownTag", jen.String().Call(jen.Id("tag"))
	if t.Union[0].Int {
		read, unknown, tag = "IntTag", "UnknownIntTag", jen.Id("tag")
	}
	return jen.Func().Id("decode" + n.Go).Params(jen.Id("d").Op("*").Add(codec("Decoder"))).Id(n.Go).BlockFunc(func(g *jen.Group) {
		if t.Check != nil {
			g.Defer().Id("d").Dot("Validate").Call(jen.Id("d").Dot("Mark").Call(), jen.Id(t.Check.Name))
		}
		g.List(jen.Id("tag"), jen.Id("ok")).Op(":=").Id("d").Dot(read).Call(jen.Lit(t.Tag))
		g.If(jen.Op("!").Id("ok")).Block(jen.Return(jen.Nil()))
		g.Switch(tag.Clone()).BlockFunc(func(g *jen.Group) {
			for _, v := range t.Union {
				g.Case(tagLiteral(v)).Block(
					jen.Id("v").Op(":=").New(jen.Id(v.Type.Go)),
					jen.Id("v").Dot("decode").Call(jen.Id("d")),
					jen.Return(jen.Id("v")),
				)
			}
		})
		g.If(jen.Id("d").Dot("Mode").Call().Op("==").Add(codec("Lenient"))).Block(
			jen.Return(jen.Op("&").Id("Unknown"+n.Go).Values(jen.Id("Tag").Op(":").Add(tag.Clone()), jen.Id("JSON").Op(":").Id("d").Dot("Any").Call())))
		g.Id("d").Dot(unknown).CallFunc(func(g *jen.Group) {
			g.Lit(t.Tag)
			for _, v := range t.Union {
				g.Add(tagLiteral(v))
			}
		})
		g.Return(jen.Nil())
	})
}

// oneOfFields prints a field for each JSON type, of which one is set.
//
//	String *string
//	Number *int
//	Unknown json.RawMessage // another type, which clients may get from newer servers; it cannot be sent
func oneOfFields(g *jen.Group, t *model.Type) {
	for _, f := range t.Fields {
		g.Id(f.Go).Add(fieldType(f))
	}
	g.Id("Unknown").Qual("encoding/json", "RawMessage").Comment("// another type, which clients may get from newer servers; it cannot be sent")
}

// jsonKinds are the codec's names of the JSON types.
var jsonKinds = map[string]string{"string": "StringKind", "number": "NumberKind", "boolean": "BoolKind", "array": "ArrayKind", "object": "ObjectKind"}

// decodeOneOf prints the switch over the JSON type.
func decodeOneOf(g *jen.Group, t *model.Type) {
	g.Switch(jen.Id("d").Dot("Kind").Call()).BlockFunc(func(g *jen.Group) {
		for _, f := range t.Fields {
			g.Case(codec(jsonKinds[f.Wire])).BlockFunc(func(g *jen.Group) { decodeField(g, f) })
		}
		g.Default().Block(jen.Id("m").Dot("Unknown").Op("=").Id("d").Dot("UnknownKind").CallFunc(func(g *jen.Group) {
			for _, f := range t.Fields {
				g.Add(codec(jsonKinds[f.Wire]))
			}
		}))
	})
}

// present returns the condition that an optional field is there.
func present(f *model.Field) *jen.Statement {
	target := jen.Id("m").Dot(f.Go)
	if f.Presence() == model.ThreeState {
		return jen.Op("!").Add(target).Dot("Absent").Call()
	}
	return target.Op("!=").Nil()
}

// encodePresent prints what writes an optional field that is there.
func encodePresent(g *jen.Group, f *model.Field) {
	target := jen.Id("m").Dot(f.Go)
	switch {
	case f.Presence() == model.ThreeState:
		g.If(jen.List(jen.Id("v"), jen.Id("ok")).Op(":=").Add(target).Dot("Get").Call(), jen.Id("ok")).
			BlockFunc(func(g *jen.Group) { encodeValue(g, jen.Id("v"), f.Type, 1) }).
			Else().Block(jen.Id("w").Dot("Null").Call())
	case f.Type.Nullable:
		encodePointer(g, target, f.Type, 1)
	case f.Presence() == model.Pointer:
		encodeValue(g, deref(target, f.Type), f.Type, 1)
	default:
		encodeValue(g, target, f.Type, 1)
	}
}

// encodeOneOf prints the switch over the field that is set.
func encodeOneOf(g *jen.Group, t *model.Type) {
	g.Switch().BlockFunc(func(g *jen.Group) {
		for _, f := range t.Fields {
			g.Case(present(f)).BlockFunc(func(g *jen.Group) { encodePresent(g, f) })
		}
		g.Default().Block(codec("WriteAny").Call(jen.Id("w"), jen.Id("m").Dot("Unknown")))
	})
}

// checkOneOf prints the check that one field is set, and those of the fields.
func checkOneOf(g *jen.Group, t *model.Type) {
	g.Id("set").Op(":=").Lit(0)
	for _, f := range t.Fields {
		g.If(present(f)).BlockFunc(func(g *jen.Group) {
			g.Id("set").Op("++")
			if typeNeedsCheck(f.Type) {
				checkValue(g, deref2(f), f.Type, 1)
			}
		})
	}
	g.If(jen.Id("set").Op("!=").Lit(1)).Block(jen.Id("c").Dot("AddIssue").Call(jen.Lit("must have exactly one of its fields set")))
}

// deref2 returns the value of an optional field that is there.
func deref2(f *model.Field) *jen.Statement {
	target := jen.Id("m").Dot(f.Go)
	if f.Presence() == model.Pointer {
		return deref(target, f.Type)
	}
	return target
}

// asMethods prints, for JSON that may be of several types, a method that tries each.
//
//	// AsCat reads v as a Cat; it fails if it is none.
//	func (v Pet) AsCat() (*Cat, error) { … }
func asMethods(f *jen.File, n *model.Named) {
	for _, as := range n.Type.As {
		if as.Type.UnionType() != nil || as.Type.Kind == model.Union {
			continue
		}
		name := "As" + as.Go
		f.Add(doc(name + " reads v as a " + as.Go + "; it fails if it is none."))
		f.Add(valueMethod("v", n.Go, name).Params().Params(ptr(as.Go), jen.Error()).Block(
			jen.Id("read").Op(":=").New(jen.Id(as.Go)),
			jen.If(jen.Err().Op(":=").Id("read").Dot("UnmarshalJSON").Call(jen.Id("v")), jen.Err().Op("!=").Nil()).
				Block(jen.Return(jen.Nil(), jen.Err())),
			jen.Return(jen.Id("read"), jen.Nil()),
		))
		f.Line()
	}
}
