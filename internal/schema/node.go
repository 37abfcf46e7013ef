// Package schema reads the YAML of a protocol into a syntax tree. Every part of the tree knows its place in the file, keys
// apart from values, and nothing of the YAML library shows. What one place of the file is enough to judge is judged here;
// what needs the whole protocol is the model's business.
package schema

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/internal/diag"
)

// nodeKind is the shape of a node.
type nodeKind int

const (
	scalar nodeKind = iota
	list
	mapping
	unreadable // an error about it is in the findings already
)

// node is a value of the file.
type node struct {
	kind    nodeKind
	pos     diag.Pos
	tag     string // of a scalar: !!str, !!int, !!float, !!bool or !!null
	text    string // of a scalar, as it is written
	quoted  bool
	exact   bool // of a scalar: the file has text as it is at inner
	inner   diag.Pos
	items   []*node
	entries []entry
	flow    bool   // written in { } or [ ]
	comment string // behind it
}

// entry is a key and its value in a mapping.
type entry struct {
	key   string
	pos   diag.Pos // of the key
	value *node
	doc   string // comments above and behind
}

// get returns the value of a key, or nil.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

func (n *node) isNull() bool { return n.kind == scalar && n.tag == "!!null" && !n.quoted }

// isString reports whether a scalar is text, or unquoted text that YAML took for something else but a person would not.
func (n *node) isString() bool { return n.kind == scalar && n.tag == "!!str" }

const (
	maxNesting = 100
	maxSize    = 1 << 20
)

// reader turns the nodes of yaml.v3 into ours. It refuses what a protocol has no use for: aliases would need names, places
// and documentation, which types have.
type reader struct {
	file  string
	lines []string
	diags *diag.List

	// Where from was last, in line at and there in bytes: places are asked for in their order, and a line may be long.
	at     diag.Pos
	offset int

	unreadable map[diag.Pos]bool // the places of such nodes
	odd        []Text            // keys without quotes that some readers do not take for text
}

// booleans are words that YAML 1.1 takes for true and false.
var booleans = []string{"yes", "no", "on", "off"}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.file, Line: n.Line, Col: n.Column}
}

func (r *reader) errorf(pos diag.Pos, rule, hint, format string, args ...any) {
	r.diags.Add(diag.Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unreadableAt returns the node of a place with an error, which the caller reports.
func (r *reader) unreadableAt(y *yaml.Node) *node {
	r.unreadable[r.pos(y)] = true
	return &node{kind: unreadable, pos: r.pos(y)}
}

func (r *reader) node(y *yaml.Node, depth int) *node {
	n := &node{pos: r.pos(y), flow: y.Style&yaml.FlowStyle != 0, comment: y.LineComment}
	switch {
	case depth > maxNesting:
		r.errorf(n.pos, "yaml", "", "nested more than %d levels deep", maxNesting)
		return r.unreadableAt(y)
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		r.errorf(n.pos, "yaml-alias", aliasHint, "anchors and aliases are not supported")
		return r.unreadableAt(y)
	case y.Style&yaml.TaggedStyle != 0:
		r.errorf(n.pos, "yaml-tag", "leave it away, or quote the value to make it text", "the tag %s is not supported", y.Tag)
		return r.unreadableAt(y)
	}
	switch y.Kind {
	case yaml.ScalarNode:
		n.kind = scalar
		n.tag, n.text = y.ShortTag(), y.Value
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		if n.tag == "!!timestamp" {
			n.tag = "!!str"
		}
		n.inner = n.pos
		if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			n.inner.Col++
		}
		n.exact = strings.HasPrefix(r.from(n.inner), n.text)
	case yaml.SequenceNode:
		if i := slices.IndexFunc(y.Content, openMap); n.flow && i >= 0 {
			r.openMapError(y.Content[i])
			return r.unreadableAt(y)
		}
		n.kind = list
		for _, c := range y.Content {
			n.items = append(n.items, r.node(c, depth+1))
		}
	case yaml.MappingNode:
		n.kind = mapping
		r.mapping(n, y, depth)
	}
	return n
}

const aliasHint = "give the shared part a name under types and refer to it by that"

func (r *reader) mapping(n *node, y *yaml.Node, depth int) {
	seen := make(map[string]diag.Pos)
	cut := false // the comma of map<string, T> has ended the value before
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		pos := r.pos(k)
		switch {
		case k.ShortTag() == "!!merge":
			r.errorf(pos, "yaml-alias", aliasHint, "merge keys are not supported")
			continue
		case k.Kind == yaml.AliasNode || k.Anchor != "":
			r.errorf(pos, "yaml-alias", aliasHint, "anchors and aliases are not supported")
			continue
		case k.Kind != yaml.ScalarNode:
			r.errorf(pos, "yaml", "", "a key must be a name")
			continue
		}
		if n.flow && (cut && restOfMap(k, v) || r.trapped(k, v, pos)) {
			continue
		}
		if first, dup := seen[k.Value]; dup {
			r.errorf(pos, "duplicate-key", fmt.Sprintf("the first is at line %d", first.Line), "%q is given twice", k.Value)
			continue
		}
		seen[k.Value] = pos
		if k.Style == 0 && (k.ShortTag() != "!!str" || slices.Contains(booleans, strings.ToLower(k.Value))) {
			r.odd = append(r.odd, Text{k.Value, pos})
		}
		e := entry{key: k.Value, pos: pos, doc: comments(k, v)}
		if cut = n.flow && openMap(v); cut {
			r.openMapError(v)
			e.value = r.unreadableAt(v)
		} else {
			e.value = r.node(v, depth+1)
		}
		n.entries = append(n.entries, e)
	}
}

