// Package replies_test runs requests whose replies share a type, with each other or with what the server sends by itself.
package replies_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/replies/replies"
)

type handler struct{}

func (handler) Save(_ context.Context, _ *replies.Conn, req *replies.SaveRequest) (*replies.SaveResponse, error) {
	return &replies.SaveResponse{ID: int32(len(req.Text))}, nil
}

func (handler) Drop(context.Context, *replies.Conn, *replies.DropRequest) (*replies.DropResponse, error) {
	return &replies.DropResponse{}, nil
}

func (handler) Clear(context.Context, *replies.Conn, *replies.ClearRequest) (*replies.ClearResponse, error) {
	return &replies.ClearResponse{}, nil
}

// Ping sends a PONG of its own before it answers with one.
func (handler) Ping(_ context.Context, c *replies.Conn, _ *replies.PingRequest) (*replies.PingResponse, error) {
	return &replies.PingResponse{At: 7}, c.Send(&replies.Pong{By: c.UserID()})
}

func (handler) Echo(_ context.Context, _ *replies.Conn, req *replies.EchoRequest) (*replies.EchoResponse, error) {
	return &replies.EchoResponse{Text: req.Text}, nil
}

func (handler) Leave(_ context.Context, c *replies.Conn, _ *replies.Leave) error {
	return c.Send(&replies.Left{})
}

func (handler) Poke(_ context.Context, c *replies.Conn, _ *replies.Poke) error {
	return c.Send(&replies.Pong{By: "poke"})
}

func serve(t *testing.T) *wstest.Server {
	t.Helper()
	srv, err := replies.NewServer(replies.Config{Conn: handler{}, Authenticate: func(*http.Request, string) (*replies.Claims, error) {
		return &replies.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Drain(context.Background()) })
	return wstest.Serve(t, srv)
}

func TestRepliesOfOneType(t *testing.T) {
	s := serve(t)
	pongs := make(chan string, 10)
	left := make(chan struct{}, 1)
	c, err := replies.Dial(t.Context(), s.URL(), replies.Events{
		Pong: func(_ context.Context, m *replies.Pong) { pongs <- m.By },
		Left: func(context.Context, *replies.Left) { left <- struct{}{} },
	}, s.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	if r, err := c.Save(ctx, &replies.SaveRequest{Text: "abc"}); err != nil || r.ID != 3 {
		t.Errorf("save: %+v, %v", r, err)
	}
	if _, err := c.Drop(ctx, &replies.DropRequest{ID: 1}); err != nil {
		t.Errorf("drop: %v", err)
	}
	if _, err := c.Clear(ctx, &replies.ClearRequest{}); err != nil {
		t.Errorf("clear: %v", err)
	}
	if r, err := c.Ping(ctx, &replies.PingRequest{}); err != nil || r.At != 7 {
		t.Errorf("ping: %+v, %v", r, err)
	}
	if r, err := c.Echo(ctx, &replies.EchoRequest{Text: "hi"}); err != nil || r.Text != "hi" {
		t.Errorf("echo: %+v, %v", r, err)
	}
	if err := c.Poke(ctx, &replies.Poke{}); err != nil {
		t.Error(err)
	}
	if err := c.Leave(ctx, &replies.Leave{}); err != nil {
		t.Error(err)
	}
	<-left // all before it has come, and the answer to the ping was not among it
	if one, two := <-pongs, <-pongs; one != "ann" || two != "poke" || len(pongs) > 0 {
		t.Errorf("pongs of %s, %s, and %d more", one, two, len(pongs))
	}
}

func TestEmptyObjectsAreThere(t *testing.T) {
	c := wstest.Dial(t, serve(t), "/")
	c.Send(`{"type":"LEAVE","payload":{}}`)
	c.Expect(`{"type":"LEFT","payload":{}}`)
	c.Send(`{"type":"CLEAR","meta":{"correlationId":"c-1"},"payload":{}}`)
	c.Expect(`{"type":"OK","meta":{"correlationId":"c-1"},"payload":{}}`)
	c.Send(`{"type":"DROP","meta":{"correlationId":"c-2"},"payload":{"id":1}}`)
	c.Expect(`{"type":"OK","meta":{"correlationId":"c-2"}}`)
	c.Send(`{"type":"LEAVE"}`)
	c.Expect(`{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT","message":"/payload is required",
		"details":{"issues":[{"path":"/payload","message":"is required"}]},"retryable":false}}`)
	c.Send(`{"type":"POKE","payload":{}}`)
	const text = "must be left out, because this message has no payload"
	c.Expect(`{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT","message":"/payload ` + text + `",
		"details":{"issues":[{"path":"/payload","message":"` + text + `"}]},"retryable":false}}`)
}
