package opcodes_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/opcodes/opcodes"
)

type handler struct{}

func (handler) Identify(_ context.Context, c *opcodes.Conn, m *opcodes.Identify) error {
	return c.Send(&opcodes.Hello{Interval: uint32(len(m.Token))})
}

func TestOpcodes(t *testing.T) {
	srv, err := opcodes.NewServer(opcodes.Config{Conn: handler{}, Authenticate: func(*http.Request, string) (*opcodes.Claims, error) {
		return &opcodes.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := wstest.Serve(t, srv)
	raw := wstest.Dial(t, s, "/?access_token=ann")
	raw.Send(`{"op":2,"d":{"token":"abc"}}`)
	if got := raw.Next(); got != `{"op":10,"d":{"interval":3}}` {
		t.Error(got)
	}
	hello := make(chan *opcodes.Hello, 1)
	c, err := opcodes.Dial(t.Context(), s.URL(), opcodes.Events{Hello: func(_ context.Context, m *opcodes.Hello) { hello <- m }}, s.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Identify(t.Context(), &opcodes.Identify{Token: "ab"}); err != nil {
		t.Fatal(err)
	}
	if m := <-hello; m.Interval != 2 {
		t.Errorf("%+v", m)
	}
}
