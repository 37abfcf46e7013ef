//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// asProgram makes a process of the tests behave as the program.
const asProgram = "CHAT_CLUSTER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience is how long anything may take on a machine that is busy.
const patience = 90 * time.Second

// TestThreeNodes starts three nodes as the documents say, has a room with somebody on each of them, and ends the node that runs
// the room: the others go on talking, over the connections that they have.
func TestThreeNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, test := range []struct {
		name, renew string
		mode        func(t *testing.T) string
		end         syscall.Signal
	}{
		// A lease outlasts the seconds in which NATS servers choose a new leader, as the node that is killed may have it.
		{"embed3 and a node is killed", "1500ms", func(*testing.T) string { return "embed3" }, syscall.SIGKILL},
		{"embed and a node is stopped", "500ms", func(*testing.T) string { return "embed" }, syscall.SIGTERM},
		{"servers of their own", "500ms", startServer, syscall.SIGTERM},
	} {
		t.Run(test.name, func(t *testing.T) {
			nodes := launch(t, "-cluster", test.mode(t), "-addr", "127.0.0.1:0", "-debug", "127.0.0.1:0", "-renew", test.renew,
				"-data", t.TempDir())
			people := make(map[string]*person)
			for name, n := range nodes.serving {
				people[name] = enter(t, n.addr, name)
			}
			people["n1"].say("all are here")
			for _, p := range people {
				p.hear("all are here")
			}
			owner := nodes.owner(t, people["n1"])
			t.Logf("%s runs the room", owner)
			_ = people[owner].Close()
			delete(people, owner)
			if err := syscall.Kill(nodes.serving[owner].pid, test.end); err != nil {
				t.Fatal(err)
			}
			for name, p := range people {
				p.sayUntil("still here, says "+name, people)
			}
			for name, p := range people {
				if p.lost.Load() {
					t.Errorf("%s has lost the connection to another node", name)
				}
			}
			nodes.stop(t)
		})
	}
}

