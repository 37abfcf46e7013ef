package validate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/fallback"
	"github.com/wsgen/wsgen/runtime/validate"
)

// TestRandomSchemas compares verdicts with jsonschema/v5 on random schemas and values; and what is reported must be the same
// each time.
func TestRandomSchemas(t *testing.T) {
	r := random{rand.New(rand.NewPCG(1, 2))}
	valid, invalid := 0, 0
	for range 600 {
		text := r.document()
		s, err := validate.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		oracle, err := fallback.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			value := r.value(3)
			want := oracle.Validate(parse(t, value)) == nil
			got := issues(s, parse(t, value))
			if want != (got == "") {
				t.Errorf("%s\n%s\ngot %q, jsonschema/v5 says %t", text, value, got, want)
			}
			if again := issues(s, parse(t, value)); again != got {
				t.Errorf("%s\n%s\nnot the same again: %s; %s", text, value, got, again)
			}
			if want {
				valid++
			} else {
				invalid++
			}
		}
	}
	if valid < 500 || invalid < 500 {
		t.Errorf("%d valid, %d invalid values: the generator is lopsided", valid, invalid)
	}
}

// random makes JSON texts from few words and numbers, so that they meet.
type random struct{ *rand.Rand }

var (
	words = []string{`""`, `"a"`, `"b"`, `"ab"`, `"😀"`, `"2026-01-02"`, `"aGk="`, `"aGl="`, `"7"`, `"a/b~"`}
	nums  = []string{"0", "-0", "1", "1.0", "10e-1", "2", "1.5", "3", "1e2", "100", "-1", "0.01", "0.03", "1e-400",
		"12345678901234567890"}
	atoms = slices.Concat(words, nums, []string{"null", "true", "false"})
)

func (r random) pick(list []string) string { return list[r.IntN(len(list))] }

// list returns up to three texts.
func (r random) list(item func() string) string {
	var out []string
	for range r.IntN(4) {
		out = append(out, item())
	}
	return strings.Join(out, ",")
}

// members returns an object with keys of words.
func (r random) members(value func() string) string {
	var out []string
	for _, key := range words[1:] {
		if r.IntN(6) == 0 {
			out = append(out, key+":"+value())
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

func (r random) value(depth int) string {
	inner := func() string { return r.value(depth - 1) }
	switch n := r.IntN(6); {
	case depth > 0 && n < 2:
		return "[" + r.list(inner) + "]"
	case depth > 0 && n < 4:
		return r.members(inner)
	}
	return r.pick(atoms)
}

// document returns a schema with two definitions.
func (r random) document() string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.object(2, true)), &m); err != nil {
		panic(err)
	}
	m["$defs"] = json.RawMessage(fmt.Sprintf(`{"a/b~":%s,"c":%s}`, r.object(1, false), r.object(1, false)))
	out, _ := json.Marshal(m)
	return string(out)
}

// schema returns a schema. Only those with refs may refer to the definitions, so that no reference is endless.
func (r random) schema(depth int, refs bool) string {
	switch n := r.IntN(12); {
	case n == 0:
		return "true"
	case n == 1:
		return "false"
	case n == 2 && refs:
		return r.pick([]string{`{"$ref":"#/$defs/a~1b~0"}`, `{"$ref":"#/$defs/c","minimum":1}`})
	}
	return r.object(depth, refs)
}

// object returns a schema with one to three keywords.
func (r random) object(depth int, refs bool) string {
	all := r.scalars()
	if depth > 0 {
		nested := r.nested(func() string { return r.schema(depth-1, refs) })
		all = slices.Concat(all, nested, nested)
	}
	var out []string
	for _, n := range r.Perm(len(all))[:1+r.IntN(3)] {
		out = append(out, all[n]())
	}
	slices.Sort(out)
	return "{" + strings.Join(dropDouble(out), ",") + "}"
}

// scalars makes the keywords that hold no schemas.
func (r random) scalars() []func() string {
	size := func() string { return fmt.Sprint(r.IntN(4)) }
	return []func() string{
		func() string {
			return `"type":` + r.pick([]string{`"integer"`, `"string"`, `["array","object"]`, `["number","null"]`})
		},
		func() string { return `"enum":[` + r.value(1) + "," + r.pick(atoms) + "," + r.pick(atoms) + `]` },
		func() string { return `"const":` + r.value(1) },
		func() string { return `"multipleOf":` + r.pick([]string{"1", "0.01", "0.5", "1e-400"}) },
		func() string { return `"minimum":` + r.pick(nums) },
		func() string { return `"maximum":` + r.pick(nums) },
		func() string { return `"exclusiveMinimum":` + r.pick(nums) },
		func() string { return `"exclusiveMaximum":` + r.pick(nums) },
		func() string { return `"minLength":` + size() },
		func() string { return `"maxLength":` + size() },
		func() string { return `"pattern":` + r.pick([]string{`"a"`, `"^a$"`, `"^[0-9-]+$"`}) },
		func() string { return `"format":` + r.pick([]string{`"date"`, `"uint64"`, `"hostname"`, `"unknown"`}) },
		func() string { return `"contentEncoding":"base64"` },
		func() string { return `"minItems":` + size() },
		func() string { return `"maxItems":` + size() },
		func() string { return `"uniqueItems":true` },
		func() string { return `"required":["a"]` },
		func() string { return `"minProperties":` + size() },
		func() string { return `"maxProperties":` + size() },
	}
}

// nested makes the keywords that hold schemas.
func (r random) nested(inner func() string) []func() string {
	some := func() string { return "[" + inner() + "," + inner() + "]" }
	return []func() string{
		func() string { return `"items":` + inner() },
		func() string { return `"prefixItems":` + some() },
		func() string { return `"properties":` + r.members(inner) },
		func() string { return `"additionalProperties":` + inner() },
		func() string { return `"patternProperties":{"a":` + inner() + `,"^b":` + inner() + `}` },
		func() string { return `"propertyNames":` + inner() },
		func() string { return `"allOf":` + some() },
		func() string { return `"anyOf":` + some() },
		func() string { return `"oneOf":` + some() },
	}
}

// dropDouble leaves one of the members with the same key.
func dropDouble(members []string) []string {
	return slices.CompactFunc(members, func(a, b string) bool {
		return strings.SplitN(a, ":", 2)[0] == strings.SplitN(b, ":", 2)[0]
	})
}
