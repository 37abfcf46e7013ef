package schema

import (
	"slices"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
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
	Claims      *jsonschema.Schema // nil: the default
	Public      []Text             // fields of the claims that presence shows
	Limits      Limits
	Sharding    *Sharding
	GoPackage   Text
	GoOut       string
	KeepUnknown bool   // go.keepUnknown
	Source      string // the name given to Parse

	Imports        []*Import
	Refs           []*Import // of $ref, without an alias
	Reserved       []Text
	Envelope       *Envelope // nil: that of the protocol
	StrictClients  bool
	DocsOut        string
	TSOut          string
	TSReact        bool
	NoTS           bool
	BreakingExcept []Text
	LintExcept     []Text
	OddKeys        []Text // keys without quotes that some readers do not take for text
}

// All returns the file and what it imports, directly or not, each once, the file itself first.
func (f *File) All() []*File {
	var out []*File
	var visit func(f *File)
	visit = func(f *File) {
		if f == nil || slices.Contains(out, f) {
			return
		}
		out = append(out, f)
		for _, i := range append(slices.Clone(f.Imports), f.Refs...) {
			visit(i.File)
		}
	}
	visit(f)
	return out
}

// Import is an entry of imports.
type Import struct {
	Alias Text
	Path  Text
	File  *File // what is there; nil after an error
}

// Envelope is the form of frames, where it is not that of the protocol.
type Envelope struct {
	Pos     diag.Pos
	Type    string // key of the message's name
	Payload string // key of the payload; empty: its fields stand beside the type
	ID      string // key of the number of a request and its reply; empty: there are none
	Ints    bool   // names of messages are numbers
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
	Type *jsonschema.Schema
	Go   Text // of go: {name: …}
	TS   Text
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
	Payload *jsonschema.Schema // nil: none; of a request its body

	Request  bool // it has a response
	Response *jsonschema.Schema
	Progress *jsonschema.Schema
	Errors   []*ErrorCode

	Room         Text // empty: not given
	Auth         *Auth
	Rate         *Rate
	MaxBytes     int
	Timeout      time.Duration
	Idempotent   bool
	Deprecated   string
	Since        string
	Sunset       string // a date: 2027-01-31
	Tags         []string
	Delivery     Delivery
	ResponseType Text
	GoName       Text
	TSName       Text
	Meta         *jsonschema.Schema // nil: none
	Examples     []Example

	// BareFields is set when the entry is a field map without `payload`: a field that has the name of an attribute may be
	// one that was meant to be.
	BareFields bool
}

// Example is an entry of `examples`: a payload, or the parts of a request.
type Example struct {
	Pos               diag.Pos
	Payload, Response *jsonschema.Example // nil: not given
	Progress          []jsonschema.Example
}

// ErrorCode is an entry of `errors`.
type ErrorCode struct {
	Code      Text
	Doc       string
	Details   *jsonschema.Schema // nil: none
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

	History  *History
	Presence *Presence
	State    *State
}

// History is the value of `sharding.history`. Zero values were not given.
type History struct {
	Pos      diag.Pos
	Messages int
	Bytes    int
	Age      time.Duration
}

// Presence is the value of `sharding.presence`. A zero limit was not given.
type Presence struct {
	Pos   diag.Pos
	Limit int
}

// State is a value of `sharding.state` other than ephemeral.
type State struct {
	Pos   diag.Pos
	Every time.Duration // between two snapshots; 0: only when a room closes
}

// RoomKind is a kind of room and the field that routes to it.
type RoomKind struct {
	Name  Text
	Field Text
}
