package validate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wsgen/wsgen/runtime/codec"
)

// run is one judgement.
type run struct {
	report func(path, message string)
	quiet  bool // only wrong is asked for; the first thing that is wrong ends the run
	wrong  bool
	steps  *int // how many schemas may still be judged
}

// Alternatives that contain each other could double the work with every level of a value; so it is bounded, by what large
// values need.
const (
	baseSteps     = 1 << 18
	stepsPerValue = 64
)

// count returns the number of values in a tree.
func count(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += count(item)
		}
	case map[string]any:
		for _, item := range v {
			n += count(item)
		}
	}
	return n
}

func (r *run) fail(path, format string, args ...any) {
	r.wrong = true
	if !r.quiet && *r.steps >= 0 { // behind the bound, what is wrong may come of the bound
		r.report(path, fmt.Sprintf(format, args...))
	}
}

// at returns the path of a member or an item.
func (r *run) at(path, key string) string {
	if r.quiet {
		return ""
	}
	return path + "/" + codec.EscapePointer(key)
}

// fits reports whether a schema allows a value, without telling why not.
func (r *run) fits(n *node, v any) bool {
	quiet := run{quiet: true, steps: r.steps}
	quiet.check(n, v, "")
	return !quiet.wrong
}

func (r *run) check(n *node, v any, path string) {
	if r.quiet && r.wrong {
		return
	}
	if *r.steps--; *r.steps < 0 {
		r.wrong = true
		return
	}
	switch {
	case n.never:
		r.fail(path, "is not allowed")
		return
	case len(n.types) > 0 && !slices.ContainsFunc(n.types, func(t string) bool { return is(v, t) }):
		r.fail(path, "must be %s, got %s", typeList(n.types), typeOf(v))
		return
	}
	if n.ref != nil {
		r.check(n.ref, v, path)
	}
	r.values(n, v, path)
	switch v := v.(type) {
	case string:
		r.text(n, v, path)
	case json.Number:
		r.number(n, v, path)
	case []any:
		r.array(n, v, path)
	case map[string]any:
		r.object(n, v, path)
	}
	r.combined(n, v, path)
}

