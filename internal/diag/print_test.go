package diag_test

import (
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
)

func findings() []diag.Diagnostic {
	var l diag.List
	l.Add(diag.Diagnostic{Pos: diag.Pos{File: "a.yaml", Line: 2, Col: 5}, Rule: "unknown-type", Message: `unknown type "strng"`,
		Hint: `did you mean "string"?`})
	l.Errorf(diag.Pos{File: "a.yaml", Line: 1, Col: 2}, "yaml", "100%% wrong")
	l.Errorf(diag.Pos{File: "a.yaml", Line: 1, Col: 2}, "yaml", "100%% wrong")
	l.Add(diag.Diagnostic{Pos: diag.Pos{File: "a.yaml"}, Severity: diag.Warning, Rule: "large", Message: "large"})
	return l.Sorted()
}

func TestFormats(t *testing.T) {
	source := func(string) []byte { return []byte("wörld: 1\r\n\ta: strng\n") }
	for format, want := range map[string]string{
		"text": `a.yaml: warning: large (large)
a.yaml:1:2: error: 100% wrong (yaml)
  wörld: 1
   ^
a.yaml:2:5: error: unknown type "strng" (unknown-type)
  ` + "\ta: strng\n  \t   ^" + `
  hint: did you mean "string"?
2 errors, 1 warning
`,
		"github": `::warning file=a.yaml,title=large::large
::error file=a.yaml,line=1,col=2,title=yaml::100%25 wrong
::error file=a.yaml,line=2,col=5,title=unknown-type::unknown type "strng"%0Adid you mean "string"?
`,
	} {
		var b strings.Builder
		if err := diag.Print(&b, format, findings(), source); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%s:\n%s\nwant\n%s", format, b.String(), want)
		}
	}
}

func TestJSONIsAnArray(t *testing.T) {
	var b strings.Builder
	if err := diag.Print(&b, "json", nil, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("no findings: %q, %v", b.String(), err)
	}
	b.Reset()
	if err := diag.Print(&b, "json", findings()[2:], nil); err != nil || !strings.Contains(b.String(), `"column": 5`) {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestExcerptsHoldNoControlCharacters(t *testing.T) {
	var b strings.Builder
	src := []byte("a: \x1b[2J\xff!\n")
	if err := diag.Text(&b, []diag.Diagnostic{{Pos: diag.Pos{File: "a", Line: 1, Col: 9}, Rule: "r", Message: "m"}},
		func(string) []byte { return src }); err != nil {
		t.Fatal(err)
	}
	if want := "  a: \ufffd[2J\ufffd!\n          ^\n"; !strings.Contains(b.String(), want) {
		t.Errorf("%q does not have %q", b.String(), want)
	}
}

func TestLongLinesAreCut(t *testing.T) {
	var b strings.Builder
	src := strings.Repeat("x", 500) + "!" + strings.Repeat("y", 500)
	_ = diag.Text(&b, []diag.Diagnostic{{Pos: diag.Pos{File: "a", Line: 1, Col: 501}, Rule: "r", Message: "m"}},
		func(string) []byte { return []byte(src) })
	lines := strings.Split(b.String(), "\n")
	shown, caret := []rune(lines[1]), []rune(lines[2])
	if len(shown) > 130 || shown[len(caret)-1] != '!' {
		t.Errorf("the caret is not below the place:\n%s", b.String())
	}
}
