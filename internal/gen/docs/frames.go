package docs

// This file writes examples as frames.

import (
	"encoding/json"
	"strings"

	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

const progressType = "$ws:rpc-progress"

// examples returns frames: those of the file, or one that is made up and right.
func (b *builder) examples(m *model.Message) []Example {
	var out []Example
	var meta json.RawMessage
	if m.Meta != nil {
		meta = b.sample(m.Meta, true)
	}
	frame := func(title, name string, payload json.RawMessage) {
		if payload != nil {
			out = append(out, Example{title, b.frame(name, payload, meta, m.Request != nil)})
			meta = nil
		}
	}
	examples := m.Examples
	if len(examples) == 0 {
		examples = []model.Example{{Payload: b.sample(m.Payload, m.HasBody)}}
		if m.Request != nil {
			examples[0].Response = b.sample(m.Request.Response, m.Request.ResponseBody)
		}
	}
	for _, e := range examples {
		if m.Request == nil {
			frame("", m.Wire, e.Payload)
			continue
		}
		frame("Request", m.Wire, e.Payload)
		for _, p := range e.Progress {
			frame("Progress", progressType, p)
		}
		frame("Response", m.Request.ResponseWire, e.Response)
	}
	return out
}

// frame returns a frame as it stands on the wire: one of a request, its answer included, has the request's number.
func (b *builder) frame(name string, payload, meta json.RawMessage, request bool) string {
	frame := jsonschema.Object{{Key: "type", Value: name}}
	if meta != nil {
		frame.Add("meta", meta)
	}
	frame.Add("payload", payload)
	if v := b.api.Envelope; v != nil {
		frame = jsonschema.Object{{Key: v.Type, Value: name}}
		if v.Ints {
			frame[0].Value = json.RawMessage(name)
		}
		if v.ID != "" && request {
			frame.Add(v.ID, 1)
		}
		frame = append(frame, inEnvelope(v, payload)...)
	}
	raw, err := jsonschema.Indent(frame)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// inEnvelope returns the payload as members of a frame of another form.
func inEnvelope(v *model.Envelope, payload json.RawMessage) jsonschema.Object {
	if v.Payload != "" {
		return jsonschema.Object{{Key: v.Payload, Value: payload}}
	}
	members, err := jsonschema.Members(payload)
	if err != nil {
		return nil
	}
	return members
}
