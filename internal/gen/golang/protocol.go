package golang

import (
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitProtocol prints the tables that describe the protocol to the runtime, and ties the package to it:
//
//	// SchemaFingerprint names the schema that this package was generated from.
//	const SchemaFingerprint = "4f1c…"
//
//	var typeJoinRoom = &wsrt.MessageType{Name: "JOIN_ROOM", FromClient: true, …}
//
//	var protocol = &wsrt.Protocol{Name: "Chat", Messages: []*wsrt.MessageType{typeJoinRoom, …}, …}
func emitProtocol(f *jen.File, api *model.API) {
	packageComment(f, api)
	f.Add(doc("A compile error here says that the runtime in go.mod is older than this code: " +
		"go get github.com/wsgen/wsgen@latest."))
	f.Const().Id("_").Op("=").Add(rt("IsAtLeastVersion0_1_0"))
	f.Line()
	f.Add(doc("SchemaFingerprint names the schema that this package was generated from."))
	f.Const().Id("SchemaFingerprint").Op("=").Lit(api.Fingerprint)
	f.Line()
	for _, m := range api.Messages {
		f.Add(doc("type" + m.Go + " describes " + m.Wire + "."))
		f.Var().Id("type" + m.Go).Op("=").Op("&").Add(rt("MessageType")).Values(messageFields(api, m)...)
		f.Line()
	}
	f.Add(doc("protocol describes all messages to the runtime."))
	f.Var().Id("protocol").Op("=").Op("&").Add(rt("Protocol")).Values(protocolFields(api)...)
}

// keyed returns one key: value of a composite literal, on a line of its own.
func keyed(key string, value jen.Code) jen.Code { return jen.Line().Id(key).Op(":").Add(value) }

// closing ends a composite literal whose fields stand on lines of their own.
func closing(fields []jen.Code) []jen.Code { return append(fields, jen.Line()) }

// messageFields returns the fields of a wsrt.MessageType.
func messageFields(api *model.API, m *model.Message) []jen.Code {
	fields := []jen.Code{keyed("Name", jen.Lit(m.Wire))}
	if m.Direction.FromClient() {
		fields = append(fields, keyed("FromClient", jen.True()))
	}
	if m.Direction.FromServer() {
		fields = append(fields, keyed("FromServer", jen.True()))
	}
	if m.HasBody {
		fields = append(fields, keyed("Payload", payload(m.Payload)))
	} else {
		fields = append(fields, keyed("New", newFunc(m.Payload)))
	}
	if m.Meta != nil {
		fields = append(fields, keyed("Meta", metaLiteral(m)))
	}
	fields = append(fields, keyed("Kind", jen.Lit(kindIndex(api, m))))
	if m.Direction.FromClient() {
		fields = append(fields, clientFields(m)...)
	}
	if m.Direction.FromServer() {
		fields = append(fields, deliveryFields(m)...)
	}
	return closing(fields)
}

// metaLiteral returns the codec of the field Meta.
//
//	wsrt.MetaOf(func(m *JoinRoom) **JoinRoomMeta { return &m.Meta }, (*JoinRoomMeta).decode, (*JoinRoomMeta).encode, nil)
func metaLiteral(m *model.Message) *jen.Statement {
	method := func(name string) *jen.Statement { return jen.Parens(ptr(m.Meta.Go)).Dot(name) }
	check := jen.Nil()
	if needsCheck(m.Meta) {
		check = method("check")
	}
	return rt("MetaOf").Call(jen.Func().Params(jen.Id("m").Add(ptr(m.Payload.Go))).Op("**").Id(m.Meta.Go).
		Block(jen.Return(jen.Op("&").Id("m").Dot("Meta"))), method("decode"), method("encode"), check)
}

// clientFields returns what only messages of clients have.
func clientFields(m *model.Message) []jen.Code {
	var fields []jen.Code
	if r := m.Room; r != nil && r.Joined {
		fields = append(fields, keyed("Joined", jen.True()))
	} else if r != nil {
		fields = append(fields, keyed("Key", fieldText(m.Payload, r.Path)))
	}
	if m.Auth.Anonymous || len(m.Auth.Roles) > 0 {
		fields = append(fields, keyed("Auth", authLiteral(m.Auth)))
	}
	if m.Rate != nil {
		fields = append(fields, keyed("Rate", rateLiteral(m.Rate)))
	}
	fields = append(fields, keyed("MaxBytes", jen.Lit(m.MaxBytes)))
	if m.Request == nil {
		return append(fields, keyed("Handle", eventHandle(m)))
	}
	return append(fields, keyed("Request", requestLiteral(m)))
}

// deliveryFields returns what only messages of servers have.
func deliveryFields(m *model.Message) []jen.Code {
	switch m.Delivery.Mode {
	case "droppable":
		return []jen.Code{keyed("Delivery", rt("Droppable"))}
	case "latest":
		return []jen.Code{keyed("Delivery", rt("Latest")),
			keyed("LatestKey", fieldText(m.Payload, []*model.Field{m.Delivery.Field}))}
	}
	return nil
}

// kindIndex returns the number of the kind of rooms that handles a message; -1 for none.
func kindIndex(api *model.API, m *model.Message) int {
	for i, k := range api.Kinds {
		if m.Room != nil && m.Room.Kind == k {
			return i
		}
	}
	return -1
}

// newFunc returns func() any { return new(Ping) }.
func newFunc(n *model.Named) *jen.Statement {
	return jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(n.Go))))
}

