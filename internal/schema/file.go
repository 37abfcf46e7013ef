package schema

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// fileKeys are the keys at the top of a file.
var fileKeys = []string{"wsgen", "name", "version", "description", "types", "clientToServer", "serverToClient", "both",
	"errors", "auth",
	"claims", "limits", "sharding", "go", "imports", "envelope", "reserved", "ts", "docs", "clients", "breaking", "lint"}

func (p *parser) parseFile(n *node) *File {
	f := &File{Source: p.file}
	p.version(n)
	if n.get("name") == nil && !p.imported {
		p.errorf(diag.Pos{File: p.file, Line: n.pos.Line, Col: n.pos.Col}, "missing-key",
			"add name: Chat, say; it is the Go package in lower case", "the protocol needs a name")
	}
	for _, e := range n.entries {
		p.fileEntry(f, e)
	}
	f.Refs = p.refs
	return f
}

// version checks the number of the format, first of all: another one may mean everything else differently.
func (p *parser) version(n *node) {
	v := n.get("wsgen")
	switch {
	case v == nil:
		p.errorf(n.pos, "missing-key", "begin the file with wsgen: 1", "the version of the format is missing")
	case v.kind != scalar || v.text != "1":
		p.errorf(v.pos, "bad-version", "write wsgen: 1", "unknown version %q of the format", v.text)
	}
}

func (p *parser) fileEntry(f *File, e entry) {
	switch e.key {
	case "wsgen":
	case "name":
		f.Name = p.str(e.value, "name")
	case "version":
		f.Version = p.str(e.value, "version").Value
	case "description":
		f.Description = p.str(e.value, "description").Value
	case "types":
		p.types(f, e.value)
	case "clientToServer", "serverToClient", "both":
		p.section(f, Section(e.key), e.value)
	case "errors":
		f.Errors = p.errorCodes(e.value)
	case "auth":
		f.Auth = p.auth(e.value)
	case "claims":
		f.Claims = p.claims(f, e.value)
	case "limits":
		p.limits(f, e.value)
	case "sharding":
		f.Sharding = p.sharding(e)
	case "go":
		p.goOptions(f, e.value)
	case "imports":
		p.imports(f, e.value)
	case "envelope":
		f.Envelope = p.envelope(e.value)
	case "reserved":
		f.Reserved = p.names(e.value, "reserved")
	case "clients":
		f.StrictClients = p.oneOf(e.value, "clients", "lenient", "strict") == "strict"
	case "ts":
		p.tsOptions(f, e.value)
	case "docs":
		p.docsOptions(f, e.value)
	case "breaking":
		f.BreakingExcept = p.except(e)
	case "lint":
		f.LintExcept = p.except(e)
	default:
		p.unknownKey(e, "at the top of the file", fileKeys)
	}
}

// isMapping reports an error and returns false when n is none. Nothing at all is an empty mapping.
func (p *parser) isMapping(n *node, what string) bool {
	if n.kind == mapping {
		return true
	}
	if !n.isNull() {
		p.errorf(n.pos, "bad-value", "", "%s must be a mapping", what)
	}
	return false
}

func (p *parser) types(f *File, n *node) {
	if !p.isMapping(n, "types") {
		return
	}
	for _, e := range n.entries {
		if !isTypeName(e.key) {
			p.errorf(e.pos, "bad-name", "write names of types as in RoomMessage", "%q is no name of a type", e.key)
		}
		t := p.typ(e.value)
		t.Description = or(t.Description, e.doc)
		f.Types = append(f.Types, &NamedType{Name: nameText(e), Type: t})
	}
}

