package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/chaos/swarm"
	"github.com/wsgen/wsgen/internal/clustercheck"
)

// scenario is what is done to a world under load. It returns lines about what it saw, and what was wrong.
type scenario struct {
	name string
	run  func(ctx context.Context, t *trial) error
}

var scenarios = []scenario{
	{"random", random}, {"kill", kill}, {"drain", drain}, {"nats", restartServers}, {"frames", frames},
}

// trial is a scenario that runs.
type trial struct {
	*world
	h      *harness
	swarm  *swarm.Swarm
	random *rand.Rand
	result result
	took   []time.Duration                       // of the hand-overs, once judged
	after  []func(records []clustercheck.Record) // verdicts on what was written down
}

// result is how a scenario has ended.
type result struct {
	name       string
	seed       uint64
	took       time.Duration
	operations int
	faults     int
	takeovers  int
	handovers  int
	lines      []string // of what was measured
	wrong      []string // verdicts that are not met
	violations []clustercheck.Violation
}

func (r *result) ok() bool { return len(r.wrong) == 0 && len(r.violations) == 0 }

// String returns the result as lines, the last one being a summary.
func (r *result) String() string {
	var b strings.Builder
	for _, line := range r.lines {
		fmt.Fprintf(&b, "%s: %s\n", r.name, line)
	}
	for i, v := range r.violations {
		if i == 10 {
			fmt.Fprintf(&b, "%s: … and %d more\n", r.name, len(r.violations)-i)
			break
		}
		fmt.Fprintf(&b, "%s: VIOLATION %v\n", r.name, v)
	}
	for _, line := range r.wrong {
		fmt.Fprintf(&b, "%s: WRONG %s\n", r.name, line)
	}
	fmt.Fprintf(&b, "%s: seed %d, %d operations, %d faults, %d takeovers, %d hand-overs, %d violations, %d wrong, %v", r.name, r.seed,
		r.operations, r.faults, r.takeovers, r.handovers, len(r.violations), len(r.wrong), r.took.Round(time.Second))
	return b.String()
}

// note tells what was measured.
func (t *trial) note(format string, args ...any) {
	t.result.lines = append(t.result.lines, fmt.Sprintf(format, args...))
}

// must notes a verdict that is not met.
func (t *trial) must(ok bool, format string, args ...any) {
	if !ok {
		t.result.wrong = append(t.result.wrong, fmt.Sprintf(format, args...))
	}
}

// fault writes a fault down, and counts it.
func (t *trial) fault(format string, args ...any) {
	t.result.faults++
	t.world.fault(format, args...)
}

// scenario runs one in a world of its own.
func (h *harness) scenario(ctx context.Context, s scenario, bin string) (*result, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp(h.dir, s.name+"-")
	if err != nil {
		return nil, err
	}
	w, err := h.world(ctx, bin, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.stop() }() // hosts end with this process
	t := &trial{world: w, h: h, random: rand.New(rand.NewPCG(h.seed, 1)), result: result{name: s.name, seed: h.seed}}
	var nodes []string
	for _, n := range w.nodes {
		nodes = append(nodes, n.addr)
	}
	t.swarm = swarm.Start(swarm.Config{Nodes: nodes, Rooms: h.rooms, Clients: h.clients, Generated: h.generated, Rate: h.rate,
		Seed: h.seed, Log: w.log})
	defer t.swarm.Stop()
	err = t.settle(ctx, h.settleTime())
	if err == nil || h.lenient {
		err = errors.Join(err, s.run(ctx, t))
	}
	if err != nil && !h.lenient {
		return nil, err
	}
	t.must(err == nil, "%v", err)
	if err := t.finish(ctx); err != nil {
		return nil, err
	}
	t.result.took = time.Since(began)
	return &t.result, nil
}

// settleTime is how long clients may take to get into their rooms.
func (h *harness) settleTime() time.Duration {
	if h.lenient {
		return 15 * time.Second
	}
	return time.Minute
}

// settle waits until all clients are in their rooms. Requests are on their way all the time, so it looks for a while.
func (t *trial) settle(ctx context.Context, within time.Duration) error {
	who := ""
	err := wait(ctx, within, "not all clients are in their rooms", func() (ok bool) {
		who, ok = t.swarm.Settled()
		return ok || strings.Contains(who, "request") || strings.Contains(who, "waits")
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, who)
	}
	return nil
}

