package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/lint"
)

type lintFlags struct {
	list   bool
	format string
}

func newLint(s streams) *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint [file…]",
		Short: "Find what is allowed, and probably not meant",
		Long: `Lint reports errors, warnings and notes. It exits with 1 when there are errors or warnings.

A finding is let pass by a comment on its line or on the line above, which gives a reason:

	# wsgen:allow unrouted lobby messages are for everybody

and a rule altogether by lint: {except: [RULE]} in the file.`,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(s, args) },
	}
	cmd.Flags().BoolVar(&f.list, "list", false, "print the rules")
	cmd.Flags().StringVar(&f.format, "format", "text", "of findings: text, json or github")
	return cmd
}

func (f *lintFlags) run(s streams, args []string) error {
	if f.list {
		for _, r := range lint.Rules() {
			fmt.Fprintf(s.out, "%-24s %-8v %s\n", r.ID, r.Severity, r.Purpose)
		}
		return nil
	}
	if !slices.Contains(diag.Formats(), f.format) {
		return usageError{fmt.Errorf("--format %s: use %s", f.format, strings.Join(diag.Formats(), ", "))}
	}
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	var l loader
	warned := false
	for _, path := range args {
		api, err := l.load(path)
		if err != nil {
			return err
		}
		if api == nil {
			continue
		}
		for _, d := range lint.Run(api, l.file, func(file string) []byte { return l.sources[file] }) {
			l.diags.Add(d)
			warned = warned || d.Severity == diag.Warning
		}
	}
	if err := l.report(s, f.format); err != nil {
		return err
	}
	if warned {
		return errFindings
	}
	return nil
}
