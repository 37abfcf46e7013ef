// Package cli is the command line. Every command is a file of the same shape: a struct of flags, a constructor that binds
// them, and run.
package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK       = 0
	exitFindings = 1  // the input is wrong, or generated files are out of date
	exitUsage    = 2  // the command line is wrong
	exitInternal = 70 // a fault of ours
)

// errFindings ends a command whose findings have been printed.
var errFindings = errors.New("findings")

// errBreaking ends a comparison that found changes which break something.
var errBreaking = errors.New("breaking changes")

// usageError is a wrong command line.
type usageError struct{ error }

// internalError is a fault of ours.
type internalError struct{ error }

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Run runs a command line, without the program's name, and returns the exit code.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			code = internalFault(stderr, fmt.Sprintf("%v\n%s", p, debug.Stack()))
		}
	}()
	s := streams{stdin, stdout, stderr}
	root := newRoot(s)
	root.SetArgs(args)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	err := root.Execute()
	if err != nil && !began {
		err = usageError{err} // of our own commands and of those that cobra adds
	}
	var usage usageError
	var internal internalError
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errBreaking):
		return exitBreaking
	case errors.As(err, &internal):
		return internalFault(stderr, internal.Error())
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "wsgen: %v\nRun \"wsgen help\" for usage.\n", err)
		return exitUsage
	case errors.As(err, &exit):
		fmt.Fprintf(stderr, "wsgen: %v\n", err)
		return int(exit)
	}
	fmt.Fprintf(stderr, "wsgen: %v\n", err)
	return exitFindings
}

func internalFault(w io.Writer, text string) int {
	fmt.Fprintf(w, "wsgen: internal error: %s\nThis is a fault of wsgen. Please report it, with your file, at "+
		"https://github.com/wsgen/wsgen/issues\n", text)
	return exitInternal
}

// newRoot returns the command that all others hang from.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "wsgen",
		Short: "Typed WebSocket servers and clients from one YAML file",
		Long: `wsgen generates typed Go handlers and clients for the WebSocket messages of a YAML file.

	wsgen init chat --run      a new project, built and served
	wsgen generate             code for messages.yaml
	wsgen generate --check     is the generated code up to date?`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(newInit(s), newGenerate(s), newFmt(s), newShard(s), newSchema(s), newLint(s), newBreaking(s), newLock(s),
		newTop(s), newVersion(s))
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown command or argument %q for %q", args[0], cmd.CommandPath())
	}
	return nil
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%q takes one argument at most", cmd.CommandPath())
	}
	return nil
}
