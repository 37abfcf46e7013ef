package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/breaking"
	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/output"
)

// lockName is the file beside a protocol that holds what it promised.
const lockName = "wsgen.lock.json"

// exitBreaking is the exit code for changes that break.
const exitBreaking = 100

type breakingFlags struct {
	against, deploy, format string
	categories, except      []string
	all, list               bool
}

func newBreaking(s streams) *cobra.Command {
	var f breakingFlags
	cmd := &cobra.Command{
		Use:   "breaking [file]",
		Short: "Find changes that old clients or servers cannot live with",
		Long: `Breaking compares a protocol with an earlier version: of a git revision, another file, or ` + lockName + `.

What old clients send must be accepted by the new server, and what the new server sends by old clients. With --deploy any-order, new
clients may meet old servers, too. It exits with 100 when a change breaks something, with 1 when it cannot compare.

A change is let pass by a comment on its line or on the line above, which gives a reason:

	# wsgen:allow field-removed-optional nobody sends it

and a rule altogether by breaking: {except: [RULE]} in the file.`,
		Example: `	wsgen breaking --against main
	wsgen breaking --against v1.2.0 --deploy any-order
	wsgen breaking --list`,
		Args: atMostOne,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(s, append(args, defaultFile)[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.against, "against", "", "git revision, file or lock file; default "+lockName+" beside the file")
	flags.StringVar(&f.deploy, "deploy", "servers-first",
		"servers-first: new servers meet old clients; any-order: and the reverse")
	flags.StringSliceVar(&f.categories, "category", []string{"wire", "ops"},
		"wire: bytes, ops: the running system, src: the generated API")
	flags.StringSliceVar(&f.except, "except", nil, "rules that are not applied")
	flags.BoolVar(&f.all, "all", false, "print what is harmless, too")
	flags.BoolVar(&f.list, "list", false, "print the rules")
	flags.StringVar(&f.format, "format", "text", "of findings: text, json or github")
	return cmd
}

func (f *breakingFlags) run(s streams, path string) error {
	if f.list {
		printRules(s)
		return nil
	}
	opts, err := f.options()
	if err != nil {
		return usageError{err}
	}
	var l loader
	api, err := l.load(path)
	if err != nil {
		return err
	}
	if api == nil {
		return l.report(s, f.format)
	}
	old, err := f.old(s, path)
	if err != nil {
		return err
	}
	opts.Except = append(opts.Except, api.BreakingExcept...)
	opts.Label = f.against
	broken := false
	for name, src := range l.sources {
		for _, line := range diag.WithoutReason(src) {
			l.diags.Add(diag.Diagnostic{Pos: diag.Pos{File: name, Line: line, Col: 1}, Rule: "allow-without-reason",
				Message: "the comment lets nothing pass, for it gives no reason",
				Hint:    "write why: # wsgen:allow RULE because …"})
		}
	}
	for _, finding := range breaking.Compare(old, breaking.Of(api), opts) {
		d := finding.Diagnostic()
		if diag.Allowed(l.sources[d.Pos.File], d.Pos.Line, d.Rule) {
			continue
		}
		broken = broken || d.Severity == diag.Error
		l.diags.Add(d)
	}
	if err := l.report(s, f.format); err != nil && !broken {
		return err
	}
	if broken {
		return errBreaking
	}
	return nil
}

func printRules(s streams) {
	fmt.Fprintf(s.out, "%-32s %-5s %-8s %-8s %-9s %s\n", "rule", "about", "client→", "server→", "any order", "purpose")
	for _, r := range breaking.Rules() {
		fmt.Fprintf(s.out, "%-32s %-5s %-8s %-8s %-9s %s\n", r.ID, r.Category, or(string(r.C2S), "-"), or(string(r.S2C), "-"),
			or(r.Any, "-"), r.Purpose)
	}
}

func (f *breakingFlags) options() (breaking.Options, error) {
	opts := breaking.Options{All: f.all, AnyOrder: f.deploy == "any-order", Except: f.except}
	if f.deploy != "any-order" && f.deploy != "servers-first" {
		return opts, fmt.Errorf("--deploy %s: use servers-first or any-order", f.deploy)
	}
	if !slices.Contains(diag.Formats(), f.format) {
		return opts, fmt.Errorf("--format %s: use %s", f.format, strings.Join(diag.Formats(), ", "))
	}
	for _, name := range f.categories {
		category := breaking.Category(strings.ToLower(name))
		if !slices.Contains([]breaking.Category{breaking.Wire, breaking.Ops, breaking.Source}, category) {
			return opts, fmt.Errorf("--category %s: use wire, ops and src", name)
		}
		opts.Categories = append(opts.Categories, category)
	}
	for _, name := range f.except {
		if !slices.ContainsFunc(breaking.Rules(), func(r breaking.Rule) bool { return r.Name() == name }) {
			return opts, fmt.Errorf("--except %s: there is no such rule; wsgen breaking --list prints them", name)
		}
	}
	return opts, nil
}

// old returns the version to compare with.
func (f *breakingFlags) old(s streams, path string) (*breaking.Protocol, error) {
	lock := filepath.Join(filepath.Dir(path), lockName)
	if f.against == "" {
		if _, err := os.Stat(lock); err != nil {
			return nil, fmt.Errorf("there is no %s: name a version with --against main, or write one with wsgen lock",
				filepath.ToSlash(lock))
		}
		f.against = filepath.ToSlash(lock)
	}
	if info, err := os.Stat(f.against); err == nil && info.Mode().IsRegular() {
		if filepath.Ext(f.against) == ".json" {
			data, err := os.ReadFile(f.against)
			if err != nil {
				return nil, err
			}
			return breaking.ReadLock(data)
		}
		return oldFile(s, f.against, os.ReadFile)
	}
	g := gitTree{revision: f.against}
	if err := g.find(path); err != nil {
		return nil, err
	}
	return oldFile(s, path, g.read)
}

// oldFile builds an earlier version, which has to be right.
func oldFile(s streams, path string, read func(string) ([]byte, error)) (*breaking.Protocol, error) {
	var l loader
	api, err := l.loadFrom(path, read)
	if err != nil {
		return nil, err
	}
	if api == nil {
		if err := l.report(s, "text"); err != nil {
			return nil, fmt.Errorf("the version to compare with is not right")
		}
	}
	return breaking.Of(api), nil
}

// gitTree reads files of a revision.
type gitTree struct {
	revision string
	root     string // of the work tree
}

func (g *gitTree) find(path string) error {
	dir := filepath.Dir(path)
	out, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return fmt.Errorf("--against %s is no file, and cannot be a revision: %w", g.revision, err)
	}
	g.root = strings.TrimSpace(string(out))
	if _, err := git(dir, "rev-parse", "--verify", "--quiet", "--end-of-options", g.revision+"^{commit}"); err != nil {
		return fmt.Errorf("--against %s is neither a file nor a revision of git", g.revision)
	}
	return nil
}

func (g *gitTree) read(path string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if abs, err = filepath.EvalSymlinks(filepath.Dir(abs)); err != nil {
		return nil, err
	}
	name, err := filepath.Rel(g.root, filepath.Join(abs, filepath.Base(path)))
	if err != nil {
		return nil, err
	}
	return git(g.root, "show", g.revision+":"+filepath.ToSlash(name))
}

// git runs git, and returns what it prints or says.
func git(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(errOut.String()); text != "" {
			return nil, errors.New(text)
		}
		return nil, err
	}
	return out.Bytes(), nil
}

func newLock(s streams) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "lock [file]",
		Short: "Write down what a protocol promises, for wsgen breaking",
		Long: `Lock writes ` + lockName + ` beside the file: the canonical schema and all else that compatibility depends on. Commit it, and
wsgen breaking needs no git history. wsgen generate --check fails when it is there and out of date.`,
		Args: atMostOne,
		RunE: func(_ *cobra.Command, args []string) error { return writeLock(s, append(args, defaultFile)[0], check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 1 when it is out of date")
	return cmd
}

func writeLock(s streams, path string, check bool) error {
	var l loader
	api, err := l.load(path)
	if err != nil {
		return err
	}
	if err := l.report(s, "text"); err != nil {
		return err
	}
	data, err := breaking.Lock(breaking.Of(api))
	if err != nil {
		return internalError{err}
	}
	target := filepath.Join(filepath.Dir(path), lockName)
	old, err := os.ReadFile(target)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	if check {
		fmt.Fprintf(s.err, "%s is out of date\nRun wsgen lock\n", filepath.ToSlash(target))
		return errFindings
	}
	if err := output.Apply([]output.Change{{Path: target, Old: old, New: data}}); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "write %s\n", filepath.ToSlash(target))
	return nil
}
