package runtime_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// tryDial returns the HTTP status of a handshake; 101 when it is let in.
func (s *testServer) tryDial(query string, header http.Header, protocols ...string) (*http.Response, int) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, s.url+"/ws?"+query, &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if err == nil {
		s.t.Cleanup(func() { ws.CloseNow() })
	}
	if resp == nil {
		return nil, 0
	}
	return resp, resp.StatusCode
}

func TestAdmissionIsAtomic(t *testing.T) {
	for name, tt := range map[string]struct {
		limits wsrt.Limits
		status int
	}{
		"server": {wsrt.Limits{Connections: 5}, 503},
		"ip":     {wsrt.Limits{PerIP: 5}, 429},
		"user":   {wsrt.Limits{PerUser: 5}, 429},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(cfg *wsrt.ServerConfig) {
				cfg.Limits = tt.limits
				inner := cfg.Authenticate
				cfg.Authenticate = func(r *http.Request, token string) (any, error) {
					time.Sleep(time.Millisecond) // handshakes overlap
					return inner(r, token)
				}
			})
			var mu sync.Mutex
			status := map[int]int{}
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					resp, code := s.tryDial("user=ann", nil)
					mu.Lock()
					defer mu.Unlock()
					status[code]++
					if code == tt.status && resp.Header.Get("Retry-After") == "" {
						t.Error("no Retry-After")
					}
				})
			}
			wg.Wait()
			if status[101] != 5 || status[tt.status] != 15 {
				t.Errorf("answers: %v, want 5 of 101 and 15 of %d", status, tt.status)
			}
		})
	}
}

func TestAPlaceIsGivenBack(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits = wsrt.Limits{Connections: 1, PerIP: 1, PerUser: 1} })
	if _, code := s.tryDial("", nil); code != 401 { // takes no place
		t.Errorf("nobody got %d", code)
	}
	for i := range 3 {
		c := s.dial("user=ann")
		c.ws.CloseNow()
		eventually(t, "it has ended", func() bool {
			st := s.srv.Stats()
			return st.Accepted == uint64(i+1) && st.Connections == 0
		})
	}
}

func TestCapacities(t *testing.T) {
	full := func(code, message string) string {
		return errorFrame(code, message, `,"retryable":true,"retryAfterMs":1000`)
	}
	t.Run("room", func(t *testing.T) {
		s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.RoomMembers = 1 })
		a, b := s.dial("user=a"), s.dial("user=b")
		a.send(join("x"))
		a.expect(newsFrame("x", "joined a"))
		b.send(join("x"))
		b.expect(full("ROOM_FULL", "room:x has 1 members"))
		b.send(join("y"))
		b.expect(newsFrame("y", "joined b"))
	})
	t.Run("rooms of a connection", func(t *testing.T) {
		s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.RoomsPerConn = 2 })
		a := s.dial("user=a")
		for _, room := range []string{"x", "y"} {
			a.send(join(room))
			a.expect(newsFrame(room, "joined a"))
		}
		a.send(join("z"))
		a.expect(full("TOO_MANY_ROOMS", "in 2 rooms"))
	})
	t.Run("shard", func(t *testing.T) {
		s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Shards, cfg.Limits.PerShard, cfg.Limits.Rooms = 1, 1, 2 })
		a, b := s.dial("user=a"), s.dial("user=b")
		for _, room := range []string{"x", "y"} { // one connection counts once
			a.send(join(room))
			a.expect(newsFrame(room, "joined a"))
		}
		b.send(join("x"))
		b.expect(full("SHARD_FULL", "the shard has 1 connections"))
		b.send(join("z"))
		b.expect(full("SHARD_ROOMS", "the shard has 2 rooms"))
		a.ws.CloseNow()
		eventually(t, "a is gone", func() bool { return s.srv.Stats().Members == 0 })
		b.send(join("x"))
		b.expect(newsFrame("x", "joined b"))
	})
	t.Run("mailbox and pending", func(t *testing.T) {
		s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.Mailbox, cfg.Limits.Pending = 2, 5 })
		a, b := s.dial("user=a"), s.dial("user=b")
		a.send(`{"type":"SLEEP","payload":{"roomId":"x"}}`)
		receive(t, s.asleep)
		a.send(join("x"), join("x"), join("x"))
		a.expect(errorFrame("RESOURCE_EXHAUSTED", "2 messages wait for room:x", `,"retryable":true,"retryAfterMs":100`))
		for range 5 {
			b.send(`{"type":"SLEEP","payload":{"roomId":"y"}}`)
		}
		b.expect(errorFrame("RESOURCE_EXHAUSTED", "2 messages wait for room:y", `,"retryable":true,"retryAfterMs":100`))
		for range 10 {
			s.wake <- struct{}{}
		}
		a.expect(newsFrame("x", "joined a"))
	})
}

