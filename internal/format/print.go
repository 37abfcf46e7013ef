package format

import (
	"strings"
	"unicode/utf8"
)

// line is a line of the result.
type line struct {
	text    string
	comment string // behind the text
	col     int    // of that comment in the source
}

// printer puts tokens into lines.
type printer struct {
	lines  []line
	indent int   // of the line, when it is in brackets
	stack  []int // where the lines stand that have the brackets which are open
}

// print returns the result.
func (s *scanner) print() []byte {
	p := &printer{}
	for i := range s.tokens {
		var before kind
		if i > 0 {
			before = s.tokens[i-1].kind
		}
		p.token(&s.tokens[i], before)
	}
	p.align()
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(l.text)
		if l.comment != "" {
			b.WriteString(strings.Repeat(" ", max(l.col-utf8.RuneCountInString(l.text), 1)))
			b.WriteString(l.comment)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func (p *printer) token(t *token, before kind) {
	if t.kind == blockToken {
		for _, text := range t.lines {
			p.begin(t.inner, text)
		}
		return
	}
	indent := p.indentation(t)
	switch {
	case before == 0:
		p.begin(indent, t.lines[0])
	case t.breaks > 0:
		if t.breaks > 1 {
			p.lines = append(p.lines, line{})
		}
		p.begin(indent, t.lines[0])
	case t.kind == commentToken:
		last := &p.lines[len(p.lines)-1]
		last.comment, last.col = t.lines[0], t.col
	default:
		if spaced(before, t.kind) {
			p.lines[len(p.lines)-1].text += " "
		}
		p.lines[len(p.lines)-1].text += t.lines[0]
	}
	if (t.breaks > 0 || before == 0) && t.flow {
		p.indent = indent
	}
	inner := t.inner
	if t.flow {
		inner = p.stack[len(p.stack)-1] + 2
	}
	for _, text := range t.lines[1:] {
		p.begin(inner, text)
		p.indent = inner
	}
	p.brackets(t)
}

// indentation returns where a token goes that begins a line. In brackets that is inside the line that has the bracket, and
// for the closing bracket where that line is.
func (p *printer) indentation(t *token) int {
	if !t.flow {
		return t.indent
	}
	outer := p.stack[len(p.stack)-1]
	if t.kind == ']' || t.kind == '}' {
		return outer
	}
	return outer + 2
}

// brackets remembers which are open.
func (p *printer) brackets(t *token) {
	switch t.kind {
	case '{', '[':
		if !t.flow {
			p.indent = t.inner
		}
		p.stack = append(p.stack, p.indent)
	case '}', ']':
		p.stack = p.stack[:len(p.stack)-1]
	}
}

// begin begins a line.
func (p *printer) begin(indent int, text string) {
	if text != "" {
		text = strings.Repeat(" ", indent) + text
	}
	p.lines = append(p.lines, line{text: text})
}

// spaced reports whether a space is between two tokens of a line.
func spaced(before, t kind) bool {
	switch {
	case before == '{' || before == '[':
		return false
	case t == ':':
		return before == ',' || before == '-' || before == ':'
	case t == ',' || t == '}' || t == ']':
		return before == ':' // `{a:}` has the key `a:`
	}
	return true
}

// align finds the column of each comment that is behind a line: one space behind it, unless the one before or after it
// stood in the same column. Those stay in theirs, or further right when one of the lines needs it.
func (p *printer) align() {
	var behind []*line
	for i := range p.lines {
		if p.lines[i].comment != "" {
			behind = append(behind, &p.lines[i])
		}
	}
	for len(behind) > 0 {
		n, col := 0, behind[0].col
		for n < len(behind) && behind[n].col == behind[0].col {
			col = max(col, 1+utf8.RuneCountInString(behind[n].text))
			n++
		}
		if n == 1 {
			col = 0
		}
		for _, l := range behind[:n] {
			l.col = col
		}
		behind = behind[n:]
	}
}
