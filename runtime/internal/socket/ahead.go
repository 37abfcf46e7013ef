package socket

// Waiting for messages: an idle connection has no buffer. What arrives is read into a pooled one, as much as there is, and
// coder/websocket takes it from there.

import (
	"bufio"
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
	const masked, mask = 0x80, 4
	for len(p) >= 2+mask && p[0] == opPong && p[1]&masked != 0 && p[1] <= masked|125 {
		size := 2 + mask + int(p[1]&^masked)
		if len(p) < size {
			break
		}
		p = p[size:]
	}
	return p
}
