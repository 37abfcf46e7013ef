// Package schema reads the YAML of a protocol into a syntax tree. Every part of the tree knows its place in the file, keys
// apart from values, and nothing of the YAML library shows. What one place of the file is enough to judge is judged here;
// what needs the whole protocol is the model's business.
package schema

import (
	"fmt"
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
)

// node is a value of the file.
type node struct {
	kind    nodeKind
	pos     diag.Pos
	tag     string // of a scalar: !!str, !!int, !!float, !!bool or !!null
	text    string // of a scalar, as it is written
	quoted  bool
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
	src   []byte
	lines []string
	diags *diag.List
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.file, Line: n.Line, Col: n.Column}
}

func (r *reader) errorf(pos diag.Pos, rule, hint, format string, args ...any) {
	r.diags.Add(diag.Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) node(y *yaml.Node, depth int) *node {
	if depth > maxNesting {
		r.errorf(r.pos(y), "yaml", "", "nested more than %d levels deep", maxNesting)
		return nil
	}
	switch {
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		r.errorf(r.pos(y), "yaml-alias", "give the shared part a name under types and refer to it by that", "anchors and aliases are not supported")
		return nil
	case y.Style&yaml.TaggedStyle != 0:
		r.errorf(r.pos(y), "yaml-tag", "", "the tag %s is not supported", y.Tag)
		return nil
	}
	n := &node{pos: r.pos(y), flow: y.Style&yaml.FlowStyle != 0, comment: y.LineComment}
	switch y.Kind {
	case yaml.ScalarNode:
		n.tag, n.text = y.ShortTag(), y.Value
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		if n.tag == "!!timestamp" {
			n.tag = "!!str"
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, c := range y.Content {
			if item := r.node(c, depth+1); item != nil {
				n.items = append(n.items, item)
			}
		}
	case yaml.MappingNode:
		n.kind = mapping
		r.mapping(n, y, depth)
	default:
		return nil
	}
	return n
}

func (r *reader) mapping(n *node, y *yaml.Node, depth int) {
	seen := make(map[string]diag.Pos)
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		pos := r.pos(k)
		switch {
		case k.ShortTag() == "!!merge":
			r.errorf(pos, "yaml-alias", "give the shared part a name under types and refer to it by that", "merge keys are not supported")
			continue
		case k.Kind == yaml.AliasNode || k.Anchor != "":
			r.errorf(pos, "yaml-alias", "give the shared part a name under types and refer to it by that", "anchors and aliases are not supported")
			continue
		case k.Kind != yaml.ScalarNode:
			r.errorf(pos, "yaml", "", "a key must be a name")
			continue
		}
		if n.flow && r.trapped(k, v, pos) {
			continue
		}
		if first, dup := seen[k.Value]; dup {
			r.errorf(pos, "duplicate-key", fmt.Sprintf("the first is at line %d", first.Line), "%q is given twice", k.Value)
			continue
		}
		seen[k.Value] = pos
		value := r.node(v, depth+1)
		if value == nil {
			continue
		}
		n.entries = append(n.entries, entry{key: k.Value, pos: pos, value: value, doc: comments(k, v)})
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
	case v.Kind == yaml.ScalarNode && v.Style == 0 && strings.Count(v.Value, "<") > strings.Count(v.Value, ">"):
		r.errorf(r.pos(v), "yaml-flow", "use map<T>, or put the fields on lines of their own", "the comma ends the value inside { }")
		return true
	case k.Style == 0 && v.ShortTag() == "!!null" && v.Value == "" && strings.HasSuffix(k.Value, ">"):
		return true // the rest of the same
	}
	return false
}

// before returns the byte before a place.
func (r *reader) before(pos diag.Pos) byte {
	if pos.Line < 1 || pos.Line > len(r.lines) || pos.Col < 2 {
		return 0
	}
	rs := []rune(r.lines[pos.Line-1])
	if pos.Col-2 >= len(rs) || rs[pos.Col-2] >= utf8.RuneSelf {
		return 0
	}
	return byte(rs[pos.Col-2])
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
