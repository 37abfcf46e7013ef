package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
)

func TestOrigins(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Origins = []string{"app.example.com", "https://only.example.com", "*.pages.example.com"}
	})
	host := s.url[len("http://"):]
	for origin, want := range map[string]int{
		"": 101, "http://" + host: 101, "HTTP://" + host: 101, "https://" + host: 101,
		"null": 403, "http://evil.example.com": 403, "http://127.0.0.1:1": 403, "garbage": 403, "://": 403,
		"http://app.example.com": 101, "https://APP.example.com": 101, "http://app.example.com.evil.com": 403,
		"https://only.example.com": 101, "http://only.example.com": 403,
		"https://one.pages.example.com": 101, "https://a.b.pages.example.com": 403, "https://pages.example.com": 403,
	} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		if _, code := s.tryDial("user=ann", h); code != want {
			t.Errorf("origin %q: %d, want %d", origin, code, want)
		}
	}
	for _, origins := range [][]string{{"*"}, {""}, {"*.*"}, {"https://*"}} {
		cfg := wsrt.ServerConfig{Authenticate: func(*http.Request, string) (any, error) { return nil, nil }, Conn: 1,
			OpenRoom: []func(context.Context, *wsrt.Room) (any, error){func(context.Context, *wsrt.Room) (any, error) { return 1, nil }}}
		cfg.Origins = origins
		if origins[0] == "https://*" {
			continue // stands for one label, which is no host of the internet
		}
		if srv, err := wsrt.NewServer(protocol, cfg); err == nil {
			t.Errorf("the origins %q must be refused", origins)
			_ = srv.Drain(context.Background())
		}
	}
}

func TestTokens(t *testing.T) {
	var got atomic.Value
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Authenticate = func(_ *http.Request, token string) (any, error) {
			got.Store(token)
			return &claims{user: "x"}, nil
		}
	})
	header := http.Header{"Authorization": {"bearer in-header"}}
	cookie := http.Header{"Cookie": {"access_token=in-cookie"}}
	for _, tt := range []struct {
		query     string
		header    http.Header
		protocols []string
		want      string
	}{
		{"", nil, nil, ""},
		{"access_token=in+query", nil, nil, "in query"},
		{"", header, nil, "in-header"},
		{"", cookie, nil, "in-cookie"},
		{"", nil, []string{"chat", "bearer.in-protocol"}, "in-protocol"},
		{"access_token=q", cookie, []string{"bearer.p"}, "p"},
		{"access_token=q", cookie, nil, "q"},
		{"access_token=q", header, []string{"bearer.p"}, "in-header"},
	} {
		if _, code := s.tryDial(tt.query, tt.header, tt.protocols...); code != 101 || got.Load() != tt.want {
			t.Errorf("%+v: %d, token %q", tt, code, got.Load())
		}
	}
}

func TestSubprotocols(t *testing.T) {
	s := serve(t, nil)
	for _, tt := range []struct {
		offered []string
		want    string
	}{
		{nil, ""},
		{[]string{"chat-v2", "bearer.abc"}, "chat-v2"},
		{[]string{"bearer.abc", "chat-v2", "other"}, "chat-v2"},
		{[]string{"bearer.abc"}, "bearer.abc"},
		{[]string{"chat-v2", "wsgen.v1", "bearer.abc"}, "wsgen.v1"},
	} {
		c := s.dial("user=ann", tt.offered...)
		if got := c.ws.Subprotocol(); got != tt.want {
			t.Errorf("offered %v: %q, want %q", tt.offered, got, tt.want)
		}
	}
}

func TestWhoIsLetIn(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		inner := cfg.Authenticate
		cfg.Authenticate = func(r *http.Request, token string) (any, error) {
			switch r.URL.Query().Get("user") {
			case "panic":
				panic("authenticate")
			case "nobody":
				return nil, nil
			}
			return inner(r, token)
		}
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error {
			switch c.UserID() {
			case "forbidden":
				return wsrt.Errorf(wsrt.CodePermissionDenied, "not you")
			case "expired":
				return wsrt.Errorf(wsrt.CodeUnauthenticated, "too old")
			case "busy":
				return wsrt.Errorf(wsrt.CodeUnavailable, "later")
			case "broken":
				return errors.New("secret")
			}
			return nil
		}
	})
	for query, want := range map[string]int{"": 401, "user=panic": 401, "user=nobody": 101, "user=ann": 101} {
		if _, code := s.tryDial(query, nil); code != want {
			t.Errorf("%q: %d, want %d", query, code, want)
		}
	}
	for user, want := range map[string]struct {
		code   int
		reason string
	}{"forbidden": {4403, "not you"}, "expired": {4401, "too old"}, "busy": {1013, "later"}, "broken": {1011, ""}} {
		s.dial("user="+user).expectClose(want.code, want.reason)
	}
	anonymous := s.dial("user=nobody")
	anonymous.send(`{"type":"PING"}`, `{"type":"ECHO","meta":{"correlationId":"1"},"payload":{"text":"x"}}`)
	anonymous.expect(rpcError("1", "UNAUTHENTICATED", "ECHO needs an authenticated connection", final))
	if got := receive(t, s.conn); got != "" {
		t.Errorf("PING brought %q", got)
	}
	admin := s.dial("user=ann&role=member&role=admin")
	admin.send(`{"type":"ADMIN","payload":{"text":"x"}}`)
	if got := receive(t, s.conn); got != "x" {
		t.Errorf("ADMIN brought %q", got)
	}
}

