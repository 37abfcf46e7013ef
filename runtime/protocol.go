package runtime

import (
	"context"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/sharding"
)

// Protocol describes a generated package: all that the server and the client of this runtime know about its messages.
// It is immutable once built, and shared.
type Protocol struct {
	Name        string
	Version     string
	Fingerprint string // of the schema; 16 hex digits
	Messages    []*MessageType
	Kinds       []string // room kinds; MessageType.Kind is an index into it
	Errors      []*ErrorType
	Claims      ClaimsType
	Sharding    ShardingDefaults
	Limits      LimitDefaults
	// StrictClients makes clients check what they get as servers do: unknown fields and values are errors.
	StrictClients bool
	// Envelope is another form of frames; nil: the protocol's.
	Envelope *Envelope
}

// Envelope is another form of frames than the protocol's, for protocols of others: {"event": "subscribe", "reqid": 1, …} has
// Type event and ID reqid.
type Envelope = envelope.Form

// MetaType is the codec of the meta that a message declares, which is a field of the message.
type MetaType struct {
	Decode func(d *codec.Decoder, msg any)
	Encode func(w *jx.Writer, msg any)
	Check  func(c *codec.Checker, msg any)
}

// MetaOf returns the codec of the field that field returns, made of the methods of its type. check may be nil.
func MetaOf[T, M any](field func(*T) **M, decode func(*M, *codec.Decoder), encode func(*M, *jx.Writer), check func(*M, *codec.Checker)) *MetaType {
	value := func(msg any) *M {
		if m := *field(msg.(*T)); m != nil {
			return m
		}
		return new(M)
	}
	return &MetaType{
		Decode: func(d *codec.Decoder, msg any) {
			m := new(M)
			decode(m, d)
			*field(msg.(*T)) = m
		},
		Encode: func(w *jx.Writer, msg any) { encode(value(msg), w) },
		Check: func(c *codec.Checker, msg any) {
			if check != nil {
				check(value(msg), c)
			}
		},
	}
}

// Payload is the codec of one generated type. Values are pointers to it.
type Payload struct {
	Decode func(d *codec.Decoder) any
	Encode func(w *jx.Writer, v any)
	// Check validates a value that is about to be sent; nil when every value of the Go type is valid.
	Check func(c *codec.Checker, v any)
}

// PayloadOf returns the codec of a generated type, made of the type's own methods. check may be nil.
func PayloadOf[T any](decode func(*T, *codec.Decoder), encode func(*T, *jx.Writer), check func(*T, *codec.Checker)) *Payload {
	p := &Payload{
		Decode: func(d *codec.Decoder) any {
			v := new(T)
			decode(v, d)
			return v
		},
		Encode: func(w *jx.Writer, v any) { encode(v.(*T), w) },
	}
	if check != nil {
		p.Check = func(c *codec.Checker, v any) { check(v.(*T), c) }
	}
	return p
}

// MessageType describes one message.
type MessageType struct {
	Name       string // type on the wire
	FromClient bool
	FromServer bool
	Payload    *Payload  // nil: the frame has no payload; the handler gets New's value
	Meta       *MetaType // what its meta has beside the keys of the protocol; nil: nothing
	New        func() any
	Kind       int                  // of the room that it goes to; -1: the connection's handler
	Joined     bool                 // goes to the room that the connection is in
	Key        func(msg any) string // key of its room; nil when Joined or Kind is -1
	Auth       Auth
	Rate       *Rate
	MaxBytes   int // of the frame; 0: Limits.MaxBytes
	Delivery   Delivery
	// LatestKey returns the value of the field that a `latest by` delivery replaces by.
	LatestKey func(msg any) string

	// Handle calls the method of an event on the generated handler interface. Nil for requests and what only servers send.
	Handle func(ctx context.Context, handler any, c *Conn, msg any) error
	// Request is set for requests.
	Request *RequestType
}

// RequestType is what a request has beyond an event.
type RequestType struct {
	// Handle calls the handler's method, which returns a pointer to the response. progress is never nil.
	Handle       func(ctx context.Context, handler any, c *Conn, req any, progress func(any) error) (any, error)
	ResponseName string
	Response     *Payload // nil: the reply has no payload; the caller gets NewResponse's value
	NewResponse  func() any
	Progress     *Payload // nil: the request has none
	Timeout      time.Duration
	Idempotent   bool
}

// ErrorType is an error code that the schema declares.
type ErrorType struct {
	Code       Code
	Retryable  bool
	RetryAfter time.Duration
	Details    *Payload // nil: none
	// Typed wraps what came over the wire in the generated error type.
	Typed func(e *Error) error
}

// ClaimsType describes the generated Claims.
type ClaimsType struct {
	Payload *Payload
	UserID  func(claims any) string   // nil when the schema's claims have none
	Roles   func(claims any) []string // nil when the schema's claims have none
}

// Auth is what the sender of a message must be.
type Auth struct {
	Anonymous bool     // a connection without claims may send it
	Roles     []string // one of them is needed; empty: any authenticated connection
}

// RateBy says whose messages share a token bucket.
type RateBy int

// The owners of token buckets.
const (
	ByConnection RateBy = iota
	ByUser
	ByIP
	ByRoom
)

// Rate is a token bucket: Burst tokens at most, Limit more in every Per.
type Rate struct {
	Limit int
	Per   time.Duration
	Burst int
	By    RateBy
}

// Delivery says what a slow reader may lose of a message.
type Delivery int

// The deliveries.
const (
	Reliable  Delivery = iota // nothing: a reader that is too slow is disconnected
	Latest                    // a waiting message with the same room and key is replaced
	Droppable                 // what does not fit soon
)

// ShardingDefaults are the schema's `sharding`; a server's Options override them. A capacity of 0 is unlimited.
type ShardingDefaults struct {
	Shards             int
	Hash               sharding.Hash
	Idle               time.Duration
	Connections        int // per shard
	Rooms              int // per shard
	RoomMembers        int
	RoomsPerConnection int
	History            *HistoryLimits // nil: rooms keep nothing that they published
	Presence           *PresenceType  // nil: members are not told of each other
	Persistent         bool           // rooms are to be kept in a store
	SnapshotEvery      time.Duration  // of a persistent room; 0: only when it closes
}

// HistoryLimits bound what a room keeps of what it published, for members that come back: the last messages, up to a sum
// of bytes, and not for longer than the age, which is also how long a client may stay away. All are positive.
type HistoryLimits struct {
	Messages int
	Bytes    int
	Age      time.Duration
}

// LimitDefaults are the schema's `limits`; a server's Options override them.
type LimitDefaults struct {
	MaxBytes int
	Rate     *Rate
	Pending  int
}
