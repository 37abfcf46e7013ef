// Package wstest tests handlers over real WebSockets without a network: an in-memory server, clients of raw frames and of generated
// types, and time that passes only when nothing is in motion, or when a test says so.
//
//	func TestJoin(t *testing.T) {
//		wstest.Run(t, func(t *testing.T) {
//			chatServer, err := chat.NewServer(config) // and Drain it in a t.Cleanup, before Serve
//			srv := wstest.Serve(t, chatServer)
//			conn := wstest.Dial(t, srv, "/ws?access_token=ann")
//			conn.Send(`{"type":"JOIN_ROOM","payload":{"roomId":"general"}}`)
//			conn.Expect(`{"type":"ROOM_UPDATE","payload":{"roomId":"general","text":"ann joined","userId":"ann"}}`)
//			wstest.Settle()  // all that follows of it has happened
//			conn.Frames()    // what else has arrived
//			time.Sleep(time.Hour) // costs nothing: pings, time-outs, rates and After run as they would
//		})
//	}
//
// The generated client connects with
//
//	c, err := chat.Dial(ctx, srv.URL()+"/ws", chat.Events{}, srv.Dialer())
//
// Outside of Run everything works as well, in the time of the system, or in that of a Clock, which stands still between calls of
// Advance. A server with such a clock is drained with DrainSpread: -1: nobody would end the time in which it closes its connections.
package wstest

import (
	"net/http"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/clock"
)

// Patience is how long the functions of this package wait for something that should happen, before they fail the test.
const Patience = 10 * time.Second

// host is a name that is never resolved (RFC 6761, section 6.2).
const host = "wsgen.test"

// Clock is a clock that moves only when Advance is called.
type Clock = clock.Fake

// NewClock returns a Clock that shows midnight of 1 January 2026, UTC. Give it to the server's and the client's options.
func NewClock() *Clock { return clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) }

// Server serves a handler in memory.
type Server struct {
	listener *listener
	client   *http.Client
}

// Serve serves h, for example a generated Server or a mux around it, until the test ends. Then it closes every connection. The
// connections have no file descriptor, and addresses of the documentation range 192.0.2.0/24.
func Serve(t testing.TB, h http.Handler) *Server {
	t.Helper()
	l := newListener()
	transport := &http.Transport{DialContext: l.dial}
	server := &http.Server{Handler: h, ReadHeaderTimeout: Patience}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		l.closeAll() // also what was hijacked, which the server has forgotten
		transport.CloseIdleConnections()
		<-ended
	})
	return &Server{listener: l, client: &http.Client{Transport: transport}}
}

// URL returns the address of the server without a path. Only clients with Dialer or Client reach it.
func (s *Server) URL() string { return "ws://" + host }

// Dialer returns the option that lets a client reach the server. It takes the place of client.WithHTTPClient.
func (s *Server) Dialer() client.Option { return client.WithHTTPClient(s.client) }

// Client returns an HTTP client that reaches the server, with whatever host in the URL, for what is no WebSocket.
func (s *Server) Client() *http.Client { return s.client }

// DropConnections cuts all connections as a broken network does, without a close frame.
func (s *Server) DropConnections() { s.listener.drop() }
