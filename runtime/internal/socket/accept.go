package socket

// Accepting: the upgrade through coder/websocket, with a connection and buffers of our own behind it.

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/clock"
)

// Options configure Accept.
type Options struct {
	MaxMessage int         // bytes of a message; more is closed with 1009. 0 or less: no limit
	Bounds     Bounds      // of what waits for the client
	Clock      clock.Clock // nil: the system's
	Stats      *Stats      // shared with other sockets; nil: nobody counts
	// Unprepared sends messages through coder/websocket instead of as prepared frames. The bytes on the wire are the same.
	Unprepared bool
}

// writeBuffer is the buffer that coder/websocket is given. It sends control frames alone, and seldom; outbound.Write puts
// their pieces together.
const writeBuffer = 16

// Accept upgrades a request. When it returns an error it has answered the request. The caller has checked the origin and
// chosen the subprotocol, reads from a goroutine of its own, and lets the HTTP handler return. The server has to read
// until Read fails: that is what ends a connection and frees what it holds.
//
// The subprotocol to answer with must be one that the client offered, or empty. The options may be those of many sockets;
// they must not be changed while one of these is open.
func Accept(w http.ResponseWriter, r *http.Request, subprotocol string, o *Options) (*Socket, error) {
	o = o.complete()
	if !canHijack(w) { // coder/websocket would find out only after its answer
		http.Error(w, "this server cannot upgrade the request to a WebSocket", http.StatusNotImplemented)
		return nil, errors.New("socket: the http.ResponseWriter cannot be hijacked: serve over HTTP/1.1, and give middleware that wraps it an Unwrap method")
	}
	s := new(Socket)
	hijacked := &hijackWriter{ResponseWriter: w, socket: s, options: o}
	opts := &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the caller's own check is stricter
		CompressionMode:    websocket.CompressionDisabled,
	}
	if subprotocol != "" {
		opts.Subprotocols = []string{subprotocol}
	}
	ws, err := websocket.Accept(hijacked, r, opts)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // readAll has one of its own
	s.ws = ws
	return s, nil
}

// complete returns options that have all they need.
func (o *Options) complete() *Options {
	if o.Clock != nil && o.Stats != nil {
		return o
	}
	all := *o
	if all.Clock == nil {
		all.Clock = clock.Real{}
	}
	if all.Stats == nil {
		all.Stats = new(Stats)
	}
	return &all
}

// canHijack looks for what http.ResponseController will find.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

// hijackWriter gives coder/websocket the queueing connection and small buffers.
type hijackWriter struct {
	http.ResponseWriter
	socket  *Socket
	options *Options
}

// Hijack takes the connection over from net/http.
func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // of the HTTP server
		_ = conn.Close()
		return nil, nil, err
	}
	early, _ := brw.Reader.Peek(brw.Reader.Buffered())
	out := &h.socket.out
	out.init(conn, append([]byte(nil), early...), h.options)
	return out, bufio.NewReadWriter(out.reader(), bufio.NewWriterSize(out, writeBuffer)), nil
}

// WriteHeaderNow makes a writer of gin send the header; others have done so in WriteHeader.
func (h *hijackWriter) WriteHeaderNow() {
	if gin, ok := h.ResponseWriter.(interface{ WriteHeaderNow() }); ok {
		gin.WriteHeaderNow()
	}
}
