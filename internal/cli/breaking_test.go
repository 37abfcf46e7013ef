package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const promise = "wsgen: 1\nname: Chat\nimports: {common: ./common.yaml}\nclientToServer:\n  SAY: {text: string, who: " +
	"common.User}\n"

// promised makes a git repository with a protocol and what it imports, and returns the protocol's path.
func promised(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "api", "messages.yaml")
	save(t, path, promise)
	save(t, filepath.Join(dir, "api", "common.yaml"), "wsgen: 1\ntypes: {User: {id: string}}\n")
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."},
		{"-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "first"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git: %v %s", err, out)
		}
	}
	return path
}

func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestBreakingAgainstGit(t *testing.T) {
	path := promised(t)
	if r := run(t, "", "breaking", path, "--against", "main"); r.code != 0 || r.errOut != "" {
		t.Errorf("nothing has changed: %+v", r)
	}
	save(t, filepath.Join(filepath.Dir(path), "common.yaml"), "wsgen: 1\ntypes: {User: {id: string, age: int}}\n")
	r := run(t, "", "breaking", path, "--against", "main")
	if r.code != 100 || !strings.Contains(r.errOut, "common.yaml:2:28: error: User.age is required now; old clients do not "+
		"send it (was: absent in main) (field-added-required)") {
		t.Errorf("a field is new in an import: %+v", r)
	}
	if r := run(t, "", "breaking", path, "--against", "main", "--except", "field-added-required"); r.code != 0 {
		t.Errorf("except: %+v", r)
	}
	save(t, filepath.Join(filepath.Dir(path), "common.yaml"),
		"wsgen: 1\ntypes:\n  User:\n    id: string\n    age: int # wsgen:allow field-added-required clients are ours\n")
	if r := run(t, "", "breaking", path, "--against", "main"); r.code != 0 {
		t.Errorf("a comment lets it pass: %+v", r)
	}
	for against, want := range map[string]string{"nowhere": "neither a file nor a revision",
		"--output=x": "neither a file nor a revision"} {
		if r := run(t, "", "breaking", path, "--against="+against); r.code != 1 || !strings.Contains(r.errOut, want) {
			t.Errorf("%s: %+v", against, r)
		}
	}
}

func TestBreakingAgainstLock(t *testing.T) {
	path := promised(t)
	if r := run(t, "", "breaking", path); r.code != 1 || !strings.Contains(r.errOut, "there is no") {
		t.Errorf("without a lock: %+v", r)
	}
	if r := run(t, "", "lock", path); r.code != 0 || !strings.Contains(r.out, "write") {
		t.Fatalf("%+v", r)
	}
	if r := run(t, "", "lock", "--check", path); r.code != 0 {
		t.Errorf("%+v", r)
	}
	save(t, path, strings.Replace(promise, "text: string,", "text: string(..5),", 1))
	for _, r := range []result{run(t, "", "lock", "--check", path), run(t, "", "generate", path), run(t, "", "generate",
		"--check", path)} {
		if r.code != 1 && !strings.Contains(r.out, "write") {
			t.Errorf("the lock is out of date: %+v", r)
		}
	}
	r := run(t, "", "breaking", path, "--format", "json")
	if r.code != 100 || !strings.Contains(r.out, `"rule": "string-length-tightened"`) {
		t.Errorf("%+v", r)
	}
	if r := run(t, "", "breaking", path, "--deploy", "whenever"); r.code != 2 {
		t.Errorf("%+v", r)
	}
	if r := run(t, "", "breaking", path, "--category", "color"); r.code != 2 {
		t.Errorf("%+v", r)
	}
	if r := run(t, "", "breaking", "--list"); r.code != 0 || strings.Count(r.out, "\n") < 90 {
		t.Errorf("%+v", r)
	}
}
