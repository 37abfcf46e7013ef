package codec_test

// A type with the code that the generator prints for it, and the JSON Schema that says the same.

import (
	"strings"
	"testing"

	"github.com/go-faster/jx"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/runtime/codec"
)

type sample struct {
	Name   string
	Role   string
	Age    int32
	Score  float64
	Tags   []string
	Counts map[string]uint8
	Nick   *string
	Muted  *bool
	Seen   codec.Opt[string]
	Inner  *sample
	Extra  []byte
}

const sampleSchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object", "additionalProperties": false,
	"required": ["name", "role", "age", "score", "tags", "counts", "muted"],
	"properties": {
		"name": {"type": "string", "minLength": 2, "maxLength": 5},
		"role": {"enum": ["owner", "member"]},
		"age": {"type": "integer", "minimum": -10, "maximum": 100},
		"score": {"type": "number", "minimum": 0, "maximum": 0.3},
		"tags": {"type": "array", "maxItems": 3, "minItems": 1, "items": {"type": "string", "format": "uuid"}},
		"counts": {"type": "object", "maxProperties": 2, "propertyNames": {"minLength": 1, "maxLength": 2}, "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 255}},
		"nick": {"type": "string"},
		"muted": {"type": ["boolean", "null"]},
		"seen": {"type": ["string", "null"], "format": "date-time"},
		"inner": {"$ref": "#"},
		"extra": {"type": "string", "contentEncoding": "base64", "maxLength": 8}
	}
}`

func (m *sample) decode(d *codec.Decoder) {
	o := d.Object()
	var seen codec.Seen
	for o.Next() {
		switch string(o.Key()) {
		case "name":
			if o.First(&seen, 0) {
				m.Name = d.StringLen(2, 5)
			}
		case "role":
			if o.First(&seen, 1) {
				text, ok := d.Text()
				if ok {
					switch string(text) {
					case "owner", "member":
						m.Role = string(text)
					default:
						m.Role = d.NotOneOf(text, "owner", "member")
					}
				}
			}
		case "age":
			if o.First(&seen, 2) {
				m.Age = d.Int32(-10, 100)
			}
		case "score":
			if o.First(&seen, 3) {
				m.Score = d.Float64Range(0, 0.3)
			}
		case "tags":
			if o.First(&seen, 4) {
				m.Tags = []string{}
				for a := d.Array(1, 3); a.Next(); {
					m.Tags = append(m.Tags, d.Format(codec.FormatUUID))
				}
			}
		case "counts":
			if o.First(&seen, 5) {
				m.decodeCounts(d)
			}
		case "nick":
			if o.First(&seen, 6) {
				m.Nick = new(d.String())
			}
		case "muted":
			if o.First(&seen, 7) {
				if !d.Null() {
					m.Muted = new(d.Bool())
				}
			}
		case "seen":
			if o.First(&seen, 8) {
				if d.Null() {
					m.Seen = codec.Null[string]()
				} else {
					m.Seen = codec.Some(d.Format(codec.FormatDateTime))
				}
			}
		case "inner":
			if o.First(&seen, 9) {
				m.Inner = new(sample)
				m.Inner.decode(d)
			}
		case "extra":
			if o.First(&seen, 10) {
				m.Extra = d.Bytes(0, 6)
			}
		default:
			o.Unknown()
		}
	}
	if o.Lacks(seen, 0b10111111) {
		for i, name := range []string{"name", "role", "age", "score", "tags", "counts", "", "muted"} {
			if name != "" {
				o.Require(seen, i, name)
			}
		}
	}
}

func (m *sample) decodeCounts(d *codec.Decoder) {
	m.Counts = map[string]uint8{}
	for o := d.Map(0, 2); o.Next(); {
		k, ok := o.StringKey(1, 2)
		if !ok {
			continue
		}
		if _, ok := m.Counts[k]; ok {
			o.Duplicate()
			continue
		}
		m.Counts[k] = d.Uint8(0, 255)
	}
}

func (m *sample) encode(w *jx.Writer) {
	w.RawStr(`{"name":`)
	codec.WriteString(w, m.Name)
	w.RawStr(`,"role":`)
	codec.WriteString(w, m.Role)
	w.RawStr(`,"age":`)
	w.Int32(m.Age)
	w.RawStr(`,"score":`)
	w.Float64(m.Score)
	w.RawStr(`,"tags":`)
	w.ArrStart()
	for i := range m.Tags {
		if i > 0 {
			w.Comma()
		}
		codec.WriteString(w, m.Tags[i])
	}
	w.ArrEnd()
	w.RawStr(`,"counts":`)
	codec.WriteMap(w, m.Counts, func(w *jx.Writer, v uint8) { w.UInt8(v) })
	if m.Nick != nil {
		w.RawStr(`,"nick":`)
		codec.WriteString(w, *m.Nick)
	}
	w.RawStr(`,"muted":`)
	if m.Muted == nil {
		w.Null()
	} else {
		w.Bool(*m.Muted)
	}
	if !m.Seen.Absent() {
		w.RawStr(`,"seen":`)
		if v, ok := m.Seen.Get(); ok {
			codec.WriteString(w, v)
		} else {
			w.Null()
		}
	}
	if m.Inner != nil {
		w.RawStr(`,"inner":`)
		m.Inner.encode(w)
	}
	if m.Extra != nil {
		w.RawStr(`,"extra":`)
		codec.WriteBytes(w, m.Extra)
	}
	w.RawStr(`}`)
}

func (m *sample) check(c *codec.Checker) {
	if !c.Enter() {
		return
	}
	c.Field("name")
	c.StringLen(m.Name, 2, 5)
	c.Field("role")
	c.OneOf(m.Role, "owner", "member")
	c.Field("age")
	c.Int(int64(m.Age), -10, 100)
	c.Field("score")
	c.Float64Range(m.Score, 0, 0.3)
	c.Field("tags")
	c.Items(len(m.Tags), 1, 3)
	if c.Enter() {
		for i := range m.Tags {
			c.Item(i)
			c.Format(m.Tags[i], codec.FormatUUID)
		}
		c.Leave()
	}
	c.Field("counts")
	c.Fields(len(m.Counts), 0, 2)
	if c.Enter() {
		for k := range codec.Sorted(m.Counts) {
			c.Field(k)
			c.StringKey(k, 1, 2)
		}
		c.Leave()
	}
	if v, ok := m.Seen.Get(); ok {
		c.Field("seen")
		c.Format(v, codec.FormatDateTime)
	}
	if m.Inner != nil {
		c.Field("inner")
		m.Inner.check(c)
	}
	if m.Extra != nil {
		c.Field("extra")
		c.Bytes(m.Extra, 0, 6)
	}
	c.Leave()
}

// read decodes one whole value in a mode and returns what was wrong with it.
func read(data string, mode codec.Mode, decode func(d *codec.Decoder)) error {
	var d codec.Decoder
	d.Reset([]byte(data), mode)
	decode(&d)
	d.End()
	return d.Err()
}

// compile returns the schema as jsonschema/v5 judges it, with formats and contents asserted.
func compile(t testing.TB, schema string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat, c.AssertContent = true, true
	if err := c.AddResource("mem:schema.json", strings.NewReader(schema)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
