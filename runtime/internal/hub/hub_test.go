package hub_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

const deadline = 20 * time.Second

// fixture accepts sockets on loopback and gives them to hubs.
type fixture struct {
	t       *testing.T
	url     string
	clock   *clock.Fake
	stats   *socket.Stats
	set     *hub.Set
	options socket.Options
	members chan *hub.Member
	ended   chan error
	read    atomic.Int64 // messages
}

func setUp(t *testing.T, change func(*fixture)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: clock.NewFake(time.Unix(1e9, 0)), stats: &socket.Stats{}, members: make(chan *hub.Member, 100), ended: make(chan error, 100)}
	f.options = socket.Options{MaxMessage: 1000, Clock: f.clock, Stats: f.stats}
	if change != nil {
		change(f)
	}
	f.set = hub.New(hub.Options{Hubs: 2, Clock: f.clock, Liveness: socket.Liveness{Interval: 25 * time.Second, Timeout: 10 * time.Second}})
	hs := httptest.NewServer(http.HandlerFunc(f.accept))
	f.url = hs.URL
	t.Cleanup(func() { hs.Close(); f.set.Close() })
	return f
}

func (f *fixture) accept(w http.ResponseWriter, r *http.Request) {
	s, err := socket.Accept(w, r, "", &f.options)
	if err != nil {
		return
	}
	m := f.set.Add(s)
	f.members <- m
	go func() {
		for {
			if _, err := s.Read(); err != nil {
				m.Remove()
				f.ended <- err
				return
			}
			f.read.Add(1)
		}
	}()
}

// dial returns a client that does not read by itself, and the server's side.
func (f *fixture) dial() (*websocket.Conn, *hub.Member) {
	f.t.Helper()
	c, _, err := websocket.Dial(context.Background(), f.url, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.CloseNow() })
	return c, receive(f.t, f.members)
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(deadline):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

func read(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func text(s string) *socket.Frame { return socket.NewText([]byte(s), socket.Reliable, "") }

// ended waits for the end of a connection and returns how the server saw it.
func (f *fixture) closed() *socket.CloseError {
	f.t.Helper()
	var e *socket.CloseError
	if err := receive(f.t, f.ended); !errors.As(err, &e) {
		f.t.Fatalf("ended with %v", err)
	}
	return e
}

func TestFramesKeepTheirOrder(t *testing.T) {
	f := setUp(t, nil)
	a, am := f.dial()
	b, bm := f.dial()
	ga, gb := am.Hub().NewGroup(), bm.Hub().NewGroup()
	publish := func(s string, except *hub.Member) {
		ga.Publish(text(s), except)
		gb.Publish(text(s), except)
	}
	publish("before", nil)
	ga.Join(am)
	ga.Join(am) // twice is once
	publish("1", nil)
	am.Send(text("2"))
	gb.Join(bm)
	publish("3", bm)
	publish("4", am)
	ga.Leave(am)
	publish("after", nil)
	am.Send(text("5"))
	for _, want := range []string{"1", "2", "3", "5"} {
		if got := read(t, a); got != want {
			t.Fatalf("a got %q, want %q", got, want)
		}
	}
	for _, want := range []string{"4", "after"} {
		if got := read(t, b); got != want {
			t.Fatalf("b got %q, want %q", got, want)
		}
	}
}

// TestWhatIsWrittenAtOnceKeepsItsOrder sends by all ways from one goroutine, with the hub idle and busy, while another one keeps
// the hub awake for others.
func TestWhatIsWrittenAtOnceKeepsItsOrder(t *testing.T) {
	f := setUp(t, nil)
	a, am := f.dial()
	b, bm := f.dial()
	defer b.CloseNow()
	const rounds = 5_000
	group := am.Hub().NewGroup()
	group.Join(am)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if bm.SendNow(socket.NewText([]byte("x"), socket.Droppable, "")); i%100 == 0 {
				f.set.Sync()
			}
		}
	}()
	go func() {
		for {
			if _, _, err := b.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	go func() {
		for i := range rounds {
			switch frame := text(fmt.Sprint(i)); rand.IntN(8) {
			case 0:
				am.Send(frame)
			case 1:
				group.Publish(frame, nil)
			case 2:
				f.set.Sync() // which leaves the hub idle for a moment
				am.SendNow(frame)
			default:
				am.SendNow(frame)
			}
		}
	}()
	for i := range rounds {
		if got := read(t, a); got != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", got, i)
		}
	}
	close(stop)
	<-stopped
}

