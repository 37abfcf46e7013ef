package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/actor"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/ratelimit"
)

// frame is a frame of a client.
type frame = envelope.Frame[*messageType]

// inbound is a message on its way to its handler.
type inbound struct {
	conn    *Conn
	t       *messageType
	msg     any
	ctx     context.Context
	at      time.Time // of its arrival
	request *request  // nil for an event
	call    Call
	topic   string // of its room; empty outside rooms, and for a joined message that is not routed yet
	room    *Room

	expected bool   // counted in the connection's inflight
	order    uint64 // among the messages of this node, in a cluster
	link     *link  // of a message that another node has forwarded; nil: it came in here
}

// Call is a message as interceptors see it.
type Call struct {
	Conn    *Conn
	Message *MessageType
	Msg     any   // pointer to the generated type
	Room    *Room // nil outside rooms

	handler any
	request *request // nil for an event
}

// Types of the protocol itself.
const (
	typeHeartbeat = "__heartbeat"
	typeAbort     = "$ws:abort"
	typeGoAway    = "$ws:goaway"
	typeError     = "ERROR"
	typeRPCError  = "RPC_ERROR"
)

// decoders are shared by all connections: an idle one has none.
var decoders = sync.Pool{New: func() any { return new(codec.Decoder) }}

// receive handles one frame on the reader's goroutine.
func (c *Conn) receive(data []byte) {
	s := c.srv
	s.stats.received.Add(1)
	d := decoders.Get().(*codec.Decoder)
	defer decoders.Put(d)
	lookup := s.find
	if len(data) > s.smallest {
		lookup = s.lookupWithin(len(data))
	}
	f := envelope.Read(d, data, envelope.Options{Mode: codec.Strict, V1: c.v1, Form: s.protocol.Envelope, DeclaredMeta: s.meta}, lookup)
	t := f.Message
	err := d.Err()
	switch {
	case f.Type != "" && !d.Failed(): // which the protocol does not know
		if c.control(f.Type, f.CorrelationID) {
			return
		}
		c.refuse(nil, &f, s.unknownType(f.Type))
	case t != nil && t.v1 && !c.v1:
		c.refuse(nil, &f, s.unknownType(t.Name))
	case t != nil && len(data) > t.most:
		c.refuse(t, &f, Errorf(CodeInvalidArgument, "%s may have %d bytes, got %d", t.Name, t.most, len(data)))
	case err != nil:
		c.refuse(t, &f, invalidArgument(err))
	case t.control != nil:
		t.control(c, f.CorrelationID, f.Payload)
	default:
		msg := f.Payload
		if t.Payload == nil {
			msg = t.New()
		}
		if err := readMeta(d, t.MessageType, f.Meta, msg); err != nil {
			c.refuse(t, &f, invalidArgument(err))
			return
		}
		c.accept(t, msg, f.CorrelationID, f.TimeoutMs)
	}
}

// readMeta reads the meta that a message declares into it, or refuses any.
func readMeta(d *codec.Decoder, t *MessageType, meta []byte, msg any) error {
	if t.Meta == nil {
		if meta == nil {
			return nil
		}
		return envelope.DecodeMeta(d, meta, codec.Strict, nil)
	}
	return envelope.DecodeMeta(d, meta, codec.Strict, func(d *codec.Decoder) { t.Meta.Decode(d, msg) })
}

// lookup finds what a client may send.
func (s *Server) lookup(name []byte) (*messageType, func(*codec.Decoder) any, bool) {
	t := s.messages[string(name)]
	if t == nil || !t.FromClient {
		return nil, nil, false
	}
	if t.Payload == nil {
		return t, nil, true
	}
	return t, t.Payload.Decode, true
}

// control handles the frames of the protocol itself.
func (c *Conn) control(name, correlationID string) bool {
	switch {
	case name == typeHeartbeat:
		c.heartbeat(c.srv.Clock.Now())
	case name == typeAbort && c.v1:
		c.mu.Lock()
		r := c.pendingRequest(correlationID)
		c.mu.Unlock()
		if r != nil {
			r.fail(Errorf(CodeCancelled, "cancelled by the client"))
		}
	default:
		return false
	}
	return true
}

// heartbeat answers a sign of life, unless there are more of them than anybody needs. No rate of the schema counts them.
func (c *Conn) heartbeat(now time.Time) {
	if !c.srv.Unlimited && c.noted().beats.Take(ratelimit.Rate{Limit: 10, Per: time.Second, Burst: 20}, now) > 0 {
		c.limited()
		return
	}
	c.member.Send(heartbeatAck(c.srv.protocol.Envelope, now))
}

func (s *Server) unknownType(name string) *Error {
	switch {
	case len(name) > 128:
		return Errorf(CodeUnimplemented, "unknown message type")
	case strings.HasPrefix(name, "$") || strings.HasPrefix(name, "__"):
		return Errorf(CodeUnimplemented, "the type %q is reserved", name)
	case s.messages[name] != nil:
		return Errorf(CodeUnimplemented, "only servers send %s", name)
	}
	return Errorf(CodeUnimplemented, "unknown message type %q", name)
}

// InvalidDetails are the details of INVALID_ARGUMENT when a frame is not what the schema allows.
type InvalidDetails struct {
	Issues codec.Issues // up to 16, in the order of the frame; paths are JSON Pointers into it
}

