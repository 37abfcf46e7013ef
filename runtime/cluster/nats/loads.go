package natscluster

// How snapshots are read: those that are asked for at the same time with one request, so that a node that has taken many slots has
// their rooms soon.

import (
	"context"
	"errors"
)

// loading is a Load.
type loading struct {
	ctx     context.Context
	subject string
	done    chan found // of 1
}

// found are the last messages of subjects, those that were asked for among them.
type found struct {
	messages map[string]message
	err      error
}

const (
	// groupLoads is how many snapshots are read together.
	groupLoads = 32
	// readsAtOnce is how many requests are on their way at a time: one without an answer does not keep all others waiting.
	readsAtOnce = 4
)

// find returns the last messages of a snapshot, perhaps with others.
func (s *snapshots) find(ctx context.Context, subject string) (map[string]message, error) {
	w := &loading{ctx, subject, make(chan found, 1)}
	if s.loads.add(w) {
		go s.readAll()
	}
	select {
	case f := <-w.done:
		return f.messages, f.err
	case <-ctx.Done():
		s.loads.withdraw(w)
		return nil, ctx.Err()
	}
}

// readAll reads what is waited for until there is nothing.
func (s *snapshots) readAll() {
	most := func(waiting []*loading) int { return min(len(waiting), groupLoads) }
	for group := s.loads.next(most); group != nil; group = s.loads.next(most) {
		s.readGroup(group)
	}
}

// readGroup reads some together. What is too much for one answer is read in smaller groups, and so is what the server cannot read: the
// others are not to miss theirs for that.
func (s *snapshots) readGroup(group []*loading) {
	var waiting []context.Context
	var subjects []string
	for _, w := range group {
		waiting = append(waiting, w.ctx)
		subjects = append(subjects, w.subject, w.subject+".*")
	}
	ctx, cancel := whileAny(waiting)
	defer cancel()
	messages, err := s.read(ctx, subjects...)
	if n := len(group); n > 1 && (errors.Is(err, errTooMuch) || errors.Is(err, errUnreadable)) {
		s.readGroup(group[:n/2])
		s.readGroup(group[n/2:])
		return
	}
	for _, w := range group {
		w.done <- found{messages, err}
	}
}
