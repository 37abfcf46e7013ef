package codec

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// JSONKind is the JSON type of a value.
type JSONKind uint8

// The kinds.
const (
	InvalidKind JSONKind = iota // the end of the input, or no JSON
	NullKind
	BoolKind
	NumberKind
	StringKind
	ArrayKind
	ObjectKind
)

// expected are the kinds in messages.
var expected = [...]string{"a value", "null", "a boolean", "a number", "a string", "an array", "an object"}

// Kind returns the type of the next value without reading it.
func (d *Decoder) Kind() JSONKind {
	switch c := d.peek(); {
	case c == '{':
		return ObjectKind
	case c == '[':
		return ArrayKind
	case c == '"':
		return StringKind
	case c == 't' || c == 'f':
		return BoolKind
	case c == 'n':
		return NullKind
	case c == '-' || isDigit(c):
		return NumberKind
	}
	return InvalidKind
}

// UnknownKind is called for a value that is of none of the kinds. Lenient mode returns its text, but for null; strict mode
// reports it.
func (d *Decoder) UnknownKind(kinds ...JSONKind) json.RawMessage {
	if k := d.Kind(); d.lenient && k != InvalidKind && k != NullKind {
		return d.Any()
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = expected[k]
	}
	d.wrongType(strings.Join(names, " or "))
	return nil
}

// Tag returns the text of a member of the current object without reading the object: the one that tells which variant of
// a union it is. It is valid until the next call of a method of d. When the value is no object, or has no such string,
// that is reported, the value passed over, and false returned.
func (d *Decoder) Tag(key string) (tag []byte, ok bool) {
	start := d.pos
	if !d.findTag(key) {
		return nil, false
	}
	if d.peek() != '"' {
		d.wrongTag(key, "must be a string, got "+typeName(d.peek()), start)
		return nil, false
	}
	text, escaped := d.quoted()
	if escaped {
		text = d.unescape(text, d.scratch[:0])
		d.scratch = text
	}
	d.leave()
	d.pos = start
	return text, !d.failed
}

// IntTag is Tag for members that are integers.
func (d *Decoder) IntTag(key string) (int64, bool) {
	start := d.pos
	if !d.findTag(key) {
		return 0, false
	}
	if d.Kind() != NumberKind {
		d.wrongTag(key, "must be an integer, got "+typeName(d.peek()), start)
		return 0, false
	}
	lit := d.scan()
	if d.failed {
		return 0, false
	}
	n, message := integerTag(lit)
	if message != "" {
		d.wrongTag(key, message, start)
		return 0, false
	}
	d.leave()
	d.pos = start
	return n, true
}

// integerTag returns the value of a valid literal, or what is wrong with it.
func integerTag(lit []byte) (n int64, message string) {
	if message = guardNumber(lit); message != "" {
		return 0, message
	}
	n, kind := parseInteger(lit)
	switch kind {
	case notInteger:
		return 0, "must be an integer"
	case tooSmall:
		return 0, "must be at least " + strconv.FormatInt(math.MinInt64, 10)
	case tooLarge:
		return 0, "must be at most " + strconv.FormatInt(math.MaxInt64, 10)
	}
	return n, ""
}

// findTag goes to the value of a member. When there is none it passes over the value, and reports that.
func (d *Decoder) findTag(key string) bool {
	if d.peek() != '{' {
		d.wrongType("an object")
		return false
	}
	start, issues := d.pos, len(d.issues)
	if !d.enter() {
		return false
	}
	d.pos++
	o := Object{d: d, max: NoLimit, open: true}
	for ; o.member(); o.n++ {
		if string(o.Key()) == key {
			d.issues = d.issues[:issues]
			return true
		}
		d.Skip()
	}
	d.issues = d.issues[:issues] // what is wrong inside is found below
	d.leave()
	if d.failed {
		return false
	}
	d.pos = start
	if d.Skip(); !d.failed {
		d.addAt(key, "is required")
	}
	return false
}

// wrongTag reports a tag that is wrong, and passes over the object that it is in.
func (d *Decoder) wrongTag(key, message string, start int) {
	d.leave()
	d.pos = start
	if d.Skip(); !d.failed {
		d.addAt(key, message)
	}
}

// UnknownTag reports that the tag of the current object is none of values, and passes over the object.
func (d *Decoder) UnknownTag(key string, values ...string) {
	if d.Skip(); !d.failed {
		d.addAt(key, oneOf(values))
	}
}

// UnknownIntTag is UnknownTag for integers.
func (d *Decoder) UnknownIntTag(key string, values ...int64) {
	if d.Skip(); !d.failed {
		d.addAt(key, oneOfInt(values))
	}
}
