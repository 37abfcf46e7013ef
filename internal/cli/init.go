package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsgen/wsgen/internal/output"
	"github.com/wsgen/wsgen/internal/scaffold"
)

type initFlags struct {
	module    string
	run       bool
	addr      string
	unlimited bool
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
	flags.BoolVar(&f.run, "run", false, "build the project and serve it until Ctrl-C")
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "with --run: address to listen on")
	flags.BoolVar(&f.unlimited, "unlimited", false, "with --run: lift rate and admission limits")
	return cmd
}

func (f *initFlags) execute(s streams, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("the go command is not on the PATH: install Go from https://go.dev/dl and try again")
	}
	project, err := f.project(dir)
	if err != nil {
		return err
	}
	if err := writeProject(dir, project); err != nil {
		return err
	}
	gen := generateFlags{format: "text", clean: true}
	if err := gen.run(streams{s.in, discard{}, s.err}, []string{filepath.Join(dir, defaultFile)}); err != nil {
		return err
	}
	if err := tidy(goTool, dir, project); err != nil {
		return err
	}
	if f.run {
		return f.serve(s, goTool, dir)
	}
	fmt.Fprintf(s.out, "A chat is in %s. Next:\n\n\tcd %s\n\tgo run .\n\nChange messages.yaml, then run go generate ./...\n", dir, dir)
	return nil
}

// discard drops what generate reports: all files are new.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

var notInModulePath = regexp.MustCompile(`[^a-zA-Z0-9._~/-]+`)

// project decides what is filled into the templates.
func (f *initFlags) project(dir string) (scaffold.Project, error) {
	p := scaffold.Project{
		Module: f.module, Title: filepath.Base(dir), Messages: defaultFile,
		Generate: "go tool wsgen generate " + defaultFile,
		Go:       goVersion(), Version: version(),
	}
	if p.Module == "" {
		p.Module = strings.Trim(notInModulePath.ReplaceAllString(filepath.Base(dir), "-"), "-./")
	}
	if p.Module == "" || p.Module == modulePath || notInModulePath.MatchString(p.Module) {
		return p, usageError{fmt.Errorf("%q cannot be the path of a module: name one with --module", or(f.module, filepath.Base(dir)))}
	}
	if strings.HasSuffix(p.Version, develSuffix) {
		checkout, err := findCheckout()
		if err != nil {
			return p, err
		}
		p.Version, p.Replace = "v0.0.0", checkout
	}
	return p, nil
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

// findCheckout returns the folder of the sources that this program was built from.
func findCheckout() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	candidates := []string{filepath.Dir(file)}
	if wd, err := os.Getwd(); err == nil {
		candidates = append(candidates, wd)
	}
	for _, dir := range candidates {
		for ; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
			data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && strings.HasPrefix(string(data), "module "+modulePath+"\n") {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("this wsgen was built from a checkout that is not found any more: run it there, or install a version with go install %s/cmd/wsgen@latest", modulePath)
}

// writeProject writes the files, unless one of them is there.
func writeProject(dir string, p scaffold.Project) error {
	files, err := scaffold.Files(p)
	if err != nil {
		return internalError{err}
	}
	var there []string
	for _, f := range files {
		switch _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path))); {
		case err == nil:
			there = append(there, f.Path)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s has %s already, and nothing is overwritten: choose an empty folder", dir, strings.Join(there, ", "))
	}
	changes := make([]output.Change, len(files))
	for i, f := range files {
		changes[i] = output.Change{Path: filepath.Join(dir, filepath.FromSlash(f.Path)), New: f.Data}
	}
	return output.Apply(changes)
}

// tidy completes go.mod and go.sum. From a checkout its sums are taken over, so that nothing has to be looked up.
func tidy(goTool, dir string, p scaffold.Project) error {
	if p.Replace != "" {
		sums, err := os.ReadFile(filepath.Join(p.Replace, "go.sum"))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666); err != nil {
			return err
		}
	}
	cmd := exec.Command(goTool, "mod", "tidy")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go mod tidy in %s: %w\n%s", dir, err, out)
	}
	return nil
}
