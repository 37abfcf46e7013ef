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

// snapshots is a node's view of what rooms left behind.
type snapshots struct{ n *node }

func (s snapshots) Load(ctx context.Context, slot int, name string) ([]byte, error) {
	var found []byte
	if err := s.n.call(ctx, func() { found = slices.Clone(s.n.c.snapshots[topic{slot, name}]) }); err != nil {
		return nil, err
	}
	return found, nil
}

func (s snapshots) Save(ctx context.Context, slot int, epoch uint64, name string, snapshot []byte) error {
	c, kept := s.n.c, slices.Clone(snapshot)
	var refused error
	if err := s.n.call(ctx, func() {
		switch {
		case c.directory.revisions[cluster.SlotKey(slot)] != epoch:
			refused = cluster.ErrFenced
		case kept == nil:
			delete(c.snapshots, topic{slot, name})
		default:
			c.snapshots[topic{slot, name}] = kept
		}
	}); err != nil {
		return err
	}
	return refused
}
