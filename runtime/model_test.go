package runtime_test

// A model of clients that come, go, stall and come back, driven by bytes.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

const (
	modelUsers = 4
	modelRing  = 8  // messages that the room keeps
	modelQueue = 24 // frames that may wait for a client
)

// modelClient is what one user knows, and what must be true of it.
type modelClient struct {
	t    *testing.T
	user string

	// The driver's.
	conn   *wsrt.Conn
	wire   *memoryConn
	member bool
	away   bool   // its connection broke off while it was a member
	from   uint64 // what was published before it became a member

	mu      sync.Mutex
	session string
	epoch   string
	in      bool
	at      uint64
	known   bool   // it has a position
	answer  string // to a resume: the type of the frame
	slow    bool   // its connection was closed, so it may have lost the rest
}

// frame checks what arrives.
func (c *modelClient) frame(payload []byte) {
	if payload[0] != '{' { // a close frame, or a ping
		c.mu.Lock()
		c.slow = true
		c.mu.Unlock()
		return
	}
	f := parseFrame(c.t, payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.Type {
	case "$ws:session":
		c.session = f.Payload.Session
	case "$ws:joined":
		if c.in || c.known && c.answer == "?" && f.Payload.Seq != c.at {
			c.t.Errorf("%s: got %s as a member: %t, at %d", c.user, payload, c.in, c.at)
		}
		c.in, c.known, c.epoch, c.at = true, true, f.Payload.Epoch, f.Payload.Seq
		c.answer = f.Type
	case "$ws:gap":
		c.in, c.known, c.epoch, c.at = true, true, f.Payload.Epoch, f.Payload.Seq
		c.answer = f.Type
	case "$ws:left":
		if !c.in && c.answer != "?" {
			c.t.Errorf("%s: got %s, and is no member", c.user, payload)
		}
		c.in, c.known = false, false
		c.answer = f.Type
	case "$ws:seq", "NEWS":
		if f.Meta.Seq == 0 {
			break // not reliable: it has no number
		}
		if !c.in || f.Meta.Seq != c.at+1 {
			c.t.Errorf("%s: got %s as a member: %t, at %d", c.user, payload, c.in, c.at)
		}
		c.at = f.Meta.Seq
	}
}

// lifecycle runs a program.
type lifecycle struct {
	t         *testing.T
	s         *testServer
	room      *wsrt.Room
	connected chan *wsrt.Conn
	clients   [modelUsers]*modelClient
	published uint64
}

var (
	hint   = &wsrt.MessageType{Name: "HINT", FromServer: true, Payload: bodyPayload("room text"), Kind: -1, Delivery: wsrt.Droppable}
	latest = &wsrt.MessageType{Name: "LATEST", FromServer: true, Payload: bodyPayload("room text"), Kind: -1, Delivery: wsrt.Latest,
		LatestKey: func(any) string { return "" }}
)

func newLifecycle(t *testing.T) *lifecycle {
	l := &lifecycle{t: t, connected: make(chan *wsrt.Conn, 1)}
	rooms := make(chan *wsrt.Room, 1)
	l.s = serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: modelRing, Bytes: 1 << 20, Age: time.Hour}), func(cfg *wsrt.ServerConfig) {
		cfg.PingInterval = -1
		cfg.Limits.QueueFrames, cfg.Limits.QueueAge = modelQueue, -1
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { l.connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
	})
	keeper := l.s.dial("user=keeper") // whose messages keep the room open
	receive(t, l.connected)
	keeper.send(join("a"))
	keeper.next()
	l.published++ // what is said of the keeper
	l.room = receive(t, rooms)
	for i := range l.clients {
		l.clients[i] = &modelClient{t: t, user: fmt.Sprint("u", i)}
	}
	return l
}

// step does what a byte says with a client.
func (l *lifecycle) step(b byte) {
	c := l.clients[int(b>>4)%modelUsers]
	switch b & 15 {
	case 0, 1:
		l.connect(c)
	case 2, 3:
		l.join(c)
	case 4:
		l.leave(c, func() { l.room.Leave(c.conn) })
	case 5:
		l.leave(c, func() { l.room.Kick(c.conn, "out") })
	case 6:
		l.publish(news, c)
	case 7, 8, 9:
		l.publish(news, nil)
	case 10:
		l.publish(hint, nil)
	case 11:
		l.publish(latest, nil)
	case 12:
		if c.wire != nil {
			c.wire.stall(true)
		}
	case 13:
		if c.wire != nil {
			c.wire.stall(false)
		}
	case 14:
		l.disconnect(c)
	case 15:
		l.resume(c)
	}
}

// alive reports whether a client has a connection that the server has not given up.
func (c *modelClient) alive() bool {
	if c.conn == nil {
		return false
	}
	select {
	case <-c.conn.Context().Done():
		return false
	default:
		return true
	}
}

