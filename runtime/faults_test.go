package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// TestSlowAuthentication answers for a program that takes its time, and does not keep a place for it.
func TestSlowAuthentication(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var asked atomic.Int32
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		inner := cfg.Authenticate
		cfg.Limits.Connections = 1
		cfg.Authenticate = func(r *http.Request, token string) (any, error) {
			if r.URL.Query().Get("user") == "slow" {
				asked.Add(1)
				<-release // whatever its context says
			}
			return inner(r, token)
		}
	})
	refused := make(chan int, 1)
	go func() {
		resp, err := http.DefaultClient.Do(upgradeRequest(t, s.url+"/?user=slow"))
		if err != nil {
			refused <- 0
			return
		}
		resp.Body.Close()
		refused <- resp.StatusCode
	}()
	eventually(t, "the program is asked", func() bool { return asked.Load() == 1 })
	if _, code := s.tryDial("user=ann", nil); code != http.StatusServiceUnavailable {
		t.Errorf("while it is asked about the only place, another one gets %d", code)
	}
	s.clock.Advance(10 * time.Second)
	if code := receive(t, refused); code != http.StatusServiceUnavailable {
		t.Errorf("after the time for the handshake the client gets %d", code)
	}
	if _, code := s.tryDial("user=ann", nil); code != http.StatusSwitchingProtocols {
		t.Errorf("the place is kept: %d", code)
	}
	if n := s.srv.Stats().Refused["timeout"]; n != 1 {
		t.Errorf("%d were refused for the time", n)
	}
}

func upgradeRequest(t *testing.T, url string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(k, v)
	}
	return r
}

// TestHandshakeRates lets so many in for a time, and says when to come again.
func TestHandshakeRates(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits wsrt.Limits
		code   int
		after  string
		reason string
	}{
		{"of the server", wsrt.Limits{Handshakes: 3}, http.StatusServiceUnavailable, "1", "rate"},
		{"of an address", wsrt.Limits{HandshakesIP: 3}, http.StatusTooManyRequests, "20", "ip-rate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits = test.limits })
			for range 3 {
				if _, code := s.tryDial("user=ann", nil); code != http.StatusSwitchingProtocols {
					t.Fatalf("got %d", code)
				}
			}
			resp, code := s.tryDial("user=ann", nil)
			if code != test.code || resp.Header.Get("Retry-After") != test.after {
				t.Errorf("the fourth gets %d, after %q", code, resp.Header.Get("Retry-After"))
			}
			s.clock.Advance(20 * time.Second)
			if _, code := s.tryDial("user=ann", nil); code != http.StatusSwitchingProtocols {
				t.Errorf("later one gets %d", code)
			}
			if n := s.srv.Stats().Refused[test.reason]; n != 1 {
				t.Errorf("%d were refused for %s", n, test.reason)
			}
		})
	}
}

// TestManyComeBackAtOnce breaks 500 connections off and brings all of them back while messages go on: each has every message
// once, in order.
func TestManyComeBackAtOnce(t *testing.T) {
	const n, before, meanwhile, after = 500, 5, 20, 5
	rooms, connected := make(chan *wsrt.Room, 1), make(chan *wsrt.Conn, 1)
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 100, Bytes: 1 << 20, Age: time.Minute}), func(cfg *wsrt.ServerConfig) {
		cfg.PingInterval, cfg.OnLeave = -1, nil
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
	})
	keeper := s.dial("user=keeper")
	receive(t, connected)
	keeper.send(join("a"))
	keeper.next()
	room := receive(t, rooms)
	publish := func(n int) {
		for range n {
			if err := room.Publish(news, &body{RoomID: "a", Text: "x"}); err != nil {
				t.Error(err)
			}
		}
	}
	l := &lifecycle{t: t, s: s, room: room, connected: connected}
	clients := make([]*modelClient, n)
	for i := range clients {
		c := &modelClient{t: t, user: fmt.Sprint("u", i)}
		l.open(c)
		if err := room.Join(c.conn); err != nil {
			t.Fatal(err)
		}
		clients[i] = c
	}
	publish(before)
	last := func(c *modelClient) uint64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.at
	}
	for _, c := range clients {
		eventually(t, "all have what was published before", func() bool { return last(c) == 1+before })
		c.wire.Close()
	}
	eventually(t, "all are gone", func() bool { return room.Len() == 1 })
	go publish(meanwhile)
	for _, c := range clients {
		c.mu.Lock()
		session, epoch, at := c.session, c.epoch, c.at
		c.in, c.answer = false, "?"
		c.mu.Unlock()
		l.open(c)
		c.wire.send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:a":{"epoch":%q,"seq":%d}}}}`, session, epoch, at))
	}
	eventually(t, "all are back", func() bool { return room.Len() == 1+n })
	publish(after)
	for _, c := range clients {
		eventually(t, c.user+" has everything", func() bool { return last(c) == 1+before+meanwhile+after })
		c.wire.Close()
	}
}

// variant is set in a process that runs these tests in another way.
const variant = "WSGEN_TEST_VARIANT"

// TestVariants runs the tests of this package on one core, without garbage collection, and with frames that coder/websocket writes.
func TestVariants(t *testing.T) {
	if testing.Short() || os.Getenv(variant) != "" {
		t.Skip("this is a variant")
	}
	for name, env := range map[string]string{"one core": "GOMAXPROCS=1", "unprepared": "GOGC=100", "no collection": "GOGC=off"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.short", "-test.timeout=9m")
			cmd.Env = append(os.Environ(), variant+"="+name, env)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if !strings.Contains(string(out), "PASS") {
				t.Errorf("it says %s", out)
			}
		})
	}
}