// TestARefusalSaysWhy has the program refuse clients in words of its own.
func TestARefusalSaysWhy(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Authenticate = func(r *http.Request, _ string) (any, error) {
			code := wsrt.Code(r.URL.Query().Get("code"))
			return nil, wsrt.Errorf(code, "%s", r.URL.Query().Get("text"))
		}
	})
	for code, want := range map[wsrt.Code]int{
		wsrt.CodeUnauthenticated: 401, wsrt.CodePermissionDenied: 403, wsrt.CodeUnavailable: 503, wsrt.CodeResourceExhausted: 503, "OWN": 401,
	} {
		resp, got := s.tryDial("text=no+room&code="+string(code), nil)
		body, err := io.ReadAll(resp.Body)
		if got != want || err != nil || string(body) != "no room\n" || (got == 503) != (resp.Header.Get("Retry-After") != "") {
			t.Errorf("%s: %d %q %v", code, got, body, resp.Header)
		}
	}
	s.dial("code=PERMISSION_DENIED&text="+strings.Repeat("x", 200), "wsgen.v1").expectClose(4403, strings.Repeat("x", 100))
}

// TestRefusedPagesAreTold refuses clients that cannot see the status of a handshake: they are told why, are asked nothing, and leave
// nothing behind. Those that see it get it.
func TestRefusedPagesAreTold(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.OnConnect = func(context.Context, *wsrt.Conn) error { t.Error("it was let in"); return nil }
		cfg.Limits = wsrt.Limits{Connections: 1}
	})
	s.dial("", "wsgen.v1").expectClose(4401, "not authenticated")
	for _, h := range []http.Header{{"Authorization": {"Bearer "}}, {"Wsgen-Status": {"1"}}} {
		eventually(t, "its place is free again", func() bool { _, code := s.tryDial("", h, "wsgen.v1"); return code == 401 })
	}
	conn, resp, err := websocket.Dial(t.Context(), s.url+"/ws?user=ann", &websocket.DialOptions{
		Subprotocols: []string{"wsgen.v1"}, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
	})
	if err != nil {
		t.Fatal(err, resp)
	}
	_, _, err = conn.Read(t.Context())
	if ce, ok := errors.AsType[websocket.CloseError](err); !ok || ce.Code != 4403 || !strings.Contains(ce.Reason, "Options.Origins") {
		t.Errorf("got %v", err)
	}
}

func TestAuthorizeIsAskedOnEveryPath(t *testing.T) {
	block := make(chan struct{})
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Authorize = func(ctx context.Context, c *wsrt.Conn, op *wsrt.Op) error {
			switch {
			case c.UserID() == "slow" && op.Message == "ECHO":
				<-block
			case op.Kind == wsrt.OpJoin && op.Topic == "room:closed":
				return wsrt.Errorf("NOPE", "members only").WithDetails(&body{Text: "why"})
			case op.Message == "SAY" && op.Topic != "room:a":
				return errors.New("the text of this stays here")
			case op.Message == "SAY" && op.Msg.(*body).Text == "boom":
				panic("authorize")
			}
			return nil
		}
	})
	ann, slow := s.dial("user=ann"), s.dial("user=slow")
	slow.send(`{"type":"ECHO","payload":{"text":"x"}}`)
	ann.send(join("closed"))
	ann.expect(errorFrame("NOPE", "members only", `,"details":{"text":"why"},"retryable":false`))
	ann.send(join("a"), say("hi"))
	ann.expect(newsFrame("a", "joined ann"), newsFrame("a", "hi"))
	ann.send(say("boom"))
	ann.expect(errorFrame("INTERNAL", "internal error", final))
	ann.send(`{"type":"MOVE","payload":{"roomId":"b"}}`, say("hi"))
	ann.expect(newsFrame("b", "joined ann"), errorFrame("PERMISSION_DENIED", "not allowed", final))
	close(block)
	slow.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"x"}}`)
}

func TestInterceptorsAndErrors(t *testing.T) {
	order := make(chan string, 10)
	failures := make(chan error, 10)
	around := func(name string) wsrt.Interceptor {
		return func(next wsrt.HandlerFunc) wsrt.HandlerFunc {
			return func(ctx context.Context, call *wsrt.Call) (any, error) {
				order <- name + " " + call.Message.Name
				return next(ctx, call)
			}
		}
	}
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Interceptors = []wsrt.Interceptor{around("outer"), around("inner")}
		cfg.OnError = func(_ context.Context, c *wsrt.Conn, err error) { failures <- err; panic("OnError") }
	})
	c := s.dial("user=ann")
	c.send(`{"type":"BOOM","payload":{"roomId":"a"}}`)
	c.expect(errorFrame("INTERNAL", "internal error", final))
	if a, b := receive(t, order), receive(t, order); a != "outer BOOM" || b != "inner BOOM" {
		t.Errorf("order: %s, %s", a, b)
	}
	var p *wsrt.PanicError
	if err := receive(t, failures); !errors.As(err, &p) || p.Value != "boom" || len(p.Stack) == 0 {
		t.Errorf("OnError sees %v", err)
	}
}
