package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
)

// The types of the protocol itself.
const (
	typeAbort        = "$ws:abort"
	typeProgress     = "$ws:rpc-progress"
	typeRPCError     = "RPC_ERROR"
	typeError        = "ERROR"
	typeHeartbeat    = "__heartbeat"
	typeHeartbeatAck = "__heartbeat_ack"
	typeGoAway       = "$ws:goaway"
)

// An inbound is a type that a server may send.
type inbound struct {
	name    string
	event   *wsrt.MessageType                             // nil: only a reply, or of the protocol itself
	reply   bool                                          // some request is answered with it
	failure bool                                          // ERROR or RPC_ERROR
	control func(s *session, f *envelope.Frame[*inbound]) // of the protocol itself
	decode  func(d *codec.Decoder) any
	bare    bool // some message or reply of this type has no payload, although another has
}

// A catalog is what a client knows of the server's frames. It is immutable.
type catalog struct {
	inbound map[string]*inbound
	errors  map[wsrt.Code]*wsrt.ErrorType
	limit   int
	strict  bool // payloads are read as servers do
	meta    bool // some message declares meta
	form    *wsrt.Envelope
}

func newCatalog(p *wsrt.Protocol) *catalog {
	c := &catalog{inbound: map[string]*inbound{}, errors: map[wsrt.Code]*wsrt.ErrorType{}, limit: p.Limits.MaxBytes, strict: p.StrictClients, form: p.Envelope}
	for _, t := range p.Messages {
		if t.FromServer {
			in := c.entry(t.Name)
			in.event, in.bare = t, t.Payload == nil
			c.meta = c.meta || t.Meta != nil
			if t.Payload != nil && in.decode == nil {
				in.decode = t.Payload.Decode
			}
		}
	}
	for _, t := range p.Messages {
		if t.Request != nil && t.FromClient {
			in := c.entry(t.Request.ResponseName)
			in.reply, in.bare = true, in.bare || t.Request.Response == nil
			if t.Request.Response != nil || in.decode != nil {
				in.decode = rawValue // what it is depends on the request that it answers
			}
		}
	}
	for name, in := range controls {
		c.inbound[name] = in
	}
	c.entry(authRequest.Request.ResponseName).reply = true
	c.inbound[typeProgress] = &inbound{name: typeProgress, decode: rawValue}
	c.inbound[typeRPCError] = &inbound{name: typeRPCError, failure: true, decode: decodeFailure}
	c.inbound[typeError] = &inbound{name: typeError, failure: true, decode: decodeFailure}
	c.inbound[typeHeartbeatAck] = &inbound{name: typeHeartbeatAck,
		control: func(s *session, _ *envelope.Frame[*inbound]) { s.reached() }}
	c.errors[wsrt.CodeInvalidArgument] = &wsrt.ErrorType{Code: wsrt.CodeInvalidArgument, Details: &wsrt.Payload{Decode: decodeInvalid}}
	for _, t := range p.Errors {
		c.errors[t.Code] = t
	}
	return c
}

// entry returns the inbound of a name, a new one when there is none.
func (c *catalog) entry(name string) *inbound {
	in, ok := c.inbound[name]
	if !ok {
		in = &inbound{name: name}
		c.inbound[name] = in
	}
	return in
}

// lookup is an envelope.Lookup.
func (c *catalog) lookup(name []byte) (*inbound, func(*codec.Decoder) any, bool) {
	in, ok := c.inbound[string(name)]
	if !ok {
		return nil, nil, false
	}
	return in, in.decode, true
}

// maxBytes returns the largest frame of t that the schema allows; 0: unlimited.
func (c *catalog) maxBytes(t *wsrt.MessageType) int {
	if t.MaxBytes > 0 {
		return t.MaxBytes
	}
	return c.limit
}

// rawValue keeps a payload as text until it is known what it is.
func rawValue(d *codec.Decoder) any { return d.Any() }

// handle handles one frame, unless another connection has taken over.
func (s *session) handle(data []byte) {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if !s.retired {
		s.receive(data)
	}
}

// receive handles one frame. Nothing that a server sends here ends the connection.
func (s *session) receive(data []byte) {
	f := envelope.Read(&s.frames, data, envelope.Options{Mode: codec.Lenient, V1: true, StrictPayload: s.c.types.strict,
		Form: s.c.types.form, DeclaredMeta: s.c.types.meta, OptionalPayload: true}, s.c.types.lookup)
	err := s.frames.Err()
	in := f.Message
	if err == nil && in != nil && in.decode != nil && !in.bare && !f.HasPayload {
		err = noPayload()
	}
	switch {
	case f.CorrelationID != "" && s.answer(&f, err):
	case in == nil && (err == nil || f.Type != ""):
		s.unknown(f.Type, data)
	case err != nil:
		s.c.report(fmt.Errorf("client: cannot read a frame%s: %w", nameOf(in), err))
	case in.control != nil:
		in.control(s, &f)
	case in.event != nil && !(in.reply && f.CorrelationID != ""): // else an answer that comes too late
		if s.c.advanceTo(f.Room, f.Seq) {
			s.event(in, f.Payload, f.Meta)
		}
	case in.failure && f.CorrelationID == "":
		s.c.report(s.remoteError(f.Payload))
	default:
		s.c.log.Debug("wsgen client: frame for no call", slog.String("type", in.name))
	}
}

