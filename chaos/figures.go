package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/chaos/swarm"
)

// figures measures what a cluster costs and how long its parts take, and prints a table for the documents.
func (h *harness) figures(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp(h.dir, "figures-")
	if err != nil {
		return err
	}
	w, err := h.world(ctx, h.bin(), dir)
	if err != nil {
		return err
	}
	defer func() { _ = w.stop() }() // hosts end with this process
	f := &figures{trial: &trial{world: w, h: h}}
	for _, measure := range []func(context.Context) error{f.leases, f.latency, f.members, f.publish, f.handovers, f.takeover} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("| what | figure |\n| --- | --- |\n%s", f.rows.String())
	return nil
}

// figures are what was measured.
type figures struct {
	*trial
	rows strings.Builder
}

func (f *figures) row(what, format string, args ...any) {
	fmt.Fprintf(&f.rows, "| %s | %s |\n", what, fmt.Sprintf(format, args...))
}

// quiet is for how long an idle cluster is watched.
const quiet = 10 * time.Second

// leases counts what an idle cluster writes and uses.
func (f *figures) leases(ctx context.Context) error {
	pause(ctx, 5*time.Second)
	before, err := f.counts()
	if err != nil {
		return err
	}
	cpu := f.cpu()
	pause(ctx, quiet)
	after, err := f.counts()
	if err != nil {
		return err
	}
	f.row("writes of leases in a second, three nodes", "%.1f", float64(after.Leases-before.Leases)/quiet.Seconds())
	f.row("packets between nodes in a second, idle", "%.1f", float64(after.Packets-before.Packets)/quiet.Seconds())
	f.row("processors used when idle, nodes and servers", "%.1f %%", 100*(f.cpu()-cpu).Seconds()/quiet.Seconds())
	return nil
}

// cpu returns the processor time of all nodes and servers.
func (w *world) cpu() (sum time.Duration) {
	for i := range size {
		sum += w.nodes[i].proc().cpu() + w.servers[i].process.cpu()
	}
	return sum
}

// roomOn makes a room that runs on a node.
func (f *figures) roomOn(ctx context.Context, node int) (string, error) {
	for i := range 1000 {
		room := fmt.Sprintf("%s-of-%d-%d", counted, node, i)
		if _, code := f.ask(ctx, node, room); code != "" {
			return "", fmt.Errorf("%s: %s", room, code)
		}
		here, err := f.owns(room)
		if err != nil {
			return "", err
		}
		if here == node {
			return room, nil
		}
	}
	return "", fmt.Errorf("node %d owns nothing", node)
}

// latency asks a room on its own node and through another one.
func (f *figures) latency(ctx context.Context) error {
	room, err := f.roomOn(ctx, 1)
	if err != nil {
		return err
	}
	for _, by := range []struct {
		name string
		node int
	}{{"of its own node", 1}, {"of another node, over NATS", 0}} {
		took, err := f.askMany(ctx, by.node, room, 1000)
		if err != nil {
			return err
		}
		f.row("request to a room "+by.name, "p50 %v, p99 %v", percentile(took, 50), percentile(took, 99))
	}
	return nil
}

// askMany asks a room one question after the other, and returns how long each answer took.
func (f *figures) askMany(ctx context.Context, node int, room string, n int) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+f.nodes[node].addr+"/?access_token=measure", nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.CloseNow() }()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		text := fmt.Appendf(nil, `{"type":"CENSUS","meta":{"correlationId":"%d"},"payload":{"roomId":%q}}`, i, room)
		if err := c.Write(ctx, websocket.MessageText, text); err != nil {
			return nil, err
		}
		_, data, err := c.Read(ctx)
		if err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
		if !json.Valid(data) || !isType(data, "CENSUS_RESPONSE") {
			return nil, fmt.Errorf("got %s", data)
		}
	}
	return took, nil
}

