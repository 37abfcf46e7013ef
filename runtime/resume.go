package runtime

// Resume: a client that lost its connection names its session and how far it had come in its rooms, and becomes a member
// of them again, without a gap and without a message twice, or is told that this cannot be.

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strings"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// ResumeHandler is implemented by room handlers that want to know of members that come back after their connection broke
// off: OnLeave was called for them, with Disconnected. OnResume runs in the room's turn, before the connection is a member
// again; an error refuses it.
type ResumeHandler interface {
	OnResume(ctx context.Context, c *Conn) error
}

// returning is a client that wants to be a member of a room again.
type returning struct {
	conn    *Conn
	old     *Conn // the connection that it had before, if that is still here
	session string
	from    resume.Position

	kind  int
	topic string
	order uint64 // among the messages of this node, in a cluster
	link  *link  // of a client of another node; nil: it is here
}

// resumePayload is the codec of TypeResume.
var resumePayload = &Payload{Decode: func(d *codec.Decoder) any { return resume.DecodeRequest(d) }}

// beginSession gives a connection of the extended profile its session.
func (c *Conn) beginSession() {
	s := c.srv
	if !c.v1 || s.protocol.Sharding.History == nil {
		return
	}
	c.setSession(newToken(resume.SessionLen / 2))
	c.sendSession()
}

func (c *Conn) sendSession() {
	session := resume.Session{Session: c.sessionToken()}
	c.send(controlFrame(resume.TypeSession, "", 0, func(w *jx.Writer) { resume.EncodeSession(w, &session) }))
}

// sessionToken returns the secret by which the client may come back; empty when it may not.
func (c *Conn) sessionToken() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// setSession makes the connection the one of a session.
func (c *Conn) setSession(session string) {
	s, user := c.srv, c.UserID()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := s.sessionKey(user, c.session); s.sessions[old] == c {
		delete(s.sessions, old)
	}
	c.session = session
	if _, open := s.conns[c]; open || c.remote != nil && !c.closing {
		s.sessions[s.sessionKey(user, session)] = c
	}
}

// sessionKey stands for a session of a user in the map of all: a hash takes a third of the room that the two of them would.
func (s *Server) sessionKey(userID, token string) uint64 {
	return maphash.Comparable(s.seed, [2]string{userID, token})
}

// holder returns the connection of a session; nil when it has none. Nobody but its user gets anything by knowing its token.
func (s *Server) holder(userID, token string) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.sessions[s.sessionKey(userID, token)]
	if c == nil || c.UserID() != userID || c.sessionToken() != token {
		return nil
	}
	return c
}

// resume handles TypeResume on the reader's goroutine. The rooms answer in their turns; messages that the client sends
// behind it are handled behind that.
func (c *Conn) resume(req *resume.Request) {
	s := c.srv
	if s.protocol.Sharding.History == nil {
		// Another version had some when the client was here before: it must not go on to believe that it is a member.
		for _, room := range req.Rooms {
			c.sendLeft(room.Topic, codeAndText(errNotResumable(room.Topic)))
		}
		return
	}
	if c.resumed {
		c.refuse(nil, new(frame), Errorf(CodeFailedPrecondition, "a connection may resume once, before it joins a room"))
		return
	}
	c.resumed = true
	old := s.holder(c.UserID(), req.Session)
	if old == c {
		old = nil
	}
	c.setSession(req.Session)
	c.sendSession()
	if old != nil {
		old.replaced()
	}
	for _, room := range req.Rooms {
		c.resumeRoom(&returning{conn: c, old: old, session: req.Session, from: room.Position, topic: room.Topic})
	}
}

// replaced ends a connection whose client has another one. Its memberships go over to that, or end with it.
func (c *Conn) replaced() {
	c.Close(CloseReplaced, "resumed by another connection")
}

// resumeRoom asks one room.
func (c *Conn) resumeRoom(m *returning) {
	kind, key, _ := strings.Cut(m.topic, ":")
	i, ok := c.srv.kinds[kind]
	err := error(errNotResumable(m.topic))
	m.kind = i
	c.expect(m.topic)
	if ok && key != "" {
		err = c.srv.backplane.resume(m)
	}
	if err != nil {
		m.done(err)
	}
}

// done ends the way back; an error is for the client. It is called once.
func (m *returning) done(err error) {
	if err != nil {
		m.conn.sendLeft(m.topic, codeAndText(err))
	}
	if m.link != nil {
		m.link.resumed(err)
		return
	}
	m.conn.settled(m.topic)
}

func errNotResumable(topic string) *Error {
	return Errorf(CodeNotFound, "%s does not know this member: join again", topic)
}

// codeAndText returns what a client may know of an error.
func codeAndText(err error) resume.Left {
	e := Errorf(CodeInternal, "internal error")
	if own, ok := asError(err); ok {
		e = own
	}
	return resume.Left{Code: string(e.code), Message: e.message}
}

// welcomeBack makes a client a member again. It is a turn of the room.
func (r *Room) welcomeBack(m *returning) {
	c := m.conn
	err := r.rejoin(m)
	if err != nil {
		if _, own := asError(err); !own {
			r.srv.report(r.ctx, c, err, slog.String("topic", r.topic))
		}
	}
	m.done(err)
}

