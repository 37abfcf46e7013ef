package socket

// The outbound queue: what may wait for a reader, and what happens when it is full.

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/wsgen/wsgen/runtime/clock"
)

// Bounds limit what waits for a reader. Zero or negative values are no limit.
type Bounds struct {
	Bytes  int           // on the wire
	Frames int           //
	Age    time.Duration // of the oldest frame
}

// ReasonSlow is what a peer is told whose connection is closed because it does not keep up.
const ReasonSlow = "too slow a reader"

var errSlow = errors.New("the reader is too slow")

// A TryWriter is a net.Conn that can write without waiting; connections of package net are written in this way too. Others
// are written by a goroutine while something waits for them.
type TryWriter interface {
	// TryWrite writes as much of p as can be taken now, and does not keep p. That it took less, or nothing, is no error.
	TryWrite(p []byte) (int, error)
}

// outbound is the net.Conn that coder/websocket is given instead of the real one. Its Write never blocks: it appends to
// the queue that the hub's frames wait in too, so that a pong cannot stall the reader and frames never interleave. A flush
// hands the queue to the kernel without blocking; while the kernel takes nothing, a goroutine waits for it.
//
// What a push and a flush need stands together at the begin: a hub that writes thousands of sockets finds each of them in memory
// that its core has not seen for long.
type outbound struct {
	options *Options

	mu       sync.Mutex
	queue    []entry      // what waits, the oldest first
	head     int          // queue[:head] is sent
	offset   int          // bytes of queue[head] that are sent
	taken    int          // entries from head on that a write is under way with
	bytes    int          // that wait
	oldest   atomic.Int64 // UnixNano of the oldest frame that waits; 0: none
	pong     *Frame       // that waits and is not on the wire in part; nil: none
	draining bool         // the goroutine is running
	closing  bool         // the last frame is queued; nothing may follow
	half     bool         // close the sending side behind it
	ending   bool         // close the connection behind it
	err      error        // the connection failed or is closed; nothing is written any more
	paused   func()       // wakes the reader, which waits for something of its own; nil: it does not

	try TryWriter // nil: no descriptor, such as TLS; the goroutine writes everything
	raw rawWriter // what try is for the connections of package net

	net.Conn
	timer   clock.Timer // guarded by mu
	partial []byte      // of a frame that coder/websocket hands over in pieces, one writer at a time
	through *passing    // the message of Push that goes through coder/websocket

	// These belong to the reader.
	early     []byte // bytes that have arrived: behind the request, or in ahead
	ahead     *[4 << 10]byte
	in        *bufio.Reader // of coder/websocket; nil where await does nothing
	allowance int           // bytes that may be read until the end of a message; 0: any number
	readErr   error         // of the connection

	seen atomic.Int64 // UnixNano of the last byte that arrived
}

type entry struct {
	frame *Frame
	at    int64 // UnixNano
}

// passing is the call of Push that coder/websocket is working for.
type passing struct {
	frame   *Frame
	now     int64
	scratch []byte
}

func (c *outbound) init(conn net.Conn, early []byte, o *Options) {
	c.Conn, c.early, c.options = conn, early, o
	if t, ok := conn.(TryWriter); ok {
		c.try = t
	} else if c.raw.init(conn) {
		c.try = &c.raw
	}
	c.seen.Store(c.options.Clock.Now().UnixNano())
}

// Read returns early bytes first.
func (c *outbound) Read(p []byte) (int, error) {
	n, err := c.read(p)
	if n == 0 {
		c.readErr = err
		return 0, err
	}
	c.seen.Store(c.options.Clock.Now().UnixNano())
	if c.allowance > 0 {
		if c.allowance -= n; c.allowance <= 0 {
			return 0, errFragments
		}
	}
	return n, nil // an error comes again, and then without data
}

func (c *outbound) read(p []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.early)
	c.early = c.early[n:]
	c.consumed()
	return n, nil
}

// Write queues a frame of coder/websocket's, and does not block. A message that is larger than the buffer between here and
// there arrives in pieces; it is queued when it is whole.
func (c *outbound) Write(p []byte) (int, error) {
	c.partial = append(c.partial, p...)
	if size := frameSize(c.partial); size == 0 || len(c.partial) < size {
		return len(p), nil
	}
	f := &Frame{data: c.partial}
	c.partial = nil
	// Text comes from Push alone, on its own goroutine; the reader's frames, pongs and such, do not look at what it does.
	if f.data[0] == opText && c.through != nil {
		m := c.through
		f.class, f.key = m.frame.class, m.frame.key
		if !c.push(f, m.now, m.scratch) {
			return 0, errSlow
		}
		return len(p), nil
	}
	return len(p), c.control(f)
}

