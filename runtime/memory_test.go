package runtime_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// memoryConn is the server's end of a connection that is nothing but memory: it takes what is written at once and hands the
// frames to a function, on the goroutine that writes. Nothing arrives on it until it is closed.
type memoryConn struct {
	frame  func(payload []byte)
	buf    []byte
	closed chan struct{}
	once   sync.Once
}

// TryWrite takes all of p.
func (c *memoryConn) TryWrite(p []byte) (int, error) {
	c.buf = append(c.buf, p...)
	rest := c.buf
	for {
		payload, more, ok := cutFrame(rest)
		if !ok {
			break
		}
		c.frame(payload)
		rest = more
	}
	c.buf = append(c.buf[:0], rest...)
	return len(p), nil
}

// cutFrame returns the payload of the first frame of a server, and what is behind it.
func cutFrame(p []byte) (payload, rest []byte, ok bool) {
	if len(p) < 2 {
		return nil, p, false
	}
	head, n := 2, int(p[1])
	if n == 126 {
		if len(p) < 4 {
			return nil, p, false
		}
		head, n = 4, int(binary.BigEndian.Uint16(p[2:]))
	}
	if len(p) < head+n {
		return nil, p, false
	}
	return p[head : head+n], p[head+n:], true
}

func (c *memoryConn) Write(p []byte) (int, error)      { return c.TryWrite(p) }
func (c *memoryConn) Read([]byte) (int, error)         { <-c.closed; return 0, net.ErrClosed }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memoryConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

type memoryHijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h memoryHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// connect makes a connection of the extended profile in memory, and returns the server's handle of it.
func connect(t *testing.T, srv *wsrt.Server, connected <-chan *wsrt.Conn, user string, frame func(payload []byte)) (*wsrt.Conn, *memoryConn) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/ws?user="+user, nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "wsgen.v1"} {
		r.Header.Set(k, v)
	}
	conn := &memoryConn{frame: frame, closed: make(chan struct{})}
	srv.ServeHTTP(memoryHijacker{httptest.NewRecorder(), conn}, r)
	return receive(t, connected), conn
}

// controlFrame is what a test wants to know of a frame.
type controlFrame struct {
	Type string
	Meta struct {
		Room string
		Seq  uint64
	}
	Payload struct {
		Epoch, Session, Text, Reason string
		Seq                          uint64
	}
}

func parseFrame(t *testing.T, payload []byte) controlFrame {
	var f controlFrame
	if err := json.Unmarshal(payload, &f); err != nil {
		t.Errorf("%s: %v", payload, err)
	}
	return f
}

// withHistory returns the protocol of the tests with a history.
func withHistory(limits wsrt.HistoryLimits) *wsrt.Protocol {
	p := *protocol
	p.Sharding.History = &limits
	return &p
}
