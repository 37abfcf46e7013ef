package codec_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/codec"
)

const goodSample = `{"name":"anna","role":"owner","age":7,"score":0.3,"tags":["123e4567-e89b-12d3-a456-426614174000"],` +
	`"counts":{"a":1},"muted":null}`

// sampleWith returns goodSample with the value of a field replaced, or the field added.
func sampleWith(field, value string) string {
	var b strings.Builder
	found := false
	for i, pair := range [][2]string{
		{"name", `"anna"`}, {"role", `"owner"`}, {"age", "7"}, {"score", "0.3"},
		{"tags", `["123e4567-e89b-12d3-a456-426614174000"]`}, {"counts", `{"a":1}`}, {"muted", "null"},
	} {
		if pair[0] == field {
			found = true
			if pair[1] = value; value == "" {
				continue
			}
		}
		if i > 0 && b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", pair[0], pair[1])
	}
	if !found {
		fmt.Fprintf(&b, ",%q:%s", field, value)
	}
	return "{" + b.String() + "}"
}

func TestIssues(t *testing.T) {
	deep := strings.Repeat(`{"name":"anna","inner":`, 70) + `null` + strings.Repeat(`}`, 70)
	tests := []struct {
		name, data string
		want       []string // path and message of each issue; none: the value is right
	}{
		{"right", goodSample, nil},
		{"white space", " \n\t" + goodSample + "\r\n ", nil},
		{"escaped keys", strings.Replace(goodSample, "name", `n\u0061me`, 1), nil},
		{"too short", sampleWith("name", `"a"`), []string{"/name must have at least 2 characters"}},
		{"too long", sampleWith("name", `"abcdef"`), []string{"/name must have at most 5 characters"}},
		{"much too long", sampleWith("name", `"`+strings.Repeat("a", 50)+`"`), []string{"/name must have at most 5 characters"}},
		{"code points are counted", sampleWith("name", `"😀😀😀😀😀"`), nil},
		{"six code points", sampleWith("name", `"😀😀😀😀😀a"`), []string{"/name must have at most 5 characters"}},
		{"escaped pairs are one each", sampleWith("name", `"`+strings.Repeat(`\ud83d\ude00`, 5)+`"`), nil},
		{"lone surrogates are one each", sampleWith("name", `"\ud83d\ud83d\ude00\ud83d\ude00a"`), nil},
		{"not a string", sampleWith("name", `5`), []string{"/name must be a string, got number"}},
		{"null", sampleWith("name", `null`), []string{"/name must be a string, got null"}},
		{"array", sampleWith("age", `[1,{"a":2}]`), []string{"/age must be an integer, got array"}},
		{"enum", sampleWith("role", `"guest"`), []string{`/role must be one of "owner", "member"`}},
		{"enum of another type", sampleWith("role", `true`), []string{`/role must be a string, got boolean`}},
		{"integer with zero fraction", sampleWith("age", `7.0`), nil},
		{"integer with exponent", sampleWith("age", `1e2`), nil},
		{"integer with a negative exponent", sampleWith("age", `700e-1`), nil},
		{"minus zero", sampleWith("age", `-0.0e5`), nil},
		{"fraction", sampleWith("age", `7.5`), []string{"/age must be an integer"}},
		{"too large", sampleWith("age", `101`), []string{"/age must be at most 100"}},
		{"too small", sampleWith("age", `-11`), []string{"/age must be at least -10"}},
		{"far too large", sampleWith("age", `1e300`), []string{"/age must be at most 100"}},
		{"far too small", sampleWith("age", `-123456789012345678901234567890`), []string{"/age must be at least -10"}},
		{"huge exponent", sampleWith("age", `1e2000000`), []string{"/age must have an exponent of at most 400"}},
		{"huge negative exponent", sampleWith("score", `1e-99999999999999999999`), []string{"/score must have an exponent of at most 400"}},
		{"long literal", sampleWith("score", "0."+strings.Repeat("1", 80)), []string{"/score must be a number of at most 64 characters"}},
		{"beyond float64", sampleWith("score", `1e309`), []string{"/score must fit in float64"}},
		{"float above", sampleWith("score", `0.30000001`), []string{"/score must be at most 0.3"}},
		{"float above by less than a rounding", sampleWith("score", `0.30000000000000000001`), []string{"/score must be at most 0.3"}},
		{"float equal though long", sampleWith("score", `0.30000000000000000000`), nil},
		{"float below", sampleWith("score", `-1e-400`), []string{"/score must be at least 0"}},
		{"too few items", sampleWith("tags", `[]`), []string{"/tags must have at least 1 item"}},
		{"too many items", sampleWith("tags", `["123e4567-e89b-12d3-a456-426614174000","123e4567-e89b-12d3-a456-426614174000","123e4567-e89b-12d3-a456-426614174000",4,5]`),
			[]string{"/tags must have at most 3 items"}},
		{"item", sampleWith("tags", `["x",5]`), []string{"/tags/0 must be a UUID such as 123e4567-e89b-12d3-a456-426614174000", "/tags/1 must be a string, got number"}},
		{"not an array", sampleWith("tags", `{}`), []string{"/tags must be an array, got object"}},
		{"map value", sampleWith("counts", `{"a":256}`), []string{"/counts/a must be at most 255"}},
		{"map key", sampleWith("counts", `{"abc":1}`), []string{"/counts/abc key must have at most 2 characters"}},
		{"map key twice", sampleWith("counts", `{"a":1,"a":"x"}`), []string{"/counts/a must not be given twice"}},
		{"map too large", sampleWith("counts", `{"a":1,"b":2,"c":3,"d":4}`), []string{"/counts must have at most 2 fields"}},
		{"pointer escapes", sampleWith("counts", `{"~":-1,"/":-1}`), []string{"/counts/~0 must be at least 0", "/counts/~1 must be at least 0"}},
		{"long keys are cut", sampleWith(strings.Repeat("k", 100), `1`), []string{"/" + strings.Repeat("k", 64) + "… unknown field"}},
		{"unknown field", sampleWith("more", `{"a":[1,2]}`), []string{"/more unknown field"}},
		{"field twice", strings.Replace(goodSample, "{", `{"name":"bert",`, 1), []string{"/name must not be given twice"}},
		{"missing", sampleWith("age", ""), []string{"/age is required"}},
		{"all missing", `{}`, []string{"/name is required", "/role is required", "/age is required", "/score is required", "/tags is required", "/counts is required", "/muted is required"}},
		{"missing below", sampleWith("inner", `{"name":"anna","role":"owner","score":0,"age":1,"tags":[1],"muted":true}`),
			[]string{"/inner/tags/0 must be a string, got number", "/inner/counts is required"}},
		{"nullable of another type", sampleWith("muted", `"x"`), []string{"/muted must be a boolean, got string"}},
		{"optional is not nullable", sampleWith("nick", `null`), []string{"/nick must be a string, got null"}},
		{"date-time", sampleWith("seen", `"yesterday"`), []string{"/seen must be a date and time such as 2006-01-02T15:04:05Z"}},
		{"not an object", `[]`, []string{"value must be an object, got array"}},
		{"base64 with a line end", sampleWith("extra", `"aGk=\n"`), []string{"/extra must be base64 with padding"}},
		{"base64 with stray bits", sampleWith("extra", `"aGl="`), []string{"/extra must be base64 with padding"}},
		{"base64 without padding", sampleWith("extra", `"aGk"`), []string{"/extra must be base64 with padding"}},
		{"too many bytes", sampleWith("extra", `"aGlnaGhp"`), nil},
		{"far too many bytes", sampleWith("extra", `"aGlnaGhpaGlnaGhp"`), []string{"/extra must have at most 6 bytes"}},
		{"order of the document", `{"age":"x","name":1,"zz":1,"role":2,"muted":1}`, []string{
			"/age must be an integer, got string", "/name must be a string, got number", "/zz unknown field", "/role must be a string, got number",
			"/muted must be a boolean, got number", "/score is required", "/tags is required", "/counts is required",
		}},
		{"too deep", deep, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m sample
			err := read(tt.data, codec.Strict, m.decode)
			if tt.name == "too deep" {
				if issues, ok := errors.AsType[codec.Issues](err); !ok || !strings.Contains(issues[0].Message, "nested deeper than 64") {
					t.Fatalf("got %v", err)
				}
				return
			}
			var got []string
			if err != nil {
				issues, ok := errors.AsType[codec.Issues](err)
				if !ok {
					t.Fatalf("got %v", err)
				}
				for _, issue := range issues {
					got = append(got, issue.String())
				}
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q\nin   %s", got, tt.want, tt.data)
			}
		})
	}
}

