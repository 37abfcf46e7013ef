package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/schema"
)

// TestErrors compares the findings of each golden/errors/<rule>[-<case>].yaml with the text beside it.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("errors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			api, findings := build(t, "errors", src)
			if len(findings) == 0 || api != nil {
				t.Fatal("nothing is found")
			}
			rule, found := ruleOf(t, name), false
			for _, d := range findings {
				found = found || d.Rule == rule
			}
			if !found {
				t.Errorf("%s is not among the findings", rule)
			}
			compareFile(t, strings.TrimSuffix(path, ".yaml")+".txt", text(t, src, findings))
		})
	}
	texts, err := filepath.Glob("errors/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range texts {
		if _, err := os.Stat(strings.TrimSuffix(path, ".txt") + ".yaml"); os.IsNotExist(err) {
			stale(t, path)
		}
	}
}

// TestEveryRuleHasAnExample wants a golden error of each rule.
func TestEveryRuleHasAnExample(t *testing.T) {
	for _, r := range schema.Rules() {
		files, err := filepath.Glob("errors/" + r.ID + "*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			found = found || ruleOf(t, strings.TrimSuffix(filepath.Base(f), ".yaml")) == r.ID
		}
		if !found {
			t.Errorf("%s: there is no golden/errors/%s.yaml", r.ID, r.ID)
		}
	}
}

// ruleOf returns the rule that a golden error is named after: the longest that its name begins with.
func ruleOf(t *testing.T, name string) string {
	t.Helper()
	best := ""
	for _, r := range schema.Rules() {
		if (name == r.ID || strings.HasPrefix(name, r.ID+"-")) && len(r.ID) > len(best) {
			best = r.ID
		}
	}
	if best == "" {
		t.Fatalf("%s begins with no rule", name)
	}
	return best
}
