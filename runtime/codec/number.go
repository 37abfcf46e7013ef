package codec

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// Numbers are guarded before they are parsed: a short literal such as 1e1000000 can cost megabytes in arbitrary
// precision, and some readers fail on it. JSON has no limits of its own.
const (
	maxNumberBytes = 64
	maxExponent    = 400
)

// The range of int: what a float64 and so JavaScript can hold exactly.
const (
	MaxInt = 1<<53 - 1
	MinInt = -MaxInt
)

type signedOrSmall interface {
	~int | ~int8 | ~int16 | ~int32 | ~uint8 | ~uint16 | ~uint32
}

// Int reads an integer of min to max. Integers may be written 1.0 or 1e2. In lenient mode the range is that of the type.
// When the value is wrong, that is reported and 0 returned; the same holds for the other numbers.
func (d *Decoder) Int(min, max int) int { return integer(d, min, max) }

// Int8 reads an integer of min to max.
func (d *Decoder) Int8(min, max int8) int8 { return integer(d, min, max) }

// Int16 reads an integer of min to max.
func (d *Decoder) Int16(min, max int16) int16 { return integer(d, min, max) }

// Int32 reads an integer of min to max.
func (d *Decoder) Int32(min, max int32) int32 { return integer(d, min, max) }

// Uint8 reads an integer of min to max.
func (d *Decoder) Uint8(min, max uint8) uint8 { return integer(d, min, max) }

// Uint16 reads an integer of min to max.
func (d *Decoder) Uint16(min, max uint16) uint16 { return integer(d, min, max) }

// Uint32 reads an integer of min to max.
func (d *Decoder) Uint32(min, max uint32) uint32 { return integer(d, min, max) }

// integer reads an integer of T.
func integer[T signedOrSmall](d *Decoder, min, max T) T {
	lit, ok := d.number("an integer")
	if !ok {
		return 0
	}
	n, kind := parseInteger(lit)
	switch {
	case kind == notInteger:
		d.add("must be an integer")
	case kind == tooSmall, kind == exact && n < int64(min) && !d.lenient:
		d.addf("must be at least %d", min)
	case kind == tooLarge, kind == exact && n > int64(max) && !d.lenient:
		d.addf("must be at most %d", max)
	case int64(T(n)) != n:
		d.addf("must fit in %T", min)
	default:
		return T(n)
	}
	return 0
}

// number returns the literal of the current value, without white space, after the guard.
func (d *Decoder) number(expected string) ([]byte, bool) {
	if c := d.peek(); c != '-' && !isDigit(c) {
		d.wrongType(expected)
		return nil, false
	}
	lit := d.scan()
	if d.failed {
		return nil, false
	}
	if message := guardNumber(lit); message != "" {
		d.add(message)
		return nil, false
	}
	return lit, true
}

// GuardNumber returns what is wrong with the size of the literal of a JSON number, or "": it has at most 64 characters, and
// an exponent of at most 400. Arithmetic on others may take megabytes, or fail.
func GuardNumber(literal string) string { return guardNumber([]byte(literal)) }

// guardNumber returns what is wrong with the size of a valid literal, or "".
func guardNumber(lit []byte) string {
	if len(lit) < 4 {
		return "" // no room for an exponent of three digits
	}
	if len(lit) > maxNumberBytes {
		return fmt.Sprintf("must be a number of at most %d characters", maxNumberBytes)
	}
	for i, c := range lit {
		if c == 'e' || c == 'E' {
			if exp, ok := parseExponent(lit[i+1:]); !ok || exp > maxExponent || exp < -maxExponent {
				return fmt.Sprintf("must have an exponent of at most %d", maxExponent)
			}
			break
		}
	}
	return ""
}

