package history_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// told returns all that a peer was told of who is there, in short.
func told(t *testing.T, p *peer) string {
	t.Helper()
	wstest.Settle()
	var all []string
	for _, text := range p.Frames() {
		var f frame
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		if f.Type != "$ws:presence" {
			continue
		}
		var list []string
		for _, m := range f.Payload.Members {
			list = append(list, fmt.Sprint(m.Claims["userId"]))
		}
		for _, m := range f.Payload.Joined {
			list = append(list, fmt.Sprint("+", m.Claims["userId"]))
		}
		for range f.Payload.Left {
			list = append(list, "-")
		}
		slices.Sort(list)
		all = append(all, strings.Join(list, " "))
	}
	return strings.Join(all, ", ")
}

// TestNewcomersGetTheListAlone has members come one by one and in waves, from all nodes of a cluster and from one: who comes is
// in the list that they get, and only the others are told that they have come.
func TestNewcomersGetTheListAlone(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { wstest.Run(t, func(t *testing.T) { newcomers(t, n) }) })
	}
}

func newcomers(t *testing.T, n int) {
	c := memory.New(clock.Real{})
	busy := make(chan struct{})
	slow := func(next wsrt.HandlerFunc) wsrt.HandlerFunc {
		return func(ctx context.Context, call *wsrt.Call) (any, error) {
			if call.Message.Name == "TOTAL" {
				<-busy
			}
			return next(ctx, call)
		}
	}
	var nodes []*world
	for i := range n {
		nodes = append(nodes, node(t, c, fmt.Sprint("n", i), func(o *wsrt.Options) { o.Interceptors = []wsrt.Interceptor{slow} }))
	}
	time.Sleep(30 * time.Second)
	o := owner(t, nodes...)
	ann, bob, cy := nodes[o].peer("ann"), nodes[(o+1)%n].peer("bob"), nodes[(o+2)%n].peer("cy")
	is := func(p *peer, want string) {
		t.Helper()
		if got := told(t, p); got != want {
			t.Errorf("was told %q, want %q", got, want)
		}
	}
	join := `{"type":"JOIN","payload":{"roomId":"a"}}`
	leave := `{"type":"LEAVE","payload":{"roomId":"a"}}`
	// wave has several come or go while the room is busy, so that they are told in one.
	wave := func(frames map[*peer]string) {
		t.Helper()
		nodes[o].peer("dan").Send(`{"type":"TOTAL","meta":{"correlationId":"t"},"payload":{"roomId":"a"}}`)
		wstest.Settle()
		for p, frame := range frames {
			p.Send(frame)
		}
		wstest.Settle()
		busy <- struct{}{}
	}
	ann.Send(join)
	is(ann, "ann")
	bob.Send(join)
	is(bob, "ann bob")
	is(ann, "+bob")
	bob.Send(leave)
	is(ann, "-")
	is(bob, "")
	wave(map[*peer]string{bob: join, cy: join})
	is(ann, "+bob +cy")
	is(bob, "ann bob cy")
	is(cy, "ann bob cy")
	cy.Send(leave)
	is(ann, "-")
	is(bob, "-")
	wave(map[*peer]string{bob: leave, cy: join})
	is(ann, "+cy -")
	is(bob, "")
	is(cy, "ann cy")
	wave(map[*peer]string{ann: leave, cy: leave})
	is(ann, "")
	wave(map[*peer]string{ann: join, bob: join, cy: join})
	for _, p := range []*peer{ann, bob, cy} {
		is(p, "ann bob cy")
	}
	for _, w := range nodes {
		w.drain()
	}
}
