package wstest_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wsgen/wsgen/golden/rooms/rooms"
	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// quietRoom answers each who enters a minute later.
type quietRoom struct {
	rooms.UnimplementedRoomHandler
	r *rooms.Room
}

func (h *quietRoom) Enter(_ context.Context, c *rooms.Conn, _ *rooms.Enter) error {
	h.r.After(time.Minute, func() { _ = h.r.Publish(&rooms.News{Text: "a minute has passed"}) })
	return h.r.Join(c)
}

// TestSettle lets a typed client and a raw one talk to a server in fake time.
func TestSettle(t *testing.T) {
	begin := time.Now()
	wstest.Run(t, func(t *testing.T) {
		srv, err := rooms.NewServer(rooms.Config{
			Authenticate: func(_ *http.Request, token string) (*rooms.Claims, error) { return &rooms.Claims{UserID: token}, nil },
			Conn:         rooms.UnimplementedConnHandler{},
			OpenRoom:     func(_ context.Context, r *rooms.Room) (rooms.RoomHandler, error) { return &quietRoom{r: r}, nil },
			OpenMatch: func(context.Context, *rooms.Room) (rooms.MatchHandler, error) {
				return rooms.UnimplementedMatchHandler{}, nil
			},
			Options: wsrt.Options{},
		})
		if err != nil {
			t.Fatal(err)
		}
		hs := wstest.Serve(t, srv)
		var mu sync.Mutex // the callback's goroutine has no other order with the test's
		var heard []string
		c, err := rooms.Dial(t.Context(), hs.URL(), rooms.Events{
			News: func(_ context.Context, m *rooms.News) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, m.Text)
			},
		}, hs.Dialer(), client.WithToken("ann"))
		if err != nil {
			t.Fatal(err)
		}
		raw := wstest.Dial(t, hs, "/?access_token=bob")
		raw.Send(`{"type":"ENTER","payload":{"roomId":"a"}}`)
		if err := c.Enter(t.Context(), &rooms.Enter{RoomID: "a"}); err != nil {
			t.Fatal(err)
		}
		wstest.Settle()
		mu.Lock()
		if frames := raw.Frames(); len(frames) != 0 || len(heard) != 0 {
			t.Errorf("before the minute has passed: %q, %q", frames, heard)
		}
		mu.Unlock()
		time.Sleep(time.Minute)
		wstest.Settle()
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"a minute has passed", "a minute has passed"}; !slices.Equal(heard, want) || len(raw.Frames()) != 2 {
			t.Errorf("ann heard %q", heard)
		}
		c.Close()
		if err := srv.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("the minute took %v", took)
	}
}
