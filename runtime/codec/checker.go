package codec

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Checker checks a value that is about to be sent against the bounds of its schema: the generated check methods walk
// the value and call the methods of Checker for each part. The zero value is ready to use. It is not safe for concurrent use.
//
//	if !c.Enter() {
//		return
//	}
//	c.Field("text")
//	c.StringLen(m.Text, 1, 2000)
//	c.Leave()
type Checker struct {
	trail
}

// Reset forgets what was found, so that c can check another value. Issues that were returned before stay valid.
func (c *Checker) Reset() { c.path, c.issues = c.path[:0], nil }

// Err returns the Issues found, or nil.
func (c *Checker) Err() error {
	if len(c.issues) > 0 {
		return c.issues
	}
	return nil
}

// Issues returns what was found, in the order of the schema, at most MaxIssues.
func (c *Checker) Issues() Issues { return c.issues }

// Enter goes into an object or an array. It returns false when there is no room for more issues and, with a report, when
// the value is nested too deep; so the walk through a value that contains itself ends.
func (c *Checker) Enter() bool {
	if len(c.issues) == MaxIssues {
		return false
	}
	if len(c.path) == MaxDepth {
		c.addf("is nested deeper than %d levels", MaxDepth)
		return false
	}
	c.path = append(c.path, segment{})
	return true
}

// Leave goes out of the object or array that Enter went into.
func (c *Checker) Leave() { c.path = c.path[:len(c.path)-1] }

// Field says which field of the object is checked next.
func (c *Checker) Field(key string) { c.path[len(c.path)-1] = segment{name: key, kind: fieldSegment} }

// Item says which item of the array is checked next.
func (c *Checker) Item(i int) { c.path[len(c.path)-1] = segment{index: i, kind: itemSegment} }

// AddIssue reports that the current value is wrong; message goes on where the path to it ends.
func (c *Checker) AddIssue(message string) { c.add(message) }

// StringLen checks that s has min to max code points.
func (c *Checker) StringLen(s string, min, max int) {
	if message := lengthIssue(s, min, max); message != "" {
		c.add(message)
	}
}

// Format checks that s is of the format.
func (c *Checker) Format(s string, f Format) {
	if !f.Match(s) {
		c.add(f.message())
	}
}

// FormatLen checks that s is of the format and has min to max code points.
func (c *Checker) FormatLen(s string, f Format, min, max int) {
	if message := lengthIssue(s, min, max); message != "" {
		c.add(message)
		return
	}
	c.Format(s, f)
}

// OneOf checks that s is one of values.
func (c *Checker) OneOf(s string, values ...string) {
	if !slices.Contains(values, s) {
		c.add(oneOf(values))
	}
}

// Int checks that v is in the range of min to max. It serves all integers that travel as JSON numbers.
func (c *Checker) Int(v, min, max int64) {
	switch {
	case v < min:
		c.add("must be at least " + strconv.FormatInt(min, 10))
	case v > max:
		c.add("must be at most " + strconv.FormatInt(max, 10))
	}
}

// Float64 checks that v is a number that JSON can hold.
func (c *Checker) Float64(v float64) {
	if !finite(v) {
		c.add("must be a finite number")
	}
}

// Float64Range checks that v is a number of min to max.
func (c *Checker) Float64Range(v, min, max float64) {
	switch {
	case !finite(v):
		c.add("must be a finite number")
	case v < min:
		c.add("must be at least " + formatFloat(min))
	case v > max:
		c.add("must be at most " + formatFloat(max))
	}
}

// Float32 checks that v is a number that JSON can hold.
func (c *Checker) Float32(v float32) { c.Float64(float64(v)) }

// Float32Range checks that v, as the decimal that is written for it, is a number of min to max.
func (c *Checker) Float32Range(v float32, min, max float64) {
	if !finite(float64(v)) {
		c.add("must be a finite number")
		return
	}
	written, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	if err == nil {
		c.Float64Range(written, min, max)
	}
}

// Time checks that RFC 3339 can say t: its year is 0 to 9999.
func (c *Checker) Time(t time.Time) {
	if !wholeOffset(t) {
		t = t.UTC()
	}
	if year := t.Year(); year < 0 || year > 9999 {
		c.add("must have a year of 0 to 9999")
	}
}

// Bytes checks that b has min to max bytes.
func (c *Checker) Bytes(b []byte, min, max int) { c.size(len(b), min, max, "byte") }

// Items checks that an array of n items has min to max.
func (c *Checker) Items(n, min, max int) { c.size(n, min, max, "item") }

// Fields checks that a map of n keys has min to max.
func (c *Checker) Fields(n, min, max int) { c.size(n, min, max, "field") }

// StringKey checks that the key of a map, which Field was called with, has min to max code points.
func (c *Checker) StringKey(key string, min, max int) {
	if message := lengthIssue(key, min, max); message != "" {
		c.add("key " + message)
	}
}

// FormatKey checks that the key is of the format and has min to max code points.
func (c *Checker) FormatKey(key string, f Format, min, max int) {
	if !f.Match(key) {
		c.add("key " + f.message())
		return
	}
	c.StringKey(key, min, max)
}

// EnumKey checks that the key is one of values.
func (c *Checker) EnumKey(key string, values ...string) {
	if !slices.Contains(values, key) {
		c.add("key " + oneOf(values))
	}
}

// size checks that there are min to max of n things.
func (c *Checker) size(n, min, max int, thing string) {
	if n < min || n > max {
		c.add(sizeMessage(n, min, max, thing))
	}
}

// Any checks that raw is valid JSON; empty text is written as null.
func (c *Checker) Any(raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	if message := rawIssue(raw); message != "" {
		c.add(message)
	}
}

// JSONObject checks that the object has min to max fields, and that JSON has a form for what is in it.
func (c *Checker) JSONObject(m map[string]any, min, max int) {
	c.Fields(len(m), min, max)
	if path, message := anyIssue(m, len(c.path)+1); message != "" && len(c.issues) < MaxIssues {
		c.issues = append(c.issues, Issue{Path: c.pointer() + path, Message: message})
	}
}
