package typescript

// This file decides how values are read and written: an expression for each type, of the functions in codec.ts.

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// Codec is the constant of a type.
type Codec struct{ Name, Expr string }

// codecs returns the constants of types, each behind those that it needs.
func (b *builder) codecs(list []*model.Named) []Codec {
	c := &coder{b: b, state: map[*model.Named]int{}}
	for _, n := range list {
		c.named(n)
	}
	return c.out
}

// coder prints codecs in an order in which each finds what it needs.
type coder struct {
	b     *builder
	state map[*model.Named]int // 1: being printed, 2: printed
	out   []Codec
}

// named returns the name of a type's codec.
func (c *coder) named(n *model.Named) string {
	name := "$" + c.b.names.out[n]
	switch c.state[n] {
	case 1:
		c.b.use.features.use("lazy")
		return "$lazy(() => " + name + ")"
	case 0:
		c.state[n] = 1
		expr := c.typ(n.Type)
		c.state[n] = 2
		c.out = append(c.out, Codec{name, c.pure(expr)})
	}
	return name
}

// pure marks an expression so that bundlers leave it out of programs that do not use it. The mark holds for one call, so what
// calls within its arguments is put into a function.
func (c *coder) pure(expr string) string {
	switch {
	case !strings.HasPrefix(expr, "$") || !strings.Contains(expr, "("):
		return expr
	case strings.Count(expr, "(") > 1:
		c.b.use.features.use("make")
		return "/* @__PURE__ */ $make(() => " + expr + ")"
	}
	return "/* @__PURE__ */ " + expr
}

// typ returns the expression of a type.
func (c *coder) typ(t *model.Type) string {
	expr := c.plain(t)
	if t.Check != nil {
		expr = c.call("check", expr, quote(t.Check.Schema))
		c.b.formatsOf(t.Check.Schema)
	}
	if t.Nullable {
		expr = c.call("nullable", expr)
	}
	return expr
}

// call returns a call of a function of the runtime, and notes that it is needed. Arguments that are undefined at the end are left out.
func (c *coder) call(name string, args ...string) string {
	c.b.use.features.use(name)
	for len(args) > 0 && args[len(args)-1] == "undefined" {
		args = args[:len(args)-1]
	}
	return "$" + name + "(" + strings.Join(args, ", ") + ")"
}

func (c *coder) plain(t *model.Type) string {
	min, max := bound(t.MinLen), bound(t.MaxLen)
	switch t.Kind {
	case model.String:
		return c.call("string", min, max, c.also(t))
	case model.DateTime:
		c.b.use.features.use("format:date-time")
		return c.call("string", "undefined", "undefined", `$format("date-time")`, "true") // as in Go, also when it is received
	case model.Bool, model.Any:
		name := map[model.Kind]string{model.Bool: "bool", model.Any: "any"}[t.Kind]
		c.b.use.features.use(name)
		return "$" + name
	case model.Int64:
		return c.call("long", "-(2n ** 63n)", "2n ** 63n - 1n")
	case model.Uint64:
		return c.call("long", "0n", "2n ** 64n - 1n")
	case model.Float32, model.Float64:
		single := "undefined"
		if t.Kind == model.Float32 {
			single = "true"
		}
		return c.call("float", limit(t.Min), limit(t.Max), single)
	case model.Bytes:
		return c.call("bytes", min, max)
	case model.Object:
		c.b.use.features.use("any")
		return c.call("map", "$json(false)", "undefined", min, max)
	case model.Array:
		return c.call("array", c.typ(t.Elem), min, max)
	case model.Map:
		key := "undefined"
		if t.Key != nil {
			key = c.typ(t.Key)
		}
		return c.call("map", c.typ(t.Elem), key, min, max)
	case model.Ref:
		return c.named(t.Ref)
	case model.Box:
		return c.typ(t.Elem)
	}
	return c.composed(t, min, max)
}

