package client_test

import (
	"fmt"
	"time"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// The types of a small protocol, written by hand as the generator would.

// text is the payload of most messages: {"text": string(1..10)}.
type text struct{ Text string }

func decodeText(d *codec.Decoder) any {
	var m text
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		if string(o.Key()) != "text" {
			o.Unknown()
			continue
		}
		if o.First(&seen, 0) {
			m.Text = d.String()
		}
	}
	if o.Lacks(seen, 1) {
		o.Require(seen, 0, "text")
	}
	return &m
}

var textPayload = &wsrt.Payload{
	Decode: decodeText,
	Encode: func(w *jx.Writer, v any) {
		w.RawStr(`{"text":`)
		codec.WriteString(w, v.(*text).Text)
		w.RawStr(`}`)
	},
	Check: func(c *codec.Checker, v any) {
		if c.Enter() {
			c.Field("text")
			c.StringLen(v.(*text).Text, 1, 10)
			c.Leave()
		}
	},
}

type empty struct{}

// notFoundError is what the generator makes of an error in the schema.
type notFoundError struct {
	details *text
	err     *wsrt.Error
}

func (e *notFoundError) Error() string { return e.err.Error() }
func (e *notFoundError) Unwrap() error { return e.err }

func newEmpty() any { return &empty{} }
func newText() any  { return &text{} }

var (
	say    = &wsrt.MessageType{Name: "SAY", FromClient: true, Payload: textPayload, New: newText}
	leave  = &wsrt.MessageType{Name: "LEAVE", FromClient: true, New: newEmpty}
	update = &wsrt.MessageType{Name: "UPDATE", FromServer: true, Payload: textPayload, New: newText}
	tick   = &wsrt.MessageType{Name: "TICK", FromServer: true, New: newEmpty}
	small  = &wsrt.MessageType{Name: "SMALL", FromClient: true, Payload: textPayload, New: newText, MaxBytes: 100}
	get    = &wsrt.MessageType{Name: "GET", FromClient: true, Payload: textPayload, New: newText, Request: &wsrt.RequestType{
		ResponseName: "GET_RESPONSE", Response: textPayload, NewResponse: newText, Progress: textPayload, Timeout: 5 * time.Second}}
	put = &wsrt.MessageType{Name: "PUT", FromClient: true, Payload: textPayload, New: newText, Request: &wsrt.RequestType{
		ResponseName: "PUT_RESPONSE", NewResponse: newEmpty, Idempotent: true}}
	notFound = &wsrt.ErrorType{Code: "ROOM_NOT_FOUND", Details: textPayload, Typed: func(e *wsrt.Error) error {
		details, _ := e.Details().(*text)
		return &notFoundError{details: details, err: e}
	}}
	protocol = &wsrt.Protocol{
		Name:     "Test",
		Messages: []*wsrt.MessageType{say, leave, update, tick, small, get, put},
		Errors:   []*wsrt.ErrorType{notFound},
	}
)

// show is a short text of a message, for comparisons.
func show(t *wsrt.MessageType, msg any) string {
	if m, ok := msg.(*text); ok {
		return t.Name + " " + m.Text
	}
	return fmt.Sprintf("%s %T", t.Name, msg)
}