// fieldText returns a function that gives a field as text:
//
//	func(msg any) string { return string(msg.(*JoinRoom).RoomID) }
func fieldText(n *model.Named, path []*model.Field) *jen.Statement {
	v := jen.Id("msg").Assert(ptr(n.Go))
	for _, f := range path {
		v.Dot(f.Go)
	}
	return jen.Func().Params(jen.Id("msg").Any()).String().Block(jen.Return(asText(path[len(path)-1].Type, v)))
}

// asText returns the text of a string or an integer.
func asText(t *model.Type, v *jen.Statement) *jen.Statement {
	switch k := t.Resolve().Kind; {
	case t.Kind == model.Uint64:
		return jen.Qual("strconv", "FormatUint").Call(v, jen.Lit(10))
	case t.Kind == model.Int64:
		return jen.Qual("strconv", "FormatInt").Call(v, jen.Lit(10))
	case k == model.Uint64:
		return jen.Qual("strconv", "FormatUint").Call(jen.Uint64().Call(v), jen.Lit(10))
	case k == model.Int64 || k.IsInt():
		return jen.Qual("strconv", "FormatInt").Call(jen.Int64().Call(v), jen.Lit(10))
	case t.Kind == model.Ref:
		return jen.String().Call(v)
	}
	return v
}

func authLiteral(a model.Auth) *jen.Statement {
	if a.Anonymous {
		return rt("Auth").Values(jen.Id("Anonymous").Op(":").True())
	}
	return rt("Auth").Values(jen.Id("Roles").Op(":").Index().String().ValuesFunc(func(g *jen.Group) {
		for _, r := range a.Roles {
			g.Lit(r)
		}
	}))
}

func rateLiteral(r *model.Rate) *jen.Statement {
	by := map[string]string{"connection": "ByConnection", "user": "ByUser", "ip": "ByIP", "room": "ByRoom"}[r.By]
	return jen.Op("&").Add(rt("Rate")).Values(
		jen.Id("Limit").Op(":").Lit(r.Limit), jen.Id("Per").Op(":").Add(duration(r.Per)),
		jen.Id("Burst").Op(":").Lit(r.Burst), jen.Id("By").Op(":").Add(rt(by)))
}

// duration returns 30 * time.Second.
func duration(d time.Duration) *jen.Statement {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"},
		{time.Microsecond, "Microsecond"}} {
		if d%u.unit != 0 {
			continue
		}
		if d == u.unit {
			return jen.Qual("time", u.name)
		}
		return jen.Lit(int(d/u.unit)).Op("*").Qual("time", u.name)
	}
	return jen.Qual("time", "Duration").Call(jen.Lit(int(d)))
}

// handlerType returns the interface that handles a message.
func handlerType(m *model.Message) string {
	if m.Room == nil {
		return "ConnHandler"
	}
	return m.Room.Kind.Go + "Handler"
}

// handlerCall returns handler.(RoomHandler).JoinRoom(ctx, conn.Handle().(*Conn), msg.(*JoinRoom)).
func handlerCall(m *model.Message, msg string, more ...jen.Code) *jen.Statement {
	args := append([]jen.Code{jen.Id("ctx"), jen.Id("conn").Dot("Handle").Call().Assert(ptr("Conn")),
		jen.Id(msg).Assert(ptr(m.Payload.Go))}, more...)
	return jen.Id("handler").Assert(jen.Id(handlerType(m))).Dot(m.Go).Call(args...)
}

func handleParams(msg string) []jen.Code {
	return []jen.Code{ctxParam(), jen.Id("handler").Any(), jen.Id("conn").Op("*").Add(rt("Conn")), jen.Id(msg).Any()}
}

// eventHandle returns the function that calls an event's method.
func eventHandle(m *model.Message) *jen.Statement {
	return jen.Func().Params(handleParams("msg")...).Error().Block(jen.Return(handlerCall(m, "msg")))
}

// requestLiteral returns &wsrt.RequestType{…}.
func requestLiteral(m *model.Message) *jen.Statement {
	r := m.Request
	progress := jen.Id("_").Func().Params(jen.Any()).Error()
	var more []jen.Code
	if r.Progress != nil {
		progress = jen.Id("progress").Func().Params(jen.Any()).Error()
		more = append(more,
			jen.Func().Params(jen.Id("p").Add(ptr(r.Progress.Go))).Error().Block(
				jen.Return(jen.Id("progress").Call(jen.Id("p")))))
	}
	fields := []jen.Code{
		keyed("Handle", jen.Func().Params(append(handleParams("req"), progress)...).Params(jen.Any(), jen.Error()).
			Block(jen.Return(handlerCall(m, "req", more...)))),
		keyed("ResponseName", jen.Lit(r.ResponseWire)),
	}
	if r.ResponseBody {
		fields = append(fields, keyed("Response", payload(r.Response)))
	} else {
		fields = append(fields, keyed("NewResponse", newFunc(r.Response)))
	}
	if r.Progress != nil {
		fields = append(fields, keyed("Progress", payload(r.Progress)))
	}
	fields = append(fields, keyed("Timeout", duration(r.Timeout)))
	if r.Idempotent {
		fields = append(fields, keyed("Idempotent", jen.True()))
	}
	return jen.Op("&").Add(rt("RequestType")).Values(closing(fields)...)
}

