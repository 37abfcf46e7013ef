// Package actor runs what is sent to one place one at a time, in order, on a goroutine that lives only while there is
// something to do.
package actor

import "sync"

// Mailbox holds mail until it is handled. Its methods are safe for concurrent use; handle is called for one piece of mail
// at a time.
type Mailbox[T any] struct {
	handle func(T)
	limit  int

	mu    sync.Mutex
	queue []T
	busy  bool // the goroutine is running
}

// Init sets what handles the mail and how much of it may wait; a limit of 0 or less is none. It is called once, before use.
func (m *Mailbox[T]) Init(limit int, handle func(T)) { m.limit, m.handle = limit, handle }

// Post adds mail and returns true, or returns false when the mailbox is full.
func (m *Mailbox[T]) Post(mail T) bool { return m.post(mail, m.limit) }

// PostAlways adds mail even when the mailbox is full: for what must not be lost and comes in bounded numbers.
func (m *Mailbox[T]) PostAlways(mail T) { m.post(mail, 0) }

func (m *Mailbox[T]) post(mail T, limit int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit > 0 && len(m.queue) >= limit {
		return false
	}
	m.queue = append(m.queue, mail)
	if !m.busy {
		m.busy = true
		go m.run()
	}
	return true
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
	return len(m.queue)
}

func (m *Mailbox[T]) run() {
	for {
		m.mu.Lock()
		if len(m.queue) == 0 {
			m.busy = false
			m.queue = nil
			m.mu.Unlock()
			return
		}
		mail := m.queue[0]
		var none T
		m.queue[0] = none
		m.queue = m.queue[1:]
		m.mu.Unlock()
		m.handle(mail)
	}
}
