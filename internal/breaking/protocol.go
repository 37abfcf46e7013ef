// Package breaking compares two versions of a protocol: what old clients send must be accepted by the new server, and what
// the new server sends by old clients. It compares canonical schemas, so that a protocol written in another way is the same.
package breaking

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// Protocol is what compatibility depends on. It is what the lock file holds.
type Protocol struct {
	Name          string            `json:"name"`
	Version       string            `json:"version,omitempty"`
	StrictClients bool              `json:"strictClients,omitempty"`
	Envelope      *model.Envelope   `json:"envelope,omitempty"`
	Reserved      []string          `json:"reserved,omitempty"`
	Kinds         []Kind            `json:"kinds,omitempty"`
	Sharding      Sharding          `json:"sharding"`
	Limits        Limits            `json:"limits"`
	Messages      []*Message        `json:"messages"`
	Types         []GoType          `json:"types,omitempty"`
	Defs          jsonschema.Object `json:"-"`

	definitions map[string]*jsonschema.Schema
	places      map[string]diag.Pos // of definitions
	pos         diag.Pos            // of the file
}

// Kind is a kind of room.
type Kind struct {
	Name  string `json:"name"`
	Field string `json:"field"`
}

// Sharding is how rooms are spread. A capacity of 0 is unlimited.
type Sharding struct {
	Shards             int    `json:"shards"`
	Hash               string `json:"hash"`
	Connections        int    `json:"connections,omitempty"`
	Rooms              int    `json:"rooms,omitempty"`
	RoomMembers        int    `json:"roomMembers,omitempty"`
	RoomsPerConnection int    `json:"roomsPerConnection,omitempty"`

	History    *History `json:"history,omitempty"`    // nil: none
	Presence   int      `json:"presence,omitempty"`   // members up to which they are named; 0: no presence
	Persistent bool     `json:"persistent,omitempty"` // rooms leave snapshots
}

// History is what rooms keep of what they published. 0 is no bound.
type History struct {
	Messages int   `json:"messages"`
	Bytes    int   `json:"bytes"`
	AgeMs    int64 `json:"ageMs"`
}

// Limits are those of all messages.
type Limits struct {
	Rate    *model.Rate `json:"rate,omitempty"`
	Pending int         `json:"pending,omitempty"`
}

// Message is an event or a request. Bodies are names of definitions; empty: none.
type Message struct {
	Name       string        `json:"name"`
	Direction  string        `json:"direction"` // clientToServer, serverToClient or both
	Request    bool          `json:"request,omitempty"`
	Payload    string        `json:"payload,omitempty"`
	Response   string        `json:"response,omitempty"`
	Progress   string        `json:"progress,omitempty"`
	Meta       string        `json:"meta,omitempty"`
	ReplyName  string        `json:"responseType,omitempty"`
	Errors     []ErrorCode   `json:"errors,omitempty"`
	Room       string        `json:"room,omitempty"` // kind:path, or kind:joined
	Anonymous  bool          `json:"anonymous,omitempty"`
	Roles      []string      `json:"roles,omitempty"`
	Rate       *model.Rate   `json:"rate,omitempty"`
	MaxBytes   int           `json:"maxBytes"`
	Timeout    time.Duration `json:"timeout,omitempty"` // nanoseconds
	Idempotent bool          `json:"idempotent,omitempty"`
	Delivery   string        `json:"delivery,omitempty"`
	Deprecated bool          `json:"deprecated,omitempty"`
	Sunset     string        `json:"sunset,omitempty"`
	Go         string        `json:"go"`
	TS         string        `json:"ts"`
	pos        diag.Pos
}

