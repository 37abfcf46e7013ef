// Package diag holds findings about a user's files: where, how bad, which rule, what is wrong and what to do. Findings
// are data until one of the printers of this package turns them into text, JSON or GitHub annotations.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Pos is a place in a file. Line and Col count from 1; Col counts Unicode code points, as editors do. A zero Line means
// that the finding belongs to the file as a whole.
type Pos struct {
	File string // as the user named it, with forward slashes
	Line int
	Col  int
}

// String returns file:line:col, or what of it is known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Severity says whether a finding stops the run.
type Severity int

// The severities, from the worst.
const (
	Error Severity = iota
	Warning
	Info
)

// String returns the word that the printers use: error, warning or info.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "info"
}

// Diagnostic is one finding.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	Rule     string // kebab-case id, such as unknown-type
	Message  string // what is wrong, one line, no full stop
	Hint     string // what to do instead; may be empty
}

// List collects the findings of a run. The zero value is empty and ready to use; it is not safe for concurrent use.
type List struct {
	items []Diagnostic
}

// Add appends a finding.
func (l *List) Add(d Diagnostic) { l.items = append(l.items, d) }

// Errorf appends an error without a hint.
func (l *List) Errorf(pos Pos, rule, format string, args ...any) {
	l.Add(Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// HasErrors reports whether any finding is an Error.
func (l *List) HasErrors() bool {
	return slices.ContainsFunc(l.items, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the findings by file, line, column and rule, each one once.
func (l *List) Sorted() []Diagnostic {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(out)
}
