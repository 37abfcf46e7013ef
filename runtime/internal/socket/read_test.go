package socket_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/internal/socket"
	. "github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

func TestReadsMessages(t *testing.T) {
	long := strings.Repeat("ü", 40_000)
	fragments := [][]byte{ClientFrame(Text, []byte("h"))}
	for _, c := range []byte("ello wörld") {
		fragments = append(fragments, ClientFrame(Continuation, []byte{c}))
	}
	fragments = append(fragments, ClientFrame(Final|Continuation, nil))
	for _, c := range []struct {
		name string
		send [][]byte
		want string
	}{
		{"short", [][]byte{ClientFrame(Final|Text, []byte("hi"))}, "hi"},
		{"empty", [][]byte{ClientFrame(Final|Text, nil)}, ""},
		{"16-bit length", [][]byte{ClientFrame(Final|Text, bytes.Repeat([]byte("a"), 126))}, strings.Repeat("a", 126)},
		{"64-bit length", [][]byte{ClientFrame(Final|Text, []byte(long))}, long},
		{"one byte per fragment", fragments, "hello wörld"},
		{"unsolicited pong before", [][]byte{ClientFrame(Final|Pong, []byte("x")), ClientFrame(Final|Text, []byte("hi"))}, "hi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := connect(t, socket.Options{MaxMessage: 1 << 20})
			msgs, _ := l.reads()
			l.send(c.send...)
			wantMessage(t, msgs, c.want)
		})
	}
}

func TestReadsWhatCameWithTheRequest(t *testing.T) {
	l := connect(t, socket.Options{}, ClientFrame(Final|Text, []byte("early"))...)
	msgs, _ := l.reads()
	wantMessage(t, msgs, "early")
	l.text("later")
	wantMessage(t, msgs, "later")
}

func TestAnswersPingsBetweenFragments(t *testing.T) {
	l := connect(t, socket.Options{})
	msgs, _ := l.reads()
	l.send(ClientFrame(Text, []byte("a")), ClientFrame(Final|Ping, []byte("are you there")))
	l.want("pong are you there")
	l.send(ClientFrame(Final|Continuation, []byte("b")))
	wantMessage(t, msgs, "ab")
}

