package codec

import (
	"math/big"
	"strconv"
	"strings"
)

// Int64Number reads an integer of min to max that travels as a JSON number, as protocols of others have it. JavaScript
// rounds such numbers beyond 53 bits.
func (d *Decoder) Int64Number(min, max int64) int64 {
	lit, ok := d.number("an integer")
	if !ok {
		return 0
	}
	n, kind := parseInteger(lit)
	switch {
	case kind == notInteger:
		d.add("must be an integer")
	case kind == tooSmall, kind == exact && n < min && !d.lenient:
		d.addf("must be at least %d", min)
	case kind == tooLarge, kind == exact && n > max && !d.lenient:
		d.addf("must be at most %d", max)
	default:
		return n
	}
	return 0
}

// Uint64Number reads an unsigned integer of min to max that travels as a JSON number.
func (d *Decoder) Uint64Number(min, max uint64) uint64 {
	lit, ok := d.number("an integer")
	if !ok {
		return 0
	}
	r, ok := new(big.Rat).SetString(string(lit)) // the literal is guarded
	switch {
	case !ok || !r.IsInt():
		d.add("must be an integer")
	case r.Sign() < 0, r.Num().IsUint64() && r.Num().Uint64() < min && !d.lenient:
		d.addf("must be at least %d", min)
	case !r.Num().IsUint64(), r.Num().Uint64() > max && !d.lenient:
		d.addf("must be at most %d", max)
	default:
		return r.Num().Uint64()
	}
	return 0
}

// EnumInt reads an integer that must be one of values; in lenient mode any integer.
func (d *Decoder) EnumInt(values ...int64) int {
	issues := len(d.issues)
	n := d.Int64Number(MinInt, MaxInt)
	if d.lenient || d.failed || len(d.issues) > issues {
		return int(n)
	}
	for _, v := range values {
		if v == n {
			return int(n)
		}
	}
	d.add(oneOfInt(values))
	return 0
}

// OneOfInt checks that v is one of values.
func (c *Checker) OneOfInt(v int64, values ...int64) {
	for _, known := range values {
		if known == v {
			return
		}
	}
	c.add(oneOfInt(values))
}

// Uint checks that v is in the range of min to max.
func (c *Checker) Uint(v, min, max uint64) {
	switch {
	case v < min:
		c.add("must be at least " + strconv.FormatUint(min, 10))
	case v > max:
		c.add("must be at most " + strconv.FormatUint(max, 10))
	}
}

// oneOfInt names the values that would have been right.
func oneOfInt(values []int64) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strconv.FormatInt(v, 10)
	}
	return "must be one of " + strings.Join(texts, ", ")
}
