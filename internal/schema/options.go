package schema

// This file reads what a file says beside its types and messages, and what messages say beside their bodies.

import (
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// names reads a list of names.
func (p *parser) names(n *node, what string) []Text {
	if n.kind != list {
		p.errorf(n.pos, "bad-value", "write ["+or(n.text, "NAME")+"]", "%s is a list of names", what)
		return nil
	}
	var out []Text
	for _, item := range n.items {
		if t := p.str(item, "a name"); t.Value != "" {
			out = append(out, t)
		}
	}
	return out
}

// except reads {except: [rule]}.
func (p *parser) except(top entry) []Text {
	if !p.isMapping(top.value, top.key) {
		return nil
	}
	var out []Text
	for _, e := range top.value.entries {
		if e.key != "except" {
			p.unknownKey(e, "in "+top.key, []string{"except"})
			continue
		}
		out = p.names(e.value, "except")
	}
	return out
}

// date reads a day such as 2027-01-31.
func (p *parser) date(n *node, what string) string {
	if _, err := time.Parse(time.DateOnly, n.text); n.kind != scalar || err != nil {
		p.errorf(n.pos, "bad-value", "write a day such as 2027-01-31", "%s must be a date", what)
		return ""
	}
	return n.text
}

// tsOptions reads the options of the TypeScript client, or none.
func (p *parser) tsOptions(f *File, n *node) {
	if n.kind == scalar && !n.isNull() {
		f.NoTS = p.oneOf(n, "ts", "none") == "none"
		return
	}
	if !p.isMapping(n, "ts") {
		return
	}
	for _, e := range n.entries {
		switch e.key {
		case "out":
			f.TSOut = p.str(e.value, "out").Value
		case "react":
			f.TSReact = p.boolean(e.value, "react")
		default:
			p.unknownKey(e, "in ts", []string{"out", "react"})
		}
	}
}

func (p *parser) docsOptions(f *File, n *node) {
	if !p.isMapping(n, "docs") {
		return
	}
	for _, e := range n.entries {
		if e.key != "out" {
			p.unknownKey(e, "in docs", []string{"out"})
			continue
		}
		f.DocsOut = p.str(e.value, "out").Value
	}
}

// envelope reads nested, or the keys of another form of frames.
func (p *parser) envelope(n *node) *Envelope {
	if n.kind == scalar {
		p.oneOf(n, "envelope", "nested")
		return nil
	}
	if !p.isMapping(n, "envelope") {
		return nil
	}
	v := &Envelope{Pos: n.pos, Type: "type", Payload: "payload"}
	keys := make(map[string]diag.Pos)
	for _, e := range n.entries {
		switch e.key {
		case "type":
			v.Type = p.envelopeKey(e, keys)
		case "payload":
			if v.Payload = ""; e.value.text != "inline" {
				v.Payload = p.envelopeKey(e, keys)
			}
		case "id":
			v.ID = p.envelopeKey(e, keys)
		case "values":
			v.Ints = p.oneOf(e.value, "values", "string", "int") == "int"
		default:
			p.unknownKey(e, "in envelope", []string{"type", "payload", "id", "values"})
		}
	}
	return v
}

// envelopeKey reads the name of a key of frames, which no other key has.
func (p *parser) envelopeKey(e entry, seen map[string]diag.Pos) string {
	key := p.str(e.value, e.key)
	if _, dup := seen[key.Value]; dup {
		p.errorf(key.Pos, "duplicate-key", "give each its own", "%q is the key of two parts of a frame", key.Value)
	}
	seen[key.Value] = key.Pos
	return key.Value
}

// meta reads the keys that the meta of a message has beside those of the protocol.
func (p *parser) meta(n *node) *jsonschema.Schema {
	if !p.isMapping(n, "meta") {
		return nil
	}
	s := p.fieldMap(n)
	for _, f := range s.Properties {
		switch f.Name {
		case "timestamp", "correlationId", "clientId", "receivedAt", "room", "seq", "timeoutMs":
			p.errorf(f.Pos, "reserved-name", "give it another name", "meta.%s belongs to the protocol", f.Name)
		}
	}
	return s
}

// messageExamples reads payloads; of a request {request, response, progress}.
func (p *parser) messageExamples(m *Message, n *node) {
	if n.kind != list {
		p.errorf(n.pos, "bad-value", "write [{…}]", "examples is a list")
		return
	}
	for _, item := range n.items {
		ex := Example{Pos: item.pos}
		switch {
		case !m.Request:
			ex.Payload = p.example(item)
		case item.kind != mapping:
			p.errorf(item.pos, "bad-value", "write {request: {…}, response: {…}}", "an example of a request has its parts")
			continue
		default:
			p.requestExample(&ex, item)
		}
		m.Examples = append(m.Examples, ex)
	}
}

func (p *parser) requestExample(ex *Example, n *node) {
	for _, e := range n.entries {
		switch e.key {
		case "request":
			ex.Payload = p.example(e.value)
		case "response":
			ex.Response = p.example(e.value)
		case "progress":
			for _, item := range e.value.items {
				if one := p.example(item); one != nil {
					ex.Progress = append(ex.Progress, *one)
				}
			}
		default:
			p.unknownKey(e, "in an example", []string{"request", "response", "progress"})
		}
	}
}

func (p *parser) example(n *node) *jsonschema.Example {
	raw := p.json(n)
	if raw == nil {
		return nil
	}
	return &jsonschema.Example{Pos: n.pos, JSON: raw}
}

// imports reads alias → path.
func (p *parser) imports(f *File, n *node) {
	if !p.isMapping(n, "imports") {
		return
	}
	for _, e := range n.entries {
		if e.key == "" || strings.ContainsFunc(e.key, func(r rune) bool { return !isWordRune(r) }) {
			p.errorf(e.pos, "bad-name", "use letters and digits, as in common: ./common.yaml", "%q is no alias", e.key)
			continue
		}
		path := p.str(e.value, "the file of an import")
		switch {
		case path.Value == "":
		case strings.Contains(path.Value, "://"):
			p.errorf(path.Pos, "bad-import", "download it and import the file", "%s is on another machine", path.Value)
		default:
			f.Imports = append(f.Imports, &Import{Alias: nameText(e), Path: path})
		}
	}
}
