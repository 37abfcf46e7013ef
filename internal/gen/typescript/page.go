package typescript

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/runtime/codec"
)

// Page is what the templates render.
type Page struct {
	Header, Source, Name, Doc string
	Fingerprint               string
	Types                     []Type
	Names                     []string // of all types
	Codecs                    []Codec
	Events, Methods           []Message
	Replies                   []string
	Codes                     []string // that every server has
	Errors                    []Failure
	RequestErrors             []Type // the codes that a request declares
	Envelope                  *model.Envelope
	Strict                    bool // clients read as servers do
	History, Presence         bool
	Rooms                     []Room
	Runtime                   string
}

// Message is an event of the server, or a method of the client.
type Message struct {
	Wire, Method, Doc  string
	Table              string // the constant of a method
	Input, Output      string // types; empty: nothing
	Progress           string
	Meta               string // type
	NeedsMeta          bool
	Request            bool
	Codec, MetaCodec   string
	Reply, ReplyCodec  string
	ProgressCodec      string
	MaxBytes, TimeoutM int64
	Idempotent         bool
}

// Failure is an error code with details.
type Failure struct{ Code, Doc, Type, Codec string }

// Room is a kind of room, and the function that returns topics of its rooms.
type Room struct{ Name, Field, Func string }

// builder collects what a page needs.
type builder struct {
	api *model.API
	use struct {
		usage
		features features
	}
	names     *naming
	unknown   map[*model.Named]string
	different map[*model.Named]bool
}

func newPage(api *model.API) *Page {
	b := &builder{api: api, names: newNaming(), unknown: map[*model.Named]string{}, different: map[*model.Named]bool{}}
	b.use.usage, b.use.features = usageOf(api), features{}
	all := b.types()
	b.findDifferent(all)
	b.name(all)
	p := &Page{Header: output.Header, Source: oneLine(api.Source), Name: oneLine(api.Name), Doc: api.Doc, Fingerprint: api.Fingerprint,
		Envelope: api.Envelope, Strict: api.StrictClients, History: api.Sharding.History != nil, Presence: api.Presence != nil}
	p.Codecs = b.codecs(all)
	for _, n := range all {
		p.Types = append(p.Types, b.declare(n)...)
		p.Names = append(p.Names, b.names.out[n])
	}
	b.messages(p)
	for _, e := range errorCodes(api) {
		f := Failure{Code: e.Wire, Doc: e.Doc, Type: "undefined"}
		if e.Details != nil {
			f.Type, f.Codec = b.names.out[e.Details], "$"+b.names.out[e.Details]
		}
		p.Errors = append(p.Errors, f)
	}
	p.Codes = slices.DeleteFunc(model.StandardCodes(), func(code string) bool {
		return code == "INVALID_ARGUMENT" || slices.ContainsFunc(p.Errors, func(f Failure) bool { return f.Code == code })
	})
	for _, k := range api.Kinds {
		p.Rooms = append(p.Rooms, Room{k.Name, k.Field, names.TS(k.Name + "_topic")})
	}
	b.runtime(p)
	return p
}

