package codec_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsgen/wsgen/runtime/codec"
)

func TestTag(t *testing.T) {
	nested := strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000)
	tests := []struct {
		name, data string
		want       string // the tag; empty: there is none
		err        string
	}{
		{"first", `{"kind":"image","url":1}`, "image", ""},
		{"last", `{"url":[1,{"kind":"no"}],"kind":"image"}`, "image", ""},
		{"white space", " {\n\"kind\" : \"image\" } ", "image", ""},
		{"escaped key", `{"k\u0069nd":"image"}`, "image", ""},
		{"escaped tag", `{"kind":"im\u0061ge"}`, "image", ""},
		{"no object", `[1]`, "", "value must be an object, got array"},
		{"null", `null`, "", "value must be an object, got null"},
		{"empty object", `{}`, "", "/kind is required"},
		{"no such member", `{"url":{"kind":"image"}}`, "", "/kind is required"},
		{"no string", `{"kind":1}`, "", "/kind must be a string, got number"},
		{"null for a tag", `{"kind":null,"url":1}`, "", "/kind must be a string, got null"},
		{"deep, and a tag", `{"a":` + nested + `,"kind":"image"}`, "image", "/a is nested deeper than 64 levels"},
		{"deep, and no tag", `{"a":` + nested + `}`, "", "is nested deeper than 64 levels"},
		{"deep and unterminated", `{"a":` + nested[:10_000], "", "invalid JSON"},
		{"unterminated key", `{"kin`, "", "invalid JSON"},
		{"unterminated tag", `{"kind":"image`, "", "invalid JSON"},
		{"unterminated behind the tag", `{"kind":"image"`, "image", "invalid JSON"},
		{"no colon", `{"kind" "image"}`, "", "invalid JSON"},
		{"no input", ``, "", "invalid JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got string
			err := read(test.data, codec.Strict, func(d *codec.Decoder) {
				tag, ok := d.Tag("kind")
				if got = string(tag); ok {
					for o := d.Object(); o.Next(); {
						d.Skip()
					}
				}
			})
			if test.want != "" && got != test.want {
				t.Errorf("got tag %q", got)
			}
			assertError(t, err, test.err)
		})
	}
}

// assertError fails unless err says want, or is nil for "".
func assertError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("got no error, want %s", want)
	case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestIntTag(t *testing.T) {
	tests := []struct {
		data string
		want int64
		err  string
	}{
		{`{"op":2}`, 2, ""},
		{`{"d":{"op":3},"op":-1}`, -1, ""},
		{`{"op":2.0}`, 2, ""},
		{`{"op":1e2}`, 100, ""},
		{`{"op":1.5}`, 0, "/op must be an integer"},
		{`{"op":"2"}`, 0, "/op must be an integer, got string"},
		{`{"op":1e30}`, 0, "/op must be at most 9223372036854775807"},
		{`{"op":-1e30}`, 0, "/op must be at least -9223372036854775808"},
		{`{"op":1e2000000}`, 0, "/op must have an exponent of at most 400"},
		{`{}`, 0, "/op is required"},
		{`2`, 0, "value must be an object, got number"},
		{`{"op":2`, 0, "invalid JSON"},
		{`{"op":-}`, 0, "invalid JSON"},
	}
	for _, test := range tests {
		t.Run(test.data, func(t *testing.T) {
			var got int64
			err := read(test.data, codec.Strict, func(d *codec.Decoder) {
				var ok bool
				if got, ok = d.IntTag("op"); ok {
					d.Skip()
				}
			})
			if assertError(t, err, test.err); err == nil && got != test.want {
				t.Errorf("got %d", got)
			}
		})
	}
}

