package history_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/history/history"
)

// node is a server of a cluster, as world is one by itself.
func node(t *testing.T, c *memory.Cluster, name string) *world {
	t.Helper()
	w := &world{t: t, log: make(chan string, 1000)}
	var err error
	w.srv, err = history.NewServer(history.Config{
		Authenticate: func(_ *http.Request, token string) (*history.Claims, error) {
			return &history.Claims{UserID: token, Nick: history.ClaimsNick(token), Secret: "x"}, nil
		},
		OpenRoom: func(_ context.Context, r *history.Room) (history.RoomHandler, error) {
			return &counter{r: r, log: w.log}, nil
		},
		Options: wsrt.Options{
			Limits: wsrt.Limits{QueueAge: time.Hour}, DrainSpread: -1,
			Cluster: &cluster.Config{Backplane: c.Node(name), Node: name, Slots: 16, Clock: clock.Real{},
				Trace: func(e cluster.Event) {
					if e.Kind != "renew" {
						t.Log(e.At.Format("05.000"), e.Node, e.Kind, e.Slot, e.Epoch, e.Other)
					}
				}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.http = wstest.Serve(t, w.srv)
	return w
}

// owner returns which of the nodes owns room a.
func owner(t *testing.T, nodes ...*world) int {
	t.Helper()
	for i, n := range nodes {
		if n.srv.Runtime().Owns("room:a") {
			return i
		}
	}
	t.Fatal("nobody owns room:a")
	return -1
}

func TestClusterRoom(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		var nodes []*world
		for i := range 3 {
			nodes = append(nodes, node(t, c, fmt.Sprint("n", i)))
		}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		ann, bob, dan := nodes[o].peer("ann"), nodes[(o+1)%3].peer("bob"), nodes[(o+2)%3].peer("dan")
		for _, p := range []*peer{ann, bob, dan} {
			p.join(0)
		}
		bob.count(1, 3)
		for _, p := range []*peer{ann, bob, dan} {
			p.expectNumbers(1, 3)
		}
		// The owner drains.
		ann2 := ann
		_ = ann2
		go func() { _ = nodes[o].srv.Drain(context.Background()) }()
		time.Sleep(time.Second)
		bob.count(4, 5)
		for _, p := range []*peer{bob, dan} {
			p.expectNumbers(4, 5)
		}
		time.Sleep(30 * time.Second)
		for i, n := range nodes {
			if i != o {
				n.drain()
			}
		}
	})
}
