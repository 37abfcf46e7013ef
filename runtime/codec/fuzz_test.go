package codec_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// FuzzDecode reads arbitrary bytes as a sample. Whether they are taken must be the verdict of jsonschema/v5, and what is
// taken must be written so that it reads as the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		goodSample, sampleWith("age", "1e2"), sampleWith("score", "-1"), sampleWith("seen", `"2026-01-02T03:04:05Z"`), sampleWith("seen", "null"),
		sampleWith("inner", goodSample), sampleWith("extra", `"aGk="`), sampleWith("nick", `"\ud83d\ude00\n"`), sampleWith("muted", "true"),
		sampleWith("counts", `{"a":0,"b":255}`), sampleWith("tags", `["`+uuid+`","`+uuid+`"]`), sampleWith("more", "1"), `{}`, `[]`, `{"a":1e400}`,
	} {
		f.Add([]byte(seed))
	}
	schema := compile(f, sampleSchema)
	f.Fuzz(func(t *testing.T, data []byte) {
		if !codec.ValidUTF8(data) {
			return
		}
		var m, lenient sample
		err := read(string(data), codec.Strict, m.decode)
		if lenientErr := read(string(data), codec.Lenient, lenient.decode); err == nil && lenientErr != nil {
			t.Fatalf("only strict mode takes it: %v", lenientErr)
		}
		if want, ok := oracle(data, schema.Validate); ok && want != (err == nil) {
			t.Fatalf("got %v, jsonschema/v5 says %t", err, want)
		}
		if err != nil {
			return
		}
		var c codec.Checker
		if m.check(&c); c.Err() != nil {
			t.Fatalf("what was read must not be sent: %v", c.Err())
		}
		first := write(&m, func(w *jx.Writer, m *sample) { m.encode(w) })
		var again sample
		if err := read(first, codec.Strict, again.decode); err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, first)
		}
		if second := write(&again, func(w *jx.Writer, m *sample) { m.encode(w) }); first != second {
			t.Fatalf("round trip:\n%s\n%s", first, second)
		}
	})
}

// oracle returns the verdict of a validator, and false for what is judged differently on purpose: double keys, which
// encoding/json does not see, numbers that are guarded or that float64 cannot hold, deep nesting, lax base64, and signs in
// times.
func oracle(data []byte, validate func(v any) error) (valid, ok bool) {
	if bytes.Count(data, []byte("{")) > 20 || bytes.ContainsAny(data, `\`) && bytes.Contains(data, []byte(`"extra"`)) {
		return false, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return false, true
	}
	if dec.More() || !json.Valid(data) {
		return false, true
	}
	if !comparable(v) || doubleKeys(data) {
		return false, false
	}
	return validate(v) == nil, true
}

// comparable reports whether v holds nothing that is judged differently on purpose.
func comparable(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if !comparable(item) {
				return false
			}
			if s, ok := item.(string); ok && (key == "extra" && strings.ContainsAny(s, "=\r\n") || key == "seen" && strings.ContainsAny(s, "+-")) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !comparable(item) {
				return false
			}
		}
	case json.Number:
		_, err := v.Float64()
		return err == nil && len(v) <= 64 && !hugeExponent(string(v))
	}
	return true
}

func hugeExponent(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i >= 0 && len(strings.TrimLeft(s[i+1:], "+-0")) > 2
}

// doubleKeys reports whether some object of valid JSON has a key twice.
func doubleKeys(data []byte) bool {
	var d codec.Decoder
	d.Reset(data, codec.Strict)
	d.Any()
	for _, issue := range d.Issues() {
		if strings.Contains(issue.Message, "twice") {
			return true
		}
	}
	return false
}

// FuzzNumber compares integers and bounds of floats with arbitrary precision.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1.0", "1e2", "100e-2", "1.5e1", "127", "128", "-128.00", "1e-1", "0e400", "9223372036854775808", "0.3", "0.30000000000000000001", "1e-400", "-1e-400", "12345678901234567890e-18"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.TrimSpace(s) != s || !json.Valid([]byte(s)) || len(s) > 64 || hugeExponent(s) || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		in := func(min, max string) bool {
			low, _ := new(big.Rat).SetString(min)
			high, _ := new(big.Rat).SetString(max)
			return exact.Cmp(low) >= 0 && exact.Cmp(high) <= 0
		}
		var n int8
		err := read(s, codec.Strict, func(d *codec.Decoder) { n = d.Int8(-128, 127) })
		if want := exact.IsInt() && in("-128", "127"); want != (err == nil) || want && exact.Cmp(big.NewRat(int64(n), 1)) != 0 {
			t.Errorf("%s: got %d, %v", s, n, err)
		}
		err = read(s, codec.Strict, func(d *codec.Decoder) { d.Int(codec.MinInt, codec.MaxInt) })
		if want := exact.IsInt() && in("-9007199254740991", "9007199254740991"); want != (err == nil) {
			t.Errorf("%s: got %v", s, err)
		}
		err = read(s, codec.Strict, func(d *codec.Decoder) { d.Float64Range(0, 0.3) })
		if want := in("0", "0.3"); want != (err == nil) {
			t.Errorf("%s: got %v", s, err)
		}
		err = read(s, codec.Strict, func(d *codec.Decoder) { d.Float32Range(0, 0.3) })
		if want := in("0", "0.3"); want != (err == nil) {
			t.Errorf("%s as float32: got %v", s, err)
		}
	})
}

// FuzzString compares strings with what encoding/json reads.
func FuzzString(f *testing.F) {
	for _, seed := range []string{`""`, `"a"`, `"12345678"`, `"1234567\n"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\uD83Dx"`, `"\u0000\/\b\f"`, `"é😀"`, "\"\x1f\"", `"12345678\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var got, want string
		err := read(s, codec.Strict, func(d *codec.Decoder) { got = d.String() })
		wantErr := json.Unmarshal([]byte(s), &want)
		if strings.TrimSpace(s) == "null" {
			return
		}
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("got %q, %v, encoding/json has %q, %v", got, err, want, wantErr)
		}
	})
}
