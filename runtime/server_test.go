package runtime_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
)

// deadline is generous: it only ends tests that hang.
const deadline = 20 * time.Second

// testServer is a server on loopback.
type testServer struct {
	*world
	t     *testing.T
	srv   *wsrt.Server
	http  *httptest.Server
	url   string
	clock *clock.Fake

	expectFailedDrain bool // the test made a drain fail, and some rooms were not closed
}

// serve starts a server whose user is ?user= and whose roles are ?roles=. It is drained at the end of the test, and must be
// empty then.
func serve(t *testing.T, change func(cfg *wsrt.ServerConfig)) *testServer {
	t.Helper()
	return serveProtocol(t, protocol, change)
}

func serveProtocol(t *testing.T, protocol *wsrt.Protocol, change func(cfg *wsrt.ServerConfig)) *testServer {
	t.Helper()
	w := &world{
		conn: make(chan string, 100), asleep: make(chan string, 100), wake: make(chan struct{}, 100),
		left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100),
	}
	fake := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	cfg := wsrt.ServerConfig{
		Options: wsrt.Options{Clock: fake, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Shards: 10},
		Authenticate: func(r *http.Request, token string) (any, error) {
			if user := r.URL.Query().Get("user"); user != "" {
				return &claims{user: user, roles: r.URL.Query()["role"]}, nil
			}
			if token != "" {
				return &claims{user: token}, nil
			}
			return nil, errors.New("who are you?")
		},
		Conn: w,
		OpenRoom: []func(context.Context, *wsrt.Room) (any, error){func(_ context.Context, r *wsrt.Room) (any, error) {
			w.opened.Add(1)
			if r.ID() == "forbidden" {
				return nil, wsrt.Errorf(wsrt.CodePermissionDenied, "not this one")
			}
			return &lobby{world: w, room: r}, nil
		}},
		OnLeave: func(_ context.Context, _ any, _ *wsrt.Conn, cause wsrt.LeaveCause) { w.left <- cause },
		NewConn: func(c *wsrt.Conn) any { return c },
		NewRoom: func(r *wsrt.Room) any { return r },
	}
	cfg.DrainSpread = -1
	cfg.UnpreparedFrames = os.Getenv(variant) == "unprepared"
	s := &testServer{world: w, t: t, clock: fake}
	if change != nil {
		change(&cfg)
	}
	srv, err := wsrt.NewServer(protocol, cfg)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	s.srv, s.http, s.url = srv, hs, hs.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		err := srv.Drain(ctx)
		hs.Close()
		if s.expectFailedDrain {
			return
		}
		if err != nil {
			t.Errorf("drain: %v", err)
		}
		if st := srv.Stats(); st.Connections != 0 || st.Rooms != 0 || st.Members != 0 {
			t.Errorf("left after the drain: %d connections, %d rooms, %d members", st.Connections, st.Rooms, st.Members)
		}
		for i, sh := range srv.Stats().Shards {
			if sh.Connections != 0 {
				t.Errorf("shard %d still counts %d connections", i, sh.Connections)
			}
		}
	})
	return s
}

// client is a raw WebSocket client. It reads all the time, as browsers do, so that it answers pings and close frames.
type client struct {
	t      *testing.T
	ws     *websocket.Conn
	frames chan string
	ended  chan error
}

func (s *testServer) dial(query string, protocols ...string) *client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, s.url+"/ws?"+query, &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		s.t.Fatal(err)
	}
	c := &client{t: s.t, ws: ws, frames: make(chan string, 10000), ended: make(chan error, 1)}
	go func() {
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				c.ended <- err
				close(c.frames)
				return
			}
			c.frames <- string(data)
		}
	}()
	s.t.Cleanup(func() { ws.CloseNow() })
	return c
}

func (c *client) send(frames ...string) {
	c.t.Helper()
	for _, f := range frames {
		if err := c.ws.Write(context.Background(), websocket.MessageText, []byte(f)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// next returns the next frame.
func (c *client) next() string {
	c.t.Helper()
	select {
	case f, ok := <-c.frames:
		if !ok {
			c.t.Fatalf("the connection has ended: %v", <-c.ended)
		}
		return f
	case <-time.After(deadline):
		c.t.Fatal("no frame")
	}
	return ""
}

// expect reads the next frames and compares them.
func (c *client) expect(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			c.t.Fatalf("got  %s\nwant %s", got, w)
		}
	}
}

// expectClose waits for the end and returns the close code and reason.
func (c *client) expectClose(code int, reason string) {
	c.t.Helper()
	select {
	case err := <-c.ended:
		var ce websocket.CloseError
		if !errors.As(err, &ce) || int(ce.Code) != code || !strings.Contains(ce.Reason, reason) {
			c.t.Fatalf("ended with %v, want %d %q", err, code, reason)
		}
	case <-time.After(deadline):
		c.t.Fatal("the connection goes on")
	}
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(deadline):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

// eventually waits for a condition that nothing signals.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !cond(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // polling a condition
	}
}