// ErrorCode is an error of a request.
type ErrorCode struct {
	Code      string `json:"code"`
	Details   string `json:"details,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

// GoType is a generated type.
type GoType struct {
	Path   string    `json:"path"`
	Go     string    `json:"go"`
	TS     string    `json:"ts"`
	Fields []GoField `json:"fields,omitempty"`
	pos    diag.Pos
}

// GoField is a field of a generated struct.
type GoField struct {
	Name string `json:"name"`
	Go   string `json:"go"`
	Type string `json:"type"`
}

func shardingOf(api *model.API) Sharding {
	from := api.Sharding
	s := Sharding{Shards: from.Shards, Hash: from.Hash, Connections: from.Connections, Rooms: from.Rooms,
		RoomMembers:        from.RoomMembers,
		RoomsPerConnection: from.RoomsPerConnection, Persistent: from.Persistent}
	if h := from.History; h != nil {
		s.History = &History{h.Messages, h.Bytes, h.Age.Milliseconds()}
	}
	if api.Presence != nil {
		s.Presence = api.Presence.Limit
	}
	return s
}

// Of returns what compatibility of a protocol depends on.
func Of(api *model.API) *Protocol {
	p := &Protocol{
		Name: api.Name, Version: api.Version, StrictClients: api.StrictClients, Envelope: api.Envelope, Reserved: api.Reserved,
		Sharding: shardingOf(api),
		Limits:   Limits{api.Limits.Rate, api.Limits.Pending},
		Defs:     api.Defs.Object(jsonschema.Printer{Docs: true}),
	}
	p.setDefinitions(api.Defs)
	for _, k := range api.Kinds {
		p.Kinds = append(p.Kinds, Kind{k.Name, k.Field})
	}
	for _, m := range api.Messages {
		p.Messages = append(p.Messages, message(m))
		p.pos = diag.Pos{File: m.Pos.File, Line: 1, Col: 1}
	}
	for _, n := range api.Types {
		p.Types = append(p.Types, goType(n))
	}
	return p
}

func (p *Protocol) setDefinitions(defs jsonschema.Definitions) {
	p.definitions, p.places = make(map[string]*jsonschema.Schema), make(map[string]diag.Pos)
	for _, d := range defs {
		p.definitions[d.Name], p.places[d.Name] = d.Schema, d.Pos
	}
}

func message(m *model.Message) *Message {
	out := &Message{
		Name: m.Wire, Direction: []string{"clientToServer", "serverToClient", "both"}[m.Direction], Anonymous: m.Auth.Anonymous,
		Roles: m.Auth.Roles,
		Rate:  m.Rate, MaxBytes: m.MaxBytes, Delivery: m.Delivery.Mode, Deprecated: m.Deprecated != "", Sunset: m.Sunset,
		Go: m.Go, TS: m.TS, pos: m.Pos,
	}
	if m.HasBody {
		out.Payload = m.Payload.Path
	}
	if m.Meta != nil {
		out.Meta = m.Meta.Path
	}
	if r := m.Room; r != nil {
		out.Room = r.Kind.Name + ":joined"
		if !r.Joined {
			out.Room = r.Kind.Name + ":"
			for i, f := range r.Path {
				if i > 0 {
					out.Room += "."
				}
				out.Room += f.Wire
			}
		}
	}
	r := m.Request
	if r == nil {
		return out
	}
	out.Request, out.ReplyName, out.Timeout, out.Idempotent = true, r.ResponseWire, r.Timeout, r.Idempotent
	if r.ResponseBody {
		out.Response = r.Response.Path
	}
	if r.Progress != nil {
		out.Progress = r.Progress.Path
	}
	for _, e := range r.Errors {
		code := ErrorCode{Code: e.Wire, Retryable: e.Retryable}
		if e.Details != nil {
			code.Details = e.Details.Path
		}
		out.Errors = append(out.Errors, code)
	}
	return out
}

func goType(n *model.Named) GoType {
	t := GoType{Path: n.Path, Go: n.Go, TS: n.TS, pos: n.Pos}
	if n.Type.Kind != model.Struct {
		return t
	}
	for _, f := range n.Type.Fields {
		if f.Const == nil {
			t.Fields = append(t.Fields, GoField{f.Wire, f.Go, fieldText(f)})
		}
	}
	return t
}

// fieldText writes the Go type of a field.
func fieldText(f *model.Field) string {
	switch {
	case f.Presence() == model.ThreeState:
		return "codec.Opt[" + typeText(f.Type) + "]"
	case f.Presence() == model.Pointer && f.Type.UnionType() == nil:
		return "*" + typeText(f.Type)
	}
	return typeText(f.Type)
}

func typeText(t *model.Type) string {
	switch t.Kind {
	case model.Ref:
		return t.Ref.Go
	case model.Array:
		return "[]" + elemText(t.Elem)
	case model.Map:
		return "map[string]" + elemText(t.Elem)
	case model.Object:
		return "map[string]any"
	case model.Any:
		return "json.RawMessage"
	case model.DateTime:
		return "time.Time"
	case model.Bytes:
		return "[]byte"
	}
	return goWords[t.Kind]
}

func elemText(t *model.Type) string {
	if t.Nullable && t.UnionType() == nil {
		return "*" + typeText(t)
	}
	return typeText(t)
}

var goWords = map[model.Kind]string{
	model.String: "string", model.Bool: "bool", model.Int: "int", model.Int8: "int8", model.Int16: "int16", model.Int32: "int32",
	model.Uint8:  "uint8",
	model.Uint16: "uint16", model.Uint32: "uint32", model.Int64: "int64", model.Uint64: "uint64", model.Int64Number: "int64",
	model.Uint64Number: "uint64", model.Float32: "float32", model.Float64: "float64",
}

// lockFile is the form of wsgen.lock.json.
type lockFile struct {
	Comment string `json:"$comment"`
	Lock    int    `json:"wsgen"`
	*Protocol
	Schemas jsonschema.Object `json:"$defs"`
}

// Lock returns the text of wsgen.lock.json.
func Lock(p *Protocol) ([]byte, error) {
	return jsonschema.Indent(lockFile{"Code generated by wsgen. DO NOT EDIT.", 1, p, p.Defs})
}

// ReadLock reads what Lock has written.
func ReadLock(data []byte) (*Protocol, error) {
	var file struct {
		Lock int `json:"wsgen"`
		*Protocol
		Schemas json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("not a lock file: %w", err)
	}
	if file.Lock != 1 || file.Protocol == nil {
		return nil, fmt.Errorf("not a lock file of this version of wsgen")
	}
	defs, err := jsonschema.ParseDefinitions(file.Schemas)
	if err != nil {
		return nil, fmt.Errorf("not a lock file: $defs: %w", err)
	}
	file.Protocol.setDefinitions(defs)
	if err := file.Protocol.check(); err != nil {
		return nil, fmt.Errorf("not a lock file that wsgen lock wrote: %w", err)
	}
	file.Protocol.Defs = defs.Object(jsonschema.Printer{Docs: true})
	return file.Protocol, nil
}

// check wants a protocol that was read to hold together: somebody may have edited it, or merged two.
func (p *Protocol) check() error {
	for _, m := range p.Messages {
		if m == nil {
			return fmt.Errorf("a message is null")
		}
		if !slices.Contains([]string{"clientToServer", "serverToClient", "both"}, m.Direction) {
			return fmt.Errorf("%s: the direction is %q", m.Name, m.Direction)
		}
		if r := m.Rate; r != nil && (r.Limit <= 0 || r.Per <= 0) {
			return fmt.Errorf("%s: the rate is %d per %v", m.Name, r.Limit, r.Per)
		}
		parts := []string{m.Payload, m.Response, m.Progress, m.Meta}
		for _, e := range m.Errors {
			parts = append(parts, e.Details)
		}
		for _, name := range parts {
			if name != "" && p.definitions[name] == nil {
				return fmt.Errorf("%s: there is no schema %q", m.Name, name)
			}
		}
	}
	return nil
}
