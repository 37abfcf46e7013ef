package socket

import "sync/atomic"

// Stats counts what the sockets that share it did. All counters only grow, and may be read at any time.
type Stats struct {
	FramesIn, FramesOut atomic.Uint64 // messages that were read; frames, control frames too, that were written
	BytesIn, BytesOut   atomic.Uint64 // of messages without their headers; of frames with them
	Writes              atomic.Uint64 // system calls that wrote frames
	Blocked             atomic.Uint64 // writes that the kernel did not take at once
	Dropped, Replaced   atomic.Uint64 // frames of Droppable and Latest that were not sent
	Slow                atomic.Uint64 // connections closed because of their queue
}
