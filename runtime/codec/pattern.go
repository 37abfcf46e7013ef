package codec

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression of RE2, compiled when it is first needed. It is safe for concurrent use.
type Pattern struct {
	expr     string
	compiled func() *regexp.Regexp
}

// NewPattern returns the pattern of an expression, which the generator has checked; Match panics for one that is wrong.
func NewPattern(expr string) *Pattern {
	return &Pattern{expr: expr, compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
}

// Match reports whether the expression matches anywhere in s.
func (p *Pattern) Match(s string) bool { return p.compiled().MatchString(s) }

// Message is the issue of a string that does not match, "must match ^[a-z]+$"; a long expression is cut.
func (p *Pattern) Message() string {
	const longest = 80
	text := []rune(p.expr)
	if len(text) > longest {
		text = append(text[:longest], '…')
	}
	return "must match " + string(text)
}

// StringPattern reads a string of min to max code points that matches; in lenient mode any string.
func (d *Decoder) StringPattern(p *Pattern, min, max int) string {
	issues := len(d.issues)
	s := d.StringLen(min, max)
	if d.lenient || d.failed || len(d.issues) > issues {
		return s
	}
	if !p.Match(s) {
		d.add(p.Message())
		return ""
	}
	return s
}

// StringPattern checks that s has min to max code points and matches.
func (c *Checker) StringPattern(s string, p *Pattern, min, max int) {
	if message := lengthIssue(s, min, max); message != "" {
		c.add(message)
	} else if !p.Match(s) {
		c.add(p.Message())
	}
}

// PatternKey is StringKey for keys that have to match.
func (o *Object) PatternKey(p *Pattern, min, max int) (string, bool) {
	key, ok := o.StringKey(min, max)
	if ok && !o.d.lenient && !p.Match(key) {
		o.BadKey(p.Message())
		return "", false
	}
	return key, ok
}

// PatternKey checks that the key has min to max code points and matches.
func (c *Checker) PatternKey(key string, p *Pattern, min, max int) {
	if !p.Match(key) {
		c.add("key " + p.Message())
		return
	}
	c.StringKey(key, min, max)
}
