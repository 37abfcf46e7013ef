package model

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/names"
	"github.com/wsgen/wsgen/internal/schema"
)

// words are the built-in types.
var words = map[string]Type{
	"string": {Kind: String}, "bool": {Kind: Bool}, "boolean": {Kind: Bool},
	"int":     {Kind: Int, Min: "-9007199254740991", Max: "9007199254740991"},
	"integer": {Kind: Int, Min: "-9007199254740991", Max: "9007199254740991"},
	"int8":    {Kind: Int8, Min: "-128", Max: "127"}, "uint8": {Kind: Uint8, Min: "0", Max: "255"},
	"int16": {Kind: Int16, Min: "-32768", Max: "32767"}, "uint16": {Kind: Uint16, Min: "0", Max: "65535"},
	"int32": {Kind: Int32, Min: "-2147483648", Max: "2147483647"}, "uint32": {Kind: Uint32, Min: "0", Max: "4294967295"},
	"int64": {Kind: Int64}, "uint64": {Kind: Uint64},
	"float": {Kind: Float64}, "number": {Kind: Float64}, "float64": {Kind: Float64}, "float32": {Kind: Float32},
	"bytes": {Kind: Bytes}, "date-time": {Kind: DateTime}, "datetime": {Kind: DateTime},
	"any": {Kind: Any}, "object": {Kind: Object},
	"uuid": {Kind: String, Format: "uuid"}, "date": {Kind: String, Format: "date"}, "time": {Kind: String, Format: "time"},
	"duration": {Kind: String, Format: "duration"}, "email": {Kind: String, Format: "email"},
	"uri": {Kind: String, Format: "uri"}, "url": {Kind: String, Format: "uri"}, "uri-reference": {Kind: String, Format: "uri-reference"},
	"hostname": {Kind: String, Format: "hostname"}, "ipv4": {Kind: String, Format: "ipv4"}, "ipv6": {Kind: String, Format: "ipv6"},
	"json-pointer": {Kind: String, Format: "json-pointer"}, "regex": {Kind: String, Format: "regex"},
}

