package cli_test

import (
	"os"
	"strings"
	"testing"
)

const unformatted = "wsgen:   1\nname: Chat\nclientToServer:\n    JOIN_ROOM: { roomId: string }\n"
const formatted = "wsgen: 1\nname: Chat\nclientToServer:\n  JOIN_ROOM: {roomId: string}\n"

func TestFmtWritesWhatChanges(t *testing.T) {
	inFolder(t, map[string]string{"messages.yaml": unformatted, "good.yaml": formatted})
	if err := os.Chmod("messages.yaml", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("messages.yaml", "link.yaml"); err != nil {
		t.Fatal(err)
	}
	want := result{1, "", "messages.yaml is not formatted\nRun wsgen fmt\n"}
	if r := run(t, "", "fmt", "--check", "messages.yaml", "good.yaml"); r != want {
		t.Errorf("check: %+v", r)
	}
	if r := run(t, "", "fmt", "--diff"); r.code != 0 || !strings.Contains(r.out, "\n-wsgen:   1\n") ||
		!strings.Contains(r.out, "\n+wsgen: 1\n") {
		t.Errorf("diff: %+v", r)
	}
	if r := run(t, "", "fmt", "--diff", "--check"); r.code != 1 || !strings.Contains(r.out, "\n+wsgen: 1\n") {
		t.Errorf("diff and check: %+v", r)
	}
	if got := read(t, "messages.yaml"); got != unformatted {
		t.Fatalf("written by --check or --diff:\n%s", got)
	}
	if r := run(t, "", "fmt", "link.yaml"); r.code != 0 || r.out != "write messages.yaml\n" || r.errOut != "" {
		t.Errorf("fmt: %+v", r)
	}
	if got := read(t, "messages.yaml"); got != formatted {
		t.Errorf("written:\n%s", got)
	}
	if info, err := os.Lstat("link.yaml"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if info, err := os.Stat("messages.yaml"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the permissions are %v, %v", info, err)
	}
	for _, args := range [][]string{{"fmt"}, {"fmt", "--check", "good.yaml"}, {"fmt", "--diff"}} {
		if r := run(t, "", args...); r != (result{}) {
			t.Errorf("%v when all is formatted: %+v", args, r)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFmtStandardInput(t *testing.T) {
	for _, c := range []struct {
		name, in string
		args     []string
		want     result
	}{
		{"formats", unformatted, []string{"-"}, result{0, formatted, ""}},
		{"leaves", formatted, []string{"-"}, result{0, formatted, ""}},
		{"checks", unformatted, []string{"-", "--check"}, result{1, "", "stdin is not formatted\nRun wsgen fmt\n"}},
	} {
		if r := run(t, c.in, append([]string{"fmt"}, c.args...)...); r != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, r, c.want)
		}
	}
	if r := run(t, "", "fmt", "-", "a.yaml"); r.code != 2 || !strings.Contains(r.errOut, "standard input alone") {
		t.Errorf("with a file: %+v", r)
	}
}

func TestFmtWritesNothingWhenOneIsNoYAML(t *testing.T) {
	inFolder(t, map[string]string{"messages.yaml": unformatted, "bad.yaml": "wsgen: 1\na: {b?: string}\n"})
	r := run(t, "", "fmt", "messages.yaml", "bad.yaml", "none.yaml")
	if r.code != 1 || r.out != "" || !strings.Contains(r.errOut, "bad.yaml:2:5: error: `b?` inside { } needs quotes") ||
		!strings.Contains(r.errOut, "none.yaml: error: cannot be read") {
		t.Errorf("%+v", r)
	}
	if got := read(t, "messages.yaml"); got != unformatted {
		t.Errorf("written:\n%s", got)
	}
}