// finish ends the load, asks every room on every node, compares who is a member, and judges all that was written down.
func (t *trial) finish(ctx context.Context) error {
	t.heal()
	mended := time.Now()
	t.probe(ctx, mended)
	t.swarm.Quiet()
	who := ""
	err := wait(ctx, t.h.settleTime(), "clients wait", func() (ok bool) {
		who, ok = t.swarm.Settled()
		return ok
	})
	t.must(err == nil, "%v: %s", err, who)
	time.Sleep(time.Second) // what was published arrives
	t.log.Add(clustercheck.Record{Kind: clustercheck.Final})
	t.census(ctx)
	t.swarm.Stop()
	t.must(len(t.result.wrong) > 0 || t.drainAll() == nil, "a node has not ended well; see its log")
	err = t.failed()
	t.must(err == nil, "the network: %v", err)
	records, err := t.records()
	if err != nil {
		return err
	}
	t.judge(records)
	for _, f := range t.after {
		f(records)
	}
	return t.keepRecords()
}

// keepRecords writes what the clients have seen to a file, when something is wrong.
func (t *trial) keepRecords() error {
	if t.result.ok() && t.h.keep == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(t.dir, "clients.trace"))
	if err != nil {
		return err
	}
	for _, r := range t.log.Records() {
		if err := clustercheck.Write(f, r); err != nil {
			return err
		}
	}
	return f.Close()
}

// probe asks every room on every node until it answers, or until it should have long since.
func (t *trial) probe(ctx context.Context, mended time.Time) {
	within := t.lease.dead + 5*time.Second
	var slowest time.Duration
	for i, n := range t.nodes {
		for room := range t.h.rooms {
			code := "no answer"
			for code != "" && ctx.Err() == nil && (time.Since(mended) < within) {
				_, code = t.ask(ctx, i, swarm.Room(room))
			}
			t.log.Add(clustercheck.Record{Kind: clustercheck.Probe, Node: n.name, Room: swarm.Room(room), Code: code})
			slowest = time.Since(mended)
		}
	}
	t.note("all rooms answered on all nodes %v after the last fault", slowest.Round(10*time.Millisecond))
}

// censusTime is how long it may take until a room that has lost track of its members has found that out, and made it good: three
// comparisons of what owners and gateways know. Nobody waits for nodes with a bug.
func (h *harness) censusTime() time.Duration {
	if h.lenient {
		return 5 * time.Second
	}
	return 35 * time.Second
}

// census writes down whom the rooms have as members, once they are who they should be, or should have been for long.
func (t *trial) census(ctx context.Context) {
	for began, room := time.Now(), 0; room < t.h.rooms; room++ {
		want := t.swarm.Members(swarm.Room(room))
		members, code := t.ask(ctx, room%size, swarm.Room(room))
		for !slices.Equal(members, want) && time.Since(began) < t.h.censusTime() && ctx.Err() == nil {
			pause(ctx, 200*time.Millisecond)
			members, code = t.ask(ctx, room%size, swarm.Room(room))
		}
		t.log.Add(clustercheck.Record{Kind: clustercheck.Census, Room: swarm.Room(room), Members: members, Code: code})
	}
}

// askTime is how long a probe waits for its answer.
const askTime = 2 * time.Second

// ask asks a room on a node for its members. An error is told by its code.
func (t *trial) ask(ctx context.Context, node int, room string) (members []string, code string) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+t.nodes[node].addr+"/?access_token=probe", nil)
	if err != nil {
		time.Sleep(20 * time.Millisecond)
		return nil, "CONNECT"
	}
	defer func() { _ = c.CloseNow() }()
	text := fmt.Appendf(nil, `{"type":"CENSUS","meta":{"correlationId":"1"},"payload":{"roomId":%q}}`, room)
	if err := c.Write(ctx, websocket.MessageText, text); err != nil {
		return nil, "WRITE"
	}
	_, data, err := c.Read(ctx)
	if err != nil {
		return nil, "READ"
	}
	var f struct {
		Payload struct {
			Code    string
			Members []string
		}
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, "INVALID"
	}
	return f.Payload.Members, f.Payload.Code
}

// post makes a node do something.
func (t *trial) post(node int, path string) error {
	resp, err := http.Post("http://"+t.nodes[node].addr+path, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) // for the error
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", path, resp.Status, text)
	}
	return nil
}