// control queues a pong, or the answer to a close frame, and flushes.
func (c *outbound) control(f *Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.closing {
		return nil
	}
	if f.data[0] == opClose && len(f.data) > 4 && !utf8.Valid(f.data[4:]) {
		f = newClose(CodeInvalidUTF8, invalidUTF8) // coder/websocket repeats what the peer sent
	}
	if f.data[0] == opPong && c.pong != nil {
		// One answer is enough for several pings: that to the last one (RFC 6455 section 5.5.3). So a peer that sends pings and
		// reads nothing does not fill its queue.
		c.bytes += len(f.data) - len(c.pong.data)
		c.pong.data = f.data
		return nil
	}
	c.append(f, c.options.Clock.Now().UnixNano())
	switch f.data[0] {
	case opPong:
		c.pong = f
	case opClose:
		c.close()
	}
	c.flushLocked(nil)
	return nil
}

// begun notes that the first n frames that wait are being written: they stay as they are.
func (c *outbound) begun(n int) {
	if c.pong == nil {
		return
	}
	for _, e := range c.queue[c.head : c.head+n] {
		if e.frame == c.pong {
			c.pong = nil
		}
	}
}

// push queues a frame. It returns false when the reader is too slow for it. The queue of a reader that keeps up may be
// full too, when a batch of the hub is larger: it is offered to the kernel then.
func (c *outbound) push(f *Frame, now int64, scratch []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pushLocked(f, now, scratch)
}

// send is push and flush in one.
func (c *outbound) send(f *Frame, now int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ok := c.pushLocked(f, now, nil)
	c.flushLocked(nil)
	return ok
}

func (c *outbound) pushLocked(f *Frame, now int64, scratch []byte) bool {
	if c.closing || c.err != nil || f.class == Latest && c.replace(f) {
		return true
	}
	if c.full(f) {
		c.flushLocked(scratch)
	}
	switch {
	case c.err != nil:
		return true
	case !c.full(f):
		c.append(f, now)
		return true
	case f.class == Droppable:
		c.options.Stats.Dropped.Add(1)
		return true
	}
	return false
}

// full reports whether there is no room for a frame.
func (c *outbound) full(f *Frame) bool {
	bytes, frames := c.options.Bounds.Bytes, c.options.Bounds.Frames
	if f.class == Droppable {
		bytes, frames = (bytes+3)/4, (frames+3)/4
	}
	return bytes > 0 && c.bytes+len(f.data) > bytes || frames > 0 && c.waiting() >= frames
}

// waiting returns the number of frames in the queue.
func (c *outbound) waiting() int { return len(c.queue) - c.head }

// waits reports whether a frame of before a time is in the queue.
func (c *outbound) waits(before int64) bool {
	if oldest := c.oldest.Load(); oldest == 0 || oldest >= before {
		return false
	}
	c.mu.Lock() // until a write that is under way has taken its frames out of the queue
	defer c.mu.Unlock()
	oldest := c.oldest.Load()
	return oldest != 0 && oldest < before
}

// replace puts a frame of Latest in the place of the one that waits with the same key, and reports whether there was one
// and the queue stays within its bound.
func (c *outbound) replace(f *Frame) bool {
	for i := len(c.queue) - 1; i >= c.head+c.started(); i-- {
		old := c.queue[i].frame
		if old.class != Latest || old.key != f.key {
			continue
		}
		more := len(f.data) - len(old.data)
		if c.options.Bounds.Bytes > 0 && c.bytes+more > c.options.Bounds.Bytes {
			return false
		}
		c.bytes += more
		c.queue[i].frame = f
		c.options.Stats.Replaced.Add(1)
		return true
	}
	return false
}

// started returns how many entries may be on the wire in part, and so have to stay.
func (c *outbound) started() int {
	if c.taken == 0 && c.offset > 0 {
		return 1
	}
	return c.taken
}

func (c *outbound) append(f *Frame, now int64) {
	if c.waiting() == 0 {
		c.oldest.Store(now)
	}
	c.queue = append(c.queue, entry{f, now})
	c.bytes += len(f.data)
}

// pushClose queues a close frame behind what waits, or instead of it when drop is set: a frame that is on its way is
// completed then, everything else is forgotten. It flushes, and sets the time limit of the connection.
func (c *outbound) pushClose(f *Frame, now int64, drop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing {
		return
	}
	if drop {
		c.forget()
	}
	c.append(f, now)
	c.close()
	c.flushLocked(nil)
}

// forget empties the queue but for what is on the wire in part.
func (c *outbound) forget() {
	kept := append([]entry(nil), c.queue[c.head:c.head+c.started()]...)
	c.pong = nil
	c.queue, c.head, c.bytes = kept, 0, -c.offset
	for _, e := range kept {
		c.bytes += len(e.frame.data)
	}
}

// close notes that nothing may follow, and gives the peer its time.
func (c *outbound) close() {
	c.closing = true
	c.wake()
	if c.timer == nil && c.err == nil {
		c.timer = c.options.Clock.AfterFunc(closeWait, c.abort)
	}
}
