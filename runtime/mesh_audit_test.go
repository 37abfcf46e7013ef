package runtime_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// nodeOf starts a node of a cluster. The test drains it.
func nodeOf(t *testing.T, c *memory.Cluster, name string, change ...func(*wsrt.Protocol)) (*wsrt.Server, *wstest.Server) {
	t.Helper()
	return nodeIn(t, c, name, &world{left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100)}, change...)
}

// nodeIn is nodeOf with a world that the test knows.
func nodeIn(t *testing.T, c *memory.Cluster, name string, w *world, change ...func(*wsrt.Protocol)) (*wsrt.Server, *wstest.Server) {
	t.Helper()
	p := *protocol
	p.Claims.Payload = &wsrt.Payload{
		Decode: func(d *codec.Decoder) any { return &claims{user: d.String()} },
		Encode: func(w *jx.Writer, v any) { codec.WriteString(w, v.(*claims).user) },
	}
	for _, f := range change {
		f(&p)
	}
	srv, err := wsrt.NewServer(&p, wsrt.ServerConfig{
		Options: wsrt.Options{
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), DrainSpread: -1,
			Cluster: &cluster.Config{Backplane: c.Node(name), Node: name, Slots: 16, Clock: clock.Real{}},
		},
		Authenticate: func(_ *http.Request, token string) (any, error) { return &claims{user: token}, nil },
		Conn:         w,
		OpenRoom: []func(context.Context, *wsrt.Room) (any, error){func(_ context.Context, r *wsrt.Room) (any, error) {
			return &lobby{world: w, room: r}, nil
		}},
		NewConn: func(c *wsrt.Conn) any { return c },
		NewRoom: func(r *wsrt.Room) any { return r },
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv, wstest.Serve(t, srv)
}

// TestAudit makes good what a gateway and an owner believe of each other's members, whoever is wrong.
func TestAudit(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		one, _ := nodeOf(t, c, "one")
		two, entry := nodeOf(t, c, "two")
		defer func() {
			_ = two.Drain(context.Background())
			_ = one.Drain(context.Background())
		}()
		time.Sleep(20 * time.Second) // the slots are shared out
		room := roomOf(t, one)
		conn := wstest.Dial(t, entry, "/?access_token=ann")
		conn.Send(join(room))
		conn.Expect(newsFrame(room, "joined ann"))
		id := two.Debug(1).Slowest[0].ID
		topic := "room:" + room

		if !wsrt.ForgetMember(one, topic, id) {
			t.Fatal("the owner does not have ann")
		}
		time.Sleep(time.Minute)
		if err := one.Publish(context.Background(), topic, news, &body{RoomID: room, Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		conn.Expect(newsFrame(room, "hello"))

		if !wsrt.ForgetBranch(two, topic, id) {
			t.Fatal("the gateway does not have ann")
		}
		time.Sleep(15 * time.Second)
		if n := one.Stats().Members; n != 1 {
			t.Errorf("%d members, before it is certain that there is none", n)
		}
		time.Sleep(time.Minute)
		if n := one.Stats().Members; n != 0 {
			t.Errorf("%d members that nobody has", n)
		}
	})
}

// roomOf returns a room that a node owns.
func roomOf(t *testing.T, s *wsrt.Server) string {
	t.Helper()
	for i := range 1000 {
		if room := fmt.Sprint("r", i); s.Owns("room:" + room) {
			return room
		}
	}
	t.Fatal("the node owns nothing")
	return ""
}
