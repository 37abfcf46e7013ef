package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/wsgen/wsgen/internal/diag"
)

// A type expression, as the package documentation of the language has it:
//
//	type    = union [ "=" literal ]
//	union   = postfix { "|" postfix }
//	postfix = primary { "[]" [ bounds ] }
//	primary = word [ bounds ] | Name | "map<" [ key "," ] type ">" [ bounds ] | "(" union ")"
//	bounds  = "(" [ min ] ".." [ max ] ")" | "(" exact ")"

// exprParser reads one expression.
type exprParser struct {
	p    *parser
	node *node
	text []rune
	at   int
	bad  bool // an error was reported; the rest is not read
}

// maxParens is how deep parentheses, maps and arrays may be nested in an expression.
const maxParens = 20

// expr reads the type expression of a scalar. After an error the type is Invalid.
func (p *parser) expr(n *node) *Type {
	e := &exprParser{p: p, node: n, text: []rune(n.text)}
	t := e.union(0)
	if !e.bad && e.next("=") {
		t.Default = e.literal()
	}
	if e.space(); !e.bad && e.at < len(e.text) {
		e.fail("unexpected %q in a type", string(e.text[e.at]))
	}
	if e.bad {
		return invalid()
	}
	return t
}

// place returns where the parser is in the file. Where the file has the text in another way, with escapes or over several
// lines, that is where the text begins.
func (e *exprParser) place() diag.Pos {
	pos := e.node.inner
	if e.node.exact {
		pos.Col += e.at
	}
	return pos
}

func (e *exprParser) fail(format string, args ...any) {
	e.failHint("", format, args...)
}

func (e *exprParser) failHint(hint, format string, args ...any) {
	if !e.bad {
		e.bad = true
		e.p.errorf(e.place(), "bad-type", hint, format, args...)
	}
}

func (e *exprParser) failBounds(hint, format string, args ...any) {
	if !e.bad {
		e.bad = true
		e.p.errorf(e.place(), "bad-bounds", hint, format, args...)
	}
}

// close passes over what ends a part of a type.
func (e *exprParser) close(what string) {
	switch {
	case e.bad || e.next(what):
	case e.next("="):
		e.at--
		e.bad = true
		e.p.errorf(e.place(), "bad-default", onlyFieldHint, onlyField)
	default:
		e.fail("a closing %s is missing", what)
	}
}

func (e *exprParser) space() {
	for e.at < len(e.text) && unicode.IsSpace(e.text[e.at]) {
		e.at++
	}
}

// next passes over s if it is what comes next.
func (e *exprParser) next(s string) bool {
	e.space()
	if !strings.HasPrefix(string(e.text[e.at:min(e.at+len(s), len(e.text))]), s) {
		return false
	}
	e.at += len(s)
	return true
}

func (e *exprParser) union(depth int) *Type {
	if depth > maxParens {
		e.fail("nested too deep")
	}
	if e.bad {
		return nil
	}
	e.space()
	start := e.place()
	var variants []*Type
	null := false
	for {
		t := e.postfix(depth)
		if e.bad {
			return nil
		}
		if t.Shape == Word && t.Word == "null" {
			if null {
				e.fail("null is given twice")
			}
			null = true
		} else {
			variants = append(variants, t)
		}
		if !e.next("|") {
			break
		}
	}
	switch len(variants) {
	case 0:
		e.bad = true
		e.p.errorf(start, "bad-type", "write T | null", "null alone is no type")
		return nil
	case 1:
		variants[0].Nullable = variants[0].Nullable || null
		return variants[0]
	}
	return &Type{Pos: start, Shape: UnionOf, Variants: variants, Nullable: null}
}

func (e *exprParser) postfix(depth int) *Type {
	t := e.primary(depth)
	for ; !e.bad && e.next("[]"); depth++ {
		if depth > maxParens {
			e.fail("nested too deep")
		}
		t = &Type{Pos: t.Pos, Shape: ListOf, Elem: t}
		t.Bounds = e.bounds()
	}
	return t
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-'
}

