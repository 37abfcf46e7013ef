package history_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/history/history"
)

// node is a server of a cluster, as world is one by itself.
func node(t *testing.T, c *memory.Cluster, name string, more ...func(o *wsrt.Options)) *world {
	t.Helper()
	w := &world{t: t, log: make(chan string, 1000)}
	cfg := history.Config{
		Authenticate: func(_ *http.Request, token string) (*history.Claims, error) {
			return &history.Claims{UserID: token, Nick: history.ClaimsNick(token), Secret: "x"}, nil
		},
		OpenRoom: func(_ context.Context, r *history.Room) (history.RoomHandler, error) {
			return &counter{r: r, log: w.log, closing: w.closing}, nil
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
	}
	for _, f := range more {
		f(&cfg.Options)
	}
	var err error
	if w.srv, err = history.NewServer(cfg); err != nil {
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

// balancer brings a client to the first of the nodes that wants connections.
type balancer []*world

func (b balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, w := range b {
		if w.srv.Runtime().Ready() {
			return w.http.Client().Transport.RoundTrip(r)
		}
	}
	return nil, errors.New("no node is ready")
}

// TestClusterGoAway drains the node of clients while numbers are published: they see each once and in order, and nothing of
// their moving to another node. One that does not move is closed when its time is up.
func TestClusterGoAway(t *testing.T) {
	for drained := range 2 { // the owner of the room, and another node
		wstest.Run(t, func(t *testing.T) {
			c := memory.New(clock.Real{})
			spread := func(o *wsrt.Options) { o.DrainSpread = 3 * time.Second }
			nodes := []*world{node(t, c, "n0", spread), node(t, c, "n1", spread)}
			time.Sleep(30 * time.Second)
			if owner(t, nodes...) != drained {
				nodes[0], nodes[1] = nodes[1], nodes[0]
			}
			var states, numbers []string
			ann, err := history.Dial(t.Context(), nodes[0].http.URL(), history.Events{
				Number: func(_ context.Context, m *history.Number) { numbers = append(numbers, fmt.Sprint(m.N)) },
			}, client.WithHTTPClient(&http.Client{Transport: balancer(nodes)}), client.WithToken("ann"),
				client.WithOnState(func(s client.State, err error) { states = append(states, fmt.Sprint(s, err)) }),
				client.WithOnGap(func(g client.Gap) { t.Error(g) }), client.WithOnError(func(err error) { t.Error(err) }))
			if err != nil {
				t.Fatal(err)
			}
			defer ann.Close()
			if err := ann.Join(t.Context(), &history.Join{RoomID: "a"}); err != nil {
				t.Fatal(err)
			}
			stays := nodes[0].peer("bob")
			wstest.Settle()
			if n := nodes[0].srv.Runtime().Stats().Connections; n != 2 {
				t.Fatalf("%d clients are on the node", n)
			}
			left := make(chan time.Duration, 1)
			begin := time.Now()
			go func() {
				nodes[0].drain()
				left <- time.Since(begin)
			}()
			var want []string
			for n := range 300 {
				want = append(want, fmt.Sprint(n))
				if err := ann.Count(t.Context(), &history.Count{RoomID: "a", From: n, To: n}); err != nil {
					t.Fatal(err)
				}
				if resp, err := ann.Total(t.Context(), &history.TotalRequest{RoomID: "a"}); err != nil || resp.Total != n*(n+1)/2 {
					t.Fatalf("after %d the total is %v, %v", n, resp, err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			wstest.Settle()
			if n := nodes[1].srv.Runtime().Stats().Connections; n != 1 {
				t.Errorf("%d clients have moved", n)
			}
			if !slices.Equal(numbers, want) {
				t.Errorf("the numbers are %v", numbers)
			}
			if !slices.Equal(states, []string{"open <nil>"}) {
				t.Errorf("the states are %v", states)
			}
			if f := stays.any(); f.Type != "$ws:goaway" {
				t.Errorf("got %+v", f)
			}
			stays.ExpectClose(1012)
			if d := <-left; d > 10*time.Second {
				t.Errorf("the drain took %v", d)
			}
			nodes[1].drain()
		})
	}
}

// TestClusterPublisher publishes from a program that is no node.
func TestClusterPublisher(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		p := history.NewPublisher(c)
		publish := func(topic string, m history.ServerMessage, want int) error {
			t.Helper()
			n, err := p.Publish(t.Context(), topic, m)
			if n != want {
				t.Errorf("it was queued for %d members, want %d", n, want)
			}
			return err
		}
		nobody := publish(history.RoomTopic("a"), &history.Number{RoomID: "a", N: 1}, 0)
		if maybe, known := client.MaybeApplied(nobody); wsrt.CodeOf(nobody) != wsrt.CodeUnavailable || maybe || !known {
			t.Errorf("without a node: %v, maybe applied %v, %v", nobody, maybe, known)
		}
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(time.Minute)
		ann, bob := nodes[0].peer("ann"), nodes[1].peer("bob")
		ann.join(0)
		bob.join(0)
		for n := 1; n <= 4; n++ { // the nodes take turns
			if err := publish(history.RoomTopic("a"), &history.Number{RoomID: "a", N: n}, 2); err != nil {
				t.Error(err)
			}
		}
		ann.expectNumbers(1, 4)
		bob.expectNumbers(1, 4)
		if err := publish(history.RoomTopic("b"), &history.Number{RoomID: "b", N: 1}, 0); err != nil {
			t.Error(err)
		}
		if err := publish("hall:a", &history.Number{RoomID: "a", N: 5}, 0); err == nil {
			t.Error("a topic that no room has")
		}
		if err := publish(history.RoomTopic("a"), (*history.Number)(nil), 0); err == nil {
			t.Error("a message that is none")
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Publish(over, history.RoomTopic("a"), &history.Number{}); wsrt.CodeOf(err) != wsrt.CodeCancelled {
			t.Errorf("of a context that has ended: %v", err)
		}
		for _, n := range nodes {
			n.drain()
		}
	})
}

// TestClusterPublishThatIsGivenUp: the owner of the room is lost, and nobody knows yet.
func TestClusterPublishThatIsGivenUp(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		bob := nodes[1-o].peer("bob")
		bob.join(0)
		bob.settle()
		c.Crash(fmt.Sprint("n", o))
		_, err := history.NewPublisher(c).Publish(t.Context(), history.RoomTopic("a"), &history.Number{RoomID: "a", N: 1})
		if maybe, known := client.MaybeApplied(err); wsrt.CodeOf(err) != wsrt.CodeDeadlineExceeded || !maybe || !known {
			t.Errorf("%v, maybe applied %v, %v", err, maybe, known)
		}
		time.Sleep(20 * time.Second)
		bob.expectGap("reset", 0, 1) // the next owner has the room, and no message of before
		bob.count(1, 1)
		bob.expectNumbers(1, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = nodes[o].srv.Drain(ctx)
		nodes[1-o].drain()
	})
}

// TestClusterNewcomer joins a room through a node of which the room's owner has not heard yet: the directory tells it late.
func TestClusterNewcomer(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		other := fmt.Sprint("n", 1-o)
		nodes[1-o].drain()
		time.Sleep(time.Second)
		c.SetLatency(0, 3*time.Second)
		again := node(t, c, other)
		time.Sleep(4 * time.Second) // it knows the owner by now, which does not know it
		bob := again.peer("bob")
		bob.join(0)
		bob.count(1, 3)
		bob.expectNumbers(1, 3)
		c.SetLatency(0, 0)
		again.drain()
		nodes[o].drain()
	})
}

// TestClusterOrder moves a room to the node of a member that sends all the time: what was on its way to the old owner comes first.
func TestClusterOrder(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		c.SetTraffic(memory.Traffic{Delay: 50 * time.Millisecond})
		bob := nodes[1-o].peer("bob")
		bob.join(0)
		go func() { _ = nodes[o].srv.Drain(context.Background()) }()
		const n = 100
		for i := 1; i <= n; i++ {
			bob.count(i, i)
			time.Sleep(5 * time.Millisecond)
		}
		bob.expectNumbers(1, n)
		nodes[1-o].drain()
	})
}

