package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/client"
)

// A callback may call: its reply arrives although the events behind it wait.
func TestCallInACallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithEventBuffer(2))
		var got result
		u.on = func(ctx context.Context, text_ string) {
			if text_ == "UPDATE ask" {
				got.reply, got.err = u.Call(ctx, get, &text{"q"}, nil)
			}
		}
		p.send(`{"type":"UPDATE","payload":{"text":"ask"}}`)
		r := p.request("GET")
		for i := range 10 { // more than the buffer holds
			p.send(fmt.Sprintf(`{"type":"UPDATE","payload":{"text":"%d"}}`, i))
		}
		p.reply(r, "GET_RESPONSE", `{"text":"yes"}`)
		u.sees("open", "UPDATE ask", "UPDATE 0", "UPDATE 1", "UPDATE 2", "UPDATE 3", "UPDATE 4", "UPDATE 5", "UPDATE 6",
			"UPDATE 7", "UPDATE 8", "UPDATE 9")
		if got.err != nil || got.reply.(*text).Text != "yes" {
			t.Errorf("reply %v, %v", got.reply, got.err)
		}
	})
}

// A slow callback holds the server up instead of filling memory, pings are answered until then, and the client does not
// take the silence of its own making for a dead server.
func TestBackPressure(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithEventBuffer(2), client.WithPing(time.Second, time.Second))
		release := make(chan struct{})
		u.on = func(context.Context, string) { <-release }
		p.send(`{"type":"TICK"}`)
		synctest.Wait()
		ended := p.pump()
		if err := p.conn.Ping(p.ctx()); err != nil {
			t.Fatalf("no pong while a callback runs: %v", err)
		}
		sent := 0
		writer := make(chan struct{})
		go func() {
			defer close(writer)
			for range 10 {
				p.send(`{"type":"TICK"}`)
				sent++
			}
		}()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if sent != 3 { // two wait, and the reader holds one
			t.Errorf("the server could send %d more", sent)
		}
		if u.State() != client.Open || len(u.errs) != 0 {
			t.Errorf("state %v, errors %v", u.State(), u.errs)
		}
		close(release)
		<-writer
		synctest.Wait()
		if len(u.seen) != 12 {
			t.Errorf("callbacks got %q", u.seen)
		}
		u.Close()
		<-ended
	})
}

func TestPanickingCallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		boom := errors.New("boom")
		u, p := s.dial()
		u.on = func(_ context.Context, text string) {
			if text == "UPDATE bad" {
				panic(boom)
			}
		}
		p.send(`{"type":"UPDATE","payload":{"text":"bad"}}`, `{"type":"UPDATE","payload":{"text":"good"}}`)
		u.sees("open", "UPDATE bad", "UPDATE good")
		var e *client.PanicError
		if len(u.errs) != 1 || !errors.As(u.errs[0], &e) || e.Callback != "UPDATE" || !errors.Is(u.errs[0], boom) || len(e.Stack) == 0 {
			t.Errorf("reported: %v", u.errs)
		}
	})
}

func TestPanickingErrorCallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithOnError(func(error) { panic("again") }))
		p.send(`{}`, `{"type":"TICK"}`)
		u.sees("open", "TICK *client_test.empty")
	})
}

func TestSendAndCloseInACallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		var ctxErr error
		u.on = func(ctx context.Context, _ string) {
			u.say("bye")
			u.Close()
			ctxErr = ctx.Err()
		}
		p.send(`{"type":"TICK"}`, `{"type":"TICK"}`, `{"type":"TICK"}`)
		p.expect(`SAY{"text":"bye"}`)
		<-p.pump()
		<-u.Done()
		u.sees("open", "TICK *client_test.empty", "closed") // what waited is forgotten
		if ctxErr == nil {
			t.Error("the callback's context did not end")
		}
	})
}

func TestCloseWhileACallbackHoldsTheReaderUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithEventBuffer(1))
		release := make(chan struct{})
		u.on = func(context.Context, string) { <-release }
		p.send(`{"type":"TICK"}`, `{"type":"TICK"}`, `{"type":"TICK"}`)
		synctest.Wait()
		p.pump()
		closesAtOnce(t, u)
		close(release)
		u.sees("open", "TICK *client_test.empty", "closed")
	})
}
