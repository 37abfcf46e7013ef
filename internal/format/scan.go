package format

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// kind is what a token is.
type kind byte

const (
	textToken    kind = 's' // a scalar, or the header of a block of text
	blockToken   kind = '|' // the lines of a block of text
	commentToken kind = '#'
	markToken    kind = '.' // --- or ...
	// The others are the characters - : , { } [ ] themselves.
)

// token is a piece of the file that is printed as it is, apart from the indentation of its lines.
type token struct {
	kind   kind
	lines  []string // without indentation; of all but scalars one
	breaks int      // line ends before it
	flow   bool     // inside { } or [ ]
	indent int      // where it stands when it is the first of its line; not in flow
	inner  int      // where its other lines stand, of a scalar; not in flow
	col    int      // in the source, from 0
}

// level is a block mapping or list that is open: where it stands and where it goes.
type level struct {
	up          *level
	col, indent int
}

// next returns where what is inside goes.
func (l *level) next() int {
	if l == nil {
		return 0
	}
	return l.indent + 2
}

// at returns the innermost level that a comment in a column can belong to.
func (l *level) at(col int) *level {
	for l != nil && l.col > col {
		l = l.up
	}
	return l
}

// scanner cuts the source into tokens. What comes next it knows from the nodes: YAML is hard to read without.
type scanner struct {
	file    string
	src     string
	skipped int // lines of the file before src
	at      int // in src
	breaks  int // line ends since the last token
	flow    int // depth of brackets
	tokens  []token
	last    *level // of the last token that is no comment
	waiting []int  // indexes of comments whose level is not known yet
}

// failed ends a scan; document turns it into an error.
type failed struct{ error }

func (s *scanner) document(doc *yaml.Node) (err error) {
	defer func() {
		p := recover()
		if f, ok := p.(failed); ok {
			err = f.error
		} else if p != nil {
			panic(p)
		}
	}()
	s.peek()
	s.refuse()
	s.mark("---")
	s.node(doc.Content[0], nil)
	s.mark("...")
	if s.skip(); s.at < len(s.src) {
		s.expected("the end")
	}
	s.place(nil)
	return nil
}

// mark takes a line that begins or ends a document.
func (s *scanner) mark(text string) {
	if s.skip(); strings.HasPrefix(s.src[s.at:], text) && (s.at == 0 || s.src[s.at-1] == '\n') {
		s.add(token{kind: markToken, lines: []string{text}}, nil)
		s.at += len(text)
	}
}

// fail ends the scan at the place.
func (s *scanner) fail(message, hint string) {
	line := s.skipped + 1 + strings.Count(s.src[:s.at], "\n")
	panic(failed{fault(s.file, line, 1+s.column(), message, hint)})
}

// expected ends the scan: what is there is not what the nodes say, or one of the things that protocols do not have.
func (s *scanner) expected(what string) {
	s.refuse()
	s.fail(what+" is expected here", ownFault)
}

// refuse ends the scan where something begins that YAML has and protocols do not.
func (s *scanner) refuse() {
	if s.at == len(s.src) {
		return
	}
	switch s.src[s.at] {
	case '?':
		s.fail("a question mark before a key", "write the key alone, with a colon behind it")
	case '!', '&', '*':
		s.fail("tags, anchors and aliases are not supported", "leave it away")
	case '%':
		s.fail("directives are not supported", "leave it away")
	}
}

// column returns how many characters of the line are before the place.
func (s *scanner) column() int {
	return utf8.RuneCountInString(s.src[1+strings.LastIndexByte(s.src[:s.at], '\n') : s.at])
}

// peek returns the next character that counts; 0 at the end.
func (s *scanner) peek() byte {
	if s.skip(); s.at < len(s.src) {
		return s.src[s.at]
	}
	return 0
}

// skip goes to the next token, over comments, which it keeps.
func (s *scanner) skip() {
	for ; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case ' ', '\t':
		case '\n':
			s.breaks++
		case '#':
			s.comment()
		default:
			return
		}
	}
}

// comment takes a comment up to the last character before the end of the line.
func (s *scanner) comment() {
	text, _, _ := strings.Cut(s.src[s.at:], "\n")
	s.waiting = append(s.waiting, len(s.tokens))
	s.tokens = append(s.tokens, token{
		kind: commentToken, lines: []string{comment(strings.TrimRight(text, " \t"))},
		breaks: s.breaks, flow: s.flow > 0, col: s.column(),
	})
	s.breaks = 0
	s.at += len(text) - 1
}