func join(room string) string { return `{"type":"JOIN","payload":{"roomId":"` + room + `"}}` }
func leave(room string) string {
	return `{"type":"LEAVE","payload":{"roomId":"` + room + `"}}`
}
func move(room string) string  { return `{"type":"MOVE","payload":{"roomId":"` + room + `"}}` }
func sleep(room string) string { return `{"type":"SLEEP","payload":{"roomId":"` + room + `"}}` }
func say(text string) string   { return `{"type":"SAY","payload":{"text":"` + text + `"}}` }
func newsFrame(room, text string) string {
	return `{"type":"NEWS","payload":{"roomId":"` + room + `","text":"` + text + `"}}`
}
func errorFrame(code, message, rest string) string {
	return `{"type":"ERROR","payload":{"code":"` + code + `","message":"` + message + `"` + rest + `}}`
}
func rpcError(id, code, message, rest string) string {
	return `{"type":"RPC_ERROR","meta":{"correlationId":"` + id + `"},"payload":{"code":"` + code + `","message":"` + message + `"` + rest + `}}`
}

const final = `,"retryable":false`

func TestTwoClientsChat(t *testing.T) {
	s := serve(t, nil)
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	bob.send(join("a"), say("hi")) // without waiting
	ann.expect(newsFrame("a", "joined bob"), newsFrame("a", "hi"))
	bob.expect(newsFrame("a", "joined bob"), newsFrame("a", "hi"))
	bob.ws.CloseNow()
	if got := receive(t, s.left); got != wsrt.Disconnected {
		t.Errorf("bob left by %v", got)
	}
	if err := s.srv.Publish(context.Background(), "room:a", news, &body{RoomID: "a", Text: "bye"}); err != nil {
		t.Fatal(err)
	}
	ann.expect(newsFrame("a", "bye"))
}

func TestExtendedProfileNumbersRoomMessages(t *testing.T) {
	s := serve(t, nil)
	v1, base := s.dial("user=v1", "other", "wsgen.v1"), s.dial("user=base", "other")
	if v1.ws.Subprotocol() != "wsgen.v1" || base.ws.Subprotocol() != "other" {
		t.Errorf("subprotocols %q and %q", v1.ws.Subprotocol(), base.ws.Subprotocol())
	}
	v1.send(join("a"))
	v1.expect(`{"type":"NEWS","meta":{"room":"room:a","seq":1},"payload":{"roomId":"a","text":"joined v1"}}`)
	base.send(join("a"))
	base.expect(newsFrame("a", "joined base"))
	v1.expect(`{"type":"NEWS","meta":{"room":"room:a","seq":2},"payload":{"roomId":"a","text":"joined base"}}`)
}