// startServer starts a NATS server that asks for a password, and returns its URL.
func startServer(t *testing.T) string {
	t.Setenv("NATS_USER", "chat")
	t.Setenv("NATS_PASSWORD", "secret")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := embed.Start(ctx, embed.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Configure: func(o *server.Options) {
		o.Username, o.Password = "chat", "secret"
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.URL()
}

// TestSingle serves without NATS.
func TestSingle(t *testing.T) {
	nodes := launch(t, "-cluster", "single", "-addr", "127.0.0.1:0", "-data", t.TempDir())
	p := enter(t, nodes.serving[""].addr, "ann")
	p.say("hello")
	p.hear("hello")
	_ = p.Close()
	nodes.stop(t)
}

// TestOneNodeWithItsServer is a node by itself with NATS inside.
func TestOneNodeWithItsServer(t *testing.T) {
	nodes := launch(t, "-node", "a", "-cluster", "embed", "-addr", "127.0.0.1:0", "-data", t.TempDir())
	p := enter(t, nodes.serving[""].addr, "ann")
	p.say("hello")
	p.hear("hello")
	_ = p.Close()
	nodes.stop(t)
}

// TestNodesThatCannotStart ends all of them, and says why.
func TestNodesThatCannotStart(t *testing.T) {
	for args, want := range map[string]string{
		"-cluster embed -addr 256.0.0.1:0":    "does not start",
		"-cluster 127.0.0.1:4222":             "use single, embed, embed3, or a URL",
		"-cluster embed3 -nodes 2":            "needs three nodes",
		"-cluster embed3 -node a":             "needs -listen-routes and -routes",
		"-cluster embed -addr 127.0.0.1:http": "the port must be a number",
		"serve":                               "there are flags only",
	} {
		cmd := program(t, append(strings.Fields(args), "-data", t.TempDir())...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, and no %q in\n%s", args, err, want, out)
		}
	}
}

// program returns the program as a command that has not been started.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// running is the program with its nodes, by name; "" is a node that was not started by another process.
type running struct {
	cmd     *exec.Cmd
	serving map[string]*node
	read    chan struct{} // closed when the output has ended
}

type node struct {
	pid         int
	addr, debug string
}

var (
	prefixed  = regexp.MustCompile(`^(?:(n\d+) \| )?(.*)$`)
	processID = regexp.MustCompile(`^process (\d+)$`)
	debugURL  = regexp.MustCompile(`operators: (http://\S+)$`)
)

// launch starts the program and waits until all of its nodes serve.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{cmd: program(t, args...), serving: make(map[string]*node), read: make(chan struct{})}
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	want := 3
	if strings.Contains(strings.Join(args, " "), "single") || args[0] == "-node" {
		want = 1
	}
	lines := bufio.NewScanner(out)
	for served := 0; served < want && lines.Scan(); {
		if r.note(lines.Text()) {
			served++
		}
	}
	go func() {
		defer close(r.read)
		for lines.Scan() {
			t.Log(lines.Text())
		}
	}()
	if len(r.serving) < want {
		t.Fatal("the program has ended")
	}
	return r
}

// note reads a line, and reports whether it says that a node serves.
func (r *running) note(line string) bool {
	m := prefixed.FindStringSubmatch(line)
	n := r.serving[m[1]]
	if n == nil {
		n = &node{}
		r.serving[m[1]] = n
	}
	if pid := processID.FindStringSubmatch(m[2]); pid != nil {
		n.pid, _ = strconv.Atoi(pid[1])
	}
	if url := debugURL.FindStringSubmatch(m[2]); url != nil {
		n.debug = url[1]
	}
	addr, ok := strings.CutPrefix(m[2], serving)
	if ok {
		n.addr = addr
	}
	return ok
}

// owner returns the node that runs somebody's room.
func (r *running) owner(t *testing.T, p *person) string {
	t.Helper()
	history, err := p.history()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(r.serving["n1"].debug)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state wsrt.Debug
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	return state.Cluster.Slots[history.Shard].Owner
}

// stop ends the program as Ctrl-C does.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-r.read
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// person is a client in the room.
type person struct {
	*chat.Client
	t     *testing.T
	ctx   context.Context
	heard chan string
	gaps  chan client.Gap // what the room cannot send any more, after a crash
	lost  atomic.Bool     // the connection, at some time
}

func enter(t *testing.T, addr, user string) *person {
	t.Helper()
	p := &person{t: t, heard: make(chan string, 1000), gaps: make(chan client.Gap, 100)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p.ctx = ctx
	c, err := chat.Dial(ctx, "ws://"+addr+"/ws", chat.Events{
		RoomUpdate: func(_ context.Context, m *chat.RoomUpdate) { p.heard <- m.Text },
	}, client.WithToken(user), client.WithOnState(func(s client.State, _ error) {
		if s == client.Reconnecting {
			p.lost.Store(true)
		}
	}), client.WithOnGap(func(g client.Gap) { p.gaps <- g }), client.WithOnError(func(err error) { t.Logf("%s: %v", user, err) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	p.Client = c
	for p.in() != nil && ctx.Err() == nil { // the nodes may still be dealing the rooms out
		if err := c.JoinRoom(ctx, &chat.JoinRoom{RoomID: "tea"}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// in returns an error unless the room has them as a member.
func (p *person) in() error {
	_, err := p.history()
	return err
}

func (p *person) history() (*chat.GetHistoryResponse, error) {
	return p.GetHistory(p.ctx, &chat.GetHistoryRequest{RoomID: "tea", Limit: 100}, nil)
}

func (p *person) say(text string) {
	p.t.Helper()
	if err := p.RoomMessage(p.ctx, &chat.RoomMessage{Text: text, Key: &text}); err != nil {
		p.t.Fatal(err)
	}
}

// hear waits for a text. Whoever is told of a gap reads what was said meanwhile.
func (p *person) hear(text string) {
	p.t.Helper()
	p.sayUntilHeard(text, nil)
}

// sayUntil says a text again and again until it is heard: it has a key, so that the room says it once. Meanwhile the room may
// have no node, which the sender is told.
func (p *person) sayUntil(text string, people map[string]*person) {
	p.t.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	p.say(text)
	p.sayUntilHeard(text, again.C)
	for _, other := range people {
		if other != p {
			other.hear(text)
		}
	}
}

// sayUntilHeard waits for a text, and says it at each tick.
func (p *person) sayUntilHeard(text string, again <-chan time.Time) {
	p.t.Helper()
	for heard := ""; heard != text; {
		select {
		case heard = <-p.heard:
		case <-p.gaps:
			if p.wasSaid(text) {
				return
			}
		case <-again:
			p.say(text)
		case <-p.ctx.Done():
			p.t.Fatalf("%q is not heard", text)
		}
	}
}

// wasSaid reports whether the room remembers a text.
func (p *person) wasSaid(text string) bool {
	history, err := p.history()
	return err == nil && slices.ContainsFunc(history.Messages, func(m chat.ChatMessage) bool { return m.Text == text })
}
