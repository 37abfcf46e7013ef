package codec_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// judge is a codec.Validator that notes what it is given and reports what it is told to.
type judge struct {
	got    *string
	issues []codec.Issue
}

func (j judge) Validate(v any, report func(path, message string)) {
	*j.got = fmt.Sprintf("%#v", v)
	for _, i := range j.issues {
		report(i.Path, i.Message)
	}
}

func TestDecoderValidate(t *testing.T) {
	bad := []codec.Issue{{Path: "", Message: "is odd"}, {Path: "/0", Message: "is even"}}
	tests := []struct {
		name, value string
		decode      func(d *codec.Decoder)
		issues      []codec.Issue
		tree        string // empty: the validator is not called
		err         string
	}{
		{"a tree", `[null,true,"a",1.50,{"k":[]}]`, skip, nil,
			`[]interface {}{interface {}(nil), true, "a", "1.50", map[string]interface {}{"k":[]interface {}{}}}`, ""},
		{"what it reports", `[1]`, skip, bad, `[]interface {}{"1"}`, "/a is odd; /a/0 is even"},
		{"wrong already", `[1]`, func(d *codec.Decoder) { _ = d.String() }, bad, "", "/a must be a string, got array"},
		{"double keys", `{"k":1,"k":1}`, skip, bad, "", "/a/k must not be given twice"},
		{"a huge number", `[1e2000000]`, skip, bad, "", "/a/0 must have an exponent of at most 400"},
		{"too deep", strings.Repeat("[", 64) + strings.Repeat("]", 64), skip, bad, "", "is nested deeper than 64 levels"},
		{"no JSON", `[1`, skip, bad, "", "invalid JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tree string
			decode := func(d *codec.Decoder) {
				for o := d.Object(); o.Next(); {
					m := d.Mark()
					test.decode(d)
					d.Validate(m, judge{&tree, test.issues})
				}
			}
			assertError(t, read(`{"a": `+test.value+` }`, codec.Strict, decode), test.err)
			if tree != test.tree {
				t.Errorf("got tree %s", tree)
			}
			tree = ""
			if _ = read(`{"a": `+test.value+` }`, codec.Lenient, decode); tree != "" {
				t.Errorf("lenient mode asks the validator: %s", tree)
			}
		})
	}
}

func skip(d *codec.Decoder) { d.Skip() }

// TestDecoderValidateGoesOn checks that the decoder stands behind the value, and that issues are limited.
func TestDecoderValidateGoesOn(t *testing.T) {
	many := make([]codec.Issue, codec.MaxIssues+1)
	for i := range many {
		many[i].Message = "is odd"
	}
	var tree string
	var d codec.Decoder
	d.Reset([]byte(`[[1],"b"]`), codec.Strict)
	a := d.Array(2, 2)
	a.Next()
	m := d.Mark()
	d.Skip()
	d.Validate(m, judge{&tree, many})
	a.Next()
	if got := d.String(); got != "b" {
		t.Errorf("got %q behind it", got)
	}
	if a.Next() || len(d.Issues()) != codec.MaxIssues {
		t.Errorf("got %d issues", len(d.Issues()))
	}
}

func TestCheckerValidate(t *testing.T) {
	tests := []struct {
		name   string
		before func(c *codec.Checker)
		write  string
		tree   string
		err    string
	}{
		{"what it reports", nil, `[1]`, `[]interface {}{"1"}`, "/f is odd"},
		{"wrong already", func(c *codec.Checker) { c.Float64(math.NaN()) }, `[1]`, "", "/f must be a finite number"},
		{"double keys", nil, `{"k":1,"k":1}`, "", "/f/k must not be given twice"},
		{"no JSON", nil, `[1`, "", "/f must be valid JSON"},
		{"more than a value", nil, `1 2`, "", "/f must be valid JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c codec.Checker
			c.Enter()
			c.Field("f")
			if test.before != nil {
				test.before(&c)
			}
			var tree string
			v := judge{&tree, []codec.Issue{{Message: "is odd"}}}
			c.Validate(v, func(w *jx.Writer) { w.RawStr(test.write) })
			c.Leave()
			if assertError(t, c.Err(), test.err); tree != test.tree {
				t.Errorf("got tree %s", tree)
			}
		})
	}
}

func TestPattern(t *testing.T) {
	lower := codec.NewPattern(`^[a-z]+$`)
	tests := []struct{ data, strict string }{
		{`"abc"`, ""},
		{`"ABC"`, "must match ^[a-z]+$"},
		{`"abc\n"`, "must match ^[a-z]+$"},
		{`"abcdef"`, "must have at most 5 characters"},
		{`1`, "must be a string, got number"},
	}
	for _, test := range tests {
		decode := func(d *codec.Decoder) { d.StringPattern(lower, 1, 5) }
		assertError(t, read(test.data, codec.Strict, decode), test.strict)
		if test.data != `1` {
			assertError(t, read(test.data, codec.Lenient, decode), "")
		}
	}
	if !codec.NewPattern("b").Match("abc") {
		t.Error("a pattern without anchors must match anywhere")
	}
	if got := codec.NewPattern(strings.Repeat("é", 200)).Message(); got != "must match "+strings.Repeat("é", 80)+"…" {
		t.Errorf("got %s", got)
	}
}

func TestPatternKey(t *testing.T) {
	lower := codec.NewPattern(`^[a-z]+$`)
	var keys []string
	decode := func(d *codec.Decoder) {
		keys = nil
		for o := d.Object(); o.Next(); {
			if key, ok := o.PatternKey(lower, 1, 3); ok {
				keys = append(keys, key)
				d.Skip()
			}
		}
	}
	data := `{"abc":1,"A":[1],"abcd":2,"b":3}`
	assertError(t, read(data, codec.Strict, decode), "/A key must match ^[a-z]+$; /abcd key must have at most 3 characters")
	if fmt.Sprint(keys) != "[abc b]" {
		t.Errorf("got %v", keys)
	}
	if assertError(t, read(data, codec.Lenient, decode), ""); fmt.Sprint(keys) != "[abc A abcd b]" {
		t.Errorf("got %v", keys)
	}
}

func TestCheckerPattern(t *testing.T) {
	lower := codec.NewPattern(`^[a-z]+$`)
	var c codec.Checker
	c.Enter()
	for i, s := range []string{"abc", "A", "abcd"} {
		c.Item(i)
		c.StringPattern(s, lower, 1, 3)
		c.Field(s)
		c.PatternKey(s, lower, 1, 3)
	}
	c.Leave()
	var got []string
	for _, issue := range c.Issues() {
		got = append(got, issue.String())
	}
	want := "/1 must match ^[a-z]+$|/A key must match ^[a-z]+$|" +
		"/2 must have at most 3 characters|/abcd key must have at most 3 characters"
	if strings.Join(got, "|") != want {
		t.Errorf("got %s", strings.Join(got, "|"))
	}
}
