package runtime

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an Error is. The constants are the standard codes; a schema may declare its own.
type Code string

// The standard codes, with the meaning that they have in gRPC.
const (
	CodeUnauthenticated    Code = "UNAUTHENTICATED"
	CodePermissionDenied   Code = "PERMISSION_DENIED"
	CodeInvalidArgument    Code = "INVALID_ARGUMENT"
	CodeFailedPrecondition Code = "FAILED_PRECONDITION"
	CodeNotFound           Code = "NOT_FOUND"
	CodeAlreadyExists      Code = "ALREADY_EXISTS"
	CodeUnimplemented      Code = "UNIMPLEMENTED"
	CodeCancelled          Code = "CANCELLED"
	CodeDeadlineExceeded   Code = "DEADLINE_EXCEEDED"
	CodeAborted            Code = "ABORTED"
	CodeResourceExhausted  Code = "RESOURCE_EXHAUSTED"
	CodeUnavailable        Code = "UNAVAILABLE"
	CodeInternal           Code = "INTERNAL"
)

// The codes of a capacity that is used up. All are retryable.
const (
	CodeShardFull    Code = "SHARD_FULL"     // connections of the room's shard
	CodeShardRooms   Code = "SHARD_ROOMS"    // rooms of the shard
	CodeRoomFull     Code = "ROOM_FULL"      // members of the room
	CodeTooManyRooms Code = "TOO_MANY_ROOMS" // rooms of the connection
)

// retryAfter is the advice that goes with a code which is worth another try; a code that is absent is not.
func retryAfter(c Code) (time.Duration, bool) {
	switch c {
	case CodeDeadlineExceeded, CodeAborted:
		return 50 * time.Millisecond, true
	case CodeResourceExhausted, CodeUnavailable:
		return 100 * time.Millisecond, true
	case CodeShardFull, CodeShardRooms, CodeRoomFull, CodeTooManyRooms:
		return time.Second, true
	}
	return 0, false
}

// Error is a failure that the other side is told of: its code, message and details travel. Build one with Errorf; any
// other error that a handler returns reaches the client as INTERNAL with a generic message, and its text stays in the
// server's log.
type Error struct {
	code       Code
	message    string
	details    any // pointer to the generated details type, or InvalidDetails
	retryable  bool
	retryAfter time.Duration
	applied    applied
	cause      error
}

// applied says whether a message that failed may have been handled.
type applied uint8

const (
	appliedUnsaid applied = iota // the code says it
	appliedNot
	appliedMaybe
)

// Errorf returns an Error whose text the client may see. Whether it can be retried, and after what time, follows from the
// code; WithRetry overrides it. A %w operand is kept as the cause, for errors.Is and errors.As, and its text is part of the message.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	after, retryable := retryAfter(code)
	return &Error{code: code, message: err.Error(), retryable: retryable, retryAfter: after, cause: errors.Unwrap(err)}
}

// WithDetails returns a copy of e with the typed details of its code. Generated constructors call it.
func (e *Error) WithDetails(details any) *Error {
	c := *e
	c.details = details
	return &c
}

// WithCause returns a copy of e that wraps err. The cause is logged and never sent.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// WithRetry returns a copy of e that says whether another try makes sense, and after what time; zero gives no advice.
func (e *Error) WithRetry(retryable bool, after time.Duration) *Error {
	c := *e
	c.retryable, c.retryAfter = retryable, after
	return &c
}

// WithMaybeApplied returns a copy of e that says whether the message may have been handled although it failed. In a cluster the
// runtime says so of what it could not bring to the owner of a room, or has no answer from. Clients of the base profile are not
// told.
func (e *Error) WithMaybeApplied(maybe bool) *Error {
	c := *e
	c.applied = appliedNot
	if maybe {
		c.applied = appliedMaybe
	}
	return &c
}

// MaybeApplied reports whether the message may have been handled; known is false where the error does not say so.
func (e *Error) MaybeApplied() (maybe, known bool) {
	return e.applied == appliedMaybe, e.applied != appliedUnsaid
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.code) + ": " + e.message }

// Code returns the code.
func (e *Error) Code() Code { return e.code }

// Message returns the text without the code.
func (e *Error) Message() string { return e.message }

// Details returns a pointer to the details type of the code, or nil.
func (e *Error) Details() any { return e.details }

// Retryable reports whether the same call may succeed later.
func (e *Error) Retryable() bool { return e.retryable }

// RetryAfter returns the time to wait before another try; 0 when there is no advice.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of the first Error in err's chain, CodeInternal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.code
	}
	return CodeInternal
}

// asError returns the Error in err's chain; false for a panic's, whose text is for nobody.
func asError(err error) (*Error, bool) {
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		return nil, false
	}
	return errors.AsType[*Error](err)
}