func (r *Room) rejoin(m *returning) error {
	if r.state == roomNew {
		if !r.restorable() {
			r.discard()
			return errNotResumable(r.topic)
		}
		r.open()
	}
	if r.state != roomOpen {
		return r.openErr
	}
	if m.old != nil {
		r.left(m.old, Disconnected)
	}
	c := m.conn
	if r.Has(c) {
		if m.link == nil {
			return nil
		}
		r.left(c, Disconnected) // what said so to its node has gone by: it asks again
	}
	r.mu.Lock()
	a, ok := r.history.back(m.session, c.UserID(), r.srv.Clock.Now())
	r.mu.Unlock()
	if !ok {
		return errNotResumable(r.topic)
	}
	err := r.mayComeBack(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.takeBack(c, m.from, a)
	}
	if err != nil { // such as that this connection has ended: the next one may have the membership
		r.history.keep(m.session, a)
	}
	return err
}

// mayComeBack asks the program whether a member may be one again.
func (r *Room) mayComeBack(c *Conn) error {
	if r.srv.Authorize != nil {
		if err := c.authorize(c.ctx, &Op{Kind: OpResume, Topic: r.topic}); err != nil {
			return err
		}
	}
	if r.srv.OnResume == nil {
		return nil
	}
	return guard(func() error { return r.srv.OnResume(r.ctx, r.handler, c) })
}

// discard forgets a room that was made for a client to come back to, and that has nobody to come back to it. Where others wait for the
// room by now, theirs is the next turn, and opens it.
func (r *Room) discard() {
	if r.shard.forgetIdle(r) {
		r.state, r.openErr = roomRefused, errNotResumable(r.topic)
		r.stop()
	}
}

// takeBack makes one a member again that was away, and sends it what it missed, or tells it that it has to read the room anew. r.mu is
// held.
func (r *Room) takeBack(c *Conn, at resume.Position, a absence) error {
	missed, gap := r.history.missed(at, a, r.seq)
	if gap != "" {
		r.srv.stats.gaps.Add(1)
		return r.admit(c, r.seq, welcome{seq: r.seq, frame: r.gapFrame(gap)})
	}
	// Nothing up to the position was lost: a membership that is interrupted again begins where this one did.
	if err := r.admit(c, a.from, r.welcome(c, at.Seq)); err != nil {
		return err
	}
	r.resend(c, missed)
	r.srv.stats.resumed.Add(1)
	r.srv.stats.replayed.Add(uint64(len(missed)))
	return nil
}

// gapFrame tells a member that it has missed something, and goes on from here. r.mu is held.
func (r *Room) gapFrame(reason string) *socket.Frame {
	g := &resume.Gap{Position: resume.Position{Epoch: r.history.epoch, Seq: r.seq}, First: r.seq + 1 - uint64(len(r.history.kept)), Reason: reason}
	return controlFrame(resume.TypeGap, r.topic, 0, func(w *jx.Writer) { resume.EncodeGap(w, g) })
}

// resend sends a member what it missed.
func (r *Room) resend(c *Conn, missed []kept) {
	for _, k := range missed {
		if session := k.except; session != "" && session == c.sessionToken() {
			r.sendPosition(c, k.seq)
		} else {
			r.sendAt(c, k.frame, resume.Position{Epoch: r.numbering(), Seq: k.seq}, 0)
		}
	}
}

// sendPosition moves a member past a message that is not for it.
func (r *Room) sendPosition(c *Conn, seq uint64) {
	r.sendAt(c, controlFrame(resume.TypePosition, r.topic, seq, nil), resume.Position{Epoch: r.numbering(), Seq: seq}, 0)
}

// sendAt sends one connection a frame that moves it to a position; the zero one: it does not.
func (r *Room) sendAt(c *Conn, f *socket.Frame, at resume.Position, flags uint64) {
	if c.remote != nil {
		c.remote.sendOf(r, c, f, at, flags)
		return
	}
	c.send(f)
}

// sendLeft tells a client that it is no member; why is empty when it knows.
func (c *Conn) sendLeft(topic string, why resume.Left) {
	c.send(leftFrame(topic, why))
}

func leftFrame(topic string, why resume.Left) *socket.Frame {
	return controlFrame(resume.TypeLeft, topic, 0, func(w *jx.Writer) { resume.EncodeLeft(w, &why) })
}

// tracks reports whether a connection is told of its positions.
func (r *Room) tracks(c *Conn) bool { return r.history != nil && c.v1 }

// controlFrame returns a frame of the protocol itself. payload is nil when it has none.
func controlFrame(name, topic string, seq uint64, payload func(w *jx.Writer)) *socket.Frame {
	return encode(socket.Reliable, "", func(w *jx.Writer) {
		var write func(*jx.Writer, any)
		if payload != nil {
			write = func(w *jx.Writer, _ any) { payload(w) }
		}
		envelope.Append(w, &envelope.Header{Type: name, Room: topic, Seq: seq}, write, nil)
	})
}
