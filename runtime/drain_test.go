package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestDrainFinishesItsMessages(t *testing.T) {
	s := serve(t, nil)
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(join("a"), `{"type":"SLEEP","payload":{"roomId":"a"}}`, say("before"))
	ann.expect(newsFrame("a", "joined ann"))
	receive(t, s.asleep)
	for _, c := range []*client{ann, bob} { // the server knows both, and has taken all that ann sent
		c.send(`{"type":"ECHO","payload":{"text":"x"}}`)
		c.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"x"}}`)
	}
	drained := make(chan error, 2)
	for range 2 {
		go func() { drained <- s.srv.Drain(context.Background()) }()
	}
	bob.expectClose(1012, "retry=") // it waits for nothing
	ready := httptest.NewRecorder()
	s.srv.ReadyHandler().ServeHTTP(ready, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if ready.Code != http.StatusServiceUnavailable || s.srv.Ready() {
		t.Errorf("the probe gets %d", ready.Code)
	}
	eventually(t, "messages are refused", func() bool {
		ann.send(`{"type":"ECHO","meta":{"correlationId":"1"},"payload":{"text":"x"}}`)
		return ann.next() == rpcError("1", "UNAVAILABLE", "the server is going down", `,"retryable":true,"retryAfterMs":100`)
	})
	if resp, code := s.tryDial("user=late", nil); code != 503 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("a new connection gets %d", code)
	}
	s.wake <- struct{}{}
	ann.expect(newsFrame("a", "before"))
	ann.expectClose(1012, "retry=")
	for range 2 {
		if err := receive(t, drained); err != nil {
			t.Error(err)
		}
	}
	if room := receive(t, s.closed); room != "a" {
		t.Errorf("closed %s", room)
	}
}

func TestDrainBreaksOff(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	c.send(`{"type":"SLEEP","payload":{"roomId":"a"}}`)
	receive(t, s.asleep)
	ctx, cancel := context.WithCancel(context.Background())
	drained := make(chan error, 1)
	go func() { drained <- s.srv.Drain(ctx) }()
	eventually(t, "it drains", func() bool {
		c.send(`{"type":"ECHO","payload":{"text":"x"}}`)
		return strings.Contains(c.next(), "UNAVAILABLE")
	})
	cancel()
	if err := receive(t, drained); err == nil || !strings.Contains(err.Error(), "1 messages are still being handled") && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("drain: %v", err)
	}
	if err := receive(t, c.ended); websocket.CloseStatus(err) == websocket.StatusServiceRestart {
		t.Errorf("ended with %v, but its message was not finished", err)
	}
	s.expectFailedDrain = true
	s.wake <- struct{}{}
	eventually(t, "everything is gone", func() bool { return s.srv.Stats().Connections == 0 })
}

// TestDrainSpreadsItsCloses closes 200 connections over two seconds, each at its own time, in another order than they came.
func TestDrainSpreadsItsCloses(t *testing.T) {
	clock := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Clock, cfg.DrainSpread, cfg.DrainDelay, cfg.PingInterval = clock, 2*time.Second, time.Second, -1
		cfg.Limits.QueueAge = time.Hour
	})
	const n = 200
	closed := make(chan int, n)
	for i := range n {
		c := s.dial(fmt.Sprint("user=u", i))
		go func() {
			<-c.ended
			closed <- i
		}()
	}
	drained := make(chan error, 1)
	go func() { drained <- s.srv.Drain(context.Background()) }()
	eventually(t, "it is not ready", func() bool { return !s.srv.Ready() })
	if _, code := s.tryDial("user=early", nil); code != http.StatusSwitchingProtocols {
		t.Errorf("before the delay is over a new connection gets %d", code)
	}
	eventually(t, "the delay is waited for", func() bool { clock.Advance(time.Second); _, code := s.tryDial("user=late", nil); return code == 503 })
	var order []int
	var steps int
	for len(order) < n {
		select {
		case i := <-closed:
			order = append(order, i)
		default:
			clock.Advance(10 * time.Millisecond)
			steps++
			runtime.Gosched()
		}
	}
	if steps < 150 {
		t.Errorf("all were closed within %d steps of 10 ms", steps)
	}
	if slices.IsSorted(order) {
		t.Error("they were closed in the order of coming")
	}
	eventually(t, "it is drained", func() bool { // the early one is another connection
		clock.Advance(10 * time.Millisecond)
		select {
		case err := <-drained:
			if err != nil {
				t.Error(err)
			}
			return true
		default:
			return false
		}
	})
}

// TestDrainDoesNotWaitForThoseWhoLeft stops a clock in the middle of the window: only those who are there are worth waiting for.
func TestDrainDoesNotWaitForThoseWhoLeft(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.DrainSpread = time.Hour })
	clients := []*client{s.dial("user=ann"), s.dial("user=bob"), s.dial("user=cem")}
	drained := make(chan error, 1)
	go func() { drained <- s.srv.Drain(context.Background()) }()
	for _, c := range clients {
		_ = c.ws.CloseNow()
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
}

// TestDrainMeetsAHandshake finishes a drain while the program is being asked who somebody is, who is then told to come back; the
// program, which may have closed all it has by now, hears nothing of it.
func TestDrainMeetsAHandshake(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		inner := cfg.Authenticate
		cfg.Authenticate = func(r *http.Request, token string) (any, error) {
			close(asked)
			<-answer
			return inner(r, token)
		}
		cfg.OnConnect = func(context.Context, *wsrt.Conn) error { t.Error("OnConnect is called"); return nil }
		cfg.OnDisconnect = func(*wsrt.Conn, error) { t.Error("OnDisconnect is called") }
	})
	dialled := make(chan *client, 1)
	go func() { dialled <- s.dial("user=ann") }()
	receive(t, asked)
	if err := s.srv.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	close(answer)
	receive(t, dialled).expectClose(1012, "retry=")
	if n := s.srv.Stats().Refused["draining"]; n != 1 {
		t.Errorf("%d were refused because the server drains", n)
	}
}

// TestDrainKeepsItsWindow wakes the drain late, as a busy machine does: those whose time has come meanwhile are closed at once.
func TestDrainKeepsItsWindow(t *testing.T) {
	const n = 100
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.DrainSpread, cfg.PingInterval = time.Second, -1 })
	var clients []*client
	for i := range n {
		clients = append(clients, s.dial(fmt.Sprint("user=u", i)))
	}
	eventually(t, "all are there", func() bool { return s.srv.Stats().Accepted == n })
	timers := s.clock.Waiting()
	drained := make(chan error, 1)
	go func() { drained <- s.srv.Drain(context.Background()) }()
	eventually(t, "the first is gone, and the next one's time is waited for", func() bool {
		return s.srv.Stats().Connections == n-1 && s.clock.Waiting() == timers+1
	})
	s.clock.Advance(time.Second)
	for _, c := range clients {
		c.expectClose(1012, "retry=")
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
}

func TestUnpreparedFramesAreTheSame(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.UnpreparedFrames = true })
	c := s.dial("user=ann")
	c.send(join("a"), say("hi"))
	c.expect(newsFrame("a", "joined ann"), newsFrame("a", "hi"))
}
