// Package socket is one WebSocket of a server: coder/websocket reads and answers control frames, and an outbound queue
// beside it takes complete frames without ever blocking the one who sends.
package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/clock"
)

// The codes that this package closes with.
const (
	CodeNormal      = 1000
	CodeProtocol    = 1002
	CodeUnsupported = 1003
	CodeInvalidUTF8 = 1007
	CodeTooBig      = 1009
	CodeTryLater    = 1013

	codeNoStatus = 1005
	codeAbnormal = 1006
)

// closeWait is how long a peer may take to answer a close frame.
const closeWait = time.Second

// Options configure Accept.
type Options struct {
	Subprotocol string // to answer with; must be one that the client offered, or empty
	MaxMessage  int    // bytes of a message; more is closed with 1009
	Bounds      Bounds
	Clock       clock.Clock
	Stats       *Stats
	// Unprepared sends messages through coder/websocket instead of as prepared frames. The bytes on the wire are the same.
	Unprepared bool
}

// Socket is a WebSocket connection. One goroutine reads it; everything else is safe for concurrent use.
type Socket struct {
	ws    *websocket.Conn
	out   *outbound
	clock clock.Clock
	stats *Stats
	max   int

	unprepared bool
	read       *[]byte      // buffer of the message that is being handled
	reading    atomic.Int64 // UnixNano of the begin of a message that is not complete; 0: none
	seen       atomic.Int64 // UnixNano of the last sign of life
	closed     atomic.Pointer[CloseError]

	// These belong to the caller of Check.
	nextPing int64
	pinged   int64 // UnixNano of the ping that waits for an answer; 0: none
}

// CloseError says how a connection ended.
type CloseError struct {
	Code   int // 1006 when the connection broke off without a close frame
	Reason string
	Local  bool // this side ended it
	Err    error
}

// Error returns the side, the code and the reason.
func (e *CloseError) Error() string {
	side := "the client"
	if e.Local {
		side = "the server"
	}
	if e.Reason == "" {
		return fmt.Sprintf("closed by %s with %d", side, e.Code)
	}
	return fmt.Sprintf("closed by %s with %d: %s", side, e.Code, e.Reason)
}

// Unwrap returns the error of the connection, or nil.
func (e *CloseError) Unwrap() error { return e.Err }

// Accept upgrades a request. When it fails it has answered the request. The caller has checked the origin and chosen the
// subprotocol, reads from a goroutine of its own, and lets the HTTP handler return.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Socket, error) {
	s := &Socket{clock: o.Clock, stats: o.Stats, max: o.MaxMessage, unprepared: o.Unprepared}
	hijacked := &hijackWriter{ResponseWriter: w, socket: s, bounds: o.Bounds}
	opts := &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the caller's own check is stricter
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     s.onPing,
		OnPongReceived:     func(context.Context, []byte) { s.touch() },
	}
	if o.Subprotocol != "" {
		opts.Subprotocols = []string{o.Subprotocol}
	}
	ws, err := websocket.Accept(hijacked, r, opts)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(int64(o.MaxMessage))
	s.ws = ws
	s.touch()
	return s, nil
}

// hijackWriter gives coder/websocket the queueing connection and small buffers.
type hijackWriter struct {
	http.ResponseWriter
	socket *Socket
	bounds Bounds
}

// Hijack takes the connection over from net/http.
func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // of the HTTP server
		conn.Close()
		return nil, nil, err
	}
	early, _ := brw.Reader.Peek(brw.Reader.Buffered())
	out := newOutbound(conn, append([]byte(nil), early...), h.bounds, h.socket.stats)
	h.socket.out = out
	// Control frames are at most 127 bytes, so with 256 each one arrives at Write whole.
	return out, bufio.NewReadWriter(bufio.NewReaderSize(out, 1<<10), bufio.NewWriterSize(out, 256)), nil
}

