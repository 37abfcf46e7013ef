package golang

import (
	"fmt"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// decodeMethod prints the method that reads a value of n into its receiver, which is zero.
func decodeMethod(n *model.Named) *jen.Statement {
	head := method(recv(n), n.Go, "decode").Params(jen.Id("d").Op("*").Add(codec("Decoder")))
	return head.BlockFunc(func(g *jen.Group) {
		if n.Type.Check != nil {
			g.Defer().Id("d").Dot("Validate").Call(jen.Id("d").Dot("Mark").Call(), jen.Id(n.Type.Check.Name))
		}
		decodeNamed(g, n)
	})
}

func decodeNamed(g *jen.Group, n *model.Named) {
	v := jen.Id("v")
	switch n.Type.Kind {
	case model.Struct:
		decodeStruct(g, n.Type)
		return
	case model.Tuple:
		decodeTuple(g, n.Type)
		return
	case model.OneOf:
		decodeOneOf(g, n.Type)
		return
	case model.Box:
		g.Id("m").Dot("Value").Op("=").Add(decodeUnion(n.Type.Elem))
		return
	case model.Enum:
		for _, c := range decodeEnum(n) {
			g.Add(c)
		}
		return
	case model.IntEnum:
		g.Op("*").Add(v).Op("=").Id(n.Go).Call(jen.Id("d").Dot("EnumInt").Call(jen.Id("v").Dot("names").Call().Op("...")))
		return
	case model.Ref:
		g.Parens(ptr(n.Type.Ref.Go)).Call(jen.Id(recv(n))).Dot("decode").Call(jen.Id("d"))
		return
	case model.Array, model.Map:
		unchecked := *n.Type
		unchecked.Check = nil
		decodeInto(g, jen.Id("read"), ":=", &unchecked, 1)
		g.Op("*").Add(v).Op("=").Id("read")
		return
	}
	unchecked := *n.Type
	unchecked.Check = nil
	value := decodeScalar(&unchecked)
	if n.Type.Kind != model.Bytes && n.Type.Kind != model.Object {
		value = jen.Id(n.Go).Call(value) // the others are assignable
	}
	g.Op("*").Add(v).Op("=").Add(value)
}

// decodeEnum prints the body that reads an enum without copying its text.
//
//	text, ok := d.Text()
//	if !ok {
//		return
//	}
//	switch string(text) {
//	case "owner":
//		*v = RoleOwner
//	default:
//		*v = Role(d.NotOneOf(text, v.names()...))
//	}
func decodeEnum(n *model.Named) []jen.Code {
	v := jen.Op("*").Id("v")
	return []jen.Code{
		jen.List(jen.Id("text"), jen.Id("ok")).Op(":=").Id("d").Dot("Text").Call(),
		jen.If(jen.Op("!").Id("ok")).Block(jen.Return()),
		jen.Switch(jen.String().Call(jen.Id("text"))).BlockFunc(func(g *jen.Group) {
			for _, value := range n.Type.Values {
				g.Case(jen.Lit(value.Wire)).Block(v.Clone().Op("=").Id(value.Go))
			}
			g.Default().Block(v.Clone().Op("=").Id(n.Go).Call(
				jen.Id("d").Dot("NotOneOf").Call(jen.Id("text"), jen.Id("v").Dot("names").Call().Op("..."))))
		}),
	}
}

// wordBits is the number of fields in one codec.Seen.
const wordBits = 64

// decodeStruct prints the loop over the members of an object.
//
//	o := d.Object()
//	var seen codec.Seen
//	for o.Next() {
//		switch string(o.Key()) {
//		case "roomId":
//			if o.First(&seen, 0) {
//				m.RoomID.decode(d)
//			}
//		default:
//			o.Unknown()
//		}
//	}
//	if o.Lacks(seen, 0b1) {
//		o.Require(seen, 0, "roomId")
//	}
//	if !seen.Has(1) {
//		m.Limit = 50
//	}
func decodeStruct(g *jen.Group, t *model.Type) {
	fields := t.Fields
	if len(fields) == 0 {
		g.For(jen.Id("o").Op(":=").Id("d").Dot("Object").Call(), jen.Id("o").Dot("Next").Call(), jen.Empty()).
			BlockFunc(func(g *jen.Group) { decodeUnknown(g, t) })
		return
	}
	g.Id("o").Op(":=").Id("d").Dot("Object").Call()
	if len(fields) <= wordBits {
		g.Var().Id("seen").Add(codec("Seen"))
	} else {
		g.Var().Id("seen").Index(jen.Lit((len(fields) + wordBits - 1) / wordBits)).Add(codec("Seen"))
	}
	g.For(jen.Id("o").Dot("Next").Call()).Block(
		jen.Switch(jen.String().Call(jen.Id("o").Dot("Key").Call())).BlockFunc(func(g *jen.Group) {
			for i, f := range fields {
				g.Case(jen.Lit(f.Wire)).Block(
					jen.If(jen.Id("o").Dot("First").Call(jen.Op("&").Add(seen(fields, i)), jen.Lit(i%wordBits))).
						BlockFunc(func(g *jen.Group) { decodeField(g, f) }),
				)
			}
			g.Default().BlockFunc(func(g *jen.Group) { decodeUnknown(g, t) })
		}),
	)
	requireFields(g, fields)
	fillDefaults(g, fields)
}

// decodeUnknown prints what becomes of a key that has no field: it is refused, passed over, or kept.
//
//	key := string(o.Key())
//	if _, ok := m.Extra[key]; ok {
//		o.Duplicate()
//		continue
//	}
//	if m.Extra == nil {
//		m.Extra = map[string]string{}
//	}
//	m.Extra[key] = d.String()
func decodeUnknown(g *jen.Group, t *model.Type) {
	switch {
	case t.Extra != nil:
		target := jen.Id("m").Dot(t.Extra.Go)
		g.Id("key").Op(":=").String().Call(jen.Id("o").Dot("Key").Call())
		g.If(jen.List(jen.Id("_"), jen.Id("ok")).Op(":=").Add(target.Clone()).Index(jen.Id("key")), jen.Id("ok")).
			Block(jen.Id("o").Dot("Duplicate").Call(), jen.Continue())
		g.If(target.Clone().Op("==").Nil()).Block(target.Clone().Op("=").Map(jen.String()).Add(elemType(t.Extra.Elem)).Values())
		v := decodeElem(g, t.Extra.Elem, 1)
		g.Add(target.Clone()).Index(jen.Id("key")).Op("=").Add(v)
	case t.Open:
		g.Id("d").Dot("Skip").Call()
	default:
		g.Id("o").Dot("Unknown").Call()
	}
}

// seen returns the word that has the bit of field i.
func seen(fields []*model.Field, i int) *jen.Statement {
	if len(fields) <= wordBits {
		return jen.Id("seen")
	}
	return jen.Id("seen").Index(jen.Lit(i / wordBits))
}

// requireFields prints the check that required fields were met, one per word of bits.
func requireFields(g *jen.Group, fields []*model.Field) {
	for first := 0; first < len(fields); first += wordBits {
		word := fields[first:min(first+wordBits, len(fields))]
		var mask uint64
		for i, f := range word {
			if !f.Optional && f.Default == nil {
				mask |= 1 << i
			}
		}
		if mask == 0 {
			continue
		}
		g.If(jen.Id("o").Dot("Lacks").Call(seen(fields, first), bits(mask, len(word)))).BlockFunc(func(g *jen.Group) {
			for i, f := range word {
				if mask&(1<<i) != 0 {
					g.Id("o").Dot("Require").Call(seen(fields, first), jen.Lit(i), jen.Lit(f.Wire))
				}
			}
		})
	}
}

// bits prints a mask of n bits: as such while one can read them, else in hexadecimal.
func bits(mask uint64, n int) *jen.Statement {
	if n <= 8 {
		return jen.Op("0b" + strconv.FormatUint(mask, 2))
	}
	return jen.Op(fmt.Sprintf("%#x", mask))
}

// fillDefaults prints the defaults of what was left out.
func fillDefaults(g *jen.Group, fields []*model.Field) {
	for i, f := range fields {
		if f.Default == nil {
			continue
		}
		if v := defaultValue(f); v != nil {
			g.If(jen.Op("!").Add(seen(fields, i)).Dot("Has").Call(jen.Lit(i % wordBits))).
				Block(jen.Id("m").Dot(f.Go).Op("=").Add(v))
		}
	}
}

// decodeField prints how a field is read, by its presence.
func decodeField(g *jen.Group, f *model.Field) {
	if f.Const != nil {
		g.Id("d").Dot("Const").Call(rawString(string(f.Const)))
		return
	}
	target := jen.Id("m").Dot(f.Go)
	switch f.Presence() {
	case model.Pointer:
		if f.Type.Nullable {
			g.If(jen.Op("!").Id("d").Dot("Null").Call()).BlockFunc(func(g *jen.Group) { decodePointer(g, target, f.Type, 1) })
			return
		}
		decodePointer(g, target, f.Type, 1)
	case model.ThreeState:
		g.If(jen.Id("d").Dot("Null").Call()).Block(
			target.Clone().Op("=").Add(codec("Null")).Types(goType(f.Type)).Call(),
		).Else().BlockFunc(func(g *jen.Group) {
			if v := decodeScalar(f.Type); v != nil {
				g.Add(target.Clone()).Op("=").Add(codec("Some")).Call(v)
				return
			}
			declareAndDecode(g, "v", f.Type, 1)
			g.Add(target.Clone()).Op("=").Add(codec("Some")).Call(jen.Id("v"))
		})
	default:
		decodeInto(g, target, "=", f.Type, 1)
	}
}
