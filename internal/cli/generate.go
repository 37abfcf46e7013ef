package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/breaking"
	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/editor"
	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/schema"
)

type generateFlags struct {
	check, diff, clean, docs, ts, noFallback bool
	out, format                              string
}

func newGenerate(s streams) *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate [file…]",
		Short: "Write the code of protocols",
		Long: `Generate writes the Go package of each file, messages.yaml by default, its client in TypeScript, and its documentation as
Markdown and HTML.

The package goes into a folder that is named after it, beside the file. go.out in the file, and --out on the command line,
name another one, ts.out one for the TypeScript client, docs.out one for the documentation. Files that do not change are not touched. Files that wsgen did not write are never overwritten. Files of ours
in that folder that are not generated any more are removed, unless --clean=false.

Of several files, nothing is written unless all are right. With --format json, standard output has the findings alone.

In Go code, run it by

	//go:generate go tool wsgen generate messages.yaml`,
		Example: `	wsgen generate
	wsgen generate --check         exit 1 and name the files that are out of date
	wsgen generate --diff          show what would change`,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(s, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.check, "check", false, "write nothing; exit 1 when files are out of date")
	flags.BoolVar(&f.diff, "diff", false, "write nothing; print what would change")
	flags.BoolVar(&f.clean, "clean", true, "remove files of ours that are not generated any more")
	flags.BoolVar(&f.docs, "docs", true, "write the documentation of the protocol, too")
	flags.BoolVar(&f.ts, "ts", true, "write the client in TypeScript, too; ts: none in the file says the same")
	flags.BoolVar(&f.noFallback, "no-fallback", false,
		"refuse what only a JSON Schema library can check, so that generated code imports none")
	flags.StringVar(&f.out, "out", "", "folder of the package")
	flags.StringVar(&f.format, "format", "text", "of findings: text, json or github")
	return cmd
}

func (f *generateFlags) run(s streams, args []string) error {
	if !slices.Contains(diag.Formats(), f.format) {
		return usageError{fmt.Errorf("--format %s: use %s", f.format, strings.Join(diag.Formats(), ", "))}
	}
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	if f.out != "" && len(args) > 1 {
		return usageError{fmt.Errorf("--out is for one file, and there are %d", len(args))}
	}
	var l loader
	targets, err := f.load(&l, args)
	if err != nil {
		return err
	}
	if l.diags.HasErrors() {
		return l.report(s, f.format)
	}
	changes, err := f.plan(targets)
	if err != nil {
		return err
	}
	for _, t := range targets {
		l.checkVersion(t.dir, version())
	}
	if f.check {
		for _, t := range targets {
			if err := t.checkLock(&l); err != nil {
				return err
			}
		}
		return f.reportStale(s, &l, changes)
	}
	if err := l.report(s, f.format); err != nil {
		return err
	}
	return f.write(s, changes)
}

// target is a package to write.
type target struct {
	path          string
	dir, docs, ts string // folders
	api           *model.API
	types         []string // names that the file may use
	modeline      bool     // the file tells editors of their schema
}

// load reads all files, so that the findings of all are seen at once.
func (f *generateFlags) load(l *loader, args []string) ([]target, error) {
	var targets []target
	for _, path := range args {
		api, err := l.load(path)
		if err != nil {
			return nil, err
		}
		if api == nil {
			continue
		}
		f.noteFallbacks(l, api)
		t := target{path: filepath.Clean(path), dir: f.folder(path, api), api: api, types: typeNames(l.file),
			modeline: bytes.Contains(l.sources[filepath.ToSlash(path)], []byte(editor.Modeline))}
		t.docs, t.ts = f.beside(t, api.DocsOut), f.beside(t, api.TSOut)
		i := slices.IndexFunc(targets, func(other target) bool { return other.dir == t.dir })
		switch {
		case i < 0:
			targets = append(targets, t)
		case targets[i].path != t.path:
			l.diags.Add(diag.Diagnostic{Pos: diag.Pos{File: filepath.ToSlash(path)}, Rule: "same-folder",
				Message: fmt.Sprintf("%s and %s both write to %s", filepath.ToSlash(targets[i].path), filepath.ToSlash(t.path),
					filepath.ToSlash(t.dir)),
				Hint: "give one of them another package: go: {package: NAME}"})
		}
	}
	return targets, nil
}

// beside returns the folder that the file names for something that belongs to the package; without one, that of the package.
func (f *generateFlags) beside(t target, folder string) string {
	if folder == "" || f.out != "" {
		return t.dir
	}
	return filepath.Join(filepath.Dir(t.path), filepath.FromSlash(folder))
}

// noteFallbacks tells which lines make the generated code import a JSON Schema library, or refuses them.
func (f *generateFlags) noteFallbacks(l *loader, api *model.API) {
	for _, c := range model.Checks(api) {
		if c.Fallback == "" {
			continue
		}
		d := diag.Diagnostic{Pos: c.Pos, Severity: diag.Info, Rule: "fallback",
			Message: c.Fallback + " is left to a JSON Schema library, which the generated package imports"}
		if f.noFallback {
			d.Severity, d.Message, d.Hint = diag.Error, c.Fallback+" can only be checked by a JSON Schema library",
				"say it in another way, or allow the library: leave --no-fallback away"
		}
		l.diags.Add(d)
	}
}

