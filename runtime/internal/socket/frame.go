package socket

// Frames: complete WebSocket frames as a server sends them (RFC 6455 section 5.2), built once and shared by all sockets.

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Class says what happens to a frame that a slow reader cannot take.
type Class uint8

// The classes.
const (
	Reliable  Class = iota // it waits; past the queue's bounds the connection is closed
	Latest                 // it replaces the waiting frame with the same key; without one it waits as a reliable frame does
	Droppable              // it is dropped where more than a quarter of a bound would be used with it
)

// Frame is a complete WebSocket frame as a server sends it. It is immutable and shared by all the queues it waits in; the
// garbage collector frees it.
type Frame struct {
	data   []byte
	header int // length of the header in data
	class  Class
	key    string // of Latest
}

// The first bytes of the frames that a server without compression sends: FIN is set, and every message is one frame.
const (
	opText  = 0x81
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8a
)

// NewText returns the frame of a text message. It copies payload, which has to be valid UTF-8. key matters to Latest only.
func NewText(payload []byte, class Class, key string) *Frame {
	f := newFrame(len(payload) + maxHeader)
	buf := append(f.data, opText)
	switch n := len(payload); {
	case n < 126:
		buf = append(buf, byte(n))
	case n < 1<<16:
		buf = binary.BigEndian.AppendUint16(append(buf, 126), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint64(append(buf, 127), uint64(n))
	}
	f.header, f.class, f.key = len(buf), class, key
	f.data = append(buf, payload...)
	return f
}

// maxHeader is the longest header of a frame without a mask.
const maxHeader = 10

// newFrame returns a frame with room for n bytes. Those of most messages are one piece of memory with it, of a size that the
// memory comes in.
func newFrame(n int) *Frame {
	switch {
	case n <= len(frame128{}.data):
		f := new(frame128)
		f.Frame.data = f.data[:0]
		return &f.Frame
	case n <= len(frame256{}.data):
		f := new(frame256)
		f.Frame.data = f.data[:0]
		return &f.Frame
	}
	return &Frame{data: make([]byte, 0, n)}
}

type (
	frame128 struct {
		Frame
		data [72]byte
	}
	frame256 struct {
		Frame
		data [200]byte
	}
)

// Len returns the number of bytes on the wire, header and payload.
func (f *Frame) Len() int { return len(f.data) }

// Payload returns the message. It must not be changed.
func (f *Frame) Payload() []byte { return f.data[f.header:] }

// Class returns what happens to the frame when its reader is slow, and the key of Latest.
func (f *Frame) Class() (class Class, key string) { return f.class, f.key }

// NewPing returns the ping without data that Check sends. One frame serves any number of sockets.
func NewPing() *Frame { return &Frame{data: []byte{opPing, 0}, header: 2} }

// invalidUTF8 is what a peer is told whose text is none.
const invalidUTF8 = "invalid UTF-8"

// maxReason is the longest reason that fits a close frame: a control frame holds 125 bytes, and the code takes two.
const maxReason = 123

// cleanClose returns a code and reason that may be sent: a code that is reserved or out of range becomes 1011, bytes that
// are not UTF-8 become U+FFFD, and a longer reason is cut at the end of a character.
func cleanClose(code int, reason string) (int, string) {
	if !sendable(code) {
		code = CodeInternal
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReason {
		cut := maxReason
		for cut > 0 && !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut]
	}
	return code, reason
}

// sendable reports whether a close frame may carry the code (RFC 6455 section 7.4 and the registry that it opened).
func sendable(code int) bool {
	switch code {
	case 1004, codeNoStatus, codeAbnormal:
		return false
	}
	return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}

// newClose returns a close frame of what cleanClose returned.
func newClose(code int, reason string) *Frame {
	buf := binary.BigEndian.AppendUint16([]byte{opClose, byte(2 + len(reason))}, uint16(code))
	return &Frame{data: append(buf, reason...), header: 2}
}

// frameSize returns how many bytes the frame at the begin of b has in all; 0 when too little of its header is there.
func frameSize(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch n := int(b[1] & 0x7f); {
	case n < 126:
		return 2 + n
	case n == 126 && len(b) >= 4:
		return 4 + int(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		return 10 + int(binary.BigEndian.Uint64(b[2:]))
	}
	return 0
}
