package cluster

import (
	"context"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// TestLinks are links, for tests that use the memory package.
type TestLinks struct{ l *links }

// LinkLimits are the limits that tests change.
type LinkLimits struct{ Frames, Bytes, Frame, Packet int }

// LinkStats is a linkStats.
type LinkStats struct {
	Peer                       Peer
	Frames, Bytes              int
	Resets, Retransmits, Nacks uint64
	Acknowledged               time.Duration
}

var (
	ErrLinkFull   = errLinkFull
	ErrLinkReset  = errLinkReset
	ErrLinkOver   = errLinkOver
	ErrLinkClosed = errLinkClosed
)

func NewTestLinks(self Peer, t Transport, c clock.Clock, limits LinkLimits, receive func(Peer, []byte),
	reset func(Peer)) TestLinks {
	l := newLinks(self, t, c, linkLimits{frames: limits.Frames, bytes: limits.Bytes, frame: limits.Frame, packet: limits.Packet},
		linkHandler{receive, reset})
	l.start()
	return TestLinks{l}
}

func (t TestLinks) Listen() error                            { return t.l.listen() }
func (t TestLinks) Send(to Peer, frame []byte) error         { return t.l.send(to, frame) }
func (t TestLinks) SendAlways(to Peer, frame []byte) error   { return t.l.sendAlways(to, frame) }
func (t TestLinks) Flush(ctx context.Context, to Peer) error { return t.l.flush(ctx, to) }
func (t TestLinks) Forget(peer Peer)                         { t.l.forget(peer) }
func (t TestLinks) Close()                                   { t.l.close() }
func (t TestLinks) Arrive(packet []byte)                     { t.l.arrive(packet) }

// Stats returns the state of the link to a peer; the zero value when there is none.
func (t TestLinks) Stats(peer Peer) LinkStats {
	for _, s := range t.l.stats() {
		if s.peer == peer {
			return LinkStats{s.peer, s.frames, s.bytes, s.resets, s.retransmits, s.nacks, s.acknowledged}
		}
	}
	return LinkStats{}
}
