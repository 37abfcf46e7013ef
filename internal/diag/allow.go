package diag

import (
	"bytes"
	"strings"
)

// allowMark begins a comment that lets a finding pass: # wsgen:allow RULE reason.
const allowMark = "wsgen:allow "

// Allowed reports whether a comment on a line, or alone on the line above, lets findings of a rule pass there. It needs a
// reason behind the rule.
func Allowed(src []byte, line int, rule string) bool {
	_, ok := Allowance(src, line, rule)
	return ok
}

// Allowance returns the reason of such a comment; ok is false when there is none, or when it has no reason.
func Allowance(src []byte, line int, rule string) (reason string, ok bool) {
	lines := bytes.Split(src, []byte("\n"))
	for n := line; n >= line-1 && n >= 1; n-- {
		if n > len(lines) {
			continue
		}
		text := string(lines[n-1])
		if n < line && !strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		_, comment, found := strings.Cut(text, allowMark)
		if id, why, _ := strings.Cut(strings.TrimSpace(comment), " "); found && id == rule && strings.TrimSpace(why) != "" {
			return strings.TrimSpace(why), true
		}
	}
	return "", false
}

// WithoutReason returns the lines, counted from 1, of such comments that give no reason, and so let nothing pass.
func WithoutReason(src []byte) []int {
	var out []int
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		_, comment, found := strings.Cut(line, "# "+allowMark)
		if found && len(strings.Fields(comment)) < 2 {
			out = append(out, n)
		}
	}
	return out
}
