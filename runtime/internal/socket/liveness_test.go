package socket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/socket"
	. "github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

var liveness = socket.Liveness{Interval: 25 * time.Second, Timeout: 10 * time.Second, Message: 35 * time.Second}

// pass lets time pass as a hub sees it, with a check every second.
func pass(clk *clock.Fake, s *socket.Socket, d time.Duration) {
	for ; d > 0; d -= time.Second {
		clk.Advance(time.Second)
		s.Check(liveness, socket.NewPing(), clk.Now().UnixNano())
	}
}

const ping = "\x89\x00"

func TestPingsComeAtRegularTimesAfterARandomFirst(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	reads(t, s)
	var first int
	for first = 0; len(conn.Written()) == 0; first++ {
		pass(clk, s, time.Second)
	}
	if first < 12 || first > 27 {
		t.Errorf("the first ping came after %d s, want between half of 25 and 25", first)
	}
	for n := 2; n < 5; n++ {
		conn.Feed(ClientFrame(Final|Pong, nil))
		conn.Drained()
		pass(clk, s, 24*time.Second)
		if got := len(conn.Written()) / 2; got != n-1 {
			t.Fatalf("%d pings before 25 s, want %d", got, n-1)
		}
		pass(clk, s, time.Second)
		if got := string(conn.Written()); got != strings.Repeat(ping, n) {
			t.Fatalf("after 25 s is on the wire %q", got)
		}
	}
}

func TestAPeerWithoutASignOfLifeIsGivenUp(t *testing.T) {
	for name, accept := range acceptors {
		for _, room := range []int{0, -1} { // the ping is not even taken
			t.Run(name, func(t *testing.T) {
				clk := newFake()
				s, conn := accept(t, room, socket.Options{Clock: clk})
				_, ends := reads(t, s)
				pass(clk, s, 12*time.Second+10*time.Second)
				if conn.Closed() {
					t.Fatal("given up before the time of a ping and its answer")
				}
				pass(clk, s, 16*time.Second)
				if e := wantClosed(t, ends, 1006, true); !strings.Contains(e.Error(), "no answer to a ping") {
					t.Errorf("it ended with %v", e)
				}
			})
		}
	}
}

// TestAnyByteIsASignOfLife has a peer that is in the middle of a long message when the ping comes.
func TestAnyByteIsASignOfLife(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	msgs, _ := reads(t, s)
	for len(conn.Written()) == 0 {
		pass(clk, s, time.Second)
	}
	msg := ClientFrame(Final|Text, []byte("slow, but alive"))
	for i := range msg {
		conn.Feed(msg[i : i+1])
		conn.Drained()
		pass(clk, s, time.Second)
	}
	wantMessage(t, msgs, "slow, but alive")
}

func TestAMessageHasToComeToItsEnd(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	_, ends := reads(t, s)
	conn.Feed(ClientFrame(Text, []byte("a")))
	conn.Drained()
	for range 36 {
		conn.Feed(ClientFrame(Continuation, nil))
		conn.Drained()
		pass(clk, s, time.Second)
	}
	pass(clk, s, 2*time.Second)
	e := wantClosed(t, ends, 1008, true)
	if !strings.Contains(e.Reason, "too long") {
		t.Errorf("reason %q", e.Reason)
	}
}

func TestTheOldestFrameHasAnAge(t *testing.T) {
	clk, stats := newFake(), new(socket.Stats)
	s, conn := memory(t, 0, socket.Options{Clock: clk, Stats: stats, Bounds: socket.Bounds{Age: 5 * time.Second}})
	_, ends := reads(t, s)
	pass(clk, s, 3*time.Second)
	s.Push(frame("first"), clk.Now().UnixNano(), nil)
	s.Flush(nil)
	conn.WaitBlocked()
	pass(clk, s, 3*time.Second)
	s.Push(frame("second"), clk.Now().UnixNano(), nil)
	conn.Take(frame("first").Len())
	conn.WaitWritten(frame("first").Len())
	eventually(t, "one frame waits", func() bool { _, n := s.Waiting(); return n == 1 })
	pass(clk, s, 5*time.Second)
	if stats.Slow.Load() != 0 {
		t.Fatal("closed, although no frame is older than 5 s")
	}
	pass(clk, s, time.Second)
	if stats.Slow.Load() != 1 {
		t.Fatal("not closed, although a frame is older than 5 s")
	}
	pass(clk, s, time.Second)
	wantClosed(t, ends, 1013, true)
}

