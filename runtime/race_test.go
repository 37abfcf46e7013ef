package runtime_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

var rounds = flag.Int("rounds", 4_000, "rounds of TestJoinAgainstPublish")

// witness follows the frames of one connection: between its join and its leave it wants every number, once, in order, from the
// one behind the position that it was told; and nothing outside of that. Its methods run where the frames are written.
type witness struct {
	t      *testing.T
	in     bool
	at     uint64
	joins  atomic.Int64
	leaves atomic.Int64
	seen   atomic.Int64
}

func (w *witness) frame(payload []byte) {
	switch {
	case bytes.HasPrefix(payload, []byte(`{"type":"NEWS"`)):
		seq := number(payload, `"seq":`)
		if !w.in || seq != w.at+1 {
			w.t.Errorf("got %s as a member: %t, at %d", payload, w.in, w.at)
		}
		w.at = seq
		w.seen.Add(1)
	case bytes.HasPrefix(payload, []byte(`{"type":"$ws:joined"`)):
		if w.in {
			w.t.Errorf("joined twice: %s", payload)
		}
		w.in, w.at = true, number(payload, `"seq":`)
		w.joins.Add(1)
	case bytes.HasPrefix(payload, []byte(`{"type":"$ws:left"`)):
		if !w.in {
			w.t.Errorf("left twice: %s", payload)
		}
		w.in = false
		w.leaves.Add(1)
	}
}

// number returns the number behind a text.
func number(payload []byte, behind string) uint64 {
	_, rest, _ := bytes.Cut(payload, []byte(behind))
	end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	n, _ := strconv.ParseUint(string(rest[:max(end, 0)]), 10, 64)
	return n
}

// TestJoinAgainstPublish joins and leaves rooms while others publish to them, as fast as they can. Nothing may be lost, and
// nothing doubled. -rounds 1000000 takes about two minutes.
func TestJoinAgainstPublish(t *testing.T) {
	rooms, connected := make(chan *wsrt.Room, 1), make(chan *wsrt.Conn, 1)
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 16, Bytes: 1 << 16, Age: time.Minute}), func(cfg *wsrt.ServerConfig) {
		cfg.Unlimited = true
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
	})
	keeper := s.dial("user=keeper")
	receive(t, connected)
	keeper.send(join("a"))
	keeper.next()
	room := receive(t, rooms)

	const members, publishers = 4, 2
	stop := make(chan struct{})
	var publishing, joining sync.WaitGroup
	for i := range publishers {
		publishing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					if err := room.Publish(news, &body{RoomID: "a", Text: fmt.Sprint(i, "-", n)}); err != nil {
						t.Error(err)
						return
					}
					runtime.Gosched() // on one core, others have their turn
				}
			}
		})
	}
	go func() {
		for range keeper.frames { // it reads all that is published
		}
	}()
	witnesses := make([]*witness, members)
	for i := range members {
		w := &witness{t: t}
		witnesses[i] = w
		c, conn := connect(t, s.srv, connected, fmt.Sprint("m", i), w.frame)
		t.Cleanup(func() { conn.Close() })
		joining.Go(func() {
			for n := range *rounds / members {
				if err := room.Join(c); err != nil {
					t.Error(err)
					return
				}
				for range n % 4 { // members for a longer or a shorter time
					runtime.Gosched()
				}
				room.Leave(c)
			}
		})
	}
	joining.Wait()
	close(stop)
	publishing.Wait()
	want := int64(*rounds / members)
	var seen int64
	for _, w := range witnesses {
		eventually(t, "all leaves are seen", func() bool { return w.leaves.Load() == want })
		if n := w.joins.Load(); n != want {
			t.Errorf("%d joins were seen, want %d", n, want)
		}
		seen += w.seen.Load()
	}
	t.Logf("%d rounds, %d messages seen between joins and leaves, none lost, none doubled", *rounds, seen)
}
