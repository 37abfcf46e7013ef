package socket

import (
	"encoding/binary"
	"unicode/utf8"
)

// Class says what happens to a frame that a slow reader cannot take.
type Class uint8

// The classes.
const (
	Reliable  Class = iota // it waits; past the queue's bounds the connection is closed
	Latest                 // it replaces the waiting frame with the same key
	Droppable              // it is dropped once a quarter of a bound is used
)

// Frame is a complete WebSocket frame as a server sends it. It is immutable and shared by all the queues it waits in; the
// garbage collector frees it.
type Frame struct {
	data   []byte
	header int // length of the header in data
	class  Class
	key    string // of Latest
}

const (
	opText  = 0x81 // final, text
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8a
)

// NewText returns the frame of a text message. It copies payload.
func NewText(payload []byte, class Class, key string) *Frame {
	buf := make([]byte, 0, len(payload)+10)
	buf = append(buf, opText)
	switch n := len(payload); {
	case n < 126:
		buf = append(buf, byte(n))
	case n < 1<<16:
		buf = binary.BigEndian.AppendUint16(append(buf, 126), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint64(append(buf, 127), uint64(n))
	}
	header := len(buf)
	return &Frame{data: append(buf, payload...), header: header, class: class, key: key}
}

// Len returns the number of bytes on the wire.
func (f *Frame) Len() int { return len(f.data) }

// Payload returns the message. It must not be changed.
func (f *Frame) Payload() []byte { return f.data[f.header:] }

// maxReason is the longest reason that fits a close frame.
const maxReason = 123

// newClose returns a close frame. A longer reason is cut at the end of a character.
func newClose(code int, reason string) *Frame {
	if len(reason) > maxReason {
		cut := maxReason
		for cut > 0 && !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut]
	}
	buf := binary.BigEndian.AppendUint16([]byte{opClose, byte(2 + len(reason))}, uint16(code))
	return &Frame{data: append(buf, reason...), header: 2}
}

// pingFrame is shared by all pings: they carry no data.
func pingFrame() *Frame { return &Frame{data: []byte{opPing, 0}, header: 2} }
