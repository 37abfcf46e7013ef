package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
)

// maxProgress is how many progress values may wait for a callback that does not keep up.
const maxProgress = 1024

// A call is one request. Its life, all of it under Client.mu:
//
//	queued ──written──▶ sent ──reply, error, timeout, ctx──▶ over
//	   ▲                 │
//	   └──── idempotent ─┴──connection lost──▶ over
//
// A queued call is over when ctx ends, its frame is dropped, or the client stops.
type call struct {
	id      string
	t       *wsrt.MessageType
	frame   *frame
	timeout time.Duration
	ctx     context.Context // of the caller
	state   callState
	session *session  // sent: on this connection
	order   uint64    // of the call among all calls
	due     time.Time // when the timeout ends; set when it is first sent
	timer   clock.Timer

	progress []any         // not yet given to the caller
	notify   chan struct{} // holds one token when there is progress, or the call is over
	reply    any
	err      error
}

type callState int

const (
	callQueued callState = iota
	callSent
	callOver
)

// Refresh shows the server a new token on the open connection, before the claims of the old one expire: it is answered as a
// Call is, with UNIMPLEMENTED where the server takes none. A connection that is made later asks the token source as ever.
func (c *Client) Refresh(ctx context.Context, token string) error {
	_, err := c.Call(ctx, authRequest, &wsrt.AuthToken{Token: token}, nil)
	return err
}

var authRequest = wsrt.AuthRequest()

// Call sends the request req, a pointer to t's type, and waits for the reply, a pointer to the response type. progress, when
// it is not nil, is called for each progress value, in order, on the calling goroutine and before Call returns.
//
// While the client is offline a request waits in the queue, bounded by ctx. The schema's timeout, or WithRequestTimeout, runs
// from when the request is sent; then the error is a *runtime.Error with DEADLINE_EXCEEDED that wraps context.DeadlineExceeded,
// whichever side noticed. When ctx ends, its error is returned and the server is told to give up. Errors of the server are
// *runtime.Error or the generated type of their code; ErrDisconnected, ErrQueueFull, ErrTooManyCalls and ErrClosed come
// from the client.
func (c *Client) Call(ctx context.Context, t *wsrt.MessageType, req any, progress func(any)) (any, error) {
	if t.Request == nil {
		return nil, fmt.Errorf("client: %s is no request: use Send", t.Name)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	payload, err := c.encode(t, req)
	if err != nil {
		return nil, err
	}
	meta, err := encodeMeta(t, req)
	if err != nil {
		return nil, err
	}
	k, err := c.begin(ctx, t, payload, meta)
	if err != nil {
		return nil, err
	}
	defer c.abandon(k, context.Canceled) // if progress panics
	for {
		select {
		case <-k.notify:
		case <-ctx.Done():
			c.abandon(k, ctx.Err())
		}
		values, over := c.take(k)
		for _, v := range values {
			if progress != nil {
				progress(v)
			}
		}
		if over {
			return k.reply, k.err
		}
	}
}

// begin registers a call and queues its frame.
func (c *Client) begin(ctx context.Context, t *wsrt.MessageType, payload, meta []byte) (*call, error) {
	timeout := t.Request.Timeout
	if timeout <= 0 {
		timeout = c.opts.requestTimeout
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.calls) >= c.opts.pendingLimit {
		return nil, &callError{error: fmt.Errorf("%w: %d", ErrTooManyCalls, len(c.calls))}
	}
	c.lastID++
	id := c.idPrefix + strconv.FormatUint(c.lastID, 36)
	if c.types.form != nil {
		id = envelope.NumberID(c.lastID) // as protocols with a form of their own have it
	}
	k := &call{
		id:      id,
		t:       t,
		timeout: timeout,
		ctx:     ctx,
		order:   c.lastID,
		notify:  make(chan struct{}, 1),
	}
	k.frame = &frame{name: t.Name, payload: payload, meta: meta, call: k}
	if err := c.enqueue(k.frame); err != nil {
		return nil, &callError{error: err}
	}
	c.calls[k.id] = k
	c.events.setCalls(len(c.calls))
	return k, nil
}

// take returns the progress that the caller has not seen, and whether the call is over.
func (c *Client) take(k *call) (progress []any, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	progress, k.progress = k.progress, nil
	return progress, k.state == callOver
}

// sent notes that a call is about to be written on s, and returns the header of its frame. c.mu must be held.
func (c *Client) sent(k *call, s *session) envelope.Header {
	k.state, k.session = callSent, s
	now := c.opts.clock.Now()
	if k.timer == nil {
		k.due = now.Add(k.timeout)
		k.timer = c.opts.clock.AfterFunc(k.timeout, func() { c.abandon(k, timeoutError(k)) })
	}
	h := envelope.Header{Type: k.t.Name, CorrelationID: k.id}
	if s.v1 {
		left := k.due.Sub(now)
		if deadline, ok := k.ctx.Deadline(); ok {
			left = min(left, time.Until(deadline))
		}
		h.TimeoutMs = max(1, int(left.Milliseconds()))
	}
	return h
}

func timeoutError(k *call) error {
	return wsrt.Errorf(wsrt.CodeDeadlineExceeded, "no reply to %s within %v", k.t.Name, k.timeout).
		WithCause(context.DeadlineExceeded).WithMaybeApplied(true)
}

// waitingCall returns the call that was sent on s with the correlation id; nil when there is none.
func (c *Client) waitingCall(id string, s *session) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.calls[id]; k != nil && k.state == callSent && k.session == s {
		return k
	}
	return nil
}

