package golang

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitClient prints the typed client.
func emitClient(f *jen.File, api *model.API) {
	eventsStruct(f, api)
	dispatchMethod(f, api)
	clientType(f)
	for _, m := range api.Messages {
		switch {
		case !m.Direction.FromClient():
		case m.Request != nil:
			requestMethod(f, m)
		default:
			sendMethod(f, m)
		}
	}
}

// clientPkg returns a name of the client package: client.Option.
func clientPkg(name string) *jen.Statement { return jen.Qual(pkgClient, name) }

// messageDoc is the comment of a method or field that stands for a message.
func messageDoc(m *model.Message, first string) *jen.Statement {
	return doc(paragraphs(first, m.Doc, deprecated(m.Deprecated)))
}

// eventsStruct prints the callbacks:
//
//	// Events are what to do with the messages that the server sends. …
//	type Events struct {
//		// RoomUpdate is called for ROOM_UPDATE.
//		RoomUpdate func(ctx context.Context, m *RoomUpdate)
//	}
func eventsStruct(f *jen.File, api *model.API) {
	f.Add(doc("Events are what to do with the messages that the server sends. A message whose callback is nil is ignored. " +
		"Callbacks are called one at a time, in the order of the messages; they may use the client. Their context ends " +
		"with the client."))
	f.Type().Id("Events").StructFunc(func(g *jen.Group) {
		for _, m := range api.Messages {
			if m.Direction.FromServer() {
				g.Add(messageDoc(m, m.Go+" is called for "+m.Wire+"."))
				g.Id(m.Go).Func().Params(ctxParam(), jen.Id("m").Add(ptr(m.Payload.Go)))
			}
		}
	})
	f.Line()
}

// dispatchMethod prints the switch from message types to callbacks:
//
//	func (e *Events) dispatch(ctx context.Context, t *wsrt.MessageType, msg any) {
//		switch t {
//		case typeRoomUpdate:
//			if e.RoomUpdate != nil {
//				e.RoomUpdate(ctx, msg.(*RoomUpdate))
//			}
//		}
//	}
func dispatchMethod(f *jen.File, api *model.API) {
	f.Add(doc("dispatch calls the callback of a message."))
	f.Func().Params(jen.Id("e").Op("*").Id("Events")).Id("dispatch").
		Params(ctxParam(), jen.Id("t").Op("*").Add(rt("MessageType")), jen.Id("msg").Any()).BlockFunc(func(g *jen.Group) {
		var cases []jen.Code
		for _, m := range api.Messages {
			if m.Direction.FromServer() {
				cases = append(cases, jen.Case(jen.Id("type"+m.Go)).Block(jen.If(jen.Id("e").Dot(m.Go).Op("!=").Nil()).Block(
					jen.Id("e").Dot(m.Go).Call(jen.Id("ctx"), jen.Id("msg").Assert(ptr(m.Payload.Go))))))
			}
		}
		if len(cases) > 0 {
			g.Switch(jen.Id("t")).Block(cases...)
		}
	})
	f.Line()
}

