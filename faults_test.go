package wsgen_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
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

// TestFaultsAreAllThere finds each number of the faults in the first column of docs/faults.md.
func TestFaultsAreAllThere(t *testing.T) {
	doc, err := os.ReadFile("docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[int]bool)
	for _, column := range regexp.MustCompile(`(?m)^\| ([0-9–, ]+) \|`).FindAllStringSubmatch(string(doc), -1) {
		for span := range strings.SplitSeq(column[1], ", ") {
			first, last, isSpan := strings.Cut(span, "–")
			if !isSpan {
				last = first
			}
			from, err1 := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if err1 != nil || err2 != nil {
				t.Fatalf("no number: %q", column[1])
			}
			for n := from; n <= to; n++ {
				found[n] = true
			}
		}
	}
	for n := 1; n <= 62; n++ {
		if !found[n] {
			t.Errorf("number %d is missing", n)
		}
	}
}
