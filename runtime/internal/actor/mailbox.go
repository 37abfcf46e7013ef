// Package actor runs what is sent to one place one at a time, in order, on a goroutine that lives only while there is
// something to do.
package actor

import "sync"

// Mailbox holds mail until it is handled. Its methods are safe for concurrent use; handle is called for one piece of mail
// at a time.
type Mailbox[T any] struct {
	handle  func(T)
	limit   int
	workers *Workers

	mu    sync.Mutex
	queue []T
	head  int // queue[:head] is handled
	stage stage
}

// stage is how far the goroutine has come.
type stage uint8

const (
	idle     stage = iota // it does not run
	between               // it has nothing in its hands
	looking               // handle has been called with queue[head]
	handling              // and acts on it
)

// kept is how much mail an idle mailbox has room for: enough not to make a new queue for each.
const kept = 4

// Init sets whose goroutines handle the mail, how, and how much of it may wait; a limit of 0 or less is none. It is called once,
// before use.
func (m *Mailbox[T]) Init(workers *Workers, limit int, handle func(T)) {
	m.workers, m.limit, m.handle = workers, limit, handle
}

// Post adds mail and returns true, or returns false when the mailbox is full.
func (m *Mailbox[T]) Post(mail T) bool { return m.post(mail, m.limit) }

// PostAlways adds mail even when the mailbox is full: for what must not be lost and comes in bounded numbers.
func (m *Mailbox[T]) PostAlways(mail T) { m.post(mail, 0) }

func (m *Mailbox[T]) post(mail T, limit int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit > 0 && m.waiting() >= limit {
		return false
	}
	m.queue = append(m.queue, mail)
	if m.stage == idle {
		m.stage = between
		m.workers.run(m)
	}
	return true
}

// waiting returns how much mail waits. The lock is held.
func (m *Mailbox[T]) waiting() int {
	if m.stage >= looking {
		return len(m.queue) - m.head - 1
	}
	return len(m.queue) - m.head
}

// Begin is for handle: it acts on its mail from here on, and Take leaves it. It returns false when Take has it already.
func (m *Mailbox[T]) Begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stage < looking {
		return false
	}
	m.stage = handling
	return true
}

// Taken is for handle: it reports whether Take has its mail.
func (m *Mailbox[T]) Taken() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stage == between
}

// Take takes the mail out that f wants, the oldest first: what waits, and what handle was called with, unless Begin was called for it.
func (m *Mailbox[T]) Take(f func(T) bool) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken, left []T
	for i, mail := range m.queue[m.head:] {
		switch {
		case i == 0 && m.stage == handling || !f(mail):
			left = append(left, mail)
			continue
		case i == 0 && m.stage == looking:
			m.stage = between
		}
		taken = append(taken, mail)
	}
	m.queue, m.head = left, 0
	return taken
}

// Idle reports whether nothing waits and nothing is being handled.
func (m *Mailbox[T]) Idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stage == idle
}

// Len returns how much mail waits; what is being handled does not count.
func (m *Mailbox[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting()
}

// work handles the mail until there is none.
func (m *Mailbox[T]) work() {
	for {
		mail, ok := m.next()
		if !ok {
			return
		}
		m.handle(mail)
	}
}

// next takes the oldest mail; false when there is none, and the goroutine ends.
func (m *Mailbox[T]) next() (mail T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stage >= looking {
		var none T
		m.queue[m.head] = none
		m.head++
	}
	if m.stage = between; m.head == len(m.queue) {
		m.stage = idle
		if m.queue, m.head = m.queue[:0], 0; cap(m.queue) > kept {
			m.queue = nil
		}
		return mail, false
	}
	if m.head > 64 && m.head > len(m.queue)/2 { // it has not been empty for long
		n := copy(m.queue, m.queue[m.head:])
		clear(m.queue[n:])
		m.queue, m.head = m.queue[:n], 0
	}
	m.stage = looking
	return m.queue[m.head], true
}
