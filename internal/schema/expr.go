package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
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

// expr reads the type expression of a scalar. After an error the schema is invalid.
func (p *parser) expr(n *node) *jsonschema.Schema {
	e := &exprParser{p: p, node: n, text: []rune(n.text)}
	s := e.union(0)
	if !e.bad && e.next("=") {
		e.literal(s)
	}
	if e.space(); !e.bad && e.at < len(e.text) {
		e.fail("unexpected %q in a type", string(e.text[e.at]))
	}
	if e.bad {
		return invalid(n.pos)
	}
	return s
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

func (e *exprParser) union(depth int) *jsonschema.Schema {
	if depth > maxParens {
		e.fail("nested too deep")
	}
	if e.bad {
		return nil
	}
	e.space()
	start := e.place()
	var variants []*jsonschema.Schema
	null := false
	for {
		s := e.postfix(depth)
		switch {
		case e.bad:
			return nil
		case s.Source != nil && s.Source.Name == "null":
			if null {
				e.fail("null is given twice")
			}
			null = true
		default:
			variants = append(variants, s)
		}
		if !e.next("|") {
			break
		}
	}
	return e.unite(start, variants, null)
}

// unite makes one schema of alternatives.
func (e *exprParser) unite(start diag.Pos, variants []*jsonschema.Schema, null bool) *jsonschema.Schema {
	switch {
	case len(variants) == 0:
		e.bad = true
		e.p.errorf(start, "bad-type", "write T | null", "null alone is no type")
		return nil
	case len(variants) == 1 && !null:
		return variants[0]
	case len(variants) == 1:
		return orNull(variants[0])
	}
	s := &jsonschema.Schema{Pos: start, AnyOf: variants}
	s.Src().Short = true
	if null {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Pos: start, Type: []string{"null"}})
	}
	return s
}

// orNull returns the schema of T | null.
func orNull(s *jsonschema.Schema) *jsonschema.Schema {
	switch {
	case s.IsAny() && (s.Source == nil || s.Source.Name == ""), s.Nullable(): // null is allowed already
		return s
	case len(s.Type) == 1 && s.Enum == nil && s.Const == nil && s.AnyOf == nil && s.OneOf == nil:
		s.Type = append(slices.Clone(s.Type), "null")
		return s
	case s.Source != nil && s.Source.Short:
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Pos: s.Pos, Type: []string{"null"}})
		return s
	}
	return &jsonschema.Schema{Pos: s.Pos, AnyOf: []*jsonschema.Schema{s, {Pos: s.Pos, Type: []string{"null"}}}}
}

func (e *exprParser) postfix(depth int) *jsonschema.Schema {
	s := e.primary(depth)
	for ; !e.bad && e.next("[]"); depth++ {
		if depth > maxParens {
			e.fail("nested too deep")
		}
		s = &jsonschema.Schema{Pos: s.Pos, Type: []string{"array"}, Items: s}
		s.MinItems, s.MaxItems = e.p.sizes(e.bounds())
	}
	return s
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-'
}

func (e *exprParser) primary(depth int) *jsonschema.Schema {
	if e.next("(") {
		t := e.union(depth + 1)
		e.close(")")
		return t
	}
	e.space()
	pos := e.place()
	start := e.at
	for e.at < len(e.text) && (isWordRune(e.text[e.at]) || e.text[e.at] == '.' && e.at+1 < len(e.text) &&
		isWordRune(e.text[e.at+1])) {
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
		e.failHint(fmt.Sprintf("for a field that may be left out write name?: %s, for a value that may be null %s | null", word,
			word), "a question mark behind a type")
		return nil
	}
	return e.named(word, pos)
}

// named returns the schema of a built-in type, or one that refers to a name.
func (e *exprParser) named(name string, pos diag.Pos) *jsonschema.Schema {
	b := e.bounds()
	if s := word(name); s != nil && !e.bad {
		s.Pos = pos
		e.p.applyBounds(s, name, b)
		return s
	}
	s := &jsonschema.Schema{Pos: pos}
	s.Src().Name = name
	if b != nil {
		s.Source.Bounds = b.pos
	}
	return s
}

func (e *exprParser) mapOf(pos diag.Pos, depth int) *jsonschema.Schema {
	s := &jsonschema.Schema{Pos: pos, Type: []string{"object"}}
	s.AdditionalProperties = e.union(depth + 1)
	if !e.bad && e.next(",") {
		if key := s.AdditionalProperties; !isPlainString(key) {
			s.PropertyNames = key
		}
		s.AdditionalProperties = e.union(depth + 1)
	}
	e.close(">")
	s.MinProperties, s.MaxProperties = e.p.sizes(e.bounds())
	return s
}

// isPlainString reports whether a schema allows all strings and nothing else: so do the keys of every map.
func isPlainString(s *jsonschema.Schema) bool {
	o, ok := jsonschema.Printer{}.Schema(s).(jsonschema.Object)
	return ok && len(o) == 1 && len(s.Type) == 1 && s.Type[0] == "string"
}

// bounds reads what stands in parentheses behind a word; nil when there is nothing.
func (e *exprParser) bounds() *bounds {
	if e.bad || e.at >= len(e.text) || e.text[e.at] != '(' {
		return nil
	}
	b := &bounds{pos: e.place()}
	e.at++
	low, lowPos := e.number()
	if e.next("..") {
		high, highPos := e.number()
		b.min, b.max = Text{low, lowPos}, Text{high, highPos}
		if low == "" && high == "" {
			e.failBounds("", "bounds need a number on one side of ..")
		}
	} else {
		if low == "" {
			e.failBounds(boundsHint, "a number is missing in the bounds")
		}
		b.min, b.max = Text{low, lowPos}, Text{low, lowPos}
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
func (e *exprParser) literal(s *jsonschema.Schema) {
	e.space()
	text := strings.TrimSpace(string(e.text[e.at:]))
	s.Src().DefaultPos, s.Source.DefaultText = e.place(), text
	e.at = len(e.text)
	switch {
	case text == "":
		hint := ""
		if comment := e.node.comment; comment != "" {
			hint = fmt.Sprintf("# begins a comment: put the type in quotes: \"%s '%s'\"", e.node.text, comment)
		}
		e.at = len(e.text)
		e.failHint(hint, "a default is missing behind =")
	case json.Valid([]byte(text)):
		s.Default = compact(text)
	case strings.HasPrefix(text, "'") && strings.HasSuffix(text, "'") && len(text) > 1:
		s.Default = quote(strings.ReplaceAll(text[1:len(text)-1], "''", "'"))
	default:
		s.Default = quote(text)
	}
}
