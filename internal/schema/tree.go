package schema

import (
	"encoding/json"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
)

// File is a protocol as it is written.
type File struct {
	Name        Text
	Version     string
	Description string
	Types       []*NamedType
	Messages    []*Message
	Errors      []*ErrorCode
	Auth        *Auth
	Claims      *Type // nil: the default
	Limits      Limits
	Sharding    *Sharding
	GoPackage   Text
	GoOut       string
	Source      string // the name given to Parse
}

// Text is a string and its place.
type Text struct {
	Value string
	Pos   diag.Pos
}

// NamedType is an entry of `types`.
type NamedType struct {
	Name Text
	Doc  string
	Type *Type
}

// Section is where a message stands: who sends it.
type Section string

// The sections.
const (
	ClientToServer Section = "clientToServer"
	ServerToClient Section = "serverToClient"
	Both           Section = "both"
)

// Message is an entry of a section.
type Message struct {
	Name    Text
	Section Section
	Doc     string
	Payload *Type // nil: none; of a request its body

	Request  bool // it has a response
	Response *Type
	Progress *Type
	Errors   []*ErrorCode

	Room         Text // empty: not given
	Auth         *Auth
	Rate         *Rate
	MaxBytes     int
	Timeout      time.Duration
	Idempotent   bool
	Deprecated   string
	Since        string
	Delivery     Delivery
	ResponseType Text
	GoName       Text

	// BareFields is set when the entry is a field map without `payload`: a field that has the name of an attribute may be
	// one that was meant to be.
	BareFields bool
}

// ErrorCode is an entry of `errors`.
type ErrorCode struct {
	Code      Text
	Doc       string
	Details   *Type // nil: none
	Retryable bool
}

// Auth is the value of `auth`.
type Auth struct {
	Pos   diag.Pos
	None  bool
	Roles []Text
}

// Rate is the value of `rate`.
type Rate struct {
	Pos   diag.Pos
	Limit int
	Per   time.Duration
	Burst int
	By    string // connection, user, ip or room
}

// Delivery is the value of `delivery`.
type Delivery struct {
	Mode  string // empty, reliable, latest or droppable
	Field Text   // of latest
}

// Limits is the value of `limits`. Zero values were not given.
type Limits struct {
	MaxBytes int
	Rate     *Rate
	Pending  int
}

// Sharding is the value of `sharding`. Zero values were not given.
type Sharding struct {
	Pos    diag.Pos
	Kinds  []RoomKind
	Shards int
	Hash   string
	Idle   time.Duration

	Connections, Rooms, RoomMembers, RoomsPerConnection int
}

// RoomKind is a kind of room and the field that routes to it.
type RoomKind struct {
	Name  Text
	Field Text
}

// Shape is what a type expression or mapping is.
type Shape int

// The shapes.
const (
	Word   Shape = iota // a word such as string, or the name of a type
	ListOf              // [T], T[]
	MapOf               // map<T>
	Object              // a field map
	Enum
	UnionOf // A | B
	Invalid // an error about it is in the findings already
)

// Type is a type as it is written.
type Type struct {
	Pos      diag.Pos
	Shape    Shape
	Word     string // of Word
	Elem     *Type  // of ListOf and MapOf
	Key      *Type  // of MapOf; nil: any string
	Fields   []*Field
	Values   []EnumValue
	Variants []*Type // of UnionOf, at least two, null not among them
	Bounds   *Bounds
	Nullable bool
	Default  *Literal // only of a field's type
	Doc      string
}

// Bounds are what stands in parentheses. Empty strings are not given.
type Bounds struct {
	Pos      diag.Pos
	Min, Max Text
}

// Literal is a default, as JSON.
type Literal struct {
	Pos  diag.Pos
	JSON json.RawMessage
	Text string // as it is written
}

// EnumValue is a value of an enum.
type EnumValue struct {
	Value Text
	Doc   string
}

// Field is a field of an object.
type Field struct {
	Name     Text // without the question mark
	Doc      string
	Optional bool
	Type     *Type
}
