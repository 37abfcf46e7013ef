package socket

// Writing: from the queue to the kernel, and the end of the connection.

import "net"

// How much one write takes at most, unless one frame is larger. A write that waits for the peer takes less: what it is
// under way with counts as waiting until all of it is gone.
const (
	maxBatch   = 64 << 10
	drainBatch = 16 << 10
)

func (c *outbound) flush(scratch []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushLocked(scratch)
}

// flushLocked writes what waits without blocking. scratch is the buffer to gather frames in; nil uses one of its own. What
// the kernel does not take is left to the goroutine.
func (c *outbound) flushLocked(scratch []byte) {
	for c.err == nil && !c.draining && c.waiting() > 0 {
		if c.try == nil {
			c.startDraining()
			return
		}
		batch, _ := c.gather(scratch, maxBatch)
		n, err := c.try.TryWrite(batch)
		c.options.Stats.Writes.Add(1)
		c.advance(n)
		switch {
		case err != nil:
			c.fail(err)
		case n < len(batch):
			c.options.Stats.Blocked.Add(1)
			c.startDraining()
		}
	}
}

// gather returns the bytes to write next, and how many entries they are of. A single frame is returned as it is.
func (c *outbound) gather(scratch []byte, limit int) (batch []byte, entries int) {
	first := c.queue[c.head].frame.data[c.offset:]
	if c.waiting() == 1 || len(first) >= limit {
		return first, 1
	}
	batch = append(scratch[:0], first...)
	entries = 1
	for _, e := range c.queue[c.head+1:] {
		if len(batch)+len(e.frame.data) > limit {
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
	c.options.Stats.BytesOut.Add(uint64(n))
	var done uint64
	for n > 0 {
		c.begun(1)
		data := c.queue[c.head].frame.data
		left := len(data) - c.offset
		if n < left {
			c.offset += n
			break
		}
		n -= left
		c.queue[c.head] = entry{}
		c.head++
		c.offset = 0
		done++
	}
	c.options.Stats.FramesOut.Add(done)
	c.compact()
}

// The queues that are kept when they are empty, in entries of 16 bytes: while there is traffic, and for an idle connection.
const (
	keptBusy = 1024
	keptIdle = 8
)

// compact lets go of what the queue does not need any more.
func (c *outbound) compact() {
	if c.waiting() == 0 {
		if cap(c.queue) > keptBusy {
			c.queue = nil
		}
		c.queue, c.head = c.queue[:0], 0
		c.oldest.Store(0)
		return
	}
	c.oldest.Store(c.queue[c.head].at)
	if c.head > 64 && c.head > len(c.queue)/2 {
		n := copy(c.queue, c.queue[c.head:])
		clear(c.queue[n:])
		c.queue, c.head = c.queue[:n], 0
	}
}

// trim frees the queue when nothing is in it.
func (c *outbound) trim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting() == 0 && cap(c.queue) > keptIdle {
		c.queue, c.head = nil, 0
	}
}

func (c *outbound) startDraining() {
	c.draining = true
	go c.drain()
}

// drain writes with blocking until nothing waits. The connection's end, which the bounds and the hub's checks bring about
// for a reader that takes nothing, ends it too.
func (c *outbound) drain() {
	var scratch []byte
	c.mu.Lock()
	for c.err == nil && c.waiting() > 0 {
		batch, entries := c.gather(scratch, drainBatch)
		if entries > 1 {
			scratch = batch
		}
		c.taken = entries
		c.begun(entries)
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
	ending, half := c.err == nil && c.ending, c.err == nil && c.half
	if ending {
		c.die(net.ErrClosed)
	}
	c.mu.Unlock()
	switch {
	case ending:
		_ = c.Conn.Close() // with TLS this writes once more
	case half:
		closeWrite(c.Conn)
	}
}

// Close is what coder/websocket calls to end the connection, right behind its answer when the peer asked for the end. What
// waits is sent before, for as long as the time limit of a close frame allows.
func (c *outbound) Close() error {
	c.mu.Lock()
	c.flushLocked(nil)
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	if c.waiting() > 0 || c.draining {
		c.ending = true
		c.close()
		c.mu.Unlock()
		return nil
	}
	c.die(net.ErrClosed)
	c.mu.Unlock()
	return c.Conn.Close()
}

// closeWrite ends the sending side when all is sent, where the connection has one: the peer then sees the end at once,
// although this side still reads.
func (c *outbound) closeWrite() {
	c.mu.Lock()
	c.flushLocked(nil)
	if c.err != nil || c.waiting() > 0 || c.draining {
		c.half = true
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	closeWrite(c.Conn)
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // a broken connection shows when it is read
	}
}

// abort ends the connection at once.
func (c *outbound) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(net.ErrClosed)
}

// fail frees the queue and ends the connection, so that its reader learns of it.
func (c *outbound) fail(err error) {
	c.die(err)
	conn := c.Conn
	if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = tls.NetConn() // closing TLS sends something, and may wait for that
	}
	_ = conn.Close() // there is nothing left to do about it
}

// die notes that the connection is at its end, and frees the queue.
func (c *outbound) die(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.closing = true
	c.wake()
	c.queue, c.head, c.offset, c.bytes = nil, 0, 0, 0
	c.oldest.Store(0)
	if c.timer != nil {
		c.timer.Stop()
	}
}
