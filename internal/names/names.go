// Package names makes Go and TypeScript identifiers of the names in a protocol. Names are cut into words at everything
// that is no letter or digit, between a lower-case and an upper-case letter, and before the last capital of a run that a
// lower-case letter follows: JOIN_ROOM, joinRoom and join-room are the same two words.
package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// initialisms are words that Go writes in capitals: the list of golint.
var initialisms = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`ACL API ASCII CPU CSS DNS EOF GUID HTML HTTP HTTPS ID IP JSON LHS QPS RAM RHS RPC SLA SMTP
		SQL SSH TCP TLS TTL UDP UI UID UUID URI URL UTF8 VM XML XMPP XSRF XSS DB`) {
		m[w] = true
	}
	return m
}()

// plurals are the initialisms whose plural is common: IDS is IDs.
var plurals = map[string]bool{"ID": true, "URL": true, "URI": true, "API": true, "IP": true, "UUID": true, "VM": true, "DB": true}

// Words cuts a name into words. It returns nil when the name has no letter or digit.
func Words(s string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = nil
		}
	}
	rs := []rune(s)
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if i > 0 && len(word) > 0 && unicode.IsUpper(r) {
			prev := rs[i-1]
			startsWord := i+1 < len(rs) && unicode.IsLower(rs[i+1]) && !pluralEnd(rs, i)
			if unicode.IsLower(prev) || unicode.IsUpper(prev) && startsWord {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}

// pluralEnd reports whether the capital at i ends a plural such as IDs, so that its small s belongs to it.
func pluralEnd(rs []rune, i int) bool {
	if rs[i+1] != 's' || i+2 < len(rs) && unicode.IsLower(rs[i+2]) {
		return false
	}
	start := i
	for start > 0 && unicode.IsUpper(rs[start-1]) {
		start--
	}
	return plurals[string(rs[start:i+1])]
}

// Go returns the exported Go identifier of a name; empty when the name has no letter or digit.
func Go(s string) string {
	var b strings.Builder
	for _, w := range Words(s) {
		b.WriteString(goWord(w))
	}
	return exported(b.String())
}

func goWord(w string) string {
	upper := strings.ToUpper(w)
	if initialisms[upper] {
		return upper
	}
	if base, ok := strings.CutSuffix(upper, "S"); ok && plurals[base] {
		return base + "s"
	}
	return capitalise(w)
}

// capitalise returns a word with a capital first and small letters behind.
func capitalise(w string) string {
	rs := []rune(strings.ToLower(w))
	rs[0] = unicode.ToUpper(rs[0])
	return string(rs)
}

// exported puts an X before what Go would not export: a digit, or a letter of a script without capitals.
func exported(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && !unicode.IsUpper(first) {
		return "X" + s
	}
	return s
}

// TS returns the TypeScript identifier of a name in lower camel case; empty when the name has no letter or digit.
func TS(s string) string {
	var b strings.Builder
	for i, w := range Words(s) {
		if i == 0 {
			b.WriteString(strings.ToLower(w))
		} else {
			b.WriteString(capitalise(w))
		}
	}
	out := b.String()
	if out != "" && unicode.IsDigit([]rune(out)[0]) {
		out = "_" + out
	}
	return out
}

// TSType returns the TypeScript name of a type, in upper camel case.
func TSType(s string) string {
	rs := []rune(TS(s))
	if len(rs) == 0 {
		return ""
	}
	rs[0] = unicode.ToUpper(rs[0])
	return string(rs)
}

// Package returns the Go package of a protocol's name: its letters and digits in lower case. It is empty when they cannot
// be a package's name.
func Package(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		}
	}
	out := b.String()
	if out == "" || unicode.IsDigit(rune(out[0])) || keywords[out] || out == "main" {
		return ""
	}
	return out
}

// IsGo reports whether s can be an exported Go identifier.
func IsGo(s string) bool {
	for i, r := range s {
		if i == 0 && !unicode.IsUpper(r) || i > 0 && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}

var keywords = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`break case chan const continue default defer else fallthrough for func go goto if import interface
		map package range return select struct switch type var`) {
		m[w] = true
	}
	return m
}()

// IsKeyword reports whether s is a keyword of Go.
func IsKeyword(s string) bool { return keywords[s] }
