// Package model is the protocol after everything has been decided: types are resolved, defaults are applied, every Go
// and TypeScript name is fixed, and order is the order of the file. Emitters read it and decide nothing.
package model

import (
	"encoding/json"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
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

	Defs           jsonschema.Definitions // the canonical schemas: of declared types, then of payloads, errors and claims
	Reserved       []string               // names that no message may have again
	Envelope       *Envelope              // nil: that of the protocol
	StrictClients  bool                   // clients check what they receive as servers do
	DocsOut        string                 // folder of docs.out, relative to the file; empty: beside the package
	TSOut          string                 // folder of ts.out, relative to the file; empty: beside the package
	TSReact        bool                   // a module for React is wanted
	NoTS           bool                   // no TypeScript is wanted
	BreakingExcept []string               // rules that wsgen breaking does not apply
	LintExcept     []string               // rules that wsgen lint does not apply

	Types    []*Named // declared types in file order, then the lifted ones in the order of their use
	Claims   *Named   // what Authenticate returns; Go name Claims
	UserID   *Field   // field of Claims that Conn.UserID returns (userId); nil when the file declares claims without it
	Roles    *Field   // field of Claims that auth roles are checked against; nil without one
	Kinds    []*RoomKind
	Messages []*Message // in file order: clientToServer, serverToClient, both as they stand in the file
	Errors   []*ErrorCode
	Sharding Sharding
	Presence *PresenceEvents // nil: members are not told of each other
	Limits   Limits
}

// Envelope is the form of frames, where it is not that of the protocol.
type Envelope struct {
	Type    string // key of the message's name
	Payload string // key of the payload; empty: its fields stand beside the type
	ID      string // key of the number of a request and its reply; empty: there are none
	Ints    bool   // names of messages are numbers
}

// Sharding is the file's `sharding` with its defaults applied. A capacity of 0 is unlimited.
type Sharding struct {
	Shards int
	Hash   string // rendezvous, jump or ws-kit
	Idle   time.Duration

	Connections, Rooms, RoomMembers, RoomsPerConnection int

	History       *History // nil: rooms keep nothing that they published
	Persistent    bool     // rooms leave snapshots
	SnapshotEvery time.Duration
}

// History bounds what a room keeps of what it published.
type History struct {
	Messages int
	Bytes    int
	Age      time.Duration
}

// PresenceEvents are how members of a room are told of each other.
type PresenceEvents struct {
	Limit   int      // members up to which they are named
	Message *Message // its payload is Presence
	Member  *Named   // PresenceMember
	Claims  *Named   // PresenceClaims: fields of Claims; nil: there are none to show
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
	Sunset     string // a date: 2027-01-31
	Tags       []string
	Pos        diag.Pos // of the name

	Payload *Named // the event's payload or the request's body; always there, an empty struct when the schema has none
	HasBody bool   // whether the frame carries the key payload
	Request *RPC   // nil for an event

	Room     *Route // nil: handled by ConnHandler
	Auth     Auth
	Rate     *Rate // nil: none of its own
	MaxBytes int   // of its frame; at most the largest of all messages is read from the socket
	Delivery Delivery
	Meta     *Named // what meta has beside the keys of the protocol; nil: nothing
	Examples []Example
}

// Example is one use of a message. Parts that are not given are nil.
type Example struct {
	Payload, Response json.RawMessage
	Progress          []json.RawMessage
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
	Pos       diag.Pos
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
	Int64        // a JSON string
	Uint64       // a JSON string
	Int64Number  // 64 bits as a JSON number, for protocols of others
	Uint64Number // 64 bits as a JSON number
	Float32
	Float64
	Bytes    // base64
	DateTime // RFC 3339
	Any      // json.RawMessage
	Object   // any JSON object: map[string]any
	Array
	Map
	Ref // to a Named

	// Kinds that only a Named has.
	Enum    // of strings
	IntEnum // of integers
	Struct
	Tuple // an array with a type for each of the first items
	Union // objects that a tag tells apart: an interface
	OneOf // values that their JSON types tell apart: a struct with a field for each
	Box   // a struct around a union, where a struct is needed
)