// settle ends a call that is not over with what the server answered.
func (c *Client) settle(k *call, reply any, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(k, reply, err)
}

// abandon ends a call that is not over with err, and tells the server to give up when it got the request.
func (c *Client) abandon(k *call, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort(k, err)
}

// abort is abandon with c.mu held.
func (c *Client) abort(k *call, err error) {
	if k.state == callSent && k.session == c.session && k.session.v1 {
		k.session.aborts = append(k.session.aborts, k.id)
		c.changed.Broadcast()
	}
	c.finish(k, nil, err)
}

// finish ends a call, once. c.mu must be held.
func (c *Client) finish(k *call, reply any, err error) {
	if k.state == callOver {
		return
	}
	if k.state == callQueued {
		c.queue.remove(k.frame)
	}
	if k.timer != nil {
		k.timer.Stop()
	}
	k.state, k.reply, k.err = callOver, reply, err
	delete(c.calls, k.id)
	if k.session != nil {
		k.session.wake()
	}
	c.events.setCalls(len(c.calls))
	k.wake()
}

// fail ends a call that has got no answer. c.mu must be held.
func (c *Client) fail(k *call, why error) {
	c.finish(k, nil, &callError{why, k.timer != nil})
}

// advance gives a progress value to a call that is not over.
func (c *Client) advance(k *call, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.state == callOver {
		return
	}
	if len(k.progress) >= maxProgress {
		c.abort(k, wsrt.Errorf(wsrt.CodeResourceExhausted,
			"%d progress values of %s wait for the progress function, which is too slow", len(k.progress), k.t.Name).
			WithMaybeApplied(true))
		return
	}
	k.progress = append(k.progress, value)
	k.wake()
}

// wake makes the caller look again.
func (k *call) wake() {
	select {
	case k.notify <- struct{}{}:
	default:
	}
}

// disconnected ends the calls that were in flight on s, and queues the idempotent ones again, ahead of everything else and
// in their order. c.mu must be held.
func (c *Client) disconnected(s *session, cause error) {
	var again []*call
	for _, k := range c.calls {
		switch {
		case k.state != callSent || k.session != s:
		case k.t.Request.Idempotent && c.opts.queuePolicy != QueueOff:
			again = append(again, k)
		default:
			c.fail(k, fmt.Errorf("%w: %w", ErrDisconnected, cause))
		}
	}
	slices.SortFunc(again, func(a, b *call) int { return cmp.Compare(a.order, b.order) })
	frames := make([]*frame, len(again))
	for i, k := range again {
		k.state, k.session = callQueued, nil
		frames[i] = k.frame
	}
	c.queue.pushFront(frames)
}
