// nbio is a server of lesismal/nbio: no goroutine for a connection, readiness from the kernel.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

func main() {
	logging.SetLevel(logging.LevelError)
	addr, debug := serve.Flags()
	serve.Debug(debug)
	var rooms serve.Rooms[*websocket.Conn]
	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, data []byte) {
		room, _ := c.Session().(string)
		if room == "" {
			_ = c.WriteMessage(kind, data)
			return
		}
		rooms.Each(room, func(member *websocket.Conn) { _ = member.WriteMessage(kind, data) })
	})
	upgrader.OnClose(func(c *websocket.Conn, _ error) {
		room, _ := c.Session().(string)
		rooms.Leave(room, c)
	})
	engine := nbhttp.NewEngine(nbhttp.Config{Network: "tcp", Addrs: []string{addr}, MaxLoad: 1 << 20,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			if room := r.URL.Query().Get("room"); room != "" {
				c.SetSession(room)
				rooms.Join(room, c)
			}
		})})
	if err := engine.Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", addr)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	engine.Stop()
}
