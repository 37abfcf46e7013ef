package validate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/validate"
)

var _ codec.Validator = validate.New("true")

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
		{`true`, `1`, ""},
		{` false `, `1`, "value is not allowed"},
		{`{"type":"string"}`, `1`, "value must be a string, got number"},
		{`{"type":["string","null"]}`, `[]`, "value must be a string or null, got array"},
		{`{"type":"integer"}`, `1.0`, ""},
		{`{"type":"integer"}`, `1e2`, ""},
		{`{"type":"integer"}`, `1.5`, "value must be an integer, got number"},
		{`{"type":"integer"}`, `1e2000000`, "value must be an integer, got number"},
		{`{"enum":["a",1,{"a":1}]}`, `{"a":1.0}`, ""},
		{`{"enum":["a",1]}`, `"b"`, `value must be one of "a", 1`},
		{`{"enum":[1,2,3,4,5,6,7,8,9,10]}`, `0`, `value must be one of 1, 2, 3, 4, 5, 6, 7, 8 or 2 more`},
		{`{"const":1}`, `1.0`, ""},
		{`{"const":1}`, `true`, "value must be 1"},
		{`{"const":null}`, `"null"`, "value must be null"},
		{`{"multipleOf":0.01}`, `19.99`, ""},
		{`{"multipleOf":0.01}`, `19.995`, "value must be a multiple of 0.01"},
		{`{"minimum":0.3}`, `0.29999999999999999999`, "value must be at least 0.3"},
		{`{"maximum":3}`, `4`, "value must be at most 3"},
		{`{"exclusiveMinimum":0}`, `-0`, "value must be greater than 0"},
		{`{"exclusiveMaximum":1}`, `1.0`, "value must be less than 1"},
		{`{"minimum":0}`, `1e2000000`, "value must have an exponent of at most 400"},
		{`{"maxLength":2.0}`, `"😀😀"`, ""},
		{`{"maxLength":2}`, `"abc"`, "value must have at most 2 characters"},
		{`{"minLength":1}`, `""`, "value must have at least 1 character"},
		{`{"minLength":2,"maxLength":2}`, `""`, "value must have exactly 2 characters"},
		{`{"maxLength":1e300}`, `"abc"`, ""},
		{`{"pattern":"b"}`, `"abc"`, ""},
		{`{"pattern":"^b"}`, `"abc"`, "value must match ^b"},
		{`{"format":"date"}`, `"2026-02-30"`, "value must be a date such as 2006-01-02"},
		{`{"format":"date-time"}`, `"2026-02-28T00:00:00Z"`, ""},
		{`{"format":"int64"}`, `"-9223372036854775808"`, ""},
		{`{"format":"int64"}`, `"9223372036854775808"`, "value must be a string with an integer of 64 bits"},
		{`{"format":"uint64"}`, `"007"`, "value must be a string with an integer of 64 bits"},
		{`{"format":"int64"}`, `7`, ""},
		{`{"format":"colour"}`, `"x"`, ""},
		{`{"contentEncoding":"base64"}`, `"aGk="`, ""},
		{`{"contentEncoding":"base64"}`, `"aGl="`, "value must be base64 with padding"},
		{`{"contentEncoding":"base64"}`, `"aGk=\n"`, "value must be base64 with padding"},
		{`{"prefixItems":[{"type":"string"}],"items":{"type":"null"}}`, `[1,1,null]`,
			"/0 must be a string, got number; /1 must be null, got number"},
		{`{"minItems":1}`, `[]`, "value must have at least 1 item"},
		{`{"maxItems":1}`, `[1,2]`, "value must have at most 1 item"},
		{`{"uniqueItems":true}`, `[1,"1",true,[1]]`, ""},
		{`{"uniqueItems":true}`, `[{"a":1,"b":2},0,{"b":2.0,"a":10e-1}]`, "value must have different items, but 0 and 2 are equal"},
		{`{"uniqueItems":true}`, `[0,-0.0]`, "value must have different items, but 0 and 1 are equal"},
		{`{"required":["a/b","c"]}`, `{}`, "/a~1b is required; /c is required"},
		{`{"properties":{"a":{"type":"null"}},"additionalProperties":false}`, `{"a":1,"b":1}`,
			"/a must be null, got number; /b unknown field"},
		{`{"patternProperties":{"^x":{"type":"null"}},"additionalProperties":{"type":"string"}}`, `{"x1":1,"y":1}`,
			"/x1 must be null, got number; /y must be a string, got number"},
		{`{"propertyNames":{"maxLength":1,"pattern":"^a"}}`, `{"bb":1}`,
			"/bb key must have at most 1 character; /bb key must match ^a"},
		{`{"propertyNames":false}`, `{"b":1}`, "/b key is not allowed"},
		{`{"minProperties":2}`, `{"a":1}`, "value must have at least 2 fields"},
		{`{"maxProperties":0}`, `{"a":1}`, "value must have at most 0 fields"},
		{`{"allOf":[{"minimum":2},{"multipleOf":2}]}`, `1`, "value must be at least 2; value must be a multiple of 2"},
		{`{"anyOf":[{"type":"string"},{"minimum":2}]}`, `1`, "value must match one of the alternatives"},
		{`{"oneOf":[{"type":"number"},{"minimum":2}]}`, `3`, "value must match exactly one of the alternatives, and matches 2"},
		{`{"oneOf":[{"properties":{"a":{"type":"string"}}}]}`, `{"a":1}`,
			"value must match exactly one of the alternatives, and matches 0"},
		{`{"$ref":"#/$defs/a~1b%25","maximum":5,"$defs":{"a/b%":{"minimum":3}}}`, `1`, "value must be at least 3"},
		{`{"$ref":"#/$defs/a","maximum":5,"$defs":{"a":{"minimum":3}}}`, `6`, "value must be at most 5"},
		{`{"type":"object","additionalProperties":{"$ref":"#"}}`, `{"a":{"b":1}}`, "/a/b must be an object, got number"},
		{`{"title":"t","description":"d","default":1,"examples":[1],"deprecated":true,"$comment":"c","x-y":[]}`, `1`, ""},
	}
	for _, test := range tests {
		t.Run(test.schema+" "+test.value, func(t *testing.T) {
			s := validate.New(test.schema)
			if got := issues(s, parse(t, test.value)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestWrongSchemas(t *testing.T) {
	tests := []struct{ schema, want string }{
		{``, "unexpected end of JSON input"},
		{`null`, "not null"},
		{`{"type":"string"`, "unexpected end of JSON input"},
		{`{"not":true}`, "not: unknown keyword"},
		{`{"properties":{"a":{"minimun":1}}}`, "properties: a: minimun: unknown keyword"},
		{`{"type":"strin"}`, `type: unknown type "strin"`},
		{`{"type":[]}`, "type: no type is named"},
		{`{"minimum":true}`, "minimum: true is no number"},
		{`{"minimum":1e2000000}`, "minimum: must have an exponent of at most 400"},
		{`{"multipleOf":0}`, "multipleOf: 0 is not above 0"},
		{`{"maxLength":-1}`, "maxLength: -1 is no size"},
		{`{"maxLength":1.5}`, "maxLength: 1.5 is no size"},
		{`{"pattern":"^(?=a)"}`, "pattern: error parsing regexp"},
		{`{"patternProperties":{"[":true}}`, "patternProperties: error parsing regexp"},
		{`{"anyOf":[true,{"items":[]}]}`, "anyOf: 1: items:"},
		{`{"$ref":"#/$defs/a"}`, "$ref: #/$defs/a is not here"},
		{`{"$ref":"other.json"}`, "$ref: other.json is not here"},
		{`{"$ref":"#"}`, "leads back to itself"},
		{`{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"$ref":"#/$defs/a"}}}`, "leads back to itself"},
		{`{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}`,
			"leads back to itself"},
	}
	for _, test := range tests {
		t.Run(test.schema, func(t *testing.T) {
			_, err := validate.Compile(test.schema)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, test.want) || !strings.Contains(p, test.schema) {
					t.Errorf("panics with %s", p)
				}
			}()
			validate.New(test.schema).Validate(nil, func(string, string) {})
		})
	}
}

// TestWorkIsBounded has alternatives that double the work with each level of the value. What cannot be decided is refused,
// also where a schema that does not match would let the value pass.
func TestWorkIsBounded(t *testing.T) {
	double := `{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/a"}},{"type":"array","items":{"$ref":"#/$defs/a"}}]}`
	value := parse(t, strings.Repeat("[", 40)+"1"+strings.Repeat("]", 40))
	for _, schema := range []string{
		`{"$ref":"#/$defs/a","$defs":{"a":` + double + `}}`,
		`{"oneOf":[true,{"anyOf":[{"$ref":"#/$defs/a"},true]}],"$defs":{"a":` + double + `}}`,
	} {
		if got := issues(validate.New(schema), value); got != "value takes too long to check" {
			t.Errorf("got %s", got)
		}
	}
}

func TestLargeValuesAreJudged(t *testing.T) {
	list := make([]any, 300_000)
	for i := range list {
		list[i] = json.Number("0.25")
	}
	s := validate.New(`{"items":{"type":"number","multipleOf":0.01}}`)
	if got := issues(s, list); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := validate.New(`{"$ref":"#/$defs/a","$defs":{"a":{"pattern":"^a"}}}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := issues(s, "b"); got != "value must match ^a" {
				t.Errorf("got %s", got)
			}
		})
	}
	wg.Wait()
}