func (l *lifecycle) connect(c *modelClient) {
	if c.conn != nil {
		return
	}
	c.mu.Lock()
	c.slow, c.in, c.answer, c.known = false, false, "", false
	c.mu.Unlock()
	c.away = false
	l.open(c)
}

// open connects, and waits for the session, without which nobody can come back.
func (l *lifecycle) open(c *modelClient) {
	c.mu.Lock()
	c.session = ""
	c.mu.Unlock()
	c.conn, c.wire = connect(l.t, l.s.srv, l.connected, c.user, c.frame)
	eventually(l.t, "there is a session", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.session != ""
	})
}

func (l *lifecycle) join(c *modelClient) {
	if c.conn == nil || c.member {
		return
	}
	if err := l.room.Join(c.conn); err == nil {
		c.member, c.from = true, l.published
	}
}

func (l *lifecycle) leave(c *modelClient, leave func()) {
	if c.member {
		leave()
		c.member = false
	}
}

func (l *lifecycle) publish(t *wsrt.MessageType, except *modelClient) {
	var opts []wsrt.PublishOption
	if except != nil && except.conn != nil {
		opts = append(opts, wsrt.Except(except.conn))
	}
	if err := l.room.Publish(t, &body{RoomID: "a", Text: "x"}, opts...); err != nil {
		l.t.Error(err)
	}
	if t != news {
		return
	}
	l.published++
}

// disconnect breaks the connection of a client off, and waits until the server has noticed.
func (l *lifecycle) disconnect(c *modelClient) {
	if c.conn == nil {
		return
	}
	was := c.member
	c.wire.Close()
	eventually(l.t, "the server notices", func() bool { return !l.room.Has(c.conn) && !c.alive() })
	c.mu.Lock()
	c.in = false
	c.away = was && c.known
	c.mu.Unlock()
	c.conn, c.wire, c.member = nil, nil, false
}

// resume brings a client back. What it missed is sent again if the room still has it all.
func (l *lifecycle) resume(c *modelClient) {
	if c.conn != nil || !c.away {
		return
	}
	c.mu.Lock()
	session, epoch, at := c.session, c.epoch, c.at
	c.slow, c.answer = false, "?"
	c.mu.Unlock()
	l.open(c)
	c.wire.send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:a":{"epoch":%q,"seq":%d}}}}`, session, epoch, at))
	answer := func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.answer
	}
	eventually(l.t, "the resume is answered", func() bool { return answer() != "?" })
	want := "$ws:joined"
	if l.published-at > modelRing || at < c.from { // it does not know of its last join, whose frame was lost
		want, c.from = "$ws:gap", l.published
	}
	if got := answer(); got != want {
		l.t.Errorf("%s: the resume at %d of %d is answered with %s, want %s", c.user, at, l.published, got, want)
	}
	c.member, c.away = l.room.Has(c.conn), false
}

// finish lets all read, and looks at what they have.
func (l *lifecycle) finish() {
	for _, c := range l.clients {
		if c.wire != nil {
			c.wire.stall(false)
		}
	}
	for _, c := range l.clients {
		if c.conn == nil {
			continue
		}
		eventually(l.t, c.user+" has everything, or was too slow", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.slow || c.in == c.member && (!c.member || c.at == l.published)
		})
		if c.alive() && l.room.Has(c.conn) != c.member {
			l.t.Errorf("%s is a member: %t, want %t", c.user, l.room.Has(c.conn), c.member)
		}
		c.wire.Close()
	}
	// That all is gone in the end is checked when the server is drained.
}

func runLifecycle(t *testing.T, program []byte) {
	l := newLifecycle(t)
	for _, b := range program {
		l.step(b)
	}
	l.finish()
}

// FuzzLifecycle runs programs of any bytes. The high half of a byte says who, the low half what.
func FuzzLifecycle(f *testing.F) {
	f.Add([]byte{0x00, 0x02, 0x07, 0x0e, 0x07, 0x0f, 0x07})
	f.Add([]byte{0x00, 0x02, 0x0c, 0x07, 0x07, 0x0a, 0x0b, 0x0d, 0x04, 0x07, 0x02})
	f.Fuzz(func(t *testing.T, program []byte) {
		runLifecycle(t, program[:min(len(program), 300)])
	})
}

// TestLifecycle runs programs of a fixed seed.
func TestLifecycle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		program := make([]byte, 20+r.IntN(200))
		for j := range program {
			program[j] = byte(r.Uint32())
		}
		if !t.Run(fmt.Sprint(i), func(t *testing.T) { runLifecycle(t, program) }) {
			t.Fatalf("the program was %q", program)
		}
	}
}
