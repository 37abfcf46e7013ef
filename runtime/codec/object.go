package codec

import "bytes"

// Object iterates over the members of a JSON object:
//
//	o := d.Object()
//	var seen codec.Seen
//	for o.Next() {
//		switch string(o.Key()) {
//		case "text":
//			if o.First(&seen, 0) {
//				m.Text = d.String()
//			}
//		default:
//			o.Unknown()
//		}
//	}
//	if o.Lacks(seen, 0b1) {
//		o.Require(seen, 0, "text")
//	}
//
// The body of the loop must read the member's value or pass over it.
type Object struct {
	d        *Decoder
	n        int
	min, max int
	open     bool // inside of the braces
	complete bool // it is an object, and was read to its end
}

// Seen is the set of the fields that were met, as bits: bit i is set for field i. Structs with more than 64 fields have
// an array of it.
type Seen uint64

// Has reports whether field i was met.
func (s Seen) Has(i int) bool { return s&(1<<i) != 0 }

// Object begins to read an object with any number of members. When the current value is something else, that is
// reported, the value passed over, and Next returns false at once.
func (d *Decoder) Object() Object { return d.Map(0, NoLimit) }

// Map begins to read an object that must have min to max members; in lenient mode any number will do.
func (d *Decoder) Map(min, max int) Object {
	if d.peek() != '{' {
		d.wrongType("an object")
		return Object{}
	}
	if !d.enter() {
		return Object{}
	}
	d.pos++
	return Object{d: d, min: min, max: max, open: true}
}

// Next goes to the next member. It returns false at the end of the object, and after a syntax error.
func (o *Object) Next() bool {
	if !o.open {
		return false
	}
	d := o.d
	if o.member() {
		if o.n++; o.n <= o.max || d.lenient {
			return true
		}
		for d.Skip(); o.member(); d.Skip() {
		}
	}
	o.open = false
	d.leave()
	if d.failed {
		return false
	}
	d.pos++
	if o.complete = d.lenient || o.n >= o.min && o.n <= o.max; !o.complete {
		d.add(sizeMessage(o.n, o.min, o.max, "field"))
	}
	return false
}

// member goes behind the key of the next member, and returns false before the closing brace.
func (o *Object) member() bool {
	d := o.d
	if d.failed {
		return false
	}
	c := d.peek()
	if c == '}' {
		return false
	}
	if o.n > 0 {
		if c != ',' {
			d.failed = true
			return false
		}
		d.pos++
		c = d.peek()
	}
	if c != '"' {
		d.failed = true
		return false
	}
	key, escaped := d.quoted()
	if escaped {
		key = d.unescape(key, nil)
	}
	if d.failed || d.peek() != ':' {
		d.failed = true
		return false
	}
	d.pos++
	d.path[len(d.path)-1].key = key
	return true
}

// Key returns the key of the current member. It is valid until the next call of a method of the Decoder or of o.
func (o *Object) Key() []byte { return o.d.path[len(o.d.path)-1].key }

// First notes that field i was met and returns true; the second time it reports that, passes over the value and returns
// false. i counts from 0 to 63.
func (o *Object) First(seen *Seen, i int) bool {
	if seen.Has(i) {
		o.Duplicate()
		return false
	}
	*seen |= 1 << i
	return true
}

// Duplicate reports that the current member was there before, and passes over its value.
func (o *Object) Duplicate() {
	o.d.add("must not be given twice")
	o.d.Skip()
}

// Unknown passes over a member that the schema does not have, and reports it in strict mode.
func (o *Object) Unknown() {
	d := o.d
	issues, n := d.issues, len(d.issues)
	if !d.lenient {
		d.add("unknown field")
	}
	if d.Skip(); d.failed {
		d.issues = issues[:n]
	}
}

// Lacks reports whether the object was read to its end without meeting all fields of required.
func (o *Object) Lacks(seen, required Seen) bool { return o.complete && seen&required != required }

// Require reports that field i, called key, is required if it was not met.
func (o *Object) Require(seen Seen, i int, key string) {
	if !seen.Has(i) {
		o.d.addAt(key, "is required")
	}
}

// StringKey returns the key of the current member of a map, and true if it is as long as its bounds ask; otherwise it
// reports that, passes over the value and returns false.
func (o *Object) StringKey(min, max int) (string, bool) {
	key := o.Key()
	if !o.d.lenient {
		if message := lengthIssueBytes(key, min, max); message != "" {
			o.BadKey(message)
			return "", false
		}
	}
	return string(key), true
}