// is reports whether a value is of a JSON type.
func is(v any, kind string) bool {
	if n, ok := v.(json.Number); ok && kind == "integer" {
		x := rational(n)
		return x != nil && x.IsInt()
	}
	return typeOf(v) == kind
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func typeList(types []string) string {
	out := make([]string, len(types))
	for i, t := range types {
		switch t {
		case "null":
			out[i] = t
		case "integer", "array", "object":
			out[i] = "an " + t
		default:
			out[i] = "a " + t
		}
	}
	return strings.Join(out, " or ")
}

// rational returns the exact value of a number; nil for one that cannot be handled.
func rational(n json.Number) *big.Rat {
	if codec.GuardNumber(string(n)) != "" {
		return nil
	}
	x, _ := new(big.Rat).SetString(string(n))
	return x
}

func (r *run) values(n *node, v any, path string) {
	if n.enum == nil && n.constant == nil {
		return
	}
	text := canonical(v)
	if n.enum != nil && !slices.Contains(n.enum, text) {
		r.fail(path, "must be one of %s", n.enumShown)
	}
	if n.constant != nil && text != *n.constant {
		r.fail(path, "must be %s", n.constText)
	}
}

func (r *run) text(n *node, s, path string) {
	if n.minLength != nil || n.maxLength != nil {
		r.size(utf8.RuneCountInString(s), n.minLength, n.maxLength, "character", path)
	}
	if n.format != nil && !n.format.Match(s) {
		r.fail(path, "%s", n.format.Message())
	}
	r.content(n, s, path)
	if n.pattern != nil && !n.pattern.Match(s) {
		r.fail(path, "%s", n.pattern.Message())
	}
}

// content judges what a string holds.
func (r *run) content(n *node, s, path string) {
	content := []byte(s)
	if n.base64 {
		var err error
		if content, err = base64.StdEncoding.Strict().DecodeString(s); err != nil || strings.ContainsAny(s, "\r\n") {
			r.fail(path, "must be base64 with padding")
			return
		}
	}
	if n.json && !json.Valid(content) {
		r.fail(path, "must hold JSON")
	}
}

// size checks that there are min to max of count things.
func (r *run) size(count int, min, max *int, thing, path string) {
	bound, quantity := 0, ""
	switch {
	case min != nil && count < *min:
		bound, quantity = *min, "at least"
	case max != nil && count > *max:
		bound, quantity = *max, "at most"
	default:
		return
	}
	if min != nil && max != nil && *min == *max {
		quantity = "exactly"
	}
	if bound != 1 {
		thing += "s"
	}
	r.fail(path, "must have %s %d %s", quantity, bound, thing)
}

func (r *run) number(n *node, v json.Number, path string) {
	if n.minimum == nil && n.maximum == nil && n.above == nil && n.below == nil && n.step == nil {
		return
	}
	x := rational(v)
	if x == nil {
		r.fail(path, "%s", codec.GuardNumber(string(v)))
		return
	}
	switch {
	case n.minimum != nil && x.Cmp(n.minimum) < 0:
		r.fail(path, "must be at least %s", decimal(n.minimum))
	case n.maximum != nil && x.Cmp(n.maximum) > 0:
		r.fail(path, "must be at most %s", decimal(n.maximum))
	case n.above != nil && x.Cmp(n.above) <= 0:
		r.fail(path, "must be greater than %s", decimal(n.above))
	case n.below != nil && x.Cmp(n.below) >= 0:
		r.fail(path, "must be less than %s", decimal(n.below))
	case n.step != nil && !new(big.Rat).Quo(x, n.step).IsInt():
		r.fail(path, "must be a multiple of %s", decimal(n.step))
	}
}

// decimal writes a bound for people.
func decimal(x *big.Rat) string {
	if x.IsInt() {
		return x.Num().String()
	}
	f, _ := x.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func (r *run) array(n *node, list []any, path string) {
	for i, item := range list {
		switch {
		case i < len(n.prefix):
			r.check(n.prefix[i], item, r.at(path, strconv.Itoa(i)))
		case n.items != nil:
			r.check(n.items, item, r.at(path, strconv.Itoa(i)))
		}
	}
	r.size(len(list), n.minItems, n.maxItems, "item", path)
	if n.unique {
		seen := make(map[string]int, len(list))
		for i, item := range list {
			text := canonical(item)
			if first, dup := seen[text]; dup {
				r.fail(path, "must have different items, but %d and %d are equal", first, i)
				return
			}
			seen[text] = i
		}
	}
}

func (r *run) object(n *node, members map[string]any, path string) {
	for _, name := range n.required {
		if _, ok := members[name]; !ok {
			r.fail(r.at(path, name), "is required")
		}
	}
	r.size(len(members), n.minMembers, n.maxMembers, "field", path)
	if n.properties == nil && n.patterns == nil && n.additional == nil && n.names == nil {
		return
	}
	for name, v := range codec.Sorted(members) {
		r.member(n, name, v, r.at(path, name))
	}
}

func (r *run) member(n *node, name string, v any, path string) {
	if n.names != nil {
		key := run{quiet: r.quiet, steps: r.steps, report: func(_, message string) { r.report(path, "key "+message) }}
		key.check(n.names, name, "")
		r.wrong = r.wrong || key.wrong
	}
	known := false
	if s := n.properties[name]; s != nil {
		known = true
		r.check(s, v, path)
	}
	for _, p := range n.patterns {
		if p.expr.MatchString(name) {
			known = true
			r.check(p.node, v, path)
		}
	}
	switch {
	case known || n.additional == nil:
	case n.additional.never:
		r.fail(path, "unknown field")
	default:
		r.check(n.additional, v, path)
	}
}

func (r *run) combined(n *node, v any, path string) {
	for _, s := range n.all {
		r.check(s, v, path)
	}
	if n.any != nil && !slices.ContainsFunc(n.any, func(s *node) bool { return r.fits(s, v) }) {
		r.fail(path, "must match one of the alternatives")
	}
	if n.one != nil {
		fitting := 0
		for _, s := range n.one {
			if r.fits(s, v) {
				fitting++
			}
		}
		if fitting != 1 {
			r.fail(path, "must match exactly one of the alternatives, and matches %d", fitting)
		}
	}
}