// TestRefusesBadFrames sends what RFC 6455 does not allow. The peer gets a close frame, and then TCP ends.
func TestRefusesBadFrames(t *testing.T) {
	unmasked := []byte{Final | Text, 2, 'h', 'i', 0x81, 0x82, 0, 0, 0, 0, 'x', 'y'}
	for _, c := range []struct {
		name string
		send []byte
		code int
	}{
		{"binary", ClientFrame(Final|Binary, []byte("hi")), 1003},
		{"bad UTF-8", ClientFrame(Final|Text, []byte("a\xff")), 1007},
		{"half a character", ClientFrame(Final|Text, []byte("\xc3")), 1007},
		{"lone surrogate", ClientFrame(Final|Text, []byte("\xed\xa0\x80")), 1007},
		{"one byte too long", ClientFrame(Final|Text, bytes.Repeat([]byte("a"), 1001)), 1009},
		{"declared length of 2^62", []byte{Final | Text, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 0},
		{"unmasked", unmasked, 1002},
		{"compressed", ClientFrame(0x40|Final|Text, []byte("hi")), 1002},
		{"reserved bit", ClientFrame(0x10|Final|Text, []byte("hi")), 1002},
		{"two reserved bits", ClientFrame(0x60|Final|Text, []byte("hi")), 1002},
		{"opcode 3", ClientFrame(Final|3, nil), 1002},
		{"opcode 4", ClientFrame(Final|4, []byte("hi")), 1002},
		{"opcode 5", ClientFrame(5, []byte("hi")), 1002},
		{"opcode 6", ClientFrame(Final|6, nil), 1002},
		{"opcode 7", ClientFrame(Final|7, nil), 1002},
		{"opcode B", ClientFrame(Final|0xb, nil), 1002},
		{"opcode C", ClientFrame(Final|0xc, []byte("hi")), 1002},
		{"opcode D", ClientFrame(Final|0xd, nil), 1002},
		{"opcode E", ClientFrame(0xe, nil), 1002},
		{"opcode F", ClientFrame(Final|0xf, nil), 1002},
		{"declared length of 2^63", []byte{Final | Text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1002},
		{"declared length of 2^64-1", []byte{Final | Text, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 1002},
		{"ping without its end", ClientFrame(Ping, []byte("x")), 1002},
		{"fragmented ping", ClientFrame(Ping, nil), 1002},
		{"ping of 126 bytes", ClientFrame(Final|Ping, make([]byte, 126)), 1002},
		{"continuation of nothing", ClientFrame(Final|Continuation, []byte("hi")), 1002},
		{"message in a message", append(ClientFrame(Text, []byte("a")), ClientFrame(Final|Text, []byte("b"))...), 1002},
		{"close of one byte", ClientFrame(Final|Close, []byte{3}), 1002},
		{"close with 1005", ClientFrame(Final|Close, []byte{0x03, 0xed}), 1002},
		{"close with 999", ClientFrame(Final|Close, []byte{0x03, 0xe7}), 1002},
		{"close with 5000", ClientFrame(Final|Close, []byte{0x13, 0x88}), 1002},
		{"close whose reason is no UTF-8", ClientFrame(Final|Close, []byte("\x03\xe8\xff")), 1007},
	} {
		t.Run(c.name, func(t *testing.T) {
			clk := newFake()
			l := connect(t, socket.Options{MaxMessage: 1000, Clock: clk})
			msgs, ends := l.reads()
			l.send(c.send)
			if c.code == 0 { // it waits for more, and does not allocate what was announced
				l.sock.Close(1000, "")
				l.want("close 1000")
				return
			}
			first, payload, err := ReadFrame(l.br)
			if err != nil || first != Final|Close || len(payload) < 2 || int(payload[0])<<8|int(payload[1]) != c.code {
				t.Fatalf("got %q (%v), want close %d", describe(first, payload), err, c.code)
			}
			l.wantEnd() // without a move of the clock: the sending side is closed at once
			l.conn.Close()
			wantClosed(t, ends, c.code, true)
			if msg, ok := <-msgs; ok {
				t.Errorf("the message %q was handed out", msg)
			}
		})
	}
}

func TestMessageLimitIsExact(t *testing.T) {
	for _, fragmented := range []bool{false, true} {
		for _, n := range []int{65535, 65536, 65537} {
			l := connect(t, socket.Options{MaxMessage: 65536})
			msgs, ends := l.reads()
			msg := strings.Repeat("a", n)
			if fragmented {
				l.send(ClientFrame(Text, []byte(msg[:40_000])), ClientFrame(Continuation, []byte(msg[40_000:])), ClientFrame(Final|Continuation, nil))
			} else {
				l.text(msg)
			}
			if n <= 65536 {
				wantMessage(t, msgs, msg)
				continue
			}
			l.want("close 1009 a message may have 65536 bytes")
			l.conn.Close()
			wantClosed(t, ends, 1009, true)
		}
	}
}

func TestEndlessFragmentsAreRefused(t *testing.T) {
	for name, piece := range map[string][]byte{"empty": {}, "one byte": {'a'}} {
		t.Run(name, func(t *testing.T) {
			s, conn := memory(t, -1, socket.Options{MaxMessage: 1 << 20, Clock: newFake()})
			conn.Feed(ClientFrame(Text, nil))
			conn.Feed(bytes.Repeat(ClientFrame(Continuation, piece), 1_000_000))
			conn.End()
			_, err := s.Read()
			if e, ok := errors.AsType[*socket.CloseError](err); !ok || e.Code != 1008 {
				t.Errorf("got %v, want a close with 1008", err)
			}
		})
	}
}

// TestAnIncompleteMessageIsNoMessage breaks off between two fragments, where coder/websocket reports the message's end.
func TestAnIncompleteMessageIsNoMessage(t *testing.T) {
	s, conn := memory(t, -1, socket.Options{})
	conn.Feed(ClientFrame(Text, []byte(`{"delete":"all`)))
	conn.End()
	msg, err := s.Read()
	if e, ok := errors.AsType[*socket.CloseError](err); !ok || e.Code != 1006 || e.Local {
		t.Errorf("Read returned %q and %v, want a close with 1006", msg, err)
	}
}

func TestTheReaderLearnsHowThePeerEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		send   []byte
		code   int
		reason string
		answer string
	}{
		{"code and reason", ClientFrame(Final|Close, []byte("\x03\xe8bye")), 1000, "bye", "close 1000 bye"},
		{"no code", ClientFrame(Final|Close, nil), 1005, "", "close"},
		{"own code", ClientFrame(Final|Close, []byte("\x0f\xa0")), 4000, "", "close 4000"},
		{"end of TCP", nil, 1006, "", ""},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				open := connect
				if secure {
					open = func(t *testing.T, o socket.Options, _ ...byte) *link { return connectTLS(t, o) }
				}
				l := open(t, socket.Options{Clock: newFake()})
				_, ends := l.reads()
				if c.send == nil {
					l.conn.Close()
				} else {
					l.send(c.send)
					l.want(c.answer)
					l.wantEnd()
				}
				if e := wantClosed(t, ends, c.code, false); e.Reason != c.reason {
					t.Errorf("reason %q, want %q", e.Reason, c.reason)
				}
			})
		}
	}
}

