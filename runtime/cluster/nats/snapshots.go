package natscluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// maxSnapshot is the size of the largest snapshot before it is compressed.
	maxSnapshot = 16 << 20
	// partSize is how much of a snapshot is in one message.
	partSize = 512 << 10
	// savesAtOnce is how many snapshots a node writes at a time; a stream takes 50 batches from all nodes.
	savesAtOnce = 4
	// forgetAfter is when the servers drop what is left of a deleted snapshot, in seconds. By then no write that was meant to
	// come before the deletion is on its way.
	forgetAfter = "3600"

	headerParts = "Wsg-Parts"
)

// snapshots keeps each snapshot in the last message of a subject, its head, and further parts of a large one in subjects below
// it. A snapshot is written in a batch whose first message is refused when the slot has another owner, and whose last one, the
// head, when it is not in the place of the head that this node knows. The latter keeps a write that was held up
// somewhere, and given up, from coming after its successor.
type snapshots struct {
	store
	tokens chan struct{} // to be held while writing

	mu    sync.Mutex
	slots map[int]*slotHeads
}

// slotHeads are the heads of a slot as its owner knows them. They are dropped when it turns out to have another owner.
type slotHeads struct {
	writing chan struct{} // one batch for a slot is on its way at a time; the server would refuse a second one

	mu     sync.Mutex
	epoch  uint64
	heads  map[string]head // by subject
	loaded map[string]head // those that were loaded and not saved since, perhaps before this epoch
}

// head is what the head of a snapshot was when it was seen last; the zero head is none.
type head struct {
	sequence uint64
	parts    int // 0: deleted
}

func newSnapshots(s store) *snapshots {
	return &snapshots{store: s, tokens: make(chan struct{}, savesAtOnce), slots: make(map[int]*slotHeads)}
}

// Load implements cluster.Snapshots. It takes a write to the stream and a read, and so waits while the stream has no leader.
func (s *snapshots) Load(ctx context.Context, slot int, topic string) ([]byte, error) {
	subject := s.names.snapshot(slot, topic)
	found, err := s.read(ctx, subject, subject+".*")
	if err != nil {
		return nil, err
	}
	data, err := joined(found, subject)
	if err != nil {
		return nil, fmt.Errorf("natscluster: snapshot of %q: %w", topic, err)
	}
	if data != nil {
		s.slot(slot).load(subject, headOf(found[subject]))
	}
	return data, nil
}

// joined puts the parts of a snapshot together.
func joined(found map[string]message, subject string) ([]byte, error) {
	n := headOf(found[subject]).parts
	if n == 0 {
		return nil, nil
	}
	packed := append([]byte(nil), found[subject].data...)
	for i := 1; i < n; i++ {
		p := found[partSubject(subject, i)]
		if len(p.data) == 0 {
			return nil, fmt.Errorf("part %d of %d is missing", i+1, n)
		}
		packed = append(packed, p.data...)
	}
	return unpack(packed)
}

func headOf(m message) head {
	n, _ := strconv.Atoi(m.header.Get(headerParts))
	return head{m.sequence, n}
}

func partSubject(subject string, i int) string {
	if i == 0 {
		return subject
	}
	return subject + "." + strconv.Itoa(i)
}