// protocolFields returns the fields of the wsrt.Protocol.
func protocolFields(api *model.API) []jen.Code {
	fields := []jen.Code{keyed("Name", jen.Lit(api.Name))}
	if api.Version != "" {
		fields = append(fields, keyed("Version", jen.Lit(api.Version)))
	}
	fields = append(fields, keyed("Fingerprint", jen.Id("SchemaFingerprint")),
		keyed("Messages", jen.Index().Op("*").Add(rt("MessageType")).ValuesFunc(func(g *jen.Group) {
			for _, m := range api.Messages {
				g.Line().Id("type" + m.Go)
			}
			g.Line()
		})))
	if len(api.Kinds) > 0 {
		fields = append(fields, keyed("Kinds", jen.Index().String().ValuesFunc(func(g *jen.Group) {
			for _, k := range api.Kinds {
				g.Lit(k.Name)
			}
		})))
	}
	if len(api.Errors) > 0 {
		fields = append(fields, keyed("Errors", errorTable(api)))
	}
	if v := api.Envelope; v != nil {
		fields = append(fields, keyed("Envelope", jen.Op("&").Add(rt("Envelope")).Values(
			jen.Id("Type").Op(":").Lit(v.Type), jen.Id("Payload").Op(":").Lit(v.Payload), jen.Id("ID").Op(":").Lit(v.ID),
			jen.Id("Ints").Op(":").Lit(v.Ints))))
	}
	if api.StrictClients {
		fields = append(fields, keyed("StrictClients", jen.True()))
	}
	return closing(append(fields, keyed("Claims", claimsLiteral(api)), keyed("Sharding", shardingLiteral(api)),
		keyed("Limits", limitsLiteral(api.Limits))))
}

func claimsLiteral(api *model.API) *jen.Statement {
	fields := []jen.Code{keyed("Payload", payload(api.Claims))}
	claims := func() *jen.Statement { return jen.Id("claims").Assert(ptr("Claims")) }
	if f := api.UserID; f != nil {
		fields = append(fields, keyed("UserID", jen.Func().Params(jen.Id("claims").Any()).String().
			Block(jen.Return(asText(f.Type, claims().Dot(f.Go))))))
	}
	if f := api.Roles; f != nil {
		fields = append(fields, keyed("Roles", jen.Func().Params(jen.Id("claims").Any()).Index().String().
			Block(jen.Return(claims().Dot(f.Go)))))
	}
	return rt("ClaimsType").Values(closing(fields)...)
}

func shardingLiteral(api *model.API) *jen.Statement {
	s := api.Sharding
	fields := []jen.Code{keyed("Shards", jen.Lit(s.Shards)), keyed("Hash", jen.Lit(s.Hash)), keyed("Idle", duration(s.Idle))}
	for _, c := range []struct {
		key string
		n   int
	}{{"Connections", s.Connections}, {"Rooms", s.Rooms}, {"RoomMembers", s.RoomMembers},
		{"RoomsPerConnection", s.RoomsPerConnection}} {
		if c.n != 0 {
			fields = append(fields, keyed(c.key, jen.Lit(c.n)))
		}
	}
	if h := s.History; h != nil {
		fields = append(fields, keyed("History", jen.Op("&").Add(rt("HistoryLimits")).Values(
			jen.Id("Messages").Op(":").Lit(h.Messages), jen.Id("Bytes").Op(":").Lit(h.Bytes),
			jen.Id("Age").Op(":").Add(duration(h.Age)))))
	}
	if p := api.Presence; p != nil {
		fields = append(fields, keyed("Presence", jen.Op("&").Add(rt("PresenceType")).Values(
			jen.Id("Message").Op(":").Id("type"+p.Message.Go), jen.Id("Limit").Op(":").Lit(p.Limit),
			jen.Id("New").Op(":").Id("newPresence"))))
	}
	if s.Persistent {
		fields = append(fields, keyed("Persistent", jen.True()))
	}
	if s.SnapshotEvery > 0 {
		fields = append(fields, keyed("SnapshotEvery", duration(s.SnapshotEvery)))
	}
	return rt("ShardingDefaults").Values(closing(fields)...)
}

func limitsLiteral(l model.Limits) *jen.Statement {
	fields := []jen.Code{jen.Id("MaxBytes").Op(":").Lit(l.MaxBytes)}
	if l.Rate != nil {
		fields = append(fields, jen.Id("Rate").Op(":").Add(rateLiteral(l.Rate)))
	}
	if l.Pending != 0 {
		fields = append(fields, jen.Id("Pending").Op(":").Lit(l.Pending))
	}
	return rt("LimitDefaults").Values(fields...)
}
