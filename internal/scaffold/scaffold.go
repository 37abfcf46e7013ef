// Package scaffold makes the files of a new project from templates/init. The chat in examples/ is made of the same
// templates.
package scaffold

import (
	"bytes"
	"go/format"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/templates"
)

// Package is the folder that the code for a project's messages.yaml goes into.
const Package = "chat"

// Project is what the templates are filled with.
type Project struct {
	Module   string // path of the project's module
	Title    string // one line
	Messages string // the protocol's file, relative to the project
	Generate string // command of go:generate
	Go       string // version for go.mod
	Version  string // of wsgen, for go.mod
	Web      bool   // with a page for browsers

	Checkout *Checkout // of wsgen, instead of its Version; nil: none
}

// Files returns the project's files, sorted by path. go.sum is among them when the project uses a checkout.
func Files(p Project) ([]output.File, error) {
	var files []output.File
	err := fs.WalkDir(templates.Init, "init", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(templates.Init, name)
		if err != nil {
			return err
		}
		target := strings.TrimPrefix(name, "init/")
		if strings.HasPrefix(target, "web/") && !p.Web {
			return nil
		}
		if base, ok := strings.CutSuffix(target, ".tmpl"); ok {
			target = base
			if data, err = render(name, data, p); err != nil {
				return err
			}
		}
		if path.Base(target) == "gitignore" {
			target = path.Join(path.Dir(target), ".gitignore")
		}
		if target == "go.mod" && p.Checkout != nil {
			modules, err := p.Checkout.modules(data)
			files = append(files, modules...)
			return err
		}
		files = append(files, output.File{Path: target, Data: data})
		return nil
	})
	slices.SortFunc(files, func(a, b output.File) int { return strings.Compare(a.Path, b.Path) })
	return files, err
}

func render(name string, text []byte, p Project) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".go.tmpl") {
		return format.Source(b.Bytes()) // the place of an import depends on the module's path
	}
	return b.Bytes(), nil
}
