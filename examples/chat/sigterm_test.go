//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/internal/freeport"
)

var many = flag.Int("many", 100, "connections of TestSigterm")

// TestSigterm holds many connections, of which one in a hundred reads nothing, and ends the process: the others are told to
// come back, spread over the window, and the process exits in peace. -many 10000 is what a server should bear.
func TestSigterm(t *testing.T) {
	allowFiles(t)
	var ports freeport.Ports
	defer ports.Close()
	free, err := ports.Addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	debug := free[0]
	cmd, addr := startChat(t, "-debug", debug)
	ended := make(chan ending, *many)
	var stalled []net.Conn
	var members int
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range *many {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if i%100 == 99 {
				c := dialStalled(t, addr, i)
				mu.Lock()
				defer mu.Unlock()
				stalled = append(stalled, c)
				return
			}
			c := dialMember(t, addr, i)
			go read(c, ended) // from here on, as who reads nothing does not answer pings either
			mu.Lock()
			defer mu.Unlock()
			members++
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	full := fillQueues(t, addr, debug, stalled)
	t.Logf("%d connections are open; %d of them read nothing, and something waits for %d", members+len(stalled), len(stalled), full)

	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var ends []time.Duration
	codes := make(map[websocket.StatusCode]int)
	for range members {
		e := <-ended
		codes[e.code]++
		ends = append(ends, e.at.Sub(begin).Round(time.Millisecond))
	}
	if codes[websocket.StatusServiceRestart] != members {
		t.Errorf("the connections ended with these codes, and so many of each: %v", codes)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v: %s", err, cmd.Stderr)
	}
	t.Logf("closed between %v and %v after the signal; the process exited after %v", slices.Min(ends), slices.Max(ends), time.Since(begin).Round(time.Millisecond))
	if early := slices.Min(ends); early < 0 {
		t.Errorf("a connection ended %v before the signal", -early)
	}
}

// ending is how a connection ended, and when.
type ending struct {
	code websocket.StatusCode
	at   time.Time
}

// read reads a connection until it ends.
func read(c *websocket.Conn, ended chan<- ending) {
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			ended <- ending{websocket.CloseStatus(err), time.Now()}
			return
		}
	}
}

// allowFiles raises the limit of open files.
func allowFiles(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur = limit.Max; limit.Max < uint64(*many)+100 {
		t.Skipf("the system allows %d open files", limit.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}

// startChat builds and starts the server, and returns it with its address.
func startChat(t *testing.T, flags ...string) (*exec.Cmd, string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "chat")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(binary, append(flags, "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-unlimited")...)
	cmd.Stderr = new(bytes.Buffer)
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

// dialMember opens a connection that is in a room of ten.
func dialMember(t *testing.T, addr string, i int) *websocket.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://%s/ws?user=u%d", addr, i), nil)
	if err == nil {
		t.Cleanup(func() { c.CloseNow() })
		err = c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"JOIN_ROOM","payload":{"roomId":"r%d"}}`, i/10))
	}
	if err == nil {
		_, _, err = c.Read(ctx)
	}
	if err != nil {
		t.Error(err)
	}
	return c
}

// fillQueues has connections that read nothing talk to themselves until something waits for nine of ten: the kernel takes no more. It
// returns for how many. One that the server has closed meanwhile, because its oldest message waited too long, is replaced.
func fillQueues(t *testing.T, addr, debug string, stalled []net.Conn) int {
	t.Helper()
	said := maskedFrame(`{"type":"ROOM_MESSAGE","payload":{"text":"` + strings.Repeat("x", 2000) + `"}}`)
	some := bytes.Repeat(said, 50)
	for range 400 { // 40 MB are more than any kernel takes
		for i, c := range stalled {
			if _, err := c.Write(some); err != nil {
				stalled[i] = dialStalled(t, addr, i)
			}
		}
		if n := waiting(t, debug, len(stalled)); n*10 >= len(stalled)*9 {
			return n
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Fatal("the kernel takes everything")
	return 0
}

// waiting returns for how many connections frames wait, of those with the most.
func waiting(t *testing.T, debug string, top int) (n int) {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/wsgen?top=%d", debug, top))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state struct{ Slowest []struct{ QueueBytes int } }
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	for _, c := range state.Slowest {
		if c.QueueBytes > 0 {
			n++
		}
	}
	return n
}

// dialStalled opens a connection that is in a room of its own and reads nothing behind the handshake.
func dialStalled(t *testing.T, addr string, i int) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Error(err)
	}
	_, err = fmt.Fprintf(c, "GET /ws?user=s%d HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", i, addr)
	one := make([]byte, 1)
	if _, err2 := c.Read(one); err != nil || err2 != nil {
		t.Error(errors.Join(err, err2))
	}
	if _, err := c.Write(maskedFrame(fmt.Sprintf(`{"type":"JOIN_ROOM","payload":{"roomId":"s%d"}}`, i))); err != nil {
		t.Error(err)
	}
	return c
}

// maskedFrame returns a text message of a client; the mask is of zeros.
func maskedFrame(text string) []byte {
	b := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}
	return append(b, text...)
}
