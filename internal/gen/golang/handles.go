package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitHandles prints Conn and Room, the typed handles around the runtime's. Their methods are one-liners from the tables
// below.
func emitHandles(f *jen.File, api *model.API) {
	f.Add(doc("Conn is a connection. It is a handle: its methods are safe for concurrent use, and do nothing once the " +
		"connection has ended."))
	f.Type().Id("Conn").Struct(jen.Id("conn").Op("*").Add(rt("Conn")))
	f.Line()
	f.Add(doc("Claims returns what Authenticate returned, which must not be changed. It is nil for an anonymous connection."))
	f.Add(method("c", "Conn", "Claims")).Params().Add(ptr("Claims")).Block(
		jen.List(jen.Id("claims"), jen.Id("_")).Op(":=").Id("c").Dot("conn").Dot("Claims").Call().Assert(ptr("Claims")),
		jen.Return(jen.Id("claims")))
	f.Line()
	for _, m := range connMethods {
		if !m.rooms || len(api.Kinds) > 0 {
			m.emit(f, "c", "Conn", "conn")
		}
	}
	if len(api.Kinds) == 0 {
		return
	}
	f.Add(doc("Room is a room that is open. Its methods are safe to call from anywhere."))
	f.Type().Id("Room").Struct(jen.Id("room").Op("*").Add(rt("Room")))
	f.Line()
	for _, m := range roomMethods {
		m.emit(f, "r", "Room", "room")
	}
	membersMethod(f)
	f.Add(doc("Except leaves one connection out of a Publish."))
	f.Func().Id("Except").Params(jen.Id("c").Add(ptr("Conn"))).Add(rt("PublishOption")).Block(
		jen.Return(rt("Except").Call(jen.Id("c").Dot("conn"))))
	f.Line()
}

// A handleMethod passes a call on to the runtime's handle.
type handleMethod struct {
	name, text string
	params     []param
	result     func() *jen.Statement // nil: none
	rooms      bool                  // only where the schema has rooms
}

// A param is a parameter, and how it is passed on.
type param struct {
	name string
	typ  func() *jen.Statement
	pass func() []jen.Code // nil: as it is
}

func str() *jen.Statement     { return jen.String() }
func integer() *jen.Statement { return jen.Int() }
func boolean() *jen.Statement { return jen.Bool() }
func failure() *jen.Statement { return jen.Error() }

// connParam is a typed connection, whose runtime handle is passed on.
var connParam = param{"c", func() *jen.Statement { return ptr("Conn") },
	func() []jen.Code { return []jen.Code{jen.Id("c").Dot("conn")} }}

// messageParam is a message, which is passed on with its type.
var messageParam = param{"m", func() *jen.Statement { return jen.Id("ServerMessage") }, func() []jen.Code {
	return []jen.Code{jen.Id("m").Dot("serverMessage").Call(), jen.Id("m")}
}}

var connMethods = []handleMethod{
	{name: "ID", text: "ID returns the connection's id, a UUID of version 7.", result: str},
	{name: "UserID", text: "UserID returns the user of the claims; empty for an anonymous connection.", result: str},
	{name: "Send", text: "Send queues a message for this connection. It returns an error when the message is not what the " +
		"schema allows, and does not wait for the connection to take it.",
		params: []param{messageParam}, result: failure},
	{name: "Close",
		text:   "Close sends what was queued before and ends the connection with a close code. It does not wait for that.",
		params: []param{{"code", func() *jen.Statement { return rt("CloseCode") }, nil}, {"reason", str, nil}}},
	{name: "ExpireAt",
		text:   "ExpireAt closes the connection with 4401 at a time, in place of the time that its claims say; the zero time is never.",
		params: []param{{"at", func() *jen.Statement { return jen.Qual("time", "Time") }, nil}}},
	{name: "Topics", text: "Topics returns the rooms that the connection is in, in the order of joining.",
		result: func() *jen.Statement { return jen.Index().String() }, rooms: true},
	{name: "Leave", text: "Leave makes the connection leave a room: it counts as not joined at once, and the room's OnLeave is " +
		"called in its turn. It returns at once.",
		params: []param{{"topic", str, nil}}, rooms: true},
	{name: "Context", text: "Context ends with the connection.",
		result: func() *jen.Statement { return jen.Qual("context", "Context") }},
}

