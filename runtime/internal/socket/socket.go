// Package socket is one WebSocket of a server: coder/websocket reads what is not a text message in one piece and answers
// control frames, and an outbound queue beside it takes complete frames without ever blocking the one who sends.
package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// The codes that this package closes with.
const (
	CodeNormal      = 1000
	CodeProtocol    = 1002
	CodeUnsupported = 1003
	CodeInvalidUTF8 = 1007
	CodePolicy      = 1008
	CodeTooBig      = 1009
	CodeInternal    = 1011
	CodeTryLater    = 1013

	codeNoStatus = 1005 // a close frame without a code
	codeAbnormal = 1006 // no close frame
)

// closeWait is how long a peer may take to answer a close frame.
const closeWait = time.Second

// Socket is a WebSocket connection. One goroutine reads it, one, the hub's, calls Push, Flush and Check; everything else
// is safe for concurrent use.
type Socket struct {
	out outbound
	ws  *websocket.Conn

	read    *[]byte      // buffer of the message that is being handled
	reading atomic.Int64 // UnixNano of the begin of a message that is not complete; 0: none
	closed  atomic.Pointer[CloseError]

	// These belong to the caller of Check.
	nextPing int64
	pinged   int64 // UnixNano of the ping that waits for an answer; 0: none
}

// CloseError says how a connection ended.
type CloseError struct {
	Code   int    // 1006 when the connection broke off without a close frame, 1005 when that had no code
	Reason string // valid UTF-8
	Local  bool   // this side ended it
	Err    error  // what went wrong on the connection, or nil
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

// RemoteAddr returns the peer's address.
func (s *Socket) RemoteAddr() net.Addr { return s.out.RemoteAddr() }

// Subprotocol returns what was answered in the handshake.
func (s *Socket) Subprotocol() string { return s.ws.Subprotocol() }

// Close sends a close frame behind what waits, and ends the connection when the peer has answered, after a second at the
// latest. It does not wait for that. From here on nothing more is sent, and messages that arrive are dropped; Read returns
// a *CloseError with this code. Only the first reason for the end counts. A code that may not be sent becomes 1011, and a
// reason of more than 123 bytes is cut.
func (s *Socket) Close(code int, reason string) {
	s.end(&CloseError{Code: code, Reason: reason, Local: true}, false)
}

// CloseSlow ends a connection whose reader does not keep up: what waits is forgotten at once.
func (s *Socket) CloseSlow(reason string) {
	if s.end(&CloseError{Code: CodeTryLater, Reason: reason, Local: true, Err: errSlow}, true) {
		s.out.options.Stats.Slow.Add(1)
	}
}

// end closes the connection unless it is closing already, and reports whether it did. The reader, which the peer's answer
// wakes, then frees it; the timer that pushClose starts does when there is no answer.
func (s *Socket) end(e *CloseError, drop bool) bool {
	e.Code, e.Reason = cleanClose(e.Code, e.Reason)
	if !s.closed.CompareAndSwap(nil, e) {
		return false
	}
	s.out.pushClose(newClose(e.Code, e.Reason), s.out.options.Clock.Now().UnixNano(), drop)
	return true
}

// Abort ends the connection at once and without a close frame.
func (s *Socket) Abort() { s.abort("", nil) }

func (s *Socket) abort(reason string, err error) {
	s.closed.CompareAndSwap(nil, &CloseError{Code: codeAbnormal, Reason: reason, Local: true, Err: err})
	s.out.abort()
}

// Push queues a frame; now is in UnixNano of the clock. It returns false when the reader is too slow for it, and the
// caller then ends the connection. A reader is slow when what waits stays past the bounds after the kernel was offered
// it; else nothing is written before Flush. scratch is as for Flush. On a connection that is closing it does nothing.
func (s *Socket) Push(f *Frame, now int64, scratch []byte) bool {
	if !s.out.options.Unprepared {
		return s.out.push(f, now, scratch)
	}
	// coder/websocket frames the message again, and hands it to Write, which asks here for what it cannot know.
	s.out.through = &passing{f, now, scratch}
	err := s.ws.Write(context.Background(), websocket.MessageText, f.Payload())
	s.out.through = nil
	return !errors.Is(err, errSlow)
}

// Send queues a frame and writes what waits, as Push and Flush do; it is safe for concurrent use, and ends the connection of a
// reader that is too slow. It returns false, and has done nothing, where frames go through coder/websocket.
func (s *Socket) Send(f *Frame) bool {
	if s.out.options.Unprepared {
		return false
	}
	if !s.out.send(f, s.out.options.Clock.Now().UnixNano()) {
		s.CloseSlow(ReasonSlow)
	}
	return true
}

// Flush writes what waits, as far as the kernel takes it, and does not wait for more. scratch is a buffer that frames are
// gathered in; with a capacity of 64 KiB, nothing is allocated. It is the caller's again afterwards.
func (s *Socket) Flush(scratch []byte) { s.out.flush(scratch) }

// Backlog returns how many bytes and frames wait, and for how long the oldest does.
func (s *Socket) Backlog(now time.Time) (bytes, frames int, age time.Duration) {
	bytes, frames = s.Waiting()
	if oldest := s.out.oldest.Load(); oldest != 0 {
		age = max(now.Sub(time.Unix(0, oldest)), 0)
	}
	return bytes, frames, age
}

// Waiting returns how many bytes and frames wait.
func (s *Socket) Waiting() (bytes, frames int) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.bytes, s.out.waiting()
}
