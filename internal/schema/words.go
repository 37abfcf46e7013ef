package schema

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
)

// formatWords are the words that are strings of a format.
var formatWords = map[string]string{
	"date-time": "date-time", "datetime": "date-time", "uuid": "uuid", "date": "date", "time": "time", "duration": "duration",
	"email": "email", "uri": "uri", "url": "uri", "uri-reference": "uri-reference", "hostname": "hostname", "ipv4": "ipv4",
	"ipv6":         "ipv6",
	"json-pointer": "json-pointer", "regex": "regex",
}

// plainWords are the other words.
var plainWords = map[string]func() *jsonschema.Schema{
	"string": ofType("string", ""), "bool": ofType("boolean", ""), "boolean": ofType("boolean", ""),
	"int": ofInt(""), "integer": ofInt(""), "int8": ofInt("int8"), "int16": ofInt("int16"), "int32": ofInt("int32"),
	"uint8": ofInt("uint8"), "uint16": ofInt("uint16"), "uint32": ofInt("uint32"),
	"int64": ofDigits("int64", jsonschema.Int64Pattern), "uint64": ofDigits("uint64", jsonschema.Uint64Pattern),
	"float": ofType("number", ""), "number": ofType("number", ""), "float64": ofType("number", ""),
	"float32": ofType("number", "float"),
	"bytes": func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: []string{"string"}, ContentEncoding: "base64"}
	},
	"any":    func() *jsonschema.Schema { return &jsonschema.Schema{} },
	"object": ofType("object", ""),
}

func ofType(name, format string) func() *jsonschema.Schema {
	return func() *jsonschema.Schema { return &jsonschema.Schema{Type: []string{name}, Format: format} }
}

func ofInt(format string) func() *jsonschema.Schema {
	return func() *jsonschema.Schema {
		r := jsonschema.IntRanges[format]
		return &jsonschema.Schema{Type: []string{"integer"}, Format: format, Minimum: r[0], Maximum: r[1]}
	}
}

func ofDigits(format, pattern string) func() *jsonschema.Schema {
	return func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: []string{"string"}, Format: format, Pattern: pattern}
	}
}

// word returns the schema of a built-in type; nil when there is none of that name.
func word(name string) *jsonschema.Schema {
	if make := plainWords[name]; make != nil {
		return make()
	}
	if format := formatWords[name]; format != "" {
		return ofType("string", format)()
	}
	return nil
}

// Words returns the built-in types, sorted.
func Words() []string {
	return slices.Sorted(maps.Keys(maps.Collect(func(yield func(string, bool) bool) {
		for w := range plainWords {
			if !yield(w, true) {
				return
			}
		}
		for w := range formatWords {
			if !yield(w, true) {
				return
			}
		}
	})))
}

// bounds are what stands in parentheses. Empty strings are not given.
type bounds struct {
	pos      diag.Pos
	min, max Text
}

// applyBounds limits the size of what a word names.
func (p *parser) applyBounds(s *jsonschema.Schema, name string, b *bounds) {
	if b == nil {
		return
	}
	kind := ""
	if len(s.Type) == 1 {
		kind = s.Type[0]
	}
	switch {
	case kind == "integer", kind == "number":
		p.valueBounds(s, b, kind == "integer")
	case s.ContentEncoding != "":
		low, high := p.sizes(b)
		s.MinLength, s.MaxLength = base64Length(low), base64Length(high)
		if high != nil && *high%3 != 0 {
			s.Src().RoundedFrom = strconv.Itoa(*high)
		}
	case kind == "string" && s.Pattern != "":
		p.errorf(b.pos, "bad-bounds", "use int, which has bounds and 53 bits", "%s travels as text and has no bounds", name)
	case kind == "string" && s.Format != "date-time":
		s.MinLength, s.MaxLength = p.sizes(b)
	case kind == "object":
		s.MinProperties, s.MaxProperties = p.sizes(b)
	default:
		p.errorf(b.pos, "bad-bounds", "", "%s has no bounds", name)
	}
}

// base64Length returns the length of n bytes as text.
func base64Length(n *int) *int {
	if n == nil {
		return nil
	}
	length := (*n + 2) / 3 * 4
	return &length
}

// MaxSize is the largest bound of a size.
const MaxSize = math.MaxInt32

// sizes reads bounds of a size. No lower bound and 0 are the same.
func (p *parser) sizes(b *bounds) (low, high *int) {
	if b == nil {
		return nil, nil
	}
	read := func(s Text) *int {
		if s.Value == "" {
			return nil
		}
		v, err := strconv.Atoi(s.Value)
		if err != nil || v < 0 || v > MaxSize {
			p.errorf(s.Pos, "bad-bounds", "", "a size is a whole number from 0 to %d", MaxSize)
			return nil
		}
		return &v
	}
	low, high = read(b.min), read(b.max)
	if low != nil && high != nil && *low > *high {
		p.errorf(b.pos, "bad-bounds", "write the smaller number first", "nothing is between %d and %d", *low, *high)
	}
	if low != nil && *low == 0 {
		low = nil
	}
	return low, high
}

func (p *parser) valueBounds(s *jsonschema.Schema, b *bounds, integer bool) {
	limit := func(t Text, old string) string {
		if t.Value == "" {
			return old
		}
		v := Rational(t.Value)
		switch {
		case v == nil || !integer && !fitsFloat(s.Format == "float", v):
			p.errorf(t.Pos, "bad-bounds", "", "%s is out of range", t.Value)
			return old
		case integer && !v.IsInt():
			p.errorf(t.Pos, "bad-bounds", "", "a bound of an integer is an integer")
			return old
		}
		return number(t.Value)
	}
	low, high := limit(b.min, s.Minimum), limit(b.max, s.Maximum)
	switch {
	case integer && (less(low, s.Minimum) || less(s.Maximum, high) || less(s.Maximum, low) || less(high, s.Minimum)):
		p.errorf(b.pos, "bad-bounds", "", "the bounds are wider than the type: it goes from %s to %s", s.Minimum, s.Maximum)
	case low != "" && high != "" && less(high, low):
		p.errorf(b.pos, "bad-bounds", "write the smaller number first", "nothing is between %s and %s", low, high)
	default:
		s.Minimum, s.Maximum = low, high
	}
}

// less compares two number literals.
func less(a, b string) bool {
	x, y := Rational(a), Rational(b)
	return x != nil && y != nil && x.Cmp(y) < 0
}

// Rational returns the exact value of a JSON number, or nil when it is longer or further from one than any bound or
// default needs: the value of 1e999999999 would fill the memory.
func Rational(s string) *big.Rat {
	const maxLength, maxExponent = 64, 400
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(s[i+1:]); err != nil || exponent < -maxExponent || exponent > maxExponent {
			return nil
		}
	}
	if len(s) > maxLength {
		return nil
	}
	v, _ := new(big.Rat).SetString(s) // nil if it is no number
	return v
}

// number returns one literal for equal numbers: an integer as digits, others as they are written.
func number(s string) string {
	if v := Rational(s); v != nil && v.IsInt() {
		if digits := v.Num().String(); len(digits) <= 64 {
			return digits
		}
	}
	return s
}

// fitsFloat reports whether a number is in the range of a float64, or of a float32.
func fitsFloat(single bool, v *big.Rat) bool {
	f, _ := v.Float64()
	if single {
		f32, _ := v.Float32()
		f = float64(f32)
	}
	return !math.IsInf(f, 0)
}

// add returns the literal of an integer and a difference.
func add(n *big.Rat, difference int64) string {
	return new(big.Int).Add(n.Num(), big.NewInt(difference)).String()
}
