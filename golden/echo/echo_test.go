// Package echo_test runs the smaller cases: what a client sends comes back, and is what the schema says. It stands beside the
// generated packages, not with the test that writes them, which must compile when they change.
package echo_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/basic/basic"
	"github.com/wsgen/wsgen/golden/defaults/defaults"
	"github.com/wsgen/wsgen/golden/enums/enums"
	"github.com/wsgen/wsgen/golden/naming/naming"
	"github.com/wsgen/wsgen/golden/optional/optional"
)

// server is what all generated servers are.
type server interface {
	http.Handler
	Drain(ctx context.Context) error
}

func serve(t *testing.T, srv server, err error) *wstest.Server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return wstest.Serve(t, srv)
}

// next waits for a value.
func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(wstest.Patience):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

type basicRoom struct{ r *basic.Room }

func (h basicRoom) JoinRoom(_ context.Context, c *basic.Conn, m *basic.JoinRoom) error {
	if err := h.r.Join(c); err != nil {
		return err
	}
	return h.r.Publish(&basic.RoomUpdate{RoomID: m.RoomID, Text: "joined", UserID: c.UserID()})
}

func TestBasic(t *testing.T) {
	srv, err := basic.NewServer(basic.Config{
		Authenticate: func(*http.Request, string) (*basic.Claims, error) { return &basic.Claims{UserID: "ann"}, nil },
		OpenRoom:     func(_ context.Context, r *basic.Room) (basic.RoomHandler, error) { return basicRoom{r}, nil },
	})
	s := serve(t, srv, err)
	got := make(chan *basic.RoomUpdate, 1)
	c, err := basic.Dial(t.Context(), s.URL(), basic.Events{RoomUpdate: func(_ context.Context, m *basic.RoomUpdate) { got <- m }}, s.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.JoinRoom(t.Context(), &basic.JoinRoom{RoomID: "general"}); err != nil {
		t.Fatal(err)
	}
	if m := next(t, got); *m != (basic.RoomUpdate{RoomID: "general", Text: "joined", UserID: "ann"}) {
		t.Errorf("got %+v", m)
	}
}

// optionalEcho sends back what it gets.
type optionalEcho struct{}

func (optionalEcho) Echo(_ context.Context, c *optional.Conn, m *optional.Echo) error {
	return c.Send(m)
}

func TestEveryPresenceTravels(t *testing.T) {
	srv, err := optional.NewServer(optional.Config{Conn: optionalEcho{},
		Authenticate: func(*http.Request, string) (*optional.Claims, error) { return &optional.Claims{}, nil }})
	s := serve(t, srv, err)
	got := make(chan *optional.Echo, 1)
	c, err := optional.Dial(t.Context(), s.URL(), optional.Events{Echo: func(_ context.Context, m *optional.Echo) { got <- m }}, s.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, m := range []*optional.Echo{
		{Required: "r", List: []string{}},
		{Required: "r", Optional: new("o"), Nullable: new("n"), Both: codec.Null[string](), List: []string{"a"}, ListOptional: []string{}, Map: map[string]int32{}},
		{Required: "", Optional: new(""), Both: codec.Some("b"), List: []string{"a", "b"}, ListOptional: []string{"x"}, Map: map[string]int32{"k": 1},
			Inner: &optional.Inner{X: 5}, At: &at, Flag: new(false), Blob: []byte{1, 2}},
	} {
		if err := c.Echo(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if back := next(t, got); !reflect.DeepEqual(back, m) {
			t.Errorf("sent %+v\ngot  %+v", m, back)
		}
	}
	raw := wstest.Dial(t, s, "/")
	raw.Send(`{"type":"ECHO","payload":{"required":"r","nullable":null,"list":[]}}`)
	raw.Expect(`{"type":"ECHO","payload":{"required":"r","nullable":null,"list":[]}}`)
	for frame, path := range map[string]string{
		`{"required":"r","list":[]}`: "/payload/nullable is required", `{"required":"r","nullable":null}`: "/payload/list is required",
		`{"required":null,"nullable":null,"list":[]}`:                         "/payload/required must be a string, got null",
		`{"required":"r","nullable":null,"list":[],"optional":null}`:          "/payload/optional must be a string, got null",
		`{"required":"r","nullable":null,"list":[null]}`:                      "/payload/list/0 must be a string, got null",
		`{"required":"r","nullable":null,"list":[],"inner":{"x":1,"y":2}}`:    "/payload/inner/y unknown field",
		`{"required":"r","nullable":null,"list":[],"at":"yesterday"}`:         "/payload/at must be",
		`{"required":"r","nullable":null,"list":[],"required":"again"}`:       "/payload/required must not be given twice",
		`{"required":"r","nullable":null,"list":[],"listOptional":{"a":"b"}}`: "/payload/listOptional must be an array, got object",
	} {
		raw.Send(`{"type":"ECHO","payload":` + frame + `}`)
		if got := raw.Next(); !strings.Contains(got, "INVALID_ARGUMENT") || !strings.Contains(got, path) {
			t.Errorf("%s\ngot %s\nwant %s", frame, got, path)
		}
	}
}

type defaultsEcho struct{ got chan *defaults.Echo }

func (h defaultsEcho) Echo(_ context.Context, c *defaults.Conn, m *defaults.Echo) error {
	h.got <- m
	return c.Send(m)
}

func TestDefaultsAreFilled(t *testing.T) {
	h := defaultsEcho{make(chan *defaults.Echo, 1)}
	srv, err := defaults.NewServer(defaults.Config{Conn: h,
		Authenticate: func(*http.Request, string) (*defaults.Claims, error) { return &defaults.Claims{}, nil }})
	s := serve(t, srv, err)
	raw := wstest.Dial(t, s, "/")
	raw.Send(`{"type":"ECHO","payload":{"name":"x","window":{"to":7}}}`)
	raw.Expect(`{"type":"ECHO","payload":{"name":"x","text":"hello, world","bare":"hello","count":50,"big":"9007199254740993","ratio":0.5,"on":true,
		"level":"high","tags":["a","b"],"note":null,"window":{"from":0,"to":7}}}`)
	want := defaults.NewEcho()
	want.Name, want.Window.To = "x", 7
	if got := next(t, h.got); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	raw.Send(`{"type":"ECHO","payload":{"name":"x","window":{},"count":1,"on":false,"text":"","tags":[],"note":"n","level":"low","big":"0"}}`)
	got := next(t, h.got)
	if got.Count != 1 || got.On || got.Text != "" || len(got.Tags) != 0 || *got.Note != "n" || got.Level != defaults.LevelLow || got.Big != 0 {
		t.Errorf("what is given wins over defaults: %+v", got)
	}
}

type enumsEcho struct{}

func (enumsEcho) Echo(_ context.Context, c *enums.Conn, m *enums.Echo) error { return c.Send(m) }

func TestEnums(t *testing.T) {
	srv, err := enums.NewServer(enums.Config{Conn: enumsEcho{},
		Authenticate: func(*http.Request, string) (*enums.Claims, error) { return &enums.Claims{}, nil }})
	s := serve(t, srv, err)
	raw := wstest.Dial(t, s, "/")
	good := `{"type":"ECHO","payload":{"role":"owner","state":"open","by":{"a":"closed"},"all":["member"],"inline":"shut"}}`
	raw.Send(good)
	raw.Expect(good)
	raw.Send(strings.Replace(good, `"owner"`, `"king"`, 1))
	if got := raw.Next(); !strings.Contains(got, `"path":"/payload/role","message":"must be one of \"owner\", \"moderator\", \"member\""`) {
		t.Errorf("an unknown value: %s", got)
	}
	if enums.RoleOwner != "owner" || enums.EchoInlineShut != "shut" || !enums.StateOpen.Known() || enums.Role("king").Known() {
		t.Error("constants and Known")
	}
}

// TestNames compiles when the names are what the documentation says.
func TestNames(t *testing.T) {
	var c *naming.Client
	_ = []any{
		naming.GetUserIDs{}, naming.HTTP2Push{}, naming.TwoFactorCode{}, naming.RoomJoin{}, naming.SessionUpdate{}, naming.XMLHTTPRequest{},
		naming.ÜberRaum{}, naming.X房间加入{}, naming.Type{}, naming.HandlerMessage{}, naming.Close{}, naming.ConnMessage{},
		naming.Fields{Type: "", Func: "", XY: "", ID: "", Ref: "", X1st: "", MarshalJSONField: "", Constructor: ""},
		naming.UnitMHz, naming.ComparisonLess, naming.ComparisonNotEqual, naming.StepPlus1, naming.StepMinus1, naming.StepEmpty, naming.WordNull, naming.Word1,
		(func(*naming.Client, context.Context, *naming.Close) error)((*naming.Client).SendClose),
		(func(*naming.Client) error)((*naming.Client).Close),
	}
	if c != nil || string(naming.UnitMHz) == string(naming.UnitmHz) {
		t.Error("MHz and mHz are one")
	}
}
