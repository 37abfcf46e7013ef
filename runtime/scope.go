package runtime

import (
	"context"
	"sync"
)

// scope is the context of a request's handler. It ends with the answer: with context.DeadlineExceeded when that was for the
// deadline, else with context.Canceled. There is one for each request, so it costs nothing until somebody asks for its
// channel, and contexts that are derived from it hang on it without a goroutine.
type scope struct {
	parent context.Context // for its values; it ends the scope by other ways

	mu    sync.Mutex
	err   error
	done  chan struct{}          // nil: nobody has asked
	after map[*afterScope]func() // that run at the end
}

// afterScope is a function that runs at the end of a scope.
type afterScope struct{ scope *scope }

// Value implements context.Context.
func (s *scope) Value(key any) any { return s.parent.Value(key) }

// Err implements context.Context.
func (s *scope) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Done implements context.Context.
func (s *scope) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.err != nil {
			close(s.done)
		}
	}
	return s.done
}

// AfterFunc is what package context calls to be told of the end; it is as context.AfterFunc.
func (s *scope) AfterFunc(f func()) (stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		go f()
		return func() bool { return false }
	}
	if s.after == nil {
		s.after = make(map[*afterScope]func())
	}
	a := &afterScope{s}
	s.after[a] = f
	return a.stop
}

func (a *afterScope) stop() bool {
	a.scope.mu.Lock()
	defer a.scope.mu.Unlock()
	_, waits := a.scope.after[a]
	delete(a.scope.after, a)
	return waits
}

// end ends the scope. Only the first call counts.
func (s *scope) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	if s.done != nil {
		close(s.done)
	}
	for _, f := range s.after {
		go f()
	}
	s.after = nil
}
