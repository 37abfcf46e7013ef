package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// A child is a node that this process has started.
type child struct {
	name    string
	cmd     *exec.Cmd
	in      io.Closer // it ends when this is closed
	serving chan struct{}
	drained chan struct{} // closed when it is out of service, or has ended
	ended   chan struct{}
	err     error // after ended
}

// runNodes starts the nodes, each a process of its own, and stays with them until the last one has ended.
func (c *config) runNodes(ctx context.Context) error {
	plan, end, err := c.plan(ctx)
	if err != nil {
		return err
	}
	defer end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var children []*child
	var watched sync.WaitGroup
	for i, args := range plan {
		ch, err := startChild("n"+strconv.Itoa(i+1), args)
		if err != nil {
			stop(err)
			break
		}
		children = append(children, ch)
		watched.Go(func() { ch.watch(stop) })
	}
	select {
	case <-ctx.Done():
	case <-all(children, func(ch *child) <-chan struct{} { return ch.ended }):
	}
	c.endAll(children)
	watched.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watch waits for the end of a child. One that ends before it serves ends them all: something is wrong with how they were
// started. Of one that ends later the others take over.
func (ch *child) watch(stop context.CancelCauseFunc) {
	<-ch.ended
	select {
	case <-ch.serving:
		fmt.Printf("%s | has ended: %v\n", ch.name, ch.cmd.ProcessState)
	default:
		stop(fmt.Errorf("%s does not start: %w", ch.name, ch.err))
	}
}

// endAll takes the nodes out of service, and then lets them end: until the last one is out of service, NATS servers in the nodes
// are needed to save rooms.
func (c *config) endAll(children []*child) {
	for _, ch := range children {
		_ = ch.cmd.Process.Signal(syscall.SIGTERM) // one that has ended needs no signal
	}
	patience := time.NewTimer(c.drain + 5*time.Second)
	defer patience.Stop()
	select {
	case <-all(children, func(ch *child) <-chan struct{} { return ch.drained }):
	case <-patience.C:
	}
	for _, ch := range children {
		_ = ch.in.Close()
	}
	patience.Reset(10 * time.Second)
	select {
	case <-all(children, func(ch *child) <-chan struct{} { return ch.ended }):
	case <-patience.C:
		for _, ch := range children {
			_ = ch.cmd.Process.Kill()
		}
	}
}

// all is closed when a channel of each child is.
func all(children []*child, which func(*child) <-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, ch := range children {
			<-which(ch)
		}
	}()
	return done
}

// plan returns the command line of each node, and starts the NATS server that all of them use, if there is one; end stops it.
func (c *config) plan(ctx context.Context) (plan [][]string, end func(), err error) {
	url, own := c.cluster, [][]string(nil)
	end = func() {}
	switch c.cluster {
	case embed1:
		server, err := embed.Start(ctx, embed.Options{Dir: filepath.Join(c.data, "nats"), Listen: "127.0.0.1:0"})
		if err != nil {
			return nil, nil, err
		}
		url, end = server.URL(), server.Close
	case embed3:
		if url, own, err = threeServers(); err != nil {
			return nil, nil, err
		}
	}
	for i := range c.nodes {
		args, err := c.nodeArgs(i)
		if err != nil {
			end()
			return nil, nil, err
		}
		if i < len(own) {
			args = append(args, own[i]...)
		} else {
			args = append(args, "-cluster", url)
		}
		plan = append(plan, args)
	}
	return plan, end, nil
}

// threeServers finds addresses for three NATS servers. It returns the URLs of all and the flags of the node of each.
func threeServers() (urls string, flags [][]string, err error) {
	addrs, err := freeAddresses(6)
	if err != nil {
		return "", nil, err
	}
	clients, routes := addrs[:3], addrs[3:]
	for i := range clients {
		flags = append(flags, []string{
			"-cluster", embed3, "-listen-nats", clients[i], "-listen-routes", routes[i], "-routes", strings.Join(routes, ","),
		})
	}
	return "nats://" + strings.Join(clients, ",nats://"), flags, nil
}

// nodeArgs are the flags that every node gets.
func (c *config) nodeArgs(i int) ([]string, error) {
	name := "n" + strconv.Itoa(i+1)
	args := []string{"-supervised", "-node", name, "-data", filepath.Join(c.data, name), "-namespace", c.namespace,
		"-secret", c.secret, "-zone", c.zone,
		"-renew", c.renew.String(), "-drain", c.drain.String(), "-unlimited=" + strconv.FormatBool(c.unlimited)}
	for _, f := range []struct{ name, addr string }{{"-addr", c.addr}, {"-debug", c.debug}} {
		if f.addr == "" {
			continue
		}
		addr, err := portAfter(f.addr, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		args = append(args, f.name, addr)
	}
	return args, nil
}

// startChild starts a node, and shows what it prints behind its name.
func startChild(name string, args []string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ch := &child{name: name, cmd: exec.Command(program, args...), serving: make(chan struct{}), drained: make(chan struct{}),
		ended: make(chan struct{})}
	ownGroup(ch.cmd)
	if ch.in, err = ch.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, w := io.Pipe()
	ch.cmd.Stdout, ch.cmd.Stderr = w, w
	if err := ch.cmd.Start(); err != nil {
		return nil, err
	}
	fmt.Printf("%s | process %d\n", name, ch.cmd.Process.Pid)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		ch.show(out)
	}()
	go func() {
		ch.err = ch.cmd.Wait()
		_ = w.Close()
		<-shown
		close(ch.ended)
	}()
	return ch, nil
}

// show prints the lines of a node, and notes those that say how far it is.
func (ch *child) show(out io.Reader) {
	defer close(ch.drained)
	served := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		if line == drained {
			break
		}
		if !served && strings.HasPrefix(line, serving) {
			served = true
			close(ch.serving)
		}
		fmt.Printf("%s | %s\n", ch.name, line)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // what NATS says of servers that end
}

// freeAddresses returns addresses of this host that nobody listens on.
func freeAddresses(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// splitList returns the parts of a list with commas.
func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
