// Package sockettest is the other side of a socket in tests: connections in memory whose kernel is the test, and the frames
// of a client.
package sockettest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// Accept makes a socket of a connection, without a handshake on it.
func Accept(conn net.Conn, o socket.Options) (*socket.Socket, error) {
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", Key)
	return socket.Accept(&hijacker{httptest.NewRecorder(), conn}, r, "", &o)
}

// Key is a valid Sec-WebSocket-Key.
const Key = "dGhlIHNhbXBsZSBub25jZQ=="

type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// The opcodes of RFC 6455 section 5.2.
const (
	Continuation = 0
	Text         = 1
	Binary       = 2
	Close        = 8
	Ping         = 9
	Pong         = 10
)

// Final is the bit of the first byte that says that a message ends.
const Final = 0x80

// ClientFrame returns a frame as a client sends it, masked. first is its first byte, such as Final|Text.
func ClientFrame(first byte, payload []byte) []byte {
	b := []byte{first, 0x80}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// ReadFrame reads a frame of a server. Its error is io.EOF where no frame begins.
func ReadFrame(r io.Reader) (first byte, payload []byte, err error) {
	var h [8]byte
	if _, err := io.ReadFull(r, h[:2]); err != nil {
		return 0, nil, err
	}
	first, n := h[0], uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(r, h[:2])
		n = uint64(binary.BigEndian.Uint16(h[:]))
	case 127:
		_, err = io.ReadFull(r, h[:8])
		n = binary.BigEndian.Uint64(h[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return first, payload, err
}

// Conn is the server's end of a connection in memory. It takes as many bytes as the test lets it.
type Conn struct {
	net.Conn // nil; what a socket does not call panics

	mu      sync.Mutex
	change  sync.Cond
	in      []byte
	asking  bool // a Read waits
	blocked bool // a Write waits
	ended   bool // the client sends nothing more
	closed  bool
	room    int // bytes that are taken yet; negative: any number
	written []byte
}

// NewConn returns a connection that takes room bytes before it is full; -1 is no limit.
func NewConn(room int) *Conn {
	c := &Conn{room: room}
	c.change.L = &c.mu
	return c
}

// Feed sends bytes from the client.
func (c *Conn) Feed(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, p...)
	c.change.Broadcast()
}

// End ends what the client sends.
func (c *Conn) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.change.Broadcast()
}

// Take makes room for n more bytes.
func (c *Conn) Take(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room += n
	c.change.Broadcast()
}

// Written returns a copy of the bytes that were taken.
func (c *Conn) Written() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.written...)
}

// Closed reports whether the server has closed the connection.
func (c *Conn) Closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// WaitBlocked waits until a Write waits for room, or the connection is closed.
func (c *Conn) WaitBlocked() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.blocked && !c.closed {
		c.change.Wait()
	}
}

// WaitWritten waits until n bytes were taken, or the connection is closed, and returns a copy of them.
func (c *Conn) WaitWritten(n int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.written) < n && !c.closed {
		c.change.Wait()
	}
	return append([]byte(nil), c.written...)
}

// Drained waits until the server has read all that was fed, and asks for more.
func (c *Conn) Drained() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for (len(c.in) > 0 || !c.asking) && !c.closed {
		c.change.Wait()
	}
}

// Read waits for bytes of the client.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = true
	c.change.Broadcast()
	defer func() { c.asking = false }()
	for len(c.in) == 0 && !c.ended && !c.closed {
		c.change.Wait()
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case len(c.in) == 0:
		return 0, io.EOF
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// TryWrite takes what there is room for.
func (c *Conn) TryWrite(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.take(p)
}

func (c *Conn) take(p []byte) (int, error) {
	if c.closed {
		return 0, net.ErrClosed
	}
	n := len(p)
	if c.room >= 0 {
		n = min(n, c.room)
		c.room -= n
	}
	c.written = append(c.written, p[:n]...)
	c.change.Broadcast()
	return n, nil
}

// Write waits until p is taken.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := 0
	for {
		n, err := c.take(p[done:])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
		c.blocked = true
		c.change.Broadcast()
		c.change.Wait()
		c.blocked = false
	}
}

// Close ends both directions.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.change.Broadcast()
	return nil
}

// SetDeadline is called once with no deadline.
func (c *Conn) SetDeadline(time.Time) error { return nil }
