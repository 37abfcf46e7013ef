// Package mesh is what the nodes of a cluster say to each other about rooms and connections, frame by frame, over the links between
// them. The gateway of a connection is the node that has its socket; the owner of a room is the node that runs it.
package mesh

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind says what a frame is.
type Kind byte

// What a gateway sends to an owner.
const (
	// Conn introduces a connection, or what has changed of it: Conn, Flags, Session, Claims, IP and Topics.
	Conn Kind = iota + 1
	// Forward is a message for a room: Slot, Epoch, ID, Conn, Topic, Type, Correlation, Timeout, Payload, Meta.
	Forward
	// Abort says that nobody waits for the answer of a Forward any more: Slot, ID, Conn.
	Abort
	// Resume asks to be a member again: Slot, Epoch, ID, Conn, Topic, Session, Position, Seq.
	Resume
	// Leave ends a membership: Slot, Epoch, Conn, Topic, Count as the cause.
	Leave
	// Gone says that a connection has ended: Conn.
	Gone
	// Sync names members of a room that an owner may not know: Slot, Epoch, Topic, Position, Seq, Conns. One of no room
	// follows when all members in the slot are named: Slot, Epoch.
	Sync
	// Hello comes before all that is for a slot in an epoch: Slot, Epoch. Moved, without an ID, refuses it.
	Hello
	// Digest sums up the members that the gateway has in a slot: Slot, Epoch, Count, Seq as the sum.
	Digest
	// Publish is a message to the members of a room: Slot, Epoch, ID, Topic, Type, Payload, Meta.
	Publish
)

// What an owner sends to a gateway.
const (
	// Done ends a Forward, Resume or Publish: Slot, ID; Frame is the answer for the client, if there is one. Of a Publish,
	// Count are the members reached, and Code, Text and Flags an error. Of a Resume, Code says that the client was told that it is no member.
	Done Kind = iota + 64
	// Moved says that the owner has not handled a Forward, Resume, Publish or Hello, and never will: Slot, ID, and the Epoch of that
	// frame.
	Moved
	// Send is a frame for one connection: Conn, Class, Key, Frame. That of a room has Slot, Epoch and Topic as well, and Position and Seq
	// if it is a message with a number.
	Send
	// Close closes a connection: Conn, Count as the code, Text.
	Close
	// Joined makes a connection a member: Slot, Epoch, Conn, Topic, Position and Seq that the room is at, Count as the Seq that the
	// connection is at, and Class, Key and Frame of what tells it so.
	Joined
	// Left ends a membership: Slot, Epoch, Conn, Topic, and Class, Key and Frame of what tells the connection so.
	Left
	// Synced answers a Sync: Slot, Epoch, Topic, Position and Seq that the room is at, Conns of those that are its members.
	Synced
	// Cast is a message to all members of a room on this gateway: Slot, Epoch, Topic, Seq, Class, Key, Except, Frame for the base
	// profile, V1 for the extended one.
	Cast
	// Audit asks for a Sync of every room of a slot: Slot, Epoch.
	Audit
	// Quit makes a connection leave a room of any owner: Conn, Topic.
	Quit
	// Expire sets when a connection's claims end: Conn, Timeout; the flag Never.
	Expire
)

// ConnID identifies a connection among all of the cluster.
type ConnID [16]byte

// Flags of a frame.
const (
	V1    = 1 << iota // the connection is of the extended profile
	Known             // the claims are those of before
	Never             // Expire: the claims do not end
	V1Only
	Begins    // Send: the connection goes on from Position and Seq, whatever it has had
	Applied   // Done of a Publish, with Code: it may have been published
	Unapplied // Done of a Publish, with Code: it was not
)

// Frame is what is said. Fields that a kind does not have are zero, and take no room.
type Frame struct {
	Kind        Kind
	Flags       uint64
	Slot        uint64
	Epoch       uint64 // of the slot
	ID          uint64 // of a message, unique for its sender
	Conn        ConnID
	Except      ConnID
	Topic       string
	Type        string // of a message
	Correlation string
	Timeout     uint64 // ms
	Seq         uint64 // of the room's messages
	Position    string // epoch of the room's numbers
	Session     string
	Claims      []byte
	IP          []byte
	Payload     []byte
	Meta        []byte
	Frame       []byte // of a WebSocket, without its header
	V1          []byte
	Class       uint64
	Key         string
	Count       uint64
	Code        string
	Text        string
	Topics      []string
	Conns       []ConnID
}

// Tags of the fields: a number, or bytes. A tag's lowest bit says which, so that unknown ones can be skipped.
const (
	tagFlags = iota << 1
	tagSlot
	tagEpoch
	tagID
	tagTimeout
	tagSeq
	tagClass
	tagCount
)

const (
	tagConn = iota<<1 | 1
	tagExcept
	tagTopic
	tagType
	tagCorrelation
	tagPosition
	tagSession
	tagClaims
	tagIP
	tagPayload
	tagMeta
	tagFrame
	tagV1
	tagKey
	tagCode
	tagText
	tagTopics
	tagConns
)

