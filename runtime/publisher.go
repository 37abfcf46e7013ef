package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
)

// EdgeConn reaches the nodes of a cluster from a program that is none, such as the Caller of the NATS module.
type EdgeConn interface {
	// Call hands a call to one of the nodes and returns its answer. An error that wraps cluster.ErrNobody says that no node
	// has got it; of any other it is not known. It is safe for concurrent use.
	Call(ctx context.Context, call []byte) ([]byte, error)
}

// Publisher publishes to the rooms of a cluster from a program that is no node of it. Generated packages wrap it. Its methods are
// safe for concurrent use.
type Publisher struct {
	protocol *Protocol
	edge     EdgeConn
}

// NewPublisher returns a Publisher that reaches the nodes by edge. Nothing is sent before Publish.
func NewPublisher(p *Protocol, edge EdgeConn) *Publisher { return &Publisher{p, edge} }

// Publish sends a message to the members of a room, and returns how many it was queued for; a room that is not open has none. The
// errors are *InvalidMessageError and others for what the schema does not allow, which is not sent, and *Error: with the code of
// the node that had the message, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED when there is no answer. MaybeApplied says
// whether the message may have been published.
func (p *Publisher) Publish(ctx context.Context, topic string, t *MessageType, v any) (delivered int, err error) {
	if err := context.Cause(ctx); err != nil {
		return 0, noAnswer(err).WithMaybeApplied(false)
	}
	if err := checkTopic(topic, p.protocol.Kinds); err != nil {
		return 0, err
	}
	if err := checkOutgoing(t, v); err != nil {
		return 0, err
	}
	call := &wire.Frame{Kind: wire.Publish, Topic: topic, Type: t.Name}
	call.Payload, call.Meta = encodeMessage(t, v)
	answer, err := p.edge.Call(ctx, call.Encode())
	if err != nil {
		return 0, noAnswer(err).WithMaybeApplied(!errors.Is(err, cluster.ErrNobody))
	}
	done, err := wire.Decode(answer)
	switch {
	case err != nil || done.Kind != wire.Done:
		return 0, Errorf(CodeInternal, "a node gave an answer to %s that is none", t.Name).WithCause(err).WithMaybeApplied(true)
	}
	return int(done.Count), publishError(done)
}

// noAnswer is the error of a call that has failed on its way.
func noAnswer(err error) *Error {
	code := CodeUnavailable
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		code = CodeDeadlineExceeded
	case errors.Is(err, context.Canceled):
		code = CodeCancelled
	}
	return Errorf(code, "no answer of the cluster: %w", err)
}

// checkTopic says what is wrong with the topic of a room.
func checkTopic(topic string, kinds []string) error {
	kind, key, _ := strings.Cut(topic, ":")
	if key == "" || !slices.Contains(kinds, kind) {
		return fmt.Errorf("wsgen: no room can have the topic %q: a topic is <kind>:<key> with one of the kinds %s", topic,
			strings.Join(kinds, ", "))
	}
	return nil
}