// Save implements cluster.Snapshots. A snapshot may have 16 MiB. When Save fails with another error than cluster.ErrFenced, it is
// not known whether it was kept; the next Save for the topic settles it. Saves for one slot are written one after the other.
func (s *snapshots) Save(ctx context.Context, slot int, epoch uint64, topic string, snapshot []byte) error {
	if len(snapshot) > maxSnapshot {
		return fmt.Errorf("natscluster: the snapshot of %q has %d bytes, at most %d are kept", topic, len(snapshot), maxSnapshot)
	}
	var parts [][]byte
	if snapshot != nil {
		parts = split(pack(snapshot))
	}
	own := s.slot(slot)
	for _, turn := range []chan struct{}{own.writing, s.tokens} {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w := &saving{s, slot, epoch, s.names.snapshot(slot, topic), parts, nuid.Next(), 0}
	err := s.again(ctx, func() error { return w.try(ctx, own) })
	if err != nil && err != cluster.ErrFenced {
		err = fmt.Errorf("natscluster: cannot save the snapshot of %q: %w", topic, err)
	}
	return err
}

func (s *snapshots) slot(slot int) *slotHeads {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.slots[slot]
	if h == nil {
		h = &slotHeads{writing: make(chan struct{}, 1), heads: make(map[string]head), loaded: make(map[string]head)}
		s.slots[slot] = h
	}
	return h
}

// saving is a Save.
type saving struct {
	*snapshots
	slot    int
	epoch   uint64
	subject string
	parts   [][]byte
	id      string
	tries   int // that got no answer
}

// errAgain says that a batch was refused for what can be put right.
var errAgain = errors.New("the head of the snapshot was another one")

// try writes the batch once.
func (w *saving) try(ctx context.Context, own *slotHeads) error {
	before, known := own.get(w.epoch, w.subject)
	if !known {
		done, err := w.look(ctx, own)
		if done || err != nil {
			return err
		}
		before, _ = own.get(w.epoch, w.subject)
	}
	if before.parts == 0 && len(w.parts) == 0 && !known {
		return nil // nothing is there to be deleted, and the slot is still ours
	}
	sequence, err := w.publishBatch(ctx, nuid.Next(), w.tries, w.batch(before))
	switch {
	case err == nil && len(w.parts) > 0:
		own.set(w.epoch, w.subject, head{sequence, len(w.parts)})
		return nil
	case err == nil:
		own.forget(w.subject)
		return nil
	case isCode(err, codeDuplicateInBatch): // an earlier try was written, and its answer lost
		own.forget(w.subject)
		return nil
	case isCode(err, codeWrongSequence):
		own.forget(w.subject)
		return errAgain
	case errors.Is(err, context.DeadlineExceeded):
		w.tries++
	}
	return err
}

// look finds out whether the slot has another owner by now, and what the head is. done: it is the one of this Save.
func (w *saving) look(ctx context.Context, own *slotHeads) (done bool, err error) {
	record := w.names.record(cluster.SlotKey(w.slot))
	found, err := w.read(ctx, record, w.subject)
	if err != nil {
		return false, err
	}
	if found[record].sequence != w.epoch {
		own.clear()
		return false, cluster.ErrFenced
	}
	m := found[w.subject]
	own.set(w.epoch, w.subject, headOf(m))
	return m.sequence != 0 && m.header.Get(headerID) == w.id, nil
}

// batch are the messages of this Save. The ID of the first one lets the server tell that the batch was written already.
func (w *saving) batch(before head) []*nats.Msg {
	first := expecting(newMessage(w.names.fence(w.slot), nil), w.epoch, w.names.record(cluster.SlotKey(w.slot)))
	first.Header.Set(headerID, w.id+"-1")
	all := []*nats.Msg{first}
	for i := max(len(w.parts), before.parts, 1) - 1; i >= 0; i-- {
		var m *nats.Msg
		if i < len(w.parts) {
			m = newMessage(partSubject(w.subject, i), w.parts[i])
		} else {
			m = newMessage(partSubject(w.subject, i), nil)
			m.Header.Set(headerTTL, forgetAfter)
		}
		all = append(all, m)
	}
	last := expecting(all[len(all)-1], before.sequence, "")
	last.Header.Set(headerID, w.id)
	last.Header.Set(headerParts, strconv.Itoa(len(w.parts)))
	return all
}

// get returns the head of a snapshot, if it was seen by the owner with this epoch, or when the snapshot was loaded: once, because
// then it may be another one by now, of which the server's refusal tells.
func (h *slotHeads) get(epoch uint64, subject string) (head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	loaded, ok := h.loaded[subject]
	delete(h.loaded, subject)
	if h.epoch == epoch {
		if seen, ok := h.heads[subject]; ok {
			return seen, true
		}
	}
	return loaded, ok
}

// load notes the head of a snapshot that was loaded: the first save need not look for it.
func (h *slotHeads) load(subject string, seen head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	keep(h.loaded, subject, seen)
}

// mostHeads is how many heads of a slot are known; one that is not costs a read when it is needed.
const mostHeads = 4096

// keep notes a head, and forgets all others when there are too many.
func keep(heads map[string]head, subject string, seen head) {
	if len(heads) >= mostHeads {
		clear(heads)
	}
	heads[subject] = seen
}

func (h *slotHeads) set(epoch uint64, subject string, seen head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epoch != epoch {
		h.epoch = epoch
		clear(h.heads)
	}
	keep(h.heads, subject, seen)
}

func (h *slotHeads) forget(subject string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.heads, subject)
}

func (h *slotHeads) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.heads)
	clear(h.loaded)
}
