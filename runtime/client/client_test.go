package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
)

func TestSendAndReceive(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		u.say("one")
		if err := u.Send(t.Context(), leave, nil); err != nil {
			t.Fatal(err)
		}
		u.say("two")
		p.expect(`SAY{"text":"one"}`, `LEAVE`, `SAY{"text":"two"}`)
		p.send(`{"type":"UPDATE","payload":{"text":"hi"}}`, `{"type":"TICK","meta":{"room":"room:general","seq":7}}`)
		u.sees("open", "UPDATE hi", "TICK *client_test.empty")
		if u.State() != client.Open || u.Err() != nil {
			t.Errorf("state %v, err %v", u.State(), u.Err())
		}
	})
}

func TestSendChecksTheMessage(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		var invalid *wsrt.InvalidMessageError
		if err := u.Send(t.Context(), say, &text{"far too long"}); !errors.As(err, &invalid) || invalid.Issues[0].Path != "/text" {
			t.Errorf("too long: %v", err)
		}
		if _, err := u.Call(t.Context(), get, &text{""}, nil); !errors.As(err, &invalid) {
			t.Errorf("empty: %v", err)
		}
		if err := u.Send(t.Context(), say, (*text)(nil)); err == nil {
			t.Error("a nil message was sent")
		}
		if _, err := u.Call(t.Context(), say, &text{"hi"}, nil); err == nil {
			t.Error("an event was called")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := u.Send(ended, say, &text{"hi"}); !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
		u.say("ok")
		p.expect(`SAY{"text":"ok"}`)
	})
}

func TestSendRefusesWhatTheServerWouldRefuse(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, _ := s.dial()
		wide := &wsrt.MessageType{Name: "SMALL", Payload: &wsrt.Payload{Encode: textPayload.Encode}, MaxBytes: 1000}
		if err := u.Send(t.Context(), wide, &text{strings.Repeat("x", 1000)}); err == nil || !strings.Contains(err.Error(), "maxBytes") {
			t.Errorf("err = %v", err)
		}
	})
}

// What a server of a newer version, or a broken one, sends never ends the connection.
func TestLenientDecoding(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		var unknown []string
		u, p := s.dial(client.WithOnUnknown(func(name string, frame []byte) { unknown = append(unknown, name+" "+string(frame)) }))
		p.send(
			`{"type":"UPDATE","payload":{"text":"longer than ten characters","new":1},"meta":{"new":true},"new":[]}`,
			`{"type":"NEW_THING","payload":1}`,
			`{"type":"SAY","payload":{"text":"only clients send it"}}`,
			`{"type":"$ws:new"}`, `{"type":"__heartbeat_ack","meta":{"ts":1}}`,
			`{"type":"UPDATE","payload":{}}`,
			`{"type":"UPDATE"`, `[]`, `{}`,
			`{"type":"TICK","payload":"unexpected"}`,
			`{"type":"GET_RESPONSE","meta":{"correlationId":"nobody"},"payload":{"text":"late"}}`,
			`{"type":"GET_RESPONSE","payload":{"text":"for nobody"}}`,
			`{"type":"RPC_ERROR","meta":{"correlationId":"nobody"},"payload":{"code":"INTERNAL","message":"late"}}`,
		)
		u.sees("open", "UPDATE longer than ten characters", "TICK *client_test.empty")
		if len(unknown) != 2 || unknown[0] != `NEW_THING {"type":"NEW_THING","payload":1}` || !strings.HasPrefix(unknown[1], "SAY ") {
			t.Errorf("unknown: %q", unknown)
		}
		if len(u.errs) != 4 || !strings.Contains(u.errs[0].Error(), "UPDATE: /payload/text is required") {
			t.Errorf("errors: %q", u.errs)
		}
		u.say("alive")
		p.expect(`SAY{"text":"alive"}`)
	})
}