// members compares what members of the room's own node cost with what those of another one do.
func (f *figures) members(ctx context.Context) error {
	room, err := f.roomOn(ctx, 1)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 100} {
		for _, on := range []struct {
			name string
			node int
		}{{"on its own node", 1}, {"on another node", 0}} {
			each, err := f.delivery(ctx, room, n, on.node)
			if err != nil {
				return err
			}
			f.row(fmt.Sprintf("processor time of a delivery, %d members %s", n, on.name), "%.1f µs", float64(each.Nanoseconds())/1e3)
		}
	}
	return nil
}

// delivery returns the processor time of a delivery to one of n members on a node, all processes together.
func (f *figures) delivery(ctx context.Context, room string, n, node int) (time.Duration, error) {
	c, err := f.crowd(ctx, room, n, node)
	if err != nil {
		return 0, err
	}
	defer c.close()
	const messages = 1000
	pause(ctx, 2*time.Second)
	idle := f.cpu()
	pause(ctx, 3*time.Second)
	idle = (f.cpu() - idle) / 3 // in a second
	began, cpu := time.Now(), f.cpu()
	if err := f.post(1, fmt.Sprintf("/publish?room=%s&n=%d&every=3ms", room, messages)); err != nil {
		return 0, err
	}
	if got := c.received(messages*n, 20*time.Second); got != messages*n {
		return 0, fmt.Errorf("%d of %d deliveries arrived", got, messages*n)
	}
	used := f.cpu() - cpu - time.Duration(float64(idle)*time.Since(began).Seconds())
	return used / time.Duration(messages*n), nil
}

// publish counts frames on NATS.
func (f *figures) publish(ctx context.Context) error {
	if err := frames(ctx, f.trial); err != nil {
		return err
	}
	for _, line := range f.result.lines {
		f.row("frames", "%s", line)
	}
	f.result.lines = nil
	return nil
}

// handovers drains a node that has rooms, and takes the times from the traces.
func (f *figures) handovers(ctx context.Context) error {
	if err := f.openRooms(ctx, 0, 1, 2); err != nil {
		return err
	}
	if err := f.nodes[2].proc().end(70 * time.Second); err != nil {
		return err
	}
	records, err := f.records()
	if err != nil {
		return err
	}
	f.judge(records)
	f.row("hand-over of a slot", "p50 %v, p99 %v (%d of them)", percentile(f.took, 50), percentile(f.took, 99), len(f.took))
	if err := f.startNode(2); err != nil {
		return err
	}
	if err := f.awaitNode(ctx, 2); err != nil {
		return err
	}
	return f.awaitBalance(ctx)
}

// openRooms opens all rooms, asked by some nodes.
func (f *figures) openRooms(ctx context.Context, by ...int) error {
	for i := range f.h.rooms {
		if _, code := f.ask(ctx, by[i%len(by)], swarm.Room(i)); code != "" {
			return fmt.Errorf("%s: %s", swarm.Room(i), code)
		}
	}
	return nil
}

// takeover kills a node, and one that starts again.
func (f *figures) takeover(ctx context.Context) error {
	if err := f.openRooms(ctx, 1, 2); err != nil {
		return err
	}
	rooms, err := f.roomsOf(0)
	if err != nil {
		return err
	}
	f.nodes[0].proc().kill()
	took, err := f.answers(ctx, rooms, 1)
	if err != nil {
		return err
	}
	f.row("rooms of a node that was killed answer after", "%v", took.Round(10*time.Millisecond))
	if err := f.openRooms(ctx, 1, 2); err != nil {
		return err
	}
	if rooms, err = f.roomsOf(1); err != nil {
		return err
	}
	f.nodes[1].proc().kill()
	if err := f.startNode(1); err != nil {
		return err
	}
	if took, err = f.answers(ctx, rooms, 2); err != nil {
		return err
	}
	f.row("and of one that starts again at once, from its start", "%v", took.Round(10*time.Millisecond))
	return nil
}