// TestBytesAreThoseOfTheLibrary compares prepared frames with what coder/websocket writes for the same messages.
func TestBytesAreThoseOfTheLibrary(t *testing.T) {
	wire := func(unprepared bool) string {
		f := setUp(t, func(f *fixture) { f.options.Unprepared = unprepared })
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		m := receive(t, f.members)
		for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536} {
			m.Send(text(strings.Repeat("x", n)))
		}
		m.Close(1000, "done")
		r := bufio.NewReader(conn)
		if _, err := http.ReadResponse(r, nil); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for !strings.HasSuffix(b.String(), "done") {
			c, err := r.ReadByte()
			if err != nil {
				t.Fatal(err)
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	if wire(false) != wire(true) {
		t.Error("the bytes differ")
	}
}

func TestSlowReaderIsClosedAndOthersAreNot(t *testing.T) {
	for name, bounds := range map[string]socket.Bounds{
		"bytes": {Bytes: 1 << 20}, "frames": {Frames: 200}, "age": {Age: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUp(t, func(f *fixture) { f.options.Bounds = bounds })
			_, slow := f.dial() // never reads
			fast, fm := f.dial()
			fast.SetReadLimit(1 << 20)
			gs, gf := slow.Hub().NewGroup(), fm.Hub().NewGroup()
			gs.Join(slow)
			gf.Join(fm)
			big := text(strings.Repeat("x", 64<<10))
			for i := 0; f.stats.Slow.Load() == 0; i++ {
				if i > 2000 {
					t.Fatal("the slow reader is still there")
				}
				gs.Publish(big, nil)
				gf.Publish(big, nil)
				read(t, fast)
				if name == "age" {
					f.clock.Advance(100 * time.Millisecond)
					f.set.Sync()
				}
			}
			f.set.Sync()
			f.clock.Advance(time.Second) // the peer does not answer the close frame
			if e := f.closed(); e.Code != 1013 || !e.Local {
				t.Errorf("ended with %v", e)
			}
			f.set.Sync()
			if bytes, frames := slow.Socket.Waiting(); bytes != 0 || frames != 0 {
				t.Errorf("%d bytes in %d frames are kept", bytes, frames)
			}
			gf.Publish(text("still here"), nil)
			for read(t, fast) != "still here" {
			}
			if n := f.stats.Slow.Load(); n != 1 {
				t.Errorf("%d connections were closed as slow, want 1", n)
			}
		})
	}
}

func TestLatestReplacesAndDroppableDrops(t *testing.T) {
	f := setUp(t, nil)
	m := addMember(t, f.set, 0, socket.Options{Clock: f.clock, Stats: f.stats, Bounds: socket.Bounds{Frames: 400}})
	m.Send(text("begin"))
	f.set.Sync()
	m.conn.WaitBlocked() // with the first message on its way
	for i := range 50 {
		m.Send(socket.NewText(fmt.Append(nil, "a", i), socket.Latest, "a"))
		m.Send(socket.NewText(fmt.Append(nil, "b", i), socket.Latest, "b"))
	}
	for range 200 {
		m.Send(socket.NewText([]byte("drop"), socket.Droppable, ""))
	}
	m.Send(text("end"))
	f.set.Sync()
	m.conn.Take(1 << 20)
	eventually(t, func() bool { bytes, _ := m.Socket.Waiting(); return bytes == 0 })
	want := "begin a49 b49 " + strings.Repeat("drop ", 97) + "end" // 97 and the three before are a quarter of 400
	if got := strings.Join(m.got(t), " "); got != want {
		t.Errorf("got %q", got)
	}
	if f.stats.Dropped.Load() != 103 || f.stats.Replaced.Load() != 98 {
		t.Errorf("counted %d dropped and %d replaced, want 103 and 98", f.stats.Dropped.Load(), f.stats.Replaced.Load())
	}
}

// TestReaderGoesOnWhenThePeerReadsNothing sends pings and messages from a peer that takes neither pongs nor data.
func TestReaderGoesOnWhenThePeerReadsNothing(t *testing.T) {
	f := setUp(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	m := receive(t, f.members)
	big := text(strings.Repeat("x", 64<<10))
	for f.stats.Blocked.Load() == 0 {
		m.Send(big)
		f.set.Sync()
	}
	for range 1000 { // a masked ping, and a masked message "hi"
		fmt.Fprint(conn, "\x89\x80\x00\x00\x00\x00", "\x81\x82\x00\x00\x00\x00hi")
	}
	eventually(t, func() bool { return f.read.Load() == 1000 })
	if _, frames := m.Socket.Waiting(); frames > 200 {
		t.Errorf("%d frames wait: pongs for a peer that does not read must be few", frames)
	}
}

func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never")
		}
	}
}