var roomMethods = []handleMethod{
	{name: "ID", text: "ID returns the room's key.", result: str},
	{name: "Topic", text: "Topic returns <kind>:<key>.", result: str},
	{name: "Shard", text: "Shard returns the number of the shard that owns the room.", result: integer},
	{name: "Len", text: "Len returns the number of members.", result: integer},
	{name: "Has", text: "Has reports whether a connection is a member.", params: []param{connParam}, result: boolean},
	{name: "Join", text: "Join makes a connection a member: it gets what the room publishes from here on. The error is for the " +
		"client: Authorize's answer, or the code of a capacity that is used up.",
		params: []param{connParam}, result: failure},
	{name: "Leave", text: "Leave ends a membership. OnLeave is not called.", params: []param{connParam}},
	{name: "Kick", text: "Kick ends a membership and tells the connection. OnLeave is called in a turn of its own.",
		params: []param{connParam, {"reason", str, nil}}},
	{name: "Publish", text: "Publish sends a message to all members. It returns an error when the message is not what the " +
		"schema allows, and does not wait for anybody to take it.",
		params: []param{messageParam,
			{"opts", func() *jen.Statement { return jen.Op("...").Add(rt("PublishOption")) },
				func() []jen.Code { return []jen.Code{jen.Id("opts").Op("...")} }}}, result: failure},
	{name: "Send", text: "Send sends a message to one connection, in order with what the room publishes to it.",
		params: []param{connParam, messageParam}, result: failure},
	{name: "After", text: "After calls f in the room's turn once d has passed. The function that it returns cancels the call " +
		"and reports whether that came in time.",
		params: []param{{"d", func() *jen.Statement { return jen.Qual("time", "Duration") }, nil},
			{"f", func() *jen.Statement { return jen.Func().Params() }, nil}},
		result: func() *jen.Statement { return jen.Params(jen.Id("stop").Func().Params().Bool()) }},
	{name: "Context", text: "Context ends when the room closes.",
		result: func() *jen.Statement { return jen.Qual("context", "Context") }},
}

// emit prints the method:
//
//	// Has reports whether a connection is a member.
//	func (r *Room) Has(c *Conn) bool { return r.room.Has(c.conn) }
func (m handleMethod) emit(f *jen.File, recv, typ, field string) {
	var params, args []jen.Code
	for _, p := range m.params {
		params = append(params, jen.Id(p.name).Add(p.typ()))
		if p.pass == nil {
			args = append(args, jen.Id(p.name))
		} else {
			args = append(args, p.pass()...)
		}
	}
	call := jen.Id(recv).Dot(field).Dot(m.name).Call(args...)
	result := jen.Null()
	if m.result != nil {
		result, call = m.result(), jen.Return(call)
	}
	f.Add(doc(m.text))
	f.Add(method(recv, typ, m.name)).Params(params...).Add(result).Block(call)
	f.Line()
}

// membersMethod prints the iterator over typed connections.
func membersMethod(f *jen.File) {
	f.Add(doc("Members returns the members at the time of the call, in no order."))
	f.Add(method("r", "Room", "Members")).Params().Qual("iter", "Seq").Types(ptr("Conn")).Block(
		jen.Return(jen.Func().Params(jen.Id("yield").Func().Params(ptr("Conn")).Bool()).Block(
			jen.For(jen.Id("c").Op(":=").Range().Id("r").Dot("room").Dot("Members").Call()).Block(
				jen.If(jen.Op("!").Id("yield").Call(jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn")))).Block(jen.Return())))))
	f.Line()
}
