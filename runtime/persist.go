package runtime

// Persistence: a room that closes leaves a snapshot in a store, and the next one of its topic begins with it.

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// Store keeps the snapshots of rooms, one per topic. Its methods may be called from many goroutines at once, and are called
// one at a time for a topic. Package filestore has one that keeps them in files.
type Store interface {
	// Load returns what Save was given last; nil when there is nothing.
	Load(ctx context.Context, topic string) ([]byte, error)
	// Save keeps a snapshot. When it returns nil the snapshot outlives the process.
	Save(ctx context.Context, topic string, snapshot []byte) error
	// Delete forgets a topic; one that is not there is no error.
	Delete(ctx context.Context, topic string) error
}

// Snapshotter is implemented by room handlers whose state is kept while their room is closed. Snapshot runs in the room's
// turn, so it should be quick; nil means that there is nothing to keep.
type Snapshotter interface {
	Snapshot() ([]byte, error)
}

// Restorer is implemented by room handlers that take up what their Snapshot returned. Restore is called once, right after
// OpenRoom and before the first message; an error keeps the room from opening, and the snapshot as it is.
type Restorer interface {
	Restore(snapshot []byte) error
}

// roomSnapshot is what is stored of a room. Clean says that the room was closed with it: nothing was published since, and
// numbering goes on. A room that is open has a snapshot that is not clean; what is opened from it counts anew.
type roomSnapshot struct {
	Format int              `json:"format"`
	Topic  string           `json:"topic"`
	Clean  bool             `json:"clean"`
	Epoch  string           `json:"epoch,omitempty"`
	Seq    uint64           `json:"seq,omitempty"`
	Joins  int              `json:"joins,omitempty"`
	Kept   []keptSnapshot   `json:"kept,omitempty"`
	Absent []absentSnapshot `json:"absent,omitempty"`
	State  []byte           `json:"state,omitempty"`
}

type keptSnapshot struct {
	At     time.Time `json:"at"`
	Except string    `json:"except,omitempty"`
	Frame  string    `json:"frame"`
}

type absentSnapshot struct {
	Session string    `json:"session"`
	UserID  string    `json:"userId,omitempty"`
	From    uint64    `json:"from"`
	Left    time.Time `json:"left"`
}

const snapshotFormat = 1

// persistence is a room's side of its store. It belongs to the turn.
type persistence struct {
	loaded *roomSnapshot // before the room is open
	timer  clock.Timer   // of the next snapshot
	armed  bool
	saving chan struct{} // closed when the save that is under way is done; nil: none
	stored atomic.Bool   // the store may have something of this room
}

func (p *persistence) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// load reads the room's snapshot. It does nothing without a store, and the second time.
func (r *Room) load() error {
	store := r.store
	if store == nil || r.persistence.loaded != nil {
		return nil
	}
	raw, err := storeCall(func() ([]byte, error) { return store.Load(r.ctx, r.topic) })
	if err != nil {
		err = fmt.Errorf("loading the snapshot of %s: %w", r.topic, err)
		if r.srv.mesh == nil {
			return err
		}
		// NATS may be away for a while, and that is nothing that is wrong with the room.
		r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
		return errNotApplied("%s cannot be opened now", r.topic)
	}
	snap := &roomSnapshot{}
	if raw != nil {
		if err := json.Unmarshal(raw, snap); err != nil {
			return fmt.Errorf("reading the snapshot of %s: %w", r.topic, err)
		}
		if snap.Format != snapshotFormat || snap.Topic != r.topic {
			return fmt.Errorf("the snapshot of %s is of %q in format %d; this version reads format %d", r.topic, snap.Topic, snap.Format, snapshotFormat)
		}
		r.persistence.stored.Store(true)
	}
	r.persistence.loaded = snap
	return nil
}

// storeCall calls a store, whose panics are errors.
func storeCall(call func() ([]byte, error)) (out []byte, err error) {
	err = guard(func() (err error) {
		out, err = call()
		return err
	})
	return out, err
}

