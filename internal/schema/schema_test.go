package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/schema"
)

// parse reads a file that has no errors.
func parse(t *testing.T, src string) *schema.File {
	t.Helper()
	var diags diag.List
	f := schema.Parse("messages.yaml", []byte(src), &diags)
	for _, d := range diags.Sorted() {
		t.Fatalf("%v: %s (%s)", d.Pos, d.Message, d.Rule)
	}
	return f
}

// parseType reads a type as the field of a message, with what is written behind the field's name.
func parseType(t *testing.T, value string) *jsonschema.Schema {
	t.Helper()
	f := parse(t, "wsgen: 1\nname: Chat\nclientToServer:\n  A:\n    a:"+value+"\n")
	return f.Messages[0].Payload.Properties[0].Schema
}

// show writes a schema as JSON, with the names that are not resolved yet.
func show(t *jsonschema.Schema) string {
	if t == nil {
		return "-"
	}
	name(t)
	raw, err := jsonschema.Marshal(jsonschema.Printer{Docs: true}.Schema(t))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// name prints names as if they were resolved.
func name(t *jsonschema.Schema) {
	if t.Source != nil {
		t.Ref = t.Source.Name
	}
	t.Children(func(_, _ string, child *jsonschema.Schema) { name(child) })
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{" string", `{"type":"string"}`},
		{" string(1..64)", `{"type":"string","minLength":1,"maxLength":64}`},
		{" string(36)", `{"type":"string","minLength":36,"maxLength":36}`},
		{" string(..9)", `{"type":"string","maxLength":9}`},
		{" int32( -5 .. )", `{"type":"integer","format":"int32","minimum":-5,"maximum":2147483647}`},
		{" float(0.5..1e3)", `{"type":"number","minimum":0.5,"maximum":1000}`},
		{" [string]", `{"type":"array","items":{"type":"string"}}`},
		{" string[]", `{"type":"array","items":{"type":"string"}}`},
		{" string[](1..10)", `{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":10}`},
		{" string(1..4)[](..2)[]", `{"type":"array","items":{"type":"array","items":{"type":"string","minLength":1,"maxLength":4},"maxItems":2}}`},
		{" map<uint32>", `{"type":"object","additionalProperties":{"type":"integer","format":"uint32","minimum":0,"maximum":4294967295}}`},
		{" map<string, T>", `{"type":"object","additionalProperties":{"$ref":"#/$defs/T"}}`},
		{" map<uuid, map<bool | null>>(1..2)", `{"type":"object","additionalProperties":{"type":"object","additionalProperties":{"type":["boolean","null"]}},"propertyNames":{"type":"string","format":"uuid"},"minProperties":1,"maxProperties":2}`},
		{" T | null", `{"anyOf":[{"$ref":"#/$defs/T"},{"type":"null"}]}`},
		{" null | T", `{"anyOf":[{"$ref":"#/$defs/T"},{"type":"null"}]}`},
		{" (T | null)[]", `{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/T"},{"type":"null"}]}}`},
		{" (T[] | null)[] | null", `{"type":["array","null"],"items":{"type":["array","null"],"items":{"$ref":"#/$defs/T"}}}`},
		{" A | B", `{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}]}`},
		{" alias.Name", `{"$ref":"#/$defs/alias.Name"}`},
		{" string = x", `{"type":"string","default":"x"}`},
		{` string = "x y"`, `{"type":"string","default":"x y"}`},
		{" \"string = 'it''s #1'\"", `{"type":"string","default":"it's #1"}`},
		{" int = -5", `{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991,"default":-5}`},
		{" string | null = null", `{"type":["string","null"],"default":null}`},
		{` int[] = [1,  2]`, `{"type":"array","items":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991},"default":[1,2]}`},
		{" bool=true", `{"type":"boolean","default":true}`},
		{" {b: int, \"c?\": [T]}", `{"type":"object","properties":{"b":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991},"c":{"type":"array","items":{"$ref":"#/$defs/T"}}},"required":["b"],"additionalProperties":false}`},
		{"\n      b: int\n      c?: T", `{"type":"object","properties":{"b":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991},"c":{"$ref":"#/$defs/T"}},"required":["b"],"additionalProperties":false}`},
		{" {enum: [open, closed]}", `{"type":"string","enum":["open","closed"]}`},
		{" {enum: {open: To all., closed: }}", `{"type":"string","enum":["open","closed"],"x-enum-descriptions":["To all.",""]}`},
		{" {type: string, enum: [yes, \"1\"]}", `{"type":"string","enum":["yes","1"]}`},
		{" {fields: {type: string, enum: int}}", `{"type":"object","properties":{"type":{"type":"string"},"enum":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991}},"required":["type","enum"],"additionalProperties":false}`},
		{" {items: [T], total: int}", `{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/$defs/T"}},"total":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991}},"required":["items","total"],"additionalProperties":false}`},
		{" >-\n      string(1..2)\n      | null", `{"type":["string","null"],"minLength":1,"maxLength":2}`},
	} {
		if got := show(parseType(t, tt.src)); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

// TestLongForms pairs each rule of the short form with the JSON Schema that it stands for, and reads that, too.
func TestLongForms(t *testing.T) {
	for short, long := range map[string]string{
		"{b: int32, \"c?\": string}": `{type: object, additionalProperties: false, required: [b], properties: {c: {type: string}, b: {type: int32}}}`,
		"int32(1..100) = 50":         `{type: integer, format: int32, minimum: 1, maximum: 100, default: 50}`,
		"int32":                      `{type: integer, format: int32}`,
		"int":                        `{type: integer}`,
		"uint8(1..)":                 `{type: uint8, exclusiveMinimum: 0}`,
		"string(1..64) | null":       `{type: [string, "null"], minLength: 1, maxLength: 64.0}`,
		"int | null":                 `{type: [integer, "null"]}`,
		"string[](1..10)":            `{type: array, items: string, minItems: 1, maxItems: 10}`,
		"(float[] | null)[]":         `{type: array, items: {type: [array, "null"], items: {type: number}}}`,
		"map<uint8>":                 `{type: object, additionalProperties: {type: uint8}}`,
		"map<uuid, bool>(1..)":       `{type: object, propertyNames: uuid, additionalProperties: bool, minProperties: 1}`,
		"bytes(..4)":                 `{type: string, contentEncoding: base64, maxLength: 8}`,
		"int64":                      `{type: string, format: int64, pattern: "^(0|-?[1-9][0-9]{0,18})$"}`,
		"uint64":                     `{type: string, format: uint64}`,
		"date-time":                  `{type: string, format: date-time}`,
		"{enum: [a, b]}":             `{type: string, enum: [a, b]}`,
		"any":                        `{$comment: everything, type: any}`,
		"object(..3)":                `{type: object, maxProperties: 3, minProperties: 0}`,
		"{fields: {type: string}}":   `{type: object, properties: {type: {type: string}}, required: [type], additionalProperties: false}`,
		"float(0.5..1e3)":            `{type: number, minimum: 0.5, maximum: 1000.0}`,
	} {
		s, l := parseType(t, " "+short), parseType(t, " "+long)
		if strings.HasPrefix(short, "{b") { // the order of properties is that of the file
			l.Properties[0], l.Properties[1] = l.Properties[1], l.Properties[0]
		}
		if show(s) != show(l) {
			t.Errorf("%s\nis    %s\nbut   %s\nis    %s", short, show(s), long, show(l))
		}
	}
}

// brief writes a payload as its reference, or as its fields.
func brief(t *jsonschema.Schema) string {
	if t == nil {
		return "-"
	}
	if t.Source != nil && t.Source.Name != "" {
		return t.Source.Name
	}
	var fields []string
	for _, f := range t.Properties {
		fields = append(fields, f.Name)
	}
	return fmt.Sprint(fields)
}

func TestMessageForms(t *testing.T) {
	f := parse(t, `wsgen: 1
name: Chat
clientToServer:
  NOTHING:
  EMPTY: {}
  FIELDS: {a: int}
  NAMED: T
  EVENT: {payload: {a: int}, rate: 100/m burst 5, maxBytes: 8KiB, auth: [owner, admin], room: joined, deprecated: true}
  CALL: {request: {a: int}, response: T, progress: [int], timeout: 1m30s, idempotent: true, responseType: DONE}
  BARE_CALL: {response: }
  REQUEST_IS_A_FIELD: {request: string}
serverToClient:
  LATEST: {payload: T, delivery: latest by userId}
`)
	var got []string
	for _, m := range f.Messages {
		got = append(got, fmt.Sprintf("%s %s payload=%s request=%t response=%s", m.Section, m.Name.Value, brief(m.Payload), m.Request, brief(m.Response)))
	}
	want := `clientToServer NOTHING payload=- request=false response=-
clientToServer EMPTY payload=- request=false response=-
clientToServer FIELDS payload=[a] request=false response=-
clientToServer NAMED payload=T request=false response=-
clientToServer EVENT payload=[a] request=false response=-
clientToServer CALL payload=[a] request=true response=T
clientToServer BARE_CALL payload=- request=true response=-
clientToServer REQUEST_IS_A_FIELD payload=[request] request=false response=-
serverToClient LATEST payload=T request=false response=-`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	event, call, latest := f.Messages[4], f.Messages[5], f.Messages[8]
	if r := event.Rate; r.Limit != 100 || r.Per.String() != "1m0s" || r.Burst != 5 || r.By != "connection" {
		t.Errorf("rate: %+v", r)
	}
	if event.MaxBytes != 8192 || len(event.Auth.Roles) != 2 || event.Room.Value != "joined" || event.Deprecated == "" {
		t.Errorf("attributes: %+v", event)
	}
	if call.Progress.Items == nil || call.Timeout.String() != "1m30s" || !call.Idempotent || call.ResponseType.Value != "DONE" {
		t.Errorf("attributes: %+v", call)
	}
	if latest.Delivery.Mode != "latest" || latest.Delivery.Field.Value != "userId" || latest.Delivery.Field.Pos.Col != 44 {
		t.Errorf("delivery: %+v", latest.Delivery)
	}
}

func TestCommentsAreDocumentation(t *testing.T) {
	f := parse(t, `# A file about chat.

wsgen: 1
name: Chat
types:
  # One line
  # and another.
  Member:
    # Shown to others.
    nick: string
    # TODO: remove
    age: int # in years
    # nodoc
    # Not this one.
    x: {fields: {a: int}, description: Explicit wins.}
  Role:
    enum:
      - owner # may do all
      - member
clientToServer:
  # Enter.
  JOIN: {a: int}
  LEAVE:
    payload: {a: int}
    description: Go.
`)
	member := f.Types[0]
	fields := member.Type.Properties
	docs := []string{member.Type.Description, fields[0].Schema.Description, fields[1].Schema.Description, fields[2].Schema.Description, f.Types[1].Type.EnumDocs[0], f.Types[1].Type.EnumDocs[1], f.Messages[0].Doc, f.Messages[1].Doc}
	want := []string{"One line\nand another.", "Shown to others.", "in years", "Explicit wins.", "may do all", "", "Enter.", "Go."}
	for i := range docs {
		if docs[i] != want[i] {
			t.Errorf("%d: got %q, want %q", i, docs[i], want[i])
		}
	}
}

// TestKeysAreText reads names that YAML could take for something else.
func TestKeysAreText(t *testing.T) {
	f := parse(t, "wsgen: 1\nname: Chat\nclientToServer:\n  ON: {a: int}\n  NO: {a: int}\n  NULL: {a: int}\n  1e3: {a: int}\n  true: {a: int}\n  2020-01-01: {a: int}\n")
	var names []string
	for _, m := range f.Messages {
		names = append(names, m.Name.Value)
	}
	if got := strings.Join(names, " "); got != "ON NO NULL 1e3 true 2020-01-01" {
		t.Errorf("got %s", got)
	}
}

func TestLineEndsAndByteOrderMark(t *testing.T) {
	f := parse(t, "\ufeffwsgen: 1\r\nname: Chat\r\nclientToServer:\r\n  # Über\r\n  JOIN: {a: int}\r\n")
	if m := f.Messages[0]; m.Doc != "Über" || m.Name.Pos.Line != 5 || m.Name.Pos.Col != 3 {
		t.Errorf("got %q at %v", m.Doc, m.Name.Pos)
	}
}

// TestLimits shows that no file is too large or too deep for an error.
func TestLimits(t *testing.T) {
	head := "wsgen: 1\nname: Chat\ntypes:\n"
	for name, src := range map[string]string{
		"long":             head + "  A: string # " + strings.Repeat("x", 1<<20),
		"deep lists":       head + "  A: " + strings.Repeat("[", 5000) + "int" + strings.Repeat("]", 5000),
		"deep mappings":    head + "  A: " + strings.Repeat("{a: ", 500) + "int" + strings.Repeat("}", 500),
		"deep parentheses": head + "  A: " + strings.Repeat("(", 1000) + "int" + strings.Repeat(")", 1000),
		"deep maps":        head + "  A: " + strings.Repeat("map<", 1000) + "int" + strings.Repeat(">", 1000),
		"deep arrays":      head + "  A: int" + strings.Repeat("[]", 100000),
		"deep blocks":      head + "  A:\n" + deepBlock(300),
		"aliases":          "a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
		"huge number":      head + "  A: int(1e999999999..)\n  B:\n    a: int = 1e999999999\n    b: float = 1e-999999999\n",
		"half a character": "wsgen: 1\nname: \xf0\x9f\n",
	} {
		var diags diag.List
		schema.Parse("messages.yaml", []byte(src), &diags)
		if !diags.HasErrors() && name != "huge number" { // which is the model's to judge
			t.Errorf("%s: no error", name)
		}
	}
}

func deepBlock(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", 4+i) + "a:\n")
	}
	return b.String()
}
