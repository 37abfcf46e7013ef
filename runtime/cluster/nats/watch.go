package natscluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// heartbeat is how often a consumer without news says so, and with which number it sent its last message.
	heartbeat = time.Second
	// patience is how long a consumer may be silent before another one is made.
	patience = 3 * heartbeat
	// missingTime is how long the stream may be unknown to the servers, which is so for a moment when they start.
	missingTime = 10 * time.Second
)

// watcher is a Watch. It reads from a consumer in the memory of one server. When that is lost, or a message of it, it makes
// another one that begins behind the last revision that it has reported.
type watcher struct {
	*directory
	report  func(cluster.Record)
	last    uint64 // revision
	current bool   // the zero Record was reported
}

// Watch implements cluster.Directory. It runs in the goroutine that calls it, and returns nil when ctx ends.
func (d *directory) Watch(ctx context.Context, f func(cluster.Record)) error {
	w := &watcher{directory: d, report: f}
	var missing time.Time // since when the stream is
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		before := w.last
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, nats.ErrConnectionClosed) {
			return fmt.Errorf("natscluster: cannot watch: %w", err)
		}
		switch {
		case !errors.Is(err, jetstream.ErrStreamNotFound):
			missing = time.Time{}
		case missing.IsZero():
			missing = time.Now()
		case time.Since(missing) > missingTime:
			return fmt.Errorf("natscluster: cannot watch: stream %s: %w", d.names.stream, err)
		}
		if w.last != before {
			wait = 50 * time.Millisecond
		}
		d.log.Debug("natscluster: watches anew", "after", w.last, "error", err)
		if pause(ctx, wait) != nil {
			return nil
		}
	}
}

// follow reports what one consumer sends until it is lost.
func (w *watcher) follow(ctx context.Context) error {
	sub, err := w.nc.SubscribeSync(w.nc.NewInbox())
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := sub.SetPendingLimits(-1, pendingBytes); err != nil {
		return err
	}
	consumer, err := w.makeConsumer(ctx, sub.Subject)
	if err != nil {
		return err
	}
	info := consumer.CachedInfo()
	// Nobody waits for the answer: a consumer whose subscription is gone is deleted soon anyway.
	defer func() { _ = w.nc.Publish("$JS.API.CONSUMER.DELETE."+w.names.stream+"."+info.Name, nil) }()
	w.upTo(info.NumPending)
	for sent := uint64(0); ; {
		m, err := next(ctx, sub, patience)
		if err != nil {
			return err
		}
		if status := m.Header.Get("Status"); status != "" {
			if status != "100" {
				return fmt.Errorf("consumer: %s %s", status, m.Header.Get("Description"))
			}
			if number(m, "Nats-Last-Consumer") != sent {
				return errors.New("a message was lost")
			}
			continue
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if sent++; meta.Sequence.Consumer != sent {
			return errors.New("a message was lost")
		}
		if meta.Sequence.Stream > w.last {
			w.last = meta.Sequence.Stream
			w.report(cluster.Record{Key: w.names.key(m.Subject), Value: m.Data, Revision: w.last})
		}
		w.upTo(meta.NumPending)
	}
}

// upTo reports once that nothing is left of what was there at the beginning.
func (w *watcher) upTo(pending uint64) {
	if pending == 0 && !w.current {
		w.current = true
		w.report(cluster.Record{})
	}
}

// makeConsumer makes one of its own on any replica: a late one is good enough.
func (w *watcher) makeConsumer(ctx context.Context, subject string) (jetstream.PushConsumer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config := jetstream.ConsumerConfig{
		DeliverSubject:    subject,
		FilterSubject:     w.names.records(),
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		IdleHeartbeat:     heartbeat,
		InactiveThreshold: 2 * patience,
		MemoryStorage:     true,
		Replicas:          1,
		MaxDeliver:        1,
	}
	if w.last > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, w.last+1
	}
	return w.js.CreatePushConsumer(ctx, w.names.stream, config)
}

// next waits some time for a message.
func next(ctx context.Context, sub *nats.Subscription, patience time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}
