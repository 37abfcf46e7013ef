package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/diag"
)

// pattern reads a regular expression that Go (RE2) and JavaScript (ECMA-262 with the flag u) read alike; "" after an error.
func (p *parser) pattern(n *node) string {
	if n.kind != scalar || n.isNull() {
		p.errorf(n.pos, "bad-pattern", "", "a pattern is text")
		return ""
	}
	return p.patternText(n.text, n.inner)
}

func (p *parser) patternText(text string, pos diag.Pos) string {
	why, hint := checkPattern(text)
	if why == "" {
		return text
	}
	p.errorf(pos, "bad-pattern", hint, "%s", why)
	return ""
}

// checkPattern returns what is wrong with a pattern.
func checkPattern(text string) (why, hint string) {
	s := patternScanner{text: text}
	for s.at < len(s.text) && s.why == "" {
		s.step()
	}
	if s.why == "" && s.class {
		s.why = "a class of characters does not end"
	}
	if s.why != "" {
		return s.why, s.hint
	}
	if _, err := regexp.Compile(text); err != nil {
		_, reason, _ := strings.Cut(err.Error(), "error parsing regexp: ")
		return "not a regular expression that Go can run: " + reason, "RE2 has no look-around and no back-references"
	}
	return "", ""
}

// patternScanner looks for what only one of the two languages has, or what they read differently.
type patternScanner struct {
	text      string
	at        int
	class     bool // inside of [ ]
	first     bool // at the first character of the class
	why, hint string
}

func (s *patternScanner) fail(hint, format string, args ...any) {
	s.why, s.hint = fmt.Sprintf(format, args...), hint
}

func (s *patternScanner) step() {
	rest := s.text[s.at:]
	first := s.first
	s.first = false
	switch c := rest[0]; {
	case c == '\\':
		s.escape(rest)
	case s.class && c == ']' && first:
		s.fail(`write \] for the bracket itself`, "an empty class, which JavaScript and Go read differently")
	case s.class && c == ']':
		s.class = false
		s.at++
	case s.class && strings.HasPrefix(rest, "[:"):
		s.fail(`write the characters, as in [0-9A-Za-z]`, "JavaScript does not have classes such as [:alpha:]")
	case s.class && c == '[':
		s.fail(`write \[`, "a bracket inside of a class")
	case s.class:
		_, size := utf8.DecodeRuneInString(rest)
		s.at += size
	case c == '[':
		s.class, s.first = true, true
		if s.at++; strings.HasPrefix(rest, "[^") {
			s.at++
		}
	case strings.HasPrefix(rest, "(?"):
		s.group(rest)
	case c == '{':
		s.repeat(rest)
	case c == '}' || c == ']':
		s.fail(`write \`+string(c), "a lone %c, which JavaScript refuses", c)
	default:
		_, size := utf8.DecodeRuneInString(rest)
		s.at += size
	}
}

var namedGroup = regexp.MustCompile(`^\(\?<[A-Za-z_][A-Za-z0-9_]*>`)

func (s *patternScanner) group(rest string) {
	switch m := namedGroup.FindString(rest); {
	case m != "":
		s.at += len(m)
	case strings.HasPrefix(rest, "(?:"):
		s.at += 3
	case strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!") || strings.HasPrefix(rest, "(?<=") ||
		strings.HasPrefix(rest, "(?<!"):
		s.fail("say it in another way: RE2 promises linear time, and so has no look-around", "look-around cannot be run by Go")
	default:
		s.fail("use (…), (?:…) or (?<name>…)", "a group that JavaScript does not have")
	}
}

var repetition = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}`)

func (s *patternScanner) repeat(rest string) {
	m := repetition.FindString(rest)
	if m == "" {
		s.fail(`write \{`, "a lone {, which JavaScript refuses")
		return
	}
	s.at += len(m)
}

var property = regexp.MustCompile(`^\\[pP]\{([^}]*)\}`)

// categories are the properties that both languages know by the same name.
var categories = strings.Fields(
	"C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs")

func (s *patternScanner) escape(rest string) {
	if len(rest) < 2 {
		s.fail("", "a backslash at the end")
		return
	}
	switch c := rest[1]; {
	case strings.IndexByte(`dDwWfnrtv^$\.*+?()[]{}|/`, c) >= 0, !s.class && (c == 'b' || c == 'B'), s.class && c == '-':
		s.at += 2
	case c == 's' || c == 'S':
		s.fail(`write the characters, such as [ \t\r\n]`, `\%c has other characters in JavaScript than in Go`, c)
	case c == 'x' && len(rest) >= 4 && isHex(rest[2]) && isHex(rest[3]):
		s.at += 4
	case c == 'p' || c == 'P':
		m := property.FindStringSubmatch(rest)
		if m == nil || !slices.Contains(categories, m[1]) {
			s.fail(`use a general category such as \p{L} or \p{Nd}`,
				`a property of characters that JavaScript and Go do not both know`)
			return
		}
		s.at += len(m[0])
	case c == 'u':
		s.fail("write the character itself", `Go does not have \u`)
	case c >= '1' && c <= '9' || c == 'k':
		s.fail("say it in another way: RE2 promises linear time, and so has no back-references",
			"a back-reference cannot be run by Go")
	default:
		s.fail("write the character without the backslash, or another escape", `\%c is not an escape in both JavaScript and Go`,
			c)
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
