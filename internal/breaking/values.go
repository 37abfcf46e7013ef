package breaking

import (
	"math/big"
	"strconv"

	"github.com/wsgen/wsgen/internal/jsonschema"
)

// sizes reports bounds of a size that changed. id is the rule without -tightened and -loosened.
func (c *comparison) sizes(id, what string, oldLow, oldHigh, newLow, newHigh *int, a at) {
	low := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	tightened := low(newLow) > low(oldLow) || newHigh != nil && (oldHigh == nil || *newHigh < *oldHigh)
	loosened := low(newLow) < low(oldLow) || oldHigh != nil && (newHigh == nil || *newHigh > *oldHigh)
	c.bounds(id, what, tightened, loosened, a)
}

func (c *comparison) bounds(id, what string, tightened, loosened bool, a at) {
	if tightened {
		c.report(id+"-tightened", a, "", "%s allows less: %s", a.path, what)
	}
	if loosened {
		c.report(id+"-loosened", a, "", "%s allows more: %s", a.path, what)
	}
}

func (c *comparison) strings(o, n *jsonschema.Schema, a at) {
	c.sizes("string-length", "another length", o.MinLength, o.MaxLength, n.MinLength, n.MaxLength, a)
	switch {
	case o.Pattern == n.Pattern:
	case o.Pattern == "":
		c.report("pattern-added", a, "", "%s must match %s", a.path, n.Pattern)
	case n.Pattern == "":
		c.report("pattern-removed", a, "", "%s need not match %s any more", a.path, o.Pattern)
	default:
		c.report("pattern-changed", a, "", "%s must match %s instead of %s", a.path, n.Pattern, o.Pattern)
	}
	typed := func(format string) string {
		if isTyped(format) {
			return "/typed"
		}
		return ""
	}
	switch {
	case o.Format == n.Format:
	case o.Format == "":
		c.report("format-added"+typed(n.Format), a, "", "%s must be of the format %s", a.path, n.Format)
	case n.Format == "":
		c.report("format-removed"+typed(o.Format), a, "", "%s need not be of the format %s any more", a.path, o.Format)
	default:
		c.report("format-changed", a, "", "%s must be of the format %s instead of %s", a.path, n.Format, o.Format)
	}
	if o.ContentEncoding != n.ContentEncoding {
		c.report("encoding-changed", a, "", "%s is encoded as %s instead of %s", a.path,
			or(n.ContentEncoding, "plain text"), or(o.ContentEncoding, "plain text"))
	}
}

// isTyped reports whether strings of a format have a Go type that does not hold any text.
func isTyped(format string) bool {
	return format == "date-time" || format == "int64" || format == "uint64"
}

// numbers compares ranges and steps. A range that leaves what the other's format can hold is that of another type.
func (c *comparison) numbers(o, n *jsonschema.Schema, a at) {
	if isInteger(o) != isInteger(n) { // the ranges of formats come with the types
		o, n = withoutWidth(o), withoutWidth(n)
	}
	tightened, loosened := false, false
	for _, sign := range []int{1, -1} {
		inwards, outwards := boundOf(o, sign).moved(boundOf(n, sign), sign)
		tightened, loosened = tightened || inwards, loosened || outwards
	}
	if o.Format != n.Format && (leaves(n, o) || n.Format == "" && o.Format == "float") {
		c.report("field-type-widened", a, "", "%s is %s instead of %s", a.path, word(n), word(o))
		loosened = false
	}
	if o.Format != n.Format && (leaves(o, n) || o.Format == "" && n.Format == "float") {
		c.report("field-type-narrowed", a, "", "%s is %s instead of %s", a.path, word(n), word(o))
		tightened = false
	}
	c.bounds("number-range", "another range", tightened, loosened, a)
	switch {
	case o.MultipleOf == n.MultipleOf:
	case n.MultipleOf == "" || o.MultipleOf != "" && divides(n.MultipleOf, o.MultipleOf):
		c.report("number-step-changed/loosened", a, "", "%s allows more: other multiples", a.path)
	default:
		c.report("number-step-changed/tightened", a, "", "%s allows less: only multiples of %s", a.path, n.MultipleOf)
	}
}

