// Package resume is what a server and its clients say to each other so that a client that comes back gets what it missed:
// control frames of the extended profile, in rooms with a history.
//
// A connection begins with TypeSession, and the answer to TypeResume is another one. A member gets TypeJoined with the position at which its membership begins, counts
// on from there with the numbers of the room's messages, and may move on by TypePosition where a message was not for it.
// TypeLeft ends that. A client that connects again names its session and positions in TypeResume, its first frame. The
// answer for each room is TypeJoined and the messages behind the position, or TypeGap when there is no way to send
// exactly those, or TypeLeft when it may not be a member any more.
package resume

import (
	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// The types of the frames.
const (
	TypeSession  = "$ws:session"
	TypeResume   = "$ws:resume"
	TypeJoined   = "$ws:joined"
	TypePosition = "$ws:seq"
	TypeGap      = "$ws:gap"
	TypeLeft     = "$ws:left"
)

// SessionLen is the number of hexadecimal digits of a session: 128 random bits.
const SessionLen = 32

// MaxRooms is how many rooms a request may name.
const MaxRooms = 1000

const (
	maxToken = 64  // characters of an epoch
	maxTopic = 512 // characters of a topic
)

// Position is how far a member has come in a room.
type Position struct {
	Epoch string // of the room's numbers: those of another epoch mean nothing
	Seq   uint64 // of the last message
}

// Session is the payload of TypeSession.
type Session struct {
	Session string // what the client shows when it comes back; nobody else may know it
}

// Request is the payload of TypeResume.
type Request struct {
	Session string
	Rooms   []Room // in the order of the frame
}

// Room is a room of a request.
type Room struct {
	Topic string
	Position
}

// Gap is the payload of TypeGap: the client is a member from Position on, and has lost something before it.
type Gap struct {
	Position
	First  uint64 // the oldest message that the room still has; Seq+1 when it has none
	Reason string
}

// The reasons of a gap.
const (
	Expired = "expired" // what the client missed is not kept any more
	Reset   = "reset"   // the room has begun to count anew
	Unknown = "unknown" // the position is none that the client can have
)

// Left is the payload of TypeLeft. It is empty when the client, or the room's handler, wanted it.
type Left struct {
	Code    string
	Message string
}

// EncodeSession writes a Session.
func EncodeSession(w *jx.Writer, s *Session) {
	w.RawStr(`{"session":`)
	codec.WriteString(w, s.Session)
	w.RawStr(`}`)
}

// DecodeSession reads a Session.
func DecodeSession(d *codec.Decoder) *Session {
	s := new(Session)
	for o := d.Object(); o.Next(); {
		if string(o.Key()) == "session" {
			s.Session = d.StringLen(SessionLen, SessionLen)
		} else {
			o.Unknown()
		}
	}
	return s
}

// EncodeRequest writes a Request.
func EncodeRequest(w *jx.Writer, r *Request) {
	w.RawStr(`{"session":`)
	codec.WriteString(w, r.Session)
	w.RawStr(`,"rooms":{`)
	for i, room := range r.Rooms {
		if i > 0 {
			w.RawStr(`,`)
		}
		codec.WriteString(w, room.Topic)
		w.RawStr(`:`)
		EncodePosition(w, room.Position)
	}
	w.RawStr(`}}`)
}

// DecodeRequest reads a Request.
func DecodeRequest(d *codec.Decoder) *Request {
	r := new(Request)
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		switch string(o.Key()) {
		case "session":
			if o.First(&seen, 0) {
				r.Session = d.StringLen(SessionLen, SessionLen)
			}
		case "rooms":
			if o.First(&seen, 1) {
				r.rooms(d)
			}
		default:
			o.Unknown()
		}
	}
	if o.Lacks(seen, 3) {
		o.Require(seen, 0, "session")
		o.Require(seen, 1, "rooms")
	}
	return r
}

func (r *Request) rooms(d *codec.Decoder) {
	for o := d.Map(0, MaxRooms); o.Next(); {
		topic, ok := o.StringKey(1, maxTopic)
		p := DecodePosition(d)
		if ok {
			r.Rooms = append(r.Rooms, Room{topic, p})
		}
	}
}

// EncodePosition writes a Position.
func EncodePosition(w *jx.Writer, p Position) {
	w.RawStr(`{"epoch":`)
	codec.WriteString(w, p.Epoch)
	w.RawStr(`,"seq":`)
	w.UInt64(p.Seq)
	w.RawStr(`}`)
}

// DecodePosition reads a Position.
func DecodePosition(d *codec.Decoder) Position {
	var p Position
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		if !p.member(d, &o, &seen) {
			o.Unknown()
		}
	}
	requirePosition(&o, seen)
	return p
}

// member reads a member of an object that has a position in it, and reports whether it was one of the position.
func (p *Position) member(d *codec.Decoder, o *codec.Object, seen *codec.Seen) bool {
	switch string(o.Key()) {
	case "epoch":
		if o.First(seen, 0) {
			p.Epoch = d.StringLen(0, maxToken)
		}
	case "seq":
		if o.First(seen, 1) {
			p.Seq = number(d)
		}
	default:
		return false
	}
	return true
}

func requirePosition(o *codec.Object, seen codec.Seen) {
	if o.Lacks(seen, 3) {
		o.Require(seen, 0, "epoch")
		o.Require(seen, 1, "seq")
	}
}

// number reads a number of a message: one that every JSON reader can hold.
func number(d *codec.Decoder) uint64 { return uint64(max(d.Int64Number(0, codec.MaxInt), 0)) }

// EncodeGap writes a Gap.
func EncodeGap(w *jx.Writer, g *Gap) {
	w.RawStr(`{"epoch":`)
	codec.WriteString(w, g.Epoch)
	w.RawStr(`,"seq":`)
	w.UInt64(g.Seq)
	w.RawStr(`,"first":`)
	w.UInt64(g.First)
	w.RawStr(`,"reason":`)
	codec.WriteString(w, g.Reason)
	w.RawStr(`}`)
}

// DecodeGap reads a Gap.
func DecodeGap(d *codec.Decoder) *Gap {
	g := new(Gap)
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		switch string(o.Key()) {
		case "first":
			g.First = number(d)
		case "reason":
			g.Reason = d.String()
		default:
			if !g.member(d, &o, &seen) {
				o.Unknown()
			}
		}
	}
	requirePosition(&o, seen)
	return g
}

// EncodeLeft writes a Left.
func EncodeLeft(w *jx.Writer, l *Left) {
	if *l == (Left{}) {
		w.RawStr(`{}`)
		return
	}
	w.RawStr(`{"code":`)
	codec.WriteString(w, l.Code)
	w.RawStr(`,"message":`)
	codec.WriteString(w, l.Message)
	w.RawStr(`}`)
}

// DecodeLeft reads a Left.
func DecodeLeft(d *codec.Decoder) *Left {
	l := new(Left)
	for o := d.Object(); o.Next(); {
		switch string(o.Key()) {
		case "code":
			l.Code = d.String()
		case "message":
			l.Message = d.String()
		default:
			o.Unknown()
		}
	}
	return l
}
