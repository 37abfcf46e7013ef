package kinds_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/golden/kinds/kinds"
)

// A kind is a field of every struct: the JSON Schema that says the same, and values at its edges. The first value is right.
type kind struct {
	name, schema string
	values       []string
	def          string // default in Default and NullableDefault, "" when it has none there
	any          bool   // not in the nullable structs, because null is one of its values
}

const uuid = `"123e4567-e89b-12d3-a456-426614174000"`

var allKinds = []kind{
	{"string", `{"type":"string"}`, []string{`"x"`, `""`, `"\u0000\ud83d"`, `1`, `[]`}, `"a b"`, false},
	{"bounded", `{"type":"string","minLength":2,"maxLength":4}`, []string{`"abc"`, `"a"`, `"ab"`, `"abcd"`, `"abcde"`, `"😀😀😀😀"`, `"😀"`, `"\ud83d\ude00\ud83d"`}, `"abc"`, false},
	{"uuid", `{"type":"string","format":"uuid"}`, []string{uuid, `"x"`, `1`}, uuid, false},
	{"boundedUri", `{"type":"string","format":"uri"}`, []string{`"http://a"`, `"a b"`, `"/a"`}, `"http://a"`, false},
	{"date", `{"type":"string","format":"date"}`, []string{`"2026-01-02"`, `"2026-13-02"`}, `"2026-01-02"`, false},
	{"bool", `{"type":"boolean"}`, []string{`true`, `false`, `0`, `"true"`}, `true`, false},
	{"int", `{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991}`, []string{`1`, `9007199254740991`, `9007199254740992`, `-9007199254740992`, `1.5`, `1e3`, `"1"`}, `-7`, false},
	{"int8", `{"type":"integer","minimum":-128,"maximum":127}`, []string{`1`, `127`, `128`, `-128`, `-129`, `1.0`, `12.7e1`, `1e400`}, `1`, false},
	{"int16", `{"type":"integer","minimum":-5,"maximum":5}`, []string{`1`, `5`, `6`, `-5`, `-6`}, `1`, false},
	{"int32", `{"type":"integer","minimum":1,"maximum":100}`, []string{`1`, `0`, `100`, `101`, `99999999999999999999999`}, `50`, false},
	{"uint8", `{"type":"integer","minimum":0,"maximum":255}`, []string{`1`, `-1`, `-0`, `255`, `256`}, `1`, false},
	{"uint16", `{"type":"integer","minimum":0,"maximum":65535}`, []string{`1`, `65535`, `65536`}, `1`, false},
	{"uint32", `{"type":"integer","minimum":0,"maximum":4294967295}`, []string{`1`, `4294967295`, `4294967296`}, `4294967295`, false},
	{"int64", `{"type":"string","pattern":"^(0|-?[1-9][0-9]{0,18})$"}`, []string{`"1"`, `"-9223372036854775808"`, `"0"`, `"-0"`, `"01"`, `1`, `"1e3"`}, "", false},
	{"uint64", `{"type":"string","pattern":"^(0|[1-9][0-9]{0,19})$"}`, []string{`"1"`, `"18446744073709551615"`, `"-1"`, `""`}, "", false},
	{"float32", `{"type":"number","minimum":0,"maximum":0.1}`, []string{`0.05`, `0.1`, `0.10000000000000000001`, `0`, `-0.1`, `1e-50`, `-1e-50`, `"0"`}, `0.05`, false},
	{"float64", `{"type":"number"}`, []string{`0.5`, `-1e300`, `5`, `1.7976931348623157e308`, `null`, `[1]`}, `2.5`, false},
	{"halfBounded", `{"type":"number","minimum":-1.5}`, []string{`0.5`, `-1.5`, `-1.50000001`, `1e300`}, `0`, false},
	{"bytes", `{"type":"string","contentEncoding":"base64"}`, []string{`"aGk="`, `""`, `"aGk"`, `"aGl="`, `"aGk=\n"`, `"_-8="`, `1`}, "", false},
	{"boundedBytes", `{"type":"string","contentEncoding":"base64","minLength":4,"maxLength":4}`, []string{`"aGk="`, `""`, `"aGhp"`, `"aGhpaGk="`}, "", false},
	{"dateTime", `{"type":"string","format":"date-time"}`, []string{`"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.25+01:30"`, `"2026-12-31T23:59:60Z"`, `"2026-01-02 03:04:05Z"`, `1`}, "", false},
	{"any", `{}`, []string{`{"a":[1,"x",null]}`, `null`, `0`, `[]`, `"x"`}, "", true},
	{"object", `{"type":"object"}`, []string{`{}`, `{"a":[1,{"b":null}],"c":"x"}`, `[]`, `"x"`}, "", false},
	{"role", role, []string{`"member"`, `"guest"`, `""`, `1`}, `"member"`, false},
	{"status", role, []string{`"owner"`, `"Owner"`}, `"owner"`, false},
	{"roomId", roomID, []string{`"lobby"`, `""`, `"` + strings.Repeat("é", 64) + `"`, `"` + strings.Repeat("é", 65) + `"`}, `"lobby"`, false},
	{"point", point, []string{`{"x":1,"y":0}`, `{"x":1}`, `{"y":1}`, `{"x":1,"z":1}`, `{"x":1,"y":2,"label":"a","mark":null}`, `{"x":1,"label":null}`, `{"x":1,"y":null}`, `[]`}, "", false},
	{"place", point, []string{`{"x":1,"y":0,"mark":"m"}`, `{}`}, "", false},
	{"tags", tags, []string{`["a"]`, `[]`, `["a","b","c"]`, `["a","b","c","d"]`, `[""]`, `[null]`, `{}`}, "", false},
	{"counts", `{"type":"object","propertyNames":` + role + `,"additionalProperties":{"type":"integer","minimum":0,"maximum":255}}`, []string{`{"owner":1}`, `{}`, `{"member":255,"owner":0}`, `{"guest":1}`, `{"owner":256}`}, "", false},
	{"at", `{"type":"string","format":"date-time"}`, []string{`"2026-01-02T03:04:05Z"`, `"2026"`}, "", false},
	{"blob", `{}`, []string{`[1]`, `null`, `{}`}, "", true},
	{"bag", `{"type":"object"}`, []string{`{"a":1}`, `{}`, `null`, `1`}, "", false},
	{"node", `{"$ref":"#/$defs/Node"}`, []string{`{"name":"a","children":[]}`, `{"name":"a","children":[{"name":"b","children":[]}],"next":{"name":"c","children":[]}}`, `{"name":"a"}`, `{"name":"a","children":[{}]}`, `{"name":"a","children":[],"next":null}`}, "", false},
	{"list", `{"type":"array","items":{"type":"string"}}`, []string{`["a","b"]`, `[]`, `[1]`, `"a"`}, "", false},
	{"grid", `{"type":"array","minItems":1,"maxItems":3,"items":{"type":"array","maxItems":3,"items":{"type":["integer","null"],"minimum":0,"maximum":9}}}`,
		[]string{`[[1,null]]`, `[]`, `[[]]`, `[[10]]`, `[[],[],[]]`, `[[],[],[],[]]`, `[[1,2,3,4]]`, `[null]`}, "", false},
	{"points", `{"type":"array","items":` + point + `}`, []string{`[{"x":1,"y":2}]`, `[]`, `[{"x":1,"y":2},{"y":1}]`, `[null]`}, "", false},
	{"nullablePoints", `{"type":"array","items":{"anyOf":[` + point + `,{"type":"null"}]}}`, []string{`[null,{"x":1,"y":2}]`, `[]`, `[1]`, `[{}]`}, "", false},
	{"map", `{"type":"object","additionalProperties":{"type":"integer","minimum":0,"maximum":4294967295}}`, []string{`{"a":1,"":2}`, `{}`, `{"a":-1}`, `{"a":null}`, `[]`}, "", false},
	{"boundedMap", `{"type":"object","minProperties":1,"maxProperties":2,"propertyNames":{"minLength":1,"maxLength":3},"additionalProperties":{"type":"array","items":` + role + `}}`,
		[]string{`{"a":["owner"],"abc":[]}`, `{}`, `{"":[]}`, `{"abcd":[]}`, `{"a":[],"b":[],"c":[]}`, `{"a":["x"]}`, `{"a":null}`}, "", false},
	{"uuidMap", `{"type":"object","propertyNames":{"format":"uuid"},"additionalProperties":{"type":"object","additionalProperties":{"type":["boolean","null"]}}}`,
		[]string{`{` + uuid + `:{"a":true,"b":null}}`, `{}`, `{"x":{}}`, `{` + uuid + `:{"a":1}}`, `{` + uuid + `:null}`}, "", false},
	{"idMap", `{"type":"object","propertyNames":` + roomID + `,"additionalProperties":` + point + `}`, []string{`{"a":{"x":1,"y":2}}`, `{"":{"x":1}}`, `{"a":{}}`}, "", false},
	{"nullableMap", `{"type":"object","additionalProperties":{"anyOf":[` + tags + `,{"type":"null"}]}}`, []string{`{"a":null,"b":["x"]}`, `{"b":[""]}`, `{"b":1}`}, "", false},
}

