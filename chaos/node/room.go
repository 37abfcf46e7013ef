package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"

	protocol "github.com/wsgen/wsgen/golden/cluster/cluster"
	"github.com/wsgen/wsgen/internal/clustercheck"

	"github.com/wsgen/wsgen/chaos/trace"
)

// journal writes down what happens in this process.
type journal struct {
	file *trace.File
	node string
	run  string // differs between the processes of a node

	mu     sync.Mutex
	totals Counts
}

func newJournal(file *trace.File, node string) *journal {
	return &journal{file: file, node: node, run: strconv.FormatInt(trace.Now(), 36)}
}

// add writes a record of this process.
func (j *journal) add(r clustercheck.Record) {
	r.Node, r.Run = j.node, j.run
	j.file.Add(r)
}

// event writes down what decides about ownership. Its times are those of the node's clock, which may be a wrong one: they are
// translated.
func (j *journal) event(e cluster.Event) {
	r := clustercheck.Record{At: trace.Now(), Kind: e.Kind, Slot: e.Slot, Epoch: e.Epoch, Other: e.Other.Node}
	r.Inc = strconv.FormatUint(e.Node.Incarnation, 16)
	if !e.Until.IsZero() {
		r.Until = r.At + int64(e.Until.Sub(e.At))
	}
	j.add(r)
}

// epochKey is where the context of a handler has the epoch of its room.
type epochKey struct{}

// intercept tells handlers in which epoch they run.
func (j *journal) intercept(next wsrt.HandlerFunc) wsrt.HandlerFunc {
	return func(ctx context.Context, call *wsrt.Call) (any, error) {
		if call.Room != nil {
			ctx = context.WithValue(ctx, epochKey{}, call.Room.Epoch())
		}
		return next(ctx, call)
	}
}

func epochOf(ctx context.Context) uint64 {
	epoch, _ := ctx.Value(epochKey{}).(uint64)
	return epoch
}

// room counts its messages.
type room struct {
	protocol.UnimplementedRoomHandler
	j *journal
	r *protocol.Room
	n int
}

func (j *journal) open(_ context.Context, r *protocol.Room) (protocol.RoomHandler, error) {
	return &room{j: j, r: r}, nil
}

// Join implements protocol.RoomHandler.
func (h *room) Join(_ context.Context, c *protocol.Conn, _ *protocol.Join) error { return h.r.Join(c) }

// Leave implements protocol.RoomHandler.
func (h *room) Leave(_ context.Context, c *protocol.Conn, _ *protocol.Leave) error {
	h.r.Leave(c)
	return nil
}

// Say implements protocol.RoomHandler.
func (h *room) Say(ctx context.Context, c *protocol.Conn, m *protocol.Say) error {
	var opts []wsrt.PublishOption
	if m.Others {
		opts = append(opts, protocol.Except(c))
	}
	return h.apply(ctx, m.ID, m.Hint, opts...)
}

// Ask implements protocol.RoomHandler.
func (h *room) Ask(ctx context.Context, _ *protocol.Conn, m *protocol.AskRequest) (*protocol.AskResponse, error) {
	if err := h.apply(ctx, m.ID, false); err != nil {
		return nil, err
	}
	return &protocol.AskResponse{Epoch: int(epochOf(ctx)), N: h.n}, nil
}

// apply writes the message down before anybody can see that it was handled.
func (h *room) apply(ctx context.Context, id string, hint bool, opts ...wsrt.PublishOption) error {
	h.n++
	epoch := epochOf(ctx)
	h.j.add(clustercheck.Record{Kind: clustercheck.Apply, Slot: h.r.Shard(), Epoch: epoch, Room: h.r.ID(), ID: id, N: uint64(h.n)})
	if hint {
		if err := h.r.Publish(&protocol.Hint{RoomID: h.r.ID(), Epoch: int(epoch)}); err != nil {
			return err
		}
	}
	return h.r.Publish(&protocol.Said{RoomID: h.r.ID(), ID: id, Epoch: int(epoch), N: h.n}, opts...)
}

// Census implements protocol.RoomHandler.
func (h *room) Census(ctx context.Context, _ *protocol.Conn, _ *protocol.CensusRequest) (*protocol.CensusResponse, error) {
	res := &protocol.CensusResponse{Epoch: int(epochOf(ctx)), Members: []string{}}
	for c := range h.r.Members() {
		res.Members = append(res.Members, c.UserID())
	}
	slices.Sort(res.Members)
	return res, nil
}

// Snapshot implements wsrt.Snapshotter.
func (h *room) Snapshot() ([]byte, error) { return json.Marshal(h.n) }

// Restore implements wsrt.Restorer.
func (h *room) Restore(snapshot []byte) error {
	if err := json.Unmarshal(snapshot, &h.n); err != nil {
		return fmt.Errorf("snapshot of %s: %w", h.r.ID(), err)
	}
	return nil
}
