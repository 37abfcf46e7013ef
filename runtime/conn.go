package runtime

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/actor"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/ratelimit"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// CloseCode is why a connection was closed, as RFC 6455 and this protocol number it.
type CloseCode int

// The close codes that a server sends.
const (
	CloseNormal          CloseCode = 1000
	CloseGoingAway       CloseCode = 1001
	CloseUnsupported     CloseCode = 1003
	CloseInvalidUTF8     CloseCode = 1007
	ClosePolicy          CloseCode = 1008
	CloseTooBig          CloseCode = 1009
	CloseInternal        CloseCode = 1011
	CloseTryLater        CloseCode = 1013
	CloseUnauthenticated CloseCode = 4401
	CloseForbidden       CloseCode = 4403
	CloseReplaced        CloseCode = 4409 // the client has another connection by now

	// CloseRestart tells the client to come back, after retry=<ms> of the reason.
	CloseRestart = 1012
)

// Conn is a connection. It is a handle: its methods are safe for concurrent use, and do nothing once it has ended.
type Conn struct {
	srv      *Server
	id       [16]byte // a UUID
	identity atomic.Pointer[identity]
	ticket   *ticket
	sock     *socket.Socket
	member   *hub.Member
	remote   *remote // of a connection whose socket is on another node; nil: it is here, with ticket, sock and member
	handle   any
	ctx      context.Context
	cancel   context.CancelCauseFunc

	urlRoom string // key of ?room=

	// mail is handled by ConnHandler. gate, which the reader makes when it is wanted, is where a message waits that cannot
	// be routed yet, and all behind it.
	mail actor.Mailbox[*inbound]
	gate *actor.Mailbox[*inbound]

	mu       sync.Mutex
	routed   *sync.Cond       // signalled when a message to a room is done, and at the end; nil: nobody waited yet
	rooms    []seat           // that it is in, in the order of joining
	inflight []inflight       // messages that wait or run, by room
	requests []*request       // that have no answer yet
	alarm    clock.Timer      // of their deadlines; nil: there were none
	alarmAt  int64            // UnixNano; 0: it is not set
	pending  int32            // messages that wait or run
	stall    *stall           // of the reader; nil: it never waited
	closing  bool             // no room takes it any more
	leaving  bool             // the server drains: it is closed when nothing is pending
	stranger bool             // expiry is of the time without claims
	v1       bool             // of the extended profile; it does not change
	session  string           // by which the client may come back; empty: not at all
	expiry   clock.Timer      // of the claims, or of the time without any; nil: none
	errors   ratelimit.Bucket // of ERROR frames
	moves    uint32           // changes of rooms

	// These belong to the reader.
	resumed   bool               // the client has asked for its rooms
	lastTopic string             // of a message
	buckets   []ratelimit.Bucket // of messages with a rate of their own
	all       ratelimit.Bucket   // of the schema's rate for all messages
	nuisance  *nuisance          // nil: it has been none
}

// nuisance counts what clients should do seldom.
type nuisance struct {
	invalid    ratelimit.Bucket // messages that are not what the schema allows
	violations ratelimit.Bucket // messages above a rate
	beats      ratelimit.Bucket // heartbeats
}

// noted returns what the connection's nuisances are counted in. Most connections never are one.
func (c *Conn) noted() *nuisance {
	if c.nuisance == nil {
		c.nuisance = new(nuisance)
	}
	return c.nuisance
}