// Words returns the built-in types, sorted.
func Words() []string {
	var out []string
	for w := range words {
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}

// declareTypes makes all declared names known before any is resolved: they may refer to each other in any order.
func (b *builder) declareTypes() {
	b.places = make(map[*Named]diag.Pos)
	for _, t := range b.file.Types {
		n := &Named{Path: t.Name.Value, Go: names.Go(t.Name.Value), TS: names.TSType(t.Name.Value), Doc: t.Doc}
		b.take(n.Go, "the type "+n.Path, t.Name.Pos)
		b.places[n] = t.Name.Pos
		b.declared[t.Name.Value] = &declaration{named: n, tree: t}
		b.api.Types = append(b.api.Types, n)
	}
	for _, t := range b.file.Types {
		b.fill(b.declared[t.Name.Value].named, t.Type)
	}
}

// fill gives a named type its shape.
func (b *builder) fill(n *Named, tree *schema.Type) {
	if tree.Nullable {
		b.errorf(tree.Pos, "nullable-type", "leave | null away here, and write it where the type is used", "%s itself cannot be null", n.Path)
	}
	switch tree.Shape {
	case schema.Object:
		n.Type = b.object(n, tree)
	case schema.Enum:
		n.Type = b.enum(n, tree)
	default:
		n.Type = b.typ(tree, n.Path, n.Go)
		n.Type.Nullable = false
	}
}

// lift names an object or enum that stands inside of another type.
func (b *builder) lift(tree *schema.Type, path, goName string) *Named {
	n := &Named{Path: path, Go: goName, TS: names.TSType(goName), Doc: tree.Doc}
	b.take(n.Go, path, tree.Pos)
	b.places[n] = tree.Pos
	b.lifted = append(b.lifted, n)
	b.fill(n, &schema.Type{Pos: tree.Pos, Shape: tree.Shape, Fields: tree.Fields, Values: tree.Values, Doc: tree.Doc})
	return n
}

// typ resolves a type, which is a broken one after an error. path and goName are for what has to be lifted out of it.
func (b *builder) typ(tree *schema.Type, path, goName string) *Type {
	t := brokenType()
	switch tree.Shape {
	case schema.Word:
		t = b.word(tree)
	case schema.ListOf:
		t = &Type{Kind: Array, Elem: b.typ(tree.Elem, path+".items", goName+"Item")}
		b.sizeBounds(t, tree.Bounds)
	case schema.MapOf:
		t = b.mapType(tree, path, goName)
	case schema.Object, schema.Enum:
		t = &Type{Kind: Ref, Ref: b.lift(tree, path, goName)}
	case schema.UnionOf:
		b.union(tree)
	}
	t.Nullable = tree.Nullable
	return t
}

func (b *builder) word(tree *schema.Type) *Type {
	if w, ok := words[tree.Word]; ok {
		t := w
		if tree.Bounds != nil {
			b.bounds(&t, tree)
		}
		return &t
	}
	if d := b.declared[tree.Word]; d != nil {
		if tree.Bounds != nil {
			b.errorf(tree.Bounds.Pos, "bad-bounds", "put the bounds where the type is declared", "%s has bounds of its own", tree.Word)
		}
		return &Type{Kind: Ref, Ref: d.named}
	}
	switch {
	case tree.Word == "null":
		b.errorf(tree.Pos, "bad-type", "write T | null", "null alone is no type")
	case strings.Contains(tree.Word, "."):
		b.unsupported(tree.Pos, fmt.Sprintf("%q names a type of another file: imports are", tree.Word))
	default:
		b.errorf(tree.Pos, "unknown-type", b.didYouMean(tree.Word, b.typeNames()), "unknown type %q", tree.Word)
	}
	return brokenType()
}

func (b *builder) typeNames() []string {
	out := Words()
	for _, t := range b.file.Types {
		out = append(out, t.Name.Value)
	}
	return out
}

func (b *builder) known(word string) bool {
	_, ok := words[word]
	return ok || b.declared[word] != nil
}

// union refuses A | B, and tells the two things apart that are meant by it.
func (b *builder) union(tree *schema.Type) {
	var unknown []string
	for _, v := range tree.Variants {
		if v.Shape == schema.Word && !b.known(v.Word) {
			unknown = append(unknown, v.Word)
		}
	}
	if len(unknown) == len(tree.Variants) {
		quoted := make([]string, len(unknown))
		for i, w := range unknown {
			quoted[i] = strconv.Quote(w)
		}
		b.errorf(tree.Pos, "unknown-type", "", "unknown types %s and %s; for a fixed set of values write {enum: [%s]}",
			strings.Join(quoted[:len(quoted)-1], ", "), quoted[len(quoted)-1], strings.Join(unknown, ", "))
		return
	}
	for _, v := range tree.Variants {
		b.typ(v, "", "Variant")
	}
	b.unsupported(tree.Pos, "unions of types are")
}

func (b *builder) mapType(tree *schema.Type, path, goName string) *Type {
	t := &Type{Kind: Map, Elem: b.typ(tree.Elem, path+".values", goName+"Value")}
	b.sizeBounds(t, tree.Bounds)
	if tree.Key == nil {
		return t
	}
	key := b.typ(tree.Key, path+".keys", goName+"Key")
	b.check(func() {
		if k := key.Resolve(); key.Nullable || k.Kind != String && k.Kind != Enum && k.Kind != broken {
			b.errorf(tree.Key.Pos, "bad-type", "write map<T>, or map<K, T> with a string type K", "the keys of a map are strings")
		}
	})
	if key.Kind != String || key.Format != "" || key.MinLen != nil || key.MaxLen != nil {
		t.Key = key
	}
	return t
}

// bounds applies what stands in parentheses behind a word.
func (b *builder) bounds(t *Type, tree *schema.Type) {
	switch {
	case t.Kind.IsInt():
		b.valueBounds(t, tree.Bounds, true)
	case t.Kind == Float32 || t.Kind == Float64:
		b.valueBounds(t, tree.Bounds, false)
	case t.Kind == String || t.Kind == Object:
		b.sizeBounds(t, tree.Bounds)
	case t.Kind == Bytes:
		b.sizeBounds(t, tree.Bounds)
		roundBytes(t)
	case t.Kind == Int64 || t.Kind == Uint64:
		b.errorf(tree.Bounds.Pos, "bad-bounds", "use int, which has bounds and 53 bits", "%s travels as text and has no bounds", tree.Word)
	default:
		b.errorf(tree.Bounds.Pos, "bad-bounds", "", "%s has no bounds", tree.Word)
	}
}

// roundBytes moves the bounds to where base64 text can tell lengths apart: groups of three bytes.
func roundBytes(t *Type) {
	if t.MaxLen != nil {
		*t.MaxLen = (*t.MaxLen + 2) / 3 * 3
	}
	if t.MinLen != nil && *t.MinLen > 0 {
		*t.MinLen = (*t.MinLen-1)/3*3 + 1
	}
}

// maxSize is the largest bound of a size.
const maxSize = math.MaxInt32

func (b *builder) sizeBounds(t *Type, bounds *schema.Bounds) {
	if bounds == nil {
		return
	}
	read := func(s schema.Text) *int {
		if s.Value == "" {
			return nil
		}
		v, err := strconv.Atoi(s.Value)
		if err != nil || v < 0 || v > maxSize {
			b.errorf(s.Pos, "bad-bounds", "", "a size is a whole number from 0 to %d", maxSize)
			return nil
		}
		return &v
	}
	t.MinLen, t.MaxLen = read(bounds.Min), read(bounds.Max)
	if t.MinLen != nil && t.MaxLen != nil && *t.MinLen > *t.MaxLen {
		b.errorf(bounds.Pos, "bad-bounds", "write the smaller number first", "nothing is between %d and %d", *t.MinLen, *t.MaxLen)
	}
}

func (b *builder) valueBounds(t *Type, bounds *schema.Bounds, integer bool) {
	limit := func(s schema.Text, old string) string {
		if s.Value == "" {
			return old
		}
		v := rational(s.Value)
		switch {
		case v == nil || !integer && !fitsFloat(t.Kind, v):
			b.errorf(s.Pos, "bad-bounds", "", "%s is out of range", s.Value)
			return old
		case integer && !v.IsInt():
			b.errorf(s.Pos, "bad-bounds", "", "a bound of an integer is an integer")
			return old
		case integer:
			return v.Num().String()
		}
		return s.Value
	}
	low, high := limit(bounds.Min, t.Min), limit(bounds.Max, t.Max)
	switch {
	case integer && (less(low, t.Min) || less(t.Max, high) || less(t.Max, low) || less(high, t.Min)):
		b.errorf(bounds.Pos, "bad-bounds", "", "the bounds are wider than the type: it goes from %s to %s", t.Min, t.Max)
	case low != "" && high != "" && less(high, low):
		b.errorf(bounds.Pos, "bad-bounds", "write the smaller number first", "nothing is between %s and %s", low, high)
	default:
		t.Min, t.Max = low, high
	}
}

// less compares two number literals.
func less(a, b string) bool {
	x, y := rational(a), rational(b)
	return x != nil && y != nil && x.Cmp(y) < 0
}

// rational returns the exact value of a JSON number, or nil when it is longer or further from one than any bound or
// default needs: the value of 1e999999999 would fill the memory.
func rational(s string) *big.Rat {
	const maxLength, maxExponent = 64, 400
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(s[i+1:]); err != nil || exponent < -maxExponent || exponent > maxExponent {
			return nil
		}
	}
	if len(s) > maxLength {
		return nil
	}
	v, _ := new(big.Rat).SetString(s) // nil if it is no number
	return v
}

