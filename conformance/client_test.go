package conformance_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/conformance/talk"
)

// A player is a client in a replay, with the program that uses it, and the server's end of its connections.
type player struct {
	t        *testing.T
	profile  string
	c        *talk.Client
	told     map[string]chan any // what the program is told, by its kind
	abort    context.CancelFunc  // ends the last call
	attempts chan *attempt
	conns    map[any]*serverEnd // by their names, as those of a server's replay
	acted    time.Time          // when the server did something last
	names    names
}

// TestClientFixtures plays the server, and compares what the client sends and what its program is told.
func TestClientFixtures(t *testing.T) {
	fixtures(t, []string{"client", "native"}, func(t *testing.T, f *fixture, profile string) replay {
		p := &player{t: t, profile: profile, told: map[string]chan any{}, attempts: make(chan *attempt, 1), conns: map[any]*serverEnd{},
			abort: func() {}, acted: time.Now(), names: names{}}
		for _, kind := range []string{"outcome", "progress", "event", "unknown", "onError", "gap", "state"} {
			p.told[kind] = make(chan any, 100)
		}
		s := wstest.Serve(t, http.HandlerFunc(p.serve))
		go p.dial(s, &f.Client)
		t.Cleanup(p.stop)
		if !f.connects() {
			p.connect(map[string]any{}, nil)
			p.do("state", "open", nil)
		}
		return p
	})
}

// do does what the server and the program do in a step, and wants of the client what it does, and tells the program.
func (p *player) do(name string, value any, s step) {
	t := p.t
	t.Helper()
	end := p.conns[s["on"]]
	switch name {
	case "connect":
		p.connect(value, s["on"])
	case "c2s":
		got := object(t, wait(t, end.frames))
		p.timeout(got)
		p.names.expect(t, value, got)
	case "s2c":
		p.write(end, websocket.MessageText, encoded(t, p.names.fill(value)))
	case "s2cRaw":
		data, binary := raw(t, value)
		p.write(end, map[bool]websocket.MessageType{false: websocket.MessageText, true: websocket.MessageBinary}[binary], data)
	case "close":
		p.acted = time.Now()
		_ = end.conn.Close(websocket.StatusCode(number(value, "code")), text(value, "reason"))
	case "cut":
		p.acted = time.Now()
		_ = end.conn.CloseNow()
	case "hangup":
		if code := wait(t, end.ended); code != number(value, "code") {
			t.Fatalf("the client closes with %d, want %d", code, number(value, "code"))
		}
	case "beat":
		wait(t, end.pings) <- value.(bool)
		p.acted = time.Now()
	case "pass":
		pass(value)
	case "call":
		p.call(value.(string), s["with"])
	case "abort":
		p.abort()
		p.names.expect(t, map[string]any{"abort": true}, wait(t, p.told["outcome"]))
	case "result", "error", "lost", "invalid":
		p.names.expect(t, map[string]any{name: value}, wait(t, p.told["outcome"]))
	case "progress", "event", "unknown", "onError", "gap", "state":
		p.names.expect(t, value, wait(t, p.told[name]))
	}
}

// end wants the client to do nothing else, and the program to be told nothing else.
func (p *player) end() {
	p.t.Helper()
	wstest.Settle()
	for kind, told := range p.told {
		if len(told) > 0 {
			p.t.Errorf("the program is told, too: %s %s", kind, encoded(p.t, plain(p.t, <-told)))
		}
	}
	for on, end := range p.conns {
		if len(end.frames) > 0 {
			p.t.Errorf("the client sends, too, on %v: %s", on, <-end.frames)
		}
	}
	if len(p.attempts) > 0 {
		p.t.Error("the client connects once more")
	}
}

// stop ends the client and its connections.
func (p *player) stop() {
	p.abort()
	for _, end := range p.conns {
		_ = end.conn.CloseNow()
	}
	if p.c != nil {
		_ = p.c.Close()
	}
	close(p.attempts)
}

// An attempt is one to connect, which is not answered yet.
type attempt struct {
	w    http.ResponseWriter
	r    *http.Request
	done chan struct{}
}

// serve keeps an attempt until a step is one.
func (p *player) serve(w http.ResponseWriter, r *http.Request) {
	a := &attempt{w, r, make(chan struct{})}
	select {
	case p.attempts <- a:
	default: // one is there already, or the replay is over
		return
	}
	select {
	case <-a.done:
	case <-r.Context().Done():
	}
}

// connect waits for the client to connect, compares how it does that, and answers it.
func (p *player) connect(value, on any) {
	t, how := p.t, members(value)
	t.Helper()
	a := wait(t, p.attempts)
	defer close(a.done)
	within := milliseconds(how["withinMs"])
	if within == 0 {
		within = 5 * time.Millisecond
	}
	if d, after := time.Since(p.acted), milliseconds(how["afterMs"]); d < after || d > after+within {
		t.Fatalf("the client connects after %v, want %v", d, after)
	}
	p.acted = time.Now()
	offered := strings.Split(a.r.Header.Get("Sec-WebSocket-Protocol"), ",")
	for i := range offered {
		offered[i] = strings.TrimSpace(offered[i])
	}
	if want := texts(how["offered"]); want != nil && !reflect.DeepEqual(offered, want) {
		t.Fatalf("the client offers %q, want %q", offered, want)
	}
	if want, ok := how["path"].(string); ok && !sameQuery(want, a.r.URL) {
		t.Fatalf("the client connects to %s, want %s", a.r.URL, want)
	}
	if want, ok := how["token"]; ok && want != token(a.r, offered) {
		t.Fatalf("the client shows the token %q, want %q", token(a.r, offered), want)
	}
	if status := number(how, "refused"); status != 0 {
		a.w.WriteHeader(status)
		return
	}
	chosen, ok := how["chosen"].(string)
	if !ok {
		chosen = p.profile
	}
	if on == nil && p.conns[nil] != nil {
		p.conns["before"] = p.conns[nil]
	}
	p.conns[on] = accept(t, a, chosen)
}

