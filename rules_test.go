package wsgen_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/breaking"
	"github.com/wsgen/wsgen/internal/lint"
	"github.com/wsgen/wsgen/internal/schema"
)

var update = flag.Bool("update", false, "rewrite docs/rules.md")

// TestRulesAreDocumented keeps docs/rules.md as the tables of rules have it.
func TestRulesAreDocumented(t *testing.T) {
	const path = "docs/rules.md"
	want := rulesDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is out of date (%v); go test . -update writes it", path, err)
	}
}

func rulesDocument() string {
	var b strings.Builder
	b.WriteString("<!-- Made of the tables of rules by rules_test.go. -->\n\n# Rules\n\n## Errors\n\nWhat `wsgen generate` " +
		"refuses.\n\n| rule | found |\n| --- | --- |\n")
	for _, r := range schema.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.ID, r.Purpose)
	}
	b.WriteString("\n## Lint\n\nWhat `wsgen lint` finds in a protocol without errors. Errors and warnings make it exit with " +
		"1.\n\n| rule | severity | found |\n| --- | --- | --- |\n")
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "| `%s` | %v | %s |\n", r.ID, r.Severity, r.Purpose)
	}
	b.WriteString("\n## Breaking changes\n\nHow bad `wsgen breaking` finds a change when old clients meet the new server: E " +
		"error, W warning, I info, which `--all` prints. A star makes it an error\n" +
		"for `clients: strict`. With `--deploy any-order`, the directions of the last column are errors, too, those with a " +
		"star for `clients: strict`.\n" +
		"What is behind a slash tells cases apart.\n\n" +
		"| rule | about | client to server | server to client | any order | change |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range breaking.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", r.ID, r.Category, orDash(string(r.C2S)), orDash(string(r.S2C)),
			orDash(strings.ReplaceAll(r.Any, " ", ", ")), r.Purpose)
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return strings.ReplaceAll(s, "*", `\*`)
}
