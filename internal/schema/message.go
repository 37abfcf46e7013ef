package schema

import (
	"slices"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// attributes are the keys that may stand beside payload or response.
var attributes = []string{"payload", "request", "response", "progress", "errors", "room", "auth", "rate", "maxBytes", "timeout",
	"idempotent", "deprecated", "since", "sunset", "delivery", "responseType", "description", "tags", "examples", "go",
	"ts", "meta"}

// Attributes returns the names of message attributes.
func Attributes() []string { return slices.Clone(attributes) }

func (p *parser) section(f *File, s Section, n *node) {
	if !p.isMapping(n, string(s)) {
		return
	}
	for _, e := range n.entries {
		if m := p.message(s, e); m != nil {
			f.Messages = append(f.Messages, m)
		}
	}
}

// message reads an entry of a section: nothing, attributes with payload or response, or the payload itself.
func (p *parser) message(s Section, e entry) *Message {
	m := &Message{Name: nameText(e), Section: s, Doc: e.doc}
	v := e.value
	switch {
	case v.isNull(), v.kind == mapping && len(v.entries) == 0:
		return m
	case v.kind == mapping && v.get("payload") != nil && v.get("response") != nil:
		p.errorf(e.pos, "payload-and-response", "write request: instead of payload: for the body of a request",
			"%s has a payload and a response", e.key)
		return nil
	case v.kind == mapping && (v.get("payload") != nil || v.get("response") != nil || v.get("request") != nil &&
		v.get("request").kind == mapping):
		return p.attributes(m, v)
	}
	m.Payload = p.typ(v)
	m.BareFields = v.kind == mapping && (m.Payload.Source == nil || !m.Payload.Source.Long)
	return m
}

func (p *parser) attributes(m *Message, n *node) *Message {
	body := func(n *node) *jsonschema.Schema {
		if n.isNull() {
			return nil
		}
		return p.typ(n) // of { } an object without fields, which frames do have
	}
	m.Request = n.get("payload") == nil
	if m.Request && n.get("response") == nil {
		p.errorf(n.get("request").pos, "missing-key", "add response:, which may be empty, or write payload: instead of request:",
			"%s has a request and no response", m.Name.Value)
		return nil
	}
	for _, e := range n.entries {
		switch e.key {
		case "payload", "request":
			m.Payload = body(e.value)
		case "response":
			m.Response = body(e.value)
		case "progress":
			m.Progress = body(e.value)
		default:
			p.attribute(m, e)
		}
	}
	return m
}

// requestOnly are attributes that an event cannot have.
var requestOnly = []string{"progress", "errors", "timeout", "idempotent", "responseType"}

func (p *parser) attribute(m *Message, e entry) {
	if !m.Request && slices.Contains(requestOnly, e.key) {
		p.errorf(e.pos, "request-only", "a message with response: is a request", "%s is an event, and only a request has %s",
			m.Name.Value, e.key)
		return
	}
	switch e.key {
	case "errors":
		m.Errors = p.errorCodes(e.value)
	case "room":
		m.Room = p.str(e.value, "room")
	case "auth":
		m.Auth = p.auth(e.value)
	case "rate":
		m.Rate = p.rate(e.value)
	case "maxBytes":
		m.MaxBytes = p.size(e.value, "maxBytes")
	case "timeout":
		m.Timeout = p.duration(e.value, "timeout")
	case "idempotent":
		m.Idempotent = p.boolean(e.value, "idempotent")
	case "deprecated":
		m.Deprecated = p.deprecated(e.value)
	case "since":
		m.Since = p.str(e.value, "since").Value
	case "delivery":
		m.Delivery = p.delivery(e.value)
	case "responseType":
		m.ResponseType = p.str(e.value, "responseType")
	case "description":
		m.Doc = p.str(e.value, "description").Value
	case "tags":
		for _, tag := range p.names(e.value, "tags") {
			m.Tags = append(m.Tags, tag.Value)
		}
	case "sunset":
		m.Sunset = p.date(e.value, "sunset")
	case "go":
		m.GoName = p.rename(e)
	case "ts":
		m.TSName = p.rename(e)
	case "examples":
		p.messageExamples(m, e.value)
	case "meta":
		m.Meta = p.meta(e.value)
	default:
		p.unknownKey(e, "in the attributes of "+m.Name.Value, attributes)
	}
}

// DeprecatedText is what deprecated: true says.
const DeprecatedText = "do not use it any more."

func (p *parser) deprecated(n *node) string {
	if n.kind == scalar && n.tag == "!!bool" {
		if strings.EqualFold(n.text, "true") {
			return DeprecatedText
		}
		return ""
	}
	return p.str(n, "deprecated").Value
}

// rename reads {name: X}.
func (p *parser) rename(top entry) Text {
	var name Text
	if !p.isMapping(top.value, top.key) {
		return name
	}
	for _, e := range top.value.entries {
		if e.key != "name" {
			p.unknownKey(e, "in "+top.key, []string{"name"})
			continue
		}
		name = p.str(e.value, "name")
	}
	return name
}

// delivery reads reliable, latest by FIELD or droppable.
func (p *parser) delivery(n *node) Delivery {
	switch words := strings.Fields(n.text); {
	case n.kind == scalar && len(words) == 1 && (words[0] == "reliable" || words[0] == "droppable"):
		return Delivery{Mode: words[0]}
	case n.kind == scalar && len(words) == 3 && words[0] == "latest" && words[1] == "by":
		pos := n.inner
		if n.exact {
			pos.Col += strings.LastIndex(n.text, words[2]) // what is before it is ASCII
		}
		return Delivery{Mode: "latest", Field: Text{words[2], pos}}
	}
	p.errorf(n.pos, "bad-value", "", "delivery must be reliable, droppable or latest by FIELD")
	return Delivery{}
}
