package socket

// Liveness: what a hub checks on all its sockets from one timer.

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Liveness says when a silent connection is asked for a sign of life, and when it is given up.
type Liveness struct {
	Interval time.Duration // between pings; 0 or less: no pings
	Timeout  time.Duration // for an answer, which any byte is
	Message  time.Duration // from the begin of a message to its end; 0 or less: no limit
}

var errSilent = errors.New("no answer to a ping")

// Check is called by the hub every second or so, with the clock's time in UnixNano. It sends a ping when one is due, and ends a
// connection that gave no sign of life in time, whose message does not come to its end, or whose oldest frame waits too long.
// Who waits in Pause is not asked: the answer may be there, and nobody reads it. The first ping is sent after a random part of
// the interval, so that sockets of one moment do not stay in step.
func (s *Socket) Check(l Liveness, ping *Frame, now int64) {
	if s.closed.Load() != nil {
		return // there is a time limit for that already
	}
	if age := int64(s.out.options.Bounds.Age); age > 0 && s.out.waits(now-age) {
		s.CloseSlow(ReasonSlow)
		return
	}
	s.out.trim()
	if begun := s.reading.Load(); begun != 0 && l.Message > 0 && now-begun > int64(l.Message) {
		s.Close(CodePolicy, "the message took too long")
		return
	}
	if l.Interval <= 0 {
		return
	}
	if s.pinged != 0 {
		if !s.out.isPaused() && s.out.seen.Load() < s.pinged {
			if now-s.pinged > int64(l.Timeout) {
				s.abort("no answer to a ping", errSilent)
			}
			return
		}
		s.pinged = 0
	}
	if s.nextPing == 0 {
		s.nextPing = now + int64(l.Interval)/2 + rand.Int64N(int64(l.Interval)/2+1)
	}
	// With a full queue there is no ping: what waits is limited by its age.
	if now >= s.nextPing && s.out.push(ping, now, nil) {
		s.pinged, s.nextPing = now, now+int64(l.Interval)
		s.out.flush(nil)
	}
}
