package natscluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// dedupeWindow is how long the servers know the ID of a write.
const dedupeWindow = 2 * time.Minute

// makeStream makes the stream, or checks the one that is there. Nodes may do it at the same time.
func makeStream(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, n names, o Options) error {
	replicas := o.Replicas
	if replicas == 0 {
		if replicas = 1; nc.ConnectedClusterName() != "" {
			replicas = 3
		}
	}
	var have *jetstream.StreamInfo
	err := retry(ctx, func(ctx context.Context) error {
		s, err := js.Stream(ctx, n.stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			s, err = js.CreateStream(ctx, streamConfig(n, replicas))
		}
		if err != nil {
			return err
		}
		have = s.CachedInfo()
		return nil
	})
	switch api := (*jetstream.APIError)(nil); {
	case errors.As(err, &api) && replicas > 1 && o.Replicas == 0:
		return fmt.Errorf("natscluster: cannot make stream %s with %d replicas; are %[2]d servers there? Set Replicas for fewer: %w",
			n.stream, replicas, err)
	case err != nil:
		return fmt.Errorf("natscluster: cannot make stream %s: %w", n.stream, err)
	}
	return checkStream(have.Config, n, o.Replicas)
}

func streamConfig(n names, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               n.stream,
		Description:        "Records and snapshots of a cluster of wsgen. Nothing in here may be deleted while it runs.",
		Subjects:           n.subjects(),
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Replicas:           replicas,
		MaxMsgsPerSubject:  1,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgSize:         -1,
		Discard:            jetstream.DiscardNew,
		Duplicates:         dedupeWindow,
		AllowDirect:        true,
		AllowAtomicPublish: true,
		AllowMsgTTL:        true,
	}
}

// checkStream refuses a stream in which records could be lost, or writes would fail, and says what to change.
func checkStream(c jetstream.StreamConfig, n names, replicas int) error {
	var wrong []string
	must := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	subjects := slices.Clone(c.Subjects)
	want := n.subjects()
	slices.Sort(subjects)
	slices.Sort(want)
	must(slices.Equal(subjects, want), "subjects must be "+strings.Join(want, ", "))
	must(c.MaxAge == 0, "max_age must be 0, or owners of slots would be forgotten")
	must(c.MaxBytes <= 0, "max_bytes must be -1")
	must(c.MaxMsgs <= 0, "max_msgs must be -1")
	must(c.MaxMsgSize <= 0, "max_msg_size must be -1")
	must(c.MaxMsgsPerSubject == 1, "max_msgs_per_subject must be 1")
	must(c.Retention == jetstream.LimitsPolicy, "retention must be limits")
	must(c.Storage == jetstream.FileStorage, "storage must be file")
	must(c.AllowDirect, "allow_direct must be true")
	must(c.AllowAtomicPublish, "allow_atomic must be true")
	must(c.AllowMsgTTL, "allow_msg_ttl must be true")
	must(!c.NoAck, "no_ack must be false")
	must(!c.Sealed, "sealed must be false")
	must(c.Mirror == nil && len(c.Sources) == 0, "mirror and sources must be absent")
	must(c.Duplicates >= dedupeWindow, fmt.Sprintf("duplicate_window must be %v at least", dedupeWindow))
	must(replicas == 0 || c.Replicas == replicas, fmt.Sprintf("num_replicas is %d, but %d are asked for", c.Replicas, replicas))
	if len(wrong) > 0 {
		return fmt.Errorf("natscluster: stream %s is there with other settings; change it with `nats stream edit %[1]s`: %s", n.stream,
			strings.Join(wrong, "; "))
	}
	return nil
}