// word is what a type of numbers is called.
func word(s *jsonschema.Schema) string {
	switch {
	case s.Format != "":
		return s.Format
	case isInteger(s):
		return "int"
	}
	return "number"
}

// withoutWidth leaves away the bounds that the format of an integer has.
func withoutWidth(s *jsonschema.Schema) *jsonschema.Schema {
	r, ok := jsonschema.IntRanges[s.Format]
	if !ok || !isInteger(s) {
		return s
	}
	out := *s
	if out.Minimum == r[0] {
		out.Minimum = ""
	}
	if out.Maximum == r[1] {
		out.Maximum = ""
	}
	return &out
}

// leaves reports whether an integer may be outside of what the format of another can hold. Who reads an int has 64 bits for it.
func leaves(s, other *jsonschema.Schema) bool {
	format := other.Format
	if format == "" {
		format = "int64"
	}
	r, ok := jsonschema.IntRanges[format]
	if !ok || !isInteger(s) || !isInteger(other) {
		return false
	}
	for i, sign := range []int{1, -1} {
		edge, _ := number(r[i])
		if _, outwards := (bound{at: edge}).moved(boundOf(s, sign), sign); outwards {
			return true
		}
	}
	return false
}

// bound is a bound of numbers; without a number there is none.
type bound struct {
	at   *big.Rat
	open bool // it is outside itself
}

// boundOf returns the bound that counts of minimum and exclusiveMinimum, or of the others for the sign -1.
func boundOf(s *jsonschema.Schema, sign int) bound {
	literals := []string{s.Minimum, s.ExclusiveMinimum}
	if sign < 0 {
		literals = []string{s.Maximum, s.ExclusiveMaximum}
	}
	var out bound
	for i, literal := range literals {
		v, ok := number(literal)
		if !ok {
			continue
		}
		b := bound{v, i == 1}
		if b.open && isInteger(s) { // the next whole number
			if v.IsInt() {
				b.at, b.open = new(big.Rat).Add(v, big.NewRat(int64(sign), 1)), false
			}
		}
		if inwards, _ := out.moved(b, sign); inwards {
			out = b
		}
	}
	return out
}

// moved reports whether another bound is further in or out; sign is 1 for a lower one. None is furthest out.
func (b bound) moved(to bound, sign int) (inwards, outwards bool) {
	switch {
	case b.at == nil || to.at == nil:
		return to.at != nil, b.at != nil
	case b.at.Cmp(to.at) == 0:
		return to.open && !b.open, b.open && !to.open
	}
	order := to.at.Cmp(b.at) * sign
	return order > 0, order < 0
}

func divides(step, multiple string) bool {
	x, ok := number(step)
	y, ok2 := number(multiple)
	return ok && ok2 && x.Sign() != 0 && new(big.Rat).Quo(y, x).IsInt()
}

func (c *comparison) arrays(o, n *jsonschema.Schema, a at) {
	c.sizes("array-size", "another number of items", o.MinItems, o.MaxItems, n.MinItems, n.MaxItems, a)
	switch {
	case n.UniqueItems && !o.UniqueItems:
		c.report("array-unique-added", a, "", "the items of %s must be different", a.path)
	case o.UniqueItems && !n.UniqueItems:
		c.report("array-unique-removed", a, "", "the items of %s may be equal", a.path)
	}
	if len(o.PrefixItems) != len(n.PrefixItems) {
		c.report("tuple-shape-changed", a, "", "%s has %d items with a place of their own instead of %d", a.path,
			len(n.PrefixItems), len(o.PrefixItems))
		return
	}
	for i := range o.PrefixItems {
		c.schemas(o.PrefixItems[i], n.PrefixItems[i], a.in(strconv.Itoa(i), n.PrefixItems[i].Pos))
	}
	oldItems, newItems := orAny(o.Items), orAny(n.Items)
	if oldItems.False != newItems.False {
		c.report("tuple-shape-changed", a, "", "whether %s has more items has changed", a.path)
		return
	}
	c.schemas(oldItems, newItems, a.in("items", newItems.Pos))
}

// orAny returns a schema for what is not given.
func orAny(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil {
		return &jsonschema.Schema{}
	}
	return s
}
