package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Spec is a load. In texts {room}, {id} and {mark} stand for the room's name, the number of the connection and what marks
// a message.
type Spec struct {
	Addr        string
	Path        string
	Subprotocol string
	Hello       []string // sent by each connection
	Ready       string   // is in the frame that says that a connection is ready; empty: it is at once
	Message     string   // published, or sent as a request

	Rooms, Members int
	Messages       int  // per room; per connection of requests
	Window         int  // messages of a room that are under way at a time
	Stalled        int  // members of each room that read nothing
	Requests       bool // each connection sends its messages one at a time, and gets the answer
}

// Result is what came of a load.
type Result struct {
	Deliveries     int // messages that members got, or answers
	Took           time.Duration
	P50, P99, P999 time.Duration // from sending to getting
}

// Hooks are called while a load runs.
type Hooks struct {
	Ready func() // all connections are open and in their rooms
	Done  func() // all messages have been delivered
}

// room is a room of the load.
type room struct {
	name    string
	members int // that read
	got     atomic.Int64
	moved   chan struct{}  // got has reached another message
	sent    []atomic.Int64 // UnixNano by message
	mu      sync.Mutex
	times   []int64 // from sending to getting, in ns
}

const markLen = len("MARK00000000")

// Fill returns a text with its places filled.
func Fill(text, room string, id, mark int) string {
	return strings.NewReplacer("{room}", room, "{id}", strconv.Itoa(id), "{mark}", fmt.Sprintf("MARK%08d", mark)).Replace(text)
}

// Run does what spec says, until ctx ends.
func Run(ctx context.Context, spec Spec, hooks Hooks) (Result, error) {
	l := &load{spec: spec, failed: make(chan error, 1)}
	defer l.close()
	if err := l.connect(ctx); err != nil {
		return Result{}, err
	}
	for _, c := range l.conns {
		go l.read(c)
	}
	if hooks.Ready != nil {
		hooks.Ready()
	}
	start := time.Now()
	err := l.drive(ctx)
	took := time.Since(start)
	if hooks.Done != nil {
		hooks.Done()
	}
	return l.result(took), err
}

type load struct {
	spec    Spec
	rooms   []*room
	conns   []*conn // that read
	stalled []*conn
	failed  chan error
	over    atomic.Bool
}

func (l *load) close() {
	l.over.Store(true)
	for _, c := range append(l.conns, l.stalled...) {
		_ = c.Conn.Close()
	}
}

// dialing is how many connections are opened at a time.
const dialing = 64

