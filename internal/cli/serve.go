package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// goTool is the go command in the folder of a project.
type goTool struct{ path, dir string }

// run runs the command and returns its standard output. It ends with ctx.
func (g goTool) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, g.path, args...)
	if info, err := os.Stat(g.dir); err == nil && info.IsDir() {
		cmd.Dir = g.dir
	}
	cmd.WaitDelay = time.Second // for what it started itself
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("go %s in %s: interrupted", strings.Join(args, " "), g.dir)
	case err != nil:
		return "", fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), g.dir, err, bytes.TrimSpace(errOut.Bytes()))
	}
	return out.String(), nil
}

// exitError ends this program with the exit code of the server.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("the server ended with exit code %d", int(e)) }

// goingDown is how long the server may take to end once it is told to; it gives itself less.
const goingDown = 20 * time.Second

// serve builds the project and runs it until it ends by itself, or until ctx ends, which asks it to go down.
func (f *initFlags) serve(ctx context.Context, s streams, tool goTool) error {
	folder, err := os.MkdirTemp("", "wsgen-run-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "server")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if _, err := tool.run(ctx, "build", "-o", binary, "."); err != nil {
		return err
	}
	args := []string{"--addr", f.addr}
	if f.unlimited {
		args = append(args, "--unlimited")
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = tool.dir, s.out, s.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = goingDown
	runtime.LockOSThread() // the child is tied to the thread that starts it
	defer runtime.UnlockOSThread()
	ownGroup(cmd)
	err = cmd.Run()
	switch {
	case cmd.ProcessState == nil:
		return err // it did not start
	case cmd.ProcessState.Success():
		return nil
	case cmd.ProcessState.ExitCode() > 0:
		return exitError(cmd.ProcessState.ExitCode())
	}
	return errors.New("the server ended by a signal: " + cmd.ProcessState.String())
}
