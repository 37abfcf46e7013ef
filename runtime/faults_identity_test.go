package runtime_test

// Who a connection is, when that changes, ends or goes wrong.

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
)

// broken are claims that cannot say when they expire.
type broken struct{}

func (*broken) ExpiresAt() time.Time { panic("no idea") }

// lent are claims that are over at a time.
type lent struct {
	claims
	until time.Time
}

func (l *lent) ExpiresAt() time.Time { return l.until }

// anyClaims returns the protocol of the tests with claims of any type.
func anyClaims() *wsrt.Protocol {
	p := *protocol
	p.Claims = wsrt.ClaimsType{UserID: func(c any) string {
		switch c := c.(type) {
		case *claims:
			return c.user
		case *lent:
			return c.user
		}
		return "somebody"
	}}
	return &p
}

// TestClaimsThatAreOver lets somebody in whose claims have just expired: the connection is closed, whoever is first.
func TestClaimsThatAreOver(t *testing.T) {
	s := serveProtocol(t, anyClaims(), func(cfg *wsrt.ServerConfig) {
		cfg.Clock = clock.Real{}
		cfg.Authenticate = func(*http.Request, string) (any, error) { return &lent{claims{user: "ann"}, time.Now()}, nil }
	})
	for range 50 {
		s.dial("").expectClose(4401, "claims expired")
	}
}

func TestClaimsThatPanic(t *testing.T) {
	s := serveProtocol(t, anyClaims(), func(cfg *wsrt.ServerConfig) {
		cfg.Limits.Connections = 1
		cfg.Authenticate = func(r *http.Request, _ string) (any, error) {
			if r.URL.Query().Get("user") == "broken" {
				return &broken{}, nil
			}
			return &claims{user: "ann"}, nil
		}
	})
	if _, code := s.tryDial("user=broken", nil); code != http.StatusUnauthorized {
		t.Errorf("got %d", code)
	}
	if _, code := s.tryDial("user=ann", nil); code != http.StatusSwitchingProtocols {
		t.Errorf("the place of the other is kept: %d", code)
	}
}

// serveStrangers lets everybody in without claims, and takes the name of a user as a token.
func serveStrangers(t *testing.T, p *wsrt.Protocol, change func(*wsrt.ServerConfig)) *testServer {
	return serveProtocol(t, p, func(cfg *wsrt.ServerConfig) {
		cfg.PingInterval, cfg.AnonymousTimeout = -1, 30*time.Second
		cfg.Authenticate = func(_ *http.Request, token string) (any, error) {
			if token == "" {
				return nil, nil
			}
			return &claims{user: token}, nil
		}
		cfg.Reauthenticate = func(_ context.Context, _ *wsrt.Conn, token string) (any, error) {
			return &claims{user: token}, nil
		}
		if change != nil {
			change(cfg)
		}
	})
}

func auth(token string) string {
	return `{"type":"$ws:auth","meta":{"correlationId":"1"},"payload":{"token":"` + token + `"}}`
}

const (
	authOK   = `{"type":"$ws:auth-ok","meta":{"correlationId":"1"}}`
	askEcho  = `{"type":"ECHO","payload":{"text":"x"}}`
	echoed   = `{"type":"ECHO_RESPONSE","payload":{"text":"x"}}`
	whoAreU  = `{"type":"RPC_ERROR","payload":{"code":"UNAUTHENTICATED","message":"ECHO needs an authenticated connection","retryable":false}}`
	crowded  = `{"type":"RPC_ERROR","meta":{"correlationId":"1"},"payload":{"code":"RESOURCE_EXHAUSTED","message":"too many connections of this user","retryable":true,"retryAfterMs":100}}`
	tooOften = `"message":"too many $ws:auth messages"`
)

// TestStrangersHaveLittleTime closes who does not say who he is, and nobody else.
func TestStrangersHaveLittleTime(t *testing.T) {
	s := serveStrangers(t, protocol, nil)
	silent, late, ann := s.dial("", "wsgen.v1"), s.dial("", "wsgen.v1"), s.dial("access_token=ann", "wsgen.v1")
	silent.send(askEcho)
	silent.expect(whoAreU)
	s.clock.Advance(29 * time.Second)
	late.send(auth("bob"))
	late.expect(authOK)
	s.clock.Advance(time.Second)
	silent.expectClose(4401, "not authenticated in time")
	s.clock.Advance(time.Hour)
	for _, c := range []*client{late, ann} {
		c.send(askEcho)
		c.expect(echoed)
	}
}

// TestStrangersMayStayWhereNothingIsSecret has a protocol whose messages need no claims.
func TestStrangersMayStayWhereNothingIsSecret(t *testing.T) {
	open := *protocol
	open.Messages = nil
	for _, m := range protocol.Messages {
		m := *m
		m.Auth = wsrt.Auth{Anonymous: true}
		open.Messages = append(open.Messages, &m)
	}
	s := serveStrangers(t, &open, nil)
	c := s.dial("")
	c.send(askEcho)
	c.expect(echoed)
	s.clock.Advance(time.Hour)
	c.send(askEcho)
	c.expect(echoed)
}