// connect opens all connections.
func (l *load) connect(ctx context.Context) error {
	s := &l.spec
	for i := range s.Rooms {
		l.rooms = append(l.rooms, &room{name: "r" + strconv.Itoa(i), members: s.Members - s.Stalled,
			moved: make(chan struct{}, 1),
			sent:  make([]atomic.Int64, s.Messages*max(1, l.perRoom()))})
	}
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	slots := make(chan struct{}, dialing)
	for id := range s.Rooms * s.Members {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c, err := l.open(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				errs = append(errs, err)
			case id/s.Rooms < s.Stalled:
				l.stalled = append(l.stalled, c)
			default:
				l.conns = append(l.conns, c)
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return fmt.Errorf("%d of %d connections failed: %w", len(errs), s.Rooms*s.Members, errs[0])
	}
	return nil
}

// perRoom is the number of senders of a room whose messages are told apart.
func (l *load) perRoom() int {
	if l.spec.Requests {
		return l.spec.Members
	}
	return 1
}

func (l *load) open(ctx context.Context, id int) (*conn, error) {
	s := &l.spec
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := l.rooms[id%s.Rooms]
	c, err := dial(s.Addr, Fill(s.Path, r.name, id, 0), s.Subprotocol, id, id/s.Rooms < s.Stalled)
	if err != nil {
		return nil, err
	}
	c.room = r
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	for _, hello := range s.Hello {
		if err := c.write(opText, []byte(Fill(hello, r.name, id, 0))); err != nil {
			return nil, err
		}
	}
	for ready := s.Ready == ""; !ready; {
		frame, err := c.read()
		if err != nil {
			return nil, fmt.Errorf("waiting for %q: %w", s.Ready, err)
		}
		ready = bytes.Contains(frame, []byte(s.Ready))
	}
	return c, c.SetReadDeadline(time.Time{})
}

// sampled is how many deliveries of a message there are for one whose time is taken.
const sampled = 8

// read counts what a connection gets.
func (l *load) read(c *conn) {
	r := c.room
	for n := c.id; ; n++ {
		frame, err := c.read()
		if err != nil {
			if !l.over.Load() {
				l.fail(fmt.Errorf("connection %d: %w", c.id, err))
			}
			return
		}
		at := bytes.Index(frame, []byte("MARK"))
		if at < 0 || len(frame) < at+markLen {
			if string(frame) == "{}" { // a ping of centrifuge
				_ = c.write(opText, frame)
			}
			continue
		}
		if n%sampled == 0 || l.spec.Requests {
			mark, err := strconv.Atoi(string(frame[at+4 : at+markLen]))
			if err == nil && mark < len(r.sent) {
				took := time.Now().UnixNano() - r.sent[mark].Load()
				r.mu.Lock()
				r.times = append(r.times, took)
				r.mu.Unlock()
			}
		}
		l.count(r, c, int64(bytes.Count(frame, []byte("MARK")))) // some servers put several messages into a frame
	}
}

// count notes deliveries, and wakes the sender when it may go on.
func (l *load) count(r *room, c *conn, n int64) {
	if l.spec.Requests {
		r.got.Add(1)
		select {
		case c.done <- struct{}{}:
		default:
		}
		return
	}
	if got := r.got.Add(n); got%int64(r.members) < n {
		select {
		case r.moved <- struct{}{}:
		default:
		}
	}
}

func (l *load) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// drive sends all messages and waits for their deliveries.
func (l *load) drive(ctx context.Context) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	run := func(f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	if l.spec.Requests {
		for _, c := range l.conns {
			run(func() error { return l.request(ctx, c) })
		}
	} else {
		senders := make(map[*room]*conn)
		for _, c := range l.conns {
			if senders[c.room] == nil {
				senders[c.room] = c
				run(func() error { return l.publish(ctx, c) })
			}
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// publish sends a room's messages, as many at a time as the window lets.
func (l *load) publish(ctx context.Context, c *conn) error {
	r := c.room
	for k := range l.spec.Messages {
		if err := l.await(ctx, r, int64(k-l.spec.Window+1)*int64(r.members)); err != nil {
			return err
		}
		r.sent[k].Store(time.Now().UnixNano())
		if err := c.write(opText, []byte(Fill(l.spec.Message, r.name, c.id, k))); err != nil {
			return err
		}
	}
	return l.await(ctx, r, int64(l.spec.Messages)*int64(r.members))
}

// await waits until the members of a room got a number of messages in all.
func (l *load) await(ctx context.Context, r *room, n int64) error {
	for r.got.Load() < n {
		select {
		case <-r.moved:
		case err := <-l.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("room %s got %d of %d: %w", r.name, r.got.Load(), n, ctx.Err())
		}
	}
	return nil
}

func (l *load) request(ctx context.Context, c *conn) error {
	r := c.room
	first := c.id / l.spec.Rooms * l.spec.Messages
	for k := first; k < first+l.spec.Messages; k++ {
		r.sent[k].Store(time.Now().UnixNano())
		if err := c.write(opText, []byte(Fill(l.spec.Message, r.name, c.id, k))); err != nil {
			return err
		}
		select {
		case <-c.done:
		case err := <-l.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("connection %d: no answer: %w", c.id, ctx.Err())
		}
	}
	return nil
}

func (l *load) result(took time.Duration) Result {
	res := Result{Took: took}
	var times []int64
	for _, r := range l.rooms {
		res.Deliveries += int(r.got.Load())
		r.mu.Lock()
		times = append(times, r.times...)
		r.mu.Unlock()
	}
	slices.Sort(times)
	at := func(q float64) time.Duration {
		if len(times) == 0 {
			return 0
		}
		return time.Duration(times[int(q*float64(len(times)-1))])
	}
	res.P50, res.P99, res.P999 = at(.5), at(.99), at(.999)
	return res
}
