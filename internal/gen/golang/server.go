package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// emitServer prints the typed server: the handler interfaces, Config, NewServer and Server.
func emitServer(f *jen.File, api *model.API) {
	for _, k := range api.Kinds {
		handlerInterface(f, k.Go+"Handler", "handles the messages of one "+k.Name+". Its methods never run at the same time, so its fields need no lock. "+
			"It may also have the methods of "+optionalInterfaces(api, k)+".", k.Messages)
		leaveInterface(f, k)
		if api.Sharding.History != nil {
			resumeInterface(f, k)
		}
	}
	if messages := connMessages(api); len(messages) > 0 {
		handlerInterface(f, "ConnHandler", "handles the messages that belong to no room. It is shared by all connections; the messages of one are handled one at a time.", messages)
	}
	configStruct(f, api)
	newServer(f, api)
	serverType(f, api)
	if api.Presence != nil {
		emitPresence(f, api.Presence)
	}
}

// optionalInterfaces names what a room's handler may implement beside its messages.
func optionalInterfaces(api *model.API, k *model.RoomKind) string {
	if api.Sharding.History != nil {
		return k.Go + "LeaveHandler, " + k.Go + "ResumeHandler, wsrt.RoomCloseHandler, wsrt.Snapshotter and wsrt.Restorer"
	}
	return k.Go + "LeaveHandler, wsrt.RoomCloseHandler, wsrt.Snapshotter and wsrt.Restorer"
}

// connMessages returns the messages of clients that belong to no room.
func connMessages(api *model.API) []*model.Message {
	var out []*model.Message
	for _, m := range api.Messages {
		if m.Direction.FromClient() && m.Room == nil {
			out = append(out, m)
		}
	}
	return out
}

// signature returns the parameters and results of a message's handler method.
func signature(m *model.Message, named bool) (params, results []jen.Code) {
	name := func(s string) *jen.Statement {
		if named {
			return jen.Id(s)
		}
		return jen.Id("_")
	}
	params = []jen.Code{name("ctx").Qual("context", "Context"), name("c").Add(ptr("Conn"))}
	if m.Request == nil {
		return append(params, name("m").Add(ptr(m.Payload.Go))), []jen.Code{jen.Error()}
	}
	params = append(params, name("req").Add(ptr(m.Payload.Go)))
	if p := m.Request.Progress; p != nil {
		params = append(params, name("progress").Func().Params(ptr(p.Go)).Error())
	}
	return params, []jen.Code{ptr(m.Request.Response.Go), jen.Error()}
}

// handlerInterface prints an interface with a method per message, and its opt-in default:
//
//	type RoomHandler interface {
//		// JoinRoom handles JOIN_ROOM.
//		JoinRoom(ctx context.Context, c *Conn, m *JoinRoom) error
//	}
//
//	// UnimplementedRoomHandler answers every message with UNIMPLEMENTED. …
//	type UnimplementedRoomHandler struct{}
func handlerInterface(f *jen.File, name, text string, messages []*model.Message) {
	f.Add(doc(name + " " + text))
	f.Type().Id(name).InterfaceFunc(func(g *jen.Group) {
		for _, m := range messages {
			verb := " handles "
			if m.Request != nil {
				verb = " answers "
			}
			g.Add(messageDoc(m, m.Go+verb+m.Wire+"."))
			params, results := signature(m, true)
			g.Id(m.Go).Params(params...).Add(resultList(results))
		}
	})
	f.Line()
	f.Add(doc("Unimplemented" + name + " answers every message with UNIMPLEMENTED. Embed it to accept new messages before you handle them; " +
		"without it a message that is added to the schema does not compile until it has a method."))
	f.Type().Id("Unimplemented" + name).Struct()
	f.Line()
	for _, m := range messages {
		params, results := signature(m, false)
		values := []jen.Code{rt("Errorf").Call(rt("CodeUnimplemented"), jen.Lit("%s is not implemented"), jen.Lit(m.Wire))}
		if m.Request != nil {
			values = append([]jen.Code{jen.Nil()}, values...)
		}
		f.Add(doc(m.Go + " answers UNIMPLEMENTED."))
		f.Func().Params(jen.Id("Unimplemented" + name)).Id(m.Go).Params(params...).Add(resultList(results)).Block(jen.Return(values...))
		f.Line()
	}
}

// resultList puts several results in parentheses.
func resultList(results []jen.Code) *jen.Statement {
	if len(results) == 1 {
		return jen.Add(results[0])
	}
	return jen.Params(results...)
}

