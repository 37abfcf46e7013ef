package conformance_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	wscluster "github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/conformance/talk"
)

// clients are what talks to the server in a replay.
type clients struct {
	t       *testing.T
	srv     *talk.Server
	http    *wstest.Server
	profile string
	conns   map[any]*wstest.RawConn // by their names; nil is the name of the last one that got none, "before" of the one before it
	names   names
}

// TestServerFixtures sends what clients do, and compares what comes back.
func TestServerFixtures(t *testing.T) {
	fixtures(t, []string{"server"}, func(t *testing.T, f *fixture, profile string) replay {
		c := &clients{t: t, profile: profile, conns: map[any]*wstest.RawConn{}, names: names{}}
		cluster := memory.New(clock.Real{})
		for i := range max(f.Server.Nodes, 1) {
			c.serve(cluster, i, f.Server.Nodes > 0)
		}
		time.Sleep(30 * time.Second) // until the nodes know each other
		if !f.connects() {
			c.connect(map[string]any{}, nil)
		}
		return c
	})
}

// serve starts a server; the last one that was started is talked to.
func (c *clients) serve(cluster *memory.Cluster, i int, node bool) {
	c.t.Helper()
	opts := wsrt.Options{Logger: slog.New(slog.DiscardHandler)}
	if node {
		name := fmt.Sprint("n", i)
		opts.Cluster = &wscluster.Config{Backplane: cluster.Node(name), Node: name, Slots: 16, Clock: clock.Real{}}
	}
	var err error
	if c.srv, err = newServer(opts); err != nil {
		c.t.Fatal(err)
	}
	srv := c.srv
	c.t.Cleanup(func() { _ = srv.Drain(context.Background()) })
	c.http = wstest.Serve(c.t, srv)
}

// do does what the client does in a step, and wants the server to do what it does.
func (c *clients) do(name string, value any, s step) {
	c.t.Helper()
	conn := c.conns[s["on"]]
	switch name {
	case "connect":
		c.connect(value, s["on"])
	case "c2s":
		conn.Send(string(encoded(c.t, c.names.fill(value))))
	case "c2sRaw":
		if data, binary := raw(c.t, value); binary {
			conn.SendBinary(data)
		} else {
			conn.Send(string(data))
		}
	case "s2c":
		c.names.expect(c.t, value, object(c.t, c.next(conn, text(value, "type"))))
	case "close":
		c.nothing(conn)
		reason := conn.ExpectClose(number(value, "code"))
		if ok, err := path.Match(text(value, "reason"), reason); !ok || err != nil {
			c.t.Fatalf("it is closed with the reason %q, want %q", reason, text(value, "reason"))
		}
	case "hangup":
		conn.Close()
	case "cut":
		conn.Drop()
	case "drain":
		go func() { _ = c.srv.Drain(context.Background()) }()
	case "pass":
		pass(value)
	}
}

// connect connects as a client does, and compares what it is answered.
func (c *clients) connect(how, on any) {
	c.t.Helper()
	target, offered := text(how, "path"), texts(members(how)["offered"])
	if token := text(how, "token"); target == "" {
		if token == "" {
			token = "ann"
		}
		target = "/?access_token=" + url.QueryEscape(token)
	}
	if members(how)["offered"] == nil && c.profile != "" {
		offered = []string{c.profile}
	}
	if status := number(how, "refused"); status != 0 {
		_, resp, err := websocket.Dial(c.t.Context(), c.http.URL()+target,
			&websocket.DialOptions{HTTPClient: c.http.Client(), Subprotocols: offered})
		if err == nil || resp == nil || resp.StatusCode != status {
			c.t.Fatalf("the handshake ends with %v, %v; want %d", resp, err, status)
		}
		return
	}
	conn := wstest.Dial(c.t, c.http, target, offered...)
	chosen, ok := members(how)["chosen"]
	if !ok {
		chosen = c.profile
	}
	if got := conn.Subprotocol(); got != chosen {
		c.t.Fatalf("the server chose %q, want %q", got, chosen)
	}
	if on == nil && c.conns[nil] != nil {
		c.conns["before"] = c.conns[nil]
	}
	c.conns[on] = conn
}

// next returns the next frame. That a connection has a session is passed over, unless it is wanted.
func (c *clients) next(conn *wstest.RawConn, want string) []byte {
	c.t.Helper()
	for {
		frame := []byte(conn.Next())
		if want == "$ws:session" || object(c.t, frame)["type"] != "$ws:session" {
			return frame
		}
	}
}

// nothing wants a connection to have got nothing else.
func (c *clients) nothing(conn *wstest.RawConn) {
	c.t.Helper()
	wstest.Settle()
	left := slices.DeleteFunc(conn.Frames(), func(frame string) bool { return object(c.t, []byte(frame))["type"] == "$ws:session" })
	if len(left) > 0 {
		c.t.Fatalf("the server sends, too: %q", left)
	}
}

// end wants nothing else to have come.
func (c *clients) end() {
	c.t.Helper()
	for _, conn := range c.conns {
		c.nothing(conn)
	}
}
