package natscluster

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// directory keeps each record as the last message of a subject. It decides by writes alone, which carry the sequence that the
// record must have: what a replica or a watch shows may be many seconds old.
type directory struct {
	store
	js  jetstream.JetStream
	log *slog.Logger
}

// Write implements cluster.Directory. It sends the same message again until it is known what became of it, or ctx ends. The
// servers know its ID for two minutes, and for as long as it is the record.
//
// A server without replicas answers a repeated write with a conflict when it was stored and its answer lost. Then the record is
// looked at before anything is given up. It may also have been stored and overwritten since: that is reported as a
// conflict, too, because nothing of it is left.
func (d *directory) Write(ctx context.Context, w cluster.Write) (uint64, error) {
	if !validTokens(w.Key) || w.ID == "" {
		return 0, fmt.Errorf("natscluster: write %q to %q: it needs an ID, and a key of letters, digits, '-', '_' and single dots",
			w.ID, w.Key)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var revision uint64
	err := d.again(ctx, func() (err error) {
		revision, err = d.publish(ctx, recordMessage(d.names.record(w.Key), w))
		if isCode(err, codeWrongSequence) {
			revision, err = d.conflict(ctx, w)
		}
		return err
	})
	switch {
	case err == nil:
		return revision, nil
	case err == cluster.ErrConflict:
		return 0, err
	}
	return 0, fmt.Errorf("natscluster: cannot write %s: %w", w.Key, err)
}

func recordMessage(subject string, w cluster.Write) *nats.Msg {
	m := expecting(newMessage(subject, w.Value), w.Last, "")
	m.Header.Set(headerID, w.ID)
	return m
}

// conflict finds out what a refused write met.
func (d *directory) conflict(ctx context.Context, w cluster.Write) (uint64, error) {
	subject := d.names.record(w.Key)
	found, err := d.read(ctx, subject)
	if err != nil {
		return 0, err
	}
	switch have := found[subject]; {
	case have.sequence != 0 && have.header.Get(headerID) == w.ID:
		return have.sequence, nil
	case have.sequence == w.Last:
		return 0, errLate // the leader that refused it was one no more
	}
	return 0, cluster.ErrConflict
}
