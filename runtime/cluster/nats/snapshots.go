package natscluster

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nuid"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// maxSnapshot is the size of the largest snapshot before it is compressed.
	maxSnapshot = 16 << 20
	// partSize is how much of a snapshot is in one message.
	partSize = 512 << 10
	// savesAtOnce is how many batches a node writes at a time; a stream takes 50 from all nodes.
	savesAtOnce = 4
	// forgetAfter is when the servers drop what is left of a deleted snapshot, in seconds. By then no write that was meant to
	// come before the deletion is on its way.
	forgetAfter = "3600"

	headerParts = "Wsg-Parts"
)

// snapshots keeps each snapshot in the last message of a subject, its head, and further parts of a large one in subjects below
// it. Snapshots are written in batches whose first message is refused when the slot has another owner, and with it all others; so
// is a head that does not come in the place of the one that this node knows. The latter keeps a write that was held up
// somewhere, and given up, from coming after its successor.
type snapshots struct {
	store
	packer packer
	tokens chan struct{} // to be held while writing
	loads  queue[*loading]

	mu    sync.Mutex
	slots map[int]*slotHeads
}

// slotHeads are the heads of a slot as its owner knows them, which are dropped when it turns out to have another owner; and what
// waits to be written for it.
type slotHeads struct {
	mu     sync.Mutex
	epoch  uint64
	heads  map[string]head // by subject
	loaded map[string]head // those that were loaded and not saved since, perhaps before this epoch

	saves queue[*saving] // one batch for a slot is on its way at a time; the server would refuse a second one
}

// head is what the head of a snapshot was when it was seen last; the zero head is none.
type head struct {
	sequence uint64
	parts    int // 0: deleted
}

func newSnapshots(s store) *snapshots {
	return &snapshots{
		store: s, tokens: make(chan struct{}, savesAtOnce), loads: queue[*loading]{servers: readsAtOnce}, slots: make(map[int]*slotHeads),
	}
}

// Load implements cluster.Snapshots. It takes a write to the stream and a read, and so waits while the stream has no leader. What is
// loaded at the same time is read together.
func (s *snapshots) Load(ctx context.Context, slot int, topic string) ([]byte, error) {
	subject := s.names.snapshot(slot, topic)
	found, err := s.find(ctx, subject)
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
// not known whether it was kept; the next Save for the topic settles it. What is saved for one slot at the same time is written together.
func (s *snapshots) Save(ctx context.Context, slot int, epoch uint64, topic string, snapshot []byte) error {
	if len(snapshot) > maxSnapshot {
		return fmt.Errorf("natscluster: the snapshot of %q has %d bytes, at most %d are kept", topic, len(snapshot), maxSnapshot)
	}
	w := &saving{ctx: ctx, slot: slot, epoch: epoch, subject: s.names.snapshot(slot, topic), id: nuid.Next(), done: make(chan error, 1)}
	if snapshot != nil {
		w.parts = split(s.packer.pack(snapshot))
	}
	own := s.slot(slot)
	if own.saves.add(w) {
		go s.write(own)
	}
	var err error
	select {
	case err = <-w.done:
	case <-ctx.Done():
		own.saves.withdraw(w)
		err = ctx.Err()
	}
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
		h = &slotHeads{heads: make(map[string]head), loaded: make(map[string]head), saves: queue[*saving]{servers: 1}}
		s.slots[slot] = h
	}
	return h
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