// clientType prints the client, Dial and the methods that do not depend on messages:
//
//	type Client struct{ c *client.Client }
//
//	func Dial(ctx context.Context, url string, events Events, opts ...client.Option) (*Client, error) { … }
//
//	func (c *Client) Close() error { return c.c.Close() }
func clientType(f *jen.File) {
	f.Add(doc("Client is a connection to a server of this protocol. It comes back by itself when the connection breaks off. " +
		"Its methods are safe for concurrent use."))
	f.Type().Id("Client").Struct(jen.Id("c").Op("*").Add(clientPkg("Client")))
	f.Line()
	f.Add(doc("Dial connects to a URL such as wss://example.com/ws. ctx bounds the first connection only; its failure is " +
		"returned, and leaves nothing behind."))
	f.Func().Id("Dial").Params(ctxParam(), jen.Id("url").String(), jen.Id("events").Id("Events"),
		jen.Id("opts").Op("...").Add(clientPkg("Option"))).
		Params(ptr("Client"), jen.Error()).Block(
		jen.List(jen.Id("c"), jen.Err()).Op(":=").Add(clientPkg("Dial")).Call(jen.Id("ctx"), jen.Id("url"), jen.Id("protocol"),
			jen.Id("events").Dot("dispatch"), jen.Id("opts").Op("...")),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Return(jen.Op("&").Id("Client").Values(jen.Id("c").Op(":").Id("c")), jen.Nil()),
	)
	f.Line()
	for _, m := range []struct {
		name, text string
		result     jen.Code
	}{
		{"Close", "Close ends the connection and all that waits for it. It wins over everything, and may be called again.",
			jen.Error()},
		{"Done", "Done is closed when the client has ended.", jen.Op("<-").Chan().Struct()},
		{"Err", "Err returns why the client has ended: nil before that, client.ErrClosed after Close.", jen.Error()},
		{"State", "State returns how the connection is.", clientPkg("State")},
	} {
		f.Add(doc(m.text))
		f.Add(method("c", "Client", m.name)).Params().Add(m.result).Block(jen.Return(jen.Id("c").Dot("c").Dot(m.name).Call()))
		f.Line()
	}
	f.Add(doc("Refresh shows the server a new token on the open connection, before the claims of the old one expire. The error " +
		"is the server's when it does not want the token."))
	f.Add(method("c", "Client", "Refresh")).Params(ctxParam(), jen.Id("token").String()).Error().Block(
		jen.Return(jen.Id("c").Dot("c").Dot("Refresh").Call(jen.Id("ctx"), jen.Id("token"))))
	f.Line()
}

// sendMethod prints the method of an event:
//
//	// JoinRoom sends JOIN_ROOM.
//	func (c *Client) JoinRoom(ctx context.Context, m *JoinRoom) error {
//		return c.c.Send(ctx, typeJoinRoom, m)
//	}
func sendMethod(f *jen.File, m *model.Message) {
	f.Add(messageDoc(m, m.GoClient+" sends "+m.Wire+"."))
	f.Add(method("c", "Client", m.GoClient)).Params(ctxParam(), jen.Id("m").Add(ptr(m.Payload.Go))).Error().Block(
		jen.Return(jen.Id("c").Dot("c").Dot("Send").Call(jen.Id("ctx"), jen.Id("type"+m.Go), jen.Id("m"))))
	f.Line()
}

// requestMethod prints the method of a request. One with progress has a callback for it, which may be nil:
//
//	// GetHistory sends GET_HISTORY and waits for its response.
//	func (c *Client) GetHistory(ctx context.Context, req *GetHistoryRequest, progress func(*GetHistoryProgress)) (*GetHistoryResponse, error)
func requestMethod(f *jen.File, m *model.Message) {
	r := m.Request
	text := m.GoClient + " sends " + m.Wire + " and waits for its response."
	if len(r.Errors) > 0 {
		var names []string
		for _, e := range r.Errors {
			names = append(names, "*"+e.Go)
		}
		text += " Its errors include " + strings.Join(names, ", ") + "."
	}
	params := []jen.Code{ctxParam(), jen.Id("req").Add(ptr(m.Payload.Go))}
	report := jen.Nil()
	var before []jen.Code
	if r.Progress != nil {
		text += " progress is called on the way to it, and may be nil."
		params = append(params, jen.Id("progress").Func().Params(ptr(r.Progress.Go)))
		before = []jen.Code{
			jen.Var().Id("report").Func().Params(jen.Any()),
			jen.If(jen.Id("progress").Op("!=").Nil()).Block(jen.Id("report").Op("=").Func().Params(jen.Id("p").Any()).Block(
				jen.Id("progress").Call(jen.Id("p").Assert(ptr(r.Progress.Go))))),
		}
		report = jen.Id("report")
	}
	f.Add(messageDoc(m, text))
	f.Add(method("c", "Client", m.GoClient)).Params(params...).Params(ptr(r.Response.Go), jen.Error()).Block(append(before,
		jen.List(jen.Id("resp"), jen.Err()).Op(":=").Id("c").Dot("c").Dot("Call").Call(jen.Id("ctx"), jen.Id("type"+m.Go),
			jen.Id("req"), report),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Return(jen.Id("resp").Assert(ptr(r.Response.Go)), jen.Nil()),
	)...)
	f.Line()
}
