package main

// How the program gets into namespaces: it starts itself there.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/chaos/netns"
)

var errNoNamespaces = errors.New("network namespaces are not allowed here")

// exitNoNamespaces is how the program ends when it cannot make a network where it was started.
const exitNoNamespaces = 3

// spaceOrNot runs what is asked for in namespaces, or among proxies when it was not said that it must be namespaces, and they are not
// allowed.
func spaceOrNot(ctx context.Context, o options) (bool, error) {
	if o.network == proxies {
		return run(ctx, o)
	}
	ok, err := inside(ctx, o)
	if errors.Is(err, errNoNamespaces) && o.network == "" {
		fmt.Printf("%v; faults are made by proxies\n", err)
		o.network = proxies
		return run(ctx, o)
	}
	return ok, err
}

// inside starts this program in namespaces, with the programs that were built and the same seed, and waits for it.
func inside(ctx context.Context, o options) (bool, error) {
	runtime.LockOSThread() // the child ends with the thread
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	var args []string
	flag.Visit(func(f *flag.Flag) { args = append(args, "-"+f.Name+"="+f.Value.String()) })
	args = append(args, "-network="+namespaces, "-built="+o.dir, "-seed="+strconv.FormatUint(o.seed, 10))
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdout, os.Stderr, netns.Attr()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("%w: %w", errNoNamespaces, err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitNoNamespaces:
		return false, errNoNamespaces
	case errors.As(err, &exit):
		return false, nil
	}
	return false, err
}