func invalidArgument(err error) *Error {
	issues, ok := errors.AsType[codec.Issues](err)
	if !ok {
		return Errorf(CodeInvalidArgument, "%v", err)
	}
	message := "invalid message"
	if len(issues) > 0 {
		message = fmt.Sprintf("%s %s", or(issues[0].Path, "the frame"), issues[0].Message)
	}
	return Errorf(CodeInvalidArgument, "%s", message).WithDetails(&InvalidDetails{Issues: issues})
}

// refuse answers a frame that is not accepted, with the id that it has, whatever that is, and ends a connection that sends too
// many of them.
func (c *Conn) refuse(t *messageType, f *frame, e *Error) {
	c.srv.stats.invalid.Add(1)
	h := envelope.Header{CorrelationID: f.CorrelationID, EmptyID: f.EmptyID}
	if answer := c.errorFrameFor(t != nil && t.Request != nil || f.CorrelationID != "" || f.EmptyID, h, e); answer != nil {
		c.send(answer)
	}
	if !c.within(&c.noted().invalid, c.srv.Limits.Invalid) {
		c.Close(ClosePolicy, "too many invalid messages")
	}
}

// within takes one of n per minute; 0 is no limit.
func (c *Conn) within(b *ratelimit.Bucket, n int) bool {
	return n <= 0 || b.Take(ratelimit.Rate{Limit: n, Per: time.Minute, Burst: n}, c.srv.Clock.Now()) == 0
}

// accept checks whether the connection may send the message now, and routes it.
func (c *Conn) accept(t *messageType, msg any, correlationID string, timeoutMs int) {
	t.received.Add(1)
	in, r := newInbound(t)
	in.conn, in.msg, in.ctx, in.at = c, msg, c.ctx, c.srv.Clock.Now()
	if t.Kind >= 0 && !t.Joined {
		in.topic = c.topicOf(t.Kind, t.Key(msg))
	}
	err := c.permitted(t)
	if err == nil {
		err = c.rate(in)
	}
	if err == nil {
		err = c.begin(in, r, correlationID, timeoutMs)
	}
	if err != nil {
		c.answerError(t.Request != nil, correlationID, err)
		return
	}
	if (c.srv.Authorize == nil || t.v1) && (c.gate == nil || c.gate.Idle()) && c.resolve(in) {
		c.route(in)
		return
	}
	c.hold(in)
}

// hold keeps a message until it can be routed, and what comes behind it.
func (c *Conn) hold(in *inbound) {
	if c.gate == nil {
		c.gate = new(actor.Mailbox[*inbound])
		c.gate.Init(&c.srv.workers, 0, c.pass)
	}
	c.gate.Post(in)
}

// newInbound returns a message, and what it needs as a request; nil for an event. Both are one piece of memory.
func newInbound(t *messageType) (*inbound, *request) {
	if t.Request == nil {
		return &inbound{t: t}, nil
	}
	both := new(struct {
		in inbound
		r  request
	})
	both.in.t, both.r.in = t, &both.in
	return &both.in, &both.r
}

// permitted checks the schema's auth.
func (c *Conn) permitted(t *messageType) *Error {
	switch {
	case t.Auth.Anonymous:
		return nil
	case c.Claims() == nil:
		return Errorf(CodeUnauthenticated, "%s needs an authenticated connection", t.Name)
	case len(t.Auth.Roles) == 0 || slices.ContainsFunc(c.identity.Load().roles, func(role string) bool { return slices.Contains(t.Auth.Roles, role) }):
		return nil
	}
	return Errorf(CodePermissionDenied, "%s needs one of the roles %s", t.Name, strings.Join(t.Auth.Roles, ", "))
}

// rate takes a token of each bucket that the message is counted in.
func (c *Conn) rate(in *inbound) *Error {
	s := c.srv
	if s.Unlimited {
		return nil
	}
	now := in.at
	var wait time.Duration
	if r := s.protocol.Limits.Rate; r != nil {
		wait = c.all.Take(bucketRate(r), now)
	}
	if r := in.t.Rate; r != nil && wait == 0 {
		switch r.By {
		case ByConnection:
			if c.buckets == nil {
				c.buckets = make([]ratelimit.Bucket, s.ratedMessages())
			}
			wait = c.buckets[in.t.index].Take(bucketRate(r), now)
		case ByUser:
			user := c.UserID()
			if user == "" {
				user = c.ID()
			}
			wait = in.t.buckets.Take(user, bucketRate(r), now)
		case ByIP:
			wait = in.t.buckets.Take(c.source(), bucketRate(r), now)
		case ByRoom:
			wait = in.t.buckets.Take(in.topic, bucketRate(r), now)
		}
	}
	if wait == 0 {
		return nil
	}
	c.limited()
	return Errorf(CodeResourceExhausted, "too many %s messages", in.t.Name).WithRetry(true, wait)
}

// limited counts a frame above a rate, and ends a connection that sends too many of them.
func (c *Conn) limited() {
	c.srv.stats.limited.Add(1)
	if !c.within(&c.noted().violations, c.srv.Limits.RateViolations) {
		c.Close(ClosePolicy, "rate limit exceeded")
	}
}

func bucketRate(r *Rate) ratelimit.Rate {
	return ratelimit.Rate{Limit: r.Limit, Per: r.Per, Burst: r.Burst}
}

func (s *Server) ratedMessages() int {
	n := 0
	for _, t := range s.messages {
		n = max(n, t.index+1)
	}
	return n
}
