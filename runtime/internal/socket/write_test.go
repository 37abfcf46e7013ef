package socket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/socket"
	. "github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

// TestPreparedFramesAreWhatTheLibraryWrites compares the bytes of prepared frames with those of coder/websocket's Write.
func TestPreparedFramesAreWhatTheLibraryWrites(t *testing.T) {
	var wires [2][]byte
	for i := range wires {
		s, conn := memory(t, -1, socket.Options{Unprepared: i == 1, Clock: newFake()})
		for _, n := range []int{0, 1, 125, 126, 127, 250, 251, 252, 255, 256, 257, 4096, 65535, 65536, 70_000} {
			push(t, s, frame(strings.Repeat("È", n/2)+strings.Repeat("x", n%2))) // 0xc3 0x88: looks like a close frame at odd places
		}
		s.Flush(nil)
		s.Close(1000, "bye")
		wires[i] = conn.Written()
	}
	if !bytes.Equal(wires[0], wires[1]) {
		t.Errorf("%d bytes are prepared, %d bytes the library writes, and they differ", len(wires[0]), len(wires[1]))
	}
	wantFrames(t, wires[0])
}

// TestUnpreparedFramesKeepTheirClass shows that the queue's rules hold for messages that go through coder/websocket.
func TestUnpreparedFramesKeepTheirClass(t *testing.T) {
	s, conn := memory(t, 0, socket.Options{Unprepared: true, Bounds: socket.Bounds{Frames: 4}, Clock: newFake()})
	push(t, s, frame("a"))
	s.Flush(nil)
	conn.WaitBlocked() // it is on its way, and stays
	push(t, s, socket.NewText([]byte(strings.Repeat("old", 200)), socket.Latest, "k"))
	push(t, s, socket.NewText([]byte("volatile"), socket.Droppable, ""))
	push(t, s, socket.NewText([]byte(strings.Repeat("new", 200)), socket.Latest, "k"))
	push(t, s, frame("b"))
	push(t, s, frame("c"))
	if s.Push(frame("d"), 0, nil) {
		t.Error("a fifth frame found room for four")
	}
	conn.Take(1 << 20)
	wantTexts(t, conn, "a", strings.Repeat("new", 200), "b", "c")
}

// wantTexts waits for text frames, and only these, on the wire.
func wantTexts(t *testing.T, conn *Conn, texts ...string) {
	t.Helper()
	n := 0
	for _, m := range texts {
		n += frame(m).Len()
	}
	r := bytes.NewReader(conn.WaitWritten(n))
	for _, m := range texts {
		first, payload, err := ReadFrame(r)
		if err != nil || first != Final|Text || string(payload) != m {
			t.Fatalf("on the wire is %.60q (%v), want %.60q", describe(first, payload), err, m)
		}
	}
	if r.Len() > 0 {
		t.Fatalf("%d bytes more than wanted", r.Len())
	}
}

func TestQueueBoundsAreExact(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			s, _ := accept(t, 0, socket.Options{Bounds: socket.Bounds{Bytes: 100}, Clock: newFake()})
			push(t, s, frame(strings.Repeat("a", 58))) // 60 with its header
			s.Flush(nil)
			if s.Push(frame(strings.Repeat("b", 39)), 0, nil) {
				t.Error("101 bytes found room in 100")
			}
			push(t, s, frame(strings.Repeat("b", 38)))
			if n, _ := s.Waiting(); n != 100 {
				t.Errorf("%d bytes wait, want 100", n)
			}
			s, _ = accept(t, 0, socket.Options{Bounds: socket.Bounds{Frames: 3}, Clock: newFake()})
			for range 3 {
				push(t, s, frame("a"))
			}
			if s.Push(frame("a"), 0, nil) {
				t.Error("four frames found room for three")
			}
		})
	}
}

