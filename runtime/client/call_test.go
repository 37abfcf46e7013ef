package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
)

func TestCallWithProgress(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		var progress []string
		call := u.call(t.Context(), get, &text{"q"}, func(v any) { progress = append(progress, v.(*text).Text) })
		r := p.request("GET")
		if r.Meta.TimeoutMs != 5000 {
			t.Errorf("timeoutMs = %d", r.Meta.TimeoutMs)
		}
		id := r.Meta.CorrelationID
		p.send(`{"type":"$ws:rpc-progress","meta":{"correlationId":"`+id+`"},"data":{"text":"a"},"payload":{"text":"a"}}`,
			`{"type":"$ws:rpc-progress","meta":{"correlationId":"`+id+`"},"payload":{"wrong":1}}`,
			`{"type":"UPDATE","meta":{"correlationId":"`+id+`"},"payload":{"text":"by it"}}`, // no reply
			`{"payload":{"text":"b"},"meta":{"correlationId":"`+id+`"},"type":"$ws:rpc-progress"}`)
		p.reply(r, "GET_RESPONSE", `{"text":"done"}`)
		if got := <-call; got.err != nil || got.reply.(*text).Text != "done" {
			t.Errorf("reply %v, %v", got.reply, got.err)
		}
		if !slices.Equal(progress, []string{"a", "b"}) {
			t.Errorf("progress %q", progress)
		}
		p.reply(r, "GET_RESPONSE", `{"text":"again"}`)
		p.reply(r, "RPC_ERROR", `{"code":"INTERNAL","message":"late"}`)
		u.sees("open", "UPDATE by it")
	})
}

func TestCallWithoutPayloadOrTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.base = true
		u, p := s.dial(client.WithRequestTimeout(time.Second))
		call := u.call(t.Context(), put, &text{"q"}, nil)
		r := p.request("PUT")
		if r.Meta.TimeoutMs != 0 {
			t.Errorf("timeoutMs = %d in the base profile", r.Meta.TimeoutMs)
		}
		p.reply(r, "PUT_RESPONSE", "")
		if got := <-call; got.err != nil || got.reply.(*empty) == nil {
			t.Errorf("reply %v, %v", got.reply, got.err)
		}
		start := time.Now()
		wantErr(t, u.call(t.Context(), put, &text{"q"}, nil), context.DeadlineExceeded)
		if d := time.Since(start); d != time.Second {
			t.Errorf("timeout after %v", d)
		}
	})
}

func TestCallErrors(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		answer := func(typ, payload string) error {
			call := u.call(t.Context(), get, &text{"q"}, nil)
			p.reply(p.request("GET"), typ, payload)
			return (<-call).err
		}
		err := answer("RPC_ERROR", `{"code":"ROOM_NOT_FOUND","message":"no","retryable":false,"details":{"text":"lobby"}}`)
		var typed *notFoundError
		if !errors.As(err, &typed) || typed.details.Text != "lobby" {
			t.Errorf("declared code: %#v", err)
		}
		var e *wsrt.Error
		if err = answer("RPC_ERROR", `{"code":"UNAVAILABLE","message":"later"}`); !errors.As(err, &e) || !e.Retryable() {
			t.Errorf("standard code: %#v", err)
		}
		if _, known := client.MaybeApplied(err); known {
			t.Error("a server that does not say whether it did it is said to")
		}
		for _, want := range []bool{true, false} {
			err = answer("RPC_ERROR", fmt.Sprintf(`{"code":"ROOM_NOT_FOUND","message":"no","details":{"text":"x"},"maybeApplied":%t}`, want))
			if maybe, known := client.MaybeApplied(err); maybe != want || !known || !errors.As(err, &typed) {
				t.Errorf("maybeApplied %t: %v, %v of %#v", want, maybe, known, err)
			}
		}
		if err = answer("ERROR", `{"code":"NEW_CODE","message":"m","retryable":true,"retryAfterMs":null}`); wsrt.CodeOf(err) != "NEW_CODE" {
			t.Errorf("unknown code: %v", err)
		}
		if err = answer("GET_RESPONSE", `{}`); err == nil || !strings.Contains(err.Error(), "/text is required") {
			t.Errorf("bad reply: %v", err)
		}
		if maybe, known := client.MaybeApplied(err); !maybe || !known {
			t.Errorf("bad reply: maybe applied %v, %v", maybe, known)
		}
		if err = answer("GET_RESPONSE", ``); err == nil {
			t.Error("a reply without its payload was accepted")
		}
		if err = answer("RPC_ERROR", `7`); err == nil {
			t.Error("a broken error was taken for success")
		}
	})
}