// nameOf returns " of <type>" for the text of an error, or "".
func nameOf(in *inbound) string {
	if in == nil {
		return ""
	}
	return " of " + in.name
}

// unknown passes a frame of an unknown type to OnUnknown; reserved types of a newer protocol are none of the user's.
func (s *session) unknown(name string, data []byte) {
	s.c.log.Debug("wsgen client: unknown type", slog.String("type", name))
	if s.c.opts.onUnknown == nil || strings.HasPrefix(name, "$") || strings.HasPrefix(name, "__") {
		return
	}
	frame := bytes.Clone(data)
	s.c.events.post(item{name: "WithOnUnknown", f: func(context.Context) { s.c.opts.onUnknown(name, frame) }}, s.hold)
}

// event passes a message to the dispatch function.
func (s *session) event(in *inbound, msg any, meta []byte) {
	t := in.event
	if in.reply && t.Payload != nil {
		var err error
		if msg, err = s.decode(t.Payload, msg); err != nil {
			s.c.report(fmt.Errorf("client: cannot read the payload of %s: %w", t.Name, err))
			return
		}
	}
	if t.Payload == nil {
		msg = t.New()
	}
	if t.Meta != nil {
		if err := envelope.DecodeMeta(&s.values, meta, codec.Mode(!s.c.types.strict), func(d *codec.Decoder) { t.Meta.Decode(d, msg) }); err != nil {
			s.c.report(fmt.Errorf("client: cannot read the meta of %s: %w", t.Name, err))
			return
		}
	}
	s.c.events.post(item{name: t.Name, f: func(ctx context.Context) { s.c.dispatch(ctx, t, msg) }}, s.hold)
}

// answer gives a frame to the call that waits for it. It returns false when the frame is no answer, or of no call.
func (s *session) answer(f *envelope.Frame[*inbound], err error) bool {
	c := s.c
	k := c.waitingCall(f.CorrelationID, s)
	if k == nil {
		return false
	}
	switch in := f.Message; {
	case in == nil && (err == nil || f.Type != ""): // an event of a newer server
		return false
	case in == nil: // broken before its type: perhaps the reply, which would not come again
		c.abandon(k, unreadable(k, err))
	case in.name == typeProgress:
		s.progress(k, f.Payload, err)
	case in.failure && err == nil:
		c.settle(k, nil, s.remoteError(f.Payload))
	case in.failure, in.reply && in.name == k.t.Request.ResponseName:
		s.reply(k, f.Payload, err)
	case in.event != nil:
		return false // caused by the request, but not its reply
	case in.reply:
		err = fmt.Errorf("client: %s was answered with %s instead of %s", k.t.Name, in.name, k.t.Request.ResponseName)
		c.abandon(k, &callError{err, true})
	}
	return true
}

func unreadable(k *call, err error) error {
	return &callError{fmt.Errorf("client: cannot read the reply to %s: %w", k.t.Name, err), true}
}

// reply ends a call with its reply; err is what was wrong with the frame.
func (s *session) reply(k *call, payload any, err error) {
	var reply any
	switch req := k.t.Request; {
	case err != nil:
	case req.Response == nil:
		reply = req.NewResponse()
	default:
		reply, err = s.decode(req.Response, payload)
	}
	if err != nil {
		reply, err = nil, unreadable(k, err)
	}
	s.c.settle(k, reply, err)
}

// progress gives a progress value to its call; err is what was wrong with the frame.
func (s *session) progress(k *call, payload any, err error) {
	if k.t.Request.Progress == nil {
		return
	}
	var value any
	if err == nil {
		value, err = s.decode(k.t.Request.Progress, payload)
	}
	if err != nil {
		s.c.report(fmt.Errorf("client: cannot read a progress value of %s: %w", k.t.Name, err))
		return
	}
	s.c.advance(k, value)
}

func noPayload() error { return codec.Issues{{Path: "/payload", Message: "is required"}} }

// decode reads a payload that rawValue kept.
func (s *session) decode(p *wsrt.Payload, payload any) (any, error) {
	raw, ok := payload.(json.RawMessage)
	if !ok {
		return nil, noPayload()
	}
	s.values.Reset(raw, codec.Mode(!s.c.types.strict))
	v := p.Decode(&s.values)
	s.values.End()
	if err := s.values.Err(); err != nil {
		return nil, err
	}
	return v, nil
}
