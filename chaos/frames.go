package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// counted is the beginning of the names of rooms whose messages nodes count on their way.
const counted = "counted-room"

// counts is what a node says that it has sent.
type counts struct{ Packets, Bytes, Marked, Leases, Slots, Saves uint64 }

func (w *world) counts() (sum counts, err error) {
	for _, n := range w.nodes {
		var c counts
		err = errors.Join(err, get("http://"+n.addr+"/counts", &c))
		sum.Packets += c.Packets
		sum.Bytes += c.Bytes
		sum.Marked += c.Marked
		sum.Leases += c.Leases
		sum.Slots += c.Slots
		sum.Saves += c.Saves
	}
	return sum, err
}

// frames counts how often a message of a room goes over NATS, with few members on all nodes and with many. Messages come slowly, so
// that a busy machine sends none again because it was not confirmed in time.
func frames(ctx context.Context, t *trial) error {
	for _, members := range []int{3, 3000} {
		room := fmt.Sprintf("%s-%d", counted, members)
		c, err := t.crowd(ctx, room, members, -1)
		if err != nil {
			return err
		}
		const n = 20
		before, err := t.counts()
		if err != nil {
			return err
		}
		if err := t.post(0, fmt.Sprintf("/publish?room=%s&n=%d&every=250ms", room, n)); err != nil {
			return err
		}
		got := c.received(n*members, 20*time.Second)
		after, err := t.counts()
		if err != nil {
			return err
		}
		c.close()
		frames := float64(after.Marked-before.Marked) / n
		here, err := t.owns(room)
		if err != nil {
			return err
		}
		way := 0.0
		if here != 0 {
			way = 1 // from the node that was asked to the owner
		}
		t.note("a room with %d members on %d nodes: %d deliveries, %.2f frames over NATS for each message, and %v to the owner", members, size,
			got, frames-way, way)
		t.must(got == n*members, "%d of %d deliveries arrived", got, n*members)
		t.must(frames-way == size-1, "%.2f frames for each message", frames-way)
	}
	return nil
}

// owns returns which node owns a room.
func (t *trial) owns(room string) (int, error) {
	for i := range t.nodes {
		rooms, err := t.openOn(i)
		if err != nil {
			return 0, err
		}
		for _, r := range rooms {
			if r == room {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("nobody owns %s", room)
}

// crowd are members of a room who only listen.
type crowd struct {
	conns []*websocket.Conn
	all   sync.WaitGroup

	mu  sync.Mutex
	got int
}

// crowd makes members of a room, on a node or on all in turn.
func (t *trial) crowd(ctx context.Context, room string, n, node int) (*crowd, error) {
	c := &crowd{conns: make([]*websocket.Conn, n)}
	errs := make([]error, n)
	var joining sync.WaitGroup
	tokens := make(chan struct{}, 20)
	for i := range n {
		joining.Go(func() {
			tokens <- struct{}{}
			defer func() { <-tokens }()
			at := node
			if at < 0 {
				at = i % size
			}
			c.conns[i], errs[i] = member(ctx, t.nodes[at].addr, fmt.Sprint("m", i), room)
		})
	}
	joining.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, conn := range c.conns {
		c.all.Go(func() { c.listen(conn) })
	}
	return c, nil
}

// member joins a room, and returns once it is a member.
func member(ctx context.Context, addr, name, room string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/?access_token="+name, &websocket.DialOptions{Subprotocols: []string{"wsgen.v1"}})
	if err != nil {
		return nil, err
	}
	if err := conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"JOIN","payload":{"roomId":%q}}`, room)); err != nil {
		return nil, err
	}
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		if isType(data, "$ws:joined") {
			return conn, nil
		}
	}
}

// isType reports whether a frame of the server has a type.
func isType(data []byte, name string) bool {
	begin := `{"type":"` + name + `"`
	return len(data) > len(begin) && string(data[:len(begin)]) == begin
}

func (c *crowd) listen(conn *websocket.Conn) {
	conn.SetReadLimit(-1)
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if isType(data, "SAID") {
			c.mu.Lock()
			c.got++
			c.mu.Unlock()
		}
	}
}

// received waits until so many messages have come, or none comes any more, and returns how many did.
func (c *crowd) received(want int, within time.Duration) int {
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		c.mu.Lock()
		got := c.got
		c.mu.Unlock()
		if got >= want || time.Now().After(end) {
			return got
		}
	}
}

func (c *crowd) close() {
	for _, conn := range c.conns {
		_ = conn.CloseNow()
	}
	c.all.Wait()
}
