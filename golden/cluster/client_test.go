package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// client is a user with one connection at a time, which comes back with its session when that breaks.
type client struct {
	m      *model
	name   string
	random *rand.Rand
	at     string // node of the connection

	mu      sync.Mutex
	conn    *websocket.Conn // nil: none
	id      string          // of the connection
	conns   int
	sent    int
	ended   chan struct{} // closed when the connection's reader has
	session string
	began   chan struct{} // closed when the connection has its session
	seats   map[string]*seat
	asked   map[string]string // rooms of requests without an answer, by id
	counted chan<- censusAnswer
}

// seat is a room that the client takes itself for a member of.
type seat struct {
	numbering string
	seq       uint64
}

// frame is what a server sends.
type frame struct {
	Type string
	Meta struct {
		Room, CorrelationID string
		Seq                 uint64
	}
	Payload struct {
		Session, Epoch, Code, ID, RoomID, Reason string
		Seq, N                                   uint64
		MaybeApplied                             *bool
	}
}

// said is a message of a room: its epoch is that of the slot.
type said struct {
	Payload struct {
		RoomID, ID string
		Epoch, N   uint64
		Members    []string
	}
}

func newClient(m *model, name string, seed uint64) *client {
	return &client{m: m, name: name, random: rand.New(rand.NewPCG(seed, 7)), seats: make(map[string]*seat), asked: make(map[string]string)}
}

// live does what users do, until the model wants no more.
func (c *client) live(ctx context.Context) {
	for ctx.Err() == nil {
		if c.connected() {
			c.act()
		} else {
			c.connect()
		}
		pause(ctx, time.Duration(c.random.IntN(500))*time.Millisecond)
	}
}

// pause waits, less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (c *client) connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn != nil
}

// connect opens a connection to some node, and asks for the rooms in which the client was.
func (c *client) connect() {
	if n := c.m.pick(c.random, c.at); n != nil {
		c.connectTo(n)
	}
}

func (c *client) connectTo(n *node) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, n.http.URL()+"/?access_token="+c.name,
		&websocket.DialOptions{HTTPClient: n.http.Client(), Subprotocols: []string{"wsgen.v1"}})
	if err != nil {
		return
	}
	conn.SetReadLimit(-1)
	c.mu.Lock()
	c.conns++
	c.conn, c.id, c.at, c.sent = conn, fmt.Sprintf("%s.%d", c.name, c.conns), n.name, 0
	c.ended, c.began = make(chan struct{}), make(chan struct{})
	began, ended, old := c.began, c.ended, c.session
	c.log(clustercheck.Record{Kind: "dial", Other: n.run})
	c.mu.Unlock()
	go c.read(conn, ended)
	select {
	case <-began:
	case <-ended:
		return
	}
	if old != "" && len(c.seats) > 0 {
		c.resume(conn, old)
	}
}