// TestClusterDrainThatGivesNothing drains the owner of a room while its directory is away, so that the room closes with it. Its member on
// the other node stays one, of the next room, and is told that this counts anew.
func TestClusterDrainThatGivesNothing(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		bob := nodes[1-o].peer("bob")
		bob.join(0)
		bob.count(1, 3)
		bob.expectNumbers(1, 3)
		c.SetDirectory(memory.Unreachable, fmt.Sprint("n", o))
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := nodes[o].srv.Drain(ctx); err == nil {
			t.Error("the room is said to be saved, or given away")
		}
		bob.expectGap("reset", 0, 1)
		bob.count(1, 1)
		bob.expectNumbers(1, 1)
		nodes[1-o].drain()
	})
}

// TestClusterLastWords publishes when the room is saved and closes to go to another node: its number would be given out again.
func TestClusterLastWords(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		nodes := []*world{node(t, c, "n0"), node(t, c, "n1")}
		time.Sleep(30 * time.Second)
		o := owner(t, nodes...)
		var said error
		nodes[o].closing = func(r *history.Room) { said = r.Publish(&history.Number{RoomID: "a", N: 4}) }
		bob := nodes[1-o].peer("bob")
		bob.join(0)
		bob.count(1, 3)
		bob.expectNumbers(1, 3)
		nodes[o].drain()
		if maybe, known := client.MaybeApplied(said); wsrt.CodeOf(said) != wsrt.CodeUnavailable || maybe || !known {
			t.Errorf("a room that is saved publishes: %v, maybe applied %v, %v", said, maybe, known)
		}
		time.Sleep(time.Second) // the other node has seen that it has the slot
		bob.count(4, 4)
		bob.expectNumbers(4, 4)
		nodes[1-o].drain()
	})
}
