package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/format"
	"github.com/wsgen/wsgen/internal/output"
)

type fmtFlags struct {
	check, diff bool
}

// stdinFile is the argument that stands for standard input.
const stdinFile = "-"

func newFmt(s streams) *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:   "fmt [file…]",
		Short: "Format the YAML of protocols",
		Long: `Fmt changes the white space of each file, messages.yaml by default, and names the files that it has written.

Two spaces for each level, one behind a colon and a comma, none inside brackets; one empty line at most. Comments, the order of
keys, quotes and line breaks stay. Of several files, nothing is written unless all are YAML. With - for a file, standard input
is formatted to standard output.`,
		Example: `	wsgen fmt
	wsgen fmt --check              exit 1 and name the files that are not formatted
	wsgen fmt --diff               show what would change`,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(s, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.check, "check", false, "write nothing; exit 1 when files are not formatted")
	flags.BoolVar(&f.diff, "diff", false, "write nothing; print what would change")
	return cmd
}

func (f *fmtFlags) run(s streams, args []string) error {
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	if len(args) > 1 && slices.Contains(args, stdinFile) {
		return usageError{errors.New("- is for standard input alone, and there are other files")}
	}
	var l loader
	changes := f.plan(s, &l, args)
	if err := l.report(s, "text"); err != nil {
		return err
	}
	changed := slices.DeleteFunc(slices.Clone(changes), func(c output.Change) bool { return c.Action == output.Unchanged })
	if f.diff {
		for _, c := range changed {
			fmt.Fprint(s.out, c.Diff())
		}
	}
	switch {
	case f.check:
		return f.reportUnformatted(s, changed)
	case f.diff:
		return nil
	case args[0] == stdinFile:
		_, err := s.out.Write(changes[0].New)
		return err
	}
	return f.write(s, changed)
}

// plan formats all files, each once. What is wrong with them is in l.diags then.
func (f *fmtFlags) plan(s streams, l *loader, args []string) []output.Change {
	var changes []output.Change
	for _, path := range args {
		c := output.Change{Path: filepath.Clean(path), Action: output.Update}
		if slices.ContainsFunc(changes, func(other output.Change) bool { return other.Path == c.Path }) {
			continue
		}
		if formatFile(s, l, &c) {
			changes = append(changes, c)
		}
	}
	return changes
}

// formatFile reads and formats one file.
func formatFile(s streams, l *loader, c *output.Change) bool {
	var err error
	if c.Path == stdinFile {
		c.Path = "stdin"
		c.Old, err = io.ReadAll(s.in)
	} else {
		c.Old, err = os.ReadFile(c.Path)
	}
	name := filepath.ToSlash(c.Path)
	if err != nil {
		l.diags.Add(unreadable(name, err))
		return false
	}
	l.remember(name, c.Old)
	c.New, err = format.Source(name, c.Old)
	var problem *format.Error
	if errors.As(err, &problem) {
		for _, d := range problem.Findings {
			l.diags.Add(d)
		}
	}
	if bytes.Equal(c.Old, c.New) {
		c.Action = output.Unchanged
	}
	return err == nil
}

// reportUnformatted names files that are not as they should be.
func (f *fmtFlags) reportUnformatted(s streams, changed []output.Change) error {
	for _, c := range changed {
		fmt.Fprintf(s.err, "%s is not formatted\n", filepath.ToSlash(c.Path))
	}
	if len(changed) == 0 {
		return nil
	}
	fmt.Fprintln(s.err, "Run wsgen fmt")
	return errFindings
}

func (f *fmtFlags) write(s streams, changed []output.Change) error {
	for i, c := range changed { // a link stays one: what it leads to is written
		path, err := filepath.EvalSymlinks(c.Path)
		if err != nil {
			return err
		}
		changed[i].Path = path
	}
	if err := output.Apply(changed); err != nil {
		return err
	}
	for _, c := range changed {
		fmt.Fprintf(s.out, "%v %s\n", c.Action, filepath.ToSlash(c.Path))
	}
	return nil
}
