package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// table is the directory that all nodes share.
type table struct {
	revision  uint64
	entries   []entry // in the order of revisions
	revisions map[string]uint64
	done, old map[string]uint64 // revisions by the IDs of writes: the latest ones, and those before
}

// remembered is how many IDs of writes are known at least.
const remembered = 1 << 16

type entry struct {
	record cluster.Record
	at     time.Time
}

// write stores a record as Directory.Write does.
func (t *table) write(w cluster.Write, now time.Time) (uint64, error) {
	if revision, ok := t.done[w.ID]; ok {
		return revision, nil
	}
	if revision, ok := t.old[w.ID]; ok {
		return revision, nil
	}
	last := t.revisions[w.Key]
	if last != w.Last {
		return 0, cluster.ErrConflict
	}
	if last != 0 {
		i := t.after(last - 1)
		t.entries = slices.Delete(t.entries, i, i+1)
	}
	t.revision++
	t.entries = append(t.entries, entry{cluster.Record{Key: w.Key, Value: slices.Clone(w.Value), Revision: t.revision}, now})
	t.revisions[w.Key] = t.revision
	if t.done == nil || len(t.done) >= remembered {
		t.done, t.old = make(map[string]uint64), t.done
	}
	t.done[w.ID] = t.revision
	return t.revision, nil
}

// after returns the place of the first entry whose revision is larger.
func (t *table) after(revision uint64) int {
	i, _ := slices.BinarySearchFunc(t.entries, revision+1, func(e entry, r uint64) int {
		return cmp.Compare(e.record.Revision, r)
	})
	return i
}

// directory is a node's view of the table.
type directory struct{ n *node }

func (d directory) Write(ctx context.Context, w cluster.Write) (uint64, error) {
	if w.Key == "" || w.ID == "" || strings.ContainsFunc(w.Key, notInKeys) {
		return 0, errors.New("memory: a write has an ID, and a key of letters, digits, '-', '_' and '.'")
	}
	w.Value = slices.Clone(w.Value) // it may be written when the caller has gone on
	var revision uint64
	var err error
	if failed := d.n.call(ctx, func() {
		if revision, err = d.n.c.directory.write(w, d.n.c.clock.Now()); err == nil {
			d.n.c.change()
		}
	}); failed != nil {
		return 0, failed
	}
	return revision, err
}

func notInKeys(r rune) bool {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return !strings.ContainsRune(characters, r)
}

func (d directory) Watch(ctx context.Context, f func(cluster.Record)) error {
	var seen uint64
	for begun := false; ; {
		records, wait, changed := d.look(seen, !begun)
		for _, r := range records {
			if d.n.running(ctx); ctx.Err() != nil {
				return nil
			}
			f(r)
			seen, begun = max(seen, r.Revision), begun || r.Revision == 0
		}
		if len(records) > 0 {
			continue
		}
		if !d.wait(ctx, wait, changed) {
			return nil
		}
	}
}

// look returns the records that are newer than what was seen, with the zero Record behind them for the first time; or how long
// it takes until there are some, 0 when that is not known, and what tells that it may have changed.
func (d directory) look(seen uint64, first bool) (records []cluster.Record, wait time.Duration, changed <-chan struct{}) {
	c := d.n.c
	c.mu.Lock()
	defer c.mu.Unlock()
	switch d.n.state() {
	case Unreachable, Held, Blind:
		return nil, 0, c.changed
	}
	now := c.clock.Now()
	for _, e := range c.directory.entries[c.directory.after(seen):] {
		if wait = e.at.Add(c.watches).Sub(now); wait > 0 && !first {
			break
		}
		records = append(records, e.record)
	}
	if first {
		records = append(records, cluster.Record{})
	}
	return records, wait, c.changed
}

// wait waits for a time, or for a change; false: ctx has ended.
func (d directory) wait(ctx context.Context, wait time.Duration, changed <-chan struct{}) bool {
	var due chan struct{}
	if wait > 0 {
		due = make(chan struct{})
		timer := d.n.c.clock.AfterFunc(wait, func() { close(due) })
		defer timer.Stop()
	}
	select {
	case <-changed:
	case <-due:
	case <-ctx.Done():
		return false
	}
	return true
}
