package runtime

// The life of a room: how it opens, how long it stays empty, and how it ends.

import (
	"context"
	"log/slog"
)

// RoomCloseHandler is implemented by room handlers that want to know when their room closes: it was empty for the idle
// time, or the server drains. OnClose is the room's last turn.
type RoomCloseHandler interface {
	OnClose(ctx context.Context)
}

// open makes the handler. When that fails the room is forgotten, and all that wait for it learn why.
func (r *Room) open() {
	err := r.load()
	if err == nil {
		err = guard(func() (err error) {
			r.handler, err = r.srv.OpenRoom[r.kind](r.ctx, r)
			if err == nil && isNil(r.handler) {
				err = Errorf(CodeNotFound, "there is no %s", r.topic)
			}
			return err
		})
	}
	if err == nil {
		err = r.restore()
	}
	r.pending.Add(-1)
	if err == nil {
		r.state = roomOpen
		return
	}
	r.state, r.openErr = roomRefused, err
	r.shard.forget(r)
	r.stop()
}

// armIdle sees to it that an empty room closes after the idle time.
func (r *Room) armIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := r.srv.settings.idle
	if len(r.members) > 0 || r.closed || idle < 0 {
		return
	}
	if r.idle == nil {
		r.idle = r.srv.Clock.AfterFunc(idle, func() { r.mail.PostAlways(roomMail{task: taskIdle}) })
	} else {
		r.idle.Reset(idle)
	}
}

func (r *Room) closeIdle() {
	switch {
	case r.state != roomOpen || r.Len() > 0:
	case r.srv.Clock.Now().Sub(r.active) < r.srv.settings.idle, r.awaited():
		r.armIdle() // it was used meanwhile, or somebody may come back
	case !r.saveLast():
		r.goOn(false)
		r.armIdle() // what is not saved is not thrown away
	case r.shard.forgetIdle(r):
		r.finish()
	default:
		r.goOn(true)
		r.armIdle()
	}
}

// shut lets nobody in any more, unless somebody is here: a program may make members at any time, from any goroutine.
func (r *Room) shut() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.members) > 0 {
		return false
	}
	r.closed = true
	return true
}

// end closes the room, whatever is in it.
func (r *Room) end() {
	if r.state == roomOpen && !r.saveLast() {
		r.srv.unsaved.Add(1)
		if r.srv.mesh != nil {
			r.srv.mesh.slot(r.topic).unsaved.Store(true)
		}
	}
	r.finish()
}

// finish is the last turn that the handler sees.
func (r *Room) finish() {
	if r.state == roomOpen {
		if h, ok := r.handler.(RoomCloseHandler); ok {
			if err := guard(func() error { h.OnClose(r.ctx); return nil }); err != nil {
				r.srv.report(r.ctx, nil, err, slog.String("topic", r.topic))
			}
		}
	}
	if r.state != roomClosed {
		r.state, r.openErr = roomClosed, Errorf(CodeUnavailable, "the room is closed")
		r.shard.forget(r)
		r.stop()
	}
}

// stop stops the timers of a room that nobody can reach any more.
func (r *Room) stop() {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.idle != nil {
		r.idle.Stop()
	}
	if r.counter != nil {
		r.counter.Stop()
	}
	if r.history != nil && r.history.trim != nil {
		r.history.trim.Stop()
	}
	for t := range r.timers {
		t.timer.Stop()
	}
	r.timers = nil
	r.persistence.stop()
}
