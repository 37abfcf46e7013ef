package names

// This file names the constants of an enum.

import (
	"fmt"
	"strings"
	"unicode"
)

// Enum returns the ends of the constants' names, which the name of the type goes before. The whole enum uses the first
// strategy under which all names are there and different: the words of each value; its letters as they stand, with
// symbols spelt out; numbers in the order of the file, and then numbered is true.
func Enum(values []string) (suffixes []string, numbered bool) {
	for _, name := range []func(string) string{enumWords, enumSymbols} {
		if out, ok := nameAll(values, name); ok {
			return out, false
		}
	}
	out := make([]string, len(values))
	for i := range values {
		out[i] = fmt.Sprintf("Value%d", i+1)
	}
	return out, true
}

// IntEnum returns the ends of the constants' names of integers in digits. A minus sign is always in them: a name that
// left it out would change as soon as the same number without it is added.
func IntEnum(values []string) []string {
	suffixes := make([]string, len(values))
	for i, v := range values {
		suffixes[i] = strings.Replace(v, "-", symbol('-'), 1)
	}
	return suffixes
}

// nameAll names every value and reports whether the names are there and different.
func nameAll(values []string, name func(string) string) ([]string, bool) {
	out := make([]string, len(values))
	seen := make(map[string]bool, len(values))
	for i, v := range values {
		out[i] = name(v)
		if out[i] == "" || seen[out[i]] {
			return nil, false
		}
		seen[out[i]] = true
	}
	return out, true
}

func enumWords(value string) string {
	var b strings.Builder
	for _, w := range Words(value) {
		b.WriteString(goWord(w))
	}
	return b.String()
}

// enumSymbols keeps letters and digits as they are and writes symbols out. It is "" for a value with a rune that has no
// word here.
func enumSymbols(value string) string {
	if value == "" {
		return "Empty"
	}
	var b strings.Builder
	for _, r := range value {
		switch word := symbol(r); {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case word != "":
			b.WriteString(word)
		default:
			return ""
		}
	}
	return b.String()
}

// symbol returns the English word for a symbol of ASCII, or "".
func symbol(r rune) string {
	const first = ' '
	words := [...]string{
		"Space", "Not", "Quote", "Hash", "Dollar", "Percent", "And", "Apostrophe", "Open", "Close", "Star", "Plus",
		"Comma", "Minus",
		"Dot", "Slash", '9' + 1 - first: "Colon", "Semicolon", "Less", "Equal", "Greater", "Question", "At",
		'Z' + 1 - first: "OpenBracket", "Backslash", "CloseBracket", "Caret", "Underscore", "Backquote",
		'z' + 1 - first: "OpenBrace", "Pipe", "CloseBrace", "Tilde",
	}
	if i := int(r) - first; i >= 0 && i < len(words) {
		return words[i]
	}
	return ""
}
