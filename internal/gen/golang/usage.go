package golang

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/wsgen/wsgen/internal/model"
)

// packageComment prints what the package is, and how its two halves are begun:
//
//	// Package chat is the protocol Chat: its messages, a server that handles them, and a client.
//	//
//	// The server is an http.Handler. What clients send is handled by the methods of a RoomHandler:
//	//
//	//	srv, err := chat.NewServer(chat.Config{
//	//		Authenticate: authenticate,
//	//		OpenRoom:     openRoom,
//	//	})
//	//
//	// The client has a method for each message that it may send, and a callback for each that it may get:
//	//
//	//	c, err := chat.Dial(ctx, "wss://example.com/ws", chat.Events{
//	//		RoomUpdate: func(ctx context.Context, m *chat.RoomUpdate) {},
//	//	})
//	//	err = c.JoinRoom(ctx, &chat.JoinRoom{})
//	package chat
func packageComment(f *jen.File, api *model.API) {
	text := func(text string) {
		for _, line := range docLines(text) {
			f.PackageComment(commentLine(line))
		}
		f.PackageComment("//")
	}
	code := func(lines []string) {
		for _, line := range lines {
			f.PackageComment("//\t" + line)
		}
	}
	text(paragraphs("Package "+api.GoPackage+" is the protocol "+cleanLine(api.Name)+
		": its messages, a server that handles them, and a client.", api.Doc))
	text(serverText(api))
	code(serverUsage(api))
	f.PackageComment("//")
	text("The client has a method for each message that it may send, and a callback for each that it may get:")
	code(clientUsage(api))
}

// serverText says what handles messages.
func serverText(api *model.API) string {
	var handlers []string
	for _, k := range api.Kinds {
		handlers = append(handlers, "a "+k.Go+"Handler for each "+k.Name)
	}
	if len(connMessages(api)) > 0 {
		handlers = append(handlers, "a ConnHandler")
	}
	if len(handlers) == 0 {
		return "The server is an http.Handler:"
	}
	list, last := handlers[:len(handlers)-1], handlers[len(handlers)-1]
	if len(list) > 0 {
		last = strings.Join(list, ", ") + " and " + last
	}
	return "The server is an http.Handler. What clients send is handled by the methods of " + last + ":"
}

// serverUsage returns the code that makes a server: the required fields of Config.
func serverUsage(api *model.API) []string {
	fields := [][2]string{{"Authenticate:", "authenticate"}}
	if len(connMessages(api)) > 0 {
		fields = append(fields, [2]string{"Conn:", "handler"})
	}
	for _, k := range api.Kinds {
		fields = append(fields, [2]string{"Open" + k.Go + ":", "open" + k.Go})
	}
	width := 0
	for _, f := range fields {
		width = max(width, len([]rune(f[0])))
	}
	out := []string{"srv, err := " + api.GoPackage + ".NewServer(" + api.GoPackage + ".Config{"}
	for _, f := range fields {
		out = append(out, fmt.Sprintf("\t%-*s %s,", width, f[0], f[1]))
	}
	return append(out, "})", `http.Handle("/ws", srv)`)
}

// clientUsage returns the code that makes a client, with the first message of each direction.
func clientUsage(api *model.API) []string {
	p := api.GoPackage
	events := p + ".Events{}"
	received := firstMessage(api, model.Direction.FromServer)
	if received != nil {
		events = p + ".Events{"
	}
	out := []string{"c, err := " + p + `.Dial(ctx, "wss://example.com/ws", ` + events}
	if received == nil {
		out[0] += ")"
	} else {
		out = append(out, "\t"+received.Go+": func(ctx context.Context, m *"+p+"."+received.Payload.Go+") {},", "})")
	}
	sent := firstMessage(api, model.Direction.FromClient)
	if sent == nil {
		return out
	}
	result, args := "err = ", "(ctx, "+newMessage(p, sent.Payload)
	if sent.Request != nil {
		result = "resp, err := "
		if sent.Request.Progress != nil {
			args += ", nil"
		}
	}
	return append(out, result+"c."+sent.GoClient+args+")")
}

// newMessage returns the code that makes a message to fill.
func newMessage(pkg string, n *model.Named) string {
	if n.Type.Resolve().Kind == model.Struct {
		return "&" + pkg + "." + n.Go + "{}"
	}
	return "new(" + pkg + "." + n.Go + ")"
}

// firstMessage returns the first message of a direction that is not deprecated, or nil.
func firstMessage(api *model.API, has func(model.Direction) bool) *model.Message {
	for _, m := range api.Messages {
		if has(m.Direction) && m.Deprecated == "" {
			return m
		}
	}
	return nil
}
