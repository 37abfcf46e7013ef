package codec_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/validate"
)

func TestConst(t *testing.T) {
	tests := []struct {
		literal, data   string
		strict, lenient string // what is wrong; empty: nothing
	}{
		{`"cat"`, `"cat"`, "", ""},
		{`"cat"`, `"c\u0061t"`, "", ""},
		{`"a\"b"`, `"a\u0022b"`, "", ""},
		{`"cat"`, `"dog"`, `must be "cat"`, ""},
		{`"cat"`, `1`, "must be a string, got number", "must be a string, got number"},
		{`true`, `true`, "", ""},
		{`true`, `false`, "must be true", ""},
		{`false`, `null`, "must be a boolean, got null", "must be a boolean, got null"},
		{`null`, `null`, "", ""},
		{`null`, `0`, "must be null, got number", "must be null, got number"},
		{`2`, `2.0`, "", ""},
		{`100`, `1e2`, "", ""},
		{`1e2`, `100`, "", ""},
		{`-0`, `0`, "", ""},
		{`2`, `3`, "must be 2", ""},
		{`2`, `2.5`, "must be 2", "must be 2"},
		{`2`, `1e30`, "must be 2", ""},
		{`2`, `1e2000000`, "must have an exponent of at most 400", "must have an exponent of at most 400"},
		{`2`, `"2"`, "must be an integer, got string", "must be an integer, got string"},
		{`1.5`, `15e-1`, "", ""},
		{`1.5`, `1.25`, "must be 1.5", ""},
		{`18446744073709551616`, `18446744073709551616.0`, "", ""},
		{`18446744073709551616`, `18446744073709551617`, "must be 18446744073709551616", ""},
		{`[1,{"a":null}]`, ` [1.0, {"a":null}]`, "", ""},
		{`[1]`, `[1,2]`, "must be [1]", ""},
		{`[[1]]`, `[1]`, "must be [[1]]", ""},
		{`[1]`, `{}`, "must be an array, got object", "must be an array, got object"},
		{`{"a":1,"b":[]}`, `{"b":[],"a":1e0}`, "", ""},
		{`{"a":1}`, `{"a":1,"b":2}`, `must be {"a":1}`, ""},
		{`{"a":null}`, `{"b":null}`, `must be {"a":null}`, ""},
		{`{"a":[]}`, `{"a":{}}`, `must be {"a":[]}`, ""},
		{`{"a":1}`, `{"a":1,"a":1}`, "/a must not be given twice", ""},
		{`{}`, `[]`, "must be an object, got array", "must be an object, got array"},
		{`{}`, `{`, "invalid JSON", "invalid JSON"},
		{`true`, `trux`, "invalid JSON", "invalid JSON"},
	}
	for _, test := range tests {
		t.Run(test.literal+" "+test.data, func(t *testing.T) {
			decode := func(d *codec.Decoder) { d.Const(test.literal) }
			assertError(t, read(test.data, codec.Strict, decode), test.strict)
			assertError(t, read(test.data, codec.Lenient, decode), test.lenient)
		})
	}
}

func TestConstDoesNotAllocate(t *testing.T) {
	data := []byte(`["cat",true,2]`)
	var d codec.Decoder
	allocs := testing.AllocsPerRun(100, func() {
		d.Reset(data, codec.Strict)
		a := d.Array(3, 3)
		for _, literal := range []string{`"cat"`, `true`, `2`} {
			a.Next()
			d.Const(literal)
		}
		a.Next()
	})
	if d.Err() != nil || allocs != 0 {
		t.Errorf("%v, %v allocations", d.Err(), allocs)
	}
}

// FuzzConst compares constants with the keyword const of package validate, which compares texts and not values.
func FuzzConst(f *testing.F) {
	for _, seed := range [][2]string{
		{`2`, `2.0`}, {`"a"`, `"\u0061"`}, {`[1,[]]`, `[1,[ ]]`}, {`{"a":1,"b":null}`, `{"b":null,"a":1e0}`}, {`null`, `null`},
		{`true`, `false`}, {`1e400`, `10e399`}, {`-0`, `0`}, {`0.1`, `0.10`}, {`{"a":{}}`, `{"a":[]}`}, {`""`, `""x`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, literal, data string) {
		var compact bytes.Buffer
		if !utf8.ValidString(literal+data) || json.Compact(&compact, []byte(literal)) != nil || hasIssues(literal) {
			return
		}
		literal = compact.String()
		strict := read(data, codec.Strict, func(d *codec.Decoder) { d.Const(literal) })
		lenient := read(data, codec.Lenient, func(d *codec.Decoder) { d.Const(literal) })
		if strict == nil && lenient != nil {
			t.Errorf("only strict mode takes it: %v", lenient)
		}
		want := json.Valid([]byte(data)) && !hasIssues(data)
		if want {
			s, err := validate.Compile(`{"const":` + literal + `}`)
			if err != nil {
				t.Fatal(err)
			}
			s.Validate(parse(t, data), func(string, string) { want = false })
		}
		if want != (strict == nil) {
			t.Errorf("got %v, package validate says %t", strict, want)
		}
	})
}

// hasIssues reports whether the rules for all JSON refuse a text.
func hasIssues(s string) bool {
	return read(s, codec.Strict, func(d *codec.Decoder) { d.Any() }) != nil
}

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

// sameNumber reports whether two numbers have the same value.
func sameNumber(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok && ok2 && x.Cmp(y) == 0
}
