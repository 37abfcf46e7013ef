package docs

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
)

// Page is what the templates render.
type Page struct {
	Header             template.HTML // a comment, which html/template would drop from its text
	Name, Version, Doc string
	Fingerprint        string
	Facts              []Fact
	Sections           []Section
	Errors             []Failure
	Types              []Type
}

// Section holds the messages of one direction.
type Section struct {
	Title, Anchor, Text string
	Messages            []Message
}

// Message is an event or a request.
type Message struct {
	Name, Anchor, Doc string
	Deprecated        string
	Facts             []Fact
	Bodies            []Body
	Errors            []Link
	Examples          []Example
}

// Fact is a line about limits, rooms and the like.
type Fact struct{ Label, Text string }

// Body is a part of a message: payload, request, response or progress.
type Body struct {
	Title  string
	Type   []Part  // when it is not written out
	Fields []Field // when it is an object
	Empty  bool
}

// Field is a member of an object.
type Field struct {
	Name, Presence, Doc string
	Type                []Part
	Deprecated          string
}

// Part is a piece of a type's text, which may refer to a type.
type Part struct{ Text, Link string }

// Link refers to something of the page.
type Link struct{ Text, Anchor string }

// Example is a frame.
type Example struct{ Title, JSON string }

// Failure is an error code.
type Failure struct {
	Code, Anchor, Doc string
	Retryable         bool
	Fields            []Field
}

// Type is a declared type.
type Type struct {
	Name, Anchor, Doc string
	Type              []Part
	Fields            []Field
	Values            []Fact
}

func newPage(api *model.API) *Page {
	b := &builder{api: api}
	p := &Page{Header: "<!-- " + output.Header + " -->", Name: api.Name, Version: api.Version, Doc: api.Doc,
		Fingerprint: api.Fingerprint, Facts: fileFacts(api)}
	for _, s := range []struct {
		title, text string
		direction   model.Direction
	}{
		{"Client to server", "Sent by clients, handled by the server.", model.ClientToServer},
		{"Server to client", "Sent by the server.", model.ServerToClient},
		{"Both directions", "Sent by either side.", model.Both},
	} {
		section := Section{Title: s.title, Anchor: anchor(s.title), Text: s.text}
		for _, m := range api.Messages {
			if m.Direction == s.direction {
				section.Messages = append(section.Messages, b.message(m))
			}
		}
		if len(section.Messages) > 0 {
			p.Sections = append(p.Sections, section)
		}
	}
	for _, e := range api.Errors {
		f := Failure{Code: e.Wire, Anchor: anchor("error-" + e.Wire), Doc: e.Doc, Retryable: e.Retryable}
		if e.Details != nil {
			f.Fields = b.fields(e.Details.Schema)
		}
		p.Errors = append(p.Errors, f)
	}
	p.Types = b.types()
	return p
}

type builder struct{ api *model.API }

// anchor returns the id of a heading.
func anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '.' || r == '/' || r == ':':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127:
			return r
		}
		return -1
	}, strings.ToLower(text))
}

func fileFacts(api *model.API) []Fact {
	facts := []Fact{{"Largest frame", bytesText(api.Limits.MaxBytes)}}
	if r := api.Limits.Rate; r != nil {
		facts = append(facts, Fact{"Rate of a connection", rateText(r)})
	}
	for _, k := range api.Kinds {
		facts = append(facts, Fact{"Rooms", fmt.Sprintf("%s, by the field %s; the topic is %s:KEY", k.Name, k.Field, k.Name)})
	}
	for _, c := range []struct {
		label string
		n     int
	}{{"Connections per shard", api.Sharding.Connections}, {"Rooms per shard", api.Sharding.Rooms},
		{"Members of a room", api.Sharding.RoomMembers}} {
		if c.n > 0 {
			facts = append(facts, Fact{c.label, fmt.Sprint(c.n)})
		}
	}
	return facts
}

func bytesText(n int) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

func rateText(r *model.Rate) string {
	per := map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour"}[r.Per]
	text := fmt.Sprintf("%d per %s", r.Limit, orText(per, r.Per.String()))
	if r.Burst != r.Limit {
		text += fmt.Sprintf(", up to %d at once", r.Burst)
	}
	if r.By != "" && r.By != "connection" {
		text += ", by " + r.By
	}
	return text
}

