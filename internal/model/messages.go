package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// standardCodes are possible for every request, and are not declared.
var standardCodes = strings.Fields(`UNAUTHENTICATED PERMISSION_DENIED INVALID_ARGUMENT FAILED_PRECONDITION NOT_FOUND ALREADY_EXISTS
	UNIMPLEMENTED CANCELLED DEADLINE_EXCEEDED ABORTED RESOURCE_EXHAUSTED UNAVAILABLE INTERNAL SHARD_FULL SHARD_ROOMS ROOM_FULL TOO_MANY_ROOMS`)

// wireTypes are the types of frames that messages must not have: the protocol's own.
var wireTypes = []string{"ERROR", "RPC_ERROR"}

func (b *builder) messages() {
	wire := make(map[string]diag.Pos)
	methods := make(map[string]schema.Text)
	for _, m := range b.file.Messages {
		if old, dup := wire[m.Name.Value]; dup {
			b.errorf(m.Name.Pos, "duplicate-message", "a message that both sides send stands under both", "%s is declared at line %d already", m.Name.Value, old.Line)
			continue
		}
		wire[m.Name.Value] = m.Name.Pos
		if msg := b.message(m); msg != nil {
			if old, dup := methods[msg.Go]; dup {
				b.errorf(m.Name.Pos, "name-collision", "set go: {name: …} on one of them", "%s and %s (line %d) are both %s in Go", m.Name.Value, old.Value, old.Pos.Line, msg.Go)
				continue
			}
			methods[msg.Go] = m.Name
			b.api.Messages = append(b.api.Messages, msg)
		}
	}
	b.checkReplies(wire)
}

// checkReplies wants reply types that no message and no other request has.
func (b *builder) checkReplies(wire map[string]diag.Pos) {
	replies := make(map[string]string)
	for _, m := range b.api.Messages {
		if m.Request == nil {
			continue
		}
		name := m.Request.ResponseWire
		if pos, dup := wire[name]; dup {
			b.errorf(pos, "name-collision", "rename it, or set responseType on "+m.Wire, "%s is the reply type of %s", name, m.Wire)
		}
		if other, dup := replies[name]; dup {
			b.errorf(wire[m.Wire], "name-collision", "set responseType on one of them", "%s and %s have the reply type %s", other, m.Wire, name)
		}
		replies[name] = m.Wire
	}
}

