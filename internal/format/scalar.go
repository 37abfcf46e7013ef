package format

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// scalar takes a scalar that goes to a place when it is the first of its line.
func (s *scanner) scalar(n *yaml.Node, l *level, indent int) {
	if n.Kind != yaml.ScalarNode {
		s.peek()
		s.expected("a name")
	}
	if n.Style == 0 && n.Value == "" {
		return // nothing stands for null
	}
	next := s.peek()
	var end int
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.block(l, indent)
		return
	case n.Style&yaml.DoubleQuotedStyle != 0 && next == '"':
		end = endOfDouble(s.src, s.at)
	case n.Style&yaml.SingleQuotedStyle != 0 && next == '\'':
		end = endOfSingle(s.src, s.at)
	case n.Style == 0:
		end = endOfPlain(s.src, s.at, n.Value)
	}
	if end <= s.at {
		s.expected("a value")
	}
	text := s.src[s.at:end]
	s.add(token{kind: textToken, lines: scalarLines(text, next == '"'), indent: indent, inner: l.next()}, l)
	s.at = end
}

// scalarLines returns the lines of a scalar without what YAML does not count: white space around the line ends.
func scalarLines(text string, double bool) []string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i > 0 {
			line = strings.TrimLeft(line, " \t")
		}
		if i < len(lines)-1 {
			cut := strings.TrimRight(line, " \t")
			slashes := len(cut) - len(strings.TrimRight(cut, `\`))
			if double && slashes%2 == 1 && len(cut) < len(line) {
				cut = line[:len(cut)+1] // an escaped space belongs to the text
			}
			line = cut
		}
		lines[i] = line
	}
	return lines
}

// endOfDouble returns the place behind a text in double quotes; 0 when it does not end.
func endOfDouble(src string, at int) int {
	for at++; at < len(src); at++ {
		switch src[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return 0
}

// endOfSingle returns the place behind a text in single quotes, in which two of them are one; 0 when it does not end.
func endOfSingle(src string, at int) int {
	for at++; at < len(src); at++ {
		if src[at] != '\'' {
			continue
		}
		if at++; at == len(src) || src[at] != '\'' {
			return at
		}
	}
	return 0
}

// endOfPlain returns the place behind a text without quotes, which the source has with other line ends; 0 when it is not there.
func endOfPlain(src string, at int, value string) int {
	for value != "" {
		if at < len(src) && src[at] == value[0] && value[0] != '\n' && !brokenHere(src[at:]) {
			at, value = at+1, value[1:]
			continue
		}
		space := len(src[at:]) - len(strings.TrimLeft(src[at:], " \t\n"))
		breaks := strings.Count(src[at:at+space], "\n")
		folded := " "
		if breaks > 1 {
			folded = strings.Repeat("\n", breaks-1)
		}
		if breaks == 0 || !strings.HasPrefix(value, folded) {
			return 0
		}
		at, value = at+space, value[len(folded):]
	}
	return at
}

// brokenHere reports whether only white space is left of the line.
func brokenHere(rest string) bool {
	return strings.HasPrefix(strings.TrimLeft(rest, " \t"), "\n")
}

// block takes a block of text: its header, a comment behind that, and its lines.
func (s *scanner) block(l *level, indent int) {
	header := s.src[s.at : s.at+strings.IndexAny(s.src[s.at:], " \t\n#")]
	if header == "" || !strings.ContainsRune("|>", rune(header[0])) {
		s.expected("a value")
	}
	s.add(token{kind: textToken, lines: []string{header}, indent: indent}, l)
	s.at += len(header)
	for ; s.src[s.at] != '\n'; s.at++ {
		if s.src[s.at] == '#' {
			s.comment()
		}
	}
	s.at++
	own, inner := l.indentation(), l.next()
	from := 0
	if i := strings.IndexAny(header, "123456789"); i > 0 {
		digit := int(header[i] - '0')
		from, inner = l.column()+digit, own+digit
	} else {
		from = max(blockIndent(s.src[s.at:]), l.column()+1)
	}
	lines := s.blockLines(from, strings.Contains(header, "+"))
	s.breaks = 1
	if len(lines) > 0 {
		s.add(token{kind: blockToken, lines: lines, inner: inner}, l)
		s.breaks = 1
	}
}

// column returns where a level stands in the source.
func (l *level) column() int {
	if l == nil {
		return 0
	}
	return l.col
}

// blockIndent returns the indentation of a block of text whose header does not say it.
func blockIndent(src string) int {
	most := 0
	for line := range strings.SplitSeq(src, "\n") {
		text := strings.TrimLeft(line, " ")
		most = max(most, len(line)-len(text))
		if text != "" {
			break
		}
	}
	return most
}

// blockLines takes the lines of a block of text, without their indentation. Empty lines at its end are part of it when it
// keeps them.
func (s *scanner) blockLines(indent int, keep bool) []string {
	var lines []string
	count, end := 0, s.at
	for at := s.at; at < len(s.src); {
		line, _, _ := strings.Cut(s.src[at:], "\n")
		text := strings.TrimLeft(line, " ")
		blank := text == "" && len(line) <= indent
		if !blank && len(line)-len(text) < indent {
			break
		}
		at += len(line) + 1
		lines = append(lines, line[min(indent, len(line)):])
		if !blank || keep {
			count, end = len(lines), at
		}
	}
	s.at = end
	return lines[:count]
}
