package envelope_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/envelope/envelope"
)

type handler struct{}

func (handler) Subscribe(_ context.Context, _ *envelope.Conn, req *envelope.SubscribeRequest, progress func(*envelope.SubscribeProgress) error) (*envelope.SubscribeResponse, error) {
	if req.Pair == "bad" {
		return nil, envelope.NewUnknownPairError(envelope.UnknownPairDetails{Pair: req.Pair})
	}
	if err := progress(&envelope.SubscribeProgress{Loaded: 1}); err != nil {
		return nil, err
	}
	return &envelope.SubscribeResponse{Channel: 7}, nil
}

func (handler) Ping(_ context.Context, c *envelope.Conn, _ *envelope.Ping) error {
	return c.Send(&envelope.Pong{At: 5})
}

func (handler) Set(_ context.Context, c *envelope.Conn, m *envelope.Set) error {
	return c.Send(&envelope.Pong{At: map[bool]int{true: 1, false: 0}[m.All != nil]})
}

func serve(t *testing.T) *wstest.Server {
	t.Helper()
	srv, err := envelope.NewServer(envelope.Config{Conn: handler{}, Authenticate: func(*http.Request, string) (*envelope.Claims, error) {
		return &envelope.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return wstest.Serve(t, srv)
}

// TestFrames shows the frames as the protocol of others has them.
func TestFrames(t *testing.T) {
	c := wstest.Dial(t, serve(t), "/?access_token=ann")
	for _, tt := range []struct {
		send string
		want []string
	}{
		{`{"event":"ping"}`, []string{`{"event":"pong","at":5}`}},
		{`{"event":"set"}`, []string{`{"event":"pong","at":0}`}},
		{`{"all":true,"event":"set"}`, []string{`{"event":"pong","at":1}`}},
		{`{"event":"subscribe","reqid":1,"pair":"XBT/USD"}`, []string{`{"event":"$ws:rpc-progress","reqid":1,"loaded":1}`, `{"event":"subscriptionStatus","reqid":1,"channel":7}`}},
		{`{"reqid":"a","pair":"bad","event":"subscribe"}`, []string{`{"event":"RPC_ERROR","reqid":"a","code":"UNKNOWN_PAIR","message":"UNKNOWN_PAIR","details":{"pair":"bad"},"retryable":false}`}},
	} {
		c.Send(tt.send)
		for _, want := range tt.want {
			if got := c.Next(); got != want {
				t.Errorf("%s: got %s, want %s", tt.send, got, want)
			}
		}
	}
	for send, issue := range map[string]string{
		`{"event":"subscribe","reqid":2}`:                     `"path":"/pair","message":"is required"`,
		`{"event":"subscribe","reqid":2,"pair":"x","more":1}`: `"path":"/more","message":"unknown field"`,
		`{"event":5}`:                                 `"path":"/event","message":"must be a string, got number"`,
		`{"event":"ping","event":"ping"}`:             `"path":"/event","message":"must not be given twice"`,
		`{"pair":"x"}`:                                `"path":"/event","message":"is required"`,
		`{"event":"subscribe","reqid":[],"pair":"x"}`: `"path":"/reqid","message":"must be a string, got array"`,
	} {
		c.Send(send)
		if got := c.Next(); !strings.Contains(got, issue) {
			t.Errorf("%s: %s", send, got)
		}
	}
}

func TestClient(t *testing.T) {
	srv := serve(t)
	pongs := make(chan *envelope.Pong, 1)
	c, err := envelope.Dial(t.Context(), srv.URL(), envelope.Events{Pong: func(_ context.Context, m *envelope.Pong) { pongs <- m }}, srv.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ping(t.Context(), &envelope.Ping{}); err != nil {
		t.Fatal(err)
	}
	if m := <-pongs; m.At != 5 {
		t.Errorf("%+v", m)
	}
	loaded := 0
	r, err := c.Subscribe(t.Context(), &envelope.SubscribeRequest{Pair: "XBT/USD"}, func(p *envelope.SubscribeProgress) { loaded += int(p.Loaded) })
	if err != nil || r.Channel != 7 || loaded != 1 {
		t.Errorf("%+v, %v, %d", r, err, loaded)
	}
	_, err = c.Subscribe(t.Context(), &envelope.SubscribeRequest{Pair: "bad"}, nil)
	if unknown, ok := errors.AsType[*envelope.UnknownPairError](err); !ok || unknown.Details.Pair != "bad" {
		t.Errorf("%v", err)
	}
}
