package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/wsgen/wsgen/internal/diag"
)

// checkVersion warns when the module that a folder belongs to requires another release of wsgen than the one that runs:
// generated code is tied to the runtime of its own release. Checkouts, replaced modules and commits say nothing.
func (l *loader) checkVersion(dir, running string) {
	if !released(running) {
		return
	}
	name, data := findGoMod(dir)
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return // the go command says what is wrong with it
	}
	for _, r := range mod.Replace {
		if r.Old.Path == modulePath {
			return
		}
	}
	for _, r := range mod.Require {
		if r.Mod.Path != modulePath || !released(r.Mod.Version) || r.Mod.Version == running {
			continue
		}
		l.remember(name, data)
		l.diags.Add(diag.Diagnostic{
			Pos:      diag.Pos{File: name, Line: r.Syntax.Start.Line, Col: r.Syntax.Start.LineRune},
			Severity: diag.Warning,
			Rule:     "version-skew",
			Message:  fmt.Sprintf("the module requires wsgen %s, and this is %s", r.Mod.Version, running),
			Hint:     fmt.Sprintf("run go tool wsgen generate, or go get %s@%s", modulePath, running),
		})
	}
}

// released reports whether a version is that of a release.
func released(v string) bool {
	return semver.IsValid(v) && semver.Build(v) == "" && !module.IsPseudoVersion(v) && !strings.HasSuffix(v, develSuffix)
}

// findGoMod returns the go.mod of the module that a folder belongs to, which need not exist yet, and its name for findings.
func findGoMod(dir string) (name string, data []byte) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", nil
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "go.mod")
		if data, err := os.ReadFile(path); err == nil {
			return shortest(path), data
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
	}
}

// shortest returns a path as seen from the working directory, where that is possible.
func shortest(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(wd, path); err == nil {
			path = relative
		}
	}
	return filepath.ToSlash(path)
}