// sameQuery compares what queries say, however they write it.
func sameQuery(path string, got *url.URL) bool {
	want, err := url.Parse(path)
	return err == nil && reflect.DeepEqual(want.Query(), got.Query())
}

// token finds the token of a client, which has some places for it.
func token(r *http.Request, offered []string) string {
	for _, p := range offered {
		if token, ok := strings.CutPrefix(p, "bearer."); ok {
			return token
		}
	}
	return r.URL.Query().Get("access_token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// serverEnd is the server's end of a connection.
type serverEnd struct {
	conn   *websocket.Conn
	frames chan []byte
	pings  chan chan<- bool // gets what wants to know whether to answer a ping
	ended  chan int         // gets the code by which the client ends it
}

func accept(t *testing.T, a *attempt, chosen string) *serverEnd {
	t.Helper()
	end := &serverEnd{frames: make(chan []byte, 1000), pings: make(chan chan<- bool), ended: make(chan int, 1)}
	var err error
	end.conn, err = websocket.Accept(a.w, a.r, &websocket.AcceptOptions{Subprotocols: []string{chosen},
		OnPingReceived: func(context.Context, []byte) bool {
			answer := make(chan bool)
			select {
			case end.pings <- answer:
				return <-answer
			case <-t.Context().Done():
				return false
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	end.conn.SetReadLimit(-1)
	go func() {
		for {
			_, data, err := end.conn.Read(context.Background())
			if err != nil {
				end.ended <- int(websocket.CloseStatus(err))
				return
			}
			end.frames <- data
		}
	}()
	return end
}

func (p *player) write(end *serverEnd, typ websocket.MessageType, data []byte) {
	p.t.Helper()
	p.acted = time.Now()
	if err := end.conn.Write(context.Background(), typ, data); err != nil {
		p.t.Fatal(err)
	}
}

// timeout takes meta.timeoutMs out of a frame: each request has it in the extended profile, and nothing else has.
func (p *player) timeout(frame map[string]any) {
	p.t.Helper()
	meta := members(frame["meta"])
	ms, has := meta["timeoutMs"].(float64)
	request := meta["correlationId"] != nil && frame["type"] != "$ws:abort"
	if has != (request && p.profile == v1) || has && (ms < 1 || ms != float64(int(ms))) {
		p.t.Fatalf("timeoutMs of %s", encoded(p.t, frame))
	}
	delete(meta, "timeoutMs")
}

// dial makes the client.
func (p *player) dial(s *wstest.Server, set *settings) {
	told := func(kind string, v any) { p.told[kind] <- v }
	opts := []client.Option{s.Dialer(), client.WithBackoff(client.Backoff{Base: time.Millisecond, Max: time.Millisecond}),
		client.WithOnUnknown(func(name string, _ []byte) { told("unknown", name) }),
		client.WithOnState(func(s client.State, _ error) { told("state", s.String()) }),
		client.WithOnError(func(err error) { told("onError", failure(err)) }),
		client.WithOnGap(func(g client.Gap) {
			told("gap", map[string]any{"room": g.Topic, "member": g.Member, "reason": g.Reason, "first": g.First, "seq": g.Seq})
		}),
		client.WithLogger(slog.New(slog.NewTextHandler(p.t.Output(), nil)))}
	switch tokens := set.Tokens; len(tokens) {
	case 0:
	case 1:
		opts = append(opts, client.WithToken(tokens[0]))
	default:
		opts = append(opts, client.WithTokenSource(func(context.Context) (string, error) {
			next := tokens[0]
			tokens = tokens[min(1, len(tokens)-1):]
			return next, nil
		}))
	}
	opts = append(opts, client.WithTokenPlacement(map[string]client.TokenPlacement{
		"": client.TokenInHeader, "query": client.TokenInQuery, "subprotocol": client.TokenInSubprotocol}[set.TokenIn]))
	if q := set.Queue; q != nil {
		opts = append(opts, client.WithQueue(q.Size, map[string]client.QueuePolicy{
			"drop-newest": client.QueueDropNewest, "drop-oldest": client.QueueDropOldest, "off": client.QueueOff}[q.Policy]))
	}
	var err error
	if p.c, err = talk.Dial(context.Background(), s.URL()+set.Path, events(told), opts...); err != nil {
		told("state", "closed") // as a client says that connects in the background
	}
}

// wait waits for what comes next, in time that passes only while all wait.
func wait[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing comes")
		panic("unreachable")
	}
}
