package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

// Option changes how a client behaves. The zero number of options is a client that reconnects, queues up to 1000 frames
// while it is offline, and pings the server.
type Option interface{ apply(*options) }

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// TokenPlacement says where the token stands in the handshake.
type TokenPlacement int

// The placements of a token.
const (
	TokenInHeader      TokenPlacement = iota // Authorization: Bearer <token>; the default
	TokenInQuery                             // ?access_token=<token>; ends up in access logs
	TokenInSubprotocol                       // an offered subprotocol bearer.<token>; the token must be an RFC 7230 token
)

// QueuePolicy says what becomes of a frame that finds the queue full, or the client offline.
type QueuePolicy int

// The queue policies.
const (
	QueueDropNewest QueuePolicy = iota // the new frame is refused with ErrQueueFull; the default
	QueueDropOldest                    // the oldest frame makes room; its Call returns ErrQueueFull, its event goes to OnError
	QueueOff                           // nothing waits while offline: ErrDisconnected at once; drop newest while connected
)

// Backoff is the wait before a new attempt: a random time between 0 and Base·2ⁿ, at most Max, after n failures in a row
// ("full jitter": Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Zero fields mean the defaults.
type Backoff struct {
	Base   time.Duration // 300 ms
	Max    time.Duration // 10 s
	Stable time.Duration // how long a connection must last for the failures to be forgotten; 5 s
}

type options struct {
	token          func(ctx context.Context) (string, error)
	tokenFixed     bool // a new token cannot be had
	tokenPlacement TokenPlacement
	httpClient     *http.Client
	header         http.Header
	connectTimeout time.Duration
	reconnect      bool
	backoff        Backoff
	queueSize      int
	queuePolicy    QueuePolicy
	eventBuffer    int
	requestTimeout time.Duration
	pendingLimit   int
	readLimit      int64
	pingInterval   time.Duration
	pingTimeout    time.Duration
	onState        func(s State, err error)
	onUnknown      func(name string, frame []byte)
	onGap          func(g Gap)
	onError        func(err error)
	logger         *slog.Logger
	clock          clock.Clock
	random         func(n int64) int64 // uniform in [0, n)
}

func defaultOptions() options {
	return options{
		connectTimeout: 30 * time.Second,
		reconnect:      true,
		backoff:        Backoff{Base: 300 * time.Millisecond, Max: 10 * time.Second, Stable: 5 * time.Second},
		queueSize:      1000,
		eventBuffer:    256,
		requestTimeout: 30 * time.Second,
		pendingLimit:   1000,
		readLimit:      16 << 20,
		pingInterval:   25 * time.Second,
		pingTimeout:    10 * time.Second,
		logger:         slog.New(slog.DiscardHandler),
		clock:          clock.Real{},
		random:         rand.Int64N,
	}
}

// validate returns what is wrong with the options, all of it.
func (o *options) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("client: "+format, args...))
		}
	}
	check(o.tokenPlacement >= TokenInHeader && o.tokenPlacement <= TokenInSubprotocol,
		"WithTokenPlacement(%d): use TokenInHeader, TokenInQuery or TokenInSubprotocol", o.tokenPlacement)
	check(o.queuePolicy >= QueueDropNewest && o.queuePolicy <= QueueOff,
		"WithQueue: unknown policy %d: use QueueDropNewest, QueueDropOldest or QueueOff", o.queuePolicy)
	check(o.queueSize > 0, "WithQueue: size %d: use at least 1; QueueOff keeps nothing while offline", o.queueSize)
	check(o.eventBuffer > 0, "WithEventBuffer(%d): use at least 1", o.eventBuffer)
	check(o.pendingLimit > 0, "WithPendingLimit(%d): use at least 1", o.pendingLimit)
	check(o.readLimit > 0, "WithReadLimit(%d): use at least 1 byte", o.readLimit)
	check(o.requestTimeout > 0, "WithRequestTimeout(%v): use a positive duration", o.requestTimeout)
	check(o.connectTimeout > 0, "WithConnectTimeout(%v): use a positive duration", o.connectTimeout)
	check(o.pingInterval <= 0 || o.pingTimeout > 0, "WithPing: timeout %v: use a positive duration", o.pingTimeout)
	check(o.backoff.Base > 0 && o.backoff.Max >= o.backoff.Base && o.backoff.Stable >= 0,
		"WithBackoff(%+v): Base must be positive, Max at least Base, and Stable not negative", o.backoff)
	check(o.logger != nil, "WithLogger(nil): leave the option out to log nothing")
	check(o.clock != nil, "WithClock(nil): leave the option out to use the system's clock")
	return errors.Join(errs...)
}

// WithToken authenticates with a token that never changes. When the server refuses it, the client stops.
func WithToken(token string) Option {
	return optionFunc(func(o *options) {
		o.token = func(context.Context) (string, error) { return token, nil }
		o.tokenFixed = true
	})
}

// WithTokenSource calls source before each attempt to connect, for a token that is valid then. An error fails Dial; later
// it is reported to OnError and tried again with backoff. source should heed ctx: one that does not keeps its goroutine,
// though the client no longer waits for it. An empty token sends none.
func WithTokenSource(source func(ctx context.Context) (string, error)) Option {
	return optionFunc(func(o *options) { o.token, o.tokenFixed = source, false })
}

