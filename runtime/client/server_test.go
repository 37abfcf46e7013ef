package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tests run in bubbles of testing/synctest: time stands still until all goroutines wait, and a bubble fails when a
// goroutine is left. They play the server by hand, frame by frame.

// A script is the server of a test.
type script struct {
	t        *testing.T
	srv      *wstest.Server
	accepted chan *peer
	requests []*http.Request // all handshakes; read it only between them
	at       []time.Time     // when they came
	refuse   func(n int, w http.ResponseWriter) bool
	base     bool // speak the base profile only
}

func newScript(t *testing.T) *script {
	s := &script{t: t, accepted: make(chan *peer, 100)}
	s.srv = wstest.Serve(t, s)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests, s.at = append(s.requests, r), append(s.at, time.Now())
	if s.refuse != nil && s.refuse(len(s.requests), w) {
		return
	}
	opts := &websocket.AcceptOptions{Subprotocols: []string{"wsgen.v1"}}
	if s.base {
		opts.Subprotocols = nil
	}
	conn, err := websocket.Accept(w, r, opts)
	if err != nil {
		return
	}
	s.accepted <- &peer{t: s.t, conn: conn}
}

// next returns the server's end of the next connection.
func (s *script) next() *peer {
	s.t.Helper()
	select {
	case p := <-s.accepted:
		return p
	case <-time.After(time.Minute):
		s.t.Fatal("no connection")
		return nil
	}
}

// gaps returns the times between handshakes.
func (s *script) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(s.at); i++ {
		gaps = append(gaps, s.at[i].Sub(s.at[i-1]))
	}
	return gaps
}

// A peer is the server's end of a connection.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

func (p *peer) send(frames ...string) {
	p.t.Helper()
	for _, f := range frames {
		if err := p.conn.Write(p.ctx(), websocket.MessageText, []byte(f)); err != nil {
			p.t.Fatalf("server cannot send %s: %v", f, err)
		}
	}
}

// ctx bounds one step, in the time of the bubble.
func (p *peer) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(p.t.Context(), cancel)
	return ctx
}

type received struct {
	Type string
	Meta struct {
		CorrelationID string
		TimeoutMs     int
	}
	Payload json.RawMessage
}

// read returns the next frame of the client.
func (p *peer) read() received {
	p.t.Helper()
	_, data, err := p.conn.Read(p.ctx())
	if err != nil {
		p.t.Fatalf("server cannot read: %v", err)
	}
	var f received
	if err := json.Unmarshal(data, &f); err != nil {
		p.t.Fatalf("client sent %s: %v", data, err)
	}
	return f
}

// expect reads frames and compares their type and payload.
func (p *peer) expect(want ...string) {
	p.t.Helper()
	for _, w := range want {
		f := p.read()
		if got := f.Type + string(f.Payload); got != w {
			p.t.Fatalf("client sent %s, want %s", got, w)
		}
	}
}

// request reads a request of the type and returns it.
func (p *peer) request(typ string) received {
	p.t.Helper()
	f := p.read()
	if f.Type != typ || f.Meta.CorrelationID == "" {
		p.t.Fatalf("client sent %+v, want a request %s", f, typ)
	}
	return f
}

// reply answers a request with a frame of the type.
func (p *peer) reply(r received, typ, payload string) {
	p.t.Helper()
	f := `{"type":"` + typ + `","meta":{"correlationId":"` + r.Meta.CorrelationID + `"}`
	if payload != "" {
		f += `,"payload":` + payload
	}
	p.send(f + `}`)
}

// pump reads, so that control frames are answered, until the connection ends. It returns how it ended.
func (p *peer) pump() <-chan error {
	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := p.conn.Read(context.Background()); err != nil {
				_ = p.conn.CloseNow()
				ended <- err
				return
			}
		}
	}()
	return ended
}

func (p *peer) close(code int, reason string) { _ = p.conn.Close(websocket.StatusCode(code), reason) }

func (p *peer) drop() { _ = p.conn.CloseNow() }

// A user is a client and what its callbacks got.
type user struct {
	*client.Client
	t    *testing.T
	seen []string // events and states, in order; read it after synctest.Wait
	errs []error
	on   func(ctx context.Context, text string) // called with each event
}

// dial connects a client to the script. The client is closed when the test ends.
func (s *script) dial(opts ...client.Option) (*user, *peer) {
	s.t.Helper()
	u := &user{t: s.t}
	if err := u.dial(s, opts); err != nil {
		s.t.Fatalf("Dial: %v", err)
	}
	s.t.Cleanup(func() { u.Close() })
	return u, s.next()
}

func (u *user) dial(s *script, opts []client.Option) error {
	opts = append([]client.Option{
		s.srv.Dialer(),
		client.WithOnState(func(st client.State, err error) { u.seen = append(u.seen, st.String()) }),
		client.WithOnError(func(err error) { u.errs = append(u.errs, err) }),
		client.WithPing(0, 0),
		client.WithRandom(func(n int64) int64 { return n - 1 }), // the longest wait
	}, opts...)
	dispatch := func(ctx context.Context, t *wsrt.MessageType, msg any) {
		u.seen = append(u.seen, show(t, msg))
		if u.on != nil {
			u.on(ctx, show(t, msg))
		}
	}
	var err error
	u.Client, err = client.Dial(u.t.Context(), s.srv.URL()+"/ws?room=general", protocol, dispatch, opts...)
	return err
}

// sees waits until all is quiet and compares what the callbacks got since the last time.
func (u *user) sees(want ...string) {
	u.t.Helper()
	synctest.Wait()
	if !slices.Equal(u.seen, want) {
		u.t.Fatalf("callbacks got %q, want %q", u.seen, want)
	}
	u.seen = nil
}

// say sends a SAY that must succeed.
func (u *user) say(s string) {
	u.t.Helper()
	if err := u.Send(u.t.Context(), say, &text{s}); err != nil {
		u.t.Fatalf("Send: %v", err)
	}
}

// A result is what a Call returned.
type result struct {
	reply any
	err   error
}

// call calls on a goroutine of its own.
func (u *user) call(ctx context.Context, t *wsrt.MessageType, req any, progress func(any)) <-chan result {
	done := make(chan result, 1)
	go func() {
		reply, err := u.Call(ctx, t, req, progress)
		done <- result{reply, err}
	}()
	return done
}

// wantErr waits for the result of a call and checks its error.
func wantErr(t *testing.T, done <-chan result, want error) {
	t.Helper()
	if r := <-done; !errors.Is(r.err, want) {
		t.Fatalf("Call returned %v, %v; want %v", r.reply, r.err, want)
	}
}

func bubble(t *testing.T, f func(t *testing.T, s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newScript(t)) })
}