// TestABurstIsNotASlowReader pushes more between two flushes than a queue holds, to a reader that takes everything.
func TestABurstIsNotASlowReader(t *testing.T) {
	stats := new(socket.Stats)
	s, conn := memory(t, -1, socket.Options{Bounds: socket.Bounds{Bytes: 1 << 12, Frames: 16}, Clock: newFake(), Stats: stats})
	want := 0
	for i := range 10_000 {
		class := socket.Reliable
		if i%2 == 0 {
			class = socket.Droppable
		}
		f := socket.NewText(fmt.Appendf(nil, "message %d", i), class, "")
		push(t, s, f)
		want += f.Len()
	}
	s.Flush(nil)
	if got := len(conn.Written()); got != want || stats.Dropped.Load() != 0 {
		t.Errorf("%d bytes were written, want %d; %d frames were dropped", got, want, stats.Dropped.Load())
	}
	if stats.FramesOut.Load() != 10_000 || stats.BytesOut.Load() != uint64(want) {
		t.Errorf("counted %d frames of %d bytes", stats.FramesOut.Load(), stats.BytesOut.Load())
	}
}

func TestClassesOfASlowReader(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			stats := new(socket.Stats)
			s, conn := accept(t, 1, socket.Options{Bounds: socket.Bounds{Bytes: 400}, Clock: newFake(), Stats: stats})
			latest := func(key, text string) *socket.Frame {
				return socket.NewText([]byte(text), socket.Latest, key)
			}
			push(t, s, latest("x", "on its way"))
			s.Flush(nil)
			conn.WaitBlocked() // and so it stays
			push(t, s, latest("x", "x 1"))
			push(t, s, latest("y", "y 1"))
			push(t, s, frame("between"))
			push(t, s, latest("x", "x 2, which is longer"))
			push(t, s, latest("x", "x 3"))
			push(t, s, socket.NewText([]byte(strings.Repeat("d", 50)), socket.Droppable, ""))
			push(t, s, socket.NewText([]byte("dropped, as a quarter is used"), socket.Droppable, ""))
			if s.Push(latest("y", strings.Repeat("y", 399)), 0, nil) {
				t.Error("replacing exceeded the bound")
			}
			conn.Take(1 << 20)
			wantTexts(t, conn, "on its way", "x 3", "y 1", "between", strings.Repeat("d", 50))
			if stats.Replaced.Load() != 2 || stats.Dropped.Load() != 1 {
				t.Errorf("counted %d replaced and %d dropped, want 2 and 1", stats.Replaced.Load(), stats.Dropped.Load())
			}
		})
	}
}

// TestASlowReaderIsForgotten shows that what waits is freed at once, and the connection ends although the peer does nothing.
func TestASlowReaderIsForgotten(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			clk, stats := newFake(), new(socket.Stats)
			s, conn := accept(t, 10, socket.Options{Clock: clk, Stats: stats})
			_, ends := reads(t, s)
			for range 1000 {
				push(t, s, frame(strings.Repeat("a", 1000)))
			}
			s.Flush(nil)
			conn.WaitBlocked()
			s.CloseSlow("too slow")
			s.CloseSlow("too slow")
			if n, _ := s.Waiting(); n > 70_000 { // one write at most is under way
				t.Errorf("%d bytes still wait", n)
			}
			if stats.Slow.Load() != 1 {
				t.Errorf("counted %d slow readers, want 1", stats.Slow.Load())
			}
			clk.Advance(closeWait)
			wantClosed(t, ends, 1013, true)
			eventually(t, "all is freed", func() bool { n, frames := s.Waiting(); return conn.Closed() && n == 0 && frames == 0 })
		})
	}
}

// TestASlowReaderGetsTheCode has a peer that begins to read when it is too late: whole frames, the code, and the end.
func TestASlowReaderGetsTheCode(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			s, conn := accept(t, 10, socket.Options{Clock: newFake()})
			push(t, s, frame(strings.Repeat("a", 100)))
			s.Flush(nil)
			conn.WaitBlocked()
			push(t, s, frame("never sent"))
			s.CloseSlow("slow")
			conn.Take(1 << 20)
			want := frame(strings.Repeat("a", 100)).Len() + 4 + len("slow")
			wire := conn.WaitWritten(want)
			if len(wire) != want || !bytes.HasSuffix(wire, []byte("\x88\x06\x03\xf5slow")) {
				t.Errorf("on the wire is %q", wire)
			}
		})
	}
}

