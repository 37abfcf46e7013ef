// Package model is the protocol after everything has been decided: types are resolved, defaults are applied, every Go
// and TypeScript name is fixed, and order is the order of the file. Emitters read it and decide nothing.
package model

import (
	"encoding/json"
	"time"
)

// API is one protocol.
type API struct {
	Name        string // as in the file, e.g. Chat
	Version     string // may be empty
	Doc         string
	Source      string // base name of the YAML file, for headers
	GoPackage   string // e.g. chat
	GoOut       string // folder of go.out, relative to the file; empty: one called after the package
	Fingerprint string // of the canonical schema: 16 hex digits

	Types    []*Named // declared types in file order, then the lifted ones in the order of their use
	Claims   *Named   // what Authenticate returns; Go name Claims
	UserID   *Field   // field of Claims that Conn.UserID returns (userId); nil when the file declares claims without it
	Roles    *Field   // field of Claims that auth roles are checked against; nil without one
	Kinds    []*RoomKind
	Messages []*Message // in file order: clientToServer, serverToClient, both as they stand in the file
	Errors   []*ErrorCode
	Sharding Sharding
	Limits   Limits
}

// Sharding is the file's `sharding` with its defaults applied. A capacity of 0 is unlimited.
type Sharding struct {
	Shards int
	Hash   string // rendezvous, jump or ws-kit
	Idle   time.Duration

	Connections, Rooms, RoomMembers, RoomsPerConnection int
}

// Limits are the defaults for every message of the file.
type Limits struct {
	MaxBytes int   // of a frame
	Rate     *Rate // nil: none; shared by all messages of a connection
	Pending  int   // requests of one connection that wait for their answer; 0: the runtime's default
}

// RoomKind is a kind of room. The topic of a room is Name + ":" + its key.
type RoomKind struct {
	Name  string // wire name: room, match
	Field string // wire name of the field that routes: roomId
	Go    string // Room, Match: prefix of <Go>Handler and Open<Go>
	// Messages that clients send to rooms of this kind, in file order. Those with `room: joined` are among them.
	Messages []*Message
}

// Direction says who may send a message.
type Direction int

// The directions; each is a section of the file.
const (
	ClientToServer Direction = iota
	ServerToClient
	Both
)

// FromClient reports whether a client may send it.
func (d Direction) FromClient() bool { return d != ServerToClient }

// FromServer reports whether a server may send it.
func (d Direction) FromServer() bool { return d != ClientToServer }

// Message is an event or a request.
type Message struct {
	Wire       string // JOIN_ROOM
	Go         string // JoinRoom: handler method, Events field
	GoClient   string // method of the Go client; differs from Go only where that would hide one of the client's own
	TS         string // joinRoom
	Direction  Direction
	Doc        string
	Deprecated string // text after "Deprecated: "; empty when it is not deprecated
	Since      string

	Payload *Named // the event's payload or the request's body; always there, an empty struct when the schema has none
	HasBody bool   // whether the frame carries the key payload
	Request *RPC   // nil for an event

	Room     *Route // nil: handled by ConnHandler
	Auth     Auth
	Rate     *Rate // nil: none of its own
	MaxBytes int   // of its frame; at most the largest of all messages is read from the socket
	Delivery Delivery
}

// RPC is what a request has beyond an event.
type RPC struct {
	ResponseWire string // GET_HISTORY_RESPONSE
	Response     *Named
	ResponseBody bool   // whether the reply carries the key payload
	Progress     *Named // nil: none
	Errors       []*ErrorCode
	Timeout      time.Duration
	Idempotent   bool
}

// Route says how a message finds its room.
type Route struct {
	Kind   *RoomKind
	Joined bool     // the room that the connection is in
	Path   []*Field // else: the fields from the payload down to the key; all but the last are required structs
}

// Auth is what a sender must be.
type Auth struct {
	Anonymous bool     // auth: none
	Roles     []string // one of them is needed; empty: any authenticated sender
}

// Rate is a token bucket.
type Rate struct {
	Limit int           // tokens added per Per
	Per   time.Duration // 10/s is 10 per second
	Burst int           // size of the bucket
	By    string        // connection, user, ip or room
}

// Delivery says what a slow reader may lose.
type Delivery struct {
	Mode  string // reliable, latest or droppable
	Field *Field // key of latest
}

