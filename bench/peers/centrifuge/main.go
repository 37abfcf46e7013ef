// centrifuge is a server of centrifugal/centrifuge: channels, and an RPC that answers with what it got.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/centrifugal/centrifuge"

	"github.com/wsgen/wsgen/bench/peers/serve"
)

func main() {
	node, err := centrifuge.New(centrifuge.Config{ClientQueueMaxSize: 1 << 20})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "u"}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
		c.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			reply(centrifuge.PublishReply{}, nil)
		})
		c.OnRPC(func(e centrifuge.RPCEvent, reply centrifuge.RPCCallback) {
			reply(centrifuge.RPCReply{Data: e.Data}, nil)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	serve.Main(centrifuge.NewWebsocketHandler(node,
		centrifuge.WebsocketConfig{CheckOrigin: func(*http.Request) bool { return true }}))
}
