package typescript_test

import (
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen/typescript"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// generate returns the files of a protocol by their names.
func generate(t *testing.T, source, yaml string) map[string]string {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse(source, []byte("wsgen: 1\n"+yaml), &diags), &diags)
	if api == nil {
		t.Fatal(diags.Sorted())
	}
	files, err := typescript.Generate(api)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Data)
	}
	return out
}

// wantAll wants texts to stand in a module.
func wantAll(t *testing.T, module string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(module, text) {
			t.Errorf("there is no %s", text)
		}
	}
}

// TestNoTextBecomesCode has names and texts with line ends and ends of comments, which must not come out of their comments.
func TestNoTextBecomesCode(t *testing.T) {
	const evil = `"E*/\nexport const evil = 1;\u2028export const evil = 1; /*"`
	files := generate(t, "m\nexport const evil = 1;.yaml", "name: "+evil+"\ndescription: "+evil+`
go: {package: e}
ts: {react: true}
types:
  Kind: {enum: {a: `+evil+`}}
  T: {type: object, description: `+evil+`, fields: {a: {type: string, description: `+evil+`, deprecated: `+evil+`, default: `+evil+`}}}
both: {A: {description: `+evil+`, deprecated: `+evil+`, payload: {t: T, k: Kind, c: {const: `+evil+`}}}}
errors: {BAD: {description: `+evil+`}}
`)
	for name, text := range files {
		for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\u2028' }) {
			if strings.HasPrefix(strings.TrimSpace(line), "export const evil") {
				t.Errorf("%s has code of the schema's texts", name)
			}
		}
	}
}

// TestPrototypesAreNoDefaults has a default with a key that code would take for the prototype.
func TestPrototypesAreNoDefaults(t *testing.T) {
	module := generate(t, "m.yaml", "name: Test\nclientToServer: {A: {x: {type: any, default: {a: 1, __proto__: {__proto__: 1}}}}}\n")["client.gen.ts"]
	wantAll(t, module, `{"a":1,["__proto__"]:{["__proto__"]:1}}]`)
}

// TestInputsOfCircles has two types that contain each other, one of which may leave out more when it is sent.
func TestInputsOfCircles(t *testing.T) {
	module := generate(t, "m.yaml", `
name: Test
types:
  A: {"b?": B, d: D}
  B: {"a?": A}
  D: {x: int = 5}
clientToServer: {SEND_B: {b: B, a: A}}
`)["client.gen.ts"]
	wantAll(t, module, "interface AInput {\n  b?: BInput;\n  d: DInput;\n}", "interface BInput {\n  a?: AInput;\n}", "b: BInput;\n  a: AInput;")
}

// TestMethodsOfObjects are not overridden by messages of their names.
func TestMethodsOfObjects(t *testing.T) {
	module := generate(t, "m.yaml", `
name: Test
clientToServer:
  TO_STRING: {}
  VALUE_OF: {}
  HAS_OWN_PROPERTY: {}
  IS_PROTOTYPE_OF: {}
  PROPERTY_IS_ENUMERABLE: {}
  TO_LOCALE_STRING: {}
`)["client.gen.ts"]
	wantAll(t, module, "  sendToString(): boolean", "  sendValueOf(): boolean", "  sendHasOwnProperty(): boolean", "  sendIsPrototypeOf(): boolean",
		"  sendPropertyIsEnumerable(): boolean", "  sendToLocaleString(): boolean")
}

// TestNegativeNumbers keep their sign in names.
func TestNegativeNumbers(t *testing.T) {
	module := generate(t, "m.yaml", "name: Test\ntypes: {E: {type: integer, enum: [-1, 5]}}\nclientToServer: {A: {e: E}}\n")["client.gen.ts"]
	wantAll(t, module, "  Minus1: -1,\n  \"5\": 5,\n")
}

// TestComments say what the schema asks of values and messages.
func TestComments(t *testing.T) {
	module := generate(t, "m.yaml", `
name: Test
types:
  Name: string(1..64)
  # How loud.
  Level: int(10..600)
clientToServer:
  A:
    n: string(..5)
    f: "float(0..1) = 0.5"
    i: int32(1..)
    u: uint8
    list: "string(2)[](1..)"
    o: {type: int8, deprecated: true, description: The number., maximum: 5}
  OLD: {deprecated: true, sunset: 2027-01-31, rate: {limit: 10, per: 1s, by: user}, maxBytes: 1024, payload: {a: int}}
  GET: {request: {x: int}, response: {a: int}, timeout: 5s, idempotent: true, errors: {NOT_IN_ROOM: {}, GONE: {}}}
  PLAIN: {request: {x: int}, response: {a: int}}
`)["client.gen.ts"]
	wantAll(t, module, "/** 1 to 64 characters */\nexport type Name", "/** How loud. 10 to 600. */\nexport type Level", "  /** at most 5 characters */\n  n:",
		"   * 0 to 1\n   *\n   * @defaultValue `0.5`\n", "  /** at least 1 */\n  i:", "\n  u: number", "  /** at least 1 item, each 2 characters */\n  list:",
		"   * The number. at most 5.\n   *\n   * @deprecated Do not use it any more.\n",
		"The server takes 10 per second by user. Its frame may have 1024 bytes.\n   *\n   * @deprecated Do not use it any more. It goes away on 2027-01-31.\n",
		"Its errors include NOT_IN_ROOM, GONE. The answer may take 5s. It is sent again after a lost connection. */",
		"  /** Sends PLAIN and waits for its answer. */", `export type GetErrors = "NOT_IN_ROOM" | "GONE";`)
}
