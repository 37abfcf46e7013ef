package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/bits"
	"strconv"
	"time"
)

// Text reads a string without copying it. The bytes are valid until the next call of a method of d.
func (d *Decoder) Text() (text []byte, ok bool) {
	if d.peek() != '"' {
		d.wrongType("a string")
		return nil, false
	}
	text, escaped := d.quoted()
	if escaped {
		text = d.unescape(text, d.scratch[:0])
		d.scratch = text
	}
	return text, !d.failed
}

// quoted passes over the string at d.pos. It returns what is between the quotes or, if that has escapes, the JSON text of
// the string and true.
func (d *Decoder) quoted() (text []byte, escaped bool) {
	start := d.pos + 1
	end := start + plainPrefix(d.data[start:])
	if end < len(d.data) && d.data[end] == '"' {
		d.pos = end + 1
		return d.data[start:end], false
	}
	return d.scan(), true
}

// plainPrefix returns the length of what stands for itself in a JSON string: up to a quote, a backslash or a control
// character. It looks at eight bytes at a time; see "Determine if a word has a zero byte" and "... a byte less than n" of
// Sean Anderson's Bit Twiddling Hacks.
func plainPrefix(s []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(s)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(s[n:])
		quote, backslash := x^ones*'"', x^ones*'\\'
		found := ((x-ones*' ')&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & high
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(s); n++ {
		if c := s[n]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return n
}

// unescape appends the text of a valid JSON string with escapes to buf. Surrogates that are not paired become U+FFFD.
func (d *Decoder) unescape(raw, buf []byte) []byte {
	if d.failed {
		return nil
	}
	if bytes.Contains(raw, []byte(`\ud`)) || bytes.Contains(raw, []byte(`\uD`)) {
		// jx loses a pair that follows a lone surrogate.
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return append(buf, s...)
		}
	}
	d.values.ResetBytes(raw)
	text, err := d.values.StrAppend(buf)
	if err != nil {
		d.failed = true
	}
	return text
}

// String reads a string.
func (d *Decoder) String() string {
	text, _ := d.Text()
	return string(text)
}

// StringLen reads a string of min to max code points; in lenient mode of any length. When it is wrong, that is reported
// and "" returned; the same holds for the other strings.
func (d *Decoder) StringLen(min, max int) string {
	text, ok := d.Text()
	if !ok {
		return ""
	}
	if !d.lenient {
		if message := lengthIssueBytes(text, min, max); message != "" {
			d.add(message)
			return ""
		}
	}
	return string(text)
}

// Format reads a string of a format; in lenient mode any string.
func (d *Decoder) Format(f Format) string { return d.FormatLen(f, 0, NoLimit) }

// FormatLen reads a string of a format with min to max code points; in lenient mode any string.
func (d *Decoder) FormatLen(f Format, min, max int) string {
	n := len(d.issues)
	s := d.StringLen(min, max)
	if d.lenient || d.failed || len(d.issues) > n {
		return s
	}
	if !f.Match(s) {
		d.add(f.message())
		return ""
	}
	return s
}

// NotOneOf is called for text that is none of the values of an enum: lenient mode keeps it, strict mode reports it.
func (d *Decoder) NotOneOf(text []byte, values ...string) string {
	if !d.lenient {
		d.add(oneOf(values))
		return ""
	}
	return string(text)
}

// Int64 reads a 64-bit integer, which travels as a string of decimal digits without leading zeros.
func (d *Decoder) Int64() int64 {
	text, ok := d.Text()
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || !canonicalInteger(text) {
		d.addf("must be a string with an integer of %d to %d", int64(math.MinInt64), int64(math.MaxInt64))
		return 0
	}
	return n
}

// Uint64 reads an unsigned 64-bit integer, which travels as a string of decimal digits without leading zeros.
func (d *Decoder) Uint64() uint64 {
	text, ok := d.Text()
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || !canonicalInteger(text) {
		d.addf("must be a string with an integer of 0 to %d", uint64(math.MaxUint64))
		return 0
	}
	return n
}

// canonicalInteger reports whether an integer that parses is written in the one way that is allowed: no plus, no
// leading zeros, no -0.
func canonicalInteger(text []byte) bool {
	if text[0] == '-' {
		return text[1] != '0'
	}
	return text[0] != '+' && (text[0] != '0' || len(text) == 1)
}

// Bytes reads base64 (RFC 4648, standard alphabet, padded) of min to max bytes. Line ends and stray bits are refused.
func (d *Decoder) Bytes(min, max int) []byte {
	text, ok := d.Text()
	if !ok {
		return nil
	}
	if !d.lenient && base64.StdEncoding.DecodedLen(len(text))-2 > max {
		d.add(sizeMessage(max+1, min, max, "byte"))
		return nil
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(out, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		d.add("must be base64 with padding")
		return nil
	}
	if !d.lenient && (n < min || n > max) {
		d.add(sizeMessage(n, min, max, "byte"))
		return nil
	}
	return out[:n:n]
}

// Time reads an RFC 3339 date and time. A leap second becomes the next second, a fraction is cut to nanoseconds.
func (d *Decoder) Time() time.Time {
	text, ok := d.Text()
	if !ok {
		return time.Time{}
	}
	t, ok := parseDateTime(text)
	if !ok {
		d.add(FormatDateTime.message())
	}
	return t
}
