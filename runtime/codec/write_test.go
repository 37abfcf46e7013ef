package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// write returns what a write function appends for v.
func write[T any](v T, f func(w *jx.Writer, v T)) string {
	var w jx.Writer
	f(&w, v)
	return string(w.Buf)
}

func TestWriteString(t *testing.T) {
	tests := map[string]string{
		"":             `""`,
		"plain <b> é😀": `"plain <b> é😀"`,
		"a\"\\\n\x01":  `"a\"\\\n\u0001"`,
		"bad \xff\xfe": `"bad ` + "\uFFFD" + `"`,
		"cut \xe2\x82": `"cut ` + "\uFFFD" + `"`,
	}
	for in, want := range tests {
		if got := write(in, codec.WriteString); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestWriteInt64(t *testing.T) {
	if got := write(int64(math.MinInt64), codec.WriteInt64); got != `"-9223372036854775808"` {
		t.Error(got)
	}
	if got := write(uint64(math.MaxUint64), codec.WriteUint64); got != `"18446744073709551615"` {
		t.Error(got)
	}
}

func TestReadInt64(t *testing.T) {
	for _, s := range []string{`"0"`, `"-1"`, `"9223372036854775807"`, `"-9223372036854775808"`} {
		var v int64
		if err := read(s, codec.Strict, func(d *codec.Decoder) { v = d.Int64() }); err != nil || write(v, codec.WriteInt64) != s {
			t.Errorf("%s: got %d, %v", s, v, err)
		}
	}
	for _, s := range []string{`""`, `"-"`, `"-0"`, `"01"`, `"+1"`, `" 1"`, `"1.0"`, `"1e1"`, `"9223372036854775808"`, `"0x1"`, `"1_0"`, `1`} {
		if err := read(s, codec.Strict, func(d *codec.Decoder) { d.Int64() }); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
	for _, s := range []string{`"-1"`, `"-0"`, `"00"`, `"18446744073709551616"`} {
		if err := read(s, codec.Strict, func(d *codec.Decoder) { d.Uint64() }); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

// TestWriteNil shows that what Go leaves nil is empty on the wire, never null.
func TestWriteNil(t *testing.T) {
	if got := write(nil, codec.WriteBytes); got != `""` {
		t.Error(got)
	}
	if got := write(nil, codec.WriteJSONObject); got != `{}` {
		t.Error(got)
	}
	if got := write(map[string]int(nil), func(w *jx.Writer, m map[string]int) { codec.WriteMap(w, m, nil) }); got != `{}` {
		t.Error(got)
	}
}

func TestWriteMapIsSorted(t *testing.T) {
	m := map[string]int{}
	for c := 'a'; c <= 'z'; c++ {
		m[string(c)] = int(c)
	}
	got := write(m, func(w *jx.Writer, m map[string]int) { codec.WriteMap(w, m, func(w *jx.Writer, v int) { w.Int(v) }) })
	want, _ := json.Marshal(m)
	if got != string(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWriteJSONObject writes what a map[string]any may hold; what it may not is null, and an issue of Checker.
func TestWriteJSONObject(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = loop
	tests := []struct {
		v     any
		want  string // "" for a value that is only checked
		issue string
	}{
		{nil, "null", ""}, {true, "true", ""}, {"x", `"x"`, ""}, {1, "1", ""}, {int8(-1), "-1", ""}, {uint64(math.MaxUint64), "18446744073709551615", ""},
		{1.5, "1.5", ""}, {float32(0.1), "0.1", ""}, {json.Number("1e5"), "1e5", ""}, {json.RawMessage(`{"a":1}`), `{"a":1}`, ""}, {json.RawMessage(nil), "null", ""},
		{[]any{1, "a", nil}, `[1,"a",null]`, ""}, {map[string]any{"b": 1, "a": []any{}}, `{"a":[],"b":1}`, ""},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`, ""},
		{math.NaN(), "null", "/v must be a finite number"},
		{[]any{math.Inf(1)}, "[null]", "/v/0 must be a finite number"},
		{json.Number("1x"), "null", "/v must be a number"},
		{json.Number(""), "null", "/v must be a number"},
		{json.RawMessage(`{`), "null", "/v must be valid JSON"},
		{json.RawMessage("\"\xff\""), "null", "/v must be valid JSON"},
		{map[string]any{"a/b": struct{}{}}, `{"a/b":null}`, "/v/a~1b must be nil, a bool, string or number, []any, map[string]any or a json.Marshaler"},
		{loop, "", "nested deeper than 64 levels"},
	}
	for _, tt := range tests {
		m := map[string]any{"v": tt.v}
		got := write(m, codec.WriteJSONObject)
		if !json.Valid([]byte(got)) {
			t.Errorf("%v: invalid JSON %s", tt.v, got)
		}
		if tt.want != "" && got != `{"v":`+tt.want+`}` {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
		var c codec.Checker
		c.JSONObject(m, 0, 1)
		if err := c.Err(); (err == nil) != (tt.issue == "") || err != nil && !strings.Contains(err.Error(), tt.issue) {
			t.Errorf("%s: got issues %v, want %q", got, err, tt.issue)
		}
	}
}

func TestCloseObject(t *testing.T) {
	for in, want := range map[string]string{`{`: `{}`, `{"a":1,`: `{"a":1}`} {
		w := jx.Writer{Buf: []byte(in)}
		if codec.CloseObject(&w); string(w.Buf) != want {
			t.Errorf("%s: got %s", in, w.Buf)
		}
	}
}
