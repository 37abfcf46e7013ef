package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/sharding"
)

// Options are the settings of a server that do not depend on its protocol. The zero value has safe defaults. A generated
// Config embeds them.
type Options struct {
	Shards int           // 0: the schema's
	Hash   sharding.Hash // empty: the schema's
	Idle   time.Duration // how long an empty room stays open; 0: the schema's, negative: for ever
	Limits Limits

	// Unlimited lifts rate limits and the limits of admission and capacity, for load tests. The bounds that protect the
	// process, of message size, queues and mailboxes, stay.
	Unlimited bool

	// Origins are further origins whose pages may connect, beside the server's own: a host such as app.example.com, or an
	// origin such as https://app.example.com. "*.example.com" matches one label. "*" alone is refused.
	Origins []string
	// TokenCookie is the cookie that may hold the token; empty: access_token.
	TokenCookie string
	// ClientIP says where a request comes from; nil: its RemoteAddr. Behind a proxy that you trust, read its header here.
	ClientIP func(r *http.Request) netip.Addr

	// Interceptors run around every handler, the first one outermost.
	Interceptors []Interceptor
	Logger       *slog.Logger // nil: slog.Default()
	Metrics      Metrics      // nil: none
	Clock        clock.Clock  // nil: the system's

	HandshakeTimeout time.Duration // for Authenticate: later the client gets 503; 0: 10s
	PingInterval     time.Duration // 0: 25s; negative: no pings
	PingTimeout      time.Duration // 0: 10s
	// AnonymousTimeout is how long a connection without claims may stay, where the protocol has messages that need claims,
	// unless it shows a token before: then it is closed with 4401. 0: for ever.
	AnonymousTimeout time.Duration
	// MessageTimeout is how long a message may take from its first byte to its last: a client that takes longer is closed
	// with 1008. 0: 10s for each 64 KiB that a message may have; negative: for ever.
	MessageTimeout time.Duration
	// DrainDelay is how long a server that drains still takes connections, so that balancers see that it is not ready; 0:
	// not at all.
	DrainDelay time.Duration
	// DrainSpread is the time over which connections are closed when the server drains, or told to go to another node in a
	// cluster; 0: 5s; negative: they are closed at once, which tests with a clock of their own want.
	DrainSpread time.Duration
	// Store keeps rooms that are closed: those whose handlers are Snapshotters, and the history of any. Nil keeps nothing.
	Store Store
	// SnapshotEvery is how often rooms that were used are saved while they are open; 0: the schema's, negative: only when
	// they close.
	SnapshotEvery time.Duration
	// Cluster makes the server a node of a cluster: any node takes any connection, and each room runs on one node at a time. Nil:
	// all rooms run here. In a cluster Store, if there is one, is the same for all nodes; without one, rooms are kept in the
	// cluster's own snapshots. Shards and Hash do not count: the cluster's slots are the shards.
	Cluster *cluster.Config
	// PublishTimeout is how long Publish, and Federate for each of its topics, wait for a room on another node of a cluster, or
	// for one that has just moved; 0: 5s.
	PublishTimeout time.Duration
	// Hubs is the number of loops that write to sockets; 0: one for every 8 cores. Each writes on all cores when it has much
	// to write.
	Hubs int
	// UnpreparedFrames writes every message through coder/websocket instead of as a prepared frame. The bytes are the same;
	// it is there to rule the prepared path out when looking for a fault.
	UnpreparedFrames bool
}

// Limits bound what clients can use up. For each, 0 takes the schema's value or the default, and a negative number is no
// limit. A limit that is hit is told to the client that hit it.
type Limits struct {
	MessageBytes   int // of a frame; 64 KiB. Larger frames close the connection with 1009. It cannot be lifted
	Connections    int // of the server; none. More are refused with 503
	PerIP          int // connections; none. More are refused with 429. IPv6 counts by /64
	PerUser        int // connections; none. More are refused with 429
	Handshakes     int // per second; none. More are refused with 503
	HandshakesIP   int // per minute and address; none. More are refused with 429. IPv6 counts by /64
	PerShard       int // connections that are in rooms of a shard; none. Joins answer SHARD_FULL
	Rooms          int // per shard; none. Messages for new rooms answer SHARD_ROOMS
	RoomMembers    int // none. Joins answer ROOM_FULL
	RoomsPerConn   int // 100. Joins answer TOO_MANY_ROOMS
	Pending        int // messages of a connection that wait or run; 64. More wait for PendingWait, or answer RESOURCE_EXHAUSTED
	Mailbox        int // messages that wait for a room; 1024. More answer RESOURCE_EXHAUSTED. It cannot be lifted
	Invalid        int // invalid messages per minute; 100. More close the connection with 1008
	RateViolations int // messages per minute above a rate; 1000. More close the connection with 1008

	// PendingWait is how long an event that is above Pending waits for room before it is answered with RESOURCE_EXHAUSTED. Nothing
	// is read from its connection meanwhile. 0: 5s; negative: events do not wait.
	PendingWait time.Duration

	QueueBytes  int           // that wait for a reader; 1 MiB. A slower reader is closed with 1013
	QueueFrames int           // 4096
	QueueAge    time.Duration // of the oldest frame; 5s
}

