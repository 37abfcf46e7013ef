package jsonschema_test

import (
	"encoding/json"
	"testing"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// TestParse reads again what is printed for everything that a schema can have.
func TestParse(t *testing.T) {
	for _, text := range []string{
		`true`, `false`, `{}`,
		`{"$ref":"#/$defs/a~1b~0c"}`,
		`{"type":["string","null"],"enum":["a",null],"format":"date","minLength":1,"maxLength":2,"pattern":"^a","default":"a"}`,
		`{"type":"number","minimum":-1.5,"exclusiveMinimum":0,"maximum":1e3,"exclusiveMaximum":7,"multipleOf":0.1}`,
		`{"prefixItems":[{},{"const":1}],"items":false,"minItems":1,"maxItems":2,"uniqueItems":true,"contains":{"const":{"a":[1]}},"minContains":0,"maxContains":2,"unevaluatedItems":false}`,
		`{"properties":{"b":{},"a":false},"patternProperties":{"^x":{"type":"string"}},"required":["b"],"additionalProperties":false,"propertyNames":{"maxLength":3},"minProperties":1,"maxProperties":2,"unevaluatedProperties":false,"dependentRequired":{"a":["b"]},"dependentSchemas":{"a":{}}}`,
		`{"allOf":[{}],"anyOf":[{}],"oneOf":[{}],"not":{},"if":{},"then":{},"else":{}}`,
		`{"title":"t","description":"d","deprecated":true,"readOnly":true,"writeOnly":true,"examples":[1,"a"],"x-discriminator":"k","x-enum-names":["A"],"x-enum-descriptions":["a"],"x-more":{"a":1}}`,
	} {
		s, err := jsonschema.Parse(json.RawMessage(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		raw, err := jsonschema.Marshal(jsonschema.Printer{Docs: true}.Schema(s))
		if want := text; err != nil || string(raw) != want && want != "true" {
			t.Errorf("got %s, %v, want %s", raw, err, want)
		}
	}
	for _, text := range []string{`[]`, `{"minimun":1}`, `{"type":5}`, `{"items":5}`, `{"properties":[]}`} {
		if _, err := jsonschema.Parse(json.RawMessage(text)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
