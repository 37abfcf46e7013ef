package codec

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxIssues is the number of issues that a Decoder or a Checker collects; what is wrong beyond that is not reported.
const MaxIssues = 16

// Issue is one thing that is wrong with a value.
type Issue struct {
	// Path is a JSON Pointer (RFC 6901) from the root of what was decoded or checked; empty for the root itself.
	Path string `json:"path"`
	// Message goes on where the path ends: "is required", "must have at most 64 characters".
	Message string `json:"message"`
}

// String returns the path and the message.
func (i Issue) String() string {
	if i.Path == "" {
		return "value " + i.Message
	}
	return i.Path + " " + i.Message
}

// Issues are what is wrong with a value, in the order of the document. It is an error when it is not empty.
type Issues []Issue

// Error names the first three issues.
func (list Issues) Error() string {
	const shown = 3
	var b strings.Builder
	for n, issue := range list {
		if n == shown {
			fmt.Fprintf(&b, " (and %d more)", len(list)-shown)
			break
		}
		if n > 0 {
			b.WriteString("; ")
		}
		b.WriteString(issue.String())
	}
	return b.String()
}

// A segment is one step of the path to the current value. A Decoder has its keys as bytes of the input, a Checker as
// strings of the program.
type segment struct {
	kind  segmentKind
	index int
	key   []byte
	name  string
}

type segmentKind uint8

const (
	keySegment segmentKind = iota
	fieldSegment
	itemSegment
)

// String returns the step as it stands in a JSON Pointer, without the slash.
func (s *segment) String() string {
	switch s.kind {
	case keySegment:
		return escapePointer(string(s.key))
	case fieldSegment:
		return escapePointer(s.name)
	}
	return strconv.Itoa(s.index)
}

// A trail is where a Decoder or a Checker stands, and what it found. Its last segment changes with every member; text is
// made of it only for an issue.
type trail struct {
	path   []segment
	issues Issues
}

// add reports an issue at the current place.
func (t *trail) add(message string) {
	if len(t.issues) < MaxIssues {
		t.issues = append(t.issues, Issue{Path: t.pointer(), Message: message})
	}
}

// addf reports an issue at the current place. The text is made only when there is room for the issue.
func (t *trail) addf(format string, args ...any) {
	if len(t.issues) < MaxIssues {
		t.add(fmt.Sprintf(format, args...))
	}
}

// addAt reports an issue at a member of the current place.
func (t *trail) addAt(key, message string) {
	if len(t.issues) < MaxIssues {
		t.issues = append(t.issues, Issue{Path: t.pointer() + "/" + escapePointer(key), Message: message})
	}
}

// pointer returns the current place as a JSON Pointer.
func (t *trail) pointer() string {
	var b strings.Builder
	for i := range t.path {
		b.WriteByte('/')
		b.WriteString(t.path[i].String())
	}
	return b.String()
}

// EscapePointer escapes a key for a JSON Pointer (RFC 6901), whatever its length.
func EscapePointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// escapePointer escapes a key for a JSON Pointer; long keys are cut, because the sender of a bad key chose its length.
func escapePointer(key string) string {
	const longest = 64
	if len(key) > longest {
		key = strings.ToValidUTF8(key[:longest], "") + "…"
	}
	return EscapePointer(key)
}
