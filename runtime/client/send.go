package client

import (
	"context"
	"fmt"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// A frame waits to be written.
type frame struct {
	name    string
	payload []byte // nil: it has none
	meta    []byte // an object of what the message declares; nil: nothing
	call    *call  // nil for an event
}

// A queue holds frames in the order in which they are to be written.
type queue struct{ frames []*frame }

func (q *queue) push(f *frame) { q.frames = append(q.frames, f) }

func (q *queue) pushFront(list []*frame) { q.frames = append(list, q.frames...) }

func (q *queue) pop() *frame {
	f := q.frames[0]
	q.frames[0] = nil
	q.frames = q.frames[1:]
	return f
}

func (q *queue) remove(f *frame) {
	for i := range q.frames {
		if q.frames[i] == f {
			q.frames = append(q.frames[:i], q.frames[i+1:]...)
			return
		}
	}
}

// Send checks msg, a pointer to t's type, and queues it to be written; it does not wait for that, so a nil error does not
// mean that the server got it. The errors are *runtime.InvalidMessageError when msg breaks a bound of the schema,
// ErrQueueFull, ErrDisconnected under QueueOff, ErrClosed, and ctx's when that has ended already. A frame larger than the
// schema's maxBytes is refused too. msg may be changed after the return.
func (c *Client) Send(ctx context.Context, t *wsrt.MessageType, msg any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	payload, err := c.encode(t, msg)
	if err != nil {
		return err
	}
	meta, err := encodeMeta(t, msg)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enqueue(&frame{name: t.Name, payload: payload, meta: meta})
}

// frameOverhead is more than what the envelope adds to the name and the payload of a frame.
const frameOverhead = 128

// encode checks msg and returns its payload; nil when t has none.
func (c *Client) encode(t *wsrt.MessageType, msg any) (payload []byte, err error) {
	if t.Payload == nil {
		return nil, nil
	}
	defer func() { // of a nil message, or a Marshaler of the user
		if v := recover(); v != nil {
			err = fmt.Errorf("client: %s: cannot encode %T: %v", t.Name, msg, v)
		}
	}()
	if t.Payload.Check != nil {
		var check codec.Checker
		if t.Payload.Check(&check, msg); check.Err() != nil {
			return nil, &wsrt.InvalidMessageError{Message: t.Name, Issues: check.Issues()}
		}
	}
	var w jx.Writer
	t.Payload.Encode(&w, msg)
	if limit := c.types.maxBytes(t); limit > 0 && len(w.Buf)+len(t.Name)+frameOverhead > limit {
		return nil, fmt.Errorf("client: %s: a payload of %d bytes makes the message larger than the %d bytes of the schema's maxBytes",
			t.Name, len(w.Buf), limit)
	}
	return w.Buf, nil
}

// encodeMeta checks and returns the meta that msg declares; nil when t declares none.
func encodeMeta(t *wsrt.MessageType, msg any) ([]byte, error) {
	if t.Meta == nil {
		return nil, nil
	}
	var check codec.Checker
	if t.Meta.Check(&check, msg); check.Err() != nil {
		return nil, &wsrt.InvalidMessageError{Message: t.Name + ".meta", Issues: check.Issues()}
	}
	var w jx.Writer
	t.Meta.Encode(&w, msg)
	return w.Buf, nil
}

// enqueue adds a frame to the queue under its policy. c.mu must be held.
func (c *Client) enqueue(f *frame) error {
	switch full := len(c.queue.frames) >= c.opts.queueSize; {
	case c.closing:
		return c.errStopped()
	case c.session == nil && c.opts.queuePolicy == QueueOff:
		return ErrDisconnected
	case full && c.opts.queuePolicy == QueueDropOldest:
		c.drop(c.queue.frames[0], ErrQueueFull)
	case full:
		return fmt.Errorf("%w: %d frames wait", ErrQueueFull, len(c.queue.frames))
	}
	c.queue.push(f)
	c.changed.Broadcast()
	return nil
}

// drop takes a frame out of the queue and tells its caller, or OnError, why. c.mu must be held.
func (c *Client) drop(f *frame, why error) {
	if f.call != nil {
		c.fail(f.call, why)
		return
	}
	c.queue.remove(f)
	c.report(fmt.Errorf("client: %s was not sent: %w", f.name, why))
}
