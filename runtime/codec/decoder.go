// Package codec is what generated codecs are made of: reading JSON into typed values with every check of the schema,
// checking values that are about to be sent, and writing them. It uses no reflection. go-faster/jx scans and writes the
// values; objects and arrays are walked here, because places, depth and double keys are to be known.
//
// Reading collects issues instead of stopping: after a wrong value the decoder skips it and goes on, so that the
// sender learns of all its mistakes at once. Only a syntax error ends the reading.
package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// MaxDepth is how deep arrays and objects may be nested, the outermost counted.
const MaxDepth = 64

// NoLimit is the upper bound of a size that has none.
const NoLimit = int(^uint(0) >> 1)

// Mode says how much a Decoder checks.
type Mode bool

// The modes.
const (
	// Strict refuses everything that the schema does not allow. Servers read clients this way.
	Strict Mode = false
	// Lenient ignores unknown fields and keeps unknown enum values and values out of bounds, so that a newer server does
	// not break an older client. Types, required fields and formats that have a Go type of their own are checked.
	Lenient Mode = true
)

// Decoder reads one JSON value. The zero value must be Reset before use; a Decoder can be used again after that, and
// keeps its buffers. It is not safe for concurrent use. What it returns does not refer to the input.
type Decoder struct {
	trail
	data    []byte
	pos     int // of the next byte of data
	lenient bool
	failed  bool // a syntax error was met
	values  jx.Decoder
	scratch []byte // of unescape
}

// Reset prepares d to read data, which must be valid UTF-8 (see ValidUTF8) and must not change until the reading is
// over. Issues that were returned before stay valid.
func (d *Decoder) Reset(data []byte, mode Mode) {
	d.data, d.pos, d.lenient, d.failed = data, 0, mode == Lenient, false
	d.path, d.issues = d.path[:0], nil
}

// ValidUTF8 reports whether data may be given to a Decoder. It is apart so that a frame is checked once, and a WebSocket
// can be closed with its own code for it.
func ValidUTF8(data []byte) bool { return utf8.Valid(data) }

// Mode returns the mode given to Reset or SetMode.
func (d *Decoder) Mode() Mode { return Mode(d.lenient) }

// SetMode changes the mode for what is read from here on.
func (d *Decoder) SetMode(mode Mode) { d.lenient = mode == Lenient }

// End finishes the reading: only white space may follow the value that was read.
func (d *Decoder) End() {
	if d.peek(); d.pos < len(d.data) {
		d.failed = true
	}
}

// Failed reports whether the input is no JSON. Nothing can be read after that.
func (d *Decoder) Failed() bool { return d.failed }

// Err returns what is wrong with the input: a *SyntaxError, else Issues, else nil.
func (d *Decoder) Err() error {
	switch {
	case d.failed:
		return newSyntaxError(d.data)
	case len(d.issues) > 0:
		return d.issues
	}
	return nil
}

// Issues returns what was wrong so far, in the order of the document, at most MaxIssues.
func (d *Decoder) Issues() Issues { return d.issues }

// RewritePaths changes the paths of the issues that were found, for input that was made of other text.
func (d *Decoder) RewritePaths(rewrite func(path string) string) {
	for i := range d.issues {
		d.issues[i].Path = rewrite(d.issues[i].Path)
	}
}

// AddIssue reports that the current value is wrong; message goes on where the path to it ends.
func (d *Decoder) AddIssue(message string) { d.add(message) }

// AddFieldIssue reports that a member of the current object is wrong.
func (d *Decoder) AddFieldIssue(key, message string) { d.addAt(key, message) }

// Null reports whether the current value is null, and passes over it when it is.
func (d *Decoder) Null() bool {
	if d.peek() != 'n' {
		return false
	}
	d.scan()
	return true
}

// Bool reads true or false.
func (d *Decoder) Bool() bool {
	c := d.peek()
	if c != 't' && c != 'f' {
		d.wrongType("a boolean")
		return false
	}
	d.scan()
	return c == 't'
}

// peek passes over white space and returns the byte that the next token begins with, 0 at the end of the input.
func (d *Decoder) peek() byte {
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; c {
		case ' ', '\n', '\r', '\t':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

// wrongType passes over the current value and reports that something else was expected there.
func (d *Decoder) wrongType(expected string) {
	got := typeName(d.peek())
	if d.Skip(); !d.failed {
		d.addf("must be %s, got %s", expected, got)
	}
}

// typeName returns the JSON name of the type of a value that begins with c.
func typeName(c byte) string {
	switch c {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// SyntaxError says that the input is no JSON.
type SyntaxError struct {
	Offset int // of the first byte that cannot be, from 0; the length of the input when it ends too early
	reason string
}

// Error returns "invalid JSON at byte N" and the reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.reason)
}

// newSyntaxError finds the place of the error in data. The tokens of jx know no position, so the standard library's
// scanner looks again; only bad input pays for that.
func newSyntaxError(data []byte) *SyntaxError {
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, &raw); !errors.As(err, &syntax) {
		return &SyntaxError{Offset: len(data), reason: "not a JSON value"}
	}
	offset := min(int(syntax.Offset), len(data))
	if syntax.Error() != "unexpected end of JSON input" {
		offset = max(offset-1, 0) // it counts the bad byte
	}
	return &SyntaxError{Offset: offset, reason: syntax.Error()}
}