// leaveInterface prints the optional interface of a room's handler:
//
//	type RoomLeaveHandler interface {
//		OnLeave(ctx context.Context, c *Conn, cause wsrt.LeaveCause)
//	}
func leaveInterface(f *jen.File, k *model.RoomKind) {
	name := k.Go + "LeaveHandler"
	f.Add(doc(name + " is implemented by handlers that want to know of members that leave without a message: their connection ended, they were kicked, or Conn.Leave was called. " +
		"OnLeave runs in the room's turn; the connection is not a member any more."))
	f.Type().Id(name).Interface(
		doc("OnLeave is called once for each member that left."),
		jen.Id("OnLeave").Params(ctxParam(), jen.Id("c").Add(ptr("Conn")), jen.Id("cause").Add(rt("LeaveCause"))))
	f.Line()
}

// resumeInterface prints the optional interface of a room's handler for members that come back:
//
//	type RoomResumeHandler interface {
//		OnResume(ctx context.Context, c *Conn) error
//	}
func resumeInterface(f *jen.File, k *model.RoomKind) {
	name := k.Go + "ResumeHandler"
	f.Add(doc(name + " is implemented by handlers that want to know of members that come back after their connection broke off. " +
		"OnLeave was called for them, with wsrt.Disconnected. OnResume runs in the room's turn."))
	f.Type().Id(name).Interface(
		doc("OnResume is called before the connection is a member again. An error refuses it."),
		jen.Id("OnResume").Params(ctxParam(), jen.Id("c").Add(ptr("Conn"))).Error())
	f.Line()
}

// configStruct prints the configuration:
//
//	type Config struct {
//		Authenticate func(r *http.Request, token string) (*Claims, error)
//		Conn         ConnHandler
//		OpenRoom     func(ctx context.Context, r *Room) (RoomHandler, error)
//		…
//		wsrt.Options
//	}
func configStruct(f *jen.File, api *model.API) {
	f.Add(doc("Config is what a server needs to know. Its functions may be called from many goroutines at once."))
	f.Type().Id("Config").StructFunc(func(g *jen.Group) {
		g.Add(doc("Authenticate returns the claims of a connection, or an error to refuse it with 401: one of wsrt.Errorf tells the client why. It is required. " +
			"The token is from the Authorization header, a subprotocol bearer.<token>, the query's access_token or a cookie; it may be empty."))
		g.Id("Authenticate").Func().Params(jen.Id("r").Op("*").Qual("net/http", "Request"), jen.Id("token").String()).Params(ptr("Claims"), jen.Error())
		g.Add(doc("Reauthenticate returns the claims of a token that a connection shows later, with Client.Refresh, before its claims expire. They are of the same user, or of any when the connection was anonymous. Nil refuses such tokens. " +
			"Claims that have a method ExpiresAt() time.Time hold until then; the connection is closed with 4401 after that."))
		g.Id("Reauthenticate").Func().Params(ctxParam(), jen.Id("c").Add(ptr("Conn")), jen.Id("token").String()).Params(ptr("Claims"), jen.Error())
		g.Add(doc("Authorize is asked for every message before its handler, and for every join. Nil allows what the schema allows."))
		g.Id("Authorize").Func().Params(ctxParam(), jen.Id("c").Add(ptr("Conn")), jen.Id("op").Op("*").Add(rt("Op"))).Error()
		if len(connMessages(api)) > 0 {
			g.Add(doc("Conn handles the messages that belong to no room. It is required."))
			g.Id("Conn").Id("ConnHandler")
		}
		for _, k := range api.Kinds {
			g.Add(doc("Open" + k.Go + " makes the handler of a " + k.Name + ", on the first message for its key, in its first turn. It is required. An error is for those who sent the messages."))
			g.Id("Open"+k.Go).Func().Params(ctxParam(), jen.Id("r").Add(ptr("Room"))).Params(jen.Id(k.Go+"Handler"), jen.Error())
		}
		g.Add(doc("OnConnect is called before the first message is read. An error closes the connection."))
		g.Id("OnConnect").Func().Params(ctxParam(), jen.Id("c").Add(ptr("Conn"))).Error()
		g.Add(doc("OnDisconnect is called once for each connection that OnConnect let in, after all rooms have let it go."))
		g.Id("OnDisconnect").Func().Params(jen.Id("c").Add(ptr("Conn")), jen.Id("cause").Error())
		g.Add(doc("OnError sees what clients are not told: errors without a code, and panics. c may be nil."))
		g.Id("OnError").Func().Params(ctxParam(), jen.Id("c").Add(ptr("Conn")), jen.Err().Error())
		g.Line()
		g.Add(doc("Options are limits, origins, shards, interceptors, the logger and more. The zero value has safe defaults."))
		g.Add(rt("Options"))
	})
	f.Line()
}

