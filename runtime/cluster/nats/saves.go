package natscluster

// How snapshots are written: all that wait for a slot in one batch, so that a slot with many rooms is saved as fast as one with few.

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// saving is a Save.
type saving struct {
	ctx     context.Context
	slot    int
	epoch   uint64
	subject string
	parts   [][]byte
	id      string
	done    chan error // of 1
}

const (
	// groupSaves is how many snapshots are written together; a batch has 1,000 messages at most, whatever the parts.
	groupSaves = 200
	// groupBytes is how much is written together, unless it is one snapshot.
	groupBytes = 2 << 20
	// batchMessages is how many messages a batch has at most.
	batchMessages = 1000
)

// fitting returns how many of the first ones are written together: different topics, of one epoch.
func fitting(waiting []*saving) int {
	size, seen := 0, make(map[string]bool)
	for n, w := range waiting {
		for _, p := range w.parts {
			size += len(p)
		}
		if n > 0 && (n >= groupSaves || size > groupBytes || seen[w.subject] || w.epoch != waiting[0].epoch) {
			return n
		}
		seen[w.subject] = true
	}
	return len(waiting)
}

// write writes what waits for a slot until there is nothing.
func (s *snapshots) write(own *slotHeads) {
	for more := true; more; {
		s.tokens <- struct{}{}
		group := own.saves.next(fitting)
		if more = group != nil; more {
			s.writeGroup(own, group)
		}
		<-s.tokens
	}
}

// writeGroup writes some together. What cannot be written together, or not in time, is written in smaller groups, so that one does not
// keep others from being saved. If the larger batch was written all the same, the IDs of the snapshots in it tell.
func (s *snapshots) writeGroup(own *slotHeads, saves []*saving) {
	var waiting []context.Context
	for _, w := range saves {
		waiting = append(waiting, w.ctx)
	}
	ctx, cancel := whileAny(waiting)
	defer cancel()
	g := &group{snapshots: s, own: own, saves: slices.Clone(saves)}
	err := s.again(ctx, func() error { return g.try(ctx) })
	if n := len(g.saves); n > 1 && err != nil && err != cluster.ErrFenced && ctx.Err() == nil {
		s.writeGroup(own, g.saves[:n/2])
		s.writeGroup(own, g.saves[n/2:])
		return
	}
	g.settle(err)
}

// group is what is written in one batch. What is done with leaves it.
type group struct {
	*snapshots
	own   *slotHeads
	saves []*saving
	tries int // that got no answer
}

// settle tells all that are left how it ended.
func (g *group) settle(err error) {
	for _, w := range g.saves {
		w.done <- err
	}
	g.saves = nil
}

var (
	// errAgain says that a batch was refused for what can be put right.
	errAgain = errors.New("the head of a snapshot was another one")
	// errTooMany says that some have to be written in another batch.
	errTooMany = errors.New("these snapshots are too many for a batch")
	// errNoAnswer says that a batch of several has got none in time: smaller ones may be quicker.
	errNoAnswer = errors.New("a batch of snapshots had no answer in time")
)

// try writes the batch once.
func (g *group) try(ctx context.Context) error {
	before, err := g.heads(ctx)
	if err != nil || len(g.saves) == 0 {
		return err
	}
	all, heads := g.batch(before)
	if len(all) > batchMessages && len(g.saves) > 1 {
		return errTooMany
	}
	sequence, err := g.publishBatch(ctx, nuid.Next(), g.tries, all)
	switch {
	case err == nil:
		for i, w := range g.saves { // the messages of a batch follow each other in the stream
			if len(w.parts) > 0 {
				g.own.set(w.epoch, w.subject, head{sequence - uint64(len(all)-1-heads[i]), len(w.parts)})
			} else {
				g.own.forget(w.subject)
			}
		}
		return nil
	case isCode(err, codeDuplicateInBatch): // an earlier try was written, and its answer lost
		g.forget()
		return nil
	case isCode(err, codeWrongSequence):
		g.forget()
		return errAgain
	case errors.Is(err, context.DeadlineExceeded) && len(g.saves) > 1:
		return errNoAnswer
	case errors.Is(err, context.DeadlineExceeded):
		g.tries++
	}
	return err
}

// forget forgets the heads of all.
func (g *group) forget() {
	for _, w := range g.saves {
		g.own.forget(w.subject)
	}
}

// heads returns the head of each snapshot before. It looks for those that are not known, and whether the slot has another owner by now;
// what turns out to be written already, or has nothing to delete, leaves the group.
func (g *group) heads(ctx context.Context) ([]head, error) {
	before, unknown := make([]head, len(g.saves)), []int(nil)
	for i, w := range g.saves {
		var known bool
		if before[i], known = g.own.get(w.epoch, w.subject); !known {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) == 0 {
		return before, nil
	}
	first := g.saves[0]
	record := g.names.record(cluster.SlotKey(first.slot))
	subjects := []string{record}
	for _, i := range unknown {
		subjects = append(subjects, g.saves[i].subject)
	}
	found, err := g.read(ctx, subjects...)
	if err != nil {
		return nil, err
	}
	if found[record].sequence != first.epoch {
		g.own.clear()
		return nil, cluster.ErrFenced
	}
	done := make(map[*saving]bool)
	for _, i := range unknown {
		w, m := g.saves[i], found[g.saves[i].subject]
		before[i] = headOf(m)
		g.own.set(w.epoch, w.subject, before[i])
		written := m.sequence != 0 && m.header.Get(headerID) == w.id
		if done[w] = written || before[i].parts == 0 && len(w.parts) == 0; done[w] {
			w.done <- nil
		}
	}
	rest := before[:0]
	for i, w := range g.saves {
		if !done[w] {
			rest = append(rest, before[i])
		}
	}
	g.saves = slices.DeleteFunc(g.saves, func(w *saving) bool { return done[w] })
	return rest, nil
}

// batch returns the messages, and the place of each head among them. The ID of the first one lets the server tell that the batch was
// written already.
func (g *group) batch(before []head) (all []*nats.Msg, heads []int) {
	lead := g.saves[0]
	first := expecting(newMessage(g.names.fence(lead.slot), nil), lead.epoch, g.names.record(cluster.SlotKey(lead.slot)))
	first.Header.Set(headerID, lead.id+"-1")
	all = []*nats.Msg{first}
	for n, w := range g.saves {
		for i := max(len(w.parts), before[n].parts, 1) - 1; i >= 0; i-- {
			var m *nats.Msg
			if i < len(w.parts) {
				m = newMessage(partSubject(w.subject, i), w.parts[i])
			} else {
				m = newMessage(partSubject(w.subject, i), nil)
				m.Header.Set(headerTTL, forgetAfter)
			}
			all = append(all, m)
		}
		top := expecting(all[len(all)-1], before[n].sequence, "")
		top.Header.Set(headerID, w.id)
		top.Header.Set(headerParts, strconv.Itoa(len(w.parts)))
		heads = append(heads, len(all)-1)
	}
	return all, heads
}
