// melody is a server of olahol/melody: a message is sent to the sessions of a room.
package main

import (
	"net/http"

	"github.com/olahol/melody"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

func main() {
	m := melody.New()
	m.Config.MaxMessageSize = 64 << 10
	m.Config.MessageBufferSize = 256
	var rooms serve.Rooms[*melody.Session]
	room := func(s *melody.Session) string { return s.Request.URL.Query().Get("room") }
	m.HandleConnect(func(s *melody.Session) {
		name := room(s)
		s.Set("room", name)
		if name != "" {
			rooms.Join(name, s)
		}
	})
	m.HandleDisconnect(func(s *melody.Session) { rooms.Leave(room(s), s) })
	m.HandleMessage(func(s *melody.Session, data []byte) {
		name := s.MustGet("room").(string)
		if name == "" {
			_ = s.Write(data)
			return
		}
		rooms.Each(name, func(member *melody.Session) { _ = member.Write(data) })
	})
	serve.Main(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) }))
}
