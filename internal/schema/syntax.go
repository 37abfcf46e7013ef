package schema

// This file says what to write where YAML cannot be read: the library names a line at best.

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wsgen/wsgen/internal/diag"
)

var (
	yamlLine     = regexp.MustCompile(`line (\d+): (.*)`)
	secondColon  = regexp.MustCompile(`^.*?: .*?:( |$)`)
	flowOptional = regexp.MustCompile(`(?:^|[{,])\s*(([\p{L}_][\p{L}\p{N}_.-]*)\?)\s*:\s*([^,}]*)`)
	flowNullable = regexp.MustCompile(`:\s*([\p{L}][\p{L}\p{N}.-]*(?:\([^)]*\))?\?)\s*[,}]`)
	flowArray    = regexp.MustCompile(`:\s*(([\p{L}][\p{L}\p{N}.-]*(?:\([^)]*\))?)((?:\[\](?:\([^)]*\))?)+))`)
	flowHash     = regexp.MustCompile(`:\s*([\p{L}][^,{}]*=)\s*(#[^\s,}]*)`)
)

// flowLines is how many lines of a { } are searched for what is wrong.
const flowLines = 50

// syntaxError reports what the library cannot read. Of something in { } or [ ] it names the line before its beginning
// (or the first of the file), and of everything else the line where it stopped.
func (r *reader) syntaxError(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, message, hint := 1, strings.TrimPrefix(err.Error(), "yaml: "), ""
	if m != nil {
		line, _ = strconv.Atoi(m[1])
		line, message = min(max(line, 1), len(r.lines)), m[2]
	}
	switch {
	case strings.Contains(message, "expected ','"):
		r.flowError(line, message)
		return
	case r.tabbed(line):
		return
	case strings.HasPrefix(message, "mapping values are not allowed"):
		hint = "quote the value if the colon belongs to it; otherwise look at the indentation"
	}
	col := r.indent(line)
	if m := secondColon.FindString(r.lines[line-1]); m != "" && hint != "" {
		col = utf8.RuneCountInString(strings.TrimSuffix(m, " "))
	}
	r.errorf(diag.Pos{File: r.file, Line: line, Col: col}, "yaml", hint, "%s", message)
}

// indent returns the column of the first character of a line that is no space.
func (r *reader) indent(line int) int {
	text := r.lines[line-1]
	return 1 + len(text) - len(strings.TrimLeft(text, " "))
}

// tabbed reports a tab in the indentation of the line or the next.
func (r *reader) tabbed(line int) bool {
	for at := line; at <= min(line+1, len(r.lines)); at++ {
		if col := r.indent(at); strings.HasPrefix(r.lines[at-1][col-1:], "\t") {
			r.errorf(diag.Pos{File: r.file, Line: at, Col: col}, "yaml", "indent with spaces", "a tab in the indentation")
			return true
		}
	}
	return false
}

// flowError reports what is wrong in a { } or [ ] that begins in the line behind the given one, or in the first.
func (r *reader) flowError(line int, message string) {
	first := min(line+1, len(r.lines))
	if !strings.ContainsAny(r.lines[first-1], "{[") {
		first = 1
	}
	depth := 0
	for at := first; at <= min(first+flowLines, len(r.lines)); at++ {
		text := r.lines[at-1]
		start := 0
		if depth == 0 {
			start = max(strings.IndexAny(text, "{["), 0)
		}
		if r.flowTrap(at, start) {
			return
		}
		if depth += strings.Count(text, "{") + strings.Count(text, "[") - strings.Count(text, "}") - strings.Count(text,
			"]"); depth <= 0 {
			break
		}
	}
	r.errorf(diag.Pos{File: r.file, Line: first, Col: r.openBracket(first)}, "yaml",
		"look for a comma or a bracket that is missing", "%s", message)
}

// openBracket returns the column of the first bracket of a line that is not closed there, else of the first one.
func (r *reader) openBracket(line int) int {
	text := r.lines[line-1]
	open := -1
	depth := 0
	for i, c := range text {
		switch c {
		case '{', '[':
			if depth++; depth == 1 {
				open = i
			}
		case '}', ']':
			depth--
		}
	}
	if depth <= 0 {
		open = strings.IndexAny(text, "{[")
	}
	return 1 + utf8.RuneCountInString(text[:max(open, 0)])
}

// flowTrap reports a short form that YAML does not allow in { }, in a line from a byte on.
func (r *reader) flowTrap(line, start int) bool {
	text := r.lines[line-1][start:]
	report := func(at int, format string, args ...any) bool {
		r.errorf(diag.Pos{File: r.file, Line: line, Col: 1 + utf8.RuneCountInString(r.lines[line-1][:start+at])}, "yaml-flow",
			"", format, args...)
		return true
	}
	if m := flowOptional.FindStringSubmatchIndex(text); m != nil {
		key := text[m[2]:m[3]]
		return report(m[2], "`%s` inside { } needs quotes: `{%q: %s}`, or put the fields on lines of their own", key, key,
			strings.TrimSpace(text[m[6]:m[7]]))
	}
	if m := flowArray.FindStringSubmatchIndex(text); m != nil {
		whole, elem := text[m[2]:m[3]], text[m[4]:m[5]]
		if text[m[6]:m[7]] == "[]" {
			return report(m[2], "`%s` cannot stand inside { }: write `[%s]`", whole, elem)
		}
		return report(m[2], "`%s` cannot stand inside { }: write `%q`", whole, whole)
	}
	if m := flowNullable.FindStringSubmatchIndex(text); m != nil {
		value := text[m[2]:m[3]]
		plain := strings.TrimSuffix(value, "?")
		return report(m[2],
			"`%s`: the question mark belongs to the name: `{\"name?\": %s}`; for a value that may be null write `%s | null`",
			value, plain, plain)
	}
	if m := flowHash.FindStringSubmatchIndex(text); m != nil {
		return report(m[4], "`#` begins a comment: put the default in quotes: `\"%s '%s'\"`", text[m[2]:m[3]],
			cmp.Or(text[m[4]:m[5]], "#"))
	}
	return false
}
