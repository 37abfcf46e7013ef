package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/lint"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

const head = "wsgen: 1\nname: Chat\n"

// run returns the findings of a protocol without errors, as line:column rule: message.
func run(t *testing.T, files map[string]string) []string {
	t.Helper()
	var diags diag.List
	read := func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("no file %s", name)
		}
		return []byte(text), nil
	}
	f := schema.Load("messages.yaml", read, &diags)
	api := model.Build(f, &diags)
	if api == nil {
		t.Fatalf("%+v", diags.Sorted())
	}
	var out []string
	for _, d := range lint.Run(api, f, func(file string) []byte { return []byte(files[file]) }) {
		out = append(out, fmt.Sprintf("%d:%d %s: %s", d.Pos.Line, d.Pos.Col, d.Rule, d.Message))
	}
	return out
}

var examples = []struct{ src, want string }{
	{"both:\n  A: {a: int} # wsgen:allow unrouted\n",
		"4:1 allow-without-reason: the comment lets nothing pass, for it gives no reason"},
	{"both:\n  A: {a: bytes(..10)}\n",
		"4:10 bytes-rounded: base64 text cannot tell 10 bytes from the next multiple of 3, which is checked"},
	{"both:\n  A: {payload: {a: int}, deprecated: true}\n",
		"4:3 deprecated-without-text: A is deprecated, and does not say what to use"},
	{"types:\n  E: {enum: [\"Ω1\", \"+1\", \"\U0001F600\"]}\nboth:\n  A: {a: E}\n",
		"4:7 enum-numbered: the constants of E are numbered, because no names can be made of its values"},
	{"both:\n  A: {type: object, properties: {a: int}, not: {type: any, required: [a]}}\n",
		"4:6 fallback: not is left to a JSON Schema library, which the generated package imports"},
	{"both:\n  2FA: {a: int}\n", "4:3 name-begins-with-digit: 2FA is X2fa in Go"},
	{"both:\n  ÜBER: {a: int}\n", "4:3 name-not-ascii: ÜBER is Über in Go"},
	{"both:\n  A: {type: object, properties: {\"nick?\": string}}\n",
		`4:34 optional-in-properties: the question mark is part of the name "nick?"`},
	{"types:\n  U:\n    oneOf:\n      - {type: object, required: [a, b], properties: {a: {const: x}, b: {const: x}}}\n      - " +
		"{type: object, required: [a, b], properties: {a: {const: y}, b: {const: y}}}\nboth:\n  A: {u: U}\n",
		"5:5 several-tags: U could be told apart by a, b; a is taken"},
	{"both:\n  A: {a: {type: string, title: string}}\n",
		`4:25 title-looks-like-type: "string" is read as the title of a type, not as a field`},
	{"both:\n  A: {a: {type: string, format: color}}\n", `4:25 unknown-format: the format "color" is not checked`},
	{"both:\n  ON: {a: int, 1: int}\n", "4:16 unquoted-key: some YAML readers do not take 1 for text\n4:3 unquoted-key: some " +
		"YAML readers do not take ON for text"},
	{"sharding: {key: roomId}\nclientToServer:\n  A: {a: int}\n  B: {payload: {a: int}, room: none}\n",
		"5:3 unrouted: A has no key of a room, and is handled by the connection"},
	{"imports: {common: ./common.yaml}\nboth:\n  A: {a: int}\n", `3:11 unused-import: no type of "common" is used`},
	{"types:\n  A: {b: B}\n  B: {a: A | null}\n  C: int\n  V: {x: int}\n  U: {discriminator: k, mapping: {v: V}}\nboth:\n  M: " +
		"{c: C, u: U}\n", "4:3 unused-type: nothing uses the type A\n5:3 unused-type: nothing uses the type B"},
}

func TestRules(t *testing.T) {
	var met []string
	for _, tt := range examples {
		got := run(t, map[string]string{"messages.yaml": head + tt.src, "common.yaml": "wsgen: 1\ntypes: {T: int}\n"})
		slices.Sort(got)
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.src, text, tt.want)
		}
		met = append(met, strings.TrimSuffix(strings.Fields(tt.want)[1], ":"))
	}
	for _, r := range lint.Rules() {
		if !slices.Contains(met, r.ID) {
			t.Errorf("%s has no example", r.ID)
		}
	}
	if !slices.IsSortedFunc(lint.Rules(), func(a, b lint.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the rules are not sorted")
	}
}

// TestAllow lets findings pass by comments and by the file.
func TestAllow(t *testing.T) {
	src := "sharding: {key: roomId}\n%sclientToServer:\n  A: {a: int} # wsgen:allow unrouted for everybody\n  # wsgen:allow " +
		"unrouted for all\n  B: {a: int}\n  # wsgen:allow unrouted\n  C: {a: int}\n  # wsgen:allow unused-type because\n  " +
		"D: {a: int}\n"
	got := run(t, map[string]string{"messages.yaml": head + fmt.Sprintf(src, "")})
	want := []string{"8:1 allow-without-reason: the comment lets nothing pass, for it gives no reason",
		"9:3 unrouted: C has no key of a room, and is handled by the connection",
		"11:3 unrouted: D has no key of a room, and is handled by the connection"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got = run(t, map[string]string{"messages.yaml": head + fmt.Sprintf(src,
		"lint: {except: [unrouted, unruted, allow-without-reason]}\n")})
	if !slices.Equal(got, []string{`4:27 unknown-rule: there is no rule "unruted"`}) {
		t.Errorf("got %q", got)
	}
}