// fitsFloat reports whether a number is in the range of a float.
func fitsFloat(k Kind, v *big.Rat) bool {
	f, _ := v.Float64()
	if k == Float32 {
		f32, _ := v.Float32()
		f = float64(f32)
	}
	return !math.IsInf(f, 0)
}

func (b *builder) enum(n *Named, tree *schema.Type) *Type {
	values := make([]string, len(tree.Values))
	for i, v := range tree.Values {
		values[i] = v.Value.Value
	}
	suffixes, _ := names.Enum(values)
	t := &Type{Kind: Enum}
	for i, v := range tree.Values {
		name := n.Go + suffixes[i]
		b.take(name, fmt.Sprintf("the value %q of %s", v.Value.Value, n.Path), v.Value.Pos)
		t.Values = append(t.Values, EnumValue{Wire: v.Value.Value, Go: name, Doc: v.Doc})
	}
	return t
}

func (b *builder) object(n *Named, tree *schema.Type) *Type {
	t := &Type{Kind: Struct}
	byGo := make(map[string]schema.Text)
	for _, f := range tree.Fields {
		field := &Field{Wire: f.Name.Value, Go: fieldName(f.Name.Value), TS: tsField(f.Name.Value), Doc: f.Doc, Optional: f.Optional}
		if field.Go == "" {
			b.errorf(f.Name.Pos, "bad-name", "", "the field %q has no letter or digit", f.Name.Value)
			continue
		}
		if old, dup := byGo[field.Go]; dup {
			b.errorf(f.Name.Pos, "name-collision", "rename one of them", "%q and %q (line %d) are both %s in Go", f.Name.Value, old.Value, old.Pos.Line, field.Go)
			continue
		}
		byGo[field.Go] = f.Name
		field.Type = b.typ(f.Type, n.Path+"."+f.Name.Value, n.Go+names.Go(f.Name.Value))
		if d := f.Type.Default; d != nil {
			field.Default = d.JSON
			b.check(func() { b.checkDefault(field, d) })
		}
		t.Fields = append(t.Fields, field)
	}
	return t
}

// fieldName is names.Go, without hiding the methods that payload types have.
func fieldName(wire string) string {
	name := names.Go(wire)
	if name == "MarshalJSON" || name == "UnmarshalJSON" {
		name += "Field"
	}
	return name
}

func tsField(wire string) string {
	for i, r := range wire {
		letter := r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return strconv.Quote(wire)
		}
	}
	return wire
}
