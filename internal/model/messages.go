package model

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// wireTypes are the types of frames that messages must not have: the protocol's own.
var wireTypes = []string{"ERROR", "RPC_ERROR"}

func (b *builder) messages() {
	wire := make(map[string]diag.Pos)
	for _, m := range b.file.Messages {
		if old, dup := wire[m.Name.Value]; dup {
			b.errorf(m.Name.Pos, "duplicate-message", "a message that both sides send stands under both", "%s is declared at line %d already", m.Name.Value, old.Line)
			continue
		}
		wire[m.Name.Value] = m.Name.Pos
		if slices.Contains(b.api.Reserved, m.Name.Value) {
			b.errorf(m.Name.Pos, "reserved-name", "choose another name: a program that still knows the old message would take this one for it", "%s is reserved", m.Name.Value)
			continue
		}
		if msg := b.message(m); msg != nil {
			b.api.Messages = append(b.api.Messages, msg)
		}
	}
}

// message resolves one message; nil after an error that leaves nothing to go on with.
func (b *builder) message(tree *schema.Message) *Message {
	m := &Message{
		Wire: tree.Name.Value, TS: or(tree.TSName.Value, names.TS(tree.Name.Value)), Doc: tree.Doc, Deprecated: tree.Deprecated, Since: tree.Since,
		Sunset: tree.Sunset, Tags: tree.Tags, Pos: tree.Name.Pos,
		Rate: convertRate(tree.Rate), MaxBytes: tree.MaxBytes, HasBody: tree.Payload != nil,
		Direction: map[schema.Section]Direction{schema.ClientToServer: ClientToServer, schema.ServerToClient: ServerToClient, schema.Both: Both}[tree.Section],
	}
	if !b.messageName(m, tree) {
		return nil
	}
	if tree.Request && m.Direction != ClientToServer {
		b.unsupported(tree.Name.Pos, "requests that servers send are")
		return nil
	}
	if m.MaxBytes == 0 {
		m.MaxBytes = b.api.Limits.MaxBytes
	}
	if tree.Request {
		m.Payload = b.body(tree, tree.Payload, m, "request", "Request")
		m.Request = b.request(tree, m)
	} else {
		m.Payload = b.eventPayload(tree, m)
	}
	b.meta(m, tree)
	b.fitsEnvelope(m, tree)
	b.examples(m, tree)
	b.auth(m, tree)
	b.route(m, tree)
	b.delivery(m, tree)
	if m.Rate != nil && m.Rate.By == "room" && (m.Room == nil || m.Room.Joined) {
		b.errorf(tree.Rate.Pos, "bad-rate", "", "%s has no key of a room to count by", m.Wire)
	}
	if m.Rate != nil && !m.Direction.FromClient() {
		b.errorf(tree.Rate.Pos, "bad-rate", "", "only what clients send has a rate, and %s is sent by servers", m.Wire)
	}
	return m
}

// messageName decides the Go names.
func (b *builder) messageName(m *Message, tree *schema.Message) bool {
	pos := tree.Name.Pos
	switch {
	case strings.HasPrefix(m.Wire, "_") || strings.HasPrefix(m.Wire, "$"):
		b.errorf(pos, "reserved-name", "", "names that begin with %s are reserved", m.Wire[:1])
		return false
	case slices.Contains(wireTypes, m.Wire):
		b.errorf(pos, "reserved-name", "", "%s is the type of the protocol's own frames", m.Wire)
		return false
	case len(m.Wire) > 128:
		b.errorf(pos, "bad-name", "", "a name has 128 bytes at most")
		return false
	}
	m.Go = names.Go(m.Wire)
	for slices.Contains(reserved, m.Go) || b.kindName(m.Go) {
		m.Go += "Message"
	}
	if tree.GoName.Value != "" {
		m.Go = tree.GoName.Value
		if !names.IsGo(m.Go) {
			b.errorf(tree.GoName.Pos, "bad-name", "", "%q is no exported Go identifier", m.Go)
			return false
		}
	}
	if m.Go == "" {
		b.errorf(pos, "bad-name", "set go: {name: …}", "%q has no letter or digit", m.Wire)
		return false
	}
	m.GoClient = m.Go
	if slices.Contains(clientMethods, m.Go) {
		m.GoClient = "Send" + m.Go
	}
	return b.takeMethod(m.Go, tree.Name) && (m.GoClient == m.Go || b.takeMethod(m.GoClient, tree.Name))
}