// IsInt reports whether k is an integer that travels as a JSON number.
func (k Kind) IsInt() bool { return k >= Int && k <= Uint32 }

// IsNamed reports whether only a Named can be of the kind.
func (k Kind) IsNamed() bool { return k >= Enum }

// Named is a type with a name: declared under `types`, or lifted from the place where it is used (an object or an enum
// inside another type, a payload).
type Named struct {
	Path string // canonical name in the schema: Member, JOIN_ROOM, GET_HISTORY.request, Member.address
	Go   string
	TS   string
	Doc  string
	Type *Type // a Ref makes a defined type over another Named (type RoomMessage ChatMessage); Nullable is that of its uses

	Schema *jsonschema.Schema // canonical; of a lifted type, what stands where it was lifted from
	Pos    diag.Pos           // of the name or, without one, of the type

	Meta *Named // of a message's body: what its meta has, in the Go field Meta; nil: nothing

	// VariantOf are the unions that the type is a variant of.
	VariantOf []*Named

	// IsMessage is set on payloads that a server may send: they implement ServerMessage.
	IsMessage bool
	// HasDefaults is set when New<Go> is generated: some field of it, or of a required struct in it, has a default.
	HasDefaults bool
}

// Type is the shape and the bounds of a value.
type Type struct {
	Kind     Kind
	Nullable bool // T | null

	Format  string // of String: uuid, date, time, email, uri, hostname, ipv4, ipv6, uri-reference, json-pointer, regex, duration
	Pattern string // of String without a Format
	Values  []EnumValue
	Fields  []*Field  // of Struct; of Tuple the first items; of OneOf a field for each JSON type, all optional
	Open    bool      // of Struct: keys without a field are allowed
	Extra   *Extra    // of Struct: where the values of such keys go; nil: they are dropped
	Tag     string    // of Union: the field that tells the variants apart
	Union   []Variant // of Union
	As      []*Named  // of Any: types that the value may be of, to be tried
	Elem    *Type     // of Array, Map and Box; of Tuple the items behind Fields, nil when there are none
	Key     *Type     // of Map: nil, or a string type with bounds of its own (a Ref to one is possible)
	Ref     *Named    // of Ref

	// Bounds of the size: code points of a string, items, keys, decoded bytes. Nil: none.
	MinLen, MaxLen *int
	// Bounds of the value of a number that travels as a JSON number, as literals that parse into the kind. Always set for
	// integers; empty for floats without bounds.
	Min, Max string

	// Check is what the schema asks beyond all this; nil: nothing.
	Check *Check
}

// Extra is where a struct keeps the values of keys that have no field.
type Extra struct {
	Go   string // name of the Go field
	Elem *Type
}

// Variant is one type of a union.
type Variant struct {
	Tag  string // value of the tag; an integer in digits
	Int  bool   // the tag is an integer
	Type *Named
}

// Check is a part of a schema that is judged as JSON Schema, by the bytes of the value.
type Check struct {
	Name     string // of the Go variable
	Schema   string // a document of its own, in one line
	Fallback string // the keyword that only a JSON Schema library judges; empty: none
	Pos      diag.Pos
}

// EnumValue is one value of an enum.
type EnumValue struct {
	Wire string // of IntEnum: digits
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
	Const      json.RawMessage // compact JSON: the one value that the field has; it is required, and Go does not hold it
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

// UnionType returns the union that t is or refers to; nil when it is none.
func (t *Type) UnionType() *Named {
	for t.Kind == Ref {
		if t.Ref.Type.Kind == Union {
			return t.Ref
		}
		t = t.Ref.Type
	}
	return nil
}

// NilIsAbsent reports whether the Go type has a nil of its own: slices and maps.
func (t *Type) NilIsAbsent() bool {
	switch t.Kind {
	case Array, Map, Bytes, Any, Object, Union:
		return true
	}
	return false
}
