package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/format"
)

// cases are texts and what becomes of them; the same when want is empty.
var cases = []struct{ name, in, want string }{
	{"indentation", "a:\n    b:\n        c: 1\n        d: 2\n    e: 3\n", "a:\n  b:\n    c: 1\n    d: 2\n  e: 3\n"},
	{"list below a key", "a:\n- b\n-   c: 1\n    d:\n    - e\n", "a:\n  - b\n  - c: 1\n    d:\n      - e\n"},
	{"list in a list", "a:\n-   -   b\n    -   c\n-\n    d: 1\n", "a:\n  - - b\n    - c\n  -\n    d: 1\n"},
	{"spaces", "a:   1   \nb :  x y\n", "a: 1\nb: x y\n"},
	{"brackets", "a: { b:  1,c : [ x,y , z ] , \"d\":2 }\n", "a: {b: 1, c: [x, y, z], \"d\": 2}\n"},
	{"empty brackets", "a: {  }\nb: [ ]\n", "a: {}\nb: []\n"},
	{"comma at the end", "a: {b: 1 , }\nc: [x ,]\n", "a: {b: 1,}\nc: [x,]\n"},
	{"no value in brackets", "a: {b, c: , d: }\n", "a: {b, c: , d: }\n"},
	{"pair in a list", "a: [b:  c, {d:  e}]\n", "a: [b: c, {d: e}]\n"},
	{"lines in brackets",
		"a: {\n      b: 1,\n      c: [\n  x,\n       y\n     ]\n  }\n",
		"a: {\n  b: 1,\n  c: [\n    x,\n    y\n  ]\n}\n"},
	{"two brackets open in a line", "a: [{\n  b: 1\n }, {\n  c: 2}]\n", "a: [{\n  b: 1\n}, {\n  c: 2}]\n"},
	{"brackets of an item", "a:\n- {b: 1,\n   c: 2\n}\n", "a:\n  - {b: 1,\n      c: 2\n    }\n"},
	{"brackets below a key", "a:\n      {b: 1,\n   c: 2}\n", "a:\n  {b: 1,\n    c: 2}\n"},
	{"empty lines", "\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"},
	{"line ends", "a: 1\r\nb: 2", "a: 1\nb: 2\n"},
	{"mark of the byte order", "\ufeffa: 1\n", "a: 1\n"},
	{"document marks", "---   \na:  1\n...\n", "---\na: 1\n...\n"},
	{"comments", "#one\n#! two\n##three\n#\na: 1 #four\n", "# one\n#! two\n##three\n#\na: 1 # four\n"},
	{"modeline", "# yaml-language-server: $schema=./a.json\nwsgen: 1\n", ""},
	{"a comment behind", "a: 1      # one\nb:    # two\n  c: 1\n", "a: 1 # one\nb: # two\n  c: 1\n"},
	{"comments below each other",
		"a: 1      # one\nbcd: 2    # two\nefghijklm: 3 # three\n",
		"a: 1      # one\nbcd: 2    # two\nefghijklm: 3 # three\n"},
	{"comments that have to move",
		"a:\n b:\n  c: [d,e,f]  # one\n  g: 1        # two\nh: 1 # three\n",
		"a:\n  b:\n    c: [d, e, f] # one\n    g: 1         # two\nh: 1 # three\n"},
	{"comments of levels",
		"a:\n    # of b\n    b: 1\n    # behind b\n# of c\nc: 1\n",
		"a:\n  # of b\n  b: 1\n  # behind b\n# of c\nc: 1\n"},
	{"comments of items", "a:\n# of b\n- b\n# of c\n- c\n", "a:\n  # of b\n  - b\n  # of c\n  - c\n"},
	{"comments in brackets",
		"a: {#one\n     b: 1, # two\n     # three\n     c: 2 }\n",
		"a: { # one\n  b: 1, # two\n  # three\n  c: 2}\n"},
	{"quotes", "a: \"x\\\"  # y\"\nb: 'it''s  # y'\n", ""},
	{"text of several lines",
		"a: one\n      two\n\n      three\nb: \"one  \n  two\\\n\n  three\"\n",
		"a: one\n  two\n\n  three\nb: \"one\n  two\\\n\n  three\"\n"},
	{"block of text",
		"a:\n    b: |-   # why\n          one\n            two  \n\n          three\n\n\n    c: >\n     x\n",
		"a:\n  b: |- # why\n    one\n      two  \n\n    three\n\n  c: >\n    x\n"},
	{"block of text with an indentation", "a:\n    b: |2\n         one\n       two\n", "a:\n  b: |2\n       one\n     two\n"},
	{"block of text that keeps its end", "a: |+\n    one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n"},
	{"types",
		"a: string( 1..64 )\nb?: date-time  |  null\n\"c?\":  T[] = [ ]\n",
		"a: string( 1..64 )\nb?: date-time  |  null\n\"c?\": T[] = [ ]\n"},
}

func TestLayout(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.in
			}
			got, err := format.Source("messages.yaml", []byte(c.in))
			if err != nil || string(got) != want {
				t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
			}
			if again, err := format.Source("messages.yaml", got); err != nil || string(again) != want {
				t.Errorf("the second time: %v\n%s\nwant\n%s", err, again, want)
			}
		})
	}
}

func TestNoYAML(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "messages.yaml:1:1: the file is empty",
		"a: [b\n":                      "messages.yaml:1:4: did not find expected ',' or ']'",
		"a: {b?: string}\n":            "messages.yaml:1:5: `b?` inside { } needs quotes",
		"a: &x 1\nb: *x\n":             "messages.yaml:1:4: anchors and aliases are not supported (and 1 more)",
		"a:\n  ? b\n  : c\n":           "messages.yaml:2:3: a question mark before a key",
		"wsgen: 1\n---\nwsgen: 1\n":    "messages.yaml:2:1: a file holds one document",
		"\n\na: 1\n!!str b: 1\n":       "messages.yaml:4:1: tags, anchors and aliases are not supported",
		"a:\n\t- b\n":                  "messages.yaml:2:1: a tab in the indentation",
		"%YAML 1.1\n---\na: 1\n":       "messages.yaml:1:1: directives are not supported",
		"wsgen: 2\ntypes: {a: nope}\n": "",
	} {
		_, err := format.Source("messages.yaml", []byte(in))
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

// TestProtocolsStay has files that people wrote with care: there is nothing to change in them.
func TestProtocolsStay(t *testing.T) {
	for _, name := range []string{"examples/messages.yaml", "golden/language/messages.yaml",
		"golden/language/long/messages.yaml"} {
		src, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := format.Source(name, src); err != nil || string(got) != string(src) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}
