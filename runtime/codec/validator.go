package codec

import (
	"encoding/json"

	"github.com/go-faster/jx"
)

// Validator judges a value by a part of its schema that no Go type says. Implementations are safe for concurrent use.
type Validator interface {
	// Validate calls report for each thing that is wrong with v, a tree of nil, bool, string, json.Number, []any and
	// map[string]any, in an order that depends on v alone. path is a JSON Pointer from v, "" for v itself; message goes on
	// where the path ends.
	Validate(v any, report func(path, message string))
}

// A Mark is a place in the input and what was found before it.
type Mark struct{ pos, issues int }

// Mark notes where the next value begins.
func (d *Decoder) Mark() Mark {
	d.peek()
	return Mark{d.pos, len(d.issues)}
}

// Validate judges the value that was read since m, unless something is wrong with it already. In lenient mode it does
// nothing.
func (d *Decoder) Validate(m Mark, v Validator) {
	if d.lenient || d.failed || len(d.issues) > m.issues || len(d.issues) == MaxIssues {
		return
	}
	end := d.pos
	d.pos = m.pos
	tree := d.tree()
	d.pos = end
	if !d.failed && len(d.issues) == m.issues {
		v.Validate(tree, d.report)
	}
}

// Message is the issue of a string that is not of the format, "must be a date such as 2006-01-02".
func (f Format) Message() string { return f.message() }

// report adds an issue below the current place.
func (t *trail) report(path, message string) {
	if len(t.issues) < MaxIssues {
		t.issues = append(t.issues, Issue{Path: t.pointer() + path, Message: message})
	}
}

// Validate judges a value that is about to be sent, unless something is wrong already. encode writes it.
func (c *Checker) Validate(v Validator, encode func(w *jx.Writer)) {
	if len(c.issues) > 0 {
		return
	}
	var w jx.Writer
	encode(&w)
	var d Decoder
	d.Reset(w.Buf, Strict)
	tree := d.tree()
	if d.End(); d.failed {
		c.add("must be valid JSON")
		return
	}
	for _, issue := range d.issues {
		c.report(issue.Path, issue.Message)
	}
	if len(d.issues) == 0 {
		v.Validate(tree, c.report)
	}
}

// tree reads any value with the rules for all JSON: no key twice, no number that cannot be handled, not too deep.
func (d *Decoder) tree() any {
	switch c := d.peek(); {
	case c == '{':
		m := map[string]any{}
		for o := d.Object(); o.Next(); {
			key := string(o.Key())
			if _, ok := m[key]; ok {
				o.Duplicate()
				continue
			}
			m[key] = d.tree()
		}
		return m
	case c == '[':
		list := []any{}
		for a := d.Array(0, NoLimit); a.Next(); {
			list = append(list, d.tree())
		}
		return list
	case c == '"':
		return d.String()
	case c == 't' || c == 'f':
		return d.Bool()
	case c == 'n':
		d.Skip()
		return nil
	}
	lit, ok := d.number("a number")
	if !ok {
		return nil
	}
	return json.Number(lit)
}
