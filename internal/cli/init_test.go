package cli_test

import (
	"bufio"
	"bytes"
	"context"
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
	must(t, dir, "go", "vet", "./...")
	must(t, dir, "go", "test", "./...")
	if out := must(t, dir, "gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}

	messages := filepath.Join(dir, "messages.yaml")
	edited := strings.Replace(before[messages], "{text: string(1..2000)}", "{text: string(1..4000)}", 1)
	if err := os.WriteFile(messages, []byte(edited), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, dir, "go", "tool", "wsgen", "generate", "--check"); err == nil || !strings.Contains(out, "chat/codec.gen.go is out of date") {
		t.Errorf("check after an edit: %v\n%s", err, out)
	}
	must(t, dir, "go", "tool", "wsgen", "generate")
	must(t, dir, "go", "tool", "wsgen", "generate", "--check")

	after := snapshot(t, dir)
	if r := run(t, "", "init", dir); r.code != 1 || !strings.Contains(r.errOut, "web/index.html already, and nothing is overwritten") {
		t.Errorf("init over a project: %+v", r)
	}
	for path, text := range snapshot(t, dir) {
		if after[path] != text {
			t.Errorf("the second init changes %s", path)
		}
	}
}

var served = regexp.MustCompile(`http://(\S+)`)

// TestInitRun serves a new project, talks to it as two browsers do, and ends it with Ctrl-C.
func TestInitRun(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds a project, and sends signals")
	}
	folder := t.TempDir()
	binary := filepath.Join(folder, "wsgen")
	must(t, ".", "go", "build", "-o", binary, "../../cmd/wsgen")
	cmd := exec.Command(binary, "init", filepath.Join(folder, "demo"), "--run", "--addr", "127.0.0.1:0")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	m := served.FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("%q, %v\n%s", line, err, errOut.String())
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	one, two := dial(ctx, t, m[1]), dial(ctx, t, m[1])
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
		_, _, err := c.Read(ctx)
		if websocket.CloseStatus(err) != websocket.StatusServiceRestart {
			t.Errorf("closed with %v, want 1012", err)
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, errOut.String())
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