const closeWait = time.Second

func TestCloseHandshakeOfTheServer(t *testing.T) {
	for name, open := range map[string]func(*testing.T, socket.Options) *link{
		"TCP": func(t *testing.T, o socket.Options) *link { return connect(t, o) },
		"TLS": connectTLS,
	} {
		t.Run(name, func(t *testing.T) {
			clk := newFake()
			l := open(t, socket.Options{Clock: clk})
			msgs, ends := l.reads()
			push(t, l.sock, frame("last words"))
			l.sock.Close(1012, "retry=500")
			l.sock.Close(1000, "not this")
			push(t, l.sock, frame("too late"))
			l.sock.Flush(nil)
			l.want("text last words", "close 1012 retry=500")
			l.send(ClientFrame(Final|Text, []byte("sent before I knew")), ClientFrame(Final|Ping, nil))
			l.send(ClientFrame(Final|Close, []byte("\x03\xf4")))
			l.wantEnd()
			if e := wantClosed(t, ends, 1012, true); e.Reason != "retry=500" {
				t.Errorf("reason %q", e.Reason)
			}
			if msg, ok := <-msgs; ok {
				t.Errorf("the message %q was handed out after Close", msg)
			}
			if clk.Waiting() != 0 {
				t.Errorf("%d timers are left", clk.Waiting())
			}
		})
	}
}

// TestASilentPeerIsClosedAfterASecond has a peer that never answers a close frame, and one that does not even read it.
func TestASilentPeerIsClosedAfterASecond(t *testing.T) {
	for name, accept := range acceptors {
		for _, room := range []int{0, -1} {
			t.Run(fmt.Sprint(name, room), func(t *testing.T) {
				clk := newFake()
				s, conn := accept(t, room, socket.Options{Clock: clk})
				_, ends := reads(t, s)
				s.Close(1000, "")
				clk.Advance(closeWait - 1)
				if conn.Closed() {
					t.Fatal("closed before the second was over")
				}
				clk.Advance(1)
				wantClosed(t, ends, 1000, true)
			})
		}
	}
}

func TestCloseReasons(t *testing.T) {
	for _, c := range []struct {
		code       int
		reason     string
		wantCode   int
		wantReason string
	}{
		{1000, strings.Repeat("a", 123), 1000, strings.Repeat("a", 123)},
		{1000, strings.Repeat("a", 124), 1000, strings.Repeat("a", 123)},
		{4403, strings.Repeat("ü", 100), 4403, strings.Repeat("ü", 61)},
		{4000, strings.Repeat("😀", 31), 4000, strings.Repeat("😀", 30)},
		{1000, "a\xffb", 1000, "a\uFFFDb"},
		{0, "x", 1011, "x"},
		{1005, "x", 1011, "x"},
		{1006, "x", 1011, "x"},
		{2000, "x", 1011, "x"},
		{70_000, "x", 1011, "x"},
	} {
		s, conn := memory(t, -1, socket.Options{Clock: newFake()})
		s.Close(c.code, c.reason)
		first, payload, err := ReadFrame(bytes.NewReader(conn.Written()))
		if got, want := describe(first, payload), fmt.Sprintf("close %d %s", c.wantCode, c.wantReason); got != want || err != nil {
			t.Errorf("Close(%d, %.20q): got %q, want %q", c.code, c.reason, got, want)
		}
		conn.End()
		_, err = s.Read()
		if e, ok := errors.AsType[*socket.CloseError](err); !ok || e.Code != c.wantCode || e.Reason != c.wantReason {
			t.Errorf("Close(%d, %.20q): Read returned %v", c.code, c.reason, err)
		}
	}
}