// restorable reports whether a room that is not open yet has a snapshot with members that may come back; or may have one, in which case
// opening it fails, and says why.
func (r *Room) restorable() bool {
	if r.load() != nil {
		return true
	}
	return r.persistence.loaded != nil && len(r.persistence.loaded.Absent) > 0
}

// restore gives a room that was just made what its snapshot has.
func (r *Room) restore() error {
	snap := r.persistence.loaded
	if snap == nil || snap.Format == 0 {
		return nil
	}
	if err := r.restoreState(snap.State); err != nil {
		return fmt.Errorf("restoring %s: %w", r.topic, err)
	}
	r.mu.Lock()
	r.joins = snap.Joins
	if r.history != nil {
		r.seq = snap.Seq
		r.history.restore(snap)
		r.armTrim()
	}
	r.mu.Unlock()
	r.persistence.loaded = nil
	// From here on a crash must not bring these numbers back: others may have been given out since.
	if snap.Clean && r.history != nil {
		return r.save(false)
	}
	return nil
}

// restoreState gives the handler its state. One that cannot take it up, or would not save it again, must not open the room: the next
// snapshot would be without it.
func (r *Room) restoreState(state []byte) error {
	if state == nil {
		return nil
	}
	h, restores := r.handler.(Restorer)
	_, saves := r.handler.(Snapshotter)
	if !restores || !saves {
		return fmt.Errorf("it has a state, and %T has not both Restore([]byte) error and Snapshot() ([]byte, error)", r.handler)
	}
	return guard(func() error { return h.Restore(state) })
}

// restore takes up what is still good of a snapshot.
func (h *history) restore(snap *roomSnapshot) {
	for _, a := range snap.Absent {
		h.leave(a.Session, absence{userID: a.UserID, from: a.From, left: a.Left})
	}
	if !snap.Clean {
		return // members that come back are told that the room counts anew
	}
	h.epoch = snap.Epoch
	for _, k := range snap.Kept {
		h.kept = append(h.kept, kept{at: k.At, except: k.Except, frame: socket.NewText([]byte(k.Frame), socket.Reliable, "")})
		h.bytes += h.kept[len(h.kept)-1].frame.Len()
	}
	for i := range h.kept {
		h.kept[i].seq = snap.Seq - uint64(len(h.kept)-1-i)
	}
}

