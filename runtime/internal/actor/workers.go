package actor

import "sync"

// spare is how many goroutines wait at most.
const spare = 32

// Workers are the goroutines of mailboxes. A few that have nothing to do are kept: a new goroutine would have to grow its
// stack for each message. The zero value is ready; Close ends those that wait.
type Workers struct {
	mu     sync.Mutex
	idle   []*worker // the one that worked last is at the end
	closed bool
}

// worker is a goroutine that handles one mailbox after the other.
type worker struct{ next chan job }

// job is a mailbox with mail.
type job interface{ work() }

// run has a mailbox handled by a goroutine that waits, or by a new one.
func (w *Workers) run(j job) {
	w.mu.Lock()
	if last := len(w.idle) - 1; last >= 0 {
		one := w.idle[last]
		w.idle[last] = nil
		w.idle = w.idle[:last]
		w.mu.Unlock()
		one.next <- j // has room: it has taken what it had
		return
	}
	w.mu.Unlock()
	go w.serve(j)
}

func (w *Workers) serve(j job) {
	self := &worker{next: make(chan job, 1)}
	for ok := true; ok; j, ok = <-self.next {
		j.work()
		if !w.wait(self) {
			return
		}
	}
}

// wait adds a worker to those that wait; false when there are enough of them.
func (w *Workers) wait(self *worker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.idle) >= spare {
		return false
	}
	w.idle = append(w.idle, self)
	return true
}

// Close ends the goroutines that wait, and the others when they have done what they do. Mailboxes go on to be handled.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, one := range w.idle {
		close(one.next)
	}
	w.idle = nil
}