// TestTheTimeOfAMessageNeedsNoPings has a peer that keeps everything waiting, on a server without pings.
func TestTheTimeOfAMessageNeedsNoPings(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	msgs, ends := reads(t, s)
	limit := socket.Liveness{Message: 10 * time.Second}
	wait := func(d time.Duration) {
		clk.Advance(d)
		s.Check(limit, socket.NewPing(), clk.Now().UnixNano())
	}
	wait(time.Hour) // there is no message
	whole := ClientFrame(Final|Text, []byte("slow"))
	conn.Feed(whole[:7])
	conn.Drained()
	wait(10 * time.Second)
	conn.Feed(whole[7:])
	wantMessage(t, msgs, "slow")
	conn.Drained()
	wait(time.Hour)
	conn.Feed(whole[:7])
	conn.Drained()
	wait(10*time.Second + 1)
	wait(closeWait) // of the peer, which does not answer
	wantClosed(t, ends, 1008, true)
}

func TestZeroTurnsPingsOff(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	reads(t, s)
	for range 1000 {
		clk.Advance(time.Second)
		s.Check(socket.Liveness{Timeout: time.Second}, socket.NewPing(), clk.Now().UnixNano())
	}
	if len(conn.Written()) > 0 || conn.Closed() {
		t.Error("a socket without liveness was pinged or closed")
	}
}

// TestAReaderThatWaitsIsNoSilentPeer pauses the reader when a ping was sent, for longer than its answer may take: nobody could
// have read that. After it the peer is asked again.
func TestAReaderThatWaitsIsNoSilentPeer(t *testing.T) {
	clk := newFake()
	s, conn := memory(t, -1, socket.Options{Clock: clk})
	msgs, ends := reads(t, s)
	conn.Feed(ClientFrame(Final|Text, []byte("hello")))
	wantMessage(t, msgs, "hello")
	for len(conn.Written()) == 0 {
		pass(clk, s, time.Second)
	}
	woken := make(chan struct{}, 10)
	s.Pause(func() { woken <- struct{}{} })
	pass(clk, s, time.Minute)
	s.Resume()
	pass(clk, s, 9*time.Second)
	if conn.Closed() || len(woken) > 0 || s.Closing() {
		t.Fatal("it was given up")
	}
	pass(clk, s, 40*time.Second) // now it is silent
	wantClosed(t, ends, 1006, true)
	if s.Pause(func() { woken <- struct{}{} }); len(woken) != 1 || !s.Closing() {
		t.Error("who waits is not told that the connection has ended")
	}
}

func TestAReaderThatWaitsLearnsOfTheEnd(t *testing.T) {
	for name, end := range map[string]func(s *socket.Socket){
		"closed":  func(s *socket.Socket) { s.Close(1000, "") },
		"slow":    func(s *socket.Socket) { s.CloseSlow("") },
		"aborted": func(s *socket.Socket) { s.Abort() },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := memory(t, -1, socket.Options{Clock: newFake()})
			woken := make(chan struct{}, 10)
			s.Pause(func() { woken <- struct{}{} })
			if s.Closing() || len(woken) > 0 {
				t.Fatal("it has not ended")
			}
			if end(s); !s.Closing() || len(woken) == 0 {
				t.Error("who waits is not told")
			}
			s.Abort()
		})
	}
}
