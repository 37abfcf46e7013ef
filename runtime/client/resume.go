package client

// Resume: the client knows how far it has come in each room that it is in, and asks for the rest when it connects again.

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/resume"
)

// Gap says that a client missed messages of a room.
type Gap struct {
	Topic  string // of the room, such as room:general
	Member bool   // the client is a member again, and gets what is published from here on; false: it has to join again
	Reason string // "expired", "reset" or "unknown" of a member; the text of Err for others
	Err    error  // why the client is no member any more, as *runtime.Error; nil for a member
	First  uint64 // number of the oldest message that the room still has
	Seq    uint64 // number of the room's last message before the client was a member again
}

// resumption is what a client knows about its rooms. It is guarded by Client.mu.
type resumption struct {
	session string // of the first connection; all that follow take it over
	rooms   map[string]resume.Position
}

// request returns the payload that asks for all rooms; nil when there is none.
func (r *resumption) request() []byte {
	if r.session == "" || len(r.rooms) == 0 {
		return nil
	}
	req := resume.Request{Session: r.session}
	for topic, p := range r.rooms {
		req.Rooms = append(req.Rooms, resume.Room{Topic: topic, Position: p})
	}
	slices.SortFunc(req.Rooms, func(a, b resume.Room) int { return strings.Compare(a.Topic, b.Topic) })
	var w jx.Writer
	resume.EncodeRequest(&w, &req)
	return w.Buf
}

// controls are the frames by which a server tells where a client stands.
var controls = map[string]*inbound{
	resume.TypeSession: {name: resume.TypeSession, decode: func(d *codec.Decoder) any { return resume.DecodeSession(d) },
		control: func(s *session, f *envelope.Frame[*inbound]) { s.began(f.Payload.(*resume.Session).Session) }},
	resume.TypeJoined: {name: resume.TypeJoined, decode: func(d *codec.Decoder) any { return resume.DecodePosition(d) },
		control: func(s *session, f *envelope.Frame[*inbound]) { s.c.moveTo(f.Room, f.Payload.(resume.Position)) }},
	resume.TypePosition: {name: resume.TypePosition,
		control: func(s *session, f *envelope.Frame[*inbound]) { s.c.advanceTo(f.Room, f.Seq) }},
	resume.TypeGap: {name: resume.TypeGap, decode: func(d *codec.Decoder) any { return resume.DecodeGap(d) },
		control: func(s *session, f *envelope.Frame[*inbound]) { s.gap(f.Room, f.Payload.(*resume.Gap)) }},
	resume.TypeLeft: {name: resume.TypeLeft, decode: func(d *codec.Decoder) any { return resume.DecodeLeft(d) },
		control: func(s *session, f *envelope.Frame[*inbound]) { s.left(f.Room, f.Payload.(*resume.Left)) }},
	typeGoAway: {name: typeGoAway, decode: decodeGoAway,
		control: func(s *session, f *envelope.Frame[*inbound]) { s.goAway(f.Payload.(time.Duration)) }},
}

// began takes the session that the server gives to the connection. When the client has asked to go on with an older one,
// the first is not for it: the answer follows. Until then the older one is the one that counts, even if the connection is
// lost meanwhile.
func (s *session) began(session string) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.resumes {
		s.resumes = false
		return
	}
	s.c.resume.session = session
	s.dismiss()
}

// moveTo notes where the client stands in a room.
func (c *Client) moveTo(room string, p resume.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resume.rooms == nil {
		c.resume.rooms = make(map[string]resume.Position)
	}
	c.resume.rooms[room] = p
}

// advanceTo moves the position of a room past a message, before anybody sees that. It returns false for a message that came
// before.
func (c *Client) advanceTo(room string, seq uint64) bool {
	if seq == 0 || room == "" {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, tracked := c.resume.rooms[room]
	switch {
	case !tracked:
		return true
	case seq <= p.Seq:
		return false
	}
	p.Seq = seq
	c.resume.rooms[room] = p
	return true
}

// gap notes the new position, and tells that something is missing before it.
func (s *session) gap(room string, g *resume.Gap) {
	s.c.moveTo(room, g.Position)
	s.missed(Gap{Topic: room, Member: true, Reason: g.Reason, First: g.First, Seq: g.Seq})
}

// left forgets a room. When the server says why, the client did not ask for it.
func (s *session) left(room string, why *resume.Left) {
	s.c.mu.Lock()
	_, was := s.c.resume.rooms[room]
	delete(s.c.resume.rooms, room)
	s.c.mu.Unlock()
	if why.Code != "" && was {
		s.missed(Gap{Topic: room, Reason: why.Message, Err: wsrt.Errorf(wsrt.Code(why.Code), "%s", why.Message)})
	}
}

// missed hands a gap to the program.
func (s *session) missed(g Gap) {
	s.c.log.Warn("wsgen client: messages of a room were missed", slog.String("topic", g.Topic), slog.Bool("member", g.Member), slog.String("reason", g.Reason))
	if s.c.opts.onGap != nil {
		s.c.events.post(item{name: "WithOnGap", f: func(context.Context) { s.c.opts.onGap(g) }}, s.hold)
	}
}

// String says what happened, for logs.
func (g Gap) String() string {
	if g.Member {
		return fmt.Sprintf("messages of %s were missed (%s)", g.Topic, g.Reason)
	}
	return fmt.Sprintf("not a member of %s any more: %v", g.Topic, g.Err)
}