// plan generates all packages before anything is compared, and compares all before anything is written.
func (f *generateFlags) plan(targets []target) ([]output.Change, error) {
	folders := make(map[string][]output.File)
	for _, t := range targets {
		for _, part := range []struct {
			wanted   bool
			dir      string
			generate func(*model.API) ([]output.File, error)
		}{{true, t.dir, gen.Go}, {f.ts, t.ts, gen.TypeScript}, {f.docs, t.docs, gen.Docs}} {
			if !part.wanted {
				continue
			}
			files, err := part.generate(t.api)
			if err != nil {
				return nil, internalError{err}
			}
			folders[part.dir] = append(folders[part.dir], files...)
		}
		if err := t.editorSchema(folders); err != nil {
			return nil, err
		}
	}
	var changes []output.Change
	var problems []error
	for dir, files := range folders {
		c, err := output.Plan(dir, files)
		problems = append(problems, err)
		changes = append(changes, c...)
	}
	if !f.clean {
		changes = slices.DeleteFunc(changes, func(c output.Change) bool { return c.Action == output.Remove })
	}
	slices.SortFunc(changes, func(a, b output.Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, errors.Join(problems...)
}

// checkLock reports a lock file that is there and out of date.
func (t target) checkLock(l *loader) error {
	path := filepath.Join(filepath.Dir(t.path), lockName)
	old, err := os.ReadFile(path)
	if err != nil {
		return nil // without one there is nothing to keep
	}
	data, err := breaking.Lock(breaking.Of(t.api))
	if err != nil {
		return internalError{err}
	}
	if !bytes.Equal(old, data) {
		l.diags.Add(diag.Diagnostic{Pos: diag.Pos{File: filepath.ToSlash(path)}, Rule: "out-of-date",
			Message: "the lock file is out of date", Hint: "run wsgen lock, once wsgen breaking is content"})
	}
	return nil
}

// editorSchema adds the schema for editors, where the file asks for it or there is one: with the names of its types.
func (t target) editorSchema(folders map[string][]output.File) error {
	path := filepath.Join(filepath.Dir(t.path), filepath.FromSlash(editor.Path))
	if _, err := os.Stat(path); err != nil && !t.modeline {
		return nil
	}
	data, err := editor.Schema(t.types)
	if err != nil {
		return internalError{err}
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	folders[dir] = append(folders[dir], output.File{Path: name, Data: data})
	return nil
}

// typeNames returns what a file may call types: its own, and those of its imports.
func typeNames(f *schema.File) []string {
	var out []string
	for _, t := range f.Types {
		out = append(out, t.Name.Value)
	}
	for _, i := range f.Imports {
		if i.File == nil {
			continue
		}
		for _, t := range i.File.Types {
			out = append(out, i.Alias.Value+"."+t.Name.Value)
		}
	}
	return out
}

// write carries changes out, or only shows them, and reports each.
func (f *generateFlags) write(s streams, changes []output.Change) error {
	w := f.notes(s)
	if f.diff {
		for _, c := range changes {
			fmt.Fprint(w, c.Diff())
		}
		return nil
	}
	if err := output.Apply(changes); err != nil {
		return err
	}
	for _, c := range changes {
		if c.Action != output.Unchanged {
			fmt.Fprintf(w, "%v %s\n", c.Action, filepath.ToSlash(c.Path))
		}
	}
	return nil
}

// notes returns where everything but findings goes: JSON has standard output for itself.
func (f *generateFlags) notes(s streams) io.Writer {
	if f.format == "json" {
		return s.err
	}
	return s.out
}

// folder returns where the package of a file goes.
func (f *generateFlags) folder(path string, api *model.API) string {
	switch {
	case f.out != "":
		return filepath.Clean(f.out)
	case api.GoOut != "":
		return filepath.Join(filepath.Dir(path), filepath.FromSlash(api.GoOut))
	}
	return filepath.Join(filepath.Dir(path), api.GoPackage)
}

// reportStale shows how the disk differs from what would be generated. For programs, each file that does is a finding.
func (f *generateFlags) reportStale(s streams, l *loader, changes []output.Change) error {
	changes = slices.DeleteFunc(changes, func(c output.Change) bool { return c.Action == output.Unchanged })
	for _, c := range changes {
		fmt.Fprint(f.notes(s), c.Diff())
		if f.format != "text" {
			l.diags.Add(diag.Diagnostic{Pos: diag.Pos{File: filepath.ToSlash(c.Path)}, Rule: "out-of-date",
				Message: "the file is out of date", Hint: "run wsgen generate, or go generate ./..."})
		}
	}
	if err := l.report(s, f.format); err != nil || len(changes) == 0 {
		return err
	}
	for _, c := range changes {
		fmt.Fprintf(s.err, "%s is out of date\n", filepath.ToSlash(c.Path))
	}
	fmt.Fprintln(s.err, "Run wsgen generate, or go generate ./...")
	return errFindings
}