// Unwrap lets coder/websocket see that the writer underneath can be hijacked.
func (h *hijackWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// RemoteAddr returns the peer's address.
func (s *Socket) RemoteAddr() net.Addr { return s.out.RemoteAddr() }

// Subprotocol returns what was answered in the handshake.
func (s *Socket) Subprotocol() string { return s.ws.Subprotocol() }

// maxPongs is how many entries may wait when a ping is still answered: a peer that sends pings and reads nothing does not
// fill its queue with pongs.
const maxPongs = 64

func (s *Socket) onPing(context.Context, []byte) bool {
	s.touch()
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return len(s.out.queue)-s.out.head < maxPongs
}

// touch notes a sign of life.
func (s *Socket) touch() { s.seen.Store(s.clock.Now().UnixNano()) }

// Read returns the next message, which is valid until the next call. It ends the connection on any error, and says why
// with a *CloseError; a peer that is told with a close frame gets a second to answer it, and Read returns after that.
func (s *Socket) Read() ([]byte, error) {
	s.release()
	kind, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return nil, s.finish(s.classify(err))
	}
	if kind != websocket.MessageText {
		return nil, s.finish(s.violate(CodeUnsupported, "only text messages are understood"))
	}
	s.reading.Store(s.clock.Now().UnixNano())
	msg, err := s.readAll(r)
	s.reading.Store(0)
	s.touch()
	switch {
	case err != nil:
		return nil, s.finish(s.classify(err))
	case !utf8.Valid(msg):
		return nil, s.finish(s.violate(CodeInvalidUTF8, "invalid UTF-8"))
	}
	s.stats.FramesIn.Add(1)
	s.stats.BytesIn.Add(uint64(len(msg)))
	return msg, nil
}

// readAll reads a message into a pooled buffer that grows with what arrives, not with what a peer announces.
func (s *Socket) readAll(r io.Reader) ([]byte, error) {
	s.read = buffers.Get().(*[]byte)
	buf := (*s.read)[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			*s.read = buf
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return buf, err
		}
	}
}

// classify turns a read error into how the connection ended, and tells the peer where that is this side's part.
func (s *Socket) classify(err error) *CloseError {
	if local := s.closed.Load(); local != nil {
		return local
	}
	var peer websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig): // coder/websocket has sent the close frame
		return s.note(&CloseError{Code: CodeTooBig, Reason: fmt.Sprintf("a message may have %d bytes", s.max), Local: true, Err: err})
	case errors.As(err, &peer):
		return s.note(&CloseError{Code: int(peer.Code), Reason: peer.Reason, Err: err})
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), isNetError(err):
		return s.note(&CloseError{Code: codeAbnormal, Err: err})
	}
	return s.violate(CodeProtocol, "not a WebSocket frame of a client")
}

func isNetError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF)
}

// violate tells the peer what it did wrong.
func (s *Socket) violate(code int, reason string) *CloseError {
	e := s.note(&CloseError{Code: code, Reason: reason, Local: true})
	s.out.pushClose(newClose(code, reason), s.clock.Now().UnixNano(), false)
	s.out.flush(nil)
	return e
}

// note keeps the first reason for the end.
func (s *Socket) note(e *CloseError) *CloseError {
	if s.closed.CompareAndSwap(nil, e) {
		return e
	}
	return s.closed.Load()
}

// finish ends the connection after the last read. A peer that was sent a close frame is read on for a while: closing with
// unread data in the kernel would reset the connection, and the peer would not see the frame.
func (s *Socket) finish(e *CloseError) error {
	s.release()
	if e.Local {
		s.linger()
	}
	s.out.Close()
	s.ws.CloseNow()
	return e
}

// maxLinger is how much is read and dropped of a peer that goes on sending.
const maxLinger = 4 << 20

func (s *Socket) linger() {
	timer := s.clock.AfterFunc(closeWait, func() { s.out.Conn.Close() })
	defer timer.Stop()
	if half, ok := s.out.Conn.(interface{ CloseWrite() error }); ok {
		s.out.flush(nil)
		s.out.mu.Lock()
		idle := !s.out.draining
		s.out.mu.Unlock()
		if idle {
			_ = half.CloseWrite() // a broken connection shows in the read below
		}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(s.out.Conn, maxLinger))
}