// trapped reports what YAML reads in { } without complaint, but not as it was meant.
func (r *reader) trapped(k, v *yaml.Node, pos diag.Pos) bool {
	switch {
	case r.before(pos) == '?':
		r.errorf(diag.Pos{File: r.file, Line: pos.Line, Col: pos.Col - 1}, "yaml-flow",
			fmt.Sprintf("write %q: …, with the question mark behind the name", k.Value+"?"), "a question mark before a name")
		return true
	case k.Style == 0 && strings.Contains(k.Value, ":") && v.ShortTag() == "!!null" && v.Value == "":
		name, rest, _ := strings.Cut(k.Value, ":")
		r.errorf(pos, "yaml-flow", fmt.Sprintf("write %s: %s", name, rest), "a space is missing after the colon")
		return true
	}
	return false
}

// openMap reports whether a value in { } or [ ] is the beginning of map<string, T>.
func openMap(v *yaml.Node) bool {
	return v.Kind == yaml.ScalarNode && v.Style == 0 && strings.Count(v.Value, "<") > strings.Count(v.Value, ">")
}

func (r *reader) openMapError(v *yaml.Node) {
	r.errorf(r.pos(v), "yaml-flow", "use map<T> inside { }, put it in quotes, or put the fields on lines of their own",
		"the comma ends the value inside { }")
}

// restOfMap reports whether a key is what is left of map<string, T>.
func restOfMap(k, v *yaml.Node) bool {
	return k.Style == 0 && v.ShortTag() == "!!null" && v.Value == "" && strings.Contains(k.Value, ">")
}

// before returns the byte before a place.
func (r *reader) before(pos diag.Pos) byte {
	pos.Col--
	if rest := r.from(pos); rest != "" && rest[0] < utf8.RuneSelf {
		return rest[0]
	}
	return 0
}

// from returns the rest of a line that begins at a place; empty when there is no such place.
func (r *reader) from(pos diag.Pos) string {
	if pos.Line < 1 || pos.Line > len(r.lines) || pos.Col < 1 {
		return ""
	}
	if pos.Line != r.at.Line || pos.Col < r.at.Col {
		r.at, r.offset = diag.Pos{Line: pos.Line, Col: 1}, 0
	}
	line := r.lines[pos.Line-1]
	for ; r.at.Col < pos.Col; r.at.Col++ {
		_, size := utf8.DecodeRuneInString(line[r.offset:])
		r.offset += size
	}
	return line[r.offset:]
}

// comments returns the documentation that stands above and behind an entry.
func comments(k, v *yaml.Node) string {
	var lines []string
	for _, block := range []string{k.HeadComment, k.LineComment, v.LineComment} {
		for line := range strings.SplitSeq(block, "\n") {
			line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#"))
			if strings.HasPrefix(line, "TODO") || strings.HasPrefix(line, "FIXME") || strings.HasPrefix(line, "nodoc") ||
				strings.HasPrefix(line, "yaml-language-server:") || strings.HasPrefix(line, "wsgen:") {
				continue
			}
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
