package socket

// Reading: messages into reused buffers, and how a connection ended.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// buffers holds read buffers between messages, for all sockets of the process: an idle connection has none.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 1<<10)
	return &b
}}

// maxPooled is the largest buffer that is kept.
const maxPooled = 128 << 10

var (
	errTooBig    = errors.New("message too big")
	errFragments = errors.New("too many fragments")
)

// Read returns the next message, which is valid UTF-8, and valid until the next call. Any error ends the connection; it is
// a *CloseError that says why. A peer that is told with a close frame gets a second to answer it, and Read returns then.
func (s *Socket) Read() ([]byte, error) {
	for {
		s.release()
		msg, end := s.next()
		if end != nil {
			return nil, s.finish(end)
		}
		if s.closed.Load() == nil {
			return msg, nil
		}
	}
}

func (s *Socket) next() ([]byte, *CloseError) {
	s.out.await()
	if msg, ok := s.out.whole(); ok {
		if !utf8.Valid(msg) {
			return nil, s.violate(CodeInvalidUTF8, invalidUTF8, nil)
		}
		return msg, nil
	}
	kind, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return nil, s.classify(err)
	}
	if kind != websocket.MessageText {
		return nil, s.violate(CodeUnsupported, "only text messages are understood", nil)
	}
	s.reading.Store(s.out.options.Clock.Now().UnixNano())
	if s.out.options.MaxMessage > 0 {
		s.out.allowance = fragmentAllowance(s.out.options.MaxMessage)
	}
	msg, err := s.readAll(r)
	s.out.allowance = 0
	s.reading.Store(0)
	switch {
	case err != nil:
		return nil, s.classify(err)
	case !utf8.Valid(msg):
		return nil, s.violate(CodeInvalidUTF8, invalidUTF8, nil)
	}
	return msg, nil
}

// fragmentAllowance is how many bytes on the wire a message may take, control frames in between and headers of fragments
// included. It ends those who send a byte, or nothing, per fragment.
func fragmentAllowance(limit int) int { return 2*limit + 64<<10 }

// readAll reads a message into a pooled buffer that grows with what arrives, not with what a peer announces.
func (s *Socket) readAll(r io.Reader) ([]byte, error) {
	s.read = buffers.Get().(*[]byte)
	buf := (*s.read)[:0]
	defer func() { *s.read = buf }()
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf)+1)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case s.out.options.MaxMessage > 0 && len(buf) > s.out.options.MaxMessage:
			return nil, errTooBig
		case err == nil:
		case errors.Is(err, io.EOF) && s.out.readErr == nil:
			return buf, nil
		default: // also the end of the connection between two fragments, which coder/websocket reports as that of the message
			return nil, err
		}
	}
}

// classify turns a read error into how the connection ended, and tells the peer where that is its fault.
func (s *Socket) classify(err error) *CloseError {
	var peer websocket.CloseError
	switch {
	case s.closed.Load() != nil:
		return s.closed.Load()
	case errors.As(err, &peer) && !utf8.ValidString(peer.Reason):
		return s.violate(CodeInvalidUTF8, invalidUTF8, nil)
	case errors.As(err, &peer):
		return s.note(&CloseError{Code: int(peer.Code), Reason: peer.Reason})
	case errors.Is(err, errTooBig):
		return s.violate(CodeTooBig, fmt.Sprintf("a message may have %d bytes", s.out.options.MaxMessage), nil)
	case errors.Is(err, errFragments):
		return s.violate(CodePolicy, "too many fragments or pings in a message", nil)
	case s.out.readErr != nil:
		return s.note(&CloseError{Code: codeAbnormal, Err: s.out.readErr})
	}
	return s.violate(CodeProtocol, "not a WebSocket frame of a client", err)
}

// violate tells the peer what it did wrong. Where coder/websocket has done that, its close frame stands.
func (s *Socket) violate(code int, reason string, err error) *CloseError {
	s.end(&CloseError{Code: code, Reason: reason, Local: true, Err: err}, false)
	return s.closed.Load()
}

// note keeps the first reason for the end, and returns it.
func (s *Socket) note(e *CloseError) *CloseError {
	s.closed.CompareAndSwap(nil, e)
	return s.closed.Load()
}

// finish frees the connection after the last read. A peer that was sent a close frame is read on for a while: closing with
// unread data in the kernel would reset the connection, and the peer would not see the frame. One that sent a close frame
// gets what waits and the answer, which coder/websocket has queued, for as long.
func (s *Socket) finish(e *CloseError) error {
	s.release()
	switch {
	case e.Local:
		s.linger()
		s.out.abort()
	case e.Code == codeAbnormal:
		s.out.abort()
	}
	_ = s.ws.CloseNow() // nothing is left to fail
	return e
}

// maxLinger is how much is read and dropped of a peer that goes on sending.
const maxLinger = 4 << 20

// linger reads until the peer closes its side, or the time that pushClose set is over.
func (s *Socket) linger() {
	s.out.closeWrite()
	_, _ = io.Copy(io.Discard, io.LimitReader(s.out.Conn, maxLinger))
}

// release gives the buffer of the last message back.
func (s *Socket) release() {
	s.out.consumed()
	if s.read == nil {
		return
	}
	if cap(*s.read) <= maxPooled {
		buffers.Put(s.read)
	}
	s.read = nil
}