func orText(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func (b *builder) message(m *model.Message) Message {
	out := Message{Name: m.Wire, Anchor: anchor(m.Wire), Doc: m.Doc, Deprecated: m.Deprecated, Facts: b.facts(m)}
	if m.Request == nil {
		out.Bodies = []Body{b.body("Payload", m.Payload, m.HasBody)}
	} else {
		out.Bodies = []Body{b.body("Request", m.Payload, m.HasBody)}
		if m.Request.Progress != nil {
			out.Bodies = append(out.Bodies, b.body("Progress", m.Request.Progress, true))
		}
		out.Bodies = append(out.Bodies, b.body("Response "+m.Request.ResponseWire, m.Request.Response, m.Request.ResponseBody))
		for _, e := range m.Request.Errors {
			out.Errors = append(out.Errors, Link{e.Wire, anchor("error-" + e.Wire)})
		}
	}
	if m.Meta != nil {
		out.Bodies = append(out.Bodies, b.body("Meta", m.Meta, true))
	}
	out.Examples = b.examples(m)
	return out
}

// facts lists what a user of a message has to know beside its bodies.
func (b *builder) facts(m *model.Message) []Fact {
	var facts []Fact
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, Fact{label, text})
		}
	}
	if r := m.Room; r != nil && r.Joined {
		add("Room", "the "+r.Kind.Name+" that the connection is in")
	} else if r != nil {
		var path []string
		for _, f := range r.Path {
			path = append(path, f.Wire)
		}
		add("Room", r.Kind.Name+", by "+strings.Join(path, "."))
	}
	if m.Direction.FromClient() {
		switch {
		case m.Auth.Anonymous:
			add("Who", "anybody")
		case len(m.Auth.Roles) > 0:
			add("Who", "roles "+strings.Join(m.Auth.Roles, ", "))
		}
		if m.Rate != nil {
			add("Rate", rateText(m.Rate))
		}
	}
	if m.MaxBytes != b.api.Limits.MaxBytes {
		add("Largest frame", bytesText(m.MaxBytes))
	}
	if m.Delivery.Mode == "latest" && m.Delivery.Field != nil {
		add("Delivery", "a slow reader gets the latest by "+m.Delivery.Field.Wire)
	} else if m.Delivery.Mode == "droppable" {
		add("Delivery", "a slow reader may miss some")
	}
	if r := m.Request; r != nil {
		add("Time limit", r.Timeout.String())
		if r.Idempotent {
			add("Repeats", "may be repeated after a broken connection")
		}
	}
	add("Since", m.Since)
	add("Goes away", m.Sunset)
	add("Tags", strings.Join(m.Tags, ", "))
	return facts
}

func (b *builder) body(title string, n *model.Named, there bool) Body {
	switch {
	case !there || n.Schema == nil:
		return Body{Title: title, Empty: true}
	case b.declared(n.Path):
		return Body{Title: title, Type: []Part{{n.Path, anchor("type-" + n.Path)}}}
	case isObject(n.Schema):
		return Body{Title: title, Fields: b.fields(n.Schema), Empty: len(n.Schema.Properties) == 0}
	}
	return Body{Title: title, Type: b.typeText(n.Schema)}
}

func isObject(s *jsonschema.Schema) bool {
	return len(s.Type) == 1 && s.Type[0] == "object" && s.AdditionalProperties != nil && s.AdditionalProperties.False
}

// declared reports whether a name is one of types, which the page has a heading for.
func (b *builder) declared(path string) bool {
	for _, n := range b.api.Types {
		if n.Path == path {
			return b.api.Defs.Get(path) != nil && !b.isBody(n)
		}
	}
	return false
}

// isBody reports whether a type is made for a message, an error or claims.
func (b *builder) isBody(n *model.Named) bool {
	for _, m := range b.api.Messages {
		if m.Payload == n && n.Path == m.Wire || strings.HasPrefix(n.Path, m.Wire+".") {
			return true
		}
	}
	for _, e := range b.api.Errors {
		if e.Details == n {
			return true
		}
	}
	return n == b.api.Claims
}

func (b *builder) types() []Type {
	var out []Type
	for _, n := range b.api.Types {
		if !b.declared(n.Path) {
			continue
		}
		t := Type{Name: n.Path, Anchor: anchor("type-" + n.Path), Doc: n.Schema.Description}
		switch {
		case isObject(n.Schema):
			t.Fields = b.fields(n.Schema)
		case n.Schema.Enum != nil:
			for i, raw := range n.Schema.Enum {
				f := Fact{Label: string(raw)}
				if i < len(n.Schema.EnumDocs) {
					f.Text = n.Schema.EnumDocs[i]
				}
				t.Values = append(t.Values, f)
			}
		default:
			t.Type = b.typeText(n.Schema)
			t.Values = variants(n)
		}
		out = append(out, t)
	}
	return out
}

// variants returns what is said of the variants that stand in a union itself; nothing when that is nothing.
func variants(n *model.Named) []Fact {
	var out []Fact
	for _, v := range n.Type.Union {
		label := v.Tag
		if !v.Int {
			label = strconv.Quote(v.Tag)
		}
		if v.Type.Path == n.Path+"."+v.Tag && v.Type.Doc != "" {
			out = append(out, Fact{Label: n.Type.Tag + ": " + label, Text: v.Type.Doc})
		}
	}
	return out
}

func (b *builder) fields(s *jsonschema.Schema) []Field {
	var out []Field
	for _, p := range s.Properties {
		f := Field{Name: p.Name, Doc: p.Schema.Description, Deprecated: p.Schema.DeprecatedText}
		switch {
		case p.Schema.Default != nil:
			f.Presence = "optional, default " + string(p.Schema.Default)
		case !s.Requires(p.Name):
			f.Presence = "optional"
		}
		f.Type = b.typeText(p.Schema)
		out = append(out, f)
	}
	return out
}