// snapshot returns what there is to store of the room; nil when that is nothing.
func (r *Room) snapshot(clean bool) (*roomSnapshot, error) {
	snap := &roomSnapshot{Format: snapshotFormat, Topic: r.topic, Clean: clean}
	if h, ok := r.handler.(Snapshotter); ok {
		if err := guard(func() (err error) { snap.State, err = h.Snapshot(); return err }); err != nil {
			return nil, fmt.Errorf("taking the snapshot of %s: %w", r.topic, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = r.sealed || clean
	snap.Seq, snap.Joins = r.seq, r.joins
	if r.history != nil {
		snap.remember(r)
	}
	if snap.State == nil && len(snap.Absent) == 0 {
		return nil, nil
	}
	return snap, nil
}

// remember takes the history of a room. Members count as absent: they are, once the process is gone. r.mu is held.
func (snap *roomSnapshot) remember(r *Room) {
	h, now := r.history, r.srv.Clock.Now()
	h.expire(now)
	snap.Epoch = h.epoch
	for session, a := range h.absent {
		snap.Absent = append(snap.Absent, absentSnapshot{session, a.userID, a.from, a.left})
	}
	for c, m := range r.members {
		if session := c.sessionToken(); session != "" {
			snap.Absent = append(snap.Absent, absentSnapshot{session, c.UserID(), m.from, now})
		}
	}
	slices.SortFunc(snap.Absent, func(a, b absentSnapshot) int {
		return cmp.Or(a.Left.Compare(b.Left), strings.Compare(a.Session, b.Session))
	})
	if !snap.Clean {
		return // nobody will count on from here
	}
	for _, k := range h.kept {
		snap.Kept = append(snap.Kept, keptSnapshot{k.at, k.except, string(k.frame.Payload())})
	}
}

// save stores the room as it is now, and waits for that.
func (r *Room) save(clean bool) error {
	r.awaitSave()
	write, err := r.prepareSave(clean)
	if err == nil && write != nil {
		err = write()
	}
	return err
}

// prepareSave takes a snapshot and returns the function that stores it; nil when there is nothing to do.
func (r *Room) prepareSave(clean bool) (write func() error, err error) {
	snap, err := r.snapshot(clean)
	if err != nil {
		return nil, err
	}
	store, ctx, topic := r.store, context.WithoutCancel(r.ctx), r.topic
	if snap == nil {
		if !r.persistence.stored.Load() {
			return nil, nil
		}
		return func() error {
			_, err := storeCall(func() ([]byte, error) { return nil, store.Delete(ctx, topic) })
			if err == nil {
				r.persistence.stored.Store(false)
			}
			return err
		}, nil
	}
	raw, err := json.Marshal(snap)
	if err != nil {
		return nil, err
	}
	r.persistence.stored.Store(true)
	return func() error {
		if _, err := storeCall(func() ([]byte, error) { return nil, store.Save(ctx, topic, raw) }); err != nil {
			return fmt.Errorf("saving the snapshot of %s: %w", topic, err)
		}
		return nil
	}, nil
}

// awaitSave waits for the save that is under way.
func (r *Room) awaitSave() {
	if saving := r.persistence.saving; saving != nil {
		<-saving
		r.persistence.saving = nil
	}
}

// unseal lets the room publish again.
func (r *Room) unseal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = false
}

// renumber lets the room count anew from here on, and tells its members so.
func (r *Room) renumber() {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.history
	if h == nil {
		return
	}
	h.epoch = newToken(8)
	h.drop(len(h.kept))
	h.bytes = 0
	gap, at := r.gapFrame(resume.Reset), resume.Position{Epoch: h.epoch, Seq: r.seq}
	remote := make(map[cluster.Peer][]*Conn)
	for c := range r.members {
		if r.tracks(c) {
			r.srv.stats.gaps.Add(1)
		}
		switch {
		case c.remote != nil:
			remote[c.remote.peer] = append(remote[c.remote.peer], c)
			if r.tracks(c) {
				c.remote.tellOf(r, c, gap, at, wire.Begins)
			}
		case r.tracks(c):
			c.send(gap)
		}
	}
	for peer, members := range remote {
		r.tellSynced(peer, members)
	}
}

// saveLast stores what the next room of the topic begins with. It returns false when that failed.
func (r *Room) saveLast() bool {
	if r.store == nil {
		return true
	}
	if err := r.save(true); err != nil {
		r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
		return false
	}
	return true
}

// goOn takes back a last snapshot, because the room does not end: whoever begins with that must not give out the numbers again that this
// room is about to give. Where it cannot be taken back the numbers that follow are others; as where it is not known whether it is stored.
func (r *Room) goOn(stored bool) {
	if r.store == nil || r.lost.Load() { // a room that is lost does not go on
		return
	}
	defer r.unseal()
	if stored {
		err := r.save(false)
		if err == nil {
			return
		}
		r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
	}
	r.renumber()
}

// armSave sees to it that a room that was used is saved in due time.
func (r *Room) armSave() {
	every := r.srv.settings.saveEvery
	if r.store == nil || every <= 0 || r.persistence.armed || r.state != roomOpen {
		return
	}
	r.persistence.armed = true
	post := func() { r.mail.PostAlways(roomMail{task: taskSave}) }
	if r.persistence.timer == nil {
		r.persistence.timer = r.srv.Clock.AfterFunc(every, post)
	} else {
		r.persistence.timer.Reset(every)
	}
}

// saveNow takes a snapshot in the room's turn and stores it outside of it, so that the room does not wait for a disk.
func (r *Room) saveNow() {
	if !r.persistence.armed || r.state != roomOpen {
		return
	}
	r.persistence.armed = false
	r.awaitSave()
	write, err := r.prepareSave(false)
	if err != nil {
		r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
	}
	if write == nil {
		return
	}
	done := make(chan struct{})
	r.persistence.saving = done
	go func() {
		defer close(done)
		if err := write(); err != nil {
			r.srv.report(context.WithoutCancel(r.ctx), nil, err, slog.String("topic", r.topic))
		}
	}()
}
