package runtime_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// The race detector ends a process with more than 8128 goroutines; each connection has one.
var large = flag.Int("large", 2_000, "members of TestLargeRoom")

// TestLargeRoom has thousands of connections in one room: each hears all that is published, in order, and nothing of them is left when
// they go at once. -large 10000 is a room that make bench measures, too.
func TestLargeRoom(t *testing.T) {
	rooms, connected := make(chan *wsrt.Room, 1), make(chan *wsrt.Conn, 1)
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 16, Bytes: 1 << 16, Age: time.Minute}), func(cfg *wsrt.ServerConfig) {
		cfg.OnLeave, cfg.Unlimited, cfg.PingInterval = nil, true, -1
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
	})
	keeper := s.dial("user=keeper")
	receive(t, connected)
	keeper.send(join("a"))
	keeper.next()
	room := receive(t, rooms)

	const published = 10
	var heard atomic.Int64
	conns := make([]*memoryConn, *large)
	for i := range conns {
		last := uint64(1) // what is said of the keeper
		c, conn := connect(t, s.srv, connected, fmt.Sprint("u", i), func(payload []byte) {
			if !bytes.HasPrefix(payload, []byte(`{"type":"NEWS"`)) {
				return
			}
			if seq := number(payload, `"seq":`); seq != last+1 {
				t.Errorf("member %d got %d behind %d", i, seq, last)
			}
			last++
			heard.Add(1)
		})
		conns[i] = conn
		if err := room.Join(c); err != nil {
			t.Fatal(err)
		}
	}
	for i := range published {
		if err := room.Publish(news, &body{RoomID: "a", Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all have heard everything", func() bool { return heard.Load() == int64(*large*published) })
	if n := s.srv.Stats().Members; n != *large+1 {
		t.Errorf("%d members, want %d", n, *large+1)
	}
	for _, conn := range conns {
		conn.Close()
	}
	eventually(t, "all are gone", func() bool { return room.Len() == 1 && s.srv.Stats().Connections == 1 })
}
