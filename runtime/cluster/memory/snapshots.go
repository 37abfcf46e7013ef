package memory

import (
	"context"
	"slices"

	"github.com/wsgen/wsgen/runtime/cluster"
)

type topic struct {
	slot int
	name string
}

// kept is the snapshot of a topic; nil data: it was deleted.
type kept struct {
	data []byte
	save uint64 // number of the Save
}

// snapshots is a node's view of what rooms left behind.
type snapshots struct{ n *node }

func (s snapshots) Load(ctx context.Context, slot int, name string) ([]byte, error) {
	var found []byte
	if err := s.n.call(ctx, func() { found = slices.Clone(s.n.c.snapshots[topic{slot, name}].data) }); err != nil {
		return nil, err
	}
	return found, nil
}

func (s snapshots) Save(ctx context.Context, slot int, epoch uint64, name string, snapshot []byte) error {
	c := s.n.c
	own := kept{slices.Clone(snapshot), c.saves.Add(1)}
	var refused error
	if err := s.n.call(ctx, func() {
		switch {
		case c.directory.revisions[cluster.SlotKey(slot)] != epoch:
			refused = cluster.ErrFenced
		case own.save > c.snapshots[topic{slot, name}].save: // else it was held up
			c.snapshots[topic{slot, name}] = own
		}
	}); err != nil {
		return err
	}
	return refused
}