func (c *coder) composed(t *model.Type, min, max string) string {
	switch t.Kind {
	case model.Enum, model.IntEnum:
		var values []string
		for _, v := range t.Values {
			if t.Kind == model.Enum {
				values = append(values, quote(v.Wire))
			} else {
				values = append(values, v.Wire)
			}
		}
		return c.call("enum", "["+strings.Join(values, ", ")+"]")
	case model.Struct:
		return c.structure(t)
	case model.Tuple:
		return c.tuple(t, min, max)
	case model.Union:
		var variants []string
		for _, v := range t.Union {
			tag := quote(v.Tag)
			if v.Int {
				tag = v.Tag
			}
			variants = append(variants, "["+tag+", "+c.named(v.Type)+"]")
		}
		return c.call("union", quote(t.Tag), "new Map<unknown, $Type>(["+strings.Join(variants, ", ")+"])")
	case model.OneOf:
		var kinds []string
		for _, f := range t.Fields {
			kinds = append(kinds, f.Wire+": "+c.field(f))
		}
		return c.call("oneOf", "{ "+strings.Join(kinds, ", ")+" }")
	}
	least, most := jsonschema.LenientRange(t.Kind)
	args := []string{limit(t.Min), limit(t.Max), limit(least), limit(most), exact(t.Max)}
	if slices.Equal(args[:2], args[2:4]) {
		args[2], args[3] = "undefined", "undefined"
	}
	return c.call("integer", args...)
}

// also returns what a string has to satisfy beyond its length.
func (c *coder) also(t *model.Type) string {
	switch {
	case t.Pattern != "":
		return c.call("pattern", quote(t.Pattern))
	case knownFormat(t.Format):
		c.b.use.features.use("format:" + t.Format)
		return "$format(" + quote(t.Format) + ")"
	}
	return "undefined"
}

func (c *coder) field(f *model.Field) string {
	if f.Const != nil {
		return c.call("const", quote(string(f.Const)))
	}
	return c.typ(f.Type)
}

// structure returns the fields as a list: ["roomId", $RoomID], ["limit", $integer(1, 100), 1, 50].
func (c *coder) structure(t *model.Type) string {
	var fields []string
	for _, f := range t.Fields {
		parts := []string{quote(f.Wire), c.field(f), "undefined", "undefined", "undefined"}
		if f.Optional {
			parts[2] = "1"
		}
		if f.Default != nil {
			parts[3] = literal(f.Default)
		}
		if name := memberName(f); name != f.Wire {
			parts[4] = quote(name)
		}
		for parts[len(parts)-1] == "undefined" {
			parts = parts[:len(parts)-1]
		}
		fields = append(fields, "["+strings.Join(parts, ", ")+"]")
	}
	extra := "undefined"
	switch {
	case t.Extra != nil:
		extra = c.typ(t.Extra.Elem)
	case t.Open:
		extra = "true"
	}
	list := strings.Join(fields, ", ")
	if len(list) > 100 {
		list = "\n  " + strings.Join(fields, ",\n  ") + ",\n"
	}
	return c.call("struct", "["+list+"]", extra)
}

func (c *coder) tuple(t *model.Type, min, max string) string {
	var items []string
	needed := 0
	for i, f := range t.Fields {
		items = append(items, c.field(f))
		if !f.Optional {
			needed = i + 1
		}
	}
	rest := "undefined"
	if t.Elem != nil {
		rest = c.typ(t.Elem)
	}
	return c.call("tuple", "["+strings.Join(items, ", ")+"]", strconv.Itoa(needed), rest, min, max)
}

// bound returns a bound of a size.
func bound(n *int) string {
	if n == nil {
		return "undefined"
	}
	return strconv.Itoa(*n)
}

// limit returns a bound of a number. Integers that a number cannot hold are rounded, as those are that come.
func limit(text string) string {
	if text == "" {
		return "undefined"
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && (n > 1<<53 || n < -1<<53) {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return text
}

// exact returns an upper bound that limit rounds to a number beyond it, rounded down: 2⁶³ is no int64, though it is what
// 2⁶³ - 1 is read as. Else it returns undefined.
func exact(text string) string {
	want, ok := new(big.Float).SetPrec(64).SetString(text)
	n, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || big.NewFloat(n).Cmp(want) <= 0 {
		return "undefined"
	}
	return strconv.FormatFloat(math.Nextafter(n, 0), 'f', -1, 64)
}
