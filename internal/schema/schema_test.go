package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
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
func parseType(t *testing.T, value string) *schema.Type {
	t.Helper()
	f := parse(t, "wsgen: 1\nname: Chat\nclientToServer:\n  A:\n    a:"+value+"\n")
	return f.Messages[0].Payload.Fields[0].Type
}

// show writes a type in one spelling.
func show(t *schema.Type) string {
	if t == nil {
		return "-"
	}
	s := ""
	switch t.Shape {
	case schema.Word:
		s = t.Word
	case schema.ListOf:
		s = "list<" + show(t.Elem) + ">"
	case schema.MapOf:
		s = "map<" + show(t.Key) + ", " + show(t.Elem) + ">"
	case schema.Object:
		var fields []string
		for _, f := range t.Fields {
			name := f.Name.Value
			if f.Optional {
				name += "?"
			}
			fields = append(fields, name+": "+show(f.Type))
		}
		s = "{" + strings.Join(fields, ", ") + "}"
	case schema.Enum:
		for _, v := range t.Values {
			s += fmt.Sprintf("/%s(%s)", v.Value.Value, v.Doc)
		}
	case schema.UnionOf:
		for _, v := range t.Variants {
			s += "|" + show(v)
		}
	}
	if b := t.Bounds; b != nil {
		s += "(" + b.Min.Value + ".." + b.Max.Value + ")"
	}
	if t.Nullable {
		s += "?"
	}
	if t.Default != nil {
		s += "=" + string(t.Default.JSON)
	}
	return s
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{" string", "string"},
		{" string(1..64)", "string(1..64)"},
		{" string(36)", "string(36..36)"},
		{" string(..9)", "string(..9)"},
		{" int32( -5 .. )", "int32(-5..)"},
		{" float(0.5..1e3)", "float(0.5..1e3)"},
		{" [string]", "list<string>"},
		{" string[]", "list<string>"},
		{" string[](1..10)", "list<string>(1..10)"},
		{" string(1..4)[](..2)[]", "list<list<string(1..4)>(..2)>"},
		{" map<uint32>", "map<-, uint32>"},
		{" map<string, T>", "map<string, T>"},
		{" map<uuid, map<bool | null>>(1..2)", "map<uuid, map<-, bool?>>(1..2)"},
		{" T | null", "T?"},
		{" null | T", "T?"},
		{" (T | null)[]", "list<T?>"},
		{" (T[] | null)[] | null", "list<list<T>?>?"},
		{" A | B", "|A|B"},
		{" alias.Name", "alias.Name"},
		{" string = x", `string="x"`},
		{` string = "x y"`, `string="x y"`},
		{" \"string = 'it''s #1'\"", `string="it's #1"`},
		{" int = -5", "int=-5"},
		{" string | null = null", "string?=null"},
		{` int[] = [1,  2]`, `list<int>=[1,2]`},
		{" bool=true", "bool=true"},
		{" {b: int, \"c?\": [T]}", "{b: int, c?: list<T>}"},
		{"\n      b: int\n      c?: T", "{b: int, c?: T}"},
		{" {enum: [open, closed]}", "/open()/closed()"},
		{" {enum: {open: To all., closed: }}", "/open(To all.)/closed()"},
		{" {type: string, enum: [yes, \"1\"]}", "/yes()/1()"},
		{" {fields: {type: string, enum: int}}", "{type: string, enum: int}"},
		{" {items: [T], total: int}", "{items: list<T>, total: int}"},
		{" >-\n      string(1..2)\n      | null", "string(1..2)?"},
	} {
		if got := show(parseType(t, tt.src)); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.src, got, tt.want)
		}
	}
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
		got = append(got, fmt.Sprintf("%s %s payload=%s request=%t response=%s", m.Section, m.Name.Value, show(m.Payload), m.Request, show(m.Response)))
	}
	want := `clientToServer NOTHING payload=- request=false response=-
clientToServer EMPTY payload=- request=false response=-
clientToServer FIELDS payload={a: int} request=false response=-
clientToServer NAMED payload=T request=false response=-
clientToServer EVENT payload={a: int} request=false response=-
clientToServer CALL payload={a: int} request=true response=T
clientToServer BARE_CALL payload=- request=true response=-
clientToServer REQUEST_IS_A_FIELD payload={request: string} request=false response=-
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
	if show(call.Progress) != "list<int>" || call.Timeout.String() != "1m30s" || !call.Idempotent || call.ResponseType.Value != "DONE" {
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
	docs := []string{member.Doc, member.Type.Fields[0].Doc, member.Type.Fields[1].Doc, member.Type.Fields[2].Doc, f.Types[1].Type.Values[0].Doc, f.Types[1].Type.Values[1].Doc, f.Messages[0].Doc, f.Messages[1].Doc}
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