// types returns the types of the module: those of the file, and those of messages and errors.
func (b *builder) types() []*model.Named {
	var out []*model.Named
	add := func(list ...*model.Named) {
		for _, n := range list {
			if n != nil && n != b.api.Claims && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	add(b.api.Types...)
	for _, m := range b.api.Messages {
		if m.HasBody || len(m.Payload.Type.Fields) > 0 {
			add(m.Payload)
		}
		add(m.Meta)
		if r := m.Request; r != nil {
			if r.ResponseBody {
				add(r.Response)
			}
			add(r.Progress)
		}
	}
	for _, e := range errorCodes(b.api) {
		add(e.Details)
	}
	for i := 0; i < len(out); i++ { // and all that they are made of
		add(contained(out[i].Type)...)
	}
	return out
}

func (b *builder) name(all []*model.Named) {
	for _, n := range all {
		b.names.out[n] = b.names.free(n.TS)
	}
	for _, n := range all {
		if b.use.sent[n] && b.differs(n) && !isEnum(n) {
			b.names.in[n] = b.names.free(b.names.out[n] + "Input")
		}
		if n.Type.Kind == model.Union && b.open(n) {
			b.unknown[n] = b.names.free("Unknown" + b.names.out[n])
		}
	}
}

// errorCodes returns the errors that the schema declares, each code once.
func errorCodes(api *model.API) []*model.ErrorCode {
	var out []*model.ErrorCode
	add := func(list []*model.ErrorCode) {
		for _, e := range list {
			if !slices.ContainsFunc(out, func(o *model.ErrorCode) bool { return o.Wire == e.Wire }) {
				out = append(out, e)
			}
		}
	}
	add(api.Errors)
	for _, m := range api.Messages {
		if m.Request != nil {
			add(m.Request.Errors)
		}
	}
	return out
}

func (b *builder) messages(p *Page) {
	methods := map[string]bool{}
	for _, name := range reservedMethods {
		methods[name] = true
	}
	for _, m := range b.api.Messages {
		if m.Direction.FromServer() && m.Request == nil {
			p.Events = append(p.Events, b.event(m))
		}
		if m.Direction.FromClient() {
			out := b.method(m)
			out.Method = methodName(m, methods)
			p.Methods = append(p.Methods, out)
			if m.Request != nil && len(m.Request.Errors) > 0 {
				p.RequestErrors = append(p.RequestErrors, b.requestErrors(m))
			}
		}
	}
	for _, m := range p.Methods {
		if m.Request && !slices.Contains(p.Replies, m.Reply) {
			p.Replies = append(p.Replies, m.Reply)
		}
	}
}

// requestErrors returns the type of the codes that a request declares.
func (b *builder) requestErrors(m *model.Message) Type {
	var codes []string
	for _, e := range m.Request.Errors {
		codes = append(codes, quote(e.Wire))
	}
	doc := "The codes that the schema declares for " + m.Wire + ", besides those that every request may be answered with."
	return Type{Name: b.names.free(names.TSType(m.TS) + "Errors"), Doc: doc, Expr: strings.Join(codes, " | ")}
}

func (b *builder) event(m *model.Message) Message {
	out := Message{Wire: m.Wire, Doc: paragraphs(m.Doc, messageDeprecated(m)), Output: "Record<string, never>"}
	if m.HasBody {
		out.Output, out.Codec = b.names.out[m.Payload], "$"+b.names.out[m.Payload]
	}
	if m.Meta != nil {
		out.Meta, out.MetaCodec = b.names.out[m.Meta], "$"+b.names.out[m.Meta]
	}
	return out
}

func (b *builder) method(m *model.Message) Message {
	out := Message{Wire: m.Wire, Doc: methodDoc(b.api, m), Table: "$send" + m.Go, MaxBytes: int64(m.MaxBytes)}
	if m.HasBody {
		out.Input, out.Codec = b.input(m.Payload), "$"+b.names.out[m.Payload]
	}
	if m.Meta != nil {
		out.Meta, out.MetaCodec = b.input(m.Meta), "$"+b.names.out[m.Meta]
		out.NeedsMeta = slices.ContainsFunc(m.Meta.Type.Fields, func(f *model.Field) bool { return !f.Optional })
	}
	r := m.Request
	if r == nil {
		return out
	}
	out.Request, out.Reply, out.Output, out.Progress = true, r.ResponseWire, "void", "never"
	out.TimeoutM, out.Idempotent = int64(r.Timeout/time.Millisecond), r.Idempotent
	if r.ResponseBody {
		out.Output, out.ReplyCodec = b.names.out[r.Response], "$"+b.names.out[r.Response]
	}
	if r.Progress != nil {
		out.Progress, out.ProgressCodec = b.names.out[r.Progress], "$"+b.names.out[r.Progress]
	}
	return out
}

func (b *builder) input(n *model.Named) string {
	if name := b.names.in[n]; name != "" {
		return name
	}
	return b.names.out[n]
}

// runtime adds the parts of the runtime that are needed.
func (b *builder) runtime(p *Page) {
	if p.History {
		b.use.features.use("history")
	}
	if p.Envelope != nil {
		b.use.features.use("envelope")
	} else {
		b.use.features.use("default-envelope")
	}
	text, err := b.use.features.runtime()
	if err != nil {
		panic(err) // the templates are ours
	}
	p.Runtime = text
}

// knownFormat reports whether a format is checked.
func knownFormat(name string) bool {
	_, known := codec.Formats()[name]
	return known
}

// formatsOf notes the formats that a schema asks for.
func (b *builder) formatsOf(schema string) {
	var find func(v any)
	find = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				find(item)
			}
		case map[string]any:
			if name, ok := v["format"].(string); ok && knownFormat(name) {
				b.use.features.use("format:" + name)
			}
			for _, item := range v {
				find(item)
			}
		}
	}
	var v any
	if err := json.Unmarshal([]byte(schema), &v); err == nil {
		find(v)
	}
}

// Settings returns the members of a message's constant that are beside its type and payload.
func (m Message) Settings() string {
	var out []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			out = append(out, name+": "+value)
		}
	}
	add("meta", m.MetaCodec)
	add("maxBytes", strconv.FormatInt(m.MaxBytes, 10))
	if m.Request {
		add("reply", quote(m.Reply))
		add("response", m.ReplyCodec)
		add("progress", m.ProgressCodec)
		add("timeoutMs", strconv.FormatInt(m.TimeoutM, 10))
		if m.Idempotent {
			add("idempotent", "true")
		}
	}
	return strings.Join(out, ", ")
}

// Params returns the parameters of a method.
func (m Message) Params() string {
	var out []string
	if m.Input != "" {
		out = append(out, "payload: "+m.Input)
	}
	mark := "?"
	if m.NeedsMeta {
		mark = ""
	}
	switch {
	case m.Request && m.Meta != "":
		out = append(out, "options"+mark+": RequestOptions<"+m.Progress+"> & { readonly meta"+mark+": "+m.Meta+" }")
	case m.Request && m.Progress == "never":
		out = append(out, "options?: RequestOptions")
	case m.Request:
		out = append(out, "options?: RequestOptions<"+m.Progress+">")
	case m.Meta != "":
		out = append(out, "meta"+mark+": "+m.Meta)
	}
	return strings.Join(out, ", ")
}

// Args returns what a method hands on.
func (m Message) Args() string {
	out := []string{m.Table, "undefined"}
	if m.Input != "" {
		out[1] = "payload"
	}
	switch {
	case m.Request && m.Meta != "":
		out = append(out, "options", "options?.meta")
		if m.NeedsMeta {
			out[len(out)-1] = "options.meta"
		}
	case m.Request:
		out = append(out, "options")
	case m.Meta != "":
		out = append(out, "meta")
	}
	return strings.Join(out, ", ")
}
