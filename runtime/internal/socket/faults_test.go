package socket_test

// What peers do that is allowed, but meant badly, and how TCP ends.

import (
	"fmt"
	"net"
	"runtime"
	"testing"

	"github.com/wsgen/wsgen/runtime/internal/socket"
	. "github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

// TestNothingIsAllocatedForAnAnnouncement announces a message that is allowed, and sends its first bytes.
func TestNothingIsAllocatedForAnAnnouncement(t *testing.T) {
	s, conn := memory(t, -1, socket.Options{MaxMessage: 1 << 30, Clock: newFake()})
	_, ends := reads(t, s)
	conn.Drained()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	conn.Feed([]byte{Final | Text, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4, 'x', 'y', 'z'})
	conn.Drained()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated for 3 of a message", n)
	}
	conn.End()
	wantClosed(t, ends, 1006, false)
}

// TestWhatComesBehindACloseIsDropped closes, and sends a message that nobody may see.
func TestWhatComesBehindACloseIsDropped(t *testing.T) {
	s, conn := memory(t, -1, socket.Options{Clock: newFake()})
	conn.Feed(ClientFrame(Final|Close, []byte("\x03\xe8")))
	conn.Feed(ClientFrame(Final|Text, []byte("too late")))
	conn.Feed(ClientFrame(Final|Ping, nil))
	msgs, ends := reads(t, s)
	wantClosed(t, ends, 1000, false)
	if msg, ok := <-msgs; ok {
		t.Errorf("the message %q was handed out", msg)
	}
	if got := string(conn.Written()); got != "\x88\x02\x03\xe8" {
		t.Errorf("on the wire is %q, want the answer to the close frame alone", got)
	}
}

// TestHowTCPEnds has peers that go without a close frame, in all ways that TCP has.
func TestHowTCPEnds(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn) error{
		"FIN":        func(c *net.TCPConn) error { return c.Close() },
		"half close": func(c *net.TCPConn) error { return c.CloseWrite() },
		"RST":        func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() },
	} {
		for what, sent := range map[string][]byte{
			"nothing": nil, "half a header": {Final | Text}, "half a message": ClientFrame(Final|Text, []byte("half"))[:8],
		} {
			t.Run(name+" after "+what, func(t *testing.T) {
				l := connect(t, socket.Options{Clock: newFake()})
				msgs, ends := l.reads()
				l.text("whole")
				wantMessage(t, msgs, "whole")
				l.send(sent)
				if err := end(l.conn.(*net.TCPConn)); err != nil {
					t.Fatal(err)
				}
				wantClosed(t, ends, 1006, false)
				if msg, ok := <-msgs; ok {
					t.Errorf("the message %q was handed out", msg)
				}
			})
		}
	}
}

// TestReadIsNotStalledByPongs has a peer that reads nothing, and sends pings and messages: one pong waits for it, the last.
func TestReadIsNotStalledByPongs(t *testing.T) {
	for name, accept := range acceptors {
		t.Run(name, func(t *testing.T) {
			s, conn := accept(t, 0, socket.Options{Clock: newFake()})
			msgs, _ := reads(t, s)
			push(t, s, frame("before"))
			s.Flush(nil)
			conn.WaitBlocked() // the frame is on its way, and stays
			for i := range 10_000 {
				conn.Feed(ClientFrame(Final|Ping, fmt.Append(nil, "ping ", i)))
			}
			conn.Feed(ClientFrame(Final|Text, []byte("still here")))
			wantMessage(t, msgs, "still here")
			want := "\x81\x06before\x8a\x09ping 9999"
			if n, frames := s.Waiting(); frames != 2 || n != len(want) {
				t.Errorf("%d bytes in %d frames wait, want %d in 2", n, frames, len(want))
			}
			push(t, s, frame("behind"))
			conn.Take(1 << 10)
			want += "\x81\x06behind"
			if got := string(conn.WaitWritten(len(want))); got != want {
				t.Errorf("on the wire is %q, want %q", got, want)
			}
			conn.Feed(ClientFrame(Final|Ping, []byte("later")))
			want += "\x8a\x05later"
			if got := string(conn.WaitWritten(len(want))); got != want {
				t.Errorf("on the wire is %q, want %q", got, want)
			}
		})
	}
}
