package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/chaos/swarm"
	"github.com/wsgen/wsgen/chaos/trace"
	"github.com/wsgen/wsgen/internal/clustercheck"
)

// kill kills a node that is not to come back soon, and then another one that comes back at once.
func kill(ctx context.Context, t *trial) error {
	rooms, err := t.roomsOf(0)
	if err != nil {
		return err
	}
	began := trace.Now()
	t.fault("kill node 0")
	t.nodes[0].proc().kill()
	took, err := t.answers(ctx, rooms, 1)
	if err != nil {
		return err
	}
	within := t.lease.dead + 5*time.Second
	t.note("node killed: its %d rooms answered after %v", len(rooms), took.Round(10*time.Millisecond))
	t.must(took <= within, "the rooms of a dead node answered after %v, not within %v", took, within)
	t.stay(began, trace.Now(), t.nodes[1].addr, t.nodes[2].addr)
	if err := t.startNode(0); err != nil {
		return err
	}
	if err := t.awaitNode(ctx, 0); err != nil {
		return err
	}
	pause(ctx, 8*time.Second) // slots come back to it
	return t.killBriefly(ctx, 1)
}

// killBriefly kills a node and starts it again at once. Its lock shows that the old process is gone.
func (t *trial) killBriefly(ctx context.Context, i int) error {
	rooms, err := t.roomsOf(i)
	if err != nil {
		return err
	}
	other := (i + 1) % size
	began := trace.Now()
	t.fault("kill node %d and start it again", i)
	t.nodes[i].proc().kill()
	if err := t.startNode(i); err != nil {
		return err
	}
	started := trace.Now()
	took, err := t.answers(ctx, rooms, other)
	if err != nil {
		return err
	}
	answered := trace.Now()
	t.stay(began, answered, t.nodes[other].addr, t.nodes[(i+2)%size].addr)
	t.after = append(t.after, func(records []clustercheck.Record) {
		for r := range events(records, "join", started, answered) {
			back := time.Duration(answered - r.At)
			t.note("node killed and started again: its %d rooms answered after %v, %v after its return", len(rooms),
				took.Round(10*time.Millisecond), back.Round(10*time.Millisecond))
			t.must(back < 1500*time.Millisecond, "its rooms answered %v after its return", back)
			return
		}
		t.must(false, "others had taken its rooms before it was back")
	})
	return nil
}

// events returns the records of a kind in a span of time.
func events(records []clustercheck.Record, kind string, from, to int64) func(yield func(*clustercheck.Record) bool) {
	return func(yield func(*clustercheck.Record) bool) {
		for i := range records {
			if r := &records[i]; r.Kind == kind && r.At >= from && r.At <= to && !yield(r) {
				return
			}
		}
	}
}

// roomsOf returns the rooms that a node owns, of which there must be some.
func (t *trial) roomsOf(i int) ([]string, error) {
	rooms, err := t.openOn(i)
	if err == nil && len(rooms) == 0 {
		err = fmt.Errorf("node %d has no rooms", i)
	}
	return rooms, err
}

// openOn returns the rooms that are open on a node.
func (t *trial) openOn(i int) ([]string, error) {
	var d runtime.Debug
	if err := get("http://"+t.nodes[i].addr+"/debug", &d); err != nil {
		return nil, err
	}
	var rooms []string
	for _, r := range d.TopRooms {
		rooms = append(rooms, strings.TrimPrefix(r.Topic, "room:"))
	}
	return rooms, nil
}

