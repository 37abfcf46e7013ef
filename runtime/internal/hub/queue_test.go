package hub_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// TestABurstIsNotASlowReader publishes more at once than a socket's queue holds, to a reader that takes everything.
func TestABurstIsNotASlowReader(t *testing.T) {
	stats := new(socket.Stats)
	set := hub.New(hub.Options{Hubs: 1})
	defer set.Close()
	m := addMember(t, set, -1, socket.Options{Stats: stats, Bounds: socket.Bounds{Bytes: 1 << 20, Frames: 4096}})
	g := m.Hub().NewGroup()
	g.Join(m.Member)
	resume := hold(m.Hub())
	for i := range 20_000 {
		g.Publish(text(fmt.Sprint("message ", i)), nil)
	}
	resume()
	set.Sync()
	if got := len(m.got(t)); got != 20_000 || stats.Slow.Load() != 0 {
		t.Errorf("%d messages of 20,000 arrived, %d slow readers", got, stats.Slow.Load())
	}
}

// hold stops a hub until the returned function is called.
func hold(h *hub.Hub) (resume func()) {
	held, resumed := make(chan struct{}), make(chan struct{})
	h.Do(func() { close(held); <-resumed })
	<-held
	return func() { close(resumed) }
}

// TestThePosterWaitsForAFullHub posts more than may wait. The hub, which waits for nobody, lets everything through.
func TestThePosterWaitsForAFullHub(t *testing.T) {
	clk := clock.NewFake(time.Unix(1e9, 0))
	set := hub.New(hub.Options{Hubs: 1, Clock: clk})
	defer set.Close()
	m := addMember(t, set, -1, socket.Options{Clock: clk})
	resume := hold(m.Hub())
	posted := make(chan struct{})
	var count atomic.Int64
	f := text("x")
	go func() {
		defer close(posted)
		for range hub.MaxQueued + 1000 {
			m.Send(f)
			count.Add(1)
		}
	}()
	eventually(t, func() bool { return m.Hub().Queued() == hub.MaxQueued && count.Load() == hub.MaxQueued })
	clk.Advance(10 * time.Second) // the timer does not wait
	select {
	case <-posted:
		t.Fatal("the poster did not wait")
	default:
	}
	resume()
	receive(t, posted)
	set.Sync()
	if got := len(m.got(t)); got != hub.MaxQueued+1000 {
		t.Errorf("%d messages arrived, want %d", got, hub.MaxQueued+1000)
	}
}

// TestCloseLetsPostersGo closes hubs while somebody waits to post, and uses them afterwards.
func TestCloseLetsPostersGo(t *testing.T) {
	clk := clock.NewFake(time.Unix(1e9, 0))
	set := hub.New(hub.Options{Hubs: 1, Clock: clk})
	m := addMember(t, set, -1, socket.Options{Clock: clk})
	m.Send(text("before"))
	resume := hold(m.Hub())
	closed := make(chan struct{})
	go func() { set.Close(); close(closed) }()
	eventually(t, func() bool { return m.Hub().Queued() == 1 })
	posted := make(chan struct{})
	go func() {
		for range 2 * hub.MaxQueued {
			m.Send(text("x"))
		}
		close(posted)
	}()
	eventually(t, func() bool { return m.Hub().Queued() == hub.MaxQueued })
	resume()
	receive(t, closed)
	receive(t, posted)

	set.Sync() // does not hang
	set.Close()
	m.Send(text("after"))
	if got := m.got(t); len(got) == 0 || got[0] != "before" || got[len(got)-1] == "after" {
		t.Errorf("%d messages arrived", len(got))
	}
	m.Close(1001, "") // still ends the connection
	if got := m.conn.Written(); string(got[len(got)-4:]) != "\x88\x02\x03\xe9" {
		t.Errorf("no close frame at the end of what was written")
	}
	m.Remove()
	clk.Advance(time.Hour)
	if clk.Waiting() != 0 {
		t.Errorf("%d timers are left", clk.Waiting())
	}
}

// TestOneTimerServesAllSockets shows that there is a timer per hub, and none without sockets.
func TestOneTimerServesAllSockets(t *testing.T) {
	clk := clock.NewFake(time.Unix(1e9, 0))
	set := hub.New(hub.Options{Hubs: 2, Clock: clk, Liveness: socket.Liveness{Interval: 25 * time.Second, Timeout: 10 * time.Second}})
	defer set.Close()
	var members []*memoryMember
	for range 100 {
		members = append(members, addMember(t, set, -1, socket.Options{Clock: clk}))
	}
	set.Sync()
	if clk.Waiting() != 2 {
		t.Errorf("%d timers for 100 sockets on 2 hubs", clk.Waiting())
	}
	pinged := map[int]int{} // by second
	for second := 1; second <= 26; second++ {
		before := 0
		for _, m := range members {
			before += len(m.conn.Written())
		}
		clk.Advance(time.Second)
		set.Sync()
		for _, m := range members {
			before -= len(m.conn.Written())
		}
		if before != 0 {
			pinged[second] = -before / 2
		}
	}
	total := 0
	for _, n := range pinged {
		total += n
	}
	if total != 100 || len(pinged) < 5 {
		t.Errorf("pings by second: %v; want 100, spread over half an interval", pinged)
	}
	for _, m := range members {
		m.Remove()
	}
	set.Sync()
	clk.Advance(time.Second)
	set.Sync()
	if clk.Waiting() != 0 {
		t.Errorf("%d timers without a socket", clk.Waiting())
	}
}

// TestASlowMemberDelaysNobody has a tenth of a group read nothing.
func TestASlowMemberDelaysNobody(t *testing.T) {
	clk, stats := clock.NewFake(time.Unix(1e9, 0)), new(socket.Stats)
	set := hub.New(hub.Options{Hubs: 1, Clock: clk})
	defer set.Close()
	o := socket.Options{Clock: clk, Stats: stats, Bounds: socket.Bounds{Bytes: 1 << 20, Frames: 4096, Age: 5 * time.Second}}
	var fast, slow []*memoryMember
	var g *hub.Group
	for i := range 100 {
		room := -1
		if i%10 == 0 {
			room = 0
		}
		m := addMember(t, set, room, o)
		if g == nil {
			g = m.Hub().NewGroup()
		}
		g.Join(m.Member)
		if room == 0 {
			slow = append(slow, m)
		} else {
			fast = append(fast, m)
		}
	}
	for i := range 7 {
		g.Publish(text(fmt.Sprint(i)), nil)
		set.Sync()
		for _, m := range fast {
			if got := len(m.got(t)); got != i+1 {
				t.Fatalf("%d messages after %d publishes", got, i+1)
			}
		}
		clk.Advance(time.Second)
		set.Sync()
	}
	if stats.Slow.Load() != 10 {
		t.Errorf("%d members were closed as slow, want 10", stats.Slow.Load())
	}
	clk.Advance(time.Second)
	set.Sync()
	for _, m := range slow {
		if !m.conn.Closed() {
			t.Error("a slow member's connection is open")
		}
	}
}
