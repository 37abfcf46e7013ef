package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/output"
)

type generateFlags struct {
	check, diff, clean bool
	out, format        string
}

func newGenerate(s streams) *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate [file…]",
		Short: "Write the code of protocols",
		Long: `Generate writes the Go package of each file, messages.yaml by default.

The package goes into a folder that is named after it, beside the file. go.out in the file, and --out on the command line,
name another one. Files that do not change are not touched. Files that wsgen did not write are never overwritten.

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
	changes, err := f.plan(s, args)
	if err != nil {
		return err
	}
	switch {
	case f.check:
		return f.reportStale(s, changes)
	case f.diff:
		for _, c := range changes {
			fmt.Fprint(s.out, c.Diff())
		}
		return nil
	}
	if err := output.Apply(changes); err != nil {
		return err
	}
	for _, c := range changes {
		if c.Action != output.Unchanged {
			fmt.Fprintf(s.out, "%v %s\n", c.Action, filepath.ToSlash(c.Path))
		}
	}
	return nil
}

// plan reads all files before it generates any, and generates all before anything is compared.
func (f *generateFlags) plan(s streams, args []string) ([]output.Change, error) {
	var l loader
	apis := make(map[string]*model.API)
	folders := make(map[string]string)
	for _, path := range args {
		api, err := l.load(path)
		if err != nil {
			return nil, err
		}
		if api == nil {
			continue
		}
		dir := f.folder(path, api)
		if other, taken := folders[dir]; taken && other != path {
			return nil, fmt.Errorf("%s and %s both write to %s: give one of them another package", other, path, dir)
		}
		folders[dir], apis[dir] = path, api
	}
	if err := l.report(s, f.format); err != nil {
		return nil, err
	}
	var changes []output.Change
	for dir, api := range apis {
		files, err := gen.Generate(api)
		if err != nil {
			return nil, internalError{err}
		}
		c, err := output.Plan(dir, files)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c...)
	}
	if !f.clean {
		changes = slices.DeleteFunc(changes, func(c output.Change) bool { return c.Action == output.Remove })
	}
	slices.SortFunc(changes, func(a, b output.Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
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

func (f *generateFlags) reportStale(s streams, changes []output.Change) error {
	stale := 0
	for _, c := range changes {
		if c.Action == output.Unchanged {
			continue
		}
		stale++
		fmt.Fprint(s.out, c.Diff())
	}
	if stale == 0 {
		return nil
	}
	for _, c := range changes {
		if c.Action != output.Unchanged {
			fmt.Fprintf(s.err, "%s is out of date\n", filepath.ToSlash(c.Path))
		}
	}
	fmt.Fprintln(s.err, "Run wsgen generate, or go generate ./...")
	return errFindings
}
