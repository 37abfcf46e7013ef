package socket

// Waiting for messages: an idle connection has no buffer. What arrives is read into a pooled one, as much as there is. Text
// messages that are there as a whole are taken from it, everything else by coder/websocket.

import (
	"bufio"
	"encoding/binary"
	"sync"
)

// aheads holds the buffers that arriving bytes are read into, for all sockets of the process.
var aheads = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// A waitReader waits until there is something to read, and reads it into a buffer that it takes when there is.
type waitReader interface {
	// readAhead returns a pooled buffer and how much is in it; nil when there will be nothing to read.
	readAhead() (buf *[4 << 10]byte, n int)
}

// The buffer between coder/websocket and a connection: small where arriving bytes wait in a pooled one.
const (
	readBuffer      = 512
	readBufferAhead = 64
)

// reader returns the buffered reader that coder/websocket is given.
func (c *outbound) reader() *bufio.Reader {
	if _, ok := c.try.(waitReader); ok {
		c.in = bufio.NewReaderSize(c, readBufferAhead)
		return c.in
	}
	return bufio.NewReaderSize(c, readBuffer)
}

// await waits for the first bytes of a message. Pongs, which come in between on an idle connection, are taken here: after one
// coder/websocket would go on waiting by itself, and read the next message in small pieces. It is called between messages.
func (c *outbound) await() {
	r, ok := c.try.(waitReader)
	if !ok || c.in.Buffered() > 0 {
		return
	}
	for len(c.early) == 0 {
		buf, n := r.readAhead()
		if buf == nil {
			return // the read that follows says why
		}
		c.seen.Store(c.options.Clock.Now().UnixNano())
		c.ahead, c.early = buf, withoutPongs(buf[:n])
		c.consumed()
	}
}

// Of the second byte of a frame, and behind it.
const (
	masked    = 0x80
	maskSize  = 4
	length16  = 126 // the length is in the two bytes that follow
	shortHead = 2
)

// whole takes the next message from the bytes that have arrived, if they are a frame with all of it, as for most messages:
// then it costs a fraction of what it costs coder/websocket, which gets what is anything else, or wrong. It is called between
// messages. The message is valid until consumed is called.
func (c *outbound) whole() (msg []byte, ok bool) {
	p := c.early
	if c.in == nil || c.in.Buffered() > 0 || len(p) < shortHead+maskSize || p[0] != opText || p[1]&masked == 0 {
		return nil, false
	}
	n, start := int(p[1]&^masked), shortHead
	if n == length16 {
		n, start = int(binary.BigEndian.Uint16(p[shortHead:])), shortHead+2
		if n < length16 {
			return nil, false
		}
	} else if n > length16 {
		return nil, false
	}
	start += maskSize
	if n > len(p)-start || c.options.MaxMessage > 0 && n > c.options.MaxMessage {
		return nil, false
	}
	msg = p[start : start+n]
	unmask(msg, binary.LittleEndian.Uint32(p[start-maskSize:]))
	c.early = p[start+n:]
	return msg, true
}

// unmask takes the mask off a payload, in place.
func unmask(p []byte, key uint32) {
	twice := uint64(key)<<32 | uint64(key)
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^twice)
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * (i % maskSize)))
	}
}

// consumed gives the pooled buffer back when all of it was taken.
func (c *outbound) consumed() {
	if len(c.early) > 0 {
		return
	}
	c.early = nil
	if c.ahead != nil {
		aheads.Put(c.ahead)
		c.ahead = nil
	}
}

// withoutPongs cuts whole masked pongs from the front.
func withoutPongs(p []byte) []byte {
	for len(p) >= shortHead+maskSize && p[0] == opPong && p[1]&masked != 0 && p[1] < masked|length16 {
		size := shortHead + maskSize + int(p[1]&^masked)
		if len(p) < size {
			break
		}
		p = p[size:]
	}
	return p
}