// TestAFullSocketIsDrained fills the kernel's buffers, and then reads: all frames arrive, whole and in order, with pongs
// between them.
func TestAFullSocketIsDrained(t *testing.T) {
	for name, open := range map[string]func(*testing.T, socket.Options) *link{
		"TCP": func(t *testing.T, o socket.Options) *link { return connect(t, o) },
		"TLS": connectTLS,
	} {
		t.Run(name, func(t *testing.T) {
			stats := new(socket.Stats)
			l := open(t, socket.Options{Clock: newFake(), Stats: stats})
			l.reads()
			const n = 20_000
			pad := strings.Repeat("x", 1000)
			for i := range n {
				push(t, l.sock, frame(fmt.Sprint(i, " ", pad)))
				if i%100 == 0 {
					l.sock.Flush(nil)
				}
			}
			l.sock.Flush(nil)
			if name == "TCP" && stats.Blocked.Load() == 0 {
				t.Error("20 MB were taken at once: the test shows nothing")
			}
			l.send(ClientFrame(Final|Ping, []byte("p")))
			for next, pong := 0, false; next < n || !pong; {
				first, payload, err := ReadFrame(l.br)
				switch {
				case err != nil:
					t.Fatalf("after %d frames: %v", next, err)
				case first == Final|Pong:
					pong = true
				case string(payload) != fmt.Sprint(next, " ", pad):
					t.Fatalf("got %.20q as frame %d", payload, next)
				default:
					next++
				}
			}
			eventually(t, "nothing waits", func() bool { b, f := l.sock.Waiting(); return b == 0 && f == 0 })
		})
	}
}

// TestThePeersCloseWaitsForItsAnswer has a peer that closes while the queue is full: it still gets what was sent before.
func TestThePeersCloseWaitsForItsAnswer(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			s, conn := accept(t, 0, socket.Options{Clock: newFake()})
			_, ends := reads(t, s)
			push(t, s, frame("before"))
			s.Flush(nil)
			conn.Feed(ClientFrame(Final|Close, []byte("\x03\xe8")))
			wantClosed(t, ends, 1000, false)
			conn.Take(1 << 10)
			if got, want := string(conn.WaitWritten(12)), "\x81\x06before\x88\x02\x03\xe8"; got != want {
				t.Errorf("on the wire is %q, want %q", got, want)
			}
			eventually(t, "the connection is closed", conn.Closed)
		})
	}
}

func TestAbortEndsTheReader(t *testing.T) {
	l := connect(t, socket.Options{Clock: newFake()})
	_, ends := l.reads()
	l.sock.Abort()
	wantClosed(t, ends, 1006, true)
	if _, err := io.ReadAll(l.br); err != nil {
		t.Errorf("the client sees %v", err)
	}
}

// FuzzQueue pushes, flushes and takes in any order, and compares what arrives with what was pushed.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 10, 1, 2, 3, 250, 0, 0, 1, 3, 7, 2})
	f.Add(bytes.Repeat([]byte{0, 200, 1, 3, 77}, 40))
	f.Fuzz(func(t *testing.T, ops []byte) {
		conn := NewConn(0)
		s, err := Accept(conn, socket.Options{Clock: newFake(), Bounds: socket.Bounds{Bytes: 2000, Frames: 20}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Abort()
		scratch := make([]byte, 0, 64<<10)
		var want []byte
		onWire := 0
		for i := 0; i+1 < len(ops); i += 2 {
			switch arg := int(ops[i+1]); ops[i] % 4 {
			case 0, 1:
				text := fmt.Sprint(i, strings.Repeat("x", arg))
				if s.Push(frame(text), 0, scratch) {
					want = append(want, text...)
					onWire += frame(text).Len()
				}
			case 2:
				s.Flush(scratch)
			case 3:
				conn.Take(arg)
			}
			if b, n := s.Waiting(); b > 2000 || n > 20 || b < n {
				t.Fatalf("%d bytes in %d frames wait", b, n)
			}
		}
		s.Flush(scratch)
		conn.Take(1 << 20)
		var got []byte
		for r := bytes.NewReader(conn.WaitWritten(onWire)); r.Len() > 0; {
			first, payload, err := ReadFrame(r)
			if err != nil {
				t.Fatal(err)
			}
			if first&0xf == Text {
				got = append(got, payload...)
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes of messages, want %d", len(got), len(want))
		}
	})
}
