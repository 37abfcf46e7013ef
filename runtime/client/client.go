// Package client is the client of a generated protocol: one WebSocket that connects again by itself, a queue for what is
// sent while it is offline, requests with timeouts and progress, and callbacks for the server's messages. Generated
// packages wrap it in a typed Client.
//
// What it guarantees:
//
//   - Frames of one goroutine are written in the order of its Send and Call. A frame is written at most once; only a request
//     that the schema calls idempotent is written again after its connection was lost.
//   - A Call returns exactly once: with the reply, an error of the server, or an error of this package or of ctx.
//   - Callbacks run one at a time, in the order of arrival, on a goroutine of their own. They may Send, Call and Close.
//   - After Close no callback begins, but for the state's; nothing reopens a client.
package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// State is what a client is doing.
type State int

// The states.
const (
	Connecting   State = iota // Dial has not returned yet
	Open                      // connected
	Reconnecting              // the connection was lost; a new one is awaited or tried
	Closed                    // stopped for good
)

// String returns the name of the state in lower case.
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Open:
		return "open"
	case Reconnecting:
		return "reconnecting"
	case Closed:
		return "closed"
	}
	return "invalid"
}

// closeGrace is how long Close waits for the server, in real time even under a fake clock.
const closeGrace = time.Second

// Client is a client of one server. Its methods may be called from any goroutine, callbacks included.
type Client struct {
	url      *url.URL
	opts     options
	log      *slog.Logger
	types    *catalog
	dispatch func(ctx context.Context, t *wsrt.MessageType, msg any)
	events   *dispatcher
	retry    *retrier
	idPrefix string // of correlation ids

	ctx    context.Context // of callbacks; ends when the client stops
	cancel context.CancelFunc
	done   chan struct{} // the run goroutine has ended

	sessions sync.WaitGroup // connections that are served

	mu      sync.Mutex
	changed *sync.Cond // the writer looks again: queue, aborts, session or closing changed
	state   State
	err     error // why the client stopped
	closing bool  // it stops: by Close, or by the run goroutine
	queue   queue
	calls   map[string]*call // that wait, by correlation id
	lastID  uint64
	session *session // the open connection; nil without one
	resume  resumption
}

// Dial connects to url (ws, wss, http or https) and returns the client once it is connected; when that fails it returns
// the error, a *HandshakeError when the server refused, and leaves nothing behind. ctx bounds this first connection only. From
// then on the client connects again by itself until Close, or until the server closes with a code that says to stay away.
//
// dispatch is called for each event of the server, one at a time and in order; its context ends when the client stops.
// Generated code passes its descriptors as protocol.
func Dial(ctx context.Context, url string, protocol *wsrt.Protocol,
	dispatch func(ctx context.Context, t *wsrt.MessageType, msg any), opts ...Option) (*Client, error) {
	c, err := newClient(url, protocol, dispatch, opts)
	if err != nil {
		return nil, err
	}
	s, err := c.connect(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	go c.events.run(c.ctx)
	c.attach(s)
	go c.run(s)
	return c, nil
}

// Close stops the client: calls that wait return ErrClosed, what is queued is written if there is a connection and dropped
// if there is none, and the connection is closed with code 1000. It waits for that at most about a second, and never for a
// callback. Further calls do the same and change nothing. The error is always nil; the result is there to satisfy io.Closer.
func (c *Client) Close() error {
	c.stop(ErrClosed)
	timer := time.NewTimer(closeGrace + closeGrace/10)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	}
	return nil
}

// Done returns a channel that is closed when the client has stopped for good and its connection is gone. A callback that
// was running may still run.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the client stopped: ErrClosed after Close, else a *CloseError, a *HandshakeError or the error of the
// connection. It is nil until the client stops.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// State returns what the client is doing now.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// newClient checks the arguments of Dial and returns a client without a connection or goroutines.
func newClient(address string, protocol *wsrt.Protocol, dispatch func(context.Context, *wsrt.MessageType, any),
	opts []Option) (*Client, error) {
	target, err := parseURL(address)
	if err != nil {
		return nil, err
	}
	if protocol == nil {
		return nil, errors.New("client: Dial without a protocol: pass the descriptors of the generated package")
	}
	o := defaultOptions()
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&o)
		}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	if dispatch == nil {
		dispatch = func(context.Context, *wsrt.MessageType, any) {}
	}
	c := &Client{
		url:      target,
		opts:     o,
		log:      o.logger,
		types:    newCatalog(protocol),
		dispatch: dispatch,
		retry:    &retrier{backoff: o.backoff, random: o.random, renewable: o.token != nil && !o.tokenFixed},
		idPrefix: rand.Text()[:10] + "-",
		done:     make(chan struct{}),
		calls:    map[string]*call{},
	}
	c.changed = sync.NewCond(&c.mu)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.events = newDispatcher(o.eventBuffer, c.panicked)
	return c, nil
}

// errStopped returns what Send and Call return once the client has stopped. c.mu must be held.
func (c *Client) errStopped() error {
	if errors.Is(c.err, ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrClosed, c.err)
}