// TestLenient shows what a client takes from a newer server: everything but wrong types and missing fields.
func TestLenient(t *testing.T) {
	taken := []string{
		sampleWith("more", `{"a":1}`), sampleWith("role", `"guest"`), sampleWith("name", `"a very long name"`),
		sampleWith("age", `1000`), sampleWith("score", `7`), sampleWith("tags", `["x","y","z","a"]`),
		sampleWith("counts", `{"abcd":1,"b":2,"c":3}`), sampleWith("seen", `"yesterday"`), sampleWith("extra", `"aGlnaGhpaGlnaGhp"`),
	}
	for _, data := range taken {
		var m sample
		if err := read(data, codec.Lenient, m.decode); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
	var m sample
	if err := read(sampleWith("role", `"guest"`), codec.Lenient, m.decode); err != nil || m.Role != "guest" {
		t.Errorf("unknown enum value: got %q, %v", m.Role, err)
	}
	refused := map[string]string{
		sampleWith("age", `"x"`):                         "/age must be an integer, got string",
		sampleWith("age", `3000000000`):                  "/age must fit in int32",
		sampleWith("age", `1.5`):                         "/age must be an integer",
		sampleWith("age", ""):                            "/age is required",
		sampleWith("counts", `{"a":300}`):                "/counts/a must fit in uint8",
		sampleWith("extra", `"!"`):                       "/extra must be base64 with padding",
		sampleWith("tags", `[null]`):                     "/tags/0 must be a string, got null",
		strings.Replace(goodSample, "{", `{"age":1,`, 1): "/age must not be given twice",
	}
	for data, want := range refused {
		var m sample
		if err := read(data, codec.Lenient, m.decode); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", data, err, want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	tests := map[string]string{
		``:                                  "invalid JSON at byte 0: unexpected end of JSON input",
		`{`:                                 "invalid JSON at byte 1: unexpected end of JSON input",
		`{"name":"anna"`:                    "invalid JSON at byte 14: unexpected end of JSON input",
		`{"name":"anna",}`:                  "invalid JSON at byte 15: ",
		`{"name" "anna"}`:                   "invalid JSON at byte 8: ",
		`{name:"anna"}`:                     "invalid JSON at byte 1: ",
		`{"name":NaN}`:                      "invalid JSON at byte 8: ",
		`{"tags":[1,]}`:                     "invalid JSON at byte 11: ",
		`{"tags":[1 2]}`:                    "invalid JSON at byte 11: ",
		`{"age":01}`:                        "invalid JSON at byte 8: ",
		`{"age":-}`:                         "invalid JSON at byte 8: ",
		`{"age":1.}`:                        "invalid JSON at byte 9: ",
		`{"muted":nul}`:                     "invalid JSON at byte 12: ",
		`{"muted":nulll}`:                   "invalid JSON at byte 13: ",
		"{\"name\":\"a\nb\"}":               "invalid JSON at byte 10: ",
		`{"name":"\x"}`:                     "invalid JSON at byte 10: ",
		`{"name":"\u12g4"}`:                 "invalid JSON at byte 13: ",
		`{"more":[1,{"a":}]}`:               "invalid JSON at byte 16: ",
		"\ufeff" + goodSample:               "invalid JSON at byte 0: ",
		goodSample + "x":                    fmt.Sprintf("invalid JSON at byte %d: ", len(goodSample)),
		goodSample + goodSample:             fmt.Sprintf("invalid JSON at byte %d: ", len(goodSample)),
		`{"counts":{"a":1,"a"}}`:            "invalid JSON at byte 20: ",
		strings.Repeat(`[`, 20000):          "invalid JSON at byte ",
		`{"more":` + strings.Repeat(`[`, 9): "invalid JSON at byte 17: ",
	}
	for data, want := range tests {
		var m sample
		err := read(data, codec.Strict, m.decode)
		if _, ok := errors.AsType[*codec.SyntaxError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80q: got %v, want %s", data, err, want)
		}
	}
}

func TestIssuesAreLimited(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `"unknown%d":1,`, i)
	}
	var m sample
	err := read(strings.Replace(goodSample, "{", "{"+b.String(), 1), codec.Strict, m.decode)
	issues, _ := errors.AsType[codec.Issues](err)
	if len(issues) != codec.MaxIssues {
		t.Fatalf("got %d issues: %v", len(issues), err)
	}
	want := "/unknown0 unknown field; /unknown1 unknown field; /unknown2 unknown field (and 13 more)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if m.Name != "anna" {
		t.Error("what follows after the last issue was not read")
	}
}

