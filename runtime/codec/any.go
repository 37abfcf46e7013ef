package codec

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/go-faster/jx"
)

// Any reads any value and returns its text. In strict mode what is inside is held to the rules for all JSON: no key
// twice, no number that cannot be handled, not too deep.
func (d *Decoder) Any() json.RawMessage {
	d.peek()
	start := d.pos
	if d.lenient {
		d.Skip()
	} else {
		d.inspect()
	}
	if d.failed {
		return nil
	}
	return bytes.Clone(d.data[start:d.pos])
}

// inspect passes over a value and reports what is wrong inside.
func (d *Decoder) inspect() {
	switch c := d.peek(); {
	case c == '{':
		var keys keySet
		for o := d.Object(); o.Next(); {
			if !keys.add(o.Key()) {
				o.Duplicate()
				continue
			}
			d.inspect()
		}
	case c == '[':
		for a := d.Array(0, NoLimit); a.Next(); {
			d.inspect()
		}
	case c == '-', isDigit(c):
		d.number("a number")
	default:
		d.Skip()
	}
}

// JSONObject reads an object of min to max fields, in lenient mode of any number, into nil, bool, float64, string, []any
// and map[string]any.
func (d *Decoder) JSONObject(min, max int) map[string]any {
	m := map[string]any{}
	for o := d.Map(min, max); o.Next(); {
		key := string(o.Key())
		if _, ok := m[key]; ok {
			o.Duplicate()
			continue
		}
		m[key] = d.value()
	}
	return m
}

// value reads any value into the types that encoding/json uses for it.
func (d *Decoder) value() any {
	switch d.peek() {
	case '{':
		return d.JSONObject(0, NoLimit)
	case '[':
		list := []any{}
		for a := d.Array(0, NoLimit); a.Next(); {
			list = append(list, d.value())
		}
		return list
	case '"':
		return d.String()
	case 't', 'f':
		return d.Bool()
	case 'n':
		d.Skip()
		return nil
	}
	return d.Float64()
}

// anyIssue returns what keeps v from being written as JSON and where, as the rest of a path; "" when nothing does.
func anyIssue(v any, depth int) (path, message string) {
	if depth > MaxDepth {
		return "", "is nested deeper than " + strconv.Itoa(MaxDepth) + " levels"
	}
	switch v := v.(type) {
	case nil, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return "", ""
	case float64:
		if !finite(v) {
			return "", "must be a finite number"
		}
	case float32:
		if !finite(float64(v)) {
			return "", "must be a finite number"
		}
	case json.Number:
		if !validNumber(string(v)) {
			return "", "must be a number"
		}
	case json.RawMessage:
		if len(v) > 0 {
			return "", rawIssue(v)
		}
	case []any:
		for i, item := range v {
			if path, message := anyIssue(item, depth+1); message != "" {
				return "/" + strconv.Itoa(i) + path, message
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(v, nil) {
			if path, message := anyIssue(v[key], depth+1); message != "" {
				return "/" + escapePointer(key) + path, message
			}
		}
	case json.Marshaler:
		raw, err := v.MarshalJSON()
		if err != nil {
			return "", "cannot be written: " + err.Error()
		}
		return "", rawIssue(raw)
	default:
		return "", "must be nil, a bool, string or number, []any, map[string]any or a json.Marshaler"
	}
	return "", ""
}

// rawIssue returns what is wrong with text that is to be sent as it stands, or "".
func rawIssue(raw []byte) string {
	if !jx.Valid(raw) || !ValidUTF8(raw) {
		return "must be valid JSON"
	}
	return ""
}

// validNumber reports whether s is the literal of a JSON number.
func validNumber(s string) bool {
	var d jx.Decoder
	d.ResetBytes([]byte(s))
	lit, err := d.Raw()
	return err == nil && len(lit) == len(s) && d.Next() == jx.Invalid && (isDigit(s[0]) || s[0] == '-')
}