// TestTagInside checks that places are right, and that reading goes on, in and behind an object with a wrong tag.
func TestTagInside(t *testing.T) {
	data := `{"a":[{"kind":"image"},{"kind":"nope"},{"op":9},{}],"b":1}`
	err := read(data, codec.Strict, func(d *codec.Decoder) {
		for o := d.Object(); o.Next(); {
			if string(o.Key()) == "b" {
				_ = d.String()
				continue
			}
			for a := d.Array(0, codec.NoLimit); a.Next(); {
				switch tag, ok := d.Tag("kind"); {
				case !ok:
				case string(tag) == "image":
					d.Skip()
				default:
					d.UnknownTag("kind", "image", "file")
				}
			}
		}
	})
	want := `/a/1/kind must be one of "image", "file"; /a/2/kind is required; /a/3/kind is required (and 1 more)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestUnknownIntTag(t *testing.T) {
	err := read(`{"op":9}`, codec.Strict, func(d *codec.Decoder) { d.UnknownIntTag("op", 1, 2) })
	assertError(t, err, "/op must be one of 1, 2")
}

func TestTagDoesNotAllocate(t *testing.T) {
	data := []byte(`{"kind":"image","url":"x"}`)
	var d codec.Decoder
	known := false
	allocs := testing.AllocsPerRun(100, func() {
		d.Reset(data, codec.Strict)
		tag, ok := d.Tag("kind")
		known = ok && string(tag) == "image"
		d.Skip()
	})
	if !known || allocs != 0 {
		t.Errorf("known %t, %v allocations", known, allocs)
	}
}

func TestKind(t *testing.T) {
	for data, want := range map[string]codec.JSONKind{
		"null": codec.NullKind, " true": codec.BoolKind, "false": codec.BoolKind, "-1": codec.NumberKind, "0": codec.NumberKind,
		`"a"`: codec.StringKind, "[]": codec.ArrayKind, "\n{}": codec.ObjectKind, "": codec.InvalidKind, "x": codec.InvalidKind,
	} {
		var d codec.Decoder
		d.Reset([]byte(data), codec.Strict)
		if got := d.Kind(); got != want {
			t.Errorf("%q: got %d, want %d", data, got, want)
		}
		if d.Skip(); want != codec.InvalidKind && d.Failed() {
			t.Errorf("%q: cannot be read behind Kind", data)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	var raw json.RawMessage
	decode := func(d *codec.Decoder) { raw = d.UnknownKind(codec.StringKind, codec.NumberKind) }
	assertError(t, read(`[1]`, codec.Strict, decode), "value must be a string or a number, got array")
	if assertError(t, read(`[1]`, codec.Lenient, decode), ""); string(raw) != "[1]" {
		t.Errorf("got %s", raw)
	}
	assertError(t, read(`null`, codec.Lenient, decode), "value must be a string or a number, got null")
}

// FuzzTag compares tags with what encoding/json reads, for any input.
func FuzzTag(f *testing.F) {
	for _, seed := range []string{
		`{"k":"a"}`, `{"a":{"k":"b"},"k":"c"}`, `{"\u006b":"\ud83d\ude00"}`, `{"k":1}`, `{"k":1.0}`, `{"k":`,
		`{"k":"a",}`, `[{"k":"a"}]`,
		`{"a":[[[1]]],"k":"a"}x`, "{\"k\":\"\x01\"}", `{"k":-0}`, `{"k":1e400}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.Count(s, "{")+strings.Count(s, "[") > codec.MaxDepth {
			return
		}
		var tag string
		var number int64
		var ok, intOK bool
		err := read(s, codec.Strict, func(d *codec.Decoder) {
			var text []byte
			if text, ok = d.Tag("k"); ok {
				tag = string(text)
				d.Skip()
			}
		})
		intErr := read(s, codec.Strict, func(d *codec.Decoder) {
			if number, intOK = d.IntTag("k"); intOK {
				d.Skip()
			}
		})
		if !json.Valid([]byte(s)) {
			if err == nil || intErr == nil {
				t.Fatalf("no JSON, but taken: %v, %v", err, intErr)
			}
			return
		}
		if doubleKeys([]byte(s)) {
			return
		}
		want, isText := member(s, "k").(string)
		if isText != ok || isText != (err == nil) || isText && tag != want {
			t.Errorf("got %q, %t, %v; encoding/json has %q, %t", tag, ok, err, want, isText)
		}
		n, isNumber := member(s, "k").(json.Number)
		if intOK && (!isNumber || !sameNumber(n.String(), strconv.FormatInt(number, 10))) {
			t.Errorf("got %d, encoding/json has %v", number, member(s, "k"))
		} else if intOK != (intErr == nil) {
			t.Errorf("got %t, %v", intOK, intErr)
		}
	})
}

// member returns what encoding/json reads for a member of an object, nil when there is none.
func member(s, key string) any {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var m map[string]any
	_ = dec.Decode(&m) // m is nil for other values
	return m[key]
}
