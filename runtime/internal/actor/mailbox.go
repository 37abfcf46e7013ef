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
	head  int  // queue[:head] is handled
	busy  bool // the goroutine is running
}

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
	if limit > 0 && len(m.queue)-m.head >= limit {
		return false
	}
	m.queue = append(m.queue, mail)
	if !m.busy {
		m.busy = true
		m.workers.run(m)
	}
	return true
}

// Take takes the mail that waits and that f wants out, the oldest first; what is being handled does not wait any more.
func (m *Mailbox[T]) Take(f func(T) bool) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken, left []T
	for _, mail := range m.queue[m.head:] {
		if f(mail) {
			taken = append(taken, mail)
		} else {
			left = append(left, mail)
		}
	}
	m.queue, m.head = left, 0
	return taken
}

// Idle reports whether nothing waits and nothing is being handled.
func (m *Mailbox[T]) Idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.busy
}

// Len returns how much mail waits; what is being handled does not count.
func (m *Mailbox[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue) - m.head
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
	if m.head == len(m.queue) {
		m.busy = false
		if m.queue, m.head = m.queue[:0], 0; cap(m.queue) > kept {
			m.queue = nil
		}
		return mail, false
	}
	mail = m.queue[m.head]
	var none T
	m.queue[m.head] = none
	m.head++
	if m.head > 64 && m.head > len(m.queue)/2 { // it has not been empty for long
		n := copy(m.queue, m.queue[m.head:])
		clear(m.queue[n:])
		m.queue, m.head = m.queue[:n], 0
	}
	return mail, true
}