func (e *exprParser) primary(depth int) *Type {
	if e.next("(") {
		t := e.union(depth + 1)
		e.close(")")
		return t
	}
	e.space()
	pos := e.place()
	start := e.at
	for e.at < len(e.text) && (isWordRune(e.text[e.at]) || e.text[e.at] == '.' && e.at+1 < len(e.text) && isWordRune(e.text[e.at+1])) {
		e.at++
	}
	word := string(e.text[start:e.at])
	switch {
	case word == "" && e.next("["):
		e.at--
		e.failHint("write T[], or [T] without quotes", "an array in text is T[]")
		return nil
	case word == "":
		e.fail("a type is missing")
		return nil
	case word == "map" && e.next("<"):
		return e.mapOf(pos, depth)
	}
	if e.at < len(e.text) && e.text[e.at] == '?' {
		e.failHint(fmt.Sprintf("for a field that may be left out write name?: %s, for a value that may be null %s | null", word, word), "a question mark behind a type")
		return nil
	}
	t := &Type{Pos: pos, Shape: Word, Word: word}
	t.Bounds = e.bounds()
	return t
}

func (e *exprParser) mapOf(pos diag.Pos, depth int) *Type {
	t := &Type{Pos: pos, Shape: MapOf}
	t.Elem = e.union(depth + 1)
	if !e.bad && e.next(",") {
		t.Key = t.Elem
		t.Elem = e.union(depth + 1)
	}
	e.close(">")
	t.Bounds = e.bounds()
	return t
}

// bounds reads what stands in parentheses behind a word; nil when there is nothing.
func (e *exprParser) bounds() *Bounds {
	if e.bad || e.at >= len(e.text) || e.text[e.at] != '(' {
		return nil
	}
	b := &Bounds{Pos: e.place()}
	e.at++
	low, lowPos := e.number()
	if e.next("..") {
		high, highPos := e.number()
		b.Min, b.Max = Text{low, lowPos}, Text{high, highPos}
		if low == "" && high == "" {
			e.failBounds("", "bounds need a number on one side of ..")
		}
	} else {
		if low == "" {
			e.failBounds(boundsHint, "a number is missing in the bounds")
		}
		b.Min, b.Max = Text{low, lowPos}, Text{low, lowPos}
	}
	if !e.bad && !e.next(")") {
		e.failBounds(boundsHint, "the bounds do not end")
	}
	return b
}

const boundsHint = "write (min..max), (min..), (..max) or (exact)"

// number reads a JSON number, but for its range; "" when none begins here.
func (e *exprParser) number() (string, diag.Pos) {
	e.space()
	pos, start := e.place(), e.at
	for e.at < len(e.text) {
		r := e.text[e.at]
		dots := r == '.' && e.at+1 < len(e.text) && e.text[e.at+1] == '.'
		if dots || !strings.ContainsRune("0123456789+-.eE", r) {
			break
		}
		e.at++
	}
	s := string(e.text[start:e.at])
	if s != "" && !json.Valid([]byte(s)) || len(s) > 64 {
		e.at = start
		e.failBounds(boundsHint, "%q is no number", s)
	}
	return s, pos
}

// literal reads a default: JSON, or else text without quotes.
func (e *exprParser) literal() *Literal {
	e.space()
	l := &Literal{Pos: e.place(), Text: strings.TrimSpace(string(e.text[e.at:]))}
	e.at = len(e.text)
	if l.Text == "" {
		hint := ""
		if comment := e.node.comment; comment != "" {
			hint = fmt.Sprintf("# begins a comment: put the type in quotes: \"%s '%s'\"", e.node.text, comment)
		}
		e.failHint(hint, "a default is missing behind =")
		return nil
	}
	if json.Valid([]byte(l.Text)) {
		l.JSON = compact(l.Text)
		return l
	}
	if strings.HasPrefix(l.Text, "'") && strings.HasSuffix(l.Text, "'") && len(l.Text) > 1 {
		l.JSON = quote(strings.ReplaceAll(l.Text[1:len(l.Text)-1], "''", "'"))
		return l
	}
	l.JSON = quote(l.Text)
	return l
}