func TestRateIsExact(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	fast := `{"type":"FAST","payload":{"text":"x"}}`
	limited := errorFrame("RESOURCE_EXHAUSTED", "too many FAST messages", `,"retryable":true,"retryAfterMs":500`)
	c.send(fast, fast, fast)
	c.expect(limited)
	receive(t, s.conn)
	receive(t, s.conn)
	s.clock.Advance(499 * time.Millisecond)
	c.send(fast)
	c.expect(errorFrame("RESOURCE_EXHAUSTED", "too many FAST messages", `,"retryable":true,"retryAfterMs":1`))
	s.clock.Advance(time.Millisecond)
	c.send(fast)
	receive(t, s.conn)
}

func TestUnlimitedLiftsRates(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Unlimited, cfg.Limits.RoomMembers = true, 1 })
	c, d := s.dial("user=ann"), s.dial("user=bob")
	for range 50 {
		c.send(`{"type":"FAST","payload":{"text":"x"}}`)
		receive(t, s.conn)
	}
	c.send(join("a"))
	c.expect(newsFrame("a", "joined ann"))
	d.send(join("a"))
	d.expect(newsFrame("a", "joined bob"))
}

func TestTooManyInvalidMessages(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.Invalid = 30 })
	c := s.dial("user=ann")
	for range 31 {
		c.send(`{}`)
	}
	c.expectClose(1008, "too many invalid messages")
	// The connection got the errors of a burst of 20, and no flood.
	n := 0
	for range c.frames {
		n++
	}
	if n != 20 {
		t.Errorf("%d ERROR frames, want 20", n)
	}
}

// TestAFloodOfHeartbeats is answered as far as anybody needs it, and ends the connection where it goes on.
func TestAFloodOfHeartbeats(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.RateViolations = 5 })
	c := s.dial("user=ann")
	beat := func(n int) {
		for range n {
			c.send(`{"type":"__heartbeat"}`)
		}
		c.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	}
	answers := func(want int) {
		t.Helper()
		n := 0
		for f := c.next(); !strings.HasPrefix(f, `{"type":"ECHO_RESPONSE"`); f = c.next() {
			n++
		}
		if n != want {
			t.Errorf("%d were answered, want %d", n, want)
		}
	}
	beat(22)
	answers(20)
	s.clock.Advance(500 * time.Millisecond)
	beat(5)
	answers(5)
	if n := s.srv.Stats().Limited; n != 2 {
		t.Errorf("%d are counted as above a rate", n)
	}
	for range 4 { // after two above the rate, the fourth is one too many
		c.send(`{"type":"__heartbeat"}`)
	}
	c.expectClose(1008, "rate limit exceeded")
}

func TestFrameLimit(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.MessageBytes = 100 })
	c := s.dial("user=ann")
	c.send(`{"type":"WHAT","payload":"` + strings.Repeat("x", 100-28) + `"}`)
	c.expect(errorFrame("UNIMPLEMENTED", `unknown message type \"WHAT\"`, final))
	c.send(`{"type":"WHAT","payload":"` + strings.Repeat("x", 101-28) + `"}`)
	c.expectClose(1009, "")
}
