package runtime

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// workload counts messages that are being handled, so that Drain can wait for them.
type workload struct {
	n      atomic.Int64
	closed atomic.Bool
	empty  chan struct{} // gets a token when the last one is done after closed
}

// enter counts one in; false once it is closed.
func (l *workload) enter() bool {
	l.n.Add(1)
	if l.closed.Load() {
		l.leave()
		return false
	}
	return true
}

func (l *workload) leave() {
	if l.n.Add(-1) == 0 && l.closed.Load() {
		select {
		case l.empty <- struct{}{}:
		default:
		}
	}
}

// close refuses more, and waits until all are done or ctx ends.
func (l *workload) close(ctx context.Context) error {
	l.closed.Store(true)
	for l.n.Load() != 0 {
		select {
		case <-l.empty:
		case <-ctx.Done():
			return fmt.Errorf("wsgen: %d messages are still being handled: %w", l.n.Load(), context.Cause(ctx))
		}
	}
	return nil
}

// Drain takes the server out of service, so that nobody loses anything by it:
//
//  1. Ready reports false, and after DrainDelay new connections are refused with 503.
//  2. Connections are closed with 1012 and a time to come back after, spread over DrainSpread in a random order. Each works until
//     its turn; then its messages are finished, and new ones answered with UNAVAILABLE. A few connections take
//     less time than that, and a ctx with a deadline gets half of what it has left.
//  3. Rooms close, and are saved in the store.
//
// In a cluster rooms go to other nodes before any connection is closed, as long as there are others. Connections of the extended
// profile are then told at their turn to go to another node, within what is left of DrainSpread and a few seconds more, unless
// that is negative; they work on until they have gone, and those that are still there at the end are closed as others are.
//
// When ctx ends first it breaks off and returns an error, in a cluster after a few seconds in which it says so to the others. It also
// returns one that says which rooms could not be saved. A second call waits for the first one.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	first := s.unready.CompareAndSwap(false, true)
	s.mu.Unlock()
	if first {
		s.drainErr = s.drain(ctx)
		close(s.drained)
	}
	select {
	case <-s.drained:
		return s.drainErr
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Server) drain(ctx context.Context) error {
	err := s.pause(ctx, s.DrainDelay, nil)
	s.mu.Lock()
	s.draining.Store(true)
	s.mu.Unlock()
	if err == nil && s.mesh != nil {
		err = s.mesh.giveAway(ctx)
	}
	if err == nil {
		err = s.sendAway(ctx)
	}
	if err == nil {
		err = s.work.close(ctx)
	}
	if err == nil {
		err = s.waitForConnections(ctx)
	}
	if err == nil {
		err = s.closeRooms(ctx)
	}
	if err != nil {
		s.work.closed.Store(true)
		for _, c := range s.connections() {
			c.sock.Abort()
		}
	}
	if s.mesh != nil {
		err = errors.Join(err, s.mesh.leave())
	}
	s.hubs.Close()
	s.workers.Close()
	return err
}

// drainStep is the time between two groups of connections that are sent away.
const drainStep = 10 * time.Millisecond

// goAwayGrace is how long the last connection that is told to go elsewhere has for it.
const goAwayGrace = 5 * time.Second

// grace returns how long connections may take to go elsewhere once the window is over; 0: there is nowhere to go, or no time.
func (s *Server) grace(ctx context.Context, window time.Duration) time.Duration {
	if s.mesh == nil || s.DrainSpread < 0 || len(s.mesh.node.Members()) == 0 {
		return 0
	}
	grace := goAwayGrace
	if deadline, ok := ctx.Deadline(); ok {
		grace = min(grace, (time.Until(deadline)-window)/2)
	}
	return max(grace, 0)
}

// goAway tells a client to get itself another connection; false: it would not understand.
func (c *Conn) goAway(within time.Duration) bool {
	if !c.v1 {
		return false
	}
	c.send(encode(socket.Reliable, "", func(w *jx.Writer) {
		envelope.Append(w, &envelope.Header{Type: typeGoAway, Form: c.srv.protocol.Envelope}, func(w *jx.Writer, _ any) {
			w.RawStr(`{"withinMs":`)
			w.Int64(within.Milliseconds())
			w.RawStr(`}`)
		}, nil)
	}))
	return true
}

