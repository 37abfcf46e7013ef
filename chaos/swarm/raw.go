package swarm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// topic is the one of a room.
func topic(room string) string { return "room:" + room }

// client speaks the extended profile in raw frames.
type client struct {
	swarm  *Swarm
	name   string
	rooms  []string
	random *rand.Rand // of the writer
	first  int        // node

	mu      sync.Mutex
	session string // that it has, or will ask for
	seats   map[string]*seat
	conn    *connection // nil: none
}

// seat is what the client knows of its membership in a room.
type seat struct {
	member    bool
	asked     time.Time // to be one; zero: it has not
	numbering string
	seq       uint64
}

// connection is one of a client.
type connection struct {
	*websocket.Conn
	name    string
	resumes int             // rooms without an answer to the request to be a member again
	pending map[string]bool // requests, by their id
	sent    int
}

// pendingMost is how many requests a client leaves without an answer before it waits.
const pendingMost = 16

func (c *client) run(ctx context.Context) {
	c.seats = make(map[string]*seat)
	for _, room := range c.rooms {
		c.seats[room] = &seat{}
	}
	addr := c.swarm.cfg.Nodes[c.first%len(c.swarm.cfg.Nodes)]
	for k := 1; ctx.Err() == nil; k++ {
		c.connect(ctx, k, addr)
		if !sleep(ctx, time.Duration(100+rand.IntN(400))*time.Millisecond) {
			return
		}
		addr = c.swarm.node(rand.New(rand.NewPCG(rand.Uint64(), 0)))
	}
}

// connect opens a connection and serves it until it ends.
func (c *client) connect(ctx context.Context, k int, addr string) {
	dial, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(dial, "ws://"+addr+"/?access_token="+c.name, &websocket.DialOptions{Subprotocols: []string{"wsgen.v1"}})
	if err != nil {
		return
	}
	ws.SetReadLimit(-1)
	conn := &connection{Conn: ws, name: fmt.Sprintf("%s#%d@%s", c.name, k, addr), pending: make(map[string]bool)}
	over, end := context.WithCancel(ctx)
	var writer sync.WaitGroup
	err = c.read(over, conn, func() { writer.Go(func() { c.write(over, conn) }) })
	c.mu.Lock()
	c.conn = nil
	c.mu.Unlock()
	end()
	_ = ws.CloseNow()
	writer.Wait()
	c.add(conn, clustercheck.Record{Kind: clustercheck.End, Note: err.Error()})
}

func (c *client) add(conn *connection, r clustercheck.Record) {
	r.Client, r.Conn = c.name, conn.name
	c.swarm.cfg.Log.Add(r)
}

// read takes frames until the connection ends. Its first one is a session; opened is called after that.
func (c *client) read(ctx context.Context, conn *connection, opened func()) error {
	for begun := false; ; {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		if f.Type == "$ws:session" && !begun {
			begun = true
			if err := c.begin(ctx, conn, &f); err != nil {
				return err
			}
			opened()
			continue
		}
		c.take(conn, &f)
	}
}