// WithTokenPlacement says where the token stands in the handshake; TokenInHeader unless given.
func WithTokenPlacement(p TokenPlacement) Option {
	return optionFunc(func(o *options) { o.tokenPlacement = p })
}

// WithHTTPClient makes the handshake with h: its transport, proxy, TLS settings, cookies. http.DefaultClient unless given.
func WithHTTPClient(h *http.Client) Option { return optionFunc(func(o *options) { o.httpClient = h }) }

// WithHeader adds header to every handshake. Used twice, the headers of both are sent.
func WithHeader(header http.Header) Option {
	return optionFunc(func(o *options) {
		if o.header == nil {
			o.header = http.Header{}
		}
		for key, values := range header {
			for _, v := range values {
				o.header.Add(key, v)
			}
		}
	})
}

// WithConnectTimeout bounds each attempt to connect, the token source included; 30 s unless given.
func WithConnectTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.connectTimeout = d })
}

// WithBackoff sets the wait between attempts to connect again. Zero fields mean the defaults.
func WithBackoff(b Backoff) Option {
	return optionFunc(func(o *options) {
		d := defaultOptions().backoff
		if b.Base == 0 {
			b.Base = d.Base
		}
		if b.Max == 0 {
			b.Max = max(d.Max, b.Base)
		}
		if b.Stable == 0 {
			b.Stable = d.Stable
		}
		o.backoff = b
	})
}

// WithoutReconnect makes the client stop when its connection is lost.
func WithoutReconnect() Option { return optionFunc(func(o *options) { o.reconnect = false }) }

// WithQueue bounds the frames that wait to be written, and says what becomes of those that find no room; 1000 frames and
// QueueDropNewest unless given.
func WithQueue(size int, policy QueuePolicy) Option {
	return optionFunc(func(o *options) { o.queueSize, o.queuePolicy = size, policy })
}

// WithEventBuffer bounds the messages that wait for their callback; 256 unless given. When they are that many, the client
// stops reading until a callback returns, so that the server notices a slow reader. While a Call waits for its reply the
// client goes on reading up to eight times the bound, so that a callback may call.
func WithEventBuffer(n int) Option { return optionFunc(func(o *options) { o.eventBuffer = n }) }

// WithRequestTimeout bounds the requests for which the schema sets no timeout; 30 s unless given. The time runs from the
// moment in which the request is sent.
func WithRequestTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.requestTimeout = d })
}

// WithPendingLimit bounds the calls that wait at the same time; 1000 unless given. Further ones get ErrTooManyCalls.
func WithPendingLimit(n int) Option { return optionFunc(func(o *options) { o.pendingLimit = n }) }

// WithReadLimit bounds a message of the server, in bytes; 16 MiB unless given. A larger one stops the client.
func WithReadLimit(n int64) Option { return optionFunc(func(o *options) { o.readLimit = n }) }

// WithPing sets how often a quiet connection is pinged, and how long the server may take to answer before the connection
// counts as lost; 25 s and 10 s unless given. An interval of 0 sends no pings.
func WithPing(interval, timeout time.Duration) Option {
	return optionFunc(func(o *options) { o.pingInterval, o.pingTimeout = interval, timeout })
}

// WithOnState calls f when the state changes to Open, Reconnecting or Closed. err says why, as Err does for Closed; it is
// nil for Open. Like all callbacks it runs in its turn among the events.
func WithOnState(f func(s State, err error)) Option {
	return optionFunc(func(o *options) { o.onState = f })
}

// WithOnGap calls f when the client has missed messages of a room that the server cannot send any more, or is no member of
// the room any more: what it shows of the room has to be read again, or the room joined again. Only rooms of a schema with
// sharding.history report this. Like all callbacks it runs in its turn among the events: what came before the gap comes
// before it. Without it gaps are logged.
func WithOnGap(f func(g Gap)) Option { return optionFunc(func(o *options) { o.onGap = f }) }

// WithOnUnknown calls f for messages whose type the schema does not have, which a newer server may send. frame is the
// whole frame; f may keep it.
func WithOnUnknown(f func(name string, frame []byte)) Option {
	return optionFunc(func(o *options) { o.onUnknown = f })
}

// WithOnError calls f for what has no caller to return it to: an ERROR of the server (as *runtime.Error or the generated
// type), a frame that cannot be read, a frame dropped from the queue, a failed attempt to connect again, a *PanicError of
// a callback. Without it they are
// logged.
func WithOnError(f func(err error)) Option { return optionFunc(func(o *options) { o.onError = f }) }

// WithLogger logs to l; nothing is logged unless given. Payloads and tokens are never logged. The handler of l must not call
// the client.
func WithLogger(l *slog.Logger) Option { return optionFunc(func(o *options) { o.logger = l }) }

// WithClock replaces the system's clock, for tests.
func WithClock(c clock.Clock) Option { return optionFunc(func(o *options) { o.clock = c }) }