// Encode returns the frame's bytes.
func (f *Frame) Encode() []byte {
	b := make([]byte, 1, 96+len(f.Topic)+len(f.Payload)+len(f.Frame)+len(f.V1)+len(f.Claims)+16*len(f.Conns))
	b[0] = byte(f.Kind)
	for _, n := range [...]struct {
		tag byte
		v   uint64
	}{
		{tagFlags, f.Flags}, {tagSlot, f.Slot}, {tagEpoch, f.Epoch}, {tagID, f.ID}, {tagTimeout, f.Timeout}, {tagSeq, f.Seq},
		{tagClass, f.Class}, {tagCount, f.Count},
	} {
		if n.v != 0 {
			b = binary.AppendUvarint(append(b, n.tag), n.v)
		}
	}
	for _, s := range [...]struct {
		tag byte
		v   string
	}{
		{tagTopic, f.Topic}, {tagType, f.Type}, {tagCorrelation, f.Correlation}, {tagPosition, f.Position}, {tagSession, f.Session},
		{tagKey, f.Key}, {tagCode, f.Code}, {tagText, f.Text},
	} {
		if s.v != "" {
			b = appendBytes(b, s.tag, s.v)
		}
	}
	for _, s := range [...]struct {
		tag byte
		v   []byte
	}{
		{tagClaims, f.Claims}, {tagIP, f.IP}, {tagPayload, f.Payload}, {tagMeta, f.Meta}, {tagFrame, f.Frame}, {tagV1, f.V1},
	} {
		if s.v != nil {
			b = appendBytes(b, s.tag, s.v)
		}
	}
	if f.Conn != (ConnID{}) {
		b = appendBytes(b, tagConn, f.Conn[:])
	}
	if f.Except != (ConnID{}) {
		b = appendBytes(b, tagExcept, f.Except[:])
	}
	for _, t := range f.Topics {
		b = appendBytes(b, tagTopics, t)
	}
	for i := range f.Conns {
		b = appendBytes(b, tagConns, f.Conns[i][:])
	}
	return b
}

func appendBytes[T string | []byte](b []byte, tag byte, v T) []byte {
	return append(binary.AppendUvarint(append(b, tag), uint64(len(v))), v...)
}

var errShort = errors.New("mesh: a frame that ends too soon")

// Decode reads a frame. What it has of bytes are parts of data.
func Decode(data []byte) (*Frame, error) {
	if len(data) == 0 {
		return nil, errShort
	}
	f := &Frame{Kind: Kind(data[0])}
	for data = data[1:]; len(data) > 0; {
		tag := data[0]
		n, size := binary.Uvarint(data[1:])
		if size <= 0 {
			return nil, errShort
		}
		data = data[1+size:]
		if tag&1 == 0 {
			f.number(tag, n)
			continue
		}
		if n > uint64(len(data)) {
			return nil, errShort
		}
		if err := f.bytes(tag, data[:n:n]); err != nil {
			return nil, err
		}
		data = data[n:]
	}
	return f, nil
}

func (f *Frame) number(tag byte, n uint64) {
	switch tag {
	case tagFlags:
		f.Flags = n
	case tagSlot:
		f.Slot = n
	case tagEpoch:
		f.Epoch = n
	case tagID:
		f.ID = n
	case tagTimeout:
		f.Timeout = n
	case tagSeq:
		f.Seq = n
	case tagClass:
		f.Class = n
	case tagCount:
		f.Count = n
	}
}

func (f *Frame) bytes(tag byte, v []byte) error {
	switch tag {
	case tagConn:
		return f.Conn.set(v)
	case tagExcept:
		return f.Except.set(v)
	case tagTopic:
		f.Topic = string(v)
	case tagType:
		f.Type = string(v)
	case tagCorrelation:
		f.Correlation = string(v)
	case tagPosition:
		f.Position = string(v)
	case tagSession:
		f.Session = string(v)
	case tagClaims:
		f.Claims = v
	case tagIP:
		f.IP = v
	case tagPayload:
		f.Payload = v
	case tagMeta:
		f.Meta = v
	case tagFrame:
		f.Frame = v
	case tagV1:
		f.V1 = v
	case tagKey:
		f.Key = string(v)
	case tagCode:
		f.Code = string(v)
	case tagText:
		f.Text = string(v)
	case tagTopics:
		f.Topics = append(f.Topics, string(v))
	case tagConns:
		var id ConnID
		if err := id.set(v); err != nil {
			return err
		}
		f.Conns = append(f.Conns, id)
	}
	return nil
}

func (id *ConnID) set(v []byte) error {
	if len(v) != len(id) {
		return fmt.Errorf("mesh: an id of %d bytes", len(v))
	}
	copy(id[:], v)
	return nil
}
