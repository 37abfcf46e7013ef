// gws is a server of lxzan/gws: a message is sent to all of a room with the library's Broadcaster.
package main

import (
	"net/http"

	"github.com/lxzan/gws"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

type handler struct {
	gws.BuiltinEventHandler
	rooms serve.Rooms[*gws.Conn]
}

// OnClose takes the connection out of its room.
func (h *handler) OnClose(c *gws.Conn, _ error) {
	if room, ok := c.Session().Load("room"); ok {
		h.rooms.Leave(room.(string), c)
	}
}

// OnMessage sends a message to the room, or back where there is none.
func (h *handler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	room, ok := c.Session().Load("room")
	if !ok {
		_ = c.WriteMessage(gws.OpcodeText, m.Bytes())
		return
	}
	b := gws.NewBroadcaster(gws.OpcodeText, m.Bytes())
	defer b.Close()
	h.rooms.Each(room.(string), func(member *gws.Conn) { _ = b.Broadcast(member) })
}

func main() {
	h := &handler{}
	upgrader := gws.NewUpgrader(h, &gws.ServerOption{})
	serve.Main(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		if room := r.URL.Query().Get("room"); room != "" {
			c.Session().Store("room", room)
			h.rooms.Join(room, c)
		}
		go c.ReadLoop() // net/http's part of the connection is freed
	}))
}
