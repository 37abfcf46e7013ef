// Package format lays out the YAML of a protocol in one way. It changes white space only: keys keep their order, and values
// their quotes, their style and their line breaks.
//
// The layout is: two spaces for each level, also for a list below a key; one space behind `:`, `,` and `-`, none inside
// brackets; one blank line at most, none at the ends of the file; no white space at the ends of lines; `# ` before the text
// of a comment. A comment behind a line stands one space behind it, but those that stand below each other stay so.
package format

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/schema"
)

// Error says why a text was not formatted. There is one finding at least.
type Error struct {
	Findings []diag.Diagnostic
}

// Error returns the first finding with its place, and how many more there are.
func (e *Error) Error() string {
	first := e.Findings[0]
	text := fmt.Sprintf("%v: %s", first.Pos, first.Message)
	if more := len(e.Findings) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Source formats the text of a file. name is how the user calls it, for the places of findings. Formatting the result again
// changes nothing. It fails with an *Error when the text is no YAML that a protocol may have; what the YAML says does not
// matter. It is safe for concurrent use.
func Source(name string, src []byte) ([]byte, error) {
	if err := readable(name, src); err != nil {
		return nil, err
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	src, skipped := withoutEmpty(src)
	if !bytes.HasSuffix(src, []byte("\n")) {
		src = append(bytes.Clone(src), '\n') // now, so that a block of text at the end is compared as it will be written
	}
	before, err := parse(src)
	if err != nil {
		return nil, fault(name, 1, 1, "the text cannot be read: "+err.Error(), ownFault)
	}
	s := &scanner{file: name, src: string(src), skipped: skipped}
	if err := s.document(before); err != nil {
		return nil, err
	}
	out := s.print()
	after, err := parse(out)
	if err != nil {
		return nil, fault(name, 1, 1, "formatting this would make it no YAML: "+err.Error(), ownFault)
	}
	if n, comments := difference(before, after); n != nil && comments {
		return nil, fault(name, skipped+n.Line, n.Column, "formatting would change which comments document this",
			"put the comments above it into one column")
	} else if n != nil {
		return nil, fault(name, skipped+n.Line, n.Column, "formatting this would change what it means", ownFault)
	}
	return out, nil
}

// withoutEmpty cuts empty lines off the beginning, and counts them.
func withoutEmpty(src []byte) (rest []byte, lines int) {
	rest = bytes.TrimLeft(src, " \t\n")
	begin := bytes.LastIndexByte(src[:len(src)-len(rest)], '\n') + 1
	return src[begin:], bytes.Count(src[:begin], []byte("\n"))
}

// readable returns what is wrong with the text as YAML. Faults of the protocol are somebody else's business.
func readable(name string, src []byte) error {
	var all diag.List
	file := schema.Parse(name, src, &all)
	var found []diag.Diagnostic
	for _, d := range all.Sorted() {
		if d.Severity == diag.Error && (file == nil || strings.HasPrefix(d.Rule, "yaml")) {
			found = append(found, d)
		}
	}
	if len(found) > 0 {
		return &Error{found}
	}
	return nil
}

// ownFault is the hint of errors that are no fault of the user's.
const ownFault = "write this part in a simpler way"

// fault is an error about a place.
func fault(name string, line, col int, message, hint string) error {
	return &Error{[]diag.Diagnostic{{Pos: diag.Pos{File: name, Line: line, Col: col}, Rule: "yaml", Message: message,
		Hint: hint}}}
}

// parse returns the only document of a text.
func parse(src []byte) (doc *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	doc = new(yaml.Node)
	err = yaml.Unmarshal(src, doc)
	if err == nil && (doc.Kind != yaml.DocumentNode || len(doc.Content) != 1) {
		err = fmt.Errorf("there is no document")
	}
	return doc, err
}

// difference returns a node of a that is not the same in b, and whether only what documents it is not: the comments above
// its key and behind it. It returns nil when there is no such node.
func difference(a, b *yaml.Node) (n *yaml.Node, comments bool) {
	switch {
	case a.Kind != b.Kind || a.Style != b.Style || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content):
		return a, false
	case commentLines(a.LineComment) != commentLines(b.LineComment):
		return a, true
	}
	for i := range a.Content {
		isKey := a.Kind == yaml.MappingNode && i%2 == 0
		if isKey && commentLines(a.Content[i].HeadComment) != commentLines(b.Content[i].HeadComment) {
			return a.Content[i], true
		}
		if n, comments := difference(a.Content[i], b.Content[i]); n != nil {
			return n, comments
		}
	}
	return nil, false
}

// commentLines writes a comment as the formatter does.
func commentLines(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, comment(line))
		}
	}
	return strings.Join(lines, "\n")
}