// isTypeName reports whether a name can be told from the built-in types, which begin with a small letter.
func isTypeName(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(first) && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

func (p *parser) claims(f *File, n *node) *jsonschema.Schema {
	if n.kind != mapping {
		p.errorf(n.pos, "bad-value", "", "claims must be a mapping of fields")
		return nil
	}
	fields := *n
	if i := slices.IndexFunc(n.entries, func(e entry) bool { return e.key == "public" && e.value.kind == list }); i >= 0 {
		f.Public = p.names(n.entries[i].value, "public")
		fields.entries = slices.Delete(slices.Clone(n.entries), i, i+1)
	}
	t := p.typ(&fields)
	if !t.Invalid() && (len(t.Type) != 1 || t.Type[0] != "object" || len(t.Properties) == 0) {
		p.errorf(n.pos, "bad-value", "a field called enum or type needs fields: {enum: string}",
			"claims must be a mapping of fields")
		return nil
	}
	return t
}

func (p *parser) limits(f *File, n *node) {
	if !p.isMapping(n, "limits") {
		return
	}
	for _, e := range n.entries {
		switch e.key {
		case "maxBytes":
			f.Limits.MaxBytes = p.size(e.value, "maxBytes")
		case "rate":
			f.Limits.Rate = p.rate(e.value)
			if r := f.Limits.Rate; r != nil && r.By != "connection" {
				p.unsupported(e.pos, "a rate of all messages by anything but the connection is")
			}
		case "pending":
			f.Limits.Pending = p.integer(e.value, "pending", 1, 1<<20)
		default:
			p.unknownKey(e, "in limits", []string{"maxBytes", "rate", "pending"})
		}
	}
}

func (p *parser) goOptions(f *File, n *node) {
	if !p.isMapping(n, "go") {
		return
	}
	for _, e := range n.entries {
		switch e.key {
		case "package":
			f.GoPackage = p.str(e.value, "package")
		case "out":
			f.GoOut = p.str(e.value, "out").Value
		case "keepUnknown":
			f.KeepUnknown = p.boolean(e.value, "keepUnknown")
		default:
			p.unknownKey(e, "in go", []string{"package", "out", "keepUnknown"})
		}
	}
}

var shardingKeys = []string{"key", "shards", "hash", "idle", "capacity", "history", "state", "overflow", "presence"}

func (p *parser) sharding(top entry) *Sharding {
	s := &Sharding{Pos: top.pos}
	if !p.isMapping(top.value, "sharding") {
		return s
	}
	for _, e := range top.value.entries {
		switch e.key {
		case "key":
			s.Kinds = p.roomKinds(e.value)
		case "shards":
			s.Shards = p.integer(e.value, "shards", 1, 4096)
		case "hash":
			s.Hash = p.oneOf(e.value, "hash", "rendezvous", "jump", "ws-kit")
		case "idle":
			s.Idle = p.duration(e.value, "idle")
		case "capacity":
			p.capacity(s, e.value)
		case "state":
			s.State = p.state(e.value)
		case "overflow":
			if p.oneOf(e.value, "overflow", "reject", "spill") != "reject" {
				p.unsupported(e.value.pos, "overflow: spill is")
			}
		case "history":
			s.History = p.history(e)
		case "presence":
			s.Presence = p.presence(e)
		default:
			p.unknownKey(e, "in sharding", shardingKeys)
		}
	}
	return s
}

// roomKinds reads a field name, which makes the kind room, or kind → field name.
func (p *parser) roomKinds(n *node) []RoomKind {
	if n.kind == scalar && !n.isNull() {
		return []RoomKind{{Name: Text{"room", n.pos}, Field: Text{n.text, n.pos}}}
	}
	if n.kind != mapping || len(n.entries) == 0 {
		p.errorf(n.pos, "bad-value", "write key: roomId, or key: {room: roomId, match: matchId}",
			"key names the field that routes to a room")
		return nil
	}
	var kinds []RoomKind
	for _, e := range n.entries {
		if e.key == "" || strings.ContainsFunc(e.key, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
		}) {
			p.errorf(e.pos, "bad-name", "use letters, digits, - and _", "%q is no kind of room", e.key)
			continue
		}
		kinds = append(kinds, RoomKind{Name: nameText(e), Field: p.str(e.value, "the field of a kind")})
	}
	return kinds
}

func (p *parser) capacity(s *Sharding, n *node) {
	if !p.isMapping(n, "capacity") {
		return
	}
	targets := map[string]*int{"connections": &s.Connections, "rooms": &s.Rooms, "roomMembers": &s.RoomMembers,
		"roomsPerConnection": &s.RoomsPerConnection}
	for _, e := range n.entries {
		if target := targets[e.key]; target != nil {
			*target = p.integer(e.value, e.key, 1, math.MaxInt)
			continue
		}
		p.unknownKey(e, "in capacity", []string{"connections", "rooms", "roomMembers", "roomsPerConnection"})
	}
}

// errorCodes reads CODE → details.
func (p *parser) errorCodes(n *node) []*ErrorCode {
	if !p.isMapping(n, "errors") {
		return nil
	}
	var codes []*ErrorCode
	for _, e := range n.entries {
		c := &ErrorCode{Code: nameText(e), Doc: e.doc}
		switch long := e.value.kind == mapping && (e.value.get("details") != nil || e.value.get("retryable") != nil ||
			e.value.get("description") != nil && !typeLike(e.value.get("description"))); {
		case e.value.isNull() || e.value.kind == mapping && len(e.value.entries) == 0:
		case long:
			p.longError(c, e.value)
		case e.value.kind != mapping:
			p.errorf(e.value.pos, "bad-type", "write them as in {until: date-time}",
				"the details of an error are a mapping of fields")
		default:
			c.Details = p.typ(e.value)
		}
		codes = append(codes, c)
	}
	return codes
}

// typeLike reports whether text could be a type: then it belongs to a field with that name.
func typeLike(n *node) bool {
	return n.kind != scalar || !strings.Contains(strings.TrimSpace(n.text), " ")
}

func (p *parser) longError(c *ErrorCode, n *node) {
	for _, e := range n.entries {
		switch e.key {
		case "details":
			if !e.value.isNull() {
				c.Details = p.typ(e.value)
			}
		case "retryable":
			c.Retryable = p.boolean(e.value, "retryable")
		case "description":
			c.Doc = p.str(e.value, "description").Value
		default:
			p.unknownKey(e, "in an error", []string{"details", "retryable", "description"})
		}
	}
}