// newServer prints NewServer, which fits the typed functions to the runtime's:
//
//	func NewServer(cfg Config) (*Server, error) {
//		rc := wsrt.ServerConfig{Options: cfg.Options, Authenticate: wsrt.AuthenticateFunc(cfg.Authenticate), …}
//		…
//		srv, err := wsrt.NewServer(protocol, rc)
//		…
//	}
func newServer(f *jen.File, api *model.API) {
	f.Add(doc("NewServer returns a server. It returns an error that says what is missing in cfg. End the server with Drain."))
	f.Func().Id("NewServer").Params(jen.Id("cfg").Id("Config")).Params(ptr("Server"), jen.Error()).BlockFunc(func(g *jen.Group) {
		g.Id("rc").Op(":=").Add(rt("ServerConfig")).Values(closing(configFields(api))...)
		if len(connMessages(api)) > 0 {
			g.If(jen.Id("cfg").Dot("Conn").Op("!=").Nil()).Block(jen.Id("rc").Dot("Conn").Op("=").Id("cfg").Dot("Conn"))
		}
		for i, k := range api.Kinds {
			openRoom(g, i, k)
		}
		reauthenticate(g)
		for _, h := range hooks {
			g.If(jen.Id("cfg").Dot(h.name).Op("!=").Nil()).Block(
				jen.Id("rc").Dot(h.name).Op("=").Func().Params(h.params()...).Add(h.result()).Block(h.call()))
		}
		g.List(jen.Id("srv"), jen.Err()).Op(":=").Add(rt("NewServer")).Call(jen.Id("protocol"), jen.Id("rc"))
		g.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err()))
		g.Return(jen.Op("&").Id("Server").Values(jen.Id("srv").Op(":").Id("srv")), jen.Nil())
	})
	f.Line()
}

// configFields returns the fields of the wsrt.ServerConfig that do not depend on what is set.
func configFields(api *model.API) []jen.Code {
	fields := []jen.Code{
		keyed("Options", jen.Id("cfg").Dot("Options")),
		keyed("Authenticate", rt("AuthenticateFunc").Call(jen.Id("cfg").Dot("Authenticate"))),
		keyed("NewConn", jen.Func().Params(jen.Id("c").Op("*").Add(rt("Conn"))).Any().Block(jen.Return(jen.Op("&").Id("Conn").Values(jen.Id("conn").Op(":").Id("c"))))),
		keyed("NewRoom", newRoomFunc(api)),
	}
	if len(api.Kinds) == 0 {
		return fields
	}
	return append(fields,
		keyed("OpenRoom", jen.Make(jen.Index().Func().Params(jen.Qual("context", "Context"), jen.Op("*").Add(rt("Room"))).Params(jen.Any(), jen.Error()), jen.Lit(len(api.Kinds)))),
		keyed("OnLeave", leaveFunc(api)),
		resumeFunc(api))
}

func newRoomFunc(api *model.API) *jen.Statement {
	if len(api.Kinds) == 0 {
		return jen.Func().Params(jen.Op("*").Add(rt("Room"))).Any().Block(jen.Return(jen.Nil()))
	}
	return jen.Func().Params(jen.Id("r").Op("*").Add(rt("Room"))).Any().Block(jen.Return(jen.Op("&").Id("Room").Values(jen.Id("room").Op(":").Id("r"))))
}

