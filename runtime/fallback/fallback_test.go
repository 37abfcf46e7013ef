package fallback_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/fallback"
)

var _ codec.Validator = fallback.New("true")

// parse returns a JSON text as validators take it.
func parse(t testing.TB, s string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// issues returns what v reports, one after the other.
func issues(v codec.Validator, value any) string {
	var out []string
	v.Validate(value, func(path, message string) { out = append(out, codec.Issue{Path: path, Message: message}.String()) })
	return strings.Join(out, "; ")
}

func TestIssues(t *testing.T) {
	tests := []struct{ schema, value, want string }{
		{`{"not":{"type":"string"}}`, `1`, ""},
		{`{"not":{"type":"string"}}`, `"a"`, "value not failed"},
		{`{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, "value missing properties: 'b'"},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, "value property 'b' is required, if 'a' property exists"},
		{`{"properties":{"z":{"type":"null"},"a":{"multipleOf":2,"maximum":0}}}`, `{"z":1,"a":1}`,
			"/a 1 not multipleOf 2; /a must be <= 0 but found 1; /z expected null, but got number"},
		{`{"properties":{"a b%/~":{"type":"null"}}}`, `{"a b%/~":1}`, "/a b%~1~0 expected null, but got number"},
		{`{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"type":"null"}}}`, `[null,1]`, "/1 expected null, but got number"},
		{`{"not":{"minimum":0}}`, `[{"a":1e2000000}]`, "/0/a must have an exponent of at most 400"},
		{`{"contentEncoding":"base64"}`, `"aGl="`, "value value is not base64 encoded"},
		{`{"contentEncoding":"base64"}`, `"aGk=\n"`, "value value is not base64 encoded"},
		{`{"contentEncoding":"base64","contentMediaType":"application/json"}`, `"e30="`, ""},
		{`{"format":"int64"}`, `"9223372036854775807"`, ""},
		{`{"format":"int64"}`, `"007"`, "value '007' is not valid 'int64'"},
		{`{"format":"date-time"}`, `"2026-01-02T+3:04:05Z"`, "value '2026-01-02T+3:04:05Z' is not valid 'date-time'"},
		{`{"format":"date-time"}`, `5`, ""},
		{`{"format":"colour"}`, `"x"`, ""},
	}
	for _, test := range tests {
		t.Run(test.schema+" "+test.value, func(t *testing.T) {
			s := fallback.New(test.schema)
			if got := issues(s, parse(t, test.value)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestNothingIsLoaded checks that a schema cannot make a server read files or call others.
func TestNothingIsLoaded(t *testing.T) {
	for _, ref := range []string{"other.json", "file:///dev/null", "fallback_test.go", "http://localhost/x.json"} {
		_, err := fallback.Compile(`{"$ref":"` + ref + `"}`)
		if err == nil || !strings.Contains(err.Error(), "must not leave the document") {
			t.Errorf("%s: got %v", ref, err)
		}
	}
	local := `{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/a","$defs":{"a":true}}`
	if _, err := fallback.Compile(local); err != nil {
		t.Error(err)
	}
}

func TestWrongSchema(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "fallback: ") {
			t.Errorf("got %v", err)
		}
	}()
	fallback.New(`{"type":"strin"}`).Validate(nil, func(string, string) {})
}

// TestGlobalsStay checks that the library judges as before for others in the program.
func TestGlobalsStay(t *testing.T) {
	formats, decoders := len(jsonschema.Formats), len(jsonschema.Decoders)
	issues(fallback.New(`{"format":"int64"}`), "1")
	if _, ok := jsonschema.Formats["int64"]; ok || len(jsonschema.Formats) != formats || len(jsonschema.Decoders) != decoders {
		t.Error("formats or decoders of the library were changed")
	}
}

// TestStrangeValues has values that the library panics on or does not know.
func TestStrangeValues(t *testing.T) {
	type mine struct{}
	for _, v := range []any{mine{}, []any{mine{}}, json.Number("x")} {
		if got := issues(fallback.New(`{"type":"array","items":{"not":{"const":1}},"minimum":1}`), v); got == "" {
			t.Errorf("%#v is accepted", v)
		}
	}
}
