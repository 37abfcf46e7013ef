package client

import (
	"context"
	"encoding/json"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// A failure is the payload of ERROR and RPC_ERROR.
type failure struct {
	code       string
	message    string
	advised    bool // retryable was there
	retryable  bool
	retryAfter time.Duration
	applied    *bool           // nil: the server does not say
	details    json.RawMessage // nil: none
}

// The fields of a failure.
const (
	failureCode = iota
	failureMessage
	failureRetryable
	failureRetryAfter
	failureApplied
	failureDetails
)

// decodeFailure reads a *failure. Only the code is required.
func decodeFailure(d *codec.Decoder) any {
	var e failure
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		switch string(o.Key()) {
		case "code":
			if o.First(&seen, failureCode) {
				e.code = d.String()
			}
		case "message":
			if o.First(&seen, failureMessage) {
				e.message = d.String()
			}
		case "retryable":
			if o.First(&seen, failureRetryable) {
				e.advised, e.retryable = true, d.Bool()
			}
		case "retryAfterMs":
			if o.First(&seen, failureRetryAfter) && !d.Null() {
				e.retryAfter = milliseconds(d.Float64())
			}
		case "maybeApplied":
			if o.First(&seen, failureApplied) && !d.Null() {
				maybe := d.Bool()
				e.applied = &maybe
			}
		case "details":
			if o.First(&seen, failureDetails) && !d.Null() {
				e.details = d.Any()
			}
		default:
			o.Unknown()
		}
	}
	if o.Lacks(seen, 1<<failureCode) {
		o.Require(seen, failureCode, "code")
	}
	return &e
}

// milliseconds returns a duration of at most a day, and not negative.
func milliseconds(ms float64) time.Duration {
	const day = 24 * 60 * 60 * 1000
	return time.Duration(max(0, min(ms, day)) * float64(time.Millisecond))
}

// remoteError returns the error that a server sent: a *runtime.Error with typed details, or the generated type of its code.
func (s *session) remoteError(payload any) error {
	f, ok := payload.(*failure)
	if !ok {
		return wsrt.Errorf(wsrt.CodeInternal, "the server sent an error without a payload")
	}
	e := wsrt.Errorf(wsrt.Code(f.code), "%s", f.message)
	if f.advised {
		e = e.WithRetry(f.retryable, f.retryAfter)
	}
	if f.applied != nil {
		e = e.WithMaybeApplied(*f.applied)
	}
	if e.Code() == wsrt.CodeDeadlineExceeded {
		e = e.WithCause(context.DeadlineExceeded) // as when the client notices
	}
	t := s.c.types.errors[e.Code()]
	if t == nil {
		return e
	}
	if t.Details != nil && f.details != nil {
		if details, err := s.decode(t.Details, f.details); err == nil {
			e = e.WithDetails(details)
		}
	}
	if t.Typed == nil {
		return e
	}
	return t.Typed(e)
}

// decodeInvalid reads a *runtime.InvalidDetails, which says what is wrong with a message that the server refused.
func decodeInvalid(d *codec.Decoder) any {
	var details wsrt.InvalidDetails
	for o := d.Object(); o.Next(); {
		if string(o.Key()) != "issues" {
			o.Unknown()
			continue
		}
		for a := d.Array(0, codec.NoLimit); a.Next(); {
			details.Issues = append(details.Issues, decodeIssue(d))
		}
	}
	return &details
}

func decodeIssue(d *codec.Decoder) codec.Issue {
	var issue codec.Issue
	for o := d.Object(); o.Next(); {
		switch string(o.Key()) {
		case "path":
			issue.Path = d.String()
		case "message":
			issue.Message = d.String()
		default:
			o.Unknown()
		}
	}
	return issue
}
