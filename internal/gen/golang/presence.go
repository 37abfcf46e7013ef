package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitPresence prints the functions that make what members of a room are told of each other:
//
//	func newPresence(p *wsrt.Presence) any {
//		return &Presence{Topic: p.Topic, Count: p.Count, Members: presenceMembers(p.Members), …}
//	}
func emitPresence(f *jen.File, p *model.PresenceEvents) {
	from := func(name string) *jen.Statement { return jen.Id("p").Dot(name) }
	list := func(name string) jen.Code {
		return keyed(name, jen.Id("presenceMembers").Call(from(name)))
	}
	f.Add(doc("newPresence makes the payload of " + p.Message.Wire + "."))
	f.Func().Id("newPresence").Params(jen.Id("p").Op("*").Add(rt("Presence"))).Any().Block(
		jen.Return(jen.Op("&").Id(p.Message.Payload.Go).Values(closing([]jen.Code{
			keyed("Topic", from("Topic")), keyed("Count", from("Count")), list("Members"), list("Joined"),
			keyed("Left", from("Left")),
		})...)))
	f.Line()
	f.Add(doc("presenceMembers shows what may be known about members."))
	f.Func().Id("presenceMembers").Params(jen.Id("list").Index().Add(rt("PresentMember"))).Index().Id(p.Member.Go).Block(
		jen.Var().Id("out").Index().Id(p.Member.Go),
		jen.For(jen.List(jen.Id("_"), jen.Id("m")).Op(":=").Range().Id("list")).Block(
			jen.Id("member").Op(":=").Id(p.Member.Go).Values(jen.Id("ID").Op(":").Id("m").Dot("ID")),
			publicClaims(p),
			jen.Id("out").Op("=").Append(jen.Id("out"), jen.Id("member"))),
		jen.Return(jen.Id("out")))
}

// publicClaims prints the copy of the public fields of a member's claims.
func publicClaims(p *model.PresenceEvents) jen.Code {
	if p.Claims == nil {
		return jen.Null()
	}
	var fields []jen.Code
	for _, f := range p.Claims.Type.Fields {
		fields = append(fields, keyed(f.Go, jen.Id("claims").Dot(f.Go)))
	}
	return jen.If(jen.List(jen.Id("claims"), jen.Id("ok")).Op(":=").Id("m").Dot("Claims").Assert(ptr("Claims")),
		jen.Id("ok").Op("&&").Id("claims").Op("!=").Nil()).Block(
		jen.Id("member").Dot("Claims").Op("=").Op("&").Id(p.Claims.Go).Values(closing(fields)...))
}