const (
	role   = `{"enum":["owner","member"]}`
	roomID = `{"type":"string","minLength":1,"maxLength":64}`
	tags   = `{"type":"array","maxItems":3,"items":{"type":"string","minLength":1}}`
	point  = `{"type":"object","additionalProperties":false,"required":["x"],"properties":{"x":{"type":"number"},
		"y":{"type":"integer","minimum":-2147483648,"maximum":2147483647},"label":{"type":"string"},"mark":{"type":["string","null"]}}}`
	node = `{"type":"object","additionalProperties":false,"required":["name","children"],"properties":{"name":{"type":"string"},
		"next":{"$ref":"#/$defs/Node"},"children":{"type":"array","items":{"$ref":"#/$defs/Node"}}}}`
)

// A form is a struct that has all kinds in one presence.
type form struct {
	name                         string
	optional, nullable, defaults bool
	make                         func() any
}

var forms = []form{
	{"Required", false, false, false, func() any { return new(kinds.Required) }},
	{"Optional", true, false, false, func() any { return new(kinds.Optional) }},
	{"Nullable", false, true, false, func() any { return new(kinds.Nullable) }},
	{"ThreeState", true, true, false, func() any { return new(kinds.ThreeState) }},
	{"Default", true, false, true, func() any { return new(kinds.Default) }},
	{"NullableDefault", true, true, true, func() any { return new(kinds.NullableDefault) }},
}