// resume asks for the rooms of an earlier connection.
func (c *client) resume(conn *websocket.Conn, session string) {
	c.mu.Lock()
	var rooms []string
	for room, s := range c.seats {
		rooms = append(rooms, fmt.Sprintf(`"room:%s":{"epoch":%q,"seq":%d}`, room, s.numbering, s.seq))
		c.log(clustercheck.Record{Kind: clustercheck.Resume, Room: room, Numbering: s.numbering, Seq: s.seq})
	}
	c.mu.Unlock()
	c.write(conn, fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{%s}}}`, session, strings.Join(rooms, ",")))
}

func (c *client) write(conn *websocket.Conn, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Write(ctx, websocket.MessageText, []byte(text)) // the reader sees that the connection is over
}

// act does one thing.
func (c *client) act() {
	c.mu.Lock()
	conn := c.conn
	room := rooms[c.random.IntN(len(rooms))]
	if c.random.IntN(5) > 0 { // rather one that it is in
		for r := range c.seats {
			room = r
			break
		}
	}
	in := len(c.seats)
	c.mu.Unlock()
	if conn == nil {
		return
	}
	switch dice := c.random.IntN(100); {
	case dice < 12 && in < 4 || in == 0 && dice < 50:
		c.write(conn, fmt.Sprintf(`{"type":"JOIN","payload":{"roomId":%q}}`, rooms[c.random.IntN(len(rooms))]))
	case dice < 16:
		c.write(conn, fmt.Sprintf(`{"type":"LEAVE","payload":{"roomId":%q}}`, room))
	case dice < 18:
		c.leave()
	case dice < 60:
		c.say(conn, room, c.random.IntN(3) == 0, c.random.IntN(4) == 0)
	default:
		c.ask(conn, room)
	}
}

// leave breaks the connection off.
func (c *client) leave() {
	c.mu.Lock()
	conn, ended := c.conn, c.ended
	c.mu.Unlock()
	if conn != nil {
		_ = conn.CloseNow()
		<-ended
	}
}

// next logs a message that is about to be sent, and returns its id. c.mu is not held.
func (c *client) next(room string, request bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	id := fmt.Sprintf("%s.%d", c.id, c.sent)
	if request {
		c.asked[id] = room
	}
	c.log(clustercheck.Record{Kind: clustercheck.Send, Room: room, ID: id, Request: request})
	return id
}

func (c *client) say(conn *websocket.Conn, room string, hint, others bool) {
	c.write(conn, fmt.Sprintf(`{"type":"SAY","payload":{"roomId":%q,"id":%q,"hint":%t,"others":%t}}`, room, c.next(room, false), hint, others))
}

func (c *client) ask(conn *websocket.Conn, room string) {
	id := c.next(room, true)
	c.write(conn, fmt.Sprintf(`{"type":"ASK","meta":{"correlationId":%q},"payload":{"roomId":%q,"id":%q}}`, id, room, id))
}

// log writes down what the client does and sees. c.mu is held.
func (c *client) log(r clustercheck.Record) {
	r.Client, r.Conn = c.name, c.id
	c.m.log(r)
}

// read takes what comes until the connection ends.
func (c *client) read(conn *websocket.Conn, ended chan struct{}) {
	defer close(ended)
	defer func() { _ = conn.CloseNow() }()
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			c.mu.Lock()
			note := "cut"
			if e, ok := errors.AsType[websocket.CloseError](err); ok {
				note = e.Error()
			}
			c.log(clustercheck.Record{Kind: clustercheck.End, Note: note})
			c.conn = nil
			clear(c.asked)
			c.mu.Unlock()
			return
		}
		c.take(data)
	}
}

// take takes one frame.
func (c *client) take(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var head struct{ Type string }
	_ = json.Unmarshal(data, &head)
	if head.Type == "SAID" || head.Type == "HINT" || head.Type == "ASK_RESPONSE" || head.Type == "CENSUS_RESPONSE" {
		c.takeEffect(head.Type, data)
		return
	}
	if head.Type == "$ws:presence" {
		return
	}
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		c.m.t.Errorf("%s: %v", data, err)
		return
	}
	room := strings.TrimPrefix(f.Meta.Room, "room:")
	switch f.Type {
	case "$ws:session":
		if c.session == "" || !isClosed(c.began) {
			c.session = f.Payload.Session
			close(c.began)
		} else {
			c.session = f.Payload.Session
		}
	case "$ws:joined", "$ws:gap":
		c.seats[room] = &seat{f.Payload.Epoch, f.Payload.Seq}
		c.log(clustercheck.Record{Kind: strings.TrimPrefix(f.Type, "$ws:"), Room: room, Numbering: f.Payload.Epoch, Seq: f.Payload.Seq,
			Note: f.Payload.Reason})
	case "$ws:seq":
		c.move(room, f.Meta.Seq)
		c.log(clustercheck.Record{Kind: clustercheck.Position, Room: room, Seq: f.Meta.Seq})
	case "$ws:left":
		delete(c.seats, room)
		c.log(clustercheck.Record{Kind: clustercheck.Left, Room: room, Note: f.Payload.Code})
	case "RPC_ERROR":
		id := f.Meta.CorrelationID
		if id == "census" {
			c.counted <- censusAnswer{code: f.Payload.Code}
			return
		}
		r := clustercheck.Record{Kind: clustercheck.Answer, Room: c.asked[id], ID: id, Code: f.Payload.Code}
		if maybe := f.Payload.MaybeApplied; maybe != nil && *maybe {
			r.Maybe = clustercheck.Applied
		} else if maybe != nil {
			r.Maybe = clustercheck.NotApplied
		}
		c.log(r)
	case "ERROR":
		c.log(clustercheck.Record{Kind: "error", Code: f.Payload.Code})
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// move notes how far the client has come in a room.
func (c *client) move(room string, seq uint64) {
	if s := c.seats[room]; s != nil {
		s.seq = max(s.seq, seq)
	}
}

// takeEffect takes what a room's handler has sent.
func (c *client) takeEffect(name string, data []byte) {
	var head struct {
		Meta struct {
			CorrelationID string
			Seq           uint64
		}
	}
	var m said
	if err := errors.Join(json.Unmarshal(data, &head), json.Unmarshal(data, &m)); err != nil {
		c.m.t.Errorf("%s: %v", data, err)
		return
	}
	p := &m.Payload
	if name == "CENSUS_RESPONSE" {
		c.counted <- censusAnswer{members: p.Members}
		return
	}
	if name == "ASK_RESPONSE" {
		id := head.Meta.CorrelationID
		c.log(clustercheck.Record{Kind: clustercheck.Answer, Room: c.asked[id], ID: id, Epoch: p.Epoch, N: p.N})
		return
	}
	c.move(p.RoomID, head.Meta.Seq)
	c.log(clustercheck.Record{Kind: clustercheck.Cast, Room: p.RoomID, ID: p.ID, Epoch: p.Epoch, N: p.N, Seq: head.Meta.Seq})
}

// census asks a room of some node for its members, for at most a few seconds.
func (c *client) census(n *node, room string) (members []string, code string) {
	if !c.connected() {
		c.connectTo(n)
	}
	c.mu.Lock()
	conn, answer := c.conn, make(chan censusAnswer, 1)
	c.counted = answer
	c.mu.Unlock()
	if conn == nil {
		return nil, "no connection to " + n.name
	}
	c.write(conn, fmt.Sprintf(`{"type":"CENSUS","meta":{"correlationId":"census","timeoutMs":3000},"payload":{"roomId":%q}}`, room))
	select {
	case a := <-answer:
		return a.members, a.code
	case <-time.After(5 * time.Second):
		return nil, "no answer"
	}
}

// censusAnswer is an answer to CENSUS.
type censusAnswer struct {
	members []string
	code    string
}