// message resolves one message; nil after an error that leaves nothing to go on with.
func (b *builder) message(tree *schema.Message) *Message {
	m := &Message{
		Wire: tree.Name.Value, TS: names.TS(tree.Name.Value), Doc: tree.Doc, Deprecated: tree.Deprecated, Since: tree.Since,
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
	if m.Payload == nil || m.Payload.Type == nil {
		return nil
	}
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
	if slices.Contains(reserved, m.Go) || b.kindName(m.Go) {
		m.Go += "Message"
	}
	if tree.GoName.Value != "" {
		m.Go = tree.GoName.Value
		if !names.IsGo(m.Go) {
			b.errorf(tree.GoName.Pos, "bad-name", "", "%q is no exported Go identifier", m.Go)
			return false
		}
	}
	if tree.TSName.Value != "" {
		m.TS = tree.TSName.Value
	}
	if m.Go == "" {
		b.errorf(pos, "bad-name", "set go: {name: …}", "%q has no letter or digit", m.Wire)
		return false
	}
	m.GoClient = m.Go
	if slices.Contains(clientMethods, m.Go) {
		m.GoClient = "Send" + m.Go
	}
	return true
}

// kindName reports whether a room kind has this name in the generated package.
func (b *builder) kindName(name string) bool {
	for _, k := range b.api.Kinds {
		if name == k.Go+"Handler" || name == k.Go+"LeaveHandler" || name == k.Go+"Topic" || name == "Unimplemented"+k.Go+"Handler" {
			return true
		}
	}
	return false
}

// plainRef returns the declared type that a tree merely names.
func (b *builder) plainRef(tree *schema.Type) *Named {
	if tree == nil || tree.Shape != schema.Word || tree.Nullable || tree.Bounds != nil {
		return nil
	}
	if d := b.declared[tree.Word]; d != nil {
		return d.named
	}
	return nil
}

// eventPayload makes the type of an event. An event that is a declared type of the same name shares it.
func (b *builder) eventPayload(tree *schema.Message, m *Message) *Named {
	b.attributeTrap(tree)
	if ref := b.plainRef(tree.Payload); ref != nil && ref.Go == m.Go {
		ref.IsMessage = m.Direction.FromServer()
		return ref
	}
	n := b.payload(tree.Payload, m.Wire, m.Go, tree.Name.Pos)
	if n != nil {
		n.IsMessage = m.Direction.FromServer()
		if n.Doc == "" {
			n.Doc = m.Doc
		}
	}
	return n
}

// body makes the type of a part of a request. A declared type stands for itself.
func (b *builder) body(tree *schema.Message, part *schema.Type, m *Message, path, suffix string) *Named {
	if ref := b.plainRef(part); ref != nil {
		return ref
	}
	return b.payload(part, m.Wire+"."+path, m.Go+suffix, tree.Name.Pos)
}

// payload names the type of a frame's body; an empty struct where there is none.
func (b *builder) payload(tree *schema.Type, path, goName string, pos diag.Pos) *Named {
	if tree == nil {
		n := &Named{Path: path, Go: goName, TS: names.TSType(goName), Type: &Type{Kind: Struct}}
		b.take(goName, path, pos)
		b.places[n] = pos
		b.lifted = append(b.lifted, n)
		return n
	}
	if tree.Nullable {
		b.errorf(tree.Pos, "nullable-type", "put it into a field", "a payload cannot be null")
	}
	n := &Named{Path: path, Go: goName, TS: names.TSType(goName), Doc: tree.Doc}
	b.take(goName, path, pos)
	b.places[n] = pos
	b.lifted = append(b.lifted, n)
	b.fill(n, tree)
	return n
}

// attributeTrap explains an unknown type that is the value of an attribute which stands among fields.
func (b *builder) attributeTrap(tree *schema.Message) {
	if !tree.BareFields || tree.Payload == nil {
		return
	}
	for _, f := range tree.Payload.Fields {
		t := f.Type
		if t == nil || t.Shape != schema.Word || b.known(t.Word) || !slices.Contains(schema.Attributes(), f.Name.Value) {
			continue
		}
		b.errorf(t.Pos, "unknown-type", "", "unknown type %q; %q is also a message attribute: to set it, put the fields under payload", t.Word, f.Name.Value)
		f.Type = nil
	}
}

func (b *builder) request(tree *schema.Message, m *Message) *RPC {
	r := &RPC{
		ResponseWire: m.Wire + "_RESPONSE", ResponseBody: tree.Response != nil, Timeout: tree.Timeout, Idempotent: tree.Idempotent,
		Response: b.body(tree, tree.Response, m, "response", "Response"),
		Errors:   slices.Clone(b.api.Errors[:b.topErrors()]),
	}
	if tree.ResponseType.Value != "" {
		r.ResponseWire = tree.ResponseType.Value
		if strings.HasPrefix(r.ResponseWire, "_") || strings.HasPrefix(r.ResponseWire, "$") || slices.Contains(wireTypes, r.ResponseWire) {
			b.errorf(tree.ResponseType.Pos, "reserved-name", "", "the reply type %q is reserved", r.ResponseWire)
		}
	}
	if r.Timeout == 0 {
		r.Timeout = defaultTimeout
	}
	if tree.Progress != nil {
		r.Progress = b.body(tree, tree.Progress, m, "progress", "Progress")
	}
	r.Errors = append(r.Errors, b.errorCodes(tree.Errors, m.Wire+".errors.")...)
	return r
}

// topErrors returns how many errors the file declares at its top; they are the first.
func (b *builder) topErrors() int { return len(b.file.Errors) }

// errorCodes declares errors. A code that several requests have is one error, and must be the same everywhere.
func (b *builder) errorCodes(trees []*schema.ErrorCode, path string) []*ErrorCode {
	var out []*ErrorCode
	for _, tree := range trees {
		code := tree.Code.Value
		base := strings.TrimSuffix(names.Go(code), "Error")
		switch {
		case slices.Contains(standardCodes, code):
			b.errorf(tree.Code.Pos, "standard-code", "use it without declaring it", "%s is a standard code", code)
			continue
		case base == "":
			b.errorf(tree.Code.Pos, "bad-name", "", "the code %q has no letter or digit", code)
			continue
		}
		e := &ErrorCode{Wire: code, Go: base + "Error", Doc: tree.Doc, Retryable: tree.Retryable}
		if i := slices.IndexFunc(b.api.Errors, func(o *ErrorCode) bool { return o.Wire == code }); i >= 0 {
			if b.sameError(b.api.Errors[i], e, tree) {
				out = append(out, b.api.Errors[i])
			}
			continue
		}
		b.take(e.Go, "the error "+code, tree.Code.Pos)
		b.take("New"+e.Go, "the error "+code, tree.Code.Pos)
		if tree.Details != nil {
			e.GoDetails = base + "Details"
			e.Details = b.payload(tree.Details, or(path, "errors.")+code, e.GoDetails, tree.Code.Pos)
		}
		b.api.Errors = append(b.api.Errors, e)
		out = append(out, e)
	}
	return out
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// sameError compares a second declaration of a code with the first.
func (b *builder) sameError(first, e *ErrorCode, tree *schema.ErrorCode) bool {
	same := first.Retryable == e.Retryable && (first.Details == nil) == (tree.Details == nil)
	if same && tree.Details != nil {
		again := &builder{file: b.file, diags: &diag.List{}, api: &API{}, declared: b.declared, taken: make(map[string]taken), places: make(map[*Named]diag.Pos)}
		details := again.payload(tree.Details, "", first.GoDetails, tree.Code.Pos)
		same = shape(details.Type) == shape(first.Details.Type)
	}
	if !same {
		b.errorf(tree.Code.Pos, "error-differs", "declare it once under errors at the top of the file, or give it another code", "%s is declared with other details before", e.Wire)
	}
	return same
}

// shape is a text that is equal for equal types.
func shape(t *Type) string {
	if t == nil {
		return ""
	}
	raw, err := json.Marshal(struct {
		*Type
		Fields, Ref, Elem, Key string
	}{t, fieldShapes(t), refShape(t), shape(t.Elem), shape(t.Key)})
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func refShape(t *Type) string {
	if t.Kind != Ref {
		return ""
	}
	return t.Ref.Go
}

func fieldShapes(t *Type) string {
	var parts []string
	for _, f := range t.Fields {
		parts = append(parts, fmt.Sprintf("%s %v %s %s", f.Wire, f.Optional, f.Default, shape(f.Type)))
	}
	return strings.Join(parts, "\n")
}

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
		if f == nil || f.Optional || f.Default != nil {
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
	for i, part := range parts {
		f := findField(n, part)
		if f == nil {
			b.errorf(room.Pos, "bad-room", didYouMean(part, fieldNames(n)), "%s has no field %q", m.Wire, strings.Join(parts[:i+1], "."))
			return
		}
		route.Path = append(route.Path, f)
		last := i == len(parts)-1
		switch {
		case last && badKey(f) != "":
			b.errorf(room.Pos, "bad-room", "the key of a room is a required string, integer or uuid", "%s of %s %s", room.Value, m.Wire, badKey(f))
			return
		case !last && (f.Presence() != Plain || f.Type.Kind != Ref):
			b.errorf(room.Pos, "bad-room", "", "%s of %s is no required object", f.Wire, m.Wire)
			return
		case !last:
			n = f.Type.Ref
		}
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
	case f.Type.Nullable:
		return "may be null"
	case t.Kind == String, t.Kind.IsInt(), t.Kind == Int64, t.Kind == Uint64:
		return ""
	}
	return "is neither a string nor an integer"
}

// structOf follows a named type to its fields.
func structOf(n *Named) *Type {
	if n == nil || n.Type == nil {
		return nil
	}
	return n.Type.Resolve()
}

func findField(n *Named, wire string) *Field {
	t := structOf(n)
	if t == nil {
		return nil
	}
	for _, f := range t.Fields {
		if f.Wire == wire {
			return f
		}
	}
	return nil
}

func fieldNames(n *Named) []string {
	var out []string
	if t := structOf(n); t != nil {
		for _, f := range t.Fields {
			out = append(out, f.Wire)
		}
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
	case f == nil:
		b.errorf(d.Field.Pos, "bad-delivery", didYouMean(d.Field.Value, fieldNames(m.Payload)), "%s has no field %q", m.Wire, d.Field.Value)
	case badKey(f) != "":
		b.errorf(d.Field.Pos, "bad-delivery", "", "%s of %s %s", f.Wire, m.Wire, badKey(f))
	default:
		m.Delivery.Field = f
	}
}
