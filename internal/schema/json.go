package schema

import (
	"bytes"
	"encoding/json"
	"strings"
)

// compact returns valid JSON without white space.
func compact(s string) json.RawMessage {
	var b bytes.Buffer
	_ = json.Compact(&b, []byte(s)) // it is valid
	return b.Bytes()
}

// quote returns a JSON string.
func quote(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can always be encoded
	return bytes.TrimSpace(b.Bytes())
}

// json returns a value of the file as JSON, by the tags that YAML gives to scalars; nil after an error.
func (p *parser) json(n *node) json.RawMessage {
	switch n.kind {
	case scalar:
		return p.scalarJSON(n)
	case list:
		out := []byte{'['}
		for i, item := range n.items {
			raw := p.json(item)
			if raw == nil {
				return nil
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, raw...)
		}
		return append(out, ']')
	case mapping:
		out := []byte{'{'}
		for i, e := range n.entries {
			raw := p.json(e.value)
			if raw == nil {
				return nil
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(append(out, quote(e.key)...), ':'), raw...)
		}
		return append(out, '}')
	}
	return nil
}

func (p *parser) scalarJSON(n *node) json.RawMessage {
	switch {
	case n.isString() || n.quoted:
		return quote(n.text)
	case n.tag == "!!null":
		return json.RawMessage("null")
	case n.tag == "!!bool":
		return json.RawMessage(strings.ToLower(n.text))
	case json.Valid([]byte(n.text)):
		return json.RawMessage(n.text)
	}
	p.errorf(n.pos, "bad-value", "write it in decimal digits, or quote it to make it text", "JSON has no number %s", n.text)
	return nil
}