// comment puts a space before the text of a comment; what begins with another # or with ! means something to somebody.
func comment(text string) string {
	if len(text) > 1 && !strings.ContainsRune(" \t#!", rune(text[1])) {
		return "# " + text[1:]
	}
	return text
}

// add takes a token that stands in a level.
func (s *scanner) add(t token, l *level) {
	s.place(l)
	s.last = l
	t.breaks, t.flow = s.breaks, s.flow > 0
	s.breaks = 0
	s.tokens = append(s.tokens, t)
}

// place decides where comments on lines of their own go, when the level of what follows is known.
func (s *scanner) place(next *level) {
	for _, i := range s.waiting {
		s.tokens[i].indent = s.last.with(next, s.tokens[i].col).indentation()
	}
	s.waiting = nil
}

// with returns the level of a comment between l and next, by its column. One in the column of what follows belongs to that;
// one further right than that, where a level has ended, to the level that has.
func (l *level) with(next *level, col int) *level {
	if next == nil || l == nil || l.col <= next.col || col <= next.col {
		if behind := next.at(col); behind != nil {
			return behind
		}
		return l.at(col)
	}
	for l.up != nil && l.col > col && l.up.col > next.col {
		l = l.up
	}
	return l
}

// take takes a character that must come next.
func (s *scanner) take(c byte, l *level) {
	if s.peek() != c {
		s.expected(strconv.Quote(string(c)))
	}
	s.add(token{kind: kind(c), lines: []string{string(c)}, indent: l.indentation()}, l)
	s.at++
}

func (l *level) indentation() int {
	if l == nil {
		return 0
	}
	return l.indent
}

// node takes a value inside a level.
func (s *scanner) node(n *yaml.Node, l *level) {
	switch {
	case n.Kind == yaml.MappingNode && (n.Style&yaml.FlowStyle != 0 || s.flow > 0):
		s.flowMapping(n, l)
	case n.Kind == yaml.SequenceNode && (n.Style&yaml.FlowStyle != 0 || s.flow > 0):
		s.flowList(n, l)
	case n.Kind == yaml.MappingNode:
		s.peek()
		own := &level{l, s.column(), l.next()}
		for i := 0; i+1 < len(n.Content); i += 2 {
			s.scalar(n.Content[i], own, own.indent)
			s.take(':', own)
			s.node(n.Content[i+1], own)
		}
	case n.Kind == yaml.SequenceNode:
		s.peek()
		own := &level{l, s.column(), l.next()}
		for _, item := range n.Content {
			s.take('-', own)
			s.node(item, own)
		}
	case n.Kind == yaml.ScalarNode:
		s.scalar(n, l, l.next())
	default:
		s.peek()
		s.expected("a value")
	}
}

func (s *scanner) flowMapping(n *yaml.Node, l *level) {
	braces := s.peek() == '{' // else it is a pair in a list: [a: b]
	if braces {
		s.open('{', l)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		s.scalar(n.Content[i], l, 0)
		if s.peek() == ':' {
			s.take(':', l)
			s.node(n.Content[i+1], l)
		}
		if braces && (i+2 < len(n.Content) || s.peek() == ',') {
			s.take(',', l)
		}
	}
	if braces {
		s.close('}', l)
	}
}

func (s *scanner) flowList(n *yaml.Node, l *level) {
	s.open('[', l)
	for i, item := range n.Content {
		s.node(item, l)
		if i+1 < len(n.Content) || s.peek() == ',' {
			s.take(',', l)
		}
	}
	s.close(']', l)
}

// open takes a bracket. Only the first one of a line needs to know where it goes.
func (s *scanner) open(c byte, l *level) {
	if s.peek() != c {
		s.expected(strconv.Quote(string(c)))
	}
	s.add(token{kind: kind(c), lines: []string{string(c)}, indent: l.next()}, l)
	if s.flow == 0 {
		t := &s.tokens[len(s.tokens)-1]
		t.inner = s.base(t, l)
	}
	s.flow++
	s.at++
}

// base returns where a bracket that ends on a line of its own goes: below the key, or below the bracket itself when that
// began its line or an item.
func (s *scanner) base(t *token, l *level) int {
	if i := len(s.tokens) - 2; t.breaks == 0 && i >= 0 && s.tokens[i].kind == ':' {
		return l.indentation()
	}
	return l.next()
}

func (s *scanner) close(c byte, l *level) {
	s.take(c, l)
	s.flow--
}
