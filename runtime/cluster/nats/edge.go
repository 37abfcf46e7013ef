package natscluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// callsAtOnce is how many calls of other programs a node works on; further ones wait.
	callsAtOnce = 256
	// headerTime is how many milliseconds the caller waits.
	headerTime = "Wsg-Time"
	// headerError says why there is no answer.
	headerError = "Wsg-Error"
)

// edge takes calls from a queue group, so that one node gets each.
type edge struct {
	nc      *nats.Conn
	subject string
}

// Serve implements cluster.Edge. The context of a call ends when its caller does not wait any more, and when stop is called.
// Stop waits for the calls that are running.
func (e *edge) Serve(f func(ctx context.Context, call []byte) []byte) (stop func(), err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex // held for reading stopped and adding to running
	var running sync.WaitGroup
	stopped, tokens := false, make(chan struct{}, callsAtOnce)
	sub, err := e.nc.QueueSubscribe(e.subject, "edge", func(m *nats.Msg) {
		tokens <- struct{}{}
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			<-tokens
			return
		}
		running.Go(func() {
			defer func() { <-tokens }()
			answer(ctx, m, f)
		})
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("natscluster: cannot serve: %w", err)
	}
	stop = func() {
		_ = sub.Unsubscribe() // fails when the connection is closed
		mu.Lock()
		stopped = true
		mu.Unlock()
		cancel()
		running.Wait()
	}
	if err := e.nc.FlushTimeout(joinTime); err != nil {
		stop()
		return nil, fmt.Errorf("natscluster: cannot serve: %w", err)
	}
	return stop, nil
}

// answer runs a call.
func answer(ctx context.Context, m *nats.Msg, f func(context.Context, []byte) []byte) {
	if ms, err := strconv.Atoi(m.Header.Get(headerTime)); err == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer cancel()
	}
	reply := nats.NewMsg(m.Reply)
	reply.Data = f(ctx, m.Data)
	if err := m.RespondMsg(reply); errors.Is(err, nats.ErrMaxPayload) {
		reply.Header.Set(headerError, fmt.Sprintf("the answer has %d bytes, which is too large", len(reply.Data)))
		reply.Data = nil
		_ = m.RespondMsg(reply) // the caller finds out by its time
	}
}

// Caller calls the nodes of a cluster from a program that is none. Its methods are safe for concurrent use.
type Caller struct {
	nc      *nats.Conn
	subject string
}

// NewCaller makes a Caller for the cluster of a namespace. The connection stays the caller's own, to be closed by it.
func NewCaller(nc *nats.Conn, namespace string) *Caller {
	return &Caller{nc, newNames(namespace).edge()}
}

// callTime is how long an answer is waited for when the context has no deadline.
const callTime = 10 * time.Second

// Call sends a call to one of the nodes and waits for its answer until ctx ends, or for 10 seconds when ctx has no deadline.
// The error wraps cluster.ErrNobody when no node takes calls: then it was not done. After any other error it is not known whether
// it was.
func (c *Caller) Call(ctx context.Context, call []byte) ([]byte, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(callTime)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	m := nats.NewMsg(c.subject)
	m.Header.Set(headerTime, strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 0), 10))
	m.Data = call
	reply, err := c.nc.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("natscluster: no node takes calls at %s: %w", c.subject, cluster.ErrNobody)
	case errors.Is(err, nats.ErrMaxPayload):
		return nil, fmt.Errorf("natscluster: a call of %d bytes, at most %d are allowed: %w", len(call), c.nc.MaxPayload(), err)
	case err != nil:
		return nil, fmt.Errorf("natscluster: no answer: %w", err)
	case reply.Header.Get(headerError) != "":
		return nil, fmt.Errorf("natscluster: %s", reply.Header.Get(headerError))
	}
	return reply.Data, nil
}