// takeMethod gives a message the name of a method. Two messages of one type could have the same one otherwise.
func (b *builder) takeMethod(name string, message schema.Text) bool {
	if old, dup := b.methods[name]; dup {
		b.collision(message.Pos, message.Value, old.Value, old.Pos, name)
		return false
	}
	b.methods[name] = message
	return true
}

// kindName reports whether a room kind has this name in the generated package.
func (b *builder) kindName(name string) bool {
	return slices.ContainsFunc(b.api.Kinds, func(k *RoomKind) bool { return slices.Contains(kindNames(k), name) })
}

// plainRef returns the declared type that a schema merely names, if payloads can be of it.
func (b *builder) plainRef(s *jsonschema.Schema) *Named {
	if s == nil || s.Source == nil || s.Source.Invalid || s.Source.Name == "" && s.Source.Pointer == "" {
		return nil
	}
	if s.Source.Pointer != "" {
		b.link(s, place{})
	}
	d := b.lookup(s.Pos.File, s.Source.Name)
	if s.Ref != "" {
		d = b.defs[s.Ref]
	}
	if d == nil || d.named.Type.UnionType() != nil || d.named.Type.Kind == Union {
		return nil
	}
	if null, _ := b.nullable(d.schema); null {
		return nil
	}
	alone := *s
	alone.Ref = ""
	if !alone.IsAny() || s.Source.Bounds.Line > 0 {
		return nil
	}
	return d.named
}

// eventPayload makes the type of an event. An event that is a declared type of the same name shares it.
func (b *builder) eventPayload(tree *schema.Message, m *Message) *Named {
	b.attributeTrap(tree)
	if ref := b.plainRef(tree.Payload); ref != nil && ref.Go == m.Go {
		ref.IsMessage = m.Direction.FromServer()
		return ref
	}
	n := b.payload(tree.Payload, m.Wire, m.Go, tree.Name.Pos)
	n.IsMessage = m.Direction.FromServer()
	if n.Doc == "" {
		n.Doc = m.Doc
	}
	return n
}

// body makes the type of a part of a request. A declared type stands for itself.
func (b *builder) body(tree *schema.Message, part *jsonschema.Schema, m *Message, path, suffix string) *Named {
	if ref := b.plainRef(part); ref != nil {
		return ref
	}
	return b.payload(part, m.Wire+"."+path, m.Go+suffix, tree.Name.Pos)
}

// payload names the type of a frame's body; an empty struct where there is none.
func (b *builder) payload(s *jsonschema.Schema, path, goName string, pos diag.Pos) *Named {
	n := &Named{Path: path, Go: goName, TS: names.TSType(goName), Type: &Type{Kind: Struct}, Pos: pos}
	b.take(goName, path, pos)
	b.lifted = append(b.lifted, n)
	if s == nil {
		return n
	}
	b.define(n, s)
	n.Pos = pos
	if n.Type.Nullable || s.IsNull() || s.Nullable() {
		b.errorf(s.Pos, "nullable-type", "put it into a field", "a payload cannot be null")
		n.Type.Nullable = false
	}
	b.box(n, s)
	return n
}

// box puts a union into a struct: handlers and clients take pointers.
func (b *builder) box(n *Named, s *jsonschema.Schema) {
	elem := &Type{Kind: Ref, Ref: n}
	switch {
	case n.Type.Kind == Union:
		inner := *n
		inner.Go, inner.Path, inner.TS = n.Go+"Value", n.Path+".value", names.TSType(n.Go+"Value")
		inner.IsMessage = false
		b.take(inner.Go, inner.Path, n.Pos)
		for _, v := range inner.Type.Union {
			v.Type.VariantOf = nil // no longer of n
		}
		b.lifted = append(b.lifted, &inner)
		b.joinUnion(&inner)
		elem.Ref = &inner
	case n.Type.UnionType() != nil:
		elem = n.Type
	default:
		return
	}
	n.Type = &Type{Kind: Box, Elem: elem}
}

// meta gives a message the field for what its meta has.
func (b *builder) meta(m *Message, tree *schema.Message) {
	if tree.Meta == nil {
		return
	}
	m.Meta = b.payload(tree.Meta, m.Wire+".meta", m.Go+"Meta", tree.Meta.Pos)
	own := m.Payload.Path == m.Wire || m.Payload.Path == m.Wire+".request"
	switch {
	case b.file.Envelope != nil:
		b.errorf(tree.Meta.Pos, "bad-meta", "make it part of the payload", "frames of this envelope have no meta")
	case m.Payload.Type.Kind == broken:
	case !own || m.Payload.Type.Kind != Struct:
		b.errorf(tree.Meta.Pos, "bad-meta", "write the fields of the payload out", "the meta of %s becomes a field beside those of its payload, which has none of its own", m.Wire)
	case slices.ContainsFunc(m.Payload.Type.Fields, func(f *Field) bool { return f.Go == "Meta" }):
		b.errorf(tree.Meta.Pos, "bad-meta", "rename the field, or set go: {name: …}", "%s has a field that is Meta in Go", m.Wire)
	default:
		m.Payload.Meta = m.Meta
	}
}

