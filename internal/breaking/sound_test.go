package breaking_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/breaking"
	"github.com/wsgen/wsgen/internal/conformance"
	"github.com/wsgen/wsgen/internal/diag"
	gen "github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
	"github.com/wsgen/wsgen/runtime/fallback"
)

// parse builds a protocol of a text that has no errors.
func parse(t *testing.T, src string) *model.API {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", []byte("wsgen: 1\nname: T\n"+src), &diags), &diags)
	if api == nil {
		t.Fatalf("%s\n%+v", src, diags.Sorted())
	}
	return api
}

// soundTypes are types of one field, any of which may become any other one.
var soundTypes = []string{
	`string`, `string(..10)`, `string(2..4)`, `{enum: [ab, c]}`, `{enum: [ab, c, "12345678901"]}`, `{const: ab}`, `{const: 5}`,
	`{enum: [1, 2]}`,
	`{type: string, pattern: "^a"}`, `uuid`, `date-time`, `int`, `int32`, `uint32`, `int8`, `int32(0..100)`, `int(0..200)`,
	`float`, `float32`,
	`float(0..10)`, `{type: integer, exclusiveMinimum: 0}`, `{type: int, multipleOf: 4}`, `int64`, `uint64`, `bytes`, `bool`,
	`any`, `string | null`,
	`int | string`, `bool | string(..3)`, `{oneOf: [int, {type: "null"}]}`, `{type: [string, integer]}`, `[string]`, `[int]`,
	`{type: array, items: int, maxItems: 2, uniqueItems: true}`, `{type: array, prefixItems: [int, string], items: false}`,
	`map<int>`, `map<string>`,
	`{x: int}`, `{"x?": int}`, `{x: int, y: int}`, `{x: int, "y?": string}`, `{type: object, properties: {x: int}}`, `object`,
	`{type: object, properties: {x: int}, additionalProperties: string}`,
	`{type: object, propertyNames: {type: string, maxLength: 1}}`,
	`{type: object, patternProperties: {"^x": int}}`,
	`{allOf: [{type: object, properties: {x: int}, required: [x]}, {type: object, properties: {y: int}}]}`,
	`{type: object, properties: {x: int, y: int}, anyOf: [{type: object, required: [x]}, {type: object, required: [y]}]}`,
	`{type: string, not: {type: string, const: ab}}`, `{discriminator: k, mapping: {p: {x: int}, q: {y: int}}}`,
	`{discriminator: k, mapping: {p: {x: int}}}`,
	`{type: array, contains: {const: 1}}`, `map<any>`, `{type: object, minProperties: 1}`, `{x: int | null}`,
	`{type: object, properties: {x: string}}`, `{type: object, patternProperties: {"^x": int}, additionalProperties: false}`,
	`{type: object, patternProperties: {"^x": int}, properties: {xa: string}}`, `{type: [array, "null"], items: int}`,
	`{type: array, prefixItems: [int], items: string}`, `{type: [object, string]}`,
	`{anyOf: [{type: string, maxLength: 2}, int]}`,
}