func TestRequests(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	req := func(text string) string {
		return `{"type":"ASK","meta":{"correlationId":"c-1","timestamp":1},"payload":{"roomId":"a","text":"` + text + `"}}`
	}
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"hi", []string{
			`{"type":"$ws:rpc-progress","meta":{"correlationId":"c-1"},"data":{"text":"half"},"payload":{"text":"half"}}`,
			`{"type":"ANSWER","meta":{"correlationId":"c-1"},"payload":{"text":"re hi"}}`,
		}},
		{"nope", []string{rpcError("c-1", "NOPE", "no", `,"details":{"text":"why"},"retryable":false`)}},
		{"secret", []string{rpcError("c-1", "INTERNAL", "internal error", final)}},
		{"panic", []string{rpcError("c-1", "INTERNAL", "internal error", final)}},
		{"nil", []string{rpcError("c-1", "INTERNAL", "internal error", final)}},
		{"long", []string{rpcError("c-1", "INTERNAL", "internal error", final)}},
		{"fail", []string{rpcError("c-1", "DEADLINE_EXCEEDED", "the deadline has passed", `,"retryable":true,"retryAfterMs":50`)}},
	} {
		c.send(req(tt.text))
		c.expect(tt.want...)
	}
	c.send(`{"type":"ECHO","payload":{"text":"no id"}}`)
	c.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"no id"}}`)
}

func TestTimeoutIsAnsweredWhileTheHandlerRuns(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	c.send(`{"type":"ASK","meta":{"correlationId":"slow"},"payload":{"roomId":"a","text":"wait"}}`)
	receive(t, s.asleep)
	s.clock.Advance(5 * time.Second)
	c.expect(rpcError("slow", "DEADLINE_EXCEEDED", "no answer in 5s", `,"retryable":true,"retryAfterMs":50`))
	receive(t, s.asleep) // the handler learned of it
	c.send(join("a"))
	c.expect(newsFrame("a", "joined ann")) // and said nothing more
}

func TestAbort(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann", "wsgen.v1")
	c.send(`{"type":"ASK","meta":{"correlationId":"x"},"payload":{"roomId":"a","text":"wait"}}`)
	receive(t, s.asleep)
	c.send(`{"type":"$ws:abort","meta":{"correlationId":"unknown"}}`, `{"type":"$ws:abort","meta":{"correlationId":"x"}}`)
	c.expect(rpcError("x", "CANCELLED", "cancelled by the client", final))
	receive(t, s.asleep)
}

func TestBadInputIsAnsweredAtOnce(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	issue := func(path, message string) string {
		return `,"details":{"issues":[{"path":"` + path + `","message":"` + message + `"}]},"retryable":false`
	}
	for _, tt := range []struct{ name, send, want string }{
		{"missing field", `{"type":"JOIN","payload":{}}`, errorFrame("INVALID_ARGUMENT", "/payload/roomId is required", issue("/payload/roomId", "is required"))},
		{"extra key", `{"type":"JOIN","payload":{"roomId":"a","x":1}}`, errorFrame("INVALID_ARGUMENT", "/payload/x unknown field", issue("/payload/x", "unknown field"))},
		{"too long", `{"type":"ECHO","meta":{"correlationId":"1"},"payload":{"text":"123456789012345678901"}}`,
			rpcError("1", "INVALID_ARGUMENT", "/payload/text must have at most 20 characters", issue("/payload/text", "must have at most 20 characters"))},
		{"unknown type", `{"type":"WHAT","meta":{"correlationId":"2"}}`, rpcError("2", "UNIMPLEMENTED", `unknown message type \"WHAT\"`, final)},
		{"unknown event", `{"type":"WHAT"}`, errorFrame("UNIMPLEMENTED", `unknown message type \"WHAT\"`, final)},
		{"from servers only", `{"type":"NEWS","payload":{"roomId":"a","text":"x"}}`, errorFrame("UNIMPLEMENTED", `only servers send NEWS`, final)},
		{"reserved", `{"type":"$ws:other"}`, errorFrame("UNIMPLEMENTED", `the type \"$ws:other\" is reserved`, final)},
		{"server's meta", `{"type":"PING","meta":{"clientId":"me"}}`,
			errorFrame("INVALID_ARGUMENT", "/meta/clientId must be left out, because the server sets it", issue("/meta/clientId", "must be left out, because the server sets it"))},
		{"handler panics", `{"type":"BOOM","payload":{"roomId":"a"}}`, errorFrame("INTERNAL", "internal error", final)},
		{"room refused", join("forbidden"), errorFrame("PERMISSION_DENIED", "not this one", final)},
		{"not joined", say("hi"), errorFrame("FAILED_PRECONDITION", "not in a room: join one first", final)},
		{"role", `{"type":"ADMIN","payload":{"text":"x"}}`, errorFrame("PERMISSION_DENIED", "ADMIN needs one of the roles admin", final)},
		{"heartbeat", `{"type":"__heartbeat"}`, `{"type":"__heartbeat_ack","meta":{"ts":1767225600000}}`},
	} {
		c.send(tt.send)
		if got := c.next(); got != tt.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", tt.name, tt.send, got, tt.want)
		}
	}
	c.send(`{"type":"ECHO","meta":{"correlationId":"3"},"payload":{"text":`)
	if got := c.next(); !strings.HasPrefix(got, `{"type":"RPC_ERROR","meta":{"correlationId":"3"},"payload":{"code":"INVALID_ARGUMENT","message":"invalid JSON at byte`) {
		t.Errorf("broken JSON with a correlation id: %s", got)
	}
	c.send(`nonsense`)
	if got := c.next(); !strings.HasPrefix(got, `{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT","message":"invalid JSON at byte 1`) {
		t.Errorf("no JSON: %s", got)
	}
}
