package runtime

// History: a room whose protocol has one keeps what it published last, and who was a member until its connection broke off, so
// that those who come back get exactly what they missed, or are told that they cannot.

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// maxAbsent is how many members that may come back a room remembers; the one that left first is forgotten for the next.
const maxAbsent = 10_000

// history belongs to a room and is guarded by its mu.
type history struct {
	limits HistoryLimits
	epoch  string
	kept   []kept // the oldest first; their numbers are contiguous
	bytes  int    // of kept
	absent map[string]absence
	left   []departure // in the order of leaving; entries may be of members that came back since
	trim   clock.Timer
}

// kept is a published message.
type kept struct {
	seq    uint64
	at     time.Time
	frame  *socket.Frame
	except string // session of the member that it was not for
}

// absence is a membership that a broken connection has interrupted.
type absence struct {
	userID string
	from   uint64 // number of the room when the membership began: nothing up to it was for this member
	left   time.Time
}

type departure struct {
	session string
	at      time.Time
}

func newHistory(limits HistoryLimits) *history {
	return &history{limits: limits, epoch: newToken(8), absent: make(map[string]absence)}
}

// newToken returns n random bytes in hexadecimal digits.
func newToken(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// add keeps a message.
func (h *history) add(k kept) {
	h.kept = append(h.kept, k)
	h.bytes += k.frame.Len()
	n := 0
	for len(h.kept)-n > h.limits.Messages || h.bytes > h.limits.Bytes && len(h.kept) > n {
		h.bytes -= h.kept[n].frame.Len()
		n++
	}
	h.drop(n)
}

// drop forgets the first n messages, whose bytes are not counted any more.
func (h *history) drop(n int) {
	clear(h.kept[:n])
	if h.kept = h.kept[n:]; len(h.kept) == 0 {
		h.kept = nil
	}
}

// expire forgets what is older than the limit, and returns when to look again; the zero time when nothing is kept.
func (h *history) expire(now time.Time) time.Time {
	old := now.Add(-h.limits.Age)
	n := 0
	for n < len(h.kept) && !h.kept[n].at.After(old) {
		h.bytes -= h.kept[n].frame.Len()
		n++
	}
	h.drop(n)
	n = 0
	for ; n < len(h.left) && !h.left[n].at.After(old); n++ {
		h.forget(h.left[n])
	}
	if h.left = h.left[n:]; len(h.left) == 0 {
		h.left = nil
	}
	var next time.Time
	if len(h.kept) > 0 {
		next = h.kept[0].at
	}
	if len(h.left) > 0 && (next.IsZero() || h.left[0].at.Before(next)) {
		next = h.left[0].at
	}
	if !next.IsZero() {
		next = next.Add(h.limits.Age)
	}
	return next
}

// forget forgets the member of a departure, unless it has come back and left again since.
func (h *history) forget(d departure) {
	if a, ok := h.absent[d.session]; ok && a.left.Equal(d.at) {
		delete(h.absent, d.session)
	}
}

// leave remembers a member whose connection broke off.
func (h *history) leave(session string, a absence) {
	h.absent[session] = a
	h.left = append(h.left, departure{session, a.left})
	if len(h.left) > maxAbsent {
		h.forget(h.left[0])
		h.left = h.left[1:]
	}
}

// keep takes a membership back that was not taken up after all. Its departure is known already.
func (h *history) keep(session string, a absence) { h.absent[session] = a }

// back returns the membership that a session may take up again. It can be had once.
func (h *history) back(session, userID string, now time.Time) (absence, bool) {
	a, ok := h.absent[session]
	if !ok || a.userID != userID || now.Sub(a.left) >= h.limits.Age {
		return absence{}, false
	}
	delete(h.absent, session)
	return a, true
}

// missed returns the messages behind a position, or why they cannot be had; seq is the number of the room's last message.
func (h *history) missed(p resume.Position, a absence, seq uint64) (list []kept, gap string) {
	first := seq + 1 - uint64(len(h.kept))
	switch {
	case p.Epoch != h.epoch:
		return nil, resume.Reset
	case p.Seq > seq || p.Seq < a.from:
		return nil, resume.Unknown
	case p.Seq+1 < first:
		return nil, resume.Expired
	}
	return h.kept[p.Seq+1-first:], ""
}

// remember keeps a message that was just numbered, and sees to it that it is forgotten. r.mu is held.
func (r *Room) remember(f *socket.Frame, except *Conn) {
	k := kept{seq: r.seq, at: r.srv.Clock.Now(), frame: f}
	if except != nil {
		k.except = except.sessionToken()
	}
	r.history.add(k)
	r.armTrim()
}

// armTrim sees to it that what is too old is forgotten although nothing happens. r.mu is held.
func (r *Room) armTrim() {
	h := r.history
	if h.trim != nil || r.closed || len(h.kept) == 0 && len(h.left) == 0 {
		return
	}
	h.trim = r.srv.Clock.AfterFunc(h.limits.Age, r.expireHistory)
}

func (r *Room) expireHistory() {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.history
	h.trim = nil
	now := r.srv.Clock.Now()
	if next := h.expire(now); !next.IsZero() && !r.closed {
		h.trim = r.srv.Clock.AfterFunc(next.Sub(now), r.expireHistory)
	}
}

// interrupted remembers that a member's connection broke off. It reports whether it may come back. r.mu is held.
func (r *Room) interrupted(c *Conn, m membership) {
	if session := c.sessionToken(); r.history != nil && session != "" {
		r.history.leave(session, absence{userID: c.UserID(), from: m.from, left: r.srv.Clock.Now()})
		r.armTrim()
	}
}

// awaited reports whether members may still come back.
func (r *Room) awaited() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.history != nil && len(r.history.absent) > 0
}
