package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// many is the queue of a client that comes back after a while.
const many = 1000

func admin(text string) string { return `{"type":"ADMIN","payload":{"text":"` + text + `"}}` }

// TestNothingOfABurstIsLost sends far more events than may be pending, in one go: to the connection, to a room, and to both.
func TestNothingOfABurstIsLost(t *testing.T) {
	for name, tt := range map[string]struct{ conn, room bool }{"connection": {conn: true}, "room": {room: true}, "both": {true, true}} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil)
			c := s.dial("user=ann&role=admin")
			c.send(join("x"))
			c.expect(newsFrame("x", "joined ann"))
			if tt.room { // all of it meets a room that is busy
				c.send(`{"type":"SLEEP","payload":{"roomId":"x"}}`)
				receive(t, s.asleep)
			}
			for i := range many {
				if tt.conn {
					c.send(admin(fmt.Sprint(i)))
				}
				if tt.room {
					c.send(say(fmt.Sprint(i)))
				}
			}
			s.wake <- struct{}{}
			for i := range many {
				if tt.conn {
					if got := receive(t, s.conn); got != fmt.Sprint(i) {
						t.Fatalf("the connection's handler got %s, want %d", got, i)
					}
				}
				if tt.room {
					c.expect(newsFrame("x", fmt.Sprint(i)))
				}
			}
			c.send(`{"type":"ECHO","payload":{"text":"x"}}`)
			if got := c.next(); !strings.Contains(got, "ECHO_RESPONSE") {
				t.Errorf("after all: %s", got)
			}
		})
	}
}

// stalled is a connection with a room that hangs, two messages that are pending, which is all it may have, and an event that
// waits.
func stalled(t *testing.T) (s *testServer, c *client, conn *wsrt.Conn) {
	t.Helper()
	connected := make(chan *wsrt.Conn, 1)
	s = serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Limits.Pending = 2
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
	})
	c = s.dial("user=ann&role=admin")
	conn = receive(t, connected)
	c.send(`{"type":"SLEEP","payload":{"roomId":"x"}}`)
	receive(t, s.asleep)
	c.send(join("x"))
	c.send(admin("waits"))
	eventually(t, "the event waits", func() bool { return wsrt.ReaderWaits(conn) })
	return s, c, conn
}

const twoPending = "2 messages of this connection are pending"

func TestTheWaitOfAnEventIsBounded(t *testing.T) {
	s, c, conn := stalled(t)
	refused := errorFrame("RESOURCE_EXHAUSTED", twoPending, `,"retryable":true,"retryAfterMs":100`)
	s.clock.Advance(5*time.Second - time.Millisecond)
	if !wsrt.ReaderWaits(conn) || len(c.frames) > 0 {
		t.Error("it has not waited for 5 s")
	}
	s.clock.Advance(time.Millisecond)
	c.expect(refused)
	// It hangs still: what follows is not waited with, whether it is an event or a request.
	c.send(admin("no"), `{"type":"ECHO","meta":{"correlationId":"e"},"payload":{"text":"x"}}`)
	c.expect(refused)
	c.expect(rpcError("e", "RESOURCE_EXHAUSTED", twoPending, `,"retryable":true,"retryAfterMs":100`))
	s.wake <- struct{}{}
	c.expect(newsFrame("x", "joined ann"))
	// There was room, so there is patience again.
	c.send(`{"type":"SLEEP","payload":{"roomId":"x"}}`)
	receive(t, s.asleep)
	c.send(say("one"), admin("two"))
	eventually(t, "the event waits", func() bool { return wsrt.ReaderWaits(conn) })
	s.wake <- struct{}{}
	c.expect(newsFrame("x", "one"))
	if got := receive(t, s.conn); got != "two" {
		t.Errorf("the connection's handler got %q", got)
	}
}

// TestRequestsDoNotWait refuses a request that is too many at once, and goes on to read what makes room: the abort of another
// one.
func TestRequestsDoNotWait(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.Pending = 1 })
	c := s.dial("user=ann", "wsgen.v1")
	ask := func(id, text string) string {
		return `{"type":"ASK","meta":{"correlationId":"` + id + `"},"payload":{"roomId":"x","text":"` + text + `"}}`
	}
	c.send(ask("1", "wait"))
	receive(t, s.asleep)
	c.send(ask("2", "no"), `{"type":"$ws:abort","meta":{"correlationId":"1"}}`)
	c.expect(rpcError("2", "RESOURCE_EXHAUSTED", "1 messages of this connection are pending", `,"retryable":true,"retryAfterMs":100`))
	c.expect(rpcError("1", "CANCELLED", "cancelled by the client", `,"retryable":false`))
	receive(t, s.asleep)
}

// TestAConnectionEndsWhileItsReaderWaits ends it in all ways but one that the reader would have to see.
func TestAConnectionEndsWhileItsReaderWaits(t *testing.T) {
	gone := func(s *testServer) func() bool { return func() bool { return s.srv.Stats().Connections == 0 } }
	t.Run("closed", func(t *testing.T) {
		s, c, conn := stalled(t)
		conn.Close(wsrt.ClosePolicy, "enough")
		c.expectClose(1008, "enough")
		eventually(t, "it is gone", gone(s))
		s.wake <- struct{}{}
	})
	t.Run("drained", func(t *testing.T) {
		s, c, _ := stalled(t)
		drained := make(chan error, 1)
		go func() { drained <- s.srv.Drain(context.Background()) }()
		c.expect(errorFrame("UNAVAILABLE", "the server is going down", `,"retryable":true,"retryAfterMs":100`))
		s.wake <- struct{}{}
		c.expect(newsFrame("x", "joined ann"))
		c.expectClose(1012, "retry=")
		if err := receive(t, drained); err != nil {
			t.Error(err)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		s, c, _ := stalled(t)
		c.ws.CloseNow()
		s.clock.Advance(5 * time.Second)
		s.wake <- struct{}{}
		eventually(t, "it is gone", gone(s))
	})
}

// TestNoPatience has events that do not wait.
func TestNoPatience(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits.Pending, cfg.Limits.PendingWait = 1, -1 })
	c := s.dial("user=ann&role=admin")
	c.send(`{"type":"SLEEP","payload":{"roomId":"x"}}`)
	receive(t, s.asleep)
	c.send(admin("no"))
	c.expect(errorFrame("RESOURCE_EXHAUSTED", "1 messages of this connection are pending", `,"retryable":true,"retryAfterMs":100`))
	s.wake <- struct{}{}
}
