package socket_test

// What the tests share: a server whose sockets they hold, and a client that is nothing but TCP.

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/socket"
	. "github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newFake() *clock.Fake { return clock.NewFake(start) }

// link is a connection: the server's socket and the client's TCP.
type link struct {
	t    *testing.T
	sock *socket.Socket
	conn net.Conn
	br   *bufio.Reader
}

// subprotocol is what the servers of the tests answer.
const subprotocol = "wsgen.v1"

// connect makes a link over loopback. extra is sent in one packet with the request.
func connect(t *testing.T, o socket.Options, extra ...byte) *link {
	return connectTo(t, httptest.NewServer, o, extra...)
}

func connectTLS(t *testing.T, o socket.Options) *link {
	return connectTo(t, httptest.NewTLSServer, o)
}

func connectTo(t *testing.T, start func(http.Handler) *httptest.Server, o socket.Options, extra ...byte) *link {
	t.Helper()
	socks := make(chan *socket.Socket, 1)
	srv := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := socket.Accept(w, r, subprotocol, &o)
		if err != nil {
			t.Errorf("Accept: %v", err)
			close(socks)
			return
		}
		socks <- s
	}))
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if srv.TLS != nil {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	request := "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + Key + "\r\nSec-WebSocket-Protocol: other, wsgen.v1\r\n\r\n"
	if _, err := conn.Write(append([]byte(request), extra...)); err != nil {
		t.Fatal(err)
	}
	l := &link{t: t, conn: conn, br: bufio.NewReader(conn)}
	resp, err := http.ReadResponse(l.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Protocol") != subprotocol {
		t.Fatalf("answer %v with subprotocol %q", resp.Status, resp.Header.Get("Sec-WebSocket-Protocol"))
	}
	l.sock = <-socks
	t.Cleanup(func() {
		conn.Close()
		if l.sock != nil {
			l.sock.Abort()
		}
		srv.Close()
	})
	return l
}

// send sends frames of ClientFrame, or other bytes.
func (l *link) send(frames ...[]byte) {
	l.t.Helper()
	for _, f := range frames {
		if _, err := l.conn.Write(f); err != nil {
			l.t.Fatalf("send: %v", err)
		}
	}
}

func (l *link) text(msg string) {
	l.t.Helper()
	l.send(ClientFrame(Final|Text, []byte(msg)))
}

// want reads frames and compares them with texts such as "text hi", "ping", or "close 1000 bye".
func (l *link) want(frames ...string) {
	l.t.Helper()
	for _, want := range frames {
		first, payload, err := ReadFrame(l.br)
		if err != nil {
			l.t.Fatalf("wanted %q, got the error %v", want, err)
		}
		if got := describe(first, payload); got != want {
			l.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func describe(first byte, payload []byte) string {
	if first&Final == 0 {
		return "fragment"
	}
	s := map[byte]string{Text: "text", Binary: "binary", Close: "close", Ping: "ping", Pong: "pong"}[first&0xf]
	if first&0xf == Close && len(payload) >= 2 {
		s += fmt.Sprintf(" %d", int(payload[0])<<8|int(payload[1]))
		payload = payload[2:]
	}
	if len(payload) > 0 {
		s += " " + string(payload)
	}
	return s
}

// wantEnd reads what is left and fails unless it is nothing and the end of the connection.
func (l *link) wantEnd() {
	l.t.Helper()
	rest, err := io.ReadAll(l.br)
	if err != nil {
		l.t.Fatalf("the server did not close the connection properly: %v", err)
	}
	if len(rest) > 0 {
		l.t.Fatalf("the server sent %q after the last frame", rest)
	}
}

// reads runs a reader, as a server does, and returns what it gets; the channel of messages is closed at the end.
func (l *link) reads() (messages <-chan string, end <-chan *socket.CloseError) {
	return reads(l.t, l.sock)
}

func reads(t *testing.T, s *socket.Socket) (<-chan string, <-chan *socket.CloseError) {
	t.Helper()
	msgs, ends := make(chan string, 1<<12), make(chan *socket.CloseError, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(msgs)
		for {
			msg, err := s.Read()
			if err != nil {
				var e *socket.CloseError
				if !errors.As(err, &e) {
					t.Errorf("Read returned %T, not a *CloseError: %v", err, err)
				}
				ends <- e
				return
			}
			msgs <- string(msg)
		}
	}()
	t.Cleanup(func() {
		s.Abort()
		<-done
	})
	return msgs, ends
}

func wantMessage(t *testing.T, msgs <-chan string, want string) {
	t.Helper()
	select {
	case got, ok := <-msgs:
		if !ok || got != want {
			t.Fatalf("got the message %.80q (%v), want %.80q", got, ok, want)
		}
	case <-time.After(patience):
		t.Fatalf("the message %.80q did not arrive", want)
	}
}

func wantClosed(t *testing.T, ends <-chan *socket.CloseError, code int, local bool) *socket.CloseError {
	t.Helper()
	select {
	case e := <-ends:
		if e.Code != code || e.Local != local {
			t.Fatalf("the connection ended with %+v, want code %d, local %v", e, code, local)
		}
		return e
	case <-time.After(patience):
		t.Fatalf("Read did not end with %d", code)
	}
	return nil
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen that %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// acceptors make a socket on a connection in memory that takes room bytes: one that is written without waiting, and one that
// a goroutine writes, as with TLS.
var acceptors = map[string]func(t *testing.T, room int, o socket.Options) (*socket.Socket, *Conn){
	"direct": memory,
	"goroutine": func(t *testing.T, room int, o socket.Options) (*socket.Socket, *Conn) {
		conn := NewConn(room)
		return accept(t, struct{ net.Conn }{conn}, o), conn // without TryWrite
	},
}

func memory(t *testing.T, room int, o socket.Options) (*socket.Socket, *Conn) {
	conn := NewConn(room)
	return accept(t, conn, o), conn
}

func accept(t *testing.T, conn net.Conn, o socket.Options) *socket.Socket {
	t.Helper()
	s, err := Accept(conn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Abort)
	return s
}

func frame(text string) *socket.Frame {
	return socket.NewText([]byte(text), socket.Reliable, "")
}

// push pushes without a flush and fails the test when the reader counts as slow.
func push(t *testing.T, s *socket.Socket, f *socket.Frame) {
	t.Helper()
	if !s.Push(f, start.UnixNano(), nil) {
		t.Fatalf("no room for %.40q", f.Payload())
	}
}
