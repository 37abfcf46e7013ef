package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// movers are the nodes of a cluster in which one room moves: from the first one on.
type movers struct {
	t       *testing.T
	memory  *memory.Cluster
	names   []string
	nodes   []*wsrt.Server
	entries []*wstest.Server
	room    string
	drains  sync.WaitGroup
	restore atomic.Int64 // how long rooms take to open
}

// newMovers starts nodes. What they keep, and what they send each other, takes a while.
func newMovers(t *testing.T, history bool, names ...string) *movers {
	t.Helper()
	m := &movers{t: t, memory: memory.New(clock.Real{}), names: names}
	for _, name := range names {
		w := &world{left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100),
			snapshot: func() ([]byte, error) { return []byte("x"), nil },
			restore:  func([]byte) error { time.Sleep(time.Duration(m.restore.Load())); return nil }}
		srv, entry := nodeIn(t, m.memory, name, w, func(p *wsrt.Protocol) {
			if history {
				p.Sharding.History = &wsrt.HistoryLimits{Messages: 1000, Bytes: 1 << 20, Age: time.Hour}
			}
		})
		m.nodes, m.entries = append(m.nodes, srv), append(m.entries, entry)
	}
	time.Sleep(30 * time.Second) // the slots are shared out
	m.room = roomOf(t, m.nodes[0])
	m.memory.SetLatency(20*time.Millisecond, 5*time.Millisecond)
	m.memory.SetTraffic(memory.Traffic{Delay: 3 * time.Millisecond})
	return m
}

// dial has a user join the room by a node.
func (m *movers) dial(node int, user string) *wstest.RawConn {
	m.t.Helper()
	conn := wstest.Dial(m.t, m.entries[node], "/?access_token="+user, "wsgen.v1")
	conn.Send(join(m.room))
	for parseFrame(m.t, []byte(conn.Next())).Type != "NEWS" {
	}
	return conn
}

// publish publishes a text in the room.
func (m *movers) publish(ctx context.Context, node int, text string) error {
	return m.nodes[node].Publish(ctx, "room:"+m.room, news, &body{RoomID: m.room, Text: text})
}

// move drains the node that has the room, and returns it when another one has it.
func (m *movers) move() (from int) {
	from = m.owner()
	m.drains.Go(func() {
		if err := m.nodes[from].Drain(context.Background()); err != nil {
			m.t.Error(err)
		}
	})
	for m.nodes[from].Ready() {
		time.Sleep(time.Millisecond)
	}
	m.owner()
	return from
}

