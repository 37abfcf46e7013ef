package socket

import "sync"

// buffers holds read buffers between messages, for all sockets of the process.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 1<<10)
	return &b
}}
