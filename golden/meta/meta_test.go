package meta_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/meta/meta"
)

// room says everything again, with one more hop.
type room struct {
	meta.UnimplementedRoomHandler
	room *meta.Room
}

func (r *room) Say(_ context.Context, c *meta.Conn, m *meta.Say) error {
	if err := r.room.Join(c); err != nil {
		return err
	}
	return r.room.Publish(&meta.Say{RoomID: m.RoomID, Text: m.Text, Meta: &meta.SayMeta{Trace: m.Meta.Trace, Hop: new(uint8(1))}})
}

type conn struct{ pings chan string }

func (h conn) Ping(_ context.Context, _ *meta.Conn, m *meta.Ping) error {
	h.pings <- m.Meta.Trace
	return nil
}

func (h conn) Add(_ context.Context, _ *meta.Conn, req *meta.AddRequest) (*meta.AddResponse, error) {
	if req.Meta.Tenant != nil {
		return &meta.AddResponse{Sum: -1}, nil
	}
	return &meta.AddResponse{Sum: req.A + req.B}, nil
}

func serve(t *testing.T) (*wstest.Server, conn) {
	t.Helper()
	h := conn{make(chan string, 1)}
	srv, err := meta.NewServer(meta.Config{
		Conn:     h,
		OpenRoom: func(_ context.Context, r *meta.Room) (meta.RoomHandler, error) { return &room{room: r}, nil },
		Authenticate: func(*http.Request, string) (*meta.Claims, error) {
			return &meta.Claims{UserID: "ann", Roles: []string{}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return wstest.Serve(t, srv), h
}

func TestMetaTravels(t *testing.T) {
	srv, h := serve(t)
	said := make(chan *meta.Say, 1)
	c, err := meta.Dial(t.Context(), srv.URL(), meta.Events{Say: func(_ context.Context, m *meta.Say) { said <- m }}, srv.Dialer())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Say(t.Context(), &meta.Say{RoomID: "a", Text: "hi", Meta: &meta.SayMeta{Trace: "t1"}}); err != nil {
		t.Fatal(err)
	}
	if m := <-said; m.Text != "hi" || m.Meta.Trace != "t1" || *m.Meta.Hop != 1 {
		t.Errorf("%+v %+v", m, m.Meta)
	}
	if err := c.Ping(t.Context(), &meta.Ping{Meta: meta.NewPingMeta()}); err != nil {
		t.Fatal(err)
	}
	if trace := <-h.pings; trace != "none" {
		t.Errorf("trace %q", trace)
	}
	if r, err := c.Add(t.Context(), &meta.AddRequest{A: 1, B: 2, Meta: &meta.AddMeta{Tenant: new("x")}}); err != nil || r.Sum != -1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.Add(t.Context(), &meta.AddRequest{A: 1, B: 2}); err != nil || r.Sum != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := c.Say(t.Context(), &meta.Say{RoomID: "a"}); err == nil || !strings.Contains(err.Error(), "/trace must have at least 1 character") {
		t.Errorf("meta is required: %v", err)
	}
}

func TestMetaIsChecked(t *testing.T) {
	srv, _ := serve(t)
	c := wstest.Dial(t, srv, "/?access_token=ann")
	for frame, issue := range map[string]string{
		`{"type":"SAY","payload":{"roomId":"a","text":"x"}}`:                                             `"path":"/meta/trace","message":"is required"`,
		`{"type":"SAY","meta":{"trace":"x","hop":4},"payload":{"roomId":"a","text":"x"}}`:                `"path":"/meta/hop","message":"must be at most 3"`,
		`{"type":"SAY","meta":{"trace":"x","more":1,"timestamp":5},"payload":{"roomId":"a","text":"x"}}`: `"path":"/meta/more","message":"unknown field"`,
		`{"meta":{"other":1},"type":"PING"}`:                                                             `"path":"/meta/other","message":"unknown field"`,
	} {
		c.Send(frame)
		if answer := c.Next(); !strings.Contains(answer, issue) {
			t.Errorf("%s: %s", frame, answer)
		}
	}
}
