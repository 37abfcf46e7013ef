package model

// This file resolves what rooms keep and tell: history, presence.

import (
	"slices"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/schema"
)

const (
	defaultHistoryMessages = 128
	defaultHistoryBytes    = 256 << 10
	defaultHistoryAge      = 5 * time.Minute
	defaultPresenceLimit   = 100
)

// PresenceWire is the type of the frames that tell the members of a room of each other.
const PresenceWire = "$ws:presence"

func history(h *schema.History) *History {
	if h == nil {
		return nil
	}
	out := &History{Messages: defaultHistoryMessages, Bytes: defaultHistoryBytes, Age: defaultHistoryAge}
	setInt(&out.Messages, h.Messages)
	setInt(&out.Bytes, h.Bytes)
	if h.Age > 0 {
		out.Age = h.Age
	}
	return out
}

// roomOptions wants rooms, and frames that have a meta, where rooms are to keep or tell something.
func (b *builder) roomOptions() {
	s := b.file.Sharding
	if s == nil {
		return
	}
	if s.History != nil {
		b.needsRooms("history", s.History.Pos)
		b.needsMeta("history", s.History.Pos)
	}
	if s.Presence != nil {
		b.needsRooms("presence", s.Presence.Pos)
		b.needsMeta("presence", s.Presence.Pos)
	}
	if s.State != nil {
		b.needsRooms("state", s.State.Pos)
	}
}

func (b *builder) needsRooms(what string, pos diag.Pos) {
	if len(b.file.Sharding.Kinds) == 0 {
		b.errorf(pos, "no-rooms", "add key: roomId to sharding", "%s is of rooms, and there are none", what)
	}
}

func (b *builder) needsMeta(what string, pos diag.Pos) {
	if b.api.Envelope != nil {
		b.errorf(pos, "bad-envelope", "leave envelope out", "%s needs frames with a meta", what)
	}
}

// presence makes the message by which members are told of each other, and its types.
func (b *builder) presence() {
	b.checkPublic()
	if b.file.Sharding == nil || b.file.Sharding.Presence == nil || len(b.api.Kinds) == 0 {
		return
	}
	opt := b.file.Sharding.Presence
	p := &PresenceEvents{Limit: defaultPresenceLimit, Claims: b.publicClaims(opt.Pos)}
	setInt(&p.Limit, opt.Limit)
	member := object(opt.Pos, "somebody who is in a room",
		required("id", intSchema("of the membership: another one for each join")))
	if p.Claims != nil {
		member.Properties = append(member.Properties, optional("claims",
			&jsonschema.Schema{Ref: p.Claims.Path,
				Description: "what may be known about them; absent for an anonymous connection"}).Property)
	}
	p.Member = b.synthetic("PresenceMember", "PresenceMember", opt.Pos, member)
	list := func(doc string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: []string{"array"}, Items: &jsonschema.Schema{Ref: p.Member.Path}, Description: doc}
	}
	payload := object(opt.Pos, "",
		required("topic", &jsonschema.Schema{Type: []string{"string"}, Description: "of the room, such as room:general"}),
		required("count", intSchema("members of the room")),
		optional("members", list("all of them: you have just joined, or there are few enough again to name them")),
		optional("joined", list("who came")),
		optional("left", &jsonschema.Schema{Type: []string{"array"}, Items: intSchema(""), Description: "ids of those who went"}))
	doc := "Who is in a room that the client is in: all members for one that has just joined, who came and who went for the " +
		"others; in a large room only their number, at most once a second."
	named := b.synthetic(PresenceWire, "Presence", opt.Pos, payload)
	named.Doc = doc
	p.Message = &Message{Wire: PresenceWire, Go: "Presence", GoClient: "Presence", TS: "presence",
		Direction: ServerToClient, Doc: doc,
		Pos: opt.Pos, Payload: named, HasBody: true, MaxBytes: b.api.Limits.MaxBytes, Delivery: Delivery{Mode: "reliable"}}
	b.api.Messages = append(b.api.Messages, p.Message)
	b.api.Presence = p
}

// synthetic defines a type that no file declares.
func (b *builder) synthetic(path, goName string, pos diag.Pos, s *jsonschema.Schema) *Named {
	n := &Named{Path: path, Go: goName, TS: goName}
	b.take(goName, "presence", pos)
	b.lifted = append(b.lifted, n)
	b.define(n, s)
	n.Pos = pos
	return n
}

// publicClaims makes the type of the claims that presence shows: fields of the claims as they are. Without a list of them
// that is the user.
func (b *builder) publicClaims(pos diag.Pos) *Named {
	public := texts(b.file.Public)
	if public == nil && b.api.UserID != nil {
		public = []string{"userId"}
	}
	claims := b.api.Claims
	shown := *claims.Schema
	shown.Properties, shown.Required, shown.Description = nil, nil, "what others may know about a connection"
	shown.AdditionalProperties = &jsonschema.Schema{False: true}
	t := *claims.Type
	t.Fields, t.Check, t.Open, t.Extra = nil, nil, false, nil
	for _, f := range claims.Type.Fields {
		if !slices.Contains(public, f.Wire) {
			continue
		}
		t.Fields = append(t.Fields, f)
		shown.Properties = append(shown.Properties, jsonschema.Property{Name: f.Wire, Pos: pos,
			Schema: claims.Schema.Property(f.Wire)})
		if claims.Schema.Requires(f.Wire) {
			shown.Required = append(shown.Required, f.Wire)
		}
	}
	if len(t.Fields) == 0 {
		return nil
	}
	n := &Named{Path: "claims.public", Go: "PresenceClaims", TS: "PresenceClaims", Doc: shown.Description, Type: &t,
		Schema: &shown, Pos: pos}
	b.take(n.Go, "presence", pos)
	b.lifted = append(b.lifted, n)
	b.defs[n.Path] = &definition{named: n, schema: &shown, filled: true}
	b.api.Defs = append(b.api.Defs, jsonschema.Property{Name: n.Path, Pos: pos, Schema: &shown})
	return n
}

// checkPublic wants the public claims to be claims.
func (b *builder) checkPublic() {
	for _, name := range b.file.Public {
		if !slices.ContainsFunc(b.api.Claims.Type.Fields, func(f *Field) bool { return f.Wire == name.Value }) {
			b.errorf(name.Pos, "unknown-key", b.didYouMean(name.Value, fieldNames(b.api.Claims)),
				"%q is no field of claims", name.Value)
		}
	}
}

func object(pos diag.Pos, doc string, fields ...field) *jsonschema.Schema {
	s := &jsonschema.Schema{Pos: pos, Type: []string{"object"}, Description: doc,
		AdditionalProperties: &jsonschema.Schema{False: true}}
	for _, f := range fields {
		s.Properties = append(s.Properties, f.Property)
		if f.required {
			s.Required = append(s.Required, f.Name)
		}
	}
	return s
}

type field struct {
	jsonschema.Property
	required bool
}

func required(name string, s *jsonschema.Schema) field {
	return field{jsonschema.Property{Name: name, Schema: s}, true}
}

func optional(name string, s *jsonschema.Schema) field {
	return field{jsonschema.Property{Name: name, Schema: s}, false}
}

func intSchema(doc string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: []string{"integer"}, Minimum: "0", Maximum: "9007199254740991", Description: doc}
}