// release gives the buffer of the last message back, so that an idle connection has none.
func (s *Socket) release() {
	if s.read == nil {
		return
	}
	if cap(*s.read) <= 64<<10 {
		buffers.Put(s.read)
	}
	s.read = nil
}

// Close sends a close frame behind what waits, and ends the connection when the peer has answered, after a second at the
// latest. It does not wait for that. Read returns a *CloseError with this code.
func (s *Socket) Close(code int, reason string) { s.end(code, reason, false) }

// CloseSlow ends a connection whose reader does not keep up: what waits is forgotten at once.
func (s *Socket) CloseSlow(reason string) {
	if s.closed.Load() == nil {
		s.stats.Slow.Add(1)
	}
	s.end(CodeTryLater, reason, true)
}

func (s *Socket) end(code int, reason string, drop bool) {
	if !s.closed.CompareAndSwap(nil, &CloseError{Code: code, Reason: reason, Local: true, Err: slowError(drop)}) {
		return
	}
	s.out.pushClose(newClose(code, reason), s.clock.Now().UnixNano(), drop)
	s.out.flush(nil)
	// The reader, which the peer's answer wakes, ends the connection; the timer does when there is no answer.
	s.clock.AfterFunc(closeWait, func() { s.out.Conn.Close() })
}

func slowError(slow bool) error {
	if slow {
		return errSlow
	}
	return nil
}

// Abort ends the connection at once and without a close frame.
func (s *Socket) Abort() {
	s.note(&CloseError{Code: codeAbnormal, Local: true})
	s.out.Conn.Close()
}

// Push queues a frame. It returns false when the reader is too slow for it, and the caller then ends the connection.
// Nothing is written before Flush.
func (s *Socket) Push(f *Frame, now int64) bool {
	if s.unprepared {
		// coder/websocket frames the message again and hands it to the queue.
		return s.ws.Write(context.Background(), websocket.MessageText, f.Payload()) == nil || s.closed.Load() != nil
	}
	return s.out.push(f, now)
}

// Flush writes what waits, as far as the kernel takes it. scratch is a buffer of at least 64 KiB that the caller owns.
func (s *Socket) Flush(scratch []byte) { s.out.flush(scratch) }

// Waiting returns how many bytes and frames wait.
func (s *Socket) Waiting() (bytes, frames int) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.bytes, len(s.out.queue) - s.out.head
}

// Liveness says when a silent connection is asked for a sign of life, and when it is given up.
type Liveness struct {
	Interval time.Duration // between pings; 0: none
	Timeout  time.Duration // for an answer, and for the rest of a message that has begun
}

// Check is called by the hub every second or so. It sends a ping when one is due, and ends a connection that gave no sign
// of life in time, whose message does not come to its end, or whose oldest frame waits too long.
func (s *Socket) Check(l Liveness, ping *Frame, now int64) {
	if oldest := s.out.waiting.Load(); oldest != 0 && s.out.bounds.Age > 0 && now-oldest > int64(s.out.bounds.Age) {
		s.CloseSlow("too slow a reader")
		return
	}
	if l.Interval <= 0 {
		return
	}
	if begun := s.reading.Load(); begun != 0 && now-begun > int64(l.Timeout+l.Interval) {
		s.Close(CodeProtocol, "the message took too long")
		return
	}
	seen := s.seen.Load()
	if s.pinged != 0 {
		switch {
		case seen >= s.pinged:
			s.pinged = 0
		case now-s.pinged > int64(l.Timeout):
			s.note(&CloseError{Code: codeAbnormal, Reason: "no answer to a ping", Local: true})
			s.out.Conn.Close()
			return
		default:
			return
		}
	}
	if s.nextPing == 0 {
		s.nextPing = now + int64(l.Interval)/2 + rand.Int64N(int64(l.Interval)/2+1)
	}
	if now >= s.nextPing {
		s.pinged, s.nextPing = now, now+int64(l.Interval)
		s.out.push(ping, now)
		s.out.flush(nil)
	}
}

// NewPing returns the frame for Check.
func NewPing() *Frame { return pingFrame() }
