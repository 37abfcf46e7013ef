package swarm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	runtimeclient "github.com/wsgen/wsgen/runtime/client"

	protocol "github.com/wsgen/wsgen/golden/cluster/cluster"
	"github.com/wsgen/wsgen/internal/clustercheck"
)

// generated is a program that uses the generated client. It sees less than a client of raw frames, so that each of its requests is
// judged by itself.
type generated struct {
	swarm  *Swarm
	name   string
	room   string
	random *rand.Rand
	client *protocol.Client
	asked  int
	idle   atomic.Bool // it has seen its own message in the room, and sends nothing any more
}

func (g *generated) run(ctx context.Context) {
	said := make(chan string, 1000)
	events := protocol.Events{Said: func(_ context.Context, m *protocol.Said) {
		select {
		case said <- m.ID:
		default: // nobody looks
		}
	}}
	anywhere := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, g.swarm.cfg.Nodes[rand.IntN(len(g.swarm.cfg.Nodes))])
	}}
	c, err := protocol.Dial(ctx, "ws://cluster/", events, runtimeclient.WithToken(g.name),
		runtimeclient.WithHTTPClient(&http.Client{Transport: anywhere}), runtimeclient.WithOnGap(func(gap runtimeclient.Gap) {
			if !gap.Member {
				g.join(ctx)
			}
		}), runtimeclient.WithBackoff(runtimeclient.Backoff{Max: time.Second}))
	if err != nil {
		if sleep(ctx, 200*time.Millisecond) {
			g.run(ctx)
		}
		return
	}
	g.client = c
	defer c.Close()
	g.join(ctx)
	for !g.swarm.quiet.Load() {
		if !sleep(ctx, g.swarm.pause(g.random)) {
			return
		}
		if !g.swarm.listens(g.name) {
			g.ask(ctx)
		}
	}
	g.settle(ctx, said)
	<-ctx.Done()
}

func (g *generated) join(ctx context.Context) {
	_ = g.client.Join(ctx, &protocol.Join{RoomID: g.room}) // it looks later whether it is a member
}

// ask asks, and writes down what comes of it.
func (g *generated) ask(ctx context.Context) (id string, ok bool) {
	g.asked++
	conn := fmt.Sprintf("%s#%d", g.name, g.asked)
	r := clustercheck.Record{Kind: clustercheck.Send, Client: g.name, Conn: conn, Room: g.room, ID: g.room + "/" + conn, Request: true}
	g.swarm.cfg.Log.Add(r)
	res, err := g.client.Ask(ctx, &protocol.AskRequest{RoomID: g.room, ID: r.ID})
	r.Kind = clustercheck.Answer
	if res != nil {
		r.Epoch = uint64(res.Epoch)
	}
	if err != nil {
		r.Code, r.Maybe, r.Note = "DISCONNECTED", clustercheck.Applied, "retryable=true "+err.Error()
	}
	var e *wsrt.Error
	if errors.As(err, &e) {
		r.Code, r.Maybe, r.Note = string(e.Code()), "", fmt.Sprintf("retryable=%v %s", e.Retryable(), e.Message())
		if maybe, known := e.MaybeApplied(); known {
			r.Maybe = map[bool]string{true: clustercheck.Applied, false: clustercheck.NotApplied}[maybe]
		}
	}
	g.swarm.cfg.Log.Add(r)
	g.swarm.cfg.Log.Add(clustercheck.Record{Kind: clustercheck.End, Client: g.name, Conn: conn})
	return r.ID, err == nil
}

// settle sends until the client sees its own message in the room: then it is a member.
func (g *generated) settle(ctx context.Context, said <-chan string) {
	for ctx.Err() == nil {
		for len(said) > 0 {
			<-said
		}
		id, _ := g.ask(ctx)
		for over := time.After(2 * time.Second); ; {
			var got string
			select {
			case got = <-said:
			case <-over:
			case <-ctx.Done():
				return
			}
			if got == id {
				g.swarm.cfg.Log.Add(clustercheck.Record{Kind: clustercheck.Joined, Client: g.name, Conn: g.name + "#member", Room: g.room,
					Numbering: "generated"})
				g.idle.Store(true)
				return
			}
			if got == "" {
				break
			}
		}
		g.join(ctx)
	}
}