// owner returns the node that has the room, and does not drain, as soon as there is one.
func (m *movers) owner() int {
	for {
		for i, n := range m.nodes {
			if n.Ready() && n.Owns("room:"+m.room) {
				return i
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// end drains all nodes.
func (m *movers) end() {
	m.drains.Wait()
	for _, n := range m.nodes {
		if err := n.Drain(context.Background()); err != nil {
			m.t.Error(err)
		}
	}
}

// heard returns the texts that a connection has been sent, in their order.
func heard(t *testing.T, conn *wstest.RawConn) (texts []string) {
	t.Helper()
	conn.Send(`{"type":"ECHO","meta":{"correlationId":"end"},"payload":{"text":"end"}}`)
	for {
		var f struct {
			Type    string
			Payload struct{ Text string }
		}
		if err := json.Unmarshal([]byte(conn.Next()), &f); err != nil {
			t.Fatal(err)
		}
		switch f.Type {
		case "NEWS":
			texts = append(texts, f.Payload.Text)
		case "ECHO_RESPONSE":
			return texts
		}
	}
}

// TestPublishWhileARoomMoves publishes by all nodes all the time while a room moves, once, or on from its next node at once.
// What is published without an error reaches the member once, and in the order of who has published it, wherever the member is.
func TestPublishWhileARoomMoves(t *testing.T) {
	for _, history := range []bool{false, true} {
		for _, moves := range []int{1, 2} {
			for home := 1; home <= 3; home++ {
				t.Run(fmt.Sprintf("history=%t,moves=%d,home=%d", history, moves, home), func(t *testing.T) {
					wstest.Run(t, func(t *testing.T) { publishWhileARoomMoves(t, history, moves, home) })
				})
			}
		}
	}
}

func publishWhileARoomMoves(t *testing.T, history bool, moves, home int) {
	m := newMovers(t, history, "one", "two", "three", "four")
	defer m.end()
	conn := m.dial(home, "ann")
	sent := make([][]error, len(m.nodes)) // what became of each publication of a node
	ctx, stop := context.WithCancel(context.Background())
	var publishers sync.WaitGroup
	for i, name := range m.names {
		publishers.Go(func() {
			for ctx.Err() == nil {
				while, cancel := context.WithTimeout(context.Background(), time.Second)
				err := m.publish(while, i, fmt.Sprint(name, len(sent[i])))
				cancel()
				if wsrt.CodeOf(err) == wsrt.CodeDeadlineExceeded {
					t.Errorf("%s: %v", name, err)
				}
				sent[i] = append(sent[i], err)
				time.Sleep(time.Millisecond)
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	for range moves {
		if m.move() == home {
			home = -1
		}
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	publishers.Wait()
	time.Sleep(time.Second)
	if home < 0 {
		return // the member's node is sending it away
	}
	count := make(map[string]int)
	texts := heard(t, conn)
	for _, text := range texts {
		count[text]++
	}
	for i, name := range m.names {
		var want, got []string
		for k, err := range sent[i] {
			text := fmt.Sprint(name, k)
			if e, ok := errors.AsType[*wsrt.Error](err); err == nil || count[text] > 0 && ok && maybe(e) {
				want = append(want, text)
			}
		}
		for _, text := range texts {
			if strings.HasPrefix(text, name) {
				got = append(got, text)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("of what %s has published the member has heard %v, not %v", name, got, want)
		}
	}
}

// maybe reports whether what has ended with an error may have been published.
func maybe(e *wsrt.Error) bool {
	maybe, _ := e.MaybeApplied()
	return maybe
}

// TestPublishAndMoveOn publishes by the next node of a room, and by the one of a member, when the room has come there and does
// not know its members yet: because a node says nothing, or because it takes long to open. Then the room moves on, or does not.
func TestPublishAndMoveOn(t *testing.T) {
	for _, silent := range []bool{true, false} {
		for _, moves := range []bool{true, false} {
			t.Run(fmt.Sprintf("silent=%t,moves=%t", silent, moves), func(t *testing.T) {
				wstest.Run(t, func(t *testing.T) { publishAndMoveOn(t, silent, moves) })
			})
		}
	}
}

func publishAndMoveOn(t *testing.T, silent, moves bool) {
	m := newMovers(t, false, "one", "two", "three", "four")
	defer m.end()
	conn := m.dial(3, "ann")
	wstest.Dial(t, m.entries[1], "/?access_token=bob", "wsgen.v1") // a node that has somebody to send away is there for a while
	if silent {
		m.memory.Cut("two", "three")
	} else {
		m.restore.Store(int64(time.Second))
	}
	if m.move(); !m.nodes[1].Owns("room:" + m.room) {
		t.Fatal("the room has moved to another node than two")
	}
	ctx, cancel := context.WithCancel(context.Background())
	withdrawn := make(chan error, 1)
	go func() { withdrawn <- m.publish(ctx, 1, "withdrawn") }()
	var publishers sync.WaitGroup
	for _, i := range []int{1, 3} {
		publishers.Go(func() {
			if err := m.publish(context.Background(), i, m.names[i]); err != nil {
				t.Errorf("%s: %v", m.names[i], err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	cancel()
	e, _ := errors.AsType[*wsrt.Error](<-withdrawn)
	if e == nil || e.Code() != wsrt.CodeCancelled || silent && maybe(e) {
		t.Errorf("what is withdrawn ends with %v", e)
	}
	if m.restore.Store(0); moves {
		m.memory.Heal("two", "three")
		m.move()
	}
	publishers.Wait()
	m.memory.HealAll()
	got := heard(t, conn)
	got = slices.DeleteFunc(got, func(text string) bool { return text == "withdrawn" && e != nil && maybe(e) })
	if slices.Sort(got); !slices.Equal(got, []string{"four", "two"}) {
		t.Errorf("the member has heard %v", got)
	}
}