func TestCallTimeoutRunsFromSending(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.refuse = nil
		u, p := s.dial(client.WithBackoff(client.Backoff{Base: time.Minute, Max: time.Minute}))
		p.drop()
		synctest.Wait()
		start := time.Now()
		call := u.call(t.Context(), get, &text{"q"}, nil)
		time.Sleep(50 * time.Second) // far longer than its timeout of 5 s
		if len(call) != 0 {
			t.Fatal("the timeout ran in the queue")
		}
		p = s.next()
		r := p.request("GET")
		sent := time.Now()
		wantErr(t, call, context.DeadlineExceeded)
		if d := time.Since(sent); d != 5*time.Second {
			t.Errorf("timeout %v after sending, %v after the call", d, time.Since(start))
		}
		if abort := p.request("$ws:abort"); abort.Meta.CorrelationID != r.Meta.CorrelationID {
			t.Error("the abort is for another request")
		}
	})
}

func TestTimeoutIsAnErrorWithItsCode(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		call := u.call(t.Context(), get, &text{"q"}, nil)
		p.request("GET")
		if err := (<-call).err; wsrt.CodeOf(err) != wsrt.CodeDeadlineExceeded || err.Error() != "DEADLINE_EXCEEDED: no reply to GET within 5s" {
			t.Errorf("err = %v", err)
		}
	})
}

func TestAbort(t *testing.T) {
	t.Run("in flight", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial()
			ctx, cancel := context.WithCancel(t.Context())
			call := u.call(ctx, get, &text{"q"}, nil)
			r := p.request("GET")
			cancel()
			wantErr(t, call, context.Canceled)
			if a := p.request("$ws:abort"); a.Meta.CorrelationID != r.Meta.CorrelationID || a.Payload != nil {
				t.Errorf("abort %+v", a)
			}
			p.reply(r, "RPC_ERROR", `{"code":"CANCELLED","message":"late"}`)
			u.say("next")
			p.expect(`SAY{"text":"next"}`)
			if len(u.errs) != 0 {
				t.Errorf("errors: %v", u.errs)
			}
		})
	})
	t.Run("base profile", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			s.base = true
			u, p := s.dial()
			ctx, cancel := context.WithCancel(t.Context())
			call := u.call(ctx, get, &text{"q"}, nil)
			p.request("GET")
			cancel()
			wantErr(t, call, context.Canceled)
			u.say("next")
			p.expect(`SAY{"text":"next"}`)
		})
	})
	t.Run("queued", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial()
			p.drop()
			synctest.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			call := u.call(ctx, get, &text{"q"}, nil)
			synctest.Wait()
			cancel()
			wantErr(t, call, context.Canceled)
			u.say("next")
			s.next().expect(`SAY{"text":"next"}`)
		})
	})
}

func TestDisconnectInFlight(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		var calls []<-chan result
		for i, typ := range []*wsrt.MessageType{get, put, put} {
			calls = append(calls, u.call(t.Context(), typ, &text{fmt.Sprint(i)}, nil))
			p.request(typ.Name)
		}
		p.drop()
		wantErr(t, calls[0], client.ErrDisconnected)
		u.say("after")
		p = s.next()
		r1, r2 := p.request("PUT"), p.request("PUT") // idempotent: again, first and in order
		p.expect(`SAY{"text":"after"}`)
		if string(r1.Payload) != `{"text":"1"}` || string(r2.Payload) != `{"text":"2"}` {
			t.Errorf("replayed %s, %s", r1.Payload, r2.Payload)
		}
		p.reply(r1, "PUT_RESPONSE", "")
		p.reply(r2, "PUT_RESPONSE", "")
		for _, call := range calls[1:] {
			if r := <-call; r.err != nil {
				t.Errorf("idempotent call: %v", r.err)
			}
		}
	})
}

// The timeout of a request that is sent again goes on.
func TestReplayKeepsTheTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithRequestTimeout(10*time.Second), client.WithBackoff(client.Backoff{Base: 4 * time.Second}))
		start := time.Now()
		call := u.call(t.Context(), put, &text{"q"}, nil)
		p.request("PUT")
		p.drop()
		if r := s.next().request("PUT"); r.Meta.TimeoutMs != 6000 {
			t.Errorf("timeoutMs = %d", r.Meta.TimeoutMs)
		}
		wantErr(t, call, context.DeadlineExceeded)
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("timeout after %v", d)
		}
	})
}

// The server learns of the caller's deadline, and whoever is first to notice it, the error is the same.
func TestDeadlineOfTheContext(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		calls := []<-chan result{u.call(ctx, get, &text{"q"}, nil), u.call(ctx, get, &text{"q"}, nil)}
		r := p.request("GET")
		if p.request("GET"); r.Meta.TimeoutMs != 2000 {
			t.Errorf("timeoutMs = %d", r.Meta.TimeoutMs)
		}
		p.reply(r, "RPC_ERROR", `{"code":"DEADLINE_EXCEEDED","message":"too late","retryable":true}`)
		for _, call := range calls {
			wantErr(t, call, context.DeadlineExceeded)
		}
	})
}

