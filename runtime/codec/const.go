package codec

import (
	"encoding/json"
	"math/big"
	"strings"
)

// Const reads a value that is always the same: literal, which is the compact JSON of any value. Numbers are compared by
// value, objects by their members. In lenient mode it may be another value of the type.
func (d *Decoder) Const(literal string) {
	switch literal[0] {
	case '"':
		text, ok := d.Text()
		if ok && !d.lenient && !sameText(literal, text) {
			d.notConst(literal)
		}
	case 't', 'f':
		kind, issues := d.Kind(), len(d.issues)
		got := d.Bool()
		if kind == BoolKind && !d.failed && len(d.issues) == issues && !d.lenient && got != (literal == "true") {
			d.notConst(literal)
		}
	case 'n':
		if !d.Null() {
			d.wrongType("null")
		}
	case '[', '{':
		d.constTree(literal)
	default:
		d.constNumber(literal)
	}
}

// notConst reports that the value that was read is another one.
func (d *Decoder) notConst(literal string) { d.add("must be " + literal) }

// constNumber is Const for numbers. Where the number is an integer, one with a fraction is of another type.
func (d *Decoder) constNumber(literal string) {
	want, kind := parseInteger([]byte(literal))
	expected := "a number"
	if kind == exact {
		expected = "an integer"
	}
	lit, ok := d.number(expected)
	if !ok {
		return
	}
	if kind != exact {
		if !d.lenient && !sameNumber(literal, string(lit)) {
			d.notConst(literal)
		}
		return
	}
	if n, got := parseInteger(lit); got == notInteger || !d.lenient && (got != exact || n != want) {
		d.notConst(literal)
	}
}

// constTree is Const for arrays and objects.
func (d *Decoder) constTree(literal string) {
	switch kind := d.Kind(); {
	case literal[0] == '[' && kind != ArrayKind:
		d.wrongType("an array")
		return
	case literal[0] == '{' && kind != ObjectKind:
		d.wrongType("an object")
		return
	case d.lenient:
		d.Skip()
		return
	}
	issues := len(d.issues)
	got := d.tree()
	if d.failed || len(d.issues) > issues {
		return
	}
	var l Decoder
	l.Reset([]byte(literal), Strict)
	if !sameTree(l.tree(), got) {
		d.notConst(literal)
	}
}

// sameText reports whether the JSON string literal says text.
func sameText(literal string, text []byte) bool {
	if inner := literal[1 : len(literal)-1]; !strings.Contains(inner, `\`) {
		return inner == string(text)
	}
	var s string
	return json.Unmarshal([]byte(literal), &s) == nil && s == string(text)
}

// sameNumber reports whether two guarded literals have the same value.
func sameNumber(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok && ok2 && x.Cmp(y) == 0
}

// sameTree reports whether two trees are the same value.
func sameTree(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(string(a), string(b))
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameTree(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if other, ok := b[key]; !ok || !sameTree(a[key], other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false // a comparison with == would panic for two of them
	}
	return a == b
}