// leaveFunc returns the function that calls OnLeave of a handler that has it. The interfaces of all kinds are the same.
func leaveFunc(api *model.API) *jen.Statement {
	return jen.Func().Params(ctxParam(), jen.Id("handler").Any(), jen.Id("c").Op("*").Add(rt("Conn")), jen.Id("cause").Add(rt("LeaveCause"))).Block(
		jen.If(jen.List(jen.Id("h"), jen.Id("ok")).Op(":=").Id("handler").Assert(jen.Id(api.Kinds[0].Go+"LeaveHandler")), jen.Id("ok")).Block(
			jen.Id("h").Dot("OnLeave").Call(jen.Id("ctx"), jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn")), jen.Id("cause"))))
}

// resumeFunc returns the function that calls OnResume of a handler that has it; nothing in a protocol without a history.
func resumeFunc(api *model.API) jen.Code {
	if api.Sharding.History == nil {
		return jen.Null()
	}
	return keyed("OnResume", jen.Func().Params(ctxParam(), jen.Id("handler").Any(), jen.Id("c").Op("*").Add(rt("Conn"))).Error().Block(
		jen.If(jen.List(jen.Id("h"), jen.Id("ok")).Op(":=").Id("handler").Assert(jen.Id(api.Kinds[0].Go+"ResumeHandler")), jen.Id("ok")).Block(
			jen.Return(jen.Id("h").Dot("OnResume").Call(jen.Id("ctx"), jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn"))))),
		jen.Return(jen.Nil())))
}

// reauthenticate prints the adapter of Reauthenticate. A nil function stays nil.
func reauthenticate(g *jen.Group) {
	call := jen.Id("cfg").Dot("Reauthenticate").Call(jen.Id("ctx"), jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn")), jen.Id("token"))
	g.If(jen.Id("cfg").Dot("Reauthenticate").Op("!=").Nil()).Block(
		jen.Id("rc").Dot("Reauthenticate").Op("=").Func().Params(ctxParam(), jen.Id("c").Op("*").Add(rt("Conn")), jen.Id("token").String()).Params(jen.Any(), jen.Error()).Block(
			jen.Return(rt("ClaimsOf").Call(call))))
}

// openRoom prints the adapter of Open<Kind>. A nil function stays nil, so that NewServer can name it.
func openRoom(g *jen.Group, i int, k *model.RoomKind) {
	g.If(jen.Id("open").Op(":=").Id("cfg").Dot("Open"+k.Go), jen.Id("open").Op("!=").Nil()).Block(
		jen.Id("rc").Dot("OpenRoom").Index(jen.Lit(i)).Op("=").Func().Params(ctxParam(), jen.Id("r").Op("*").Add(rt("Room"))).Params(jen.Any(), jen.Error()).Block(
			jen.Return(jen.Id("open").Call(jen.Id("ctx"), jen.Id("r").Dot("Handle").Call().Assert(ptr("Room")))),
		))
}

// A hook is a function of Config that is passed on with the typed connection.
type hook struct {
	name   string
	ctx    bool
	more   string // name of the parameter behind the connection
	typ    func() *jen.Statement
	fails  bool
	mayNil bool // the connection may be nil
}

var hooks = []hook{
	{name: "Authorize", ctx: true, more: "op", typ: func() *jen.Statement { return jen.Op("*").Add(rt("Op")) }, fails: true},
	{name: "OnConnect", ctx: true, fails: true},
	{name: "OnDisconnect", more: "cause", typ: func() *jen.Statement { return jen.Error() }},
	{name: "OnError", ctx: true, more: "err", typ: func() *jen.Statement { return jen.Error() }, mayNil: true},
}

func (h hook) params() []jen.Code {
	var out []jen.Code
	if h.ctx {
		out = append(out, ctxParam())
	}
	out = append(out, jen.Id("c").Op("*").Add(rt("Conn")))
	if h.more != "" {
		out = append(out, jen.Id(h.more).Add(h.typ()))
	}
	return out
}

func (h hook) result() *jen.Statement {
	if h.fails {
		return jen.Error()
	}
	return jen.Null()
}

func (h hook) call() jen.Code {
	conn := jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn"))
	if h.mayNil {
		conn = jen.Id("typedConn").Call(jen.Id("c"))
	}
	var args []jen.Code
	if h.ctx {
		args = append(args, jen.Id("ctx"))
	}
	args = append(args, conn)
	if h.more != "" {
		args = append(args, jen.Id(h.more))
	}
	call := jen.Id("cfg").Dot(h.name).Call(args...)
	if h.fails {
		return jen.Return(call)
	}
	return call
}

// serverType prints the server and its methods:
//
//	type Server struct{ srv *wsrt.Server }
//
//	func (s *Server) Drain(ctx context.Context) error { return s.srv.Drain(ctx) }
func serverType(f *jen.File, api *model.API) {
	f.Add(doc("typedConn keeps a nil a nil."))
	f.Func().Id("typedConn").Params(jen.Id("c").Op("*").Add(rt("Conn"))).Add(ptr("Conn")).Block(
		jen.If(jen.Id("c").Op("==").Nil()).Block(jen.Return(jen.Nil())),
		jen.Return(jen.Id("c").Dot("Handle").Call().Assert(ptr("Conn"))))
	f.Line()
	f.Add(doc("Server is an http.Handler that upgrades requests to WebSockets of this protocol. Its methods are safe for concurrent use."))
	f.Type().Id("Server").Struct(jen.Id("srv").Op("*").Add(rt("Server")))
	f.Line()
	f.Add(doc("ServeHTTP upgrades a request, or refuses it."))
	f.Add(method("s", "Server", "ServeHTTP")).Params(jen.Id("w").Qual("net/http", "ResponseWriter"), jen.Id("r").Op("*").Qual("net/http", "Request")).
		Block(jen.Id("s").Dot("srv").Dot("ServeHTTP").Call(jen.Id("w"), jen.Id("r")))
	f.Line()
	if len(api.Kinds) > 0 {
		publishMethods(f)
	}
	f.Add(doc("Drain takes the server out of service: it refuses new connections, finishes its messages, tells clients to come back later, and closes all rooms. When ctx ends first it breaks off."))
	f.Add(method("s", "Server", "Drain")).Params(ctxParam()).Error().Block(jen.Return(jen.Id("s").Dot("srv").Dot("Drain").Call(jen.Id("ctx"))))
	f.Line()
	f.Add(doc("Runtime returns the server underneath, for its Stats."))
	f.Add(method("s", "Server", "Runtime")).Params().Op("*").Add(rt("Server")).Block(jen.Return(jen.Id("s").Dot("srv")))
	f.Line()
	if len(api.Kinds) > 0 {
		publisherType(f, api)
	}
	for _, k := range api.Kinds {
		topicFunc(f, k)
	}
}

// publisherType prints what publishes from a program that is no server:
//
//	type Publisher struct{ p *wsrt.Publisher }
//
//	func NewPublisher(edge wsrt.EdgeConn) *Publisher
//	func (p *Publisher) Publish(ctx context.Context, topic string, m ServerMessage) (delivered int, err error)
func publisherType(f *jen.File, api *model.API) {
	f.Add(doc("Publisher publishes to the rooms of a cluster from a program that is no node of it, such as one that serves HTTP. Its methods " +
		"are safe for concurrent use."))
	f.Type().Id("Publisher").Struct(jen.Id("p").Op("*").Add(rt("Publisher")))
	f.Line()
	f.Add(doc("NewPublisher returns a Publisher that reaches the nodes by edge. Nothing is sent before Publish."))
	f.Func().Id("NewPublisher").Params(jen.Id("edge").Add(rt("EdgeConn"))).Add(ptr("Publisher")).Block(
		jen.Return(jen.Op("&").Id("Publisher").Values(jen.Dict{jen.Id("p"): rt("NewPublisher").Call(jen.Id("protocol"), jen.Id("edge"))})))
	f.Line()
	f.Add(doc("Publish sends a message to the members of a room, such as " + api.Kinds[0].Go + "Topic(key), and returns how many it was queued for. " +
		"An error of the cluster is a *wsrt.Error, whose MaybeApplied says whether the message may have been published all the same."))
	f.Add(method("p", "Publisher", "Publish")).Params(ctxParam(), jen.Id("topic").String(), jen.Id("m").Id("ServerMessage")).
		Params(jen.Id("delivered").Int(), jen.Err().Error()).Block(
		jen.Return(jen.Id("p").Dot("p").Dot("Publish").Call(jen.Id("ctx"), jen.Id("topic"), jen.Id("m").Dot("serverMessage").Call(), jen.Id("m"))))
	f.Line()
}

// publishMethods prints what reaches rooms from outside of their handlers.
func publishMethods(f *jen.File) {
	f.Add(doc("Publish sends a message to the members of a room from outside of its handler. A room that is not open has no members."))
	f.Add(method("s", "Server", "Publish")).Params(ctxParam(), jen.Id("topic").String(), jen.Id("m").Id("ServerMessage")).Error().Block(
		jen.Return(jen.Id("s").Dot("srv").Dot("Publish").Call(jen.Id("ctx"), jen.Id("topic"), jen.Id("m").Dot("serverMessage").Call(), jen.Id("m"))))
	f.Line()
	f.Add(doc("Federate publishes a message to several rooms, and returns a result for each, in their order."))
	f.Add(method("s", "Server", "Federate")).Params(ctxParam(), jen.Id("topics").Index().String(), jen.Id("m").Id("ServerMessage")).Index().Add(rt("FederateResult")).Block(
		jen.Return(jen.Id("s").Dot("srv").Dot("Federate").Call(jen.Id("ctx"), jen.Id("topics"), jen.Id("m").Dot("serverMessage").Call(), jen.Id("m"))))
	f.Line()
}

// topicFunc prints the topic of a kind:
//
//	// RoomTopic returns the topic of the room with a key: room:<key>.
//	func RoomTopic(key string) string { return "room:" + key }
func topicFunc(f *jen.File, k *model.RoomKind) {
	f.Add(doc(k.Go + "Topic returns the topic of the " + k.Name + " with a key: " + k.Name + ":<key>."))
	f.Func().Id(k.Go + "Topic").Params(jen.Id("key").String()).String().Block(jen.Return(jen.Lit(k.Name + ":").Op("+").Id("key")))
	f.Line()
}
