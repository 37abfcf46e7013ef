package validate

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/runtime/codec"
)

// canonicalText returns the canonical text of JSON.
func canonicalText(raw json.RawMessage) (string, error) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return canonical(v), err
}

// canonical returns a text that is the same for equal values and no others: members sorted, numbers as fractions.
func canonical(v any) string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		b.WriteString(strconv.Quote(v))
	case json.Number:
		b.WriteString(fraction(v))
	case []any:
		b.WriteByte('[')
		for _, item := range v {
			write(b, item)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for key, item := range codec.Sorted(v) {
			b.WriteString(strconv.Quote(key))
			b.WriteByte(':')
			write(b, item)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	}
}

// fraction returns one text for equal numbers; those that cannot be handled are equal to what is written the same.
func fraction(n json.Number) string {
	if codec.GuardNumber(string(n)) != "" {
		return string(n)
	}
	if len(n) < 16 && !strings.ContainsAny(string(n), ".eE-") {
		return string(n) // the digits of a small number are the only ones
	}
	x, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return string(n)
	}
	return x.RatString()
}
