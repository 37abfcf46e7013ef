package main

import "strings"

// peer is a server under load: how it is spoken to.
type peer struct {
	name    string
	dir     string // of the module, from here; empty: this one
	pkg     string // to build
	module  string // whose version is told
	path    string
	sub     string
	hello   []string
	ready   string
	message string // {pad} is filled up so that what is delivered has about size bytes
	extra   int    // bytes of a delivered frame beside the padding

	rpcPath  string
	rpcHello []string
	rpcReady string
	rpc      string
	flags    []string
}

// size is what a delivered message has, in bytes.
const size = 200

// text is the message with its padding.
func (p *peer) text() string {
	return strings.Replace(p.message, "{pad}", strings.Repeat("x", max(size-p.extra, 0)), 1)
}

// raw is a peer that relays whatever comes to the room of its URL, and answers with it where there is none.
func raw(name, module string) *peer {
	const message = `{"t":"{mark}","x":"{pad}"}`
	return &peer{name: name, pkg: "./peers/" + name, module: module, path: "/?room={room}", message: message, extra: 27,
		rpcPath: "/", rpc: strings.Replace(message, "{pad}", strings.Repeat("x", 60), 1)}
}

const join = `{"type":"JOIN_ROOM","payload":{"roomId":"{room}"}}`

// peers are the servers, the project's own first: the chat of examples/, with all that it does for a message.
func peers() []*peer {
	return []*peer{
		{name: "wsgen", dir: "..", pkg: "./examples/chat", path: "/ws?user=u", sub: "wsgen.v1", hello: []string{join},
			ready:   `"u joined"`,
			message: `{"type":"ROOM_MESSAGE","payload":{"text":"{mark} {pad}"}}`, extra: 116,
			rpcPath: "/ws?user=u", rpcHello: []string{join}, rpcReady: `"u joined"`,
			rpc:   `{"type":"GET_HISTORY","meta":{"correlationId":"{mark}"},"payload":{"roomId":"{room}","limit":1}}`,
			flags: []string{"-unlimited"}},
		{name: "centrifuge", pkg: "./peers/centrifuge", module: "github.com/centrifugal/centrifuge", path: "/",
			hello: []string{`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"{room}"}}`}, ready: `"subscribe":`,
			message: `{"id":3,"publish":{"channel":"{room}","data":{"t":"{mark}","x":"{pad}"}}}`, extra: 72,
			rpcPath: "/", rpcHello: []string{`{"id":1,"connect":{}}`}, rpcReady: `"connect":`,
			rpc: `{"id":4,"rpc":{"method":"echo","data":{"t":"{mark}","x":"` + strings.Repeat("x", 60) + `"}}}`},
		raw("gws", "github.com/lxzan/gws"),
		raw("gorilla", "github.com/gorilla/websocket"),
		raw("melody", "github.com/olahol/melody"),
		raw("nbio", "github.com/lesismal/nbio"),
		raw("coder", "github.com/coder/websocket"),
	}
}