// kinds returns the kinds that the form's struct has.
func (f form) kinds() []kind {
	var out []kind
	for _, k := range allKinds {
		if f.defaults && k.def == "" || f.nullable && k.any {
			continue
		}
		out = append(out, k)
	}
	return out
}

// schema compiles the form's schema.
func (f form) schema(t testing.TB) *jsonschema.Schema {
	var properties, required []string
	for _, k := range f.kinds() {
		s := k.schema
		if f.nullable {
			s = `{"anyOf":[` + s + `,{"type":"null"}]}`
		}
		properties = append(properties, fmt.Sprintf("%q:%s", k.name, s))
		required = append(required, fmt.Sprintf("%q", k.name))
	}
	if f.optional {
		required = nil
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	c.AssertFormat, c.AssertContent = true, true
	text := `{"type":"object","additionalProperties":false,"required":[` + strings.Join(required, ",") + `],"properties":{` +
		strings.Join(properties, ",") + `},"$defs":{"Node":` + node + `}}`
	if err := c.AddResource("mem:schema.json", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// object returns an object with the right value of every kind, but value for name, or without it when value is "".
func (f form) object(name, value string) string {
	var members []string
	for _, k := range f.kinds() {
		v := k.values[0]
		if k.name == name {
			v = value
		}
		if v != "" {
			members = append(members, fmt.Sprintf("%q:%s", k.name, v))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// strictBase64 makes jsonschema/v5 judge base64 as RFC 4648 does; its own decoder skips line ends and stray bits.
func strictBase64() {
	jsonschema.Decoders["base64"] = func(s string) ([]byte, error) {
		if strings.ContainsAny(s, "\r\n") {
			return nil, base64.CorruptInputError(0)
		}
		return base64.StdEncoding.Strict().DecodeString(s)
	}
}

// TestKinds gives every field of every struct each value, null, and nothing, and compares the verdict with that of
// jsonschema/v5. What is taken must come out as it went in, with defaults filled.
func TestKinds(t *testing.T) {
	strictBase64()
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			schema := f.schema(t)
			for _, k := range f.kinds() {
				for _, value := range append(k.values, "null", "") {
					data := f.object(k.name, value)
					m := f.make()
					err := json.Unmarshal([]byte(data), m)
					if want := schema.Validate(parse(t, data)); (want == nil) != (err == nil) {
						t.Errorf("%s %s: got %v, jsonschema/v5 says %v", k.name, value, err, want)
						continue
					}
					if err != nil {
						if value != "" && !strings.HasPrefix(err.Error(), "/"+k.name) {
							t.Errorf("%s %s: the error does not say where: %v", k.name, value, err)
						}
						continue
					}
					if value == "" && f.defaults {
						data = f.object(k.name, k.def)
					}
					sameAgain(t, f, m, data)
				}
			}
		})
	}
}

// sameAgain writes m, compares that with data, and reads it again.
func sameAgain(t *testing.T, f form, m any, data string) {
	t.Helper()
	out, err := json.Marshal(m)
	if err != nil {
		t.Errorf("what was read must not be sent: %v\n%s", err, data)
		return
	}
	if got, want := normal(t, out), normal(t, []byte(data)); got != want {
		t.Errorf("written\n%s\nread\n%s", got, want)
	}
	again := f.make()
	if err := json.Unmarshal(out, again); err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("reads as %+v, %v\nwas      %+v", again, err, m)
	}
}

func parse(t testing.TB, data string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// normal returns JSON with sorted keys, and with what may be written in two ways written in one: numbers, leap seconds
// and the default of Point.
func normal(t *testing.T, data []byte) string {
	t.Helper()
	data = bytes.ReplaceAll(data, []byte(`"2026-12-31T23:59:60Z"`), []byte(`"2027-01-01T00:00:00Z"`))
	data = bytes.ReplaceAll(data, []byte(`\ud83d"`), []byte("\uFFFD\""))
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var fill func(v any) any
	fill = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["x"]; ok && v["y"] == nil {
				v["y"] = 0
			}
			for k, item := range v {
				v[k] = fill(item)
			}
		case []any:
			for i, item := range v {
				v[i] = fill(item)
			}
		case float64:
			if short := float64(float32(v)); !math.IsInf(short, 0) {
				return short + 0 // one field has only 32 bits; no minus zero
			}
		}
		return v
	}
	out, err := json.Marshal(fill(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestDefaults compares the constructors with what reading an empty object gives.
func TestDefaults(t *testing.T) {
	var d kinds.Default
	if err := json.Unmarshal([]byte(`{}`), &d); err != nil || !reflect.DeepEqual(&d, kinds.NewDefault()) {
		t.Errorf("got %+v, %v, want %+v", d, err, kinds.NewDefault())
	}
	var n kinds.NullableDefault
	if err := json.Unmarshal([]byte(`{}`), &n); err != nil || !reflect.DeepEqual(&n, kinds.NewNullableDefault()) {
		t.Errorf("got %+v, %v, want %+v", n, err, kinds.NewNullableDefault())
	}
	if d.Role != kinds.RoleMember || d.Int32 != 50 || *n.String != "a b" {
		t.Errorf("got %+v", d)
	}
}

// TestPresence shows how Go tells what is absent, null, empty or zero.
func TestPresence(t *testing.T) {
	var o kinds.Optional
	if err := json.Unmarshal([]byte(`{"int":0,"list":[],"map":{},"bytes":""}`), &o); err != nil {
		t.Fatal(err)
	}
	if o.String != nil || o.Points != nil || o.Tags != nil || o.Object != nil {
		t.Error("what is absent is not nil")
	}
	if o.Int == nil || o.List == nil || o.Map == nil || o.Bytes == nil {
		t.Error("what is zero or empty is nil")
	}
	var s kinds.ThreeState
	if err := json.Unmarshal([]byte(`{"string":null,"role":"owner"}`), &s); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.Role.Get(); !s.String.Null() || !s.Int.Absent() || !ok || v != kinds.RoleOwner {
		t.Errorf("got %+v", s)
	}
	// A zero struct is what a program most easily sends: nil lists are empty on the wire, not null.
	out, err := json.Marshal(kinds.Node{})
	if err != nil || string(out) != `{"name":"","children":[]}` {
		t.Errorf("got %s, %v", out, err)
	}
	if out, err := json.Marshal(kinds.Optional{}); err != nil || string(out) != `{}` {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestWide(t *testing.T) {
	var w kinds.Wide
	err := json.Unmarshal([]byte(`{"f001":true,"f001":true,"f064":true,"f129":false}`), &w)
	if err == nil || err.Error() != "/f001 must not be given twice; /f002 is required; /f004 is required (and 13 more)" {
		t.Errorf("got %v", err)
	}
	var members []string
	for i := range 130 {
		members = append(members, fmt.Sprintf(`"f%03d":true`, i))
	}
	data := "{" + strings.Join(members, ",") + "}"
	if err := json.Unmarshal([]byte(data), &w); err != nil || !w.F064 || !*w.F129 {
		t.Errorf("got %v", err)
	}
	if out, err := json.Marshal(w); err != nil || string(out) != data {
		t.Errorf("got %s, %v", out, err)
	}
	err = json.Unmarshal([]byte(strings.Replace(data, `"f128":true,`, "", 1)), &w)
	if err == nil || err.Error() != "/f128 is required" {
		t.Errorf("got %v", err)
	}
}

func TestEnums(t *testing.T) {
	if !kinds.RoleOwner.Known() || kinds.Role("guest").Known() || !kinds.Status("member").Known() {
		t.Error("Known is wrong")
	}
	if _, err := json.Marshal(kinds.Role("guest")); err == nil || !strings.Contains(err.Error(), `must be one of "owner", "member"`) {
		t.Errorf("got %v", err)
	}
}

// TestMarshalChecks shows that a value which the schema refuses is not written.
func TestMarshalChecks(t *testing.T) {
	loop := &kinds.Node{Name: "a"}
	loop.Next = loop
	for _, v := range []any{
		kinds.Tags{"a", "b", "c", "d"}, kinds.RoomID(""), kinds.Counts{"guest": 1}, kinds.Blob(`{`), kinds.Bag{"a": func() {}}, loop,
	} {
		if out, err := json.Marshal(v); err == nil {
			t.Errorf("%T was written: %s", v, out)
		}
	}
}

// FuzzKinds reads arbitrary bytes as every struct. It must end without a panic, and what is taken must come out as it
// went in and, unless numbers or dates are odd, be valid by jsonschema/v5.
func FuzzKinds(f *testing.F) {
	strictBase64()
	for _, form := range forms {
		f.Add([]byte(form.object("", "")))
		for _, k := range form.kinds() {
			f.Add([]byte(form.object(k.name, k.values[len(k.values)-1])))
		}
	}
	var schemas []*jsonschema.Schema
	for _, form := range forms {
		schemas = append(schemas, form.schema(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i, form := range forms {
			m := form.make()
			if json.Unmarshal(data, m) != nil {
				continue
			}
			if err := schemas[i].Validate(parse(t, string(data))); err != nil {
				t.Errorf("%s was taken: %v", form.name, err)
			}
			out, err := json.Marshal(m)
			if err != nil {
				t.Fatalf("what was read must not be sent: %v", err)
			}
			again := form.make()
			if err := json.Unmarshal(out, again); err != nil {
				t.Fatalf("what was written is refused: %v\n%s", err, out)
			}
			if second, err := json.Marshal(again); err != nil || !bytes.Equal(out, second) {
				t.Errorf("round trip: %v\n%s\n%s", err, out, second)
			}
		}
	})
}
