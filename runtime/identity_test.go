package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
)

// expiring are claims with an end.
type expiring struct {
	claims
	until time.Time
}

func (e *expiring) ExpiresAt() time.Time { return e.until }

// serveExpiring takes tokens such as ann/60: the user, and for how many seconds the claims hold.
func serveExpiring(t *testing.T, change func(*wsrt.ServerConfig)) *testServer {
	t.Helper()
	clock := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	until := func(user, seconds string) *expiring {
		d, err := time.ParseDuration(seconds + "s")
		if err != nil {
			return &expiring{claims: claims{user: user}}
		}
		return &expiring{claims{user: user}, clock.Now().Add(d)}
	}
	p := *protocol
	p.Claims = wsrt.ClaimsType{UserID: func(c any) string { return c.(*expiring).user }}
	s := serveProtocol(t, &p, func(cfg *wsrt.ServerConfig) {
		cfg.PingInterval, cfg.Clock = -1, clock
		cfg.Authenticate = func(r *http.Request, _ string) (any, error) {
			return until(r.URL.Query().Get("user"), r.URL.Query().Get("for")), nil
		}
		cfg.Reauthenticate = func(_ context.Context, _ *wsrt.Conn, token string) (any, error) {
			user, seconds, ok := strings.Cut(token, "/")
			if !ok {
				return nil, errors.New("secret reason")
			}
			return until(user, seconds), nil
		}
		if change != nil {
			change(cfg)
		}
	})
	s.clock = clock
	return s
}

func TestClaimsExpire(t *testing.T) {
	s := serveExpiring(t, nil)
	ann, bob := s.dial("user=ann&for=60", "wsgen.v1"), s.dial("user=bob&for=never")
	ann.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	ann.next()
	s.clock.Advance(59 * time.Second)
	ann.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	ann.next()
	s.clock.Advance(time.Second)
	ann.expectClose(4401, "claims expired")
	bob.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	bob.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"x"}}`)
}

func TestRefresh(t *testing.T) {
	s := serveExpiring(t, nil)
	ann := s.dial("user=ann&for=60", "wsgen.v1")
	auth := func(token string) string {
		return `{"type":"$ws:auth","meta":{"correlationId":"1"},"payload":{"token":` + token + `}}`
	}
	for token, want := range map[string]string{
		`"bob/60"`: `"code":"PERMISSION_DENIED"`, `"nonsense"`: `"code":"UNAUTHENTICATED"`, `""`: `"code":"INVALID_ARGUMENT"`, `5`: `"code":"INVALID_ARGUMENT"`,
	} {
		ann.send(auth(token))
		if got := ann.next(); !strings.Contains(got, want) || strings.Contains(got, "secret") || !strings.Contains(got, `"RPC_ERROR"`) {
			t.Errorf("%s: got %s, want %s", token, got, want)
		}
	}
	s.clock.Advance(30 * time.Second)
	ann.send(auth(`"ann/60"`))
	ann.expect(`{"type":"$ws:auth-ok","meta":{"correlationId":"1"}}`)
	s.clock.Advance(45 * time.Second) // the first claims have expired by now
	ann.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	ann.next()
	s.clock.Advance(15 * time.Second)
	ann.expectClose(4401, "claims expired")

	base := s.dial("user=ann&for=60")
	base.send(auth(`"ann/60"`))
	if got := base.next(); !strings.Contains(got, "UNIMPLEMENTED") {
		t.Errorf("the base profile gets %s", got)
	}
}

func TestDebugHandler(t *testing.T) {
	s := serve(t, nil)
	ann := s.dial("user=ann&access_token=sesame")
	ann.send(join("a"), join("b"))
	ann.next()
	ann.next()
	get := func(query string) (int, string) {
		w := httptest.NewRecorder()
		r, err := http.NewRequest(http.MethodGet, "/debug"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.srv.DebugHandler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, text := get("?top=1")
	var d wsrt.Debug
	if err := json.Unmarshal([]byte(text), &d); err != nil || code != http.StatusOK {
		t.Fatalf("%d %v\n%s", code, err, text)
	}
	if d.Connections != 1 || d.Members != 2 || len(d.TopRooms) != 1 || d.TopRooms[0].Members != 1 || len(d.Slowest) != 1 || d.Slowest[0].Rooms != 2 || !d.Ready {
		t.Errorf("got %+v", d)
	}
	if strings.Contains(text, "ann") || strings.Contains(text, "sesame") {
		t.Errorf("it names a user or a token:\n%s", text)
	}
	if code, _ := get("?top=x"); code != http.StatusBadRequest {
		t.Errorf("top=x is answered with %d", code)
	}
	if stuck := s.srv.Stuck(time.Minute); stuck != 0 {
		t.Errorf("stuck for %v", stuck)
	}
}

// TestWhatIsTakenAway takes a role, and then the right to speak, from somebody who is in a room.
func TestWhatIsTakenAway(t *testing.T) {
	var silenced atomic.Bool
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Reauthenticate = func(context.Context, *wsrt.Conn, string) (any, error) { return &claims{user: "ann"}, nil }
		cfg.Authorize = func(_ context.Context, _ *wsrt.Conn, op *wsrt.Op) error {
			if silenced.Load() && op.Message == "SAY" {
				return errors.New("be quiet")
			}
			return nil
		}
	})
	const admin = `{"type":"ADMIN","payload":{"text":"x"}}`
	ann, bob := s.dial("user=ann&role=admin", "wsgen.v1"), s.dial("user=bob")
	ann.send(admin)
	receive(t, s.conn)
	ann.send(auth("without"))
	ann.expect(authOK)
	ann.send(admin)
	ann.expect(errorFrame("PERMISSION_DENIED", "ADMIN needs one of the roles admin", final))

	bob.send(join("a"), say("one"))
	bob.expect(newsFrame("a", "joined bob"), newsFrame("a", "one"))
	silenced.Store(true)
	bob.send(say("two"))
	bob.expect(errorFrame("PERMISSION_DENIED", "not allowed", final))
}

// logs is what was logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestLogsHaveNoSecrets refuses tokens and payloads in all the ways there are: the log has that, and neither of them.
func TestLogsHaveNoSecrets(t *testing.T) {
	out := new(logs)
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Logger = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		inner := cfg.Authenticate
		cfg.Authenticate = func(r *http.Request, _ string) (any, error) { return inner(r, "") }
		cfg.Reauthenticate = func(context.Context, *wsrt.Conn, string) (any, error) { return nil, errors.New("of yesterday") }
	})
	for _, offered := range []string{"wsgen.v1", "bearer.hunter2"} {
		if _, code := s.tryDial("access_token=hunter2", http.Header{"Authorization": {"Bearer hunter2"}}, offered); code != 401 {
			t.Errorf("got %d", code)
		}
	}
	c := s.dial("user=ann", "wsgen.v1")
	for _, frame := range []string{
		auth("hunter2"), `{"type":"ECHO","payload":{"text":"hunter2 hunter2 hunter2"}}`, `{"type":"ECHO","payload":{"hunter2":"hunter2"}}`,
		`{"type":"BOOM","payload":{"roomId":"a"}}`, `{"type":"ASK","payload":{"roomId":"a","text":"secret"}}`, `hunter2`,
	} {
		c.send(frame)
		c.next()
	}
	for _, want := range []string{"who are you?", "of yesterday", "boom", http.ErrBodyNotAllowed.Error(), "ann"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("the log has a secret: %s", out)
	}
}