// TestEveryPairIsSound changes each type into each other one. A value that the other side refuses must not go unnoticed, and a
// type that stays as it is must not be noticed. The values are drawn from all types: a type that allows much seldom draws by
// itself what another one refuses.
func TestEveryPairIsSound(t *testing.T) {
	type version struct {
		toServer, toClient, toStrict *breaking.Protocol
		strict, lenient              judge
	}
	versions := make([]version, len(soundTypes))
	var values []any
	for i, typ := range soundTypes {
		api := parse(t, "clientToServer:\n  M: {a: "+typ+"}\n")
		fromServer := "serverToClient:\n  M: {a: " + typ + "}\n"
		versions[i] = version{breaking.Of(api), breaking.Of(parse(t, fromServer)),
			breaking.Of(parse(t, "clients: strict\n"+fromServer)),
			newJudge(t, api.Defs), newJudge(t, gen.LenientDefinitions(api))}
		s := &conformance.Sampler{Rand: rand.New(rand.NewPCG(1, 2)), Lookup: api.Defs.Get}
		for range 60 {
			values = append(values, s.Value(api.Defs.Get("M"), 4))
		}
	}
	for i := range versions {
		versions[i].strict.keep(values)
	}
	for i, old := range versions {
		for j, new := range versions {
			name := soundTypes[i] + " to " + soundTypes[j]
			for _, d := range []struct {
				name         string
				found        []breaking.Finding
				sends, takes judge
			}{
				{"client to server", breaking.Compare(old.toServer, new.toServer, breaking.Options{}), old.strict, new.strict},
				{"server to client", breaking.Compare(old.toClient, new.toClient, breaking.Options{}), new.strict, old.lenient},
				{"server to strict client", breaking.Compare(old.toStrict, new.toStrict, breaking.Options{}), new.strict,
					old.strict},
				// New clients that meet old servers.
				{"client to server, any order", onlyErrors(breaking.Compare(old.toServer, new.toServer, anyOrder)), new.strict,
					old.strict},
				{"server to client, any order", onlyErrors(breaking.Compare(old.toClient, new.toClient, anyOrder)), old.strict,
					new.lenient},
				{"server to strict client, any order", onlyErrors(breaking.Compare(old.toStrict, new.toStrict, anyOrder)),
					old.strict, new.strict},
			} {
				if i == j && len(d.found) > 0 {
					t.Errorf("%s, %s: nothing has changed\n%s", name, d.name, lines(d.found))
				}
				if len(d.found) > 0 {
					continue
				}
				if refused := d.sends.refusedBy(d.takes); refused != "" {
					t.Errorf("%s, %s: nothing is found, and %s is refused", name, d.name, refused)
				}
			}
		}
	}
}

var anyOrder = breaking.Options{AnyOrder: true}

// onlyErrors leaves out what is let pass in that order of deployment.
func onlyErrors(found []breaking.Finding) []breaking.Finding {
	return slices.DeleteFunc(found, func(f breaking.Finding) bool { return f.Severity != diag.Error })
}

// judge knows which payloads a version allows, and has some of them at hand.
type judge struct {
	schema *fallback.Schema
	values []any
}

// newJudge compiles the payload of M.
func newJudge(t *testing.T, defs jsonschema.Definitions) judge {
	t.Helper()
	text, err := jsonschema.Standalone(defs.Get("M"), defs.Get)
	if err != nil {
		t.Fatal(err)
	}
	return judge{schema: fallback.New(string(text))}
}

// keep holds on to the values that are allowed.
func (j *judge) keep(values []any) {
	for _, v := range values {
		if j.allows(v) {
			j.values = append(j.values, v)
		}
	}
}

func (j judge) allows(v any) bool {
	right := true
	j.schema.Validate(v, func(string, string) { right = false })
	return right
}

// refusedBy returns a value that the other judge does not allow; "" when there is none.
func (j judge) refusedBy(other judge) string {
	for _, v := range j.values {
		if !other.allows(v) {
			return string(conformance.Encode(v))
		}
	}
	return ""
}