// fitsEnvelope refuses what another form of frames cannot say.
func (b *builder) fitsEnvelope(m *Message, tree *schema.Message) {
	v := b.file.Envelope
	if v == nil {
		return
	}
	if tree.Request && v.ID == "" {
		b.errorf(tree.Name.Pos, "bad-envelope", "add id: with the key of its number to the envelope", "%s is a request, and frames have no number to answer it by", m.Wire)
	}
	if _, err := strconv.Atoi(m.Wire); v.Ints && err != nil {
		b.errorf(tree.Name.Pos, "bad-envelope", "write the number, and set go: {name: …}", "the names of messages are numbers, and %s is none", m.Wire)
	}
	bodies := []*jsonschema.Schema{tree.Payload, tree.Response, tree.Progress}
	for _, s := range bodies {
		if s == nil || v.Payload != "" || b.anyInvalid(s, make(map[string]bool)) {
			continue
		}
		e := b.deref(s)
		if kind := b.kindOf(e); kind != "object" && len(e.OneOf)+len(e.AnyOf) == 0 {
			b.errorf(s.Pos, "bad-envelope", "make it an object, or give the envelope a payload: key", "the fields of %s stand beside its name, and it is no object", m.Wire)
		}
		for _, key := range []string{v.Type, v.ID} {
			if key != "" && e.Property(key) != nil {
				b.errorf(s.Pos, "bad-envelope", "rename one of them", "the field %q of %s is a key of the frame", key, m.Wire)
			}
		}
	}
}

// attributeTrap explains an unknown type that is the value of an attribute which stands among fields.
func (b *builder) attributeTrap(tree *schema.Message) {
	if !tree.BareFields || tree.Payload == nil {
		return
	}
	for _, f := range tree.Payload.Properties {
		t := f.Schema
		if b.known(t) || !slices.Contains(schema.Attributes(), f.Name) {
			continue
		}
		b.errorf(t.Pos, "unknown-type", "", "unknown type %q; %q is also a message attribute: to set it, put the fields under payload", t.Source.Name, f.Name)
		t.Source = &jsonschema.Source{Invalid: true}
	}
}

// examples takes over the examples of a message, which its schemas have to allow.
func (b *builder) examples(m *Message, tree *schema.Message) {
	note := func(e *jsonschema.Example, s *jsonschema.Schema) json.RawMessage {
		switch {
		case e == nil:
			return nil
		case s == nil:
			b.errorf(e.Pos, "bad-example", "", "%s has no body there", m.Wire)
			return nil
		}
		b.values = append(b.values, valueCheck{schema: s, value: e.JSON, pos: e.Pos})
		return e.JSON
	}
	for _, e := range tree.Examples {
		ex := Example{Payload: note(e.Payload, tree.Payload), Response: note(e.Response, tree.Response)}
		for i := range e.Progress {
			ex.Progress = append(ex.Progress, note(&e.Progress[i], tree.Progress))
		}
		m.Examples = append(m.Examples, ex)
	}
}

func (b *builder) request(tree *schema.Message, m *Message) *RPC {
	r := &RPC{
		ResponseWire: m.Wire + "_RESPONSE", ResponseBody: tree.Response != nil, Timeout: tree.Timeout, Idempotent: tree.Idempotent,
		Response: b.body(tree, tree.Response, m, "response", "Response"),
		Errors:   slices.Clone(b.common),
	}
	if tree.ResponseType.Value != "" {
		r.ResponseWire = tree.ResponseType.Value
		if strings.HasPrefix(r.ResponseWire, "_") || strings.HasPrefix(r.ResponseWire, "$") || slices.Contains(wireTypes, r.ResponseWire) {
			b.errorf(tree.ResponseType.Pos, "reserved-name", "", "the reply type %q is reserved", r.ResponseWire)
		}
	}
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if tree.Progress != nil {
		r.Progress = b.body(tree, tree.Progress, m, "progress", "Progress")
	}
	r.Errors = append(r.Errors, b.errorCodes(tree.Errors, m.Wire+".errors.")...)
	return r
}