// answers waits until rooms answer on a node, and returns how long that took.
func (t *trial) answers(ctx context.Context, rooms []string, node int) (time.Duration, error) {
	began := time.Now()
	for _, room := range rooms {
		err := wait(ctx, t.lease.dead+time.Minute, room+" does not answer", func() bool {
			_, code := t.ask(ctx, node, room)
			return code == ""
		})
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// stay demands that no connection of some nodes ends in a span of time.
func (t *trial) stay(from, to int64, nodes ...string) {
	t.after = append(t.after, func(records []clustercheck.Record) {
		n, first := 0, ""
		for r := range events(records, clustercheck.End, from, to) {
			for _, addr := range nodes {
				if strings.HasSuffix(r.Conn, "@"+addr) {
					n++
					first = r.String()
				}
			}
		}
		t.must(n == 0, "%d connections ended that had no reason to, such as %s", n, first)
	})
}

// drain asks one node after the other to end, and starts it again.
func drain(ctx context.Context, t *trial) error {
	from := trace.Now()
	for i := range t.nodes {
		t.fault("drain node %d", i)
		if err := t.nodes[i].proc().end(70 * time.Second); err != nil {
			return err
		}
		if err := t.startNode(i); err != nil {
			return err
		}
		if err := t.awaitNode(ctx, i); err != nil {
			return err
		}
		if err := t.awaitBalance(ctx); err != nil {
			return err
		}
	}
	to := trace.Now()
	t.after = append(t.after, func(records []clustercheck.Record) {
		t.lossless(records, from, to)
		t.must(percentile(t.took, 99) < 200*time.Millisecond, "a hand-over took %v (p99)", percentile(t.took, 99))
	})
	return nil
}

// lossless demands that each request of a span of time was answered, or failed with an error that tells what to do.
func (t *trial) lossless(records []clustercheck.Record, from, to int64) {
	answered := make(map[string]*clustercheck.Record)
	applied := make(map[string]int)
	for i := range records {
		switch r := &records[i]; r.Kind {
		case clustercheck.Answer:
			answered[r.ID] = r
		case clustercheck.Apply:
			applied[r.ID]++
		}
	}
	asked, failed, silent, answerless, useless, twice, lost, dropped := 0, 0, 0, 0, 0, 0, 0, 0
	for r := range events(records, clustercheck.Send, from, to) {
		a := answered[r.ID]
		if applied[r.ID] > 1 {
			twice++
		}
		switch {
		case !r.Request:
			if applied[r.ID] == 0 {
				dropped++
			}
			continue
		case a == nil:
			silent++
			if applied[r.ID] > 0 {
				answerless++
			}
		case a.Code != "":
			failed++
			if a.Maybe == "" || !strings.HasPrefix(a.Note, "retryable=true") {
				useless++
			}
		case applied[r.ID] == 0:
			lost++
		}
		asked++
	}
	t.note("%d requests, %d failed; %d requests and %d events had come too late on a socket that was being closed, and were not handled",
		asked, failed, silent-answerless, dropped)
	t.must(lost == 0, "%d answered requests were lost", lost)
	t.must(twice == 0, "%d messages were handled twice", twice)
	t.must(useless == 0, "%d errors do not say whether to try again, and whether the request was handled", useless)
	t.must(answerless == 0, "%d requests were handled and not answered", answerless)
}

// restartServers restarts the servers one after the other, and then all at once.
func restartServers(ctx context.Context, t *trial) error {
	from := trace.Now()
	for i := range t.servers {
		t.fault("restart server %d", i)
		t.servers[i].process.kill()
		if err := t.startServer(i); err != nil {
			return err
		}
		if err := t.awaitServer(ctx, i); err != nil {
			return err
		}
		pause(ctx, 10*time.Second) // it catches up, and the nodes find it
	}
	t.fault("restart all servers")
	for i := range t.servers {
		t.servers[i].process.kill()
	}
	began := time.Now()
	for i := range t.servers {
		if err := t.startServer(i); err != nil {
			return err
		}
	}
	all := make([]string, t.h.rooms)
	for i := range all {
		all[i] = swarm.Room(i)
	}
	for i := range t.nodes {
		if _, err := t.answers(ctx, all, i); err != nil {
			return err
		}
	}
	t.note("all servers restarted: all rooms answered on all nodes after %v", time.Since(began).Round(10*time.Millisecond))
	pause(ctx, t.lease.dead+4*time.Second) // what was to be taken over is
	t.stay(from, trace.Now(), t.nodes[0].addr, t.nodes[1].addr, t.nodes[2].addr)
	return nil
}