func TestErrorFramesGoToOnError(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		p.send(`{"type":"ERROR","payload":{"code":"RESOURCE_EXHAUSTED","message":"slow down","retryable":true,"retryAfterMs":2500}}`,
			`{"type":"ERROR","payload":{"code":"ROOM_NOT_FOUND","message":"no","details":{"text":"lobby"},"retryable":false}}`,
			`{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT","message":"no","retryable":false,"details":{"issues":[{"path":"/payload/a","message":"is required"}]}}}`)
		synctest.Wait()
		if len(u.errs) != 3 {
			t.Fatalf("errors: %q", u.errs)
		}
		var e *wsrt.Error
		if !errors.As(u.errs[0], &e) || !e.Retryable() || e.RetryAfter() != 2500*time.Millisecond || e.Message() != "slow down" {
			t.Errorf("error: %#v", u.errs[0])
		}
		var typed *notFoundError
		if !errors.As(u.errs[1], &typed) || typed.details.Text != "lobby" || wsrt.CodeOf(u.errs[1]) != "ROOM_NOT_FOUND" {
			t.Errorf("typed error: %#v", u.errs[1])
		}
		errors.As(u.errs[2], &e)
		if d, ok := e.Details().(*wsrt.InvalidDetails); !ok || len(d.Issues) != 1 || d.Issues[0].Path != "/payload/a" {
			t.Errorf("issues: %#v", e.Details())
		}
	})
}

func TestHandshake(t *testing.T) {
	token := client.WithToken("s3cret-token")
	tests := []struct {
		name      string
		opts      []client.Option
		query     string
		header    string
		protocols string
	}{
		{"no token", nil, "room=general", "", "wsgen.v1"},
		{"header", []client.Option{token}, "room=general", "Bearer s3cret-token", "wsgen.v1"},
		{"query", []client.Option{token, client.WithTokenPlacement(client.TokenInQuery)}, "access_token=s3cret-token&room=general", "", "wsgen.v1"},
		{"subprotocol", []client.Option{token, client.WithTokenPlacement(client.TokenInSubprotocol)}, "room=general", "", "wsgen.v1,bearer.s3cret-token"},
		{"own header", []client.Option{client.WithHeader(http.Header{"Authorization": {"Basic x"}})}, "room=general", "Basic x", "wsgen.v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				s.dial(tt.opts...)
				r := s.requests[0]
				if r.URL.RawQuery != tt.query || r.Header.Get("Authorization") != tt.header || r.Header.Get("Sec-Websocket-Protocol") != tt.protocols {
					t.Errorf("query %q, header %q, subprotocols %q", r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Sec-Websocket-Protocol"))
				}
			})
		})
	}
}

func TestDialFails(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.refuse = func(_ int, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return true
		}
		u := &user{t: t}
		err := u.dial(s, []client.Option{client.WithToken("s3cret"), client.WithTokenPlacement(client.TokenInQuery)})
		var refused *client.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 503 || refused.Body != "draining" || refused.RetryAfter != 7*time.Second {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Hour)
		if len(s.requests) != 1 {
			t.Errorf("%d attempts after a failed Dial", len(s.requests))
		}
		u.sees() // no callback at all
	})
}

func TestDialErrorsHideTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") })}
		_, err := client.Dial(t.Context(), "ws://wsgen.test/?key=s3cret", protocol, nil, client.WithHTTPClient(broken),
			client.WithToken("s3cret"), client.WithTokenPlacement(client.TokenInQuery))
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "no route") {
			t.Errorf("err = %v", err)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// hang is a server that never answers a handshake.
var hang = client.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})})

func TestDialIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := client.Dial(t.Context(), "ws://wsgen.test", protocol, nil, hang, client.WithConnectTimeout(3*time.Second))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("err = %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Dial(ctx, "ws://wsgen.test", protocol, nil, hang); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestDialArguments(t *testing.T) {
	tests := []struct {
		url  string
		opts []client.Option
		want string
	}{
		{"ftp://x", nil, `scheme "ftp"`},
		{"x", nil, `scheme ""`},
		{"ws:///ws", nil, "without a host"},
		{"ws://%zz", nil, "invalid URL"},
		{"ws://x", []client.Option{client.WithQueue(0, client.QueueDropNewest)}, "WithQueue: size 0"},
		{"ws://x", []client.Option{client.WithQueue(1, 9)}, "unknown policy 9"},
		{"ws://x", []client.Option{client.WithTokenPlacement(9)}, "WithTokenPlacement(9)"},
		{"ws://x", []client.Option{client.WithBackoff(client.Backoff{Base: time.Hour, Max: time.Second})}, "WithBackoff"},
		{"ws://x", []client.Option{client.WithPing(time.Second, 0)}, "WithPing"},
		{"ws://x", []client.Option{client.WithLogger(nil), client.WithClock(nil)}, "WithClock(nil)"},
		{"ws://x", []client.Option{client.WithToken("a b"), client.WithTokenPlacement(client.TokenInSubprotocol)}, "subprotocol cannot"},
	}
	for _, tt := range tests {
		if _, err := client.Dial(t.Context(), tt.url, protocol, nil, tt.opts...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Dial(%q): %v, want %q", tt.url, err, tt.want)
		}
	}
	if _, err := client.Dial(t.Context(), "ws://x", nil, nil); err == nil {
		t.Error("Dial without a protocol succeeded")
	}
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		u.say("one")
		u.say("two")
		go u.Close()
		p.expect(`SAY{"text":"one"}`, `SAY{"text":"two"}`)
		_, _, err := p.conn.Read(p.ctx())
		if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("server saw %v", err)
		}
		<-u.Done()
		u.sees("open", "closed")
		if u.Err() != client.ErrClosed || u.State() != client.Closed {
			t.Errorf("err %v, state %v", u.Err(), u.State())
		}
		if err := u.Send(t.Context(), say, &text{"x"}); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Send after Close: %v", err)
		}
		if _, err := u.Call(t.Context(), get, &text{"x"}, nil); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Call after Close: %v", err)
		}
		u.Close()
	})
}

// A server that does not read can hold Close up for about a second only.
func TestCloseIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		u.say("stuck") // in memory a write waits until it is read
		synctest.Wait()
		start := time.Now()
		u.Close()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("Close took %v", d)
		}
		<-u.Done()
		p.drop()
	})
}

func TestCloseWhileReconnecting(t *testing.T) {
	t.Run("waiting", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial(client.WithBackoff(client.Backoff{Base: time.Hour, Max: time.Hour}))
			p.drop()
			u.sees("open", "reconnecting")
			u.say("dropped")
			closesAtOnce(t, u)
		})
	})
	t.Run("for a token", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			first, release := true, make(chan struct{})
			u, p := s.dial(client.WithTokenSource(func(context.Context) (string, error) {
				if !first {
					<-release // a source that does not heed its context
				}
				first = false
				return "t", nil
			}))
			p.drop()
			time.Sleep(time.Second)
			closesAtOnce(t, u)
			close(release)
			time.Sleep(time.Hour)
			if len(s.requests) != 1 {
				t.Error("the client connected after Close")
			}
		})
	})
	t.Run("dialing", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			release := make(chan struct{})
			s.refuse = func(n int, w http.ResponseWriter) bool {
				if n > 1 {
					<-release
				}
				return false
			}
			u, p := s.dial()
			p.drop()
			time.Sleep(time.Second)
			closesAtOnce(t, u)
			close(release)
		})
	})
}

// closesAtOnce closes a client and checks that no time passes.
func closesAtOnce(t *testing.T, u *user) {
	t.Helper()
	start := time.Now()
	u.Close()
	<-u.Done()
	if d := time.Since(start); d != 0 || u.State() != client.Closed || u.Err() != client.ErrClosed {
		t.Errorf("closed after %v, state %v, err %v", d, u.State(), u.Err())
	}
}