func newConn(s *Server, sock *socket.Socket, who *identity, ticket *ticket) *Conn {
	c := &Conn{
		srv: s, id: newID(s.Clock.Now()), ticket: ticket,
		sock: sock, v1: sock.Subprotocol() == subprotocolV1,
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.identity.Store(who)
	c.mail.Init(&s.workers, 0, c.serve) // c.pending bounds both
	c.member = s.hubs.Add(sock)
	c.handle = s.NewConn(c)
	c.holdUntil(who) // which may be over, and then closes it
	return c
}

// newID returns a UUID of version 7 (RFC 9562): it begins with the time, so that ids sort by it.
func newID(now time.Time) (b [16]byte) {
	_, _ = rand.Read(b[6:]) // never fails
	binary.BigEndian.PutUint32(b[:], uint32(now.UnixMilli()>>16))
	binary.BigEndian.PutUint16(b[4:], uint16(now.UnixMilli()))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return b
}

// ID returns the connection's id, a UUID of version 7.
func (c *Conn) ID() string {
	s := hex.EncodeToString(c.id[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// UserID returns the user of the claims; empty for an anonymous connection, or when the claims name none.
func (c *Conn) UserID() string { return c.identity.Load().userID }

// Claims returns what Authenticate returned. It must not be changed; it is nil for an anonymous connection.
func (c *Conn) Claims() any { return c.identity.Load().claims }

// Handle returns the generated type around this connection.
func (c *Conn) Handle() any { return c.handle }

// IP returns the address that Options.ClientIP saw.
func (c *Conn) IP() netip.Addr {
	if c.remote != nil {
		return c.remote.ip
	}
	return c.ticket.ip
}

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.ctx }

// Topics returns the rooms that the connection is in, in the order of joining.
func (c *Conn) Topics() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics()
}

// topics is Topics. c.mu is held.
func (c *Conn) topics() []string {
	topics := make([]string, len(c.rooms))
	for i, r := range c.rooms {
		topics[i] = r.name()
	}
	if c.remote != nil {
		return c.remote.merge(topics)
	}
	return topics
}

// send queues a frame for the connection, behind everything that was sent before from the same place.
func (c *Conn) send(f *socket.Frame) {
	if c.remote != nil {
		c.remote.send(c, f)
		return
	}
	c.member.Send(f)
}

// Send queues a message for this connection. It returns an error when the message is not what the schema allows, and does
// not wait for the connection to take it.
func (c *Conn) Send(t *MessageType, v any) error {
	if err := checkOutgoing(t, v); err != nil {
		return err
	}
	c.send(newFrame(c.srv.protocol.Envelope, t, v, "", 0))
	return nil
}

// Close sends what was queued before, and then ends the connection with a close code. It does not wait for that. A reason
// of more than 123 bytes is cut.
func (c *Conn) Close(code CloseCode, reason string) {
	if c.remote != nil {
		c.remote.close(c, code, reason)
		return
	}
	c.member.Close(int(code), reason)
}

// Leave makes the connection leave a room that it is in: it counts as not joined at once, and the room lets it go, and
// is told with OnLeave, in its turn. It returns at once.
func (c *Conn) Leave(topic string) {
	c.mu.Lock()
	i := c.seatAt(topic)
	if i < 0 {
		c.mu.Unlock()
		if c.remote != nil {
			c.remote.quit(c, topic)
		}
		return
	}
	r := c.rooms[i]
	c.rooms = slices.Delete(c.rooms, i, i+1)
	c.moves++
	c.mu.Unlock()
	r.release(c, Left, nil)
}

// seat is a room that a connection is in: a *Room of this process, or a *branch of one that another node owns.
type seat interface {
	name() string // topic
	of() int      // kind
	// release lets a connection go that does not count itself as a member any more. done, if not nil, is called after that.
	release(c *Conn, cause LeaveCause, done func())
}

// seatAt returns which of the connection's rooms has a topic; -1: none. c.mu is held.
func (c *Conn) seatAt(topic string) int {
	return slices.IndexFunc(c.rooms, func(s seat) bool { return s.name() == topic })
}

// run is the connection's goroutine: it reads until the connection ends.
func (c *Conn) run() {
	s := c.srv
	c.beginSession() // before the program can make it a member
	if s.OnConnect != nil {
		if err := guard(func() error { return s.OnConnect(c.ctx, c) }); err != nil {
			c.rejected(err)
			c.seeOff()
			return
		}
	}
	s.stats.accepted.Add(1)
	var err error
	for {
		var msg []byte
		if msg, err = c.sock.Read(); err != nil {
			break
		}
		if fault := guard(func() error { c.receive(msg); return nil }); fault != nil {
			s.report(c.ctx, c, fault) // of ours: it ends this connection, not the process
			c.Close(CloseInternal, "")
		}
	}
	c.teardown(err)
}

// seeOff ends a connection that was refused after its upgrade, once the peer has seen the code.
func (c *Conn) seeOff() {
	for _, err := c.sock.Read(); err == nil; _, err = c.sock.Read() {
	}
	c.teardown(nil)
}

// rejected closes a connection that OnConnect does not want.
func (c *Conn) rejected(err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		c.srv.report(c.ctx, c, err)
		c.Close(CloseInternal, "")
		return
	}
	code := ClosePolicy
	switch e.code {
	case CodeUnauthenticated:
		code = CloseUnauthenticated
	case CodePermissionDenied:
		code = CloseForbidden
	case CodeResourceExhausted, CodeUnavailable:
		code = CloseTryLater
	}
	c.Close(code, e.message)
}

// teardown lets all rooms go. Joins are refused from here on, so that no room keeps a connection that has ended. A nil cause
// says that it was refused, by OnConnect or because the server drains.
func (c *Conn) teardown(cause error) {
	c.mu.Lock()
	c.closing = true
	rooms := c.rooms
	c.rooms = nil
	requests := slices.Clone(c.requests)
	if c.alarm != nil {
		c.alarm.Stop()
	}
	c.expireAt(time.Time{}, time.Time{}, "")
	c.wakeRouted()
	c.mu.Unlock()

	if cause != nil {
		c.srv.stats.closed(cause)
	}
	c.member.Remove()
	c.cancel(cause)
	for _, r := range requests {
		r.abandon()
	}
	var left sync.WaitGroup
	for _, r := range rooms {
		left.Add(1)
		r.release(c, Disconnected, left.Done)
	}
	if c.srv.mesh != nil {
		c.srv.mesh.gone(c)
	}
	if len(rooms) == 0 {
		c.finish(cause)
		return
	}
	go func() { // a room may be busy; the reader's stack is not kept for it
		left.Wait()
		c.finish(cause)
	}()
}

// finish is the last of a connection: all rooms have let it go.
func (c *Conn) finish(cause error) {
	s := c.srv
	c.member.Remove()
	c.cancel(cause)
	if cause != nil && s.OnDisconnect != nil {
		if err := guard(func() error { s.OnDisconnect(c, cause); return nil }); err != nil {
			s.report(context.Background(), c, err)
		}
	}
	c.ticket.release()
	s.unregister(c)
}