// begin asks for the rooms that the client was in before.
func (c *client) begin(ctx context.Context, conn *connection, f *frame) error {
	c.mu.Lock()
	var rooms []string
	for room, s := range c.seats {
		if s.asked = (time.Time{}); s.member {
			rooms = append(rooms, fmt.Sprintf("%q:{%q:%q,%q:%d}", topic(room), "epoch", s.numbering, "seq", s.seq))
			c.add(conn, clustercheck.Record{Kind: clustercheck.Resume, Room: room, Numbering: s.numbering, Seq: s.seq})
		}
		s.member = false
	}
	conn.resumes = len(rooms)
	if c.session == "" || len(rooms) == 0 {
		c.session = f.Payload.Session
	}
	session := c.session
	c.conn = conn
	c.mu.Unlock()
	if len(rooms) == 0 {
		return nil
	}
	return conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"$ws:resume","payload":{"session":%q,"rooms":{%s}}}`,
		session, strings.Join(rooms, ",")))
}

// frame is what a frame of the server may have.
type frame struct {
	Type string
	Meta struct {
		CorrelationID string `json:"correlationId"`
		Room          string
		Seq           uint64
	}
	Payload struct {
		Session      string
		Epoch        any // a number, or the name of a numbering
		Seq          uint64
		RoomID       string `json:"roomId"`
		Reason, Code string
		Message      string
		Retryable    bool
		MaybeApplied *bool `json:"maybeApplied"`
	}
}

func (f *frame) epoch() uint64 {
	n, _ := f.Payload.Epoch.(float64)
	return uint64(n)
}

func (f *frame) room() string { return strings.TrimPrefix(f.Meta.Room, "room:") }

// take writes a frame down, and learns from it.
func (c *client) take(conn *connection, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := clustercheck.Record{Room: f.room(), Seq: f.Payload.Seq}
	r.Numbering, _ = f.Payload.Epoch.(string)
	s := c.seats[r.Room]
	if s == nil {
		s = &seat{} // of a frame without a room
	}
	switch f.Type {
	case "$ws:session":
		c.session = f.Payload.Session
		return
	case "$ws:joined", "$ws:gap":
		if r.Kind = clustercheck.Joined; f.Type == "$ws:gap" {
			r.Kind, r.Note = clustercheck.Gap, f.Payload.Reason
		}
		*s = seat{member: true, numbering: r.Numbering, seq: r.Seq}
		conn.resumes--
	case "$ws:left":
		r.Kind, r.Note, r.Seq = clustercheck.Left, f.Payload.Code, 0
		*s = seat{}
		conn.resumes--
	case "$ws:seq":
		r.Kind, r.Seq = clustercheck.Position, f.Meta.Seq
		s.seq = max(s.seq, r.Seq)
	case "SAID", "HINT":
		r = clustercheck.Record{Kind: clustercheck.Cast, Room: f.Payload.RoomID, Epoch: f.epoch(), Seq: f.Meta.Seq}
		s.seq = max(s.seq, r.Seq)
	case "ASK_RESPONSE":
		r = clustercheck.Record{Kind: clustercheck.Answer, ID: f.Meta.CorrelationID, Epoch: f.epoch()}
	case "RPC_ERROR":
		r = clustercheck.Record{Kind: clustercheck.Answer, ID: f.Meta.CorrelationID, Code: f.Payload.Code, Maybe: f.maybe(),
			Note: fmt.Sprintf("retryable=%v %s", f.Payload.Retryable, f.Payload.Message)}
	case "ERROR":
		r = clustercheck.Record{Kind: "error", Code: f.Payload.Code, Maybe: f.maybe(), Note: f.Payload.Message}
	default:
		return
	}
	if r.Kind == clustercheck.Answer {
		delete(conn.pending, r.ID)
		r.Room, _, _ = strings.Cut(r.ID, "/")
	}
	c.add(conn, r)
}

// maybe says what an error tells of its message.
func (f *frame) maybe() string {
	switch m := f.Payload.MaybeApplied; {
	case m == nil:
		return ""
	case *m:
		return clustercheck.Applied
	}
	return clustercheck.NotApplied
}

// joinAgain is the time after which a client asks again to be a member.
const joinAgain = 3 * time.Second

// write sends messages until the connection ends.
func (c *client) write(ctx context.Context, conn *connection) {
	for ctx.Err() == nil {
		if !sleep(ctx, c.swarm.pause(c.random)) {
			return
		}
		text := c.next(conn)
		if text == nil {
			continue
		}
		if err := conn.Write(ctx, websocket.MessageText, text); err != nil {
			return // the reader is told, too
		}
	}
}

// next returns the next message, which is written down; nil: none.
func (c *client) next(conn *connection) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.resumes > 0 || len(conn.pending) >= pendingMost {
		return nil
	}
	for _, room := range c.rooms {
		if s := c.seats[room]; !s.member && time.Since(s.asked) > joinAgain {
			s.asked = time.Now()
			return fmt.Appendf(nil, `{"type":"JOIN","payload":{"roomId":%q}}`, room)
		}
	}
	room := c.rooms[c.random.IntN(len(c.rooms))]
	if !c.seats[room].member || c.swarm.listens(conn.name) {
		return nil
	}
	conn.sent++
	id := fmt.Sprintf("%s/%s/%d", room, conn.name, conn.sent)
	ask := c.random.IntN(10) < 7
	c.add(conn, clustercheck.Record{Kind: clustercheck.Send, Room: room, ID: id, Request: ask})
	if ask {
		conn.pending[id] = true
		return fmt.Appendf(nil, `{"type":"ASK","meta":{"correlationId":%q},"payload":{"roomId":%q,"id":%q}}`, id, room, id)
	}
	return fmt.Appendf(nil, `{"type":"SAY","payload":{"roomId":%q,"id":%q,"hint":%v,"others":%v}}`, room, id,
		c.random.IntN(2) == 0, c.random.IntN(4) == 0)
}

// settled reports whether the client is in all of its rooms and waits for nothing, or says what it lacks.
func (c *client) settled() (what string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.conn == nil:
		return "is not connected", false
	case c.conn.resumes > 0:
		return "has no answer to its resume on " + c.conn.name, false
	case len(c.conn.pending) > 0:
		return "has a request without an answer on " + c.conn.name, false
	}
	for room, s := range c.seats {
		if !s.member {
			return "is not in " + room + " on " + c.conn.name, false
		}
	}
	return "", true
}
