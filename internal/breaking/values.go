package breaking

import (
	"math/big"
	"slices"
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
		c.report(id+"-tightened", a, "keep the old bounds", "%s allows less: %s", a.path, what)
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
		if format == "date-time" || format == "int64" || format == "uint64" {
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
		c.report("format-changed", a, "add a field of another name", "%s must be of the format %s instead of %s", a.path, n.Format, o.Format)
	}
	if o.ContentEncoding != n.ContentEncoding {
		c.report("encoding-changed", a, "add a field of another name", "%s is encoded as %s instead of %s", a.path, or(n.ContentEncoding, "plain text"), or(o.ContentEncoding, "plain text"))
	}
}

// numbers compares ranges and steps. Integers of another width are wider or narrower types.
func (c *comparison) numbers(o, n *jsonschema.Schema, a at) {
	lowUp, lowDown := moved(o.Minimum, n.Minimum, 1)
	highDown, highUp := moved(o.Maximum, n.Maximum, -1)
	aboveUp, aboveDown := moved(o.ExclusiveMinimum, n.ExclusiveMinimum, 1)
	belowDown, belowUp := moved(o.ExclusiveMaximum, n.ExclusiveMaximum, -1)
	tightened, loosened := lowUp || highDown || aboveUp || belowDown, lowDown || highUp || aboveDown || belowUp
	switch {
	case o.Format != n.Format && loosened && !tightened:
		c.report("field-type-widened", a, "", "%s is %s instead of %s", a.path, or(n.Format, n.Type[0]), or(o.Format, o.Type[0]))
	case o.Format != n.Format && tightened && !loosened:
		c.report("field-type-narrowed", a, "", "%s is %s instead of %s", a.path, or(n.Format, n.Type[0]), or(o.Format, o.Type[0]))
	default:
		c.bounds("number-range", "another range", tightened, loosened, a)
	}
	if o.MultipleOf == n.MultipleOf {
		return
	}
	if n.MultipleOf == "" || o.MultipleOf != "" && divides(n.MultipleOf, o.MultipleOf) {
		c.report("number-step-changed/loosened", a, "", "%s allows more: other multiples", a.path)
	} else {
		c.report("number-step-changed/tightened", a, "keep the old step", "%s allows less: only multiples of %s", a.path, n.MultipleOf)
	}
}

// moved reports whether a bound moved inwards or outwards; sign is 1 for a lower one. None is furthest out.
func moved(old, new string, sign int) (inwards, outwards bool) {
	switch {
	case old == new:
		return false, false
	case old == "":
		return true, false
	case new == "":
		return false, true
	}
	x, ok := new2(old)
	y, ok2 := new2(new)
	if !ok || !ok2 {
		return true, true
	}
	order := y.Cmp(x) * sign
	return order > 0, order < 0
}

func new2(s string) (*big.Rat, bool) { return new(big.Rat).SetString(s) }

func divides(step, multiple string) bool {
	x, ok := new2(step)
	y, ok2 := new2(multiple)
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
		c.report("tuple-shape-changed", a, "", "%s has %d items with a place of their own instead of %d", a.path, len(n.PrefixItems), len(o.PrefixItems))
		return
	}
	for i := range o.PrefixItems {
		c.schemas(o.PrefixItems[i], n.PrefixItems[i], a.in(itoa(i), n.PrefixItems[i].Pos))
	}
	oldItems, newItems := orAny(o.Items), orAny(n.Items)
	if oldItems.False != newItems.False {
		c.report("tuple-shape-changed", a, "", "whether %s has more items has changed", a.path)
		return
	}
	c.schemas(oldItems, newItems, a.in("items", newItems.Pos))
}

func itoa(i int) string { return strconv.Itoa(i) }

// orAny returns a schema for what is not given.
func orAny(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil {
		return &jsonschema.Schema{}
	}
	return s
}

