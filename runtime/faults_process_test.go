package runtime_test

// What the process, and the system that it runs on, do to a server.

import (
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// exhausted is a listener of a process that has no descriptors left, while it says so.
type exhausted struct {
	net.Listener
	none  atomic.Bool
	tried atomic.Int32
}

func (l *exhausted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.none.Load() {
		l.tried.Add(1)
		c.Close()
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return c, err
}

// TestNoDescriptorsLeft keeps those who are connected while nobody else can be, and lets others in when there are descriptors again.
func TestNoDescriptorsLeft(t *testing.T) {
	s := serve(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	few := &exhausted{Listener: l}
	server := &http.Server{Handler: s.srv, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(few) }()
	defer func() {
		server.Close()
		if err := receive(t, served); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	s.url = "http://" + l.Addr().String()

	ann := s.dial("user=ann")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	few.none.Store(true)
	for range 3 {
		if _, code := s.tryDial("user=bob", nil); code != 0 {
			t.Errorf("without a descriptor bob gets %d", code)
		}
	}
	if n := few.tried.Load(); n < 3 {
		t.Errorf("the server has tried %d times to accept", n)
	}
	ann.send(say("still here"))
	ann.expect(newsFrame("a", "still here"))
	few.none.Store(false)
	bob := s.dial("user=bob")
	bob.send(join("a"))
	bob.expect(newsFrame("a", "joined bob"))
	ann.expect(newsFrame("a", "joined bob"))
	if st := s.srv.Stats(); st.Connections != 2 {
		t.Errorf("%d connections, want those of ann and bob", st.Connections)
	}
}

// TestCodesOfClientsAreFew closes connections with codes that nobody has agreed on: figures do not grow with them.
func TestCodesOfClientsAreFew(t *testing.T) {
	s := serve(t, nil)
	for i := range 10 {
		for _, code := range []int{1000, 3001 + i, 4100 + i} {
			_ = s.dial("user=ann").ws.Close(websocket.StatusCode(code), "")
		}
	}
	eventually(t, "all are gone", func() bool { st := s.srv.Stats(); return st.Accepted == 30 && st.Connections == 0 })
	want := map[int]uint64{1000: 10, 3000: 10, 4000: 10}
	if got := s.srv.Stats().Closes; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