// ServerConfig is what a generated NewServer passes on.
type ServerConfig struct {
	Options

	// Authenticate returns a pointer to the generated claims, or an error for 401; an *Error says with its text why, and with the code
	// PERMISSION_DENIED it is 403, with UNAVAILABLE or RESOURCE_EXHAUSTED 503. It is required. (nil, nil) admits an
	// anonymous connection if the protocol has messages for those.
	Authenticate func(r *http.Request, token string) (any, error)
	// Reauthenticate returns the claims of a token that a connection shows later, before its claims expire; they are of the
	// same user, or of any when the connection was anonymous. Nil refuses such tokens. A connection may show 10 in a minute.
	Reauthenticate func(ctx context.Context, c *Conn, token string) (any, error)
	// Authorize is asked for every message before its handler, and for every join. Nil allows all that the schema allows.
	Authorize func(ctx context.Context, c *Conn, op *Op) error
	Conn      any // the handler of messages outside rooms
	// OpenRoom makes the handler of a room, one function per room kind of the protocol.
	OpenRoom []func(ctx context.Context, r *Room) (any, error)
	// OnLeave and OnClose call the optional methods of a room's handler. They may be nil.
	OnLeave func(ctx context.Context, handler any, c *Conn, cause LeaveCause)
	// OnResume calls the optional method of a room's handler. It may be nil.
	OnResume func(ctx context.Context, handler any, c *Conn) error

	OnConnect    func(ctx context.Context, c *Conn) error
	OnDisconnect func(c *Conn, cause error)
	OnError      func(ctx context.Context, c *Conn, err error)

	// NewConn and NewRoom make the typed handles that generated code gives to handlers.
	NewConn func(c *Conn) any
	NewRoom func(r *Room) any
}

// OpKind says what Authorize is asked about.
type OpKind int

// The operations.
const (
	OpMessage OpKind = iota // a message, before its handler runs
	OpJoin                  // a join, before the connection becomes a member
	OpResume                // a client that comes back, before it becomes a member again
)

// Op is what a connection wants to do.
type Op struct {
	Kind    OpKind
	Message string // type of the message; empty for a join and a resume
	Msg     any    // pointer to the generated type; nil for a join and a resume
	Topic   string // of the room; empty outside rooms
}

// HandlerFunc runs the handler of a message. It returns a pointer to the response of a request, and nil for an event.
type HandlerFunc func(ctx context.Context, call *Call) (any, error)

// Interceptor wraps handlers. It runs in the turn of the room, or of the connection, that the message belongs to.
type Interceptor func(next HandlerFunc) HandlerFunc

// LeaveCause says why a member left a room other than by Room.Leave.
type LeaveCause int

// The causes.
const (
	Disconnected LeaveCause = iota // its connection ended
	Kicked                         // Room.Kick
	Left                           // Conn.Leave
)

// String returns the cause in one word.
func (c LeaveCause) String() string {
	return [...]string{"disconnected", "kicked", "left"}[c]
}

// AuthenticateFunc adapts a function that returns typed claims. It keeps nil claims a nil.
func AuthenticateFunc[T any](f func(r *http.Request, token string) (*T, error)) func(r *http.Request, token string) (any, error) {
	if f == nil {
		return nil
	}
	return func(r *http.Request, token string) (any, error) {
		return ClaimsOf(f(r, token))
	}
}

// ClaimsOf keeps nil claims a nil.
func ClaimsOf[T any](claims *T, err error) (any, error) {
	if claims == nil || err != nil {
		return nil, err
	}
	return claims, nil
}

// settings are the options with all defaults applied.
type settings struct {
	ServerConfig
	shards int
	hash   sharding.Hash
	idle   time.Duration

	saveEvery time.Duration // 0: rooms are saved only when they close
}

