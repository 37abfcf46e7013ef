package golang

// This file prints messages.gen.go: the types of the protocol, without their codecs.

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitMessages prints the types in the order of the file, and the interface of what servers send.
//
//	// ServerMessage is a message that a server may send.
//	type ServerMessage interface {
//		serverMessage() *wsrt.MessageType
//	}
//
//	// JoinRoom is the payload of JOIN_ROOM.
//	type JoinRoom struct {
//		RoomID RoomID `json:"roomId"`
//	}
func emitMessages(f *jen.File, api *model.API) {
	all := namedTypes(api)
	purposes := purposes(api)
	if usesInt(all) {
		f.Comment("Integers of the schema have up to 53 bits, so int must be wider than 32.")
		f.Const().Id("_").Int().Op("=").Lit(1).Op("<<").Lit(53)
		f.Line()
	}
	f.Add(doc("ServerMessage is a message that a server may send."))
	f.Type().Id("ServerMessage").Interface(jen.Id("serverMessage").Params().Op("*").Add(rt("MessageType")))
	f.Line()
	for _, n := range all {
		emitType(f, n, purposes[n])
	}
	for _, m := range api.Messages {
		if m.Request == nil && m.Direction.FromServer() {
			f.Func().Params(ptr(m.Payload.Go)).Id("serverMessage").Params().Op("*").Add(rt("MessageType")).
				Block(jen.Return(jen.Id("type" + m.Go)))
			f.Line()
		}
	}
}

