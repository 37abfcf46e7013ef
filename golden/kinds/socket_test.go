package kinds_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/kinds/kinds"
)

// echo sends back what it gets.
type echo struct{}

func (echo) Required(_ context.Context, c *kinds.Conn, m *kinds.Required) error     { return c.Send(m) }
func (echo) Optional(_ context.Context, c *kinds.Conn, m *kinds.Optional) error     { return c.Send(m) }
func (echo) Nullable(_ context.Context, c *kinds.Conn, m *kinds.Nullable) error     { return c.Send(m) }
func (echo) ThreeState(_ context.Context, c *kinds.Conn, m *kinds.ThreeState) error { return c.Send(m) }
func (echo) Default(_ context.Context, c *kinds.Conn, m *kinds.Default) error       { return c.Send(m) }
func (echo) Wide(_ context.Context, c *kinds.Conn, m *kinds.Wide) error             { return c.Send(m) }
func (echo) NullableDefault(_ context.Context, c *kinds.Conn, m *kinds.NullableDefault) error {
	return c.Send(m)
}

// echoClient connects to a server that echoes. What comes back arrives in the channel.
func echoClient(t *testing.T) (*kinds.Client, <-chan any) {
	t.Helper()
	srv, err := kinds.NewServer(kinds.Config{Conn: echo{}, Authenticate: func(*http.Request, string) (*kinds.Claims, error) {
		return &kinds.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(srv)
	t.Cleanup(func() {
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	got := make(chan any, 1)
	c, err := kinds.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), kinds.Events{
		Required:        func(_ context.Context, m *kinds.Required) { got <- m },
		Optional:        func(_ context.Context, m *kinds.Optional) { got <- m },
		Nullable:        func(_ context.Context, m *kinds.Nullable) { got <- m },
		ThreeState:      func(_ context.Context, m *kinds.ThreeState) { got <- m },
		Default:         func(_ context.Context, m *kinds.Default) { got <- m },
		NullableDefault: func(_ context.Context, m *kinds.NullableDefault) { got <- m },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, got
}

func send(ctx context.Context, c *kinds.Client, m any) error {
	switch m := m.(type) {
	case *kinds.Required:
		return c.Required(ctx, m)
	case *kinds.Optional:
		return c.Optional(ctx, m)
	case *kinds.Nullable:
		return c.Nullable(ctx, m)
	case *kinds.ThreeState:
		return c.ThreeState(ctx, m)
	case *kinds.Default:
		return c.Default(ctx, m)
	}
	return c.NullableDefault(ctx, m.(*kinds.NullableDefault))
}

// TestKindsTravel sends every kind, in every presence, to a server and back: given, absent and null.
func TestKindsTravel(t *testing.T) {
	c, got := echoClient(t)
	for _, f := range forms {
		objects := []string{f.object("", "")}
		if f.optional {
			objects = append(objects, "{}")
		}
		if f.nullable {
			var nulls []string
			for _, k := range f.kinds() {
				nulls = append(nulls, `"`+k.name+`":null`)
			}
			objects = append(objects, "{"+strings.Join(nulls, ",")+"}")
		}
		for _, object := range objects {
			m := f.make()
			if err := json.Unmarshal([]byte(object), m); err != nil {
				t.Fatalf("%s %s: %v", f.name, object, err)
			}
			if err := send(t.Context(), c, m); err != nil {
				t.Fatalf("%s %s: %v", f.name, object, err)
			}
			select {
			case back := <-got:
				want, err := json.Marshal(m)
				have, err2 := json.Marshal(back)
				if err != nil || err2 != nil || string(have) != string(want) {
					t.Errorf("%s\nsent %s %v\ngot  %s %v", f.name, want, err, have, err2)
				}
			case <-time.After(wstest.Patience):
				t.Fatalf("%s: nothing came back of %s", f.name, object)
			}
		}
	}
}
