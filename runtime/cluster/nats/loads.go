package natscluster

// How snapshots are read: those that are asked for at the same time with one request, so that a node that has taken many slots has
// their rooms soon.

import "context"

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

// groupLoads is how many snapshots are read together.
const groupLoads = 32

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
		var waiting []context.Context
		var subjects []string
		for _, w := range group {
			waiting = append(waiting, w.ctx)
			subjects = append(subjects, w.subject, w.subject+".*")
		}
		ctx, cancel := whileAny(waiting)
		messages, err := s.read(ctx, subjects...)
		cancel()
		for _, w := range group {
			w.done <- found{messages, err}
		}
	}
}
