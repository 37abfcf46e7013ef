package wstest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo sends back what it gets, and closes with 4403 when that is "bye".
func echo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ws" {
		http.Error(w, "no socket here", http.StatusNotFound)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"wsgen.v1"}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		typ, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if string(data) == "bye" {
			_ = conn.Close(4403, "go away")
			return
		}
		_ = conn.Write(context.Background(), typ, data)
	}
}

func TestRawConn(t *testing.T) {
	srv := wstest.Serve(t, http.HandlerFunc(echo))
	c := wstest.Dial(t, srv, "/ws?room=general", "wsgen.v1")
	if c.Subprotocol() != "wsgen.v1" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	c.Send(`{"a":1,"b":[2,"x"]}`)
	c.SendBinary([]byte("binary"))
	c.Send("bye")
	c.Expect(` {"b": [2, "x"], "a": 1.0} `)
	if got := c.Next(); got != "binary" {
		t.Errorf("Next() = %q", got)
	}
	if reason := c.ExpectClose(4403); reason != "go away" {
		t.Errorf("reason %q", reason)
	}
}

func TestHTTPClient(t *testing.T) {
	srv := wstest.Serve(t, http.HandlerFunc(echo))
	resp, err := srv.Client().Get("http://any.host/other")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 404 || string(body) != "no socket here\n" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// The server sees addresses as of TCP, a new one for each connection.
func TestAddresses(t *testing.T) {
	seen := make(chan string, 2)
	srv := wstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.RemoteAddr
		echo(w, r)
	}))
	wstest.Dial(t, srv, "/ws")
	wstest.Dial(t, srv, "/ws").Close()
	if a, b := <-seen, <-seen; a == b || !strings.HasPrefix(a, "192.0.2.2:") {
		t.Errorf("remote addresses %s and %s", a, b)
	}
}

func TestDialerAndDropConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := wstest.Serve(t, http.HandlerFunc(echo))
		states := make(chan client.State, 10)
		clock := wstest.NewClock()
		c, err := client.Dial(t.Context(), srv.URL()+"/ws", &wsrt.Protocol{}, nil, srv.Dialer(), client.WithClock(clock),
			client.WithOnState(func(s client.State, _ error) { states <- s }))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw := wstest.Dial(t, srv, "/ws")
		srv.DropConnections()
		raw.ExpectDrop()
		synctest.Wait()
		clock.Advance(time.Second)
		for _, want := range []client.State{client.Open, client.Reconnecting, client.Open} {
			if got := <-states; got != want {
				t.Errorf("state %v, want %v", got, want)
			}
		}
	})
}

// A tb records the failure that it is told of.
type tb struct {
	testing.TB
	failure string
}

func (t *tb) Helper() {}

func (t *tb) Fatalf(format string, args ...any) {
	t.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name string
		f    func(c *wstest.RawConn)
		want string
	}{
		{"silence", func(c *wstest.RawConn) { c.Next() }, "nothing came within 10s"},
		{"other frame", func(c *wstest.RawConn) { c.Send(`{"a":1}`); c.Expect(`{"a":2}`) }, "wrong frame\ngot  {\"a\":1}\nwant {\"a\":2}"},
		{"no JSON", func(c *wstest.RawConn) { c.Send(`x`); c.Expect(`{}`) }, "the frame is no JSON"},
		{"wanted is no JSON", func(c *wstest.RawConn) { c.Send(`1`); c.Expect(`{`) }, "the wanted frame is no JSON"},
		{"closed", func(c *wstest.RawConn) { c.Send(`bye`); c.Expect(`{}`) }, "4403"},
		{"not closed", func(c *wstest.RawConn) { c.Send(`1`); c.ExpectClose(1000) }, "got 1, want the connection closed with 1000"},
		{"closed otherwise", func(c *wstest.RawConn) { c.Send(`bye`); c.ExpectClose(1000) }, "want the connection closed with 1000"},
		{"closed, not dropped", func(c *wstest.RawConn) { c.Send(`bye`); c.ExpectDrop() }, "want the connection cut"},
		{"send after the end", func(c *wstest.RawConn) { c.Drop(); c.Send(`1`) }, "send 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := wstest.Serve(t, http.HandlerFunc(echo))
				rec := &tb{TB: t}
				done := make(chan struct{})
				go func() {
					defer close(done)
					tt.f(wstest.Dial(rec, srv, "/ws"))
				}()
				<-done
				if !strings.Contains(rec.failure, tt.want) {
					t.Errorf("failed with %q, want %q", rec.failure, tt.want)
				}
			})
		})
	}
}

func TestDialFailure(t *testing.T) {
	srv := wstest.Serve(t, http.HandlerFunc(echo))
	rec := &tb{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wstest.Dial(rec, srv, "/other")
	}()
	<-done
	if !strings.Contains(rec.failure, "404") || !strings.Contains(rec.failure, "no socket here") {
		t.Errorf("failed with %q", rec.failure)
	}
}
