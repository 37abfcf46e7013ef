package history_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/history/history"
)

// listener is a room in which nothing happens but coming and going.
type listener struct {
	history.UnimplementedRoomHandler
	r *history.Room
}

func (h *listener) Join(_ context.Context, c *history.Conn, _ *history.Join) error {
	return h.r.Join(c)
}

// FuzzFrames has a client that sends whatever text it likes, a frame a line. The server answers a request behind it, or has closed
// the connection, and nothing of it panics.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		`{"type":"JOIN","payload":{"roomId":"a"}}` + "\n" + `{"type":"LEAVE","payload":{"roomId":"a"}}`,
		`{"type":""}`, `{"type":"","meta":{"correlationId":"1"},"payload":{}}`, `{"payload":{},"type":""}`, `{"type":"NUMBER"}`, `{"type":null}`,
		`{"type":"TOTAL","meta":{"correlationId":"1","timeoutMs":1},"payload":{"roomId":"a"}}` + "\n" + `{"type":"$ws:abort","meta":{"correlationId":"1"}}`,
		`{"type":"__heartbeat","payload":1}`, `{"type":"__heartbeat_ack"}`, `{"type":"ERROR"}`, `{"type":"RPC_ERROR","payload":{}}`, `{"type":"$ws:auth","payload":{"token":"x"}}`,
		`{"type":"$ws:resume","payload":{"session":"","rooms":{"room:a":{"epoch":"","seq":0},"":{"epoch":"x","seq":1}}}}`,
		`{"type":"$ws:resume"}`, `{"type":"$ws:session","payload":{"session":"x"}}`, `{"type":"$ws:presence"}`, `{}`, `[]`, ``, `null`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, v1 bool) {
		if !utf8.ValidString(text) {
			return // closes with 1007
		}
		srv, err := history.NewServer(history.Config{
			Authenticate: func(*http.Request, string) (*history.Claims, error) {
				return &history.Claims{UserID: "mallory", Nick: history.ClaimsNickAnn}, nil
			},
			OpenRoom: func(_ context.Context, r *history.Room) (history.RoomHandler, error) { return &listener{r: r}, nil },
			OnError: func(_ context.Context, _ *history.Conn, err error) {
				if p, ok := errors.AsType[*wsrt.PanicError](err); ok {
					t.Errorf("%v\n%s", p, p.Stack)
				}
			},
			Options: wsrt.Options{
				Clock: wstest.NewClock(), Store: filestoreOf(t), Unlimited: true, Limits: wsrt.Limits{Invalid: -1}, PingInterval: -1, DrainSpread: -1,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		hs := wstest.Serve(t, srv)
		var protocols []string
		if v1 {
			protocols = []string{"wsgen.v1"}
		}
		c := wstest.Dial(t, hs, "/", protocols...)
		for line := range strings.Lines(text) {
			c.Send(line)
		}
		c.Send(`{"type":"TOTAL","meta":{"correlationId":"the end"},"payload":{"roomId":"z"}}`)
		for !strings.Contains(c.Next(), `"the end"`) {
		}
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