// TestAStrangerBecomesAUser counts as one from there on: to the limits, to rooms, and to those who come back.
func TestAStrangerBecomesAUser(t *testing.T) {
	p := withHistory(wsrt.HistoryLimits{Messages: 10, Bytes: 1 << 16, Age: time.Minute})
	s := serveStrangers(t, p, func(cfg *wsrt.ServerConfig) { cfg.Limits.PerUser = 1 })
	c := s.dial("", "wsgen.v1")
	session := parseFrame(t, []byte(c.next())).Payload.Session
	c.send(auth("ann"))
	c.expect(authOK)
	c.send(auth("bob"))
	if got := c.next(); !strings.Contains(got, "PERMISSION_DENIED") {
		t.Errorf("a user becomes another one: %s", got)
	}
	if _, code := s.tryDial("access_token=ann", nil); code != http.StatusTooManyRequests {
		t.Errorf("a second connection of the user gets %d", code)
	}
	other := s.dial("", "wsgen.v1")
	other.next()
	other.send(auth("ann"))
	other.expect(crowded)

	c.send(join("a"))
	joined := parseFrame(t, []byte(c.next()))
	c.ws.CloseNow()
	eventually(t, "the server notices", func() bool { return s.srv.Stats().Connections == 1 })
	c = s.dial("access_token=ann", "wsgen.v1")
	c.next() // a session of its own
	c.send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:a":{"epoch":%q,"seq":0}}}}`, session, joined.Payload.Epoch))
	c.next() // the session that it had
	if got := parseFrame(t, []byte(c.next())); got.Type != "$ws:joined" {
		t.Errorf("the resume of the user is answered with %+v", got)
	}
}

// TestResumeWithoutHistory tells a client of a version with history that it is no member of any room.
func TestResumeWithoutHistory(t *testing.T) {
	s := serveStrangers(t, protocol, nil)
	c := s.dial("access_token=ann", "wsgen.v1")
	c.send(`{"type":"$ws:resume","payload":{"session":"00112233445566778899aabbccddeeff",` +
		`"rooms":{"room:a":{"epoch":"e","seq":1},"room:b":{"epoch":"e","seq":2}}}}`)
	for _, topic := range []string{"room:a", "room:b"} {
		if got := c.next(); !strings.Contains(got, `"$ws:left"`) || !strings.Contains(got, topic) || !strings.Contains(got, "NOT_FOUND") {
			t.Errorf("got %s, want that the member has left %s", got, topic)
		}
	}
}

// TestTokensAreNotToBeGuessed bounds how often a connection may try.
func TestTokensAreNotToBeGuessed(t *testing.T) {
	s := serveStrangers(t, protocol, nil)
	c := s.dial("access_token=ann", "wsgen.v1")
	for range 10 {
		c.send(auth("bob"))
		if got := c.next(); !strings.Contains(got, "PERMISSION_DENIED") {
			t.Errorf("got %s", got)
		}
	}
	c.send(auth("ann"))
	if got := c.next(); !strings.Contains(got, tooOften) {
		t.Errorf("the eleventh gets %s", got)
	}
}

// TestHooksDoNotSeeTokens refuses all that it is asked about, and still takes a new token.
func TestHooksDoNotSeeTokens(t *testing.T) {
	s := serveStrangers(t, protocol, func(cfg *wsrt.ServerConfig) {
		cfg.Authorize = func(_ context.Context, _ *wsrt.Conn, op *wsrt.Op) error {
			if op.Message != "ECHO" {
				t.Errorf("Authorize is asked about %s", op.Message)
			}
			return nil
		}
		cfg.Interceptors = []wsrt.Interceptor{func(next wsrt.HandlerFunc) wsrt.HandlerFunc {
			return func(ctx context.Context, call *wsrt.Call) (any, error) {
				if call.Message.Name != "ECHO" {
					t.Errorf("an interceptor sees %s", call.Message.Name)
				}
				return next(ctx, call)
			}
		}}
	})
	c := s.dial("", "wsgen.v1")
	c.send(auth("ann"))
	c.expect(authOK)
	c.send(askEcho)
	c.expect(echoed)
}

// TestRefusedConnectionsLeaveNothing has an OnConnect that makes the connection a member, and then refuses it.
func TestRefusedConnectionsLeaveNothing(t *testing.T) {
	rooms := make(chan *wsrt.Room, 1)
	fake := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s := serveProtocol(t, anyClaims(), func(cfg *wsrt.ServerConfig) {
		cfg.PingInterval, cfg.Clock = -1, fake
		inner := cfg.Authenticate
		cfg.Authenticate = func(r *http.Request, token string) (any, error) {
			if r.URL.Query().Get("user") == "refused" {
				return &lent{claims{user: "refused"}, fake.Now().Add(1000 * time.Hour)}, nil
			}
			return inner(r, token)
		}
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
		var room *wsrt.Room
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error {
			if c.UserID() != "refused" {
				return nil
			}
			room = receive(t, rooms)
			if err := room.Join(c); err != nil {
				t.Errorf("join: %v", err)
			}
			return wsrt.Errorf(wsrt.CodePermissionDenied, "not you")
		}
	})
	ann := s.dial("user=ann")
	ann.send(join("a"))
	ann.next()
	timers := fake.Waiting()
	s.dial("user=refused").expectClose(4403, "not you")
	eventually(t, "it is no member any more", func() bool { st := s.srv.Stats(); return st.Members == 1 && st.Connections == 1 })
	eventually(t, "nothing waits for the end of its claims", func() bool { return fake.Waiting() == timers })
}