// namedTypes returns every type that the package declares, each once: those of the file, then those that only messages,
// errors and claims refer to.
func namedTypes(api *model.API) []*model.Named {
	var out []*model.Named
	seen := map[*model.Named]bool{}
	add := func(n *model.Named) {
		if n != nil && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for _, n := range api.Types {
		add(n)
	}
	for _, m := range api.Messages {
		add(m.Payload)
		add(m.Meta)
		if m.Request != nil {
			add(m.Request.Response)
			add(m.Request.Progress)
		}
	}
	for _, e := range api.Errors {
		add(e.Details)
	}
	add(api.Claims)
	return out
}

// A purpose is what a type is for, in words for its comment, and why not to use it any more.
type purpose struct{ text, deprecated string }

// purposes returns what the lifted types of messages, errors and claims are for.
func purposes(api *model.API) map[*model.Named]purpose {
	out := map[*model.Named]purpose{}
	for _, m := range api.Messages {
		if m.Meta != nil {
			out[m.Meta] = purpose{"is what the meta of " + m.Wire + " has.", ""}
		}
		if m.Request == nil {
			out[m.Payload] = purpose{"is the payload of " + m.Wire + ".", m.Deprecated}
			continue
		}
		out[m.Payload] = purpose{"is the request " + m.Wire + ".", m.Deprecated}
		out[m.Request.Response] = purpose{"answers " + m.Wire + ".", m.Deprecated}
		if m.Request.Progress != nil {
			out[m.Request.Progress] = purpose{"is sent while " + m.Wire + " goes on.", m.Deprecated}
		}
	}
	for _, e := range api.Errors {
		if e.Details != nil {
			out[e.Details] = purpose{"are the details of " + e.Wire + ".", ""}
		}
	}
	if api.Claims != nil {
		out[api.Claims] = purpose{"are what the server knows about a connection.", ""}
	}
	return out
}

// usesInt reports whether any type holds an int.
func usesInt(all []*model.Named) bool {
	var uses func(t *model.Type) bool
	uses = func(t *model.Type) bool {
		if t == nil {
			return false
		}
		for _, f := range t.Fields {
			if uses(f.Type) {
				return true
			}
		}
		return t.Kind == model.Int || t.Kind == model.IntEnum || uses(t.Elem) || t.Extra != nil && uses(t.Extra.Elem)
	}
	for _, n := range all {
		if uses(n.Type) {
			return true
		}
	}
	return false
}

// emitType prints one type with what belongs to it.
func emitType(f *jen.File, n *model.Named, p purpose) {
	switch {
	case p.text != "":
	case n.Type.Kind == model.Union:
		p.text = unionText(n.Type)
	case n.Path == n.Go:
		p.text = "is a type of the schema."
	default:
		p.text = "is " + n.Path + " of the schema."
	}
	f.Add(doc(paragraphs(n.Go+" "+p.text, n.Doc, deprecated(p.deprecated))))
	switch n.Type.Kind {
	case model.Struct:
		f.Type().Id(n.Go).StructFunc(func(g *jen.Group) {
			structFields(g, n.Type.Fields)
			extraField(g, n.Type)
			if n.Meta != nil {
				g.Add(doc("Meta is what the meta of the frame has beside the keys of the protocol; nil is a zero value."))
				g.Id("Meta").Add(ptr(n.Meta.Go)).Tag(map[string]string{"json": "-"})
			}
		})
	case model.Enum:
		f.Type().Id(n.Go).String()
		f.Line()
		enumValues(f, n)
	case model.IntEnum:
		f.Type().Id(n.Go).Int()
		f.Line()
		enumValues(f, n)
	case model.Tuple:
		f.Type().Id(n.Go).StructFunc(func(g *jen.Group) { tupleFields(g, n.Type) })
	case model.OneOf:
		f.Type().Id(n.Go).StructFunc(func(g *jen.Group) { oneOfFields(g, n.Type) })
	case model.Box:
		f.Type().Id(n.Go).Struct(jen.Id("Value").Add(goType(n.Type.Elem)))
	case model.Union:
		unionType(f, n)
	default:
		if n.Type.UnionType() != nil {
			f.Type().Id(n.Go).Op("=").Add(goType(n.Type)) // so that the variants are its, too
			break
		}
		f.Type().Id(n.Go).Add(goType(n.Type))
	}
	f.Line()
	asMethods(f, n)
	if k := n.Type.Resolve().Kind; n.Type.Kind == model.Ref && (k == model.Enum || k == model.IntEnum) {
		f.Add(knownMethod(n.Go, jen.Return(jen.Id(n.Type.Ref.Go).Call(jen.Id("v")).Dot("Known").Call())))
		f.Line()
	}
	if n.HasDefaults {
		f.Add(constructor(n))
		f.Line()
	}
}

// structFields prints the fields with the wire name as tag, and how their absence is told where that is a question.
//
//	// Nick is shown to others.
//	Nick *string `json:"nick,omitzero"` // optional
func structFields(g *jen.Group, fields []*model.Field) {
	for _, f := range fields {
		if f.Const != nil { // there is nothing to set
			g.Comment(commentLine(cleanLine(f.Wire + " is always " + string(f.Const) + ".")))
			continue
		}
		if text := paragraphs(f.Doc, deprecated(f.Deprecated)); text != "" {
			g.Add(doc(text))
		}
		s := g.Id(f.Go).Add(fieldType(f))
		if tag := jsonTag(f); tag != "" {
			s.Tag(map[string]string{"json": tag})
		}
		if note := presenceNote(f); note != "" {
			s.Comment("// " + cleanLine(note))
		}
	}
}

// jsonTag returns the wire name as encoding/json writes it, or "" when a tag cannot hold it. The codec does not read it.
func jsonTag(f *model.Field) string {
	if strings.ContainsAny(f.Wire, "\"`,\\'") || cleanLine(f.Wire) != f.Wire || f.Wire == "-" {
		return ""
	}
	if f.Optional && f.Default == nil {
		return f.Wire + ",omitzero"
	}
	return f.Wire
}

// presenceNote says what a field can be besides a value.
func presenceNote(f *model.Field) string {
	var notes []string
	if f.Optional && f.Default == nil {
		notes = append(notes, "optional")
	}
	if f.Type.Nullable {
		notes = append(notes, "nullable")
	}
	if f.Default != nil {
		notes = append(notes, "default "+string(f.Default))
	}
	return strings.Join(notes, ", ")
}

// enumValues prints the constants of an enum.
//
//	// The values of Role.
//	const (
//		RoleOwner Role = "owner"
//	)
//
//	// Known reports whether v is a value of the schema. A newer server may send others.
//	func (v Role) Known() bool { … }
func enumValues(f *jen.File, n *model.Named) {
	f.Comment("The values of " + n.Go + ".")
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, v := range n.Type.Values {
			if v.Doc != "" {
				g.Add(doc(v.Doc))
			}
			g.Id(v.Go).Id(n.Go).Op("=").Add(enumLiteral(n.Type, v))
		}
	})
	f.Line()
	f.Add(knownMethod(n.Go,
		jen.Switch(jen.Id("v")).Block(jen.CaseFunc(func(g *jen.Group) {
			for _, v := range n.Type.Values {
				g.Id(v.Go)
			}
		}).Block(jen.Return(jen.True()))),
		jen.Return(jen.False()),
	))
}

func knownMethod(typ string, body ...jen.Code) *jen.Statement {
	return doc("Known reports whether v is a value of the schema. A newer server may send others.").Line().
		Add(valueMethod("v", typ, "Known").Params().Bool().Block(body...))
}

// enumLiteral returns a value of an enum as it stands in Go.
func enumLiteral(t *model.Type, v model.EnumValue) *jen.Statement {
	if t.Kind == model.IntEnum {
		return jen.Op(v.Wire)
	}
	return jen.Lit(v.Wire)
}

// extraField prints the field for keys that have none of their own.
//
//	// Extra has the values of all other keys.
//	Extra map[string]json.RawMessage `json:"-"`
func extraField(g *jen.Group, t *model.Type) {
	if t.Extra == nil {
		return
	}
	g.Add(doc(t.Extra.Go + " has the values of all other keys."))
	g.Id(t.Extra.Go).Map(jen.String()).Add(elemType(t.Extra.Elem)).Tag(map[string]string{"json": "-"})
}
