package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"

	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/scaffold"
)

type initFlags struct {
	module    string
	run       bool
	addr      string
	unlimited bool
	web       bool
}

func newInit(s streams) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [dir]",
		Short: "Write a new project: a chat that builds at once",
		Long: `Init writes a complete project into a folder, the working directory by default: messages.yaml, the code for it, a server, its
handlers, a test and a web page. It overwrites nothing.

From a checkout of wsgen it adds a replace line to go.mod, so that the project uses that checkout.`,
		Example: `	wsgen init demo --run`,
		Args:    atMostOne,
		RunE:    func(_ *cobra.Command, args []string) error { return f.execute(s, append(args, ".")[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.module, "module", "", "path of the module (default: the folder's name)")
	flags.BoolVar(&f.web, "web", true, "write a page for browsers, too: Vite and the generated client, built already")
	flags.BoolVar(&f.run, "run", false, "build the project and serve it until Ctrl-C")
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "with --run: address to listen on")
	flags.BoolVar(&f.unlimited, "unlimited", false, "with --run: lift rate and admission limits")
	return cmd
}

func (f *initFlags) execute(s streams, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	tool := goTool{dir: dir}
	if tool.path, err = exec.LookPath("go"); err != nil {
		return errors.New("the go command is not on the PATH: install Go from https://go.dev/dl and try again")
	}
	project, err := f.project(ctx, tool)
	if err != nil {
		return err
	}
	if err := writeProject(dir, project); err != nil {
		return err
	}
	gen := generateFlags{format: "text", clean: true, docs: true, ts: true}
	if err := gen.run(streams{s.in, io.Discard, s.err}, []string{filepath.Join(dir, defaultFile)}); err != nil {
		return err
	}
	if err := tidy(ctx, s, tool, project); err != nil {
		return err
	}
	if f.run {
		return f.serve(ctx, s, tool)
	}
	fmt.Fprintf(s.out, "A chat is in %s. Next:\n\n\tcd %s\n\tgo run .\n\nChange messages.yaml, then run go generate ./...\n", dir,
		shellWord(dir))
	return nil
}

// project decides what is filled into the templates.
func (f *initFlags) project(ctx context.Context, tool goTool) (scaffold.Project, error) {
	title := strings.Map(printable, filepath.Base(tool.dir))
	p := scaffold.Project{
		Module: f.module, Title: title, Messages: defaultFile,
		Generate: "go tool wsgen generate " + defaultFile,
		Go:       goVersion(), Version: version(), Web: f.web,
	}
	if p.Module == "" {
		p.Module = strings.Trim(notInModulePath.ReplaceAllString(title, "-"), "-./")
	}
	if err := checkModule(ctx, tool, p.Module); err != nil {
		return p, usageError{fmt.Errorf("%q cannot be the path of a module: %w: name one with --module, such as example.com/chat",
			or(f.module, title), err)}
	}
	if strings.HasSuffix(p.Version, develSuffix) {
		var err error
		p.Version = "v0.0.0"
		if p.Checkout, err = findCheckout(); err != nil {
			return p, err
		}
	}
	return p, nil
}

var notInModulePath = regexp.MustCompile(`[^a-zA-Z0-9._~-]+`)

// printable drops what would break a line.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

// checkModule says why the go command would not take a path of a module.
func checkModule(ctx context.Context, tool goTool, path string) error {
	if path == modulePath {
		return errors.New("it is that of wsgen")
	}
	if err := module.CheckImportPath(path); err != nil {
		var invalid *module.InvalidPathError
		if errors.As(err, &invalid) {
			err = invalid.Err
		}
		return err
	}
	first, _, _ := strings.Cut(path, "/")
	if slices.Contains([]string{"all", "std", "tool", "work"}, first) {
		return errors.New("it is a word of the go command")
	}
	root, err := tool.run(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(strings.TrimSpace(root), "src", first)); err == nil {
		return errors.New("the standard library has that name")
	}
	return nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// goVersion returns the language version of this program's Go, such as 1.26.
func goVersion() string {
	v := strings.TrimPrefix(runtime.Version(), "go")
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 || strings.Trim(parts[0]+parts[1], "0123456789") != "" {
		return "1.26"
	}
	return parts[0] + "." + parts[1]
}

// findCheckout returns the sources that this program was built from: those that the compiler saw, unless they are gone, or
// those around the working directory.
func findCheckout() (*scaffold.Checkout, error) {
	_, file, _, _ := runtime.Caller(0)
	candidates := []string{filepath.Dir(file)}
	if wd, err := os.Getwd(); err == nil {
		candidates = append(candidates, wd)
	}
	for _, dir := range candidates {
		for ; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
			if c, err := scaffold.ReadCheckout(dir); c != nil || err != nil {
				return c, err
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return nil, fmt.Errorf("this wsgen was built from a checkout that is not found any more: run it there, or install a "+
		"version with go install %s/cmd/wsgen@latest", modulePath)
}

// writeProject writes the files, unless one of them is there, or something in the folder of the generated code.
func writeProject(dir string, p scaffold.Project) error {
	files, err := scaffold.Files(p)
	if err != nil {
		return internalError{err}
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	names := []string{"go.sum"}
	changes := make([]output.Change, len(files))
	for i, f := range files {
		names = append(names, f.Path)
		changes[i] = output.Change{Path: filepath.Join(dir, filepath.FromSlash(f.Path)), New: f.Data}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, scaffold.Package)); len(entries) > 0 || err != nil {
		names = append(names, scaffold.Package) // a missing folder is not there below either
	}
	slices.Sort(names)
	var there []string
	for _, name := range slices.Compact(names) {
		switch _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); {
		case err == nil:
			there = append(there, name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s has %s already, and nothing is overwritten: choose an empty folder", dir, strings.Join(there, ", "))
	}
	return output.Apply(changes)
}

// tidyTime is how long go mod tidy may take.
const tidyTime = 2 * time.Minute

// tidy completes go.mod and go.sum. With a checkout they are complete, and only have more than is needed: so it does no harm
// when, without a network, they stay as they are.
func tidy(ctx context.Context, s streams, tool goTool, p scaffold.Project) error {
	limited, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	_, err := tool.run(limited, "mod", "tidy")
	switch {
	case err == nil:
		return nil
	case p.Checkout != nil && ctx.Err() == nil:
		fmt.Fprintln(s.err, "wsgen: go mod tidy could not look everything up, so go.mod has more than is needed; the project "+
			"builds all the same")
		return nil
	}
	return fmt.Errorf("%w\nThe project is written; go mod tidy is still to be run in it", err)
}

// shellWord quotes a path for a shell, where that is needed.
func shellWord(path string) string {
	if regexp.MustCompile(`^[a-zA-Z0-9_./\\:~+@-]+$`).MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