func TestBadFrames(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(c *websocket.Conn) error
		code int
	}{
		{"binary", func(c *websocket.Conn) error {
			return c.Write(context.Background(), websocket.MessageBinary, []byte("x"))
		}, 1003},
		{"too big", func(c *websocket.Conn) error {
			return c.Write(context.Background(), websocket.MessageText, []byte(strings.Repeat("x", 1001)))
		}, 1009},
		{"bad UTF-8", func(c *websocket.Conn) error {
			return c.Write(context.Background(), websocket.MessageText, []byte("a\xff"))
		}, 1007},
		{"closed by the peer", func(c *websocket.Conn) error { return c.Close(4000, "bye") }, 4000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := setUp(t, nil)
			c, _ := f.dial()
			if err := c.Write(context.Background(), websocket.MessageText, []byte(strings.Repeat("x", 1000))); err != nil {
				t.Fatal(err) // as much as is allowed
			}
			if err := tt.send(c); err != nil {
				t.Fatal(err)
			}
			if tt.code != 4000 {
				if _, _, err := c.Read(context.Background()); int(websocket.CloseStatus(err)) != tt.code {
					t.Errorf("the client sees %v, want %d", err, tt.code)
				}
			}
			if e := f.closed(); e.Code != tt.code {
				t.Errorf("the server sees %v", e)
			}
		})
	}
}

// TestUnmaskedFrameEndsTheConnection sends what no client may send.
func TestUnmaskedFrameEndsTheConnection(t *testing.T) {
	f := setUp(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x02hi")
	receive(t, f.members)
	all := make(chan []byte, 1)
	go func() {
		data, _ := io.ReadAll(conn)
		conn.Close()
		all <- data
	}()
	if data := receive(t, all); !strings.Contains(string(data), "\x88") || !strings.Contains(string(data), "\x03\xea") {
		t.Errorf("no close frame with 1002: %q", data)
	}
	if e := f.closed(); e.Code != 1002 {
		t.Errorf("ended with %v", e)
	}
}

func TestSilentPeerIsGivenUp(t *testing.T) {
	f := setUp(t, nil)
	f.dial() // does not read, so it does not answer pings
	for range 40 {
		f.clock.Advance(time.Second)
		f.set.Sync()
	}
	if e := f.closed(); e.Reason != "no answer to a ping" {
		t.Errorf("ended with %v", e)
	}
}

func TestCloseCutsTheReason(t *testing.T) {
	f := setUp(t, nil)
	c, m := f.dial()
	m.Send(text("first"))
	m.Close(4001, strings.Repeat("é", 100))
	m.Send(text("too late"))
	if got := read(t, c); got != "first" {
		t.Errorf("got %q", got)
	}
	_, _, err := c.Read(context.Background())
	var ce websocket.CloseError
	if !errors.As(err, &ce) || ce.Code != 4001 || ce.Reason != strings.Repeat("é", 61) {
		t.Errorf("the client sees %v", err)
	}
}
