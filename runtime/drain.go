package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
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

// Drain takes the server out of service: it refuses new connections with 503, answers new messages with UNAVAILABLE,
// finishes those that it has, closes connections with 1012 and a time to come back after that differs from client to
// client, and closes all rooms. When ctx ends first it breaks connections off and returns an error. A second call waits for
// the first one.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	first := s.draining.CompareAndSwap(false, true)
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
	err := s.work.close(ctx)
	for _, c := range s.connections() {
		if err != nil {
			c.sock.Abort()
			continue
		}
		retry := rand.Int64N(max(s.DrainSpread.Milliseconds(), 1))
		c.Close(CloseRestart, "retry="+strconv.FormatInt(retry, 10))
	}
	if err == nil {
		err = s.closeRooms(ctx)
	}
	if err == nil {
		err = s.waitForConnections(ctx)
	}
	if err != nil {
		for _, c := range s.connections() {
			c.sock.Abort()
		}
	}
	s.hubs.Close()
	return err
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

// waitForConnections waits until the last connection has ended.
func (s *Server) waitForConnections(ctx context.Context) error {
	for _, c := range s.connections() {
		select {
		case <-c.ended:
		case <-ctx.Done():
			return fmt.Errorf("wsgen: %d connections are still open: %w", len(s.connections()), context.Cause(ctx))
		}
	}
	return nil
}

// closeRooms gives every room its last turn, all at once.
func (s *Server) closeRooms(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, sh := range s.shards {
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
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wsgen: rooms are still busy: %w", context.Cause(ctx))
	}
}
