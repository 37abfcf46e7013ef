//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// TestRestart ends the process with SIGTERM and starts another one on its folder: what was said is still there, ids go on, and a
// member that comes back gets what it missed, under the numbers that it had.
func TestRestart(t *testing.T) {
	binary, data := filepath.Join(t.TempDir(), "chat"), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	first, addr := launch(t, binary, data)
	ann := dialFrames(t, addr, "ann")
	session := ann.until("$ws:session").Payload.Session
	ann.send(`{"type":"JOIN_ROOM","payload":{"roomId":"tea"}}`)
	joined := ann.until("$ws:joined")
	bob := sayHello(t, addr, "bob", "one", "two")
	seqOne := ann.hear("one")
	seqTwo := ann.hear("two")
	if seqTwo != seqOne+1 {
		t.Errorf("two messages have the numbers %d and %d", seqOne, seqTwo)
	}
	_ = bob.Close()
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Fatalf("the process ended with %v", err)
	}

	_, addr = launch(t, binary, data)
	again := dialFrames(t, addr, "ann")
	again.send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:tea":{"epoch":%q,"seq":%d}}}}`,
		session, joined.Payload.Epoch, seqOne))
	if back := again.until("$ws:joined"); back.Payload.Epoch != joined.Payload.Epoch || back.Payload.Seq != seqOne {
		t.Errorf("back at %+v, want %d of the epoch %s", back.Payload, seqOne, joined.Payload.Epoch)
	}
	if seq := again.hear("two"); seq != seqTwo {
		t.Errorf("what was missed has the number %d, want %d", seq, seqTwo)
	}
	bob = sayHello(t, addr, "bob", "three")
	if seq := again.hear("three"); seq <= seqTwo {
		t.Errorf("the room counts anew: %d after %d", seq, seqTwo)
	}
	wantHistory(t, bob, "one", "two", "three")
}

// wantHistory reads what was said in the room, which has the ids 1, 2, ….
func wantHistory(t *testing.T, c *chat.Client, want ...string) {
	t.Helper()
	got, err := c.GetHistory(t.Context(), &chat.GetHistoryRequest{RoomID: "tea", Limit: 10}, nil)
	if err != nil || len(got.Messages) != len(want) {
		t.Fatalf("history: %+v, %v", got, err)
	}
	for i, m := range got.Messages {
		if m.Text != want[i] || m.ID != uint32(i+1) {
			t.Errorf("message %d: %+v, want %q", i+1, m, want[i])
		}
	}
}

// launch starts the server on a folder, and returns it with its address.
func launch(t *testing.T, binary, data string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-data", data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`http://(\S+)`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("the server says %q", line)
	}
	return cmd, m[1]
}

// sayHello joins the room as somebody and says something there.
func sayHello(t *testing.T, addr, user string, texts ...string) *chat.Client {
	t.Helper()
	c, err := chat.Dial(t.Context(), "ws://"+addr+"/ws", chat.Events{}, client.WithToken(user))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.JoinRoom(t.Context(), &chat.JoinRoom{RoomID: "tea"}); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if err := c.RoomMessage(t.Context(), &chat.RoomMessage{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// frames is a connection of the extended profile, frame by frame.
type frames struct {
	*websocket.Conn
	t   *testing.T
	ctx context.Context
}

type frame struct {
	Type    string
	Meta    struct{ Seq int }
	Payload struct {
		Session, Epoch, Text, Code string
		Seq                        int
	}
}

func dialFrames(t *testing.T, addr, user string) *frames {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wstest.Patience)
	t.Cleanup(cancel)
	c, _, err := websocket.Dial(ctx, "ws://"+addr+"/ws?user="+user, &websocket.DialOptions{Subprotocols: []string{"wsgen.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return &frames{c, t, ctx}
}

func (f *frames) send(text string) {
	f.t.Helper()
	if err := f.Write(f.ctx, websocket.MessageText, []byte(text)); err != nil {
		f.t.Fatal(err)
	}
}

// until returns the next frame of a type.
func (f *frames) until(name string) frame {
	f.t.Helper()
	for {
		_, data, err := f.Read(f.ctx)
		if err != nil {
			f.t.Fatalf("no %s: %v", name, err)
		}
		var got frame
		if err := json.Unmarshal(data, &got); err != nil {
			f.t.Fatalf("%s: %v", data, err)
		}
		if got.Type == name {
			return got
		}
		if got.Type == "ERROR" || got.Type == "$ws:gap" || got.Type == "$ws:left" {
			f.t.Fatalf("got %s, want %s", data, name)
		}
	}
}

// hear returns the number of the message that says a text.
func (f *frames) hear(text string) int {
	f.t.Helper()
	for {
		if got := f.until("ROOM_UPDATE"); got.Payload.Text == text {
			return got.Meta.Seq
		}
	}
}