// parseExponent returns the value of what follows the letter e in a valid literal; false when it is huge.
func parseExponent(s []byte) (int, bool) {
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	n := 0
	for _, c := range s {
		if n = n*10 + int(c-'0'); n > 1e6 {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

type parsed uint8

const (
	exact      parsed = iota
	notInteger        // it has a fraction
	tooSmall          // below int64
	tooLarge          // above int64
)

// parseInteger returns the value of a guarded literal, which may be written with a fraction of zeros or an exponent.
func parseInteger(lit []byte) (int64, parsed) {
	if n, ok := parseDigits(lit); ok {
		return n, exact
	}
	mantissa, scale := splitNumber(lit)
	negative := lit[0] == '-'
	beyond := tooLarge
	if negative {
		beyond = tooSmall
	}
	for len(mantissa) > 0 && mantissa[len(mantissa)-1] == '0' {
		mantissa, scale = mantissa[:len(mantissa)-1], scale+1
	}
	switch {
	case len(mantissa) == 0:
		return 0, exact
	case scale < 0:
		return 0, notInteger
	case len(mantissa)+scale > 19:
		return 0, beyond
	}
	text := make([]byte, 0, 20)
	if negative {
		text = append(text, '-')
	}
	text = append(text, mantissa...)
	for range scale {
		text = append(text, '0')
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, beyond
	}
	return n, exact
}

// parseDigits returns the value of up to 18 plain digits.
func parseDigits(lit []byte) (int64, bool) {
	digits := lit
	if lit[0] == '-' {
		digits = lit[1:]
	}
	if len(digits) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if lit[0] == '-' {
		n = -n
	}
	return n, true
}

// splitNumber returns the digits of a literal without sign, point and leading zeros, and the power of ten that they are
// multiplied by.
func splitNumber(lit []byte) (digits []byte, scale int) {
	digits = make([]byte, 0, maxNumberBytes)
	point := false
	for i, c := range lit {
		switch {
		case c == 'e' || c == 'E':
			exp, _ := parseExponent(lit[i+1:])
			return digits, scale + exp
		case c == '.':
			point = true
		case c >= '0' && c <= '9':
			if point {
				scale--
			}
			if c != '0' || len(digits) > 0 {
				digits = append(digits, c)
			}
		}
	}
	return digits, scale
}

// Float64 reads a number that a float64 can hold.
func (d *Decoder) Float64() float64 {
	v, _ := d.float(64)
	return v
}

// Float64Range reads a number of min to max. The comparison is exact, before the number is rounded to a float64.
func (d *Decoder) Float64Range(min, max float64) float64 {
	v, lit := d.float(64)
	if lit != nil && !d.lenient && !d.inRange(v, lit, min, max) {
		return 0
	}
	return v
}

// Float32 reads a number that a float32 can hold, rounded to it.
func (d *Decoder) Float32() float32 {
	v, _ := d.float(32)
	return float32(v)
}

// Float32Range reads a number of min to max. The comparison is exact, before the number is rounded to a float32.
func (d *Decoder) Float32Range(min, max float64) float32 {
	v, lit := d.float(32)
	if lit == nil {
		return 0
	}
	if wide, err := strconv.ParseFloat(string(lit), 64); !d.lenient && err == nil && !d.inRange(wide, lit, min, max) {
		return 0
	}
	return float32(v)
}

// float reads a number of 32 or 64 bits, and returns its literal too; nil when it was wrong.
func (d *Decoder) float(bits int) (float64, []byte) {
	lit, ok := d.number("a number")
	if !ok {
		return 0, nil
	}
	v, err := strconv.ParseFloat(string(lit), bits)
	if err != nil {
		d.addf("must fit in float%d", bits)
		return 0, nil
	}
	return v, lit
}

// inRange reports an issue and returns false when the number lit, whose value is about v, is not in the range.
func (d *Decoder) inRange(v float64, lit []byte, min, max float64) bool {
	switch {
	case v < min, v == min && compareExactly(lit, min) < 0:
		d.add("must be at least " + formatFloat(min))
		return false
	case v > max, v == max && compareExactly(lit, max) > 0:
		d.add("must be at most " + formatFloat(max))
		return false
	}
	return true
}

// compareExactly compares a guarded literal with the decimal that bound was written as.
func compareExactly(lit []byte, bound float64) int {
	if len(lit) <= 15 && !bytes.ContainsAny(lit, "eE") {
		return 0 // decimals of so few digits that are equal as float64 are equal
	}
	x, ok := new(big.Rat).SetString(string(lit))
	y, ok2 := new(big.Rat).SetString(formatFloat(bound))
	if !ok || !ok2 {
		return 0
	}
	return x.Cmp(y)
}

// formatFloat returns the shortest decimal that reads as v.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// finite reports whether JSON can hold v.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
