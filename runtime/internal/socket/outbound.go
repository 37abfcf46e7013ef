package socket

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds limit what waits for a reader. Zero or negative values are no limit.
type Bounds struct {
	Bytes  int
	Frames int
	Age    time.Duration // of the oldest frame
}

// errSlow is why a connection is closed whose reader does not keep up.
var errSlow = errors.New("the reader is too slow")

// outbound is the net.Conn that coder/websocket is given instead of the real one. Its Write never blocks: it appends to
// the queue that the hub's frames wait in too, so that a pong cannot stall the reader and frames never interleave. Flush
// hands the queue to the kernel without blocking; while the kernel takes nothing, a goroutine waits for it.
type outbound struct {
	net.Conn
	raw    syscall.RawConn // nil: no descriptor, such as TLS; the goroutine writes everything
	early  []byte          // bytes that the client sent behind its request
	bounds Bounds
	stats  *Stats

	mu       sync.Mutex
	queue    []entry // what waits, the oldest first
	head     int     // queue[:head] is sent
	offset   int     // bytes of queue[head] that are sent
	taken    int     // entries from head on that a write is under way with
	bytes    int     // that wait
	draining bool    // the goroutine is running
	closing  bool    // a close frame was queued; nothing may follow
	err      error   // the connection failed; nothing is written any more

	// State of the non-blocking write: the callback is made once, as it would escape on every call.
	writeBuf []byte
	writeN   int
	writeErr error
	writeFn  func(fd uintptr) bool

	waiting atomic.Int64 // UnixNano of the oldest frame that waits; 0: none
}

type entry struct {
	frame *Frame
	at    int64 // UnixNano
}

func newOutbound(conn net.Conn, early []byte, bounds Bounds, stats *Stats) *outbound {
	c := &outbound{Conn: conn, early: early, bounds: bounds, stats: stats}
	if sc, ok := conn.(syscall.Conn); ok && nonblocking {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.writeFn = func(fd uintptr) bool {
				c.writeN, c.writeErr = writeFD(fd, c.writeBuf)
				return true
			}
		}
	}
	return c
}

// Read returns early bytes first.
func (c *outbound) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		if len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Write queues a frame of coder/websocket's own, which arrives whole, and flushes. It never blocks.
func (c *outbound) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	f := &Frame{data: append([]byte(nil), p...)}
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return 0, c.err
	}
	if !c.closing {
		c.append(f, time.Now().UnixNano())
		c.closing = p[0] == opClose
	}
	c.mu.Unlock()
	c.flush(nil)
	return len(p), nil
}

// push queues a frame without writing. It returns false when the reader is too slow for it.
func (c *outbound) push(f *Frame, now int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing {
		return true
	}
	if f.class != Reliable && c.coalesce(f) {
		return true
	}
	waiting := len(c.queue) - c.head
	if c.bounds.Bytes > 0 && c.bytes+len(f.data) > c.bounds.Bytes || c.bounds.Frames > 0 && waiting >= c.bounds.Frames {
		return false
	}
	c.append(f, now)
	return true
}

// coalesce deals with a frame that may be lost, and reports whether nothing is left to do.
func (c *outbound) coalesce(f *Frame) bool {
	waiting := len(c.queue) - c.head
	if f.class == Droppable {
		if c.bounds.Bytes > 0 && c.bytes+len(f.data) > c.bounds.Bytes/4 || c.bounds.Frames > 0 && waiting >= (c.bounds.Frames+3)/4 {
			c.stats.Dropped.Add(1)
			return true
		}
		return false
	}
	first := c.head + c.taken
	if c.taken == 0 && c.offset > 0 {
		first++ // its beginning is on the wire
	}
	for i := len(c.queue) - 1; i >= first; i-- {
		if old := c.queue[i].frame; old.class == Latest && old.key == f.key {
			c.bytes += len(f.data) - len(old.data)
			c.queue[i].frame = f
			c.stats.Replaced.Add(1)
			return true
		}
	}
	return false
}

func (c *outbound) append(f *Frame, now int64) {
	if c.head == len(c.queue) {
		c.waiting.Store(now)
	}
	c.queue = append(c.queue, entry{f, now})
	c.bytes += len(f.data)
}

