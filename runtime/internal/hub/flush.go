package hub

// Flushing: each socket that was touched in a turn is written once.

import (
	"runtime"
	"sync"
)

// parallelFlush is the number of touched sockets from which on several cores write.
const parallelFlush = 128

// scratchSize is what one write takes at most.
const scratchSize = 64 << 10

func newScratch() any {
	b := make([]byte, 0, scratchSize)
	return &b
}

// flush writes all touched sockets, on several cores when they are many. The order of each socket's frames is fixed by
// then.
func (h *Hub) flush() {
	if len(h.dirty) == 0 {
		return
	}
	h.writes += len(h.dirty)
	if workers := runtime.GOMAXPROCS(0); len(h.dirty) >= parallelFlush && workers > 1 {
		h.flushParallel(workers)
	} else {
		flushAll(h.dirty, h.scratch)
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
}

// flushParallel shares the touched sockets out to workers, of which the loop is one.
func (h *Hub) flushParallel(workers int) {
	var wg sync.WaitGroup
	part := (len(h.dirty) + workers - 1) / workers
	rest := h.dirty
	for len(rest) > part {
		some := rest[:part]
		rest = rest[part:]
		wg.Go(func() {
			scratch := h.scratches.Get().(*[]byte)
			flushAll(some, *scratch)
			h.scratches.Put(scratch)
		})
	}
	flushAll(rest, h.scratch)
	wg.Wait()
}

func flushAll(members []*Member, scratch []byte) {
	for _, m := range members {
		m.dirty = false
		m.Socket.Flush(scratch)
	}
}