func TestPendingLimit(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithPendingLimit(1))
		first := u.call(t.Context(), get, &text{"q"}, nil)
		r := p.request("GET")
		wantErr(t, u.call(t.Context(), get, &text{"q"}, nil), client.ErrTooManyCalls)
		p.reply(r, "GET_RESPONSE", `{"text":"ok"}`)
		wantErr(t, first, nil)
		second := u.call(t.Context(), get, &text{"q"}, nil)
		p.reply(p.request("GET"), "GET_RESPONSE", `{"text":"ok"}`)
		wantErr(t, second, nil)
	})
}

func TestCloseEndsCalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		call := u.call(t.Context(), put, &text{"q"}, nil)
		p.request("PUT")
		ended := p.pump()
		u.Close()
		wantErr(t, call, client.ErrClosed)
		<-ended
	})
}

// A progress function that is too slow fails its own call, and nothing else.
func TestSlowProgress(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		release := make(chan struct{})
		call := u.call(t.Context(), get, &text{"q"}, func(any) { <-release })
		r := p.request("GET")
		for range 1100 {
			p.reply(r, "$ws:rpc-progress", `{"text":"p"}`)
		}
		if a := p.request("$ws:abort"); a.Meta.CorrelationID != r.Meta.CorrelationID {
			t.Error("not aborted")
		}
		close(release)
		if err := (<-call).err; wsrt.CodeOf(err) != wsrt.CodeResourceExhausted {
			t.Errorf("err = %v", err)
		}
	})
}

// A type may be the reply of a request and an event too: with a correlation id it is a reply, which may be too late. A wrong
// type is no reply.
func TestReplyTypeThatIsAnEventToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		event := &wsrt.MessageType{Name: "USER", FromServer: true, Payload: textPayload, New: newText}
		ask := &wsrt.MessageType{Name: "ASK", FromClient: true, Request: &wsrt.RequestType{
			ResponseName: "USER", Response: textPayload, NewResponse: newText}}
		shared := &wsrt.Protocol{Messages: []*wsrt.MessageType{ask, event, get}}
		var seen []string
		s := newScript(t)
		c, err := client.Dial(t.Context(), s.srv.URL(), shared, func(_ context.Context, t *wsrt.MessageType, msg any) {
			seen = append(seen, show(t, msg))
		}, s.srv.Dialer())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		u, p := &user{Client: c}, s.next()
		call := u.call(t.Context(), ask, nil, nil)
		r := p.request("ASK")
		p.send(`{"type":"USER","payload":{"text":"event"}}`, `{"type":"USER","payload":{}}`)
		p.reply(r, "USER", `{"text":"reply"}`)
		if got := <-call; got.err != nil || got.reply.(*text).Text != "reply" {
			t.Errorf("reply %v, %v", got.reply, got.err)
		}
		p.reply(r, "USER", `{"text":"late"}`)
		call = u.call(t.Context(), ask, nil, nil)
		p.reply(p.request("ASK"), "GET_RESPONSE", `{"text":"x"}`)
		if err := (<-call).err; err == nil || !strings.Contains(err.Error(), "answered with GET_RESPONSE instead of USER") {
			t.Errorf("err = %v", err)
		}
		synctest.Wait()
		if !slices.Equal(seen, []string{"USER event"}) {
			t.Errorf("events %q", seen)
		}
	})
}

// What got no answer may have been handled if it was sent, and not otherwise.
func TestMaybeApplied(t *testing.T) {
	want := func(t *testing.T, call <-chan result, sentinel error, want bool) {
		t.Helper()
		err := (<-call).err
		if maybe, known := client.MaybeApplied(err); !errors.Is(err, sentinel) || maybe != want || !known {
			t.Errorf("%v: maybe applied %v, %v; want %v", err, maybe, known, want)
		}
	}
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithQueue(1, client.QueueDropOldest))
		lost := u.call(t.Context(), get, &text{"q"}, nil)
		p.request("GET")
		p.drop()
		want(t, lost, client.ErrDisconnected, true)
		dropped := u.call(t.Context(), get, &text{"waits"}, nil)
		synctest.Wait()
		waits := u.call(t.Context(), get, &text{"waits, too"}, nil)
		want(t, dropped, client.ErrQueueFull, false)
		p = s.next()
		p.request("GET")
		u.Close()
		want(t, waits, client.ErrClosed, true)
		want(t, u.call(t.Context(), get, &text{"late"}, nil), client.ErrClosed, false)
	})
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		call := u.call(t.Context(), get, &text{"q"}, nil)
		p.request("GET")
		want(t, call, context.DeadlineExceeded, true)
	})
	if _, known := client.MaybeApplied(context.Canceled); known {
		t.Error("an error of a context is said to tell")
	}
}