func (c *comparison) objects(o, n *jsonschema.Schema, a at) {
	c.sizes("map-size", "another number of fields", o.MinProperties, o.MaxProperties, n.MinProperties, n.MaxProperties, a)
	oldMore, newMore := orAny(o.AdditionalProperties), orAny(n.AdditionalProperties)
	switch {
	case newMore.False && !oldMore.False:
		c.report("object-closed", a, "", "%s refuses unknown fields", a.path)
	case oldMore.False && !newMore.False:
		c.report("object-opened", a, "", "%s allows unknown fields", a.path)
	case !oldMore.False:
		c.schemas(oldMore, newMore, a.in("values", newMore.Pos))
	}
	if text(&jsonschema.Schema{PropertyNames: o.PropertyNames, PatternProperties: o.PatternProperties}) !=
		text(&jsonschema.Schema{PropertyNames: n.PropertyNames, PatternProperties: n.PatternProperties}) {
		c.report("map-key-changed", a, "", "%s allows other keys", a.path)
	}
	c.fields(o, n, a)
}

// fields pairs the fields of two objects by their names.
func (c *comparison) fields(o, n *jsonschema.Schema, a at) {
	var added []jsonschema.Property
	for _, p := range n.Properties {
		if o.Property(p.Name) == nil {
			added = append(added, p)
		}
	}
	for _, p := range o.Properties {
		inner := a.in(p.Name, a.pos)
		if s := n.Property(p.Name); s != nil {
			i := slices.IndexFunc(n.Properties, func(q jsonschema.Property) bool { return q.Name == p.Name })
			inner.pos = n.Properties[i].Pos
			c.field(p.Schema, s, o.Requires(p.Name), n.Requires(p.Name), inner)
			continue
		}
		if i := slices.IndexFunc(added, func(q jsonschema.Property) bool {
			return text(q.Schema) == text(p.Schema) && o.Requires(p.Name) == n.Requires(q.Name)
		}); i >= 0 {
			inner.pos = added[i].Pos
			c.report("field-renamed", inner, "keep the old name", "%s is called %s", inner.path, added[i].Name)
			added = slices.Delete(added, i, i+1)
			continue
		}
		c.goneField(o, p, inner)
	}
	for _, p := range added {
		inner := a.in(p.Name, p.Pos)
		if n.Requires(p.Name) {
			c.report("field-added-required", inner, `make it "`+p.Name+`?:", or give it a default`, "%s is required now; old clients do not send it (was: absent in %s)", inner.path, c.label())
		} else {
			c.report("field-added-optional", inner, "", "%s is new", inner.path)
		}
	}
}

// goneField reports a field that is not there any more, at what was around it.
func (c *comparison) goneField(o *jsonschema.Schema, p jsonschema.Property, a at) {
	id := "field-removed-optional"
	if o.Requires(p.Name) {
		id = "field-removed-required"
	}
	c.report(id, a, "keep it with deprecated: for a while", "%s is gone (it was at %s in %s)", a.path, where(p.Pos), c.label())
}

// field compares a field that both versions have.
func (c *comparison) field(o, n *jsonschema.Schema, wasRequired, isRequired bool, a at) {
	switch {
	case wasRequired && !isRequired && n.Default != nil:
		c.report("field-default-added", a, "", "%s may be left out, and is %s then", a.path, n.Default)
	case wasRequired && !isRequired:
		c.report("field-became-optional", a, "give it a default", "%s may be left out", a.path)
	case !wasRequired && isRequired && o.Default != nil:
		c.report("field-default-removed/required", a, "keep the default", "%s is required now, and has no default any more", a.path)
	case !wasRequired && isRequired:
		c.report("field-became-required", a, `make it "?:", or give it a default`, "%s is required now", a.path)
	case o.Default == nil && n.Default != nil:
		c.report("field-default-changed", a, "", "%s is %s when it is left out, instead of absent", a.path, n.Default)
	case o.Default != nil && n.Default == nil:
		c.report("field-default-removed", a, "", "%s is not %s any more when it is left out", a.path, o.Default)
	case string(o.Default) != string(n.Default):
		c.report("field-default-changed", a, "", "%s is %s when it is left out, instead of %s", a.path, n.Default, o.Default)
	}
	if n.Deprecated && !o.Deprecated {
		c.report("field-deprecated", a, "", "%s is deprecated", a.path)
	}
	pos := a.pos
	c.schemas(o, n, a)
	a.pos = pos
}
