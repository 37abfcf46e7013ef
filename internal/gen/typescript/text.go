package typescript

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote returns a string literal.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always has a form
	return strings.NewReplacer("\u2028", `\u2028`, "\u2029", `\u2029`).Replace(strings.TrimSuffix(b.String(), "\n"))
}

// doc returns a TSDoc comment with an indentation, and a new line; nothing for no text.
func doc(indent int, text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(clean(text), "*/", `*\/`))
	if text == "" {
		return ""
	}
	space := strings.Repeat(" ", indent)
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return space + "/** " + text + " */\n"
	}
	var b strings.Builder
	b.WriteString(space + "/**\n")
	for _, line := range lines {
		b.WriteString(strings.TrimRight(space+" * "+line, " ") + "\n")
	}
	b.WriteString(space + " */\n")
	return b.String()
}

// clean takes away what could end a line or hide text in a comment.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\uFEFF':
			return -1
		case r == '\u2028' || r == '\u2029' || unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// oneLine returns a text for a line comment, which nothing in it ends.
func oneLine(text string) string { return strings.ReplaceAll(clean(text), "\n", " ") }

// paragraphs joins texts that are not empty.
func paragraphs(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "\n\n")
}

// deprecated returns the tag that editors strike names through for, or "".
func deprecated(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return "@deprecated " + string(unicode.ToUpper(first)) + text[size:]
}

// literal returns a value of compact JSON as an expression. As a key, __proto__ would be the prototype.
func literal(json []byte) string {
	return strings.NewReplacer(`{"__proto__":`, `{["__proto__"]:`, `,"__proto__":`, `,["__proto__"]:`).Replace(string(json))
}

// key returns a name as it stands in an object.
func key(name string) string {
	if name == "__proto__" { // which is no key, but the prototype, unless it is computed
		return `["__proto__"]`
	}
	for i, r := range name {
		letter := r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return quote(name)
		}
	}
	if name == "" {
		return quote(name)
	}
	return name
}