func TestAny(t *testing.T) {
	tests := []struct{ data, want string }{
		{` {"a" : [1, "x\ud83d", null]} `, ""},
		{`null`, ""},
		{`{"a":{"b":[0,{"c":1,"c":2}]}}`, "/a/b/1/c must not be given twice"},
		{`[1e1000000]`, "/0 must have an exponent of at most 400"},
		{strings.Repeat("[", 64) + strings.Repeat("]", 64), ""},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("/0", 64) + " is nested deeper than 64 levels"},
	}
	for _, tt := range tests {
		var raw string
		err := read(tt.data, codec.Strict, func(d *codec.Decoder) { raw = string(d.Any()) })
		switch {
		case tt.want == "" && (err != nil || raw != strings.TrimSpace(tt.data)):
			t.Errorf("%s: got %q, %v", tt.data, raw, err)
		case tt.want != "" && (err == nil || err.Error() != tt.want):
			t.Errorf("%s: got %v, want %s", tt.data, err, tt.want)
		}
		objectErr := read(tt.data, codec.Strict, func(d *codec.Decoder) { d.JSONObject(0, codec.NoLimit) })
		if strings.HasPrefix(tt.data, "{") && (objectErr == nil) != (err == nil) {
			t.Errorf("%s: JSONObject: %v, Any: %v", tt.data, objectErr, err)
		}
	}
	var v map[string]any
	err := read(`{"a":[1.5,"x",null,true,{}]}`, codec.Strict, func(d *codec.Decoder) { v = d.JSONObject(0, 1) })
	want := map[string]any{"a": []any{1.5, "x", nil, true, map[string]any{}}}
	if err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("got %v, %v", v, err)
	}
	if err := read(`{"a":1,"b":2}`, codec.Strict, func(d *codec.Decoder) { d.JSONObject(0, 1) }); err == nil || err.Error() != "value must have at most 1 field" {
		t.Errorf("got %v", err)
	}
}

func TestManyKeysInAny(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	decode := func(d *codec.Decoder) { d.Any() }
	if err := read("{"+b.String()+`"last":1}`, codec.Strict, decode); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"k0", "k15", "k16", "k39"} {
		if err := read("{"+b.String()+`"`+key+`":1}`, codec.Strict, decode); err == nil {
			t.Errorf("%s twice was taken", key)
		}
	}
}

// TestReset shows that a Decoder can be used again, and that what it returned before is not touched.
func TestReset(t *testing.T) {
	var d codec.Decoder
	buf := []byte(`{"name":5}`)
	var m sample
	d.Reset(buf, codec.Strict)
	m.decode(&d)
	first := d.Issues()
	want := first.Error()
	m = sample{}
	buf = append(buf[:0], goodSample...)
	d.Reset(buf, codec.Strict)
	m.decode(&d)
	if err := d.Err(); err != nil {
		t.Error(err)
	}
	clear(buf)
	if first.Error() != want || m.Name != "anna" || m.Counts["a"] != 1 {
		t.Errorf("changed: %v, %+v", first, m)
	}
}
