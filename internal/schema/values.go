package schema

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/names"
)

// parser turns nodes into the tree.
type parser struct {
	file       string
	diags      *diag.List
	unreadable map[diag.Pos]bool // the places of such nodes
	imported   bool              // the file is one that another imports
	refs       []*Import
}

// errorf reports an error, but nothing more about a node that cannot be read anyhow.
func (p *parser) errorf(pos diag.Pos, rule, hint, format string, args ...any) {
	if p.unreadable[pos] {
		return
	}
	p.diags.Add(diag.Diagnostic{Pos: pos, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unsupported refuses what the language has but this version does not read. It is never ignored.
func (p *parser) unsupported(pos diag.Pos, what string) {
	p.errorf(pos, "unsupported", "", "%s not supported yet", what)
}

// unknownKey reports a key that has no meaning where it stands.
func (p *parser) unknownKey(e entry, where string, known []string) {
	hint := ""
	if s := names.Similar(e.key, known); s != "" {
		hint = fmt.Sprintf("did you mean %q?", s)
	}
	p.errorf(e.pos, "unknown-key", hint, "unknown key %q %s", e.key, where)
}

// str reads a string; numbers and the like are taken as they are written.
func (p *parser) str(n *node, what string) Text {
	if n.kind != scalar || n.isNull() {
		p.errorf(n.pos, "bad-value", "", "%s must be text", what)
		return Text{Pos: n.pos}
	}
	return Text{Value: n.text, Pos: n.inner}
}

func (p *parser) boolean(n *node, what string) bool {
	if n.kind != scalar || n.tag != "!!bool" {
		p.errorf(n.pos, "bad-value", "", "%s must be true or false", what)
		return false
	}
	return strings.EqualFold(n.text, "true")
}

// integer reads a whole number within bounds.
func (p *parser) integer(n *node, what string, low, high int) int {
	v, err := strconv.Atoi(n.text)
	if n.kind != scalar || n.quoted || err != nil || v < low || v > high {
		if high == math.MaxInt {
			p.errorf(n.pos, "bad-value", "", "%s must be a whole number of at least %d", what, low)
		} else {
			p.errorf(n.pos, "bad-value", "", "%s must be a whole number from %d to %d", what, low, high)
		}
		return low
	}
	return v
}

var sizePattern = regexp.MustCompile(`^(\d+)\s*(B|KiB|MiB|KB|MB)?$`)

// size reads a number of bytes.
func (p *parser) size(n *node, what string) int {
	m := sizePattern.FindStringSubmatch(n.text)
	if n.kind == scalar && m != nil {
		unit := map[string]int{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "KB": 1000, "MB": 1000000}[m[2]]
		if v, err := strconv.Atoi(m[1]); err == nil && v >= 1 && v <= (64<<20)/unit {
			return v * unit
		}
	}
	p.errorf(n.pos, "bad-value", "write a number of bytes such as 8192 or 8KiB, up to 64MiB", "%s must be a size", what)
	return 1
}

// duration reads a positive time such as 10s.
func (p *parser) duration(n *node, what string) time.Duration {
	d, err := time.ParseDuration(n.text)
	if n.kind != scalar || err != nil || d <= 0 {
		p.errorf(n.pos, "bad-value", "write a time such as 500ms, 10s or 5m", "%s must be a time", what)
		return time.Second
	}
	return d
}

var ratePattern = regexp.MustCompile(`^(\d+)\s*/\s*(s|m|h)(?:\s+burst\s+(\d+))?$`)

var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// rate reads 10/s burst 20 or its long form. Without a burst the bucket holds what one period adds.
func (p *parser) rate(n *node) *Rate {
	r := &Rate{Pos: n.pos, By: "connection"}
	switch {
	case n.kind == mapping:
		p.longRate(n, r)
	default:
		m := ratePattern.FindStringSubmatch(n.text)
		if n.kind != scalar || m == nil {
			p.errorf(n.pos, "bad-value", "write 10/s, 100/m burst 20, or {limit, per, burst, by}",
				"rate must be a number of messages per time")
			return nil
		}
		r.Limit, _ = strconv.Atoi(m[1])
		r.Per = rateUnits[m[2]]
		if r.Burst = r.Limit; m[3] != "" {
			r.Burst, _ = strconv.Atoi(m[3])
		}
	}
	if r.Limit < 1 || r.Burst < 1 || r.Limit > 1e6 || r.Burst > 1e6 {
		p.errorf(n.pos, "bad-value", "", "rate must allow 1 to 1000000 messages")
		return nil
	}
	return r
}

func (p *parser) longRate(n *node, r *Rate) {
	r.Per = time.Second
	for _, e := range n.entries {
		switch e.key {
		case "limit":
			r.Limit = p.integer(e.value, "limit", 1, 1e6)
		case "burst":
			r.Burst = p.integer(e.value, "burst", 1, 1e6)
		case "per":
			r.Per = p.duration(e.value, "per")
		case "by":
			r.By = p.oneOf(e.value, "by", "connection", "user", "ip", "room")
		default:
			p.unknownKey(e, "in a rate", []string{"limit", "per", "burst", "by"})
		}
	}
	if n.get("limit") == nil {
		p.errorf(n.pos, "missing-key", "add limit: 10, say", "a rate needs a limit")
		r.Limit = 1
	}
	if n.get("burst") == nil {
		r.Burst = r.Limit
	}
}

func (p *parser) oneOf(n *node, what string, values ...string) string {
	for _, v := range values {
		if n.kind == scalar && n.text == v {
			return v
		}
	}
	hint := ""
	if n.kind == scalar {
		if s := names.Similar(n.text, values); s != "" {
			hint = fmt.Sprintf("did you mean %q?", s)
		}
	}
	p.errorf(n.pos, "bad-value", hint, "%s must be %s", what, orList(values))
	return values[0]
}

// orList joins words: a, b or c.
func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// auth reads none, required or a list of roles.
func (p *parser) auth(n *node) *Auth {
	a := &Auth{Pos: n.pos}
	switch {
	case n.kind == list:
		for _, item := range n.items {
			if role := p.str(item, "a role"); role.Value != "" {
				a.Roles = append(a.Roles, role)
			}
		}
		if len(n.items) == 0 {
			p.errorf(n.pos, "bad-value", "write required for any authenticated sender", "an empty list of roles lets nobody in")
		}
	case n.kind == scalar && n.text == "none":
		a.None = true
	case n.kind == scalar && n.text == "required":
	default:
		p.errorf(n.pos, "bad-value", "", "auth must be none, required or a list of roles such as [owner, moderator]")
	}
	return a
}