// ErrorCode is an error that the schema declares.
type ErrorCode struct {
	Wire      string // ROOM_NOT_FOUND
	Go        string // RoomNotFoundError; its constructor is New<Go>
	GoDetails string // RoomNotFoundDetails; set when Details is
	Doc       string
	Details   *Named // nil: none
	Retryable bool
}

// Kind is the shape of a type on the wire.
type Kind int

// The kinds. Integer kinds keep their order: IsInt relies on it.
const (
	String Kind = iota
	Bool
	Int // 53 bits
	Int8
	Int16
	Int32
	Uint8
	Uint16
	Uint32
	Int64  // a JSON string
	Uint64 // a JSON string
	Float32
	Float64
	Bytes    // base64
	DateTime // RFC 3339
	Any      // json.RawMessage
	Object   // any JSON object: map[string]any
	Enum     // of strings; only in a Named
	Struct   // only in a Named
	Array
	Map
	Ref // to a Named
)

// IsInt reports whether k is an integer that travels as a JSON number.
func (k Kind) IsInt() bool { return k >= Int && k <= Uint32 }

// Named is a type with a name: declared under `types`, or lifted from the place where it is used (an object or an enum
// inside another type, a payload).
type Named struct {
	Path string // canonical name in the schema: Member, JOIN_ROOM, GET_HISTORY.request, Member.address
	Go   string
	TS   string
	Doc  string
	Type *Type // never nullable; a Ref makes a defined type over another Named (type RoomMessage ChatMessage)

	// IsMessage is set on payloads that a server may send: they implement ServerMessage.
	IsMessage bool
	// HasDefaults is set when New<Go> is generated: some field of it, or of a required struct in it, has a default.
	HasDefaults bool
}

// Type is the shape and the bounds of a value.
type Type struct {
	Kind     Kind
	Nullable bool // T | null

	Format string // of String: uuid, date, time, email, uri, hostname, ipv4, ipv6, uri-reference, json-pointer, regex, duration
	Values []EnumValue
	Fields []*Field
	Elem   *Type  // of Array and Map
	Key    *Type  // of Map: nil, or a string type with bounds of its own (a Ref to one is possible)
	Ref    *Named // of Ref

	// Bounds of the size: code points of a string, items, keys, decoded bytes. Nil: none.
	MinLen, MaxLen *int
	// Bounds of the value of a number that travels as a JSON number, as literals that parse into the kind. Always set for
	// integers; empty for floats without bounds.
	Min, Max string
}

// EnumValue is one value of an enum of strings.
type EnumValue struct {
	Wire string
	Go   string // RoleOwner
	Doc  string
}

// Field is a member of a Struct.
type Field struct {
	Wire       string
	Go         string
	TS         string // quoted where TypeScript needs it
	Doc        string
	Deprecated string
	Type       *Type
	Optional   bool            // may be left out, and then is absent
	Default    json.RawMessage // compact JSON; non-nil makes it optional on the wire and always present in Go
}

// Presence is how a field of Go tells its states apart, as the table of docs/language.md has it.
type Presence int

// The presences.
const (
	Plain      Presence = iota // T: required, or with a default
	Pointer                    // *T: optional or nullable
	NilZero                    // []T, map: optional; nil is absent
	ThreeState                 // codec.Opt[T]: optional and nullable
)

// Presence returns how the field is held in Go.
func (f *Field) Presence() Presence {
	switch {
	case f.Optional && f.Type.Nullable && f.Default == nil:
		return ThreeState
	case f.Type.Nullable:
		return Pointer
	case f.Optional && f.Default == nil && f.Type.Resolve().NilIsAbsent():
		return NilZero
	case f.Optional && f.Default == nil:
		return Pointer
	}
	return Plain
}

// Resolve follows references to the type that carries the shape. Bounds of the way are the business of each Named.
func (t *Type) Resolve() *Type {
	for t.Kind == Ref {
		t = t.Ref.Type
	}
	return t
}

// NilIsAbsent reports whether the Go type has a nil of its own: slices and maps.
func (t *Type) NilIsAbsent() bool {
	switch t.Kind {
	case Array, Map, Bytes, Any, Object:
		return true
	}
	return false
}