// TestChangesElsewhere finds changes that are not where they are used: in parts, in types that keywords refer to.
func TestChangesElsewhere(t *testing.T) {
	const base = "types:\n  Base: {type: object, properties: {a: string%s}, required: [a]}\n"
	for _, test := range []struct{ name, old, new, want string }{
		{"a part of allOf", fmt.Sprintf(base, "") + "both:\n  M: {allOf: [Base, {type: object, properties: {b: int}}]}\n",
			fmt.Sprintf(strings.Replace(base, "[a]", "[a, z]", 1), ", z: int") +
				"both:\n  M: {allOf: [Base, {type: object, properties: {b: int}}]}\n",
			"field-added-required"},
		{"the type of keys", "types:\n  K: string(..10)\nboth:\n  M:\n    m: map<K, int>\n",
			"types:\n  K: string(..3)\nboth:\n  M:\n    m: map<K, int>\n", "map-key-changed"},
		{"a type behind not", "types:\n  K: string(..10)\nboth:\n  M: {a: {type: string, not: {$ref: '#/types/K'}}}\n",
			"types:\n  K: string(..3)\nboth:\n  M: {a: {type: string, not: {$ref: '#/types/K'}}}\n", "schema-not-comparable"},
		{"a keyword beside a type", "types:\n  K: string(..10)\nboth:\n  M: {a: K}\n",
			"types:\n  K: string(..10)\nboth:\n  M: {a: {type: K, maxLength: 3}}\n", "string-length-tightened"},
		{"a field that was one of a map", "both:\n  M: {type: object, additionalProperties: int}\n",
			"both:\n  M: {type: object, additionalProperties: int, properties: {b: string}}\n", "field-type-changed"},
		{"a field of a map that is one no more",
			"both:\n  M: {type: object, additionalProperties: int, properties: {b: string}}\n",
			"both:\n  M: {type: object, additionalProperties: int}\n", "field-type-changed"},
		{"a value that the text is too long for", "both:\n  M: {a: {enum: [abc, d]}}\n", "both:\n  M: {a: string(..2)}\n",
			"enum-value-removed"},
		{"a key of a map that is a field now", "both:\n  M: {a: object}\n",
			"both:\n  M: {a: {type: object, properties: {x: int}}}\n", "field-type-narrowed"},
		{"a field that is a key of a map now", "both:\n  M: {a: {type: object, properties: {x: int}}}\n",
			"both:\n  M: {a: object}\n", "field-type-widened"},
		{"a map of a pattern that is opened", `both:
  M: {a: {type: object, patternProperties: {"^x": int}, additionalProperties: false}}
`, `both:
  M: {a: {type: object, patternProperties: {"^x": int}}}
`, "field-type-widened"},
		{"a field that a pattern is about, too", `both:
  M: {a: {type: object, patternProperties: {"^x": int}}}
`, `both:
  M: {a: {type: object, patternProperties: {"^x": int}, properties: {xa: string}}}
`, "schema-not-comparable"},
		{"details of an error", "clientToServer:\n  M: {request: {a: int}, response: {b: int}, errors: {GONE: {x: int}}}\n",
			"clientToServer:\n  M: {request: {a: int}, response: {b: int}, errors: {GONE: }}\n", "rpc-error-details-removed"},
	} {
		found := breaking.Compare(breaking.Of(parse(t, test.old)), breaking.Of(parse(t, test.new)), breaking.Options{})
		if !slices.ContainsFunc(found, func(f breaking.Finding) bool { return f.Rule.ID == test.want }) {
			t.Errorf("%s: no %s\n%s", test.name, test.want, lines(found))
		}
	}
}

// TestWhatPresenceShows compares the claims that members are told of, like any payload.
func TestWhatPresenceShows(t *testing.T) {
	const src = "claims: {userId: string, nick: string, public: [%s]}\nsharding: {key: a, presence: true}\nboth:\n  A: " +
		"{a: string}\n"
	both, one := breaking.Of(parse(t, fmt.Sprintf(src, "userId, nick"))), breaking.Of(parse(t, fmt.Sprintf(src, "userId")))
	found := breaking.Compare(both, one, breaking.Options{})
	if len(found) != 1 || found[0].Rule.ID != "field-removed-required" || found[0].Path != "claims.public.nick" {
		t.Errorf("less is shown:\n%s%+v", lines(found), found)
	}
	if found := breaking.Compare(one, both, breaking.Options{}); len(found) > 0 {
		t.Errorf("more is shown:\n%s", lines(found))
	}
}

// TestHarmlessForms reports nothing for what is the same to both sides.
func TestHarmlessForms(t *testing.T) {
	for _, test := range []struct{ name, old, new string }{
		{"a variant of another name", "types:\n  A: {x: int}\nboth:\n  M: {a: string | A}\n",
			"types:\n  B: {x: int}\nboth:\n  M: {a: string | B}\n"},
		{"a part written out", "types:\n  P: {type: object, properties: {a: int}, required: [a]}\nboth:\n  M: {allOf: [P, " +
			"{type: object, properties: {b: int}}]}\n",
			"both:\n  M: {type: object, properties: {a: int, b: int}, required: [a]}\n"},
		{"a bound written as exclusive", "both:\n  M: {a: int(1..)}\n",
			"both:\n  M: {a: {type: integer, exclusiveMinimum: 0}}\n"},
		{"null as one of two", "both:\n  M: {a: string | null}\n", "both:\n  M: {a: {oneOf: [string, {type: 'null'}]}}\n"},
		{"a new field of an open object, whose struct had no place for it",
			"clientToServer:\n  M: {type: object, properties: {a: int}}\n",
			"clientToServer:\n  M: {type: object, properties: {a: int, b: int}}\n"},
		{"a field that its pattern allowed", `both:
  M: {a: {type: object, patternProperties: {"^x": int}, additionalProperties: int}}
`, `both:
  M: {a: {type: object, patternProperties: {"^x": int}, additionalProperties: int, properties: {xa: int}}}
`},
		{"an open object that does not name a field", "clientToServer:\n  M: {type: object, properties: {a: int, b: int}}\n",
			"clientToServer:\n  M: {type: object, properties: {a: int}}\n"},
	} {
		if found := breaking.Compare(breaking.Of(parse(t, test.old)), breaking.Of(parse(t, test.new)),
			breaking.Options{}); len(found) > 0 {
			t.Errorf("%s:\n%s", test.name, lines(found))
		}
	}
}