// sendAway closes all connections, one after the other, or lets them go elsewhere. How many are due follows from the time that
// has passed, so that a busy machine, which wakes late, keeps the window too.
func (s *Server) sendAway(ctx context.Context) error {
	conns := s.connections()
	rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	window := min(s.DrainSpread, time.Duration(len(conns))*drainStep)
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	grace := s.grace(ctx, window)
	begin := s.Clock.Now()
	for sent := 0; ; {
		due, passed := len(conns), s.Clock.Now().Sub(begin)
		if next := passed + drainStep; next < window {
			due = int(float64(due) * (float64(next) / float64(window)))
		}
		for ; sent < due; sent++ {
			if c := conns[sent]; grace == 0 || !c.goAway(max(window-passed, 0)+grace) {
				c.sendAway()
			}
		}
		if s.connected() == 0 { // those who left by themselves are not waited for
			return nil
		}
		if sent == len(conns) {
			break
		}
		if err := s.pause(ctx, drainStep, s.emptied); err != nil {
			return err
		}
	}
	return s.sendRestAway(ctx, begin.Add(window+grace), grace)
}

// sendRestAway closes at the end of their time those connections that have not gone.
func (s *Server) sendRestAway(ctx context.Context, end time.Time, grace time.Duration) error {
	if grace == 0 {
		return nil // all have been closed
	}
	for s.connected() > 0 {
		left := end.Sub(s.Clock.Now())
		if left <= 0 {
			break
		}
		if err := s.pause(ctx, left, s.emptied); err != nil {
			return err
		}
	}
	for _, c := range s.connections() {
		c.sendAway()
	}
	return nil
}

// sendAway closes the connection once the messages that it has sent are handled.
func (c *Conn) sendAway() {
	c.mu.Lock()
	c.leaving = true
	c.roomier()
	idle := c.pending == 0
	c.mu.Unlock()
	if idle {
		c.restart()
	}
}

// restart tells the client to come back, after a time that differs from client to client.
func (c *Conn) restart() {
	retry := rand.Int64N(max(min(c.srv.DrainSpread, time.Second).Milliseconds(), 1))
	c.Close(CloseRestart, "retry="+strconv.FormatInt(retry, 10))
}

// pause waits by the server's clock, or until something comes from enough.
func (s *Server) pause(ctx context.Context, d time.Duration, enough <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	over := make(chan struct{})
	timer := s.Clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return nil
	case <-enough:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ready reports whether the server wants connections: it does until Drain is called. It is what a readiness probe asks.
func (s *Server) Ready() bool { return !s.unready.Load() && (s.mesh == nil || s.mesh.node.Ready()) }

// ReadyHandler answers readiness probes: 200 while Ready, 503 after that.
func (s *Server) ReadyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if !s.Ready() {
			http.Error(w, s.unreadiness(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n")) // a prober that went away wants no answer
	})
}

// unreadiness says why the server is not ready.
func (s *Server) unreadiness() string {
	switch {
	case s.unready.Load() || s.mesh == nil:
		return "draining"
	case !s.mesh.node.Alive():
		return "no lease in the cluster"
	}
	return "not all of the cluster is known yet"
}

func (s *Server) connections() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// connected returns how many connections there are.
func (s *Server) connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// waitForConnections waits until the last connection has ended.
func (s *Server) waitForConnections(ctx context.Context) error {
	for {
		n := s.connected()
		if n == 0 {
			return nil
		}
		select {
		case <-s.emptied:
		case <-ctx.Done():
			return fmt.Errorf("wsgen: %d connections are still open: %w", n, context.Cause(ctx))
		}
	}
}

// closeRooms gives every room its last turn, all at once.
func (s *Server) closeRooms(ctx context.Context) error {
	var wg sync.WaitGroup
	for i, sh := range s.shards {
		if s.mesh != nil {
			s.mesh.retire(i)
		}
		for _, r := range sh.all() {
			wg.Add(1)
			r.mail.PostAlways(roomMail{task: taskClose, done: wg.Done})
		}
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		if n := s.unsaved.Load(); n > 0 {
			return fmt.Errorf("wsgen: %d rooms could not be saved; OnError and the log have the reasons", n)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wsgen: rooms are still busy: %w", context.Cause(ctx))
	}
}