func TestAcceptRefusesWhatIsNoUpgrade(t *testing.T) {
	valid := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {Key}}
	for _, c := range []struct {
		name   string
		edit   func(r *http.Request)
		status int
	}{
		{"no WebSocket", func(r *http.Request) { r.Header = http.Header{} }, 426},
		{"POST", func(r *http.Request) { r.Method = "POST" }, 405},
		{"HTTP/1.0", func(r *http.Request) { r.ProtoMinor = 0 }, 426},
		{"version 8", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, 400},
		{"no key", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") }, 400},
		{"short key", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "aGk=") }, 400},
		{"long key", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSE=") }, 400},
		{"key that is no base64", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "????????????????????????") }, 400},
		{"two keys", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", Key) }, 400},
		{"no version", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Version") }, 400},
		{"no Connection", func(r *http.Request) { r.Header.Del("Connection") }, 426},
		{"no Upgrade", func(r *http.Request) { r.Header.Del("Upgrade") }, 426},
		{"another Upgrade", func(r *http.Request) { r.Header.Set("Upgrade", "h2c") }, 426},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/ws", nil)
			r.Header = valid.Clone()
			c.edit(r)
			w := &hijackable{ResponseRecorder: httptest.NewRecorder()}
			if _, err := socket.Accept(w, r, "", &socket.Options{}); err == nil {
				t.Fatal("accepted")
			}
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
		})
	}
	t.Run("middleware that hides the connection", func(t *testing.T) {
		r := httptest.NewRequest("GET", "/ws", nil)
		r.Header = valid.Clone()
		w := httptest.NewRecorder()
		_, err := socket.Accept(w, r, "", &socket.Options{})
		if err == nil || !strings.Contains(err.Error(), "Unwrap") || w.Code != http.StatusNotImplemented {
			t.Errorf("status %d and %v, want 501 and what to do", w.Code, err)
		}
	})
}

// TestMessagesOfMixedSizesStayApart uses the same buffers again and again.
func TestMessagesOfMixedSizesStayApart(t *testing.T) {
	s, conn := memory(t, -1, socket.Options{MaxMessage: 1 << 20, Clock: newFake()})
	msgs, _ := reads(t, s)
	for n := range 200 {
		want := strings.Repeat(string(rune('a'+n%26)), n*n)
		conn.Feed(ClientFrame(Final|Text, []byte(want)))
		wantMessage(t, msgs, want)
	}
}

// TestMessagesInPiecesOfAnySize has messages arrive whole, several at once, and broken off anywhere: some are taken from where
// they arrived, the others are read by coder/websocket.
func TestMessagesInPiecesOfAnySize(t *testing.T) {
	var stream []byte
	var want []string
	for i, n := range []int{0, 1, 7, 8, 9, 15, 125, 126, 127, 300, 4000, 4088, 4089, 4096, 5000, 2} {
		msg := strings.Repeat(string(rune('a'+i)), n)
		stream = append(stream, ClientFrame(Final|Text, []byte(msg))...)
		stream = append(stream, ClientFrame(Final|Pong, nil)...)
		stream = append(stream, ClientFrame(Text, []byte(msg))...)
		stream = append(stream, ClientFrame(Final|Ping, []byte("p"))...)
		stream = append(stream, ClientFrame(Final|Continuation, []byte("ü"))...)
		want = append(want, msg, msg+"ü")
	}
	for _, piece := range []int{1, 3, 64, 1000, 4096, len(stream)} {
		t.Run(fmt.Sprint(piece), func(t *testing.T) {
			l := connect(t, socket.Options{MaxMessage: 1 << 20})
			msgs, _ := l.reads()
			go func() { _, _ = io.Copy(io.Discard, l.br) }() // the pongs
			go func() {
				for rest := stream; len(rest) > 0; {
					n := min(piece, len(rest))
					_, _ = l.conn.Write(rest[:n])
					rest = rest[n:]
				}
			}()
			for _, msg := range want {
				wantMessage(t, msgs, msg)
			}
		})
	}
}

type hijackable struct{ *httptest.ResponseRecorder }

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.ErrUnsupported
}

func FuzzRead(f *testing.F) {
	f.Add(ClientFrame(Final|Text, []byte("hi")))
	f.Add(append(ClientFrame(Text, []byte("a")), ClientFrame(Final|Close, []byte("\x03\xe8"))...))
	f.Add([]byte{Final | Text, 2, 'h', 'i'})
	f.Add(ClientFrame(Final|Ping, make([]byte, 125)))
	f.Fuzz(func(t *testing.T, in []byte) {
		conn := NewConn(-1)
		s, err := Accept(conn, socket.Options{MaxMessage: 100, Clock: newFake()})
		if err != nil {
			t.Fatal(err)
		}
		conn.Feed(in)
		conn.End()
		for range len(in) + 1 {
			msg, err := s.Read()
			if err == nil {
				if len(msg) > 100 {
					t.Fatalf("a message of %d bytes", len(msg))
				}
				continue
			}
			if !conn.Closed() {
				t.Fatal("the connection is open after an error")
			}
			wantFrames(t, conn.Written())
			return
		}
		t.Fatal("more messages than bytes")
	})
}

// wantFrames checks that bytes are whole frames of which a close frame is the last.
func wantFrames(t *testing.T, b []byte) {
	t.Helper()
	r := bytes.NewReader(b)
	closed := false
	for r.Len() > 0 {
		first, payload, err := ReadFrame(r)
		if err != nil {
			t.Fatalf("broken frame: %v", err)
		}
		if closed {
			t.Fatalf("%q after the close frame", describe(first, payload))
		}
		closed = first&0xf == Close
	}
}
