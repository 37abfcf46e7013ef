package model

// This file decides who may send a message, which room it goes to and what a slow reader may lose of it.

import (
	"strings"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/schema"
)

func (b *builder) auth(m *Message, tree *schema.Message) {
	a := tree.Auth
	if a == nil {
		a = b.file.Auth
	}
	if a == nil {
		return
	}
	b.checkRoles(a)
	m.Auth.Anonymous = a.None
	for _, r := range a.Roles {
		m.Auth.Roles = append(m.Auth.Roles, r.Value)
	}
}

// route finds the room that a message goes to.
func (b *builder) route(m *Message, tree *schema.Message) {
	room := tree.Room
	switch {
	case !m.Direction.FromClient():
		if room.Value != "" {
			b.errorf(room.Pos, "bad-room", "the handler of a room publishes it there", "%s is sent by servers, and is not routed", m.Wire)
		}
		return
	case room.Value == "none":
		return
	case len(b.api.Kinds) == 0:
		if room.Value != "" {
			b.errorf(room.Pos, "bad-room", "add sharding: {key: roomId}, say", "the file has no rooms")
		}
		return
	case room.Value == "joined":
		if len(b.api.Kinds) > 1 {
			b.errorf(room.Pos, "bad-room", "name the field with the room's key", "with several kinds of rooms it is not clear which one is joined")
			return
		}
		m.Room = &Route{Kind: b.api.Kinds[0], Joined: true}
	case room.Value == "":
		b.routeByKey(m, tree)
	default:
		b.routeByPath(m, room)
	}
	if m.Room != nil {
		m.Room.Kind.Messages = append(m.Room.Kind.Messages, m)
	}
}

// routeByKey routes a message by the required field that sharding.key names.
func (b *builder) routeByKey(m *Message, tree *schema.Message) {
	for _, kind := range b.api.Kinds {
		f := findField(m.Payload, kind.Field)
		if f == nil || f.Optional || f.Default != nil || f.Const != nil || f.Type.Kind == broken {
			continue
		}
		if m.Room != nil {
			b.errorf(tree.Name.Pos, "bad-room", "write room: with one of them", "%s has the keys of two kinds of rooms, %s and %s", m.Wire, m.Room.Kind.Field, kind.Field)
			return
		}
		if why := badKey(f); why != "" {
			b.errorf(tree.Name.Pos, "bad-room", "use a string, an integer or a uuid, or write room: none", "%s of %s %s", f.Wire, m.Wire, why)
			return
		}
		m.Room = &Route{Kind: kind, Path: []*Field{f}}
	}
}

// routeByPath routes a message by the field that room names, which may be inside of others.
func (b *builder) routeByPath(m *Message, room schema.Text) {
	route := &Route{}
	n := m.Payload
	parts := strings.Split(room.Value, ".")
	pos := room.Pos
	for i, part := range parts {
		if structOf(n).Kind == broken {
			return
		}
		f := findField(n, part)
		if f == nil {
			b.errorf(pos, "bad-room", b.didYouMean(part, fieldNames(n)), "%s has no field %q", m.Wire, strings.Join(parts[:i+1], "."))
			return
		}
		route.Path = append(route.Path, f)
		last := i == len(parts)-1
		switch {
		case f.Type.Kind == broken:
			return
		case last && badKey(f) != "":
			b.errorf(pos, "bad-room", "the key of a room is a required string, integer or uuid", "%s of %s %s", room.Value, m.Wire, badKey(f))
			return
		case !last && (f.Presence() != Plain || f.Type.Kind != Ref):
			b.errorf(pos, "bad-room", "the way to the key goes through required objects", "%q of %s is not a required object", f.Wire, m.Wire)
			return
		case !last:
			n = f.Type.Ref
		}
		pos.Col += utf8.RuneCountInString(part) + 1
	}
	key := route.Path[len(route.Path)-1].Wire
	for _, kind := range b.api.Kinds {
		if kind.Field == key || len(b.api.Kinds) == 1 {
			route.Kind = kind
		}
	}
	if route.Kind == nil {
		b.errorf(room.Pos, "bad-room", "name the field as the kind's in sharding.key", "it is not clear which kind of room %s is the key of", room.Value)
		return
	}
	m.Room = route
}

// badKey says why a field cannot be the key of a room.
func badKey(f *Field) string {
	switch t := f.Type.Resolve(); {
	case f.Optional || f.Default != nil:
		return "may be left out"
	case f.Const != nil:
		return "always has the same value"
	case f.Type.Nullable:
		return "may be null"
	case t.Kind == String, t.Kind.IsInt(), t.Kind == Int64, t.Kind == Uint64, t.Kind == broken:
		return ""
	}
	return "is neither a string nor an integer"
}

// structOf follows a named type to its fields.
func structOf(n *Named) *Type { return n.Type.Resolve() }

func findField(n *Named, wire string) *Field {
	for _, f := range structOf(n).Fields {
		if f.Wire == wire {
			return f
		}
	}
	return nil
}

func fieldNames(n *Named) []string {
	var out []string
	for _, f := range structOf(n).Fields {
		out = append(out, f.Wire)
	}
	return out
}

func (b *builder) delivery(m *Message, tree *schema.Message) {
	d := tree.Delivery
	m.Delivery.Mode = or(d.Mode, "reliable")
	if d.Mode == "" {
		return
	}
	if !m.Direction.FromServer() {
		b.errorf(tree.Name.Pos, "bad-delivery", "", "delivery is for what servers send, and %s is sent by clients", m.Wire)
		return
	}
	if d.Mode != "latest" {
		return
	}
	f := findField(m.Payload, d.Field.Value)
	switch {
	case structOf(m.Payload).Kind == broken:
	case f == nil:
		b.errorf(d.Field.Pos, "bad-delivery", b.didYouMean(d.Field.Value, fieldNames(m.Payload)), "%s has no field %q", m.Wire, d.Field.Value)
	case badKey(f) != "":
		b.errorf(d.Field.Pos, "bad-delivery", "", "%s of %s %s", f.Wire, m.Wire, badKey(f))
	default:
		m.Delivery.Field = f
	}
}
