package runtime_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

// FuzzSocket has a client that sends whatever it likes behind a good handshake: raw bytes, frames of any kind, messages, in
// fragments or not. The server answers with frames that are right, lets the connection go, and serves the others as before;
// what serve checks at the end is that nothing of it is left.
func FuzzSocket(f *testing.F) {
	f.Add([]byte("\x03\x00\x03\x01\x03\x02\x03\x03"))                     // good messages
	f.Add([]byte("\x00\x02\x81\x05\x00\x03abc"))                          // a frame without a mask, half of it
	f.Add([]byte("\x01\x02{}\x02\x03\x01ab\x02\x02\x80c\x02\x01\x89"))    // fragments and a ping
	f.Add([]byte("\x02\x03\x88\x03\xe8\x03\x00"))                         // a message behind a close
	f.Add([]byte("\x00\x0e\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff1234")) // a length that is none
	f.Add([]byte("\x02\x05\xc1abcd\x02\x02\x83x\x02\x02\x82y"))           // compressed, reserved, binary
	f.Add([]byte("\x01\x04\xff\xfe\xfd\xfc"))                             // no UTF-8
	f.Fuzz(func(t *testing.T, script []byte) {
		s := serve(t, nil)
		bob := s.dial("user=bob")
		bob.send(join("general"))
		eventually(t, "bob is a member", func() bool { return s.srv.Stats().Members == 1 })
		attack(t, s.url, attackBytes(script))
		eventually(t, "the connection is gone", func() bool { return s.srv.Stats().Connections == 1 })
		bob.send(say("alive"))
		for bob.next() != newsFrame("general", "alive") {
		}
	})
}

// attackBytes makes what is sent of a script: steps of a kind, a length, and so many bytes.
func attackBytes(script []byte) []byte {
	messages := []string{join("general"), say("hi"), `{"type":"LEAVE"}`, `{"type":"ASK","meta":{"correlationId":"1"},"payload":{"text":"x"}}`,
		`{"type":"__heartbeat"}`, `{"type":"$ws:abort","meta":{"correlationId":"1"}}`, `{"type":"$ws:resume","payload":{}}`, `{`}
	var out []byte
	for len(script) >= 2 {
		kind, n := script[0]%4, int(script[1])
		script = script[2:]
		if kind == 3 {
			out = append(out, sockettest.ClientFrame(sockettest.Final|sockettest.Text, []byte(messages[n%len(messages)]))...)
			continue
		}
		n = min(n, len(script))
		chunk := script[:n]
		script = script[n:]
		switch {
		case kind == 0:
			out = append(out, chunk...)
		case kind == 1:
			out = append(out, sockettest.ClientFrame(sockettest.Final|sockettest.Text, chunk)...)
		case n > 0:
			out = append(out, sockettest.ClientFrame(chunk[0], chunk[1:])...)
		}
	}
	return out
}

// attack connects, sends the bytes, ends its side, and reads what comes until the server has ended the other.
func attack(t *testing.T, url string, data []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if err := upgradeRequest(t, url+"/ws?user=mallory").Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v", err)
	}
	go func() { // the server may end the connection meanwhile
		_, _ = conn.Write(data)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	for {
		first, payload, err := sockettest.ReadFrame(in)
		if err != nil {
			if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
				t.Fatal("the server does not end the connection")
			}
			return // io.EOF, or a reset by bytes that nobody wanted
		}
		switch first {
		case sockettest.Final | sockettest.Text, sockettest.Final | sockettest.Ping, sockettest.Final | sockettest.Pong:
		case sockettest.Final | sockettest.Close:
			if len(payload) == 1 {
				t.Error("a close frame of one byte")
			}
			_, _ = io.Copy(io.Discard, in)
			return
		default:
			t.Fatalf("a frame that begins with %#x", first)
		}
	}
}
