package cli

import (
	"os"
	"testing"
)

func TestWarnsOfAnotherRelease(t *testing.T) {
	const required = "module example.com/chat\n\ngo 1.26\n\nrequire (\n\texample.com/a v1.0.0\n" +
		"\tgithub.com/wsgen/wsgen v0.3.0\n)\n"
	for _, tt := range []struct {
		name, mod, running string
		warns              bool
	}{
		{"another release", required, "v0.2.0", true},
		{"a candidate", required, "v0.3.0-rc.1", true},
		{"the same", required, "v0.3.0", false},
		{"a checkout runs", required, "v0.2.0-devel", false},
		{"a commit runs", required, "v0.3.1-0.20261123234942-4586766c5eaa", false},
		{"replaced", required + "replace github.com/wsgen/wsgen => ../wsgen\n", "v0.2.0", false},
		{"a commit is required", "module a\nrequire github.com/wsgen/wsgen v0.0.0-20261123234942-4586766c5eaa\n",
			"v0.2.0", false},
		{"not required", "module a\n", "v0.2.0", false},
		{"no go.mod to read", "modul a\n\x00", "v0.2.0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("go.mod", []byte(tt.mod), 0o666); err != nil {
				t.Fatal(err)
			}
			var l loader
			l.checkVersion("chat", tt.running)
			found := l.diags.Sorted()
			if (len(found) == 1) != tt.warns || l.diags.HasErrors() {
				t.Fatalf("findings %v, want a warning: %v", found, tt.warns)
			}
			if tt.warns && found[0].Pos.String() != "go.mod:7:2" {
				t.Errorf("at %v, want go.mod:7:2", found[0].Pos)
			}
		})
	}
}