func (cfg ServerConfig) resolve(p *Protocol) (*settings, error) {
	s := &settings{ServerConfig: cfg, shards: max(p.Sharding.Shards, 1), hash: p.Sharding.Hash, idle: p.Sharding.Idle}
	if cfg.Shards != 0 {
		s.shards = cfg.Shards
	}
	if cfg.Hash != "" {
		s.hash = cfg.Hash
	}
	if s.hash == "" {
		s.hash = sharding.Rendezvous
	}
	if s.Cluster != nil {
		s.shards = s.Cluster.SlotCount()
	}
	s.idle = or(cfg.Idle, or(s.idle, time.Minute))
	s.saveEvery = max(or(cfg.SnapshotEvery, p.Sharding.SnapshotEvery), 0)
	s.HandshakeTimeout = or(s.HandshakeTimeout, 10*time.Second)
	s.PingInterval = max(or(s.PingInterval, 25*time.Second), 0)
	s.PingTimeout = or(s.PingTimeout, 10*time.Second)
	s.PublishTimeout = or(s.PublishTimeout, 5*time.Second)
	s.DrainSpread = max(or(s.DrainSpread, 5*time.Second), 0)
	s.TokenCookie = or(s.TokenCookie, "access_token")
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.Clock == nil {
		s.Clock = clock.Real{}
	}
	if s.ClientIP == nil {
		s.ClientIP = remoteIP
	}
	s.Limits = s.Limits.resolve(p, s.Unlimited)
	s.AnonymousTimeout = max(s.AnonymousTimeout, 0)
	s.MessageTimeout = max(or(s.MessageTimeout, 10*time.Second*time.Duration((s.Limits.MessageBytes+64<<10-1)/(64<<10))), 0)
	return s, s.check(p)
}

// check refuses settings that cannot be meant.
func (s *settings) check(p *Protocol) error {
	if s.Authenticate == nil {
		return errors.New("the config needs Authenticate: return the claims of a connection, or an error to refuse it")
	}
	if err := sharding.Validate(s.hash, s.shards); err != nil {
		return err
	}
	if len(s.OpenRoom) != len(p.Kinds) {
		return fmt.Errorf("%d functions open rooms of %d kinds", len(s.OpenRoom), len(p.Kinds))
	}
	for i, open := range s.OpenRoom {
		if open == nil {
			return fmt.Errorf("nothing opens rooms of the kind %q", p.Kinds[i])
		}
	}
	if p.Sharding.Persistent && s.Store == nil && (s.Cluster == nil || s.Cluster.Backplane == nil || s.Cluster.Backplane.Snapshots == nil) {
		return errors.New("the schema's rooms keep their state: the config needs Store, such as filestore.New(dir)")
	}
	if s.Cluster != nil && p.Claims.Payload == nil {
		return errors.New("a cluster needs the codec of claims, which other nodes are told: generate the package anew")
	}
	if h := p.Sharding.History; h != nil && (h.Bytes > s.Limits.QueueBytes || h.Messages > s.Limits.QueueFrames) {
		return fmt.Errorf("a history of %d messages and %d bytes does not fit into the queue of a connection: set Limits.QueueFrames and QueueBytes to at least that", h.Messages, h.Bytes)
	}
	for _, m := range p.Messages {
		if m.FromClient && m.Kind < 0 && s.Conn == nil {
			return fmt.Errorf("the config needs Conn: %s belongs to no room", m.Name)
		}
	}
	for _, o := range s.Origins {
		if o == "" || strings.Trim(o, "*./:") == "" {
			return fmt.Errorf("the origin %q would admit any page: name hosts, such as app.example.com", o)
		}
	}
	return nil
}

// resolve applies the schema's limits and the defaults. No limit is 0 in the result.
func (l Limits) resolve(p *Protocol, unlimited bool) Limits {
	l.MessageBytes = positive(l.MessageBytes, p.maxBytes())
	l.Mailbox = positive(l.Mailbox, 1024)
	l.QueueBytes = positive(l.QueueBytes, 1<<20)
	l.QueueFrames = positive(l.QueueFrames, 4096)
	if l.QueueAge = or(l.QueueAge, 5*time.Second); l.QueueAge < 0 {
		l.QueueAge = 0
	}
	for _, f := range []struct {
		limit    *int
		fallback int
	}{
		{&l.Connections, 0}, {&l.PerIP, 0}, {&l.PerUser, 0}, {&l.Handshakes, 0}, {&l.HandshakesIP, 0}, {&l.PerShard, p.Sharding.Connections}, {&l.Rooms, p.Sharding.Rooms},
		{&l.RoomMembers, p.Sharding.RoomMembers}, {&l.RoomsPerConn, or(p.Sharding.RoomsPerConnection, 100)},
		{&l.Invalid, 100}, {&l.RateViolations, 1000},
	} {
		if *f.limit = max(or(*f.limit, f.fallback), 0); unlimited {
			*f.limit = 0
		}
	}
	l.PendingWait = max(or(l.PendingWait, 5*time.Second), 0)
	l.Pending = max(or(l.Pending, or(p.Limits.Pending, 64)), 0)
	if unlimited {
		l.Pending = max(l.Pending, l.Mailbox)
	}
	return l
}

// maxBytes returns the size of the largest frame that the schema allows.
func (p *Protocol) maxBytes() int {
	largest := or(p.Limits.MaxBytes, 64<<10)
	for _, m := range p.Messages {
		if m.FromClient {
			largest = max(largest, m.MaxBytes)
		}
	}
	return largest
}

// or returns v, or fallback when v is zero.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

func positive(v, fallback int) int {
	if v <= 0 {
		return fallback
	}
	return v
}
