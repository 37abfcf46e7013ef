package codec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file has the texts of the issues, shared by Decoder and Checker.

// lengthIssue returns what is wrong with the length of a string in code points, or "".
func lengthIssue(s string, min, max int) string {
	if message, ok := quickLength(len(s), min, max); ok {
		return message
	}
	return countIssue(utf8.RuneCountInString(s), min, max)
}

// lengthIssueBytes is lengthIssue for bytes.
func lengthIssueBytes(s []byte, min, max int) string {
	if message, ok := quickLength(len(s), min, max); ok {
		return message
	}
	return countIssue(utf8.RuneCount(s), min, max)
}

// quickLength decides by the number of bytes, where it can, whether the number of code points is right.
func quickLength(bytes, min, max int) (message string, ok bool) {
	least := bytes/utf8.UTFMax + (bytes%utf8.UTFMax+utf8.UTFMax-1)/utf8.UTFMax
	switch {
	case bytes <= max && least >= min:
		return "", true
	case least > max:
		return sizeMessage(max+1, min, max, "character"), true
	}
	return "", false
}

// countIssue returns what is wrong with a number of code points, or "".
func countIssue(n, min, max int) string {
	if n < min || n > max {
		return sizeMessage(n, min, max, "character")
	}
	return ""
}

// sizeMessage says which bound n things break.
func sizeMessage(n, min, max int, thing string) string {
	quantity := "at most"
	bound := max
	if n < min {
		quantity, bound = "at least", min
	}
	if min == max {
		quantity = "exactly"
	}
	if bound != 1 {
		thing += "s"
	}
	return fmt.Sprintf("must have %s %d %s", quantity, bound, thing)
}

// oneOf names the values that would have been right; a long list is cut.
func oneOf(values []string) string {
	const shown = 8
	var b strings.Builder
	b.WriteString("must be one of ")
	for i, v := range values {
		if i == shown {
			fmt.Fprintf(&b, " or %d more", len(values)-shown)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(v))
	}
	return b.String()
}
