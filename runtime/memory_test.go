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
// frames to a function, on the goroutine that writes. Its client may stall, and sends what is put into arrived.
type memoryConn struct {
	frame   func(payload []byte)
	arrived chan []byte
	closed  chan struct{}
	once    sync.Once

	mu      sync.Mutex
	changed sync.Cond
	stalled bool
	over    bool
	buf     []byte
	rest    []byte // of what arrived
}

func newMemoryConn(frame func(payload []byte)) *memoryConn {
	c := &memoryConn{frame: frame, arrived: make(chan []byte, 1), closed: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// stall makes the client stop reading, or go on.
func (c *memoryConn) stall(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = on
	c.changed.Broadcast()
}

// TryWrite takes all of p, or nothing of it while the client stalls.
func (c *memoryConn) TryWrite(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stalled {
		return 0, nil
	}
	return c.take(p)
}

// Write waits while the client stalls.
func (c *memoryConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.stalled && !c.over {
		c.changed.Wait()
	}
	if c.over {
		return 0, net.ErrClosed
	}
	return c.take(p)
}

func (c *memoryConn) take(p []byte) (int, error) {
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

// Read returns what the client sends.
func (c *memoryConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		select {
		case c.rest = <-c.arrived:
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// send sends a short text message of the client.
func (c *memoryConn) send(text string) {
	frame := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}
	c.arrived <- append(frame, text...)
}

func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memoryConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
		c.changed.Broadcast()
	})
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
	conn := newMemoryConn(frame)
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