// FormatKey is StringKey for keys of a format.
func (o *Object) FormatKey(f Format, min, max int) (string, bool) {
	key, ok := o.StringKey(min, max)
	if ok && !o.d.lenient && !f.Match(key) {
		o.BadKey(f.message())
		return "", false
	}
	return key, ok
}

// EnumKey is StringKey for keys that must be one of values.
func (o *Object) EnumKey(values ...string) (string, bool) {
	key := o.Key()
	for _, v := range values {
		if v == string(key) {
			return v, true
		}
	}
	if !o.d.lenient {
		o.BadKey(oneOf(values))
		return "", false
	}
	return string(key), true
}

// BadKey reports that the key of the current member is wrong, and passes over the value.
func (o *Object) BadKey(message string) {
	o.d.add("key " + message)
	o.d.Skip()
}

// Array iterates over the items of a JSON array:
//
//	for a := d.Array(0, 10); a.Next(); {
//		m.Tags = append(m.Tags, d.String())
//	}
//
// The body of the loop must read the item or pass over it.
type Array struct {
	d        *Decoder
	n        int
	min, max int
	open     bool
}

// Array begins to read an array that must have min to max items; in lenient mode any number will do. When the current
// value is something else, that is reported, the value passed over, and Next returns false at once.
func (d *Decoder) Array(min, max int) Array {
	if d.peek() != '[' {
		d.wrongType("an array")
		return Array{}
	}
	if !d.enter() {
		return Array{}
	}
	d.pos++
	d.path[len(d.path)-1].kind = itemSegment
	return Array{d: d, min: min, max: max, open: true}
}

// Next goes to the next item. It returns false at the end of the array, when there are more items than allowed, and
// after a syntax error.
func (a *Array) Next() bool {
	if !a.open {
		return false
	}
	d := a.d
	if a.item() {
		d.path[len(d.path)-1].index = a.n
		if a.n++; a.n <= a.max || d.lenient {
			return true
		}
		for d.Skip(); a.item(); d.Skip() {
		}
	}
	a.open = false
	d.leave()
	if d.failed {
		return false
	}
	d.pos++
	if !d.lenient && (a.n < a.min || a.n > a.max) {
		d.add(sizeMessage(a.n, a.min, a.max, "item"))
	}
	return false
}

// Short reports in lenient mode that an item is missing which a type is for; in strict mode Next has done so.
func (a *Array) Short() {
	if d := a.d; d != nil && d.lenient && !d.failed {
		d.add(sizeMessage(a.n, a.n+1, NoLimit, "item"))
	}
}

// item goes to the next item, and returns false before the closing bracket.
func (a *Array) item() bool {
	d := a.d
	if d.failed {
		return false
	}
	c := d.peek()
	if c == ']' {
		return false
	}
	if a.n > 0 {
		if c != ',' {
			d.failed = true
			return false
		}
		d.pos++
	}
	return true
}

// enter goes one level deeper. At the deepest it passes over the value, which reports that, and returns false.
func (d *Decoder) enter() bool {
	if len(d.path) == MaxDepth {
		d.Skip()
		return false
	}
	d.path = append(d.path, segment{})
	return true
}

// leave goes one level up.
func (d *Decoder) leave() { d.path = d.path[:len(d.path)-1] }

// Grow appends the zero value to *s and returns a pointer to it, for reading an item in its place.
func Grow[T any](s *[]T) *T {
	var zero T
	*s = append(*s, zero)
	return &(*s)[len(*s)-1]
}

// keySet finds keys that stand twice in an object of unknown fields.
type keySet struct {
	few  [][]byte
	many map[string]struct{}
}

// add adds key and reports whether it is new. The key must stay as it is.
func (s *keySet) add(key []byte) bool {
	const manyKeys = 16
	if s.many != nil {
		_, found := s.many[string(key)]
		s.many[string(key)] = struct{}{}
		return !found
	}
	for _, k := range s.few {
		if bytes.Equal(k, key) {
			return false
		}
	}
	if s.few = append(s.few, key); len(s.few) == manyKeys {
		s.many = make(map[string]struct{}, 2*manyKeys)
		for _, k := range s.few {
			s.many[string(k)] = struct{}{}
		}
	}
	return true
}