// TestTypesInTypes compares types that are in each other in many ways, in both directions, one after the other.
func TestTypesInTypes(t *testing.T) {
	src := func(prefix, last string) string {
		var b strings.Builder
		b.WriteString("types:\n")
		for i := range 40 {
			fmt.Fprintf(&b, "  %[1]s%[2]d: {a: %[1]s%[3]d, b: [%[1]s%[3]d], \"c?\": %[1]s%[3]d}\n", prefix, i, i+1)
		}
		fmt.Fprintf(&b, "  %[1]s40: {x: %[2]s}\nboth:\n  M: {a: %[1]s0}\n", prefix, last)
		return b.String()
	}
	for _, prefix := range []string{"T", "U"} {
		found := breaking.Compare(breaking.Of(parse(t, src("T", "int"))), breaking.Of(parse(t, src(prefix, "string"))),
			breaking.Options{})
		if len(found) != 1 || found[0].Rule.ID != "field-type-changed" {
			t.Errorf("%s: %s", prefix, lines(found))
		}
	}
}

// TestSameOrderEveryTime prints findings of one place in the same order.
func TestSameOrderEveryTime(t *testing.T) {
	variants := func(names string) *breaking.Protocol {
		var b strings.Builder
		for _, n := range strings.Fields(names) {
			fmt.Fprintf(&b, "%s: {x: int}, ", n)
		}
		return breaking.Of(parse(t, "both:\n  M: {a: {discriminator: k, mapping: {"+strings.TrimSuffix(b.String(), ", ")+"}}}\n"))
	}
	old, new := variants("a b c d e f"), variants("a u v w x y z")
	want := lines(breaking.Compare(old, new, all))
	for range 20 {
		if got := lines(breaking.Compare(old, new, all)); got != want {
			t.Fatalf("got\n%swant\n%s", got, want)
		}
	}
}

// TestHostileLocks refuses locks that somebody has edited, and does not fall over them.
func TestHostileLocks(t *testing.T) {
	dir := folder("field-added-required")
	lock, err := breaking.Lock(breaking.Of(load(t, filepath.Join(dir, "old.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`"payload": "M"`, `"payload": "Gone"`}, {`"direction": "both"`, `"direction": "up"`},
		{`"messages": [`, `"messages": [null, `},
		{`"$ref"`, `"$ref"`}, {`"maxBytes": 65536`, `"maxBytes": 65536, "rate": {"Limit": 1, "Per": 0}`},
	} {
		text := strings.Replace(string(lock), edit[0], edit[1], 1)
		p, err := breaking.ReadLock([]byte(text))
		if changed := text != string(lock); changed != (err != nil) {
			t.Errorf("%s: %v", edit[1], err)
		}
		if err == nil {
			breaking.Compare(p, breaking.Of(load(t, filepath.Join(dir, "new.yaml"))), all)
		}
	}
}

// TestAdvice says what to do about all that is no info.
func TestAdvice(t *testing.T) {
	for _, rule := range breaking.Rules() {
		dir := folder(rule.ID)
		if _, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		}
		old, new := load(t, filepath.Join(dir, "old.yaml")), load(t, filepath.Join(dir, "new.yaml"))
		for _, f := range breaking.Compare(breaking.Of(old), breaking.Of(new), all) {
			if f.Severity != diag.Info && f.Advice == "" {
				t.Errorf("%s gives no advice", f.Rule.ID)
			}
		}
	}
}
