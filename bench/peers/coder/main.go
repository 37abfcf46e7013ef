// coder is a server of coder/websocket as most programs write it: a channel and a goroutine that writes for each connection.
package main

import (
	"context"
	"net/http"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

type member struct {
	conn *websocket.Conn
	out  chan []byte
}

func (m *member) write() {
	defer m.conn.CloseNow()
	for data := range m.out {
		if m.conn.Write(context.Background(), websocket.MessageText, data) != nil {
			return
		}
	}
}

func main() {
	var rooms serve.Rooms[*member]
	serve.Main(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
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
			_, data, err := conn.Read(context.Background())
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
					go m.conn.CloseNow() // too slow
				}
			})
		}
	}))
}