// pushClose queues a close frame behind what waits, or instead of it when drop is set: a frame that is on its way is
// completed then, everything else is forgotten.
func (c *outbound) pushClose(f *Frame, now int64, drop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing {
		return
	}
	if drop {
		keep := c.taken
		if keep == 0 && c.offset > 0 {
			keep = 1
		}
		for i := c.head + keep; i < len(c.queue); i++ {
			c.bytes -= len(c.queue[i].frame.data)
			c.queue[i] = entry{}
		}
		c.queue = c.queue[:c.head+keep]
	}
	c.append(f, now)
	c.closing = true
}

// maxBatch is how much one write takes at most.
const maxBatch = 64 << 10

// flush writes what waits without blocking. scratch is the buffer to gather frames in; nil uses one of its own. What the
// kernel does not take is left to the goroutine.
func (c *outbound) flush(scratch []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && !c.draining && c.head < len(c.queue) {
		if c.raw == nil {
			c.startDraining()
			return
		}
		batch, _ := c.gather(scratch)
		c.writeBuf = batch
		err := c.raw.Write(c.writeFn)
		n := max(c.writeN, 0)
		c.writeBuf, c.writeN = nil, 0
		if err == nil {
			err = c.writeErr
		}
		c.advance(n)
		switch {
		case err != nil && !wouldBlock(err):
			c.fail(err)
		case n < len(batch):
			c.stats.Blocked.Add(1)
			c.startDraining()
		}
	}
}

// gather returns the bytes to write next, at most maxBatch unless one frame is larger, and how many entries they are of.
// A single frame is returned as it is.
func (c *outbound) gather(scratch []byte) (batch []byte, entries int) {
	first := c.queue[c.head].frame.data[c.offset:]
	if c.head+1 == len(c.queue) || len(first) >= maxBatch {
		return first, 1
	}
	batch = append(scratch[:0], first...)
	entries = 1
	for _, e := range c.queue[c.head+1:] {
		if len(batch)+len(e.frame.data) > maxBatch {
			break
		}
		batch = append(batch, e.frame.data...)
		entries++
	}
	return batch, entries
}

// advance forgets n bytes that were written.
func (c *outbound) advance(n int) {
	c.bytes -= n
	c.stats.BytesOut.Add(uint64(n))
	for n > 0 {
		left := len(c.queue[c.head].frame.data) - c.offset
		if n < left {
			c.offset += n
			break
		}
		n -= left
		c.queue[c.head] = entry{}
		c.head++
		c.offset = 0
		c.stats.FramesOut.Add(1)
	}
	switch {
	case c.head == len(c.queue):
		// A large queue is not kept: an idle connection has no buffer.
		if cap(c.queue) > 64 {
			c.queue = nil
		}
		c.queue, c.head = c.queue[:0], 0
		c.waiting.Store(0)
	default:
		c.waiting.Store(c.queue[c.head].at)
		if c.head > 64 && c.head > len(c.queue)/2 {
			m := copy(c.queue, c.queue[c.head:])
			clear(c.queue[m:])
			c.queue, c.head = c.queue[:m], 0
		}
	}
}

func (c *outbound) startDraining() {
	c.draining = true
	go c.drain()
}

// drain writes with blocking until nothing waits. The connection's end, which the bounds and the hub's sweep bring about
// for a reader that takes nothing, ends it too.
func (c *outbound) drain() {
	var scratch []byte
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && c.head < len(c.queue) {
		batch, entries := c.gather(scratch)
		if entries > 1 {
			scratch = batch
		}
		c.taken = entries
		c.mu.Unlock()
		n, err := c.Conn.Write(batch)
		c.mu.Lock()
		c.taken = 0
		if c.err != nil {
			break // closed meanwhile, and the queue with it
		}
		c.advance(n)
		if err != nil {
			c.fail(err)
		}
	}
	c.draining = false
}

// fail frees the queue and ends the connection, so that its reader learns of it.
func (c *outbound) fail(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.queue, c.head, c.offset, c.bytes = nil, 0, 0, 0
	c.waiting.Store(0)
	c.Conn.Close()
}

// Close is what coder/websocket calls to end the connection, right behind its own close frame when the peer asked for the
// end. What waits is flushed as far as it goes without blocking.
func (c *outbound) Close() error {
	c.flush(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = net.ErrClosed
		c.queue, c.head, c.offset, c.bytes = nil, 0, 0, 0
		c.waiting.Store(0)
	}
	return c.Conn.Close()
}
