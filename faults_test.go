package wsgen_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestFaultsHaveTests finds every test that docs/faults.md names.
func TestFaultsHaveTests(t *testing.T) {
	doc, err := os.ReadFile("docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "grep", "--untracked", "-hoE", `^func (Test|Fuzz)\w+`, "--", "*_test.go").Output()
	if err != nil {
		t.Skipf("the tests are found with git: %v", err)
	}
	known := make(map[string]bool)
	for _, name := range regexp.MustCompile(`(Test|Fuzz)\w+`).FindAllString(string(out), -1) {
		known[name] = true
	}
	for _, name := range regexp.MustCompile("`(Test|Fuzz)\\w+`").FindAllString(string(doc), -1) {
		if name = name[1 : len(name)-1]; !known[name] {
			t.Errorf("there is no %s", name)
		}
	}
}
