package load_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/bench/load"
	"github.com/wsgen/wsgen/bench/peers/serve"
)

// relay is a server that sends what it gets to a room, or back where there is none.
func relay(t *testing.T) string {
	var rooms serve.Rooms[*websocket.Conn]
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		room := r.URL.Query().Get("room")
		if room != "" {
			rooms.Join(room, c)
			defer rooms.Leave(room, c)
		}
		for {
			_, data, err := c.Read(t.Context())
			if err != nil {
				return
			}
			if room == "" {
				_ = c.Write(t.Context(), websocket.MessageText, data)
				continue
			}
			rooms.Each(room, func(c *websocket.Conn) { _ = c.Write(t.Context(), websocket.MessageText, data) })
		}
	}))
	t.Cleanup(hs.Close)
	return strings.TrimPrefix(hs.URL, "http://")
}

func TestDeliveriesAreCounted(t *testing.T) {
	addr := relay(t)
	for _, test := range []struct {
		spec load.Spec
		want int
	}{
		{load.Spec{Path: "/?room={room}", Message: `{"t":"{mark}"}`, Rooms: 3, Members: 4, Messages: 5, Window: 2}, 60},
		{load.Spec{Path: "/", Message: `{"t":"{mark}"}`, Rooms: 2, Members: 2, Messages: 5, Requests: true}, 20},
	} {
		test.spec.Addr = addr
		result, err := load.Run(t.Context(), test.spec, load.Hooks{})
		if err != nil || result.Deliveries != test.want || result.P50 <= 0 || result.P99 < result.P50 {
			t.Errorf("got %+v, %v, want %d deliveries", result, err, test.want)
		}
	}
}
