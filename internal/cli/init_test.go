package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// command runs a program in a folder.
func command(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := command(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// snapshot returns the content of all files below a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestInit does with a new project what its first user does.
func TestInit(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a project")
	}
	dir := filepath.Join(t.TempDir(), "my chat")
	if r := run(t, "", "init", dir); r.code != 0 || !strings.Contains(r.out, "go run .") || r.errOut != "" {
		t.Fatalf("init: %+v", r)
	}
	before := snapshot(t, dir)
	must(t, dir, "go", "generate", "./...")
	for path, text := range snapshot(t, dir) {
		if before[path] != text {
			t.Errorf("go generate changes %s", path)
		}
	}
	must(t, dir, "go", "mod", "tidy", "-diff")
	must(t, dir, "go", "vet", "./...")
	must(t, dir, "go", "test", "./...")
	if out := must(t, dir, "gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}

	messages := filepath.Join(dir, "messages.yaml")
	edited := strings.Replace(before[messages], "{text: string(1..2000), ", "{text: string(1..4000), ", 1)
	if err := os.WriteFile(messages, []byte(edited), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, dir, "go", "tool", "wsgen", "generate", "--check"); err == nil || !strings.Contains(out,
		"chat/codec.gen.go is out of date") {
		t.Errorf("check after an edit: %v\n%s", err, out)
	}
	must(t, dir, "go", "tool", "wsgen", "generate")
	must(t, dir, "go", "tool", "wsgen", "generate", "--check")

	after := snapshot(t, dir)
	if r := run(t, "", "init", dir); r.code != 1 || !strings.Contains(r.errOut,
		"web/web_test.go already, and nothing is overwritten") {
		t.Errorf("init over a project: %+v", r)
	}
	for path, text := range snapshot(t, dir) {
		if after[path] != text {
			t.Errorf("the second init changes %s", path)
		}
	}
}

// TestInitWithoutAPage makes a project that no browser is to see.
func TestInitWithoutAPage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a project")
	}
	dir := filepath.Join(t.TempDir(), "bare")
	if r := run(t, "", "init", "--web=false", dir); r.code != 0 {
		t.Fatalf("init: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "web")); err == nil {
		t.Error("there is a page")
	}
	must(t, dir, "go", "vet", "./...")
	if out := must(t, dir, "gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}
}

// TestInitRefuses checks that nothing is written when something is wrong.
func TestInitRefuses(t *testing.T) {
	for _, test := range []struct {
		name, there string // a file that is there
		args        []string
		code        int
		want        string
	}{
		{"program", "lobby/lobby.go", nil, 1, "has lobby/lobby.go already, and nothing is overwritten"},
		{"sums", "go.sum", nil, 1, "has go.sum already"},
		{"generated", "chat/mine.go", nil, 1, "has chat already"},
		{"several", "web/index.html", nil, 1, "has web/index.html already"},
		{"fmt", "notes.txt", nil, 2, `"fmt" cannot be the path of a module: the standard library has that name`},
		{"std", "notes.txt", nil, 2, "it is a word of the go command"},
		{"flag", "notes.txt", []string{"--module", "a b"}, 2, "invalid char ' ': name one with --module"},
		{"own", "notes.txt", []string{"--module", "github.com/wsgen/wsgen"}, 2, "it is that of wsgen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), test.name)
			there := filepath.Join(dir, filepath.FromSlash(test.there))
			if err := os.MkdirAll(filepath.Dir(there), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(there, []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
			r := run(t, "", append([]string{"init", dir}, test.args...)...)
			if r.code != test.code || !strings.Contains(r.errOut, test.want) {
				t.Errorf("%+v, want %d and %q", r, test.code, test.want)
			}
			if files := snapshot(t, dir); len(files) != 1 || files[there] != "mine" {
				t.Errorf("the folder has %d files, want only mine", len(files))
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", "init", file); r.code != 1 || !strings.Contains(r.errOut, "is no folder") {
		t.Errorf("init into a file: %+v", r)
	}
	t.Setenv("PATH", "")
	if r := run(t, "", "init", t.TempDir()); r.code != 1 || !strings.Contains(r.errOut, "the go command is not on the PATH") {
		t.Errorf("init without Go: %+v", r)
	}
}

var served = regexp.MustCompile(`http://(\S+)`)

// initRun starts init --run with a program of its own, and returns it once it serves, with the address.
func initRun(t *testing.T, args ...string) (cmd *exec.Cmd, addr string, wait func() error) {
	t.Helper()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds a project, and sends signals")
	}
	folder := t.TempDir()
	binary := filepath.Join(folder, "wsgen")
	must(t, ".", "go", "build", "-o", binary, "../../cmd/wsgen")
	cmd = exec.Command(binary, append([]string{"init", filepath.Join(folder, "demo"), "--run"}, args...)...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	wait = func() error {
		_, _ = io.Copy(io.Discard, out)
		err := cmd.Wait()
		t.Log(errOut.String())
		return err
	}
	m := served.FindStringSubmatch(line)
	if m == nil {
		return cmd, "", wait
	}
	return cmd, m[1], wait
}

// TestInitRun serves a new project, talks to it as two browsers do, and ends it with Ctrl-C.
func TestInitRun(t *testing.T) {
	cmd, addr, wait := initRun(t, "--addr", "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	one, two := dial(ctx, t, addr), dial(ctx, t, addr)
	send(ctx, t, one, `{"type":"JOIN_ROOM","payload":{"roomId":"general"}}`)
	hear(ctx, t, one, "joined")
	send(ctx, t, two, `{"type":"JOIN_ROOM","payload":{"roomId":"general"}}`)
	send(ctx, t, two, `{"type":"ROOM_MESSAGE","payload":{"text":"hi"}}`)
	for _, c := range []*websocket.Conn{one, two} {
		hear(ctx, t, c, `"text":"hi"`)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*websocket.Conn{one, two} {
		drained(ctx, t, c)
	}
	if err := wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
}

// TestInitRunLeavesNoServer kills init, which cannot tell its server anything then.
func TestInitRunLeavesNoServer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the server is told by the system")
	}
	cmd, addr, wait := initRun(t, "--addr", "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := dial(ctx, t, addr)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	drained(ctx, t, c)
	_ = wait() // until nobody holds the output any more
}

// TestInitRunEndsAsItsServer gives the server an address that it cannot have.
func TestInitRunEndsAsItsServer(t *testing.T) {
	_, addr, wait := initRun(t, "--addr", "256.0.0.1:0")
	var exit *exec.ExitError
	if err := wait(); addr != "" || !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("served on %q, ended with %v; want exit code 1", addr, err)
	}
}

// drained reads until the server says that it goes down.
func drained(ctx context.Context, t *testing.T, c *websocket.Conn) {
	t.Helper()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			if websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("closed with %v, want 1012", err)
			}
			return
		}
	}
}

func dial(ctx context.Context, t *testing.T, addr string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(ctx, "ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func send(ctx context.Context, t *testing.T, c *websocket.Conn, frame string) {
	t.Helper()
	if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// hear reads until a frame has the text.
func hear(ctx context.Context, t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	for {
		_, frame, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", text, err)
		}
		if strings.Contains(string(frame), text) {
			return
		}
	}
}
