package client

import (
	"errors"
	"fmt"
	"time"
)

// The errors of Send and Call that no server sent. Test for them with errors.Is; MaybeApplied tells of a Call whether it may have
// been handled.
var (
	// ErrClosed says that the client has stopped. When that was not by Close, the reason is wrapped with it.
	ErrClosed = errors.New("client: closed")
	// ErrDisconnected says that the connection was lost while a request waited for its reply; or, under QueueOff, that there was
	// no connection.
	ErrDisconnected = errors.New("client: disconnected")
	// ErrQueueFull says that the frame was dropped because too many wait to be written.
	ErrQueueFull = errors.New("client: queue full")
	// ErrTooManyCalls says that WithPendingLimit calls wait already.
	ErrTooManyCalls = errors.New("client: too many calls wait for a reply")
)

// errNoPong is the loss of a connection on which the server did not answer a ping.
var errNoPong = errors.New("client: the server did not answer a ping")

// MaybeApplied reports whether the server may have handled a request although the Call returned err; known is false where nobody
// can tell, such as of an error of a server that does not say so. Of what the client noticed itself it is known: a request that
// was sent may have been handled, one that never was has not. The errors of contexts say nothing.
func MaybeApplied(err error) (maybe, known bool) {
	e, ok := errors.AsType[interface {
		error
		MaybeApplied() (maybe, known bool)
	}](err)
	if !ok {
		return false, false
	}
	return e.MaybeApplied()
}

// A callError is why a call got no answer.
type callError struct {
	error
	sent bool // its frame was written, or was about to be
}

// MaybeApplied implements the interface that MaybeApplied looks for.
func (e *callError) MaybeApplied() (maybe, known bool) { return e.sent, true }

// Unwrap returns the reason.
func (e *callError) Unwrap() error { return e.error }

// CloseError says that the connection ended with a close code, of either side.
type CloseError struct {
	Code   int // RFC 6455, section 7.4; 4401 not authenticated, 4403 forbidden
	Reason string
}

// Error returns the code and the reason.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("client: connection closed with %d", e.Code)
	}
	return fmt.Sprintf("client: connection closed with %d: %s", e.Code, e.Reason)
}

// HandshakeError says that the server answered with an HTTP response instead of a WebSocket.
type HandshakeError struct {
	Status     int           // of HTTP
	Body       string        // its first KiB as text
	RetryAfter time.Duration // advice of the server; 0 when there is none
}

// Error returns the status and the body.
func (e *HandshakeError) Error() string {
	if e.Body == "" {
		return fmt.Sprintf("client: the server refused the connection with HTTP %d", e.Status)
	}
	return fmt.Sprintf("client: the server refused the connection with HTTP %d: %s", e.Status, e.Body)
}

// PanicError says that a callback panicked. The client goes on.
type PanicError struct {
	Callback string // the message's type, or the name of the option
	Value    any    // of the panic
	Stack    []byte
}

// Error returns the callback and the value, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("client: panic in the callback of %s: %v", e.Callback, e.Value)
}

// Unwrap returns the value of the panic when it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
