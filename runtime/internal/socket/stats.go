package socket

import "sync/atomic"

// Stats counts what the sockets that share it did. All counters only grow, and may be read at any time.
type Stats struct {
	FramesOut, BytesOut atomic.Uint64 // that were written; control frames too, and headers
	Writes              atomic.Uint64 // system calls that wrote frames
	Blocked             atomic.Uint64 // writes that the kernel did not take at once
	Dropped, Replaced   atomic.Uint64 // frames of Droppable and Latest that were not sent
	Slow                atomic.Uint64 // connections closed because of their queue
}
