// gorilla is a hub on gorilla/websocket: a channel and a goroutine that writes for each connection.
package main

import (
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

type member struct {
	conn *websocket.Conn
	out  chan []byte
}

func (m *member) write() {
	defer m.conn.Close()
	for data := range m.out {
		if m.conn.WriteMessage(websocket.TextMessage, data) != nil {
			return
		}
	}
}

func main() {
	var rooms serve.Rooms[*member]
	upgrader := websocket.Upgrader{}
	serve.Main(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		m := &member{conn, make(chan []byte, 256)}
		go m.write()
		room := r.URL.Query().Get("room")
		if room != "" {
			rooms.Join(room, m)
			defer rooms.Leave(room, m)
		}
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if room == "" {
				m.out <- data
				continue
			}
			rooms.Each(room, func(m *member) {
				select {
				case m.out <- data:
				default:
					m.conn.Close() // too slow
				}
			})
		}
	}))
}
