package runtime

// How a slot comes to this node and goes, with its rooms.

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"

	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/resume"
)

// arrival are members of a room on one node, of which the room may not know: it is new, or the link to that node is.
type arrival struct {
	peer cluster.Peer    // zero: this node
	list []*Conn         // of one room
	at   resume.Position // up to which they have had what was published
}

// open takes a slot: its rooms are here from now on. First they meet the members that this node has, then they get what has waited
// for an owner, and then what comes.
func (m *mesh) open(slot int, epoch uint64) {
	s, sh := &m.slots[slot], m.srv.shards[slot]
	for _, r := range sh.all() { // it stayed open: the slot could not be given away
		r.retreat() // as the rest of what came while the slot was shut
	}
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.mine, s.route, s.leaves = true, m.node.Route(slot), nil
	sh.mu.Lock()
	again := sh.epoch == epoch
	sh.epoch = epoch
	for topic, b := range s.branches {
		for at, list := range b.dissolve() {
			sh.welcome(b.kind, topic, &arrival{list: list, at: at})
		}
	}
	for _, r := range sh.rooms {
		r.yielding.Store(false)
	}
	sh.mu.Unlock()
	m.gather(s, epoch)
	var failed []failure
	if s.waits.Store(len(s.sent) > 0); len(s.sent) == 0 { // else what was sent elsewhere comes first
		failed = m.deliverHeld(s)
	}
	sh.mu.Lock()
	sh.away.Store(false)
	sh.mu.Unlock()
	s.mu.Unlock()
	for _, f := range failed {
		f.errand.fail(f.err)
	}
	if again {
		m.recall(slot, epoch)
	}
}

// recall has gateways name their members of a slot that was not given away after all: some of its rooms may have closed. Those that were
// sent something back do it by themselves.
func (m *mesh) recall(slot int, epoch uint64) {
	for _, p := range m.peerList() {
		p.mu.Lock()
		greeted := p.greets[uint64(slot)] == epoch
		p.mu.Unlock()
		if greeted {
			m.tell(p.peer, &wire.Frame{Kind: wire.Audit, Slot: uint64(slot), Epoch: epoch})
		}
	}
}

// shut keeps messages from coming into a slot, and returns the rooms that are open.
func (m *mesh) shut(slot int) []*Room {
	s, sh := &m.slots[slot], m.srv.shards[slot]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mine, s.route, s.synced = false, cluster.Route{}, 0
	s.waits.Store(false)
	sh.mu.Lock()
	sh.away.Store(true)
	sh.mu.Unlock()
	m.disperse(s)
	return sh.all()
}

// retire takes nothing for a slot any more, because the server ends: what other nodes have for it waits for its next owner.
func (m *mesh) retire(slot int) {
	m.slots[slot].end(m)
	m.shut(slot)
}

// lose drops a slot: somebody else may own it.
func (m *mesh) lose(slot int) {
	rooms, sh := m.shut(slot), m.srv.shards[slot]
	for _, r := range rooms {
		r.lost.Store(true)
		sh.forget(r) // the slot may come back before its last turn
		r.retreat()  // at once: what comes behind must not overtake it when a handler takes long
		r.mail.PostAlways(roomMail{task: taskClose})
	}
}

// yield makes a slot ready to be given away: its rooms are saved and closed.
func (m *mesh) yield(ctx context.Context, slot int) error {
	rooms := m.shut(slot)
	var closed sync.WaitGroup
	for _, r := range rooms {
		r.yielding.Store(true)
		closed.Add(1)
		r.mail.PostAlways(roomMail{task: taskYield, done: closed.Done})
	}
	done := make(chan struct{})
	go func() {
		closed.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for _, r := range rooms {
		if r.yielding.Load() && !r.isClosed() {
			return errors.New("a room could not be saved")
		}
	}
	if m.slots[slot].unsaved.Load() { // whoever takes the slot is to know that something is lost
		return errors.New("a room has closed that could not be saved")
	}
	return nil
}

// moved is called when a slot has another owner.
func (m *mesh) moved(slot int) {
	s := &m.slots[slot]
	s.mu.Lock()
	if !s.mine {
		s.route = m.node.Route(slot)
		if s.route.Owner == m.node.Self() {
			s.route = cluster.Route{} // open says when it is ready
		}
	}
	s.mu.Unlock()
	m.advance(s)
}

// welcome lets a room meet members, in its turn. sh.mu is held.
func (sh *shard) welcome(kind int, topic string, a *arrival) {
	r, err := sh.open(kind, topic)
	if err != nil {
		e, _ := asError(err)
		for _, c := range a.list {
			sh.banish(c, topic, e)
		}
		return
	}
	r.pending.Add(1)
	r.mail.PostAlways(roomMail{sync: a})
}

// banish tells a member that its room does not take it over.
func (sh *shard) banish(c *Conn, topic string, why *Error) {
	frame := c.errorFrame(false, "", why)
	if c.v1 && c.srv.protocol.Sharding.History != nil {
		frame = leftFrame(topic, codeAndText(why))
	}
	c.mu.Lock()
	if i := c.seatAt(topic); i >= 0 {
		c.rooms = append(c.rooms[:i:i], c.rooms[i+1:]...)
		c.moves++
	}
	c.mu.Unlock()
	if c.remote != nil {
		left := &wire.Frame{Kind: wire.Left, Slot: uint64(sh.id), Epoch: sh.epoch, Conn: c.id, Topic: topic}
		if frame != nil {
			left.Frame = frame.Payload()
		}
		sh.srv.mesh.tell(c.remote.peer, left)
	} else if frame != nil {
		c.send(frame)
	}
}

// mayAct reports whether a room may do what a piece of mail wants. While the node's lease does not hold it waits: either the lease
// holds again, and nobody else has had the slot, or the room is lost.
func (r *Room) mayAct(mail *roomMail) bool {
	if r.lost.Load() {
		return false
	}
	if r.yielding.Load() && (mail.in != nil || mail.back != nil || mail.sync != nil || mail.pub != nil) {
		return false
	}
	node := r.srv.mesh.node
	if node.Alive() || r.state == roomRefused { // which does nothing but say no, and what comes goes to another room
		return true
	}
	return node.Await(r.shard.id, r.epoch) && !r.lost.Load()
}

// ready is mayAct for a room that is open, or for which there is no way to be: opening it may take longer than the lease.
func (r *Room) ready(m *roomMail) bool {
	if !r.mayAct(m) {
		return false
	}
	if r.state != roomNew || m.in == nil && m.sync == nil && (m.back == nil || !r.restorable()) {
		return m.back == nil || r.mayAct(m)
	}
	r.open()
	return r.mayAct(m)
}

// silent reports whether nothing of the room may be seen: it is not certain that it is this node's.
func (r *Room) silent() bool {
	m := r.srv.mesh
	return m != nil && (r.lost.Load() || !m.node.Alive())
}

// forsake deals with mail of a room that goes to another owner, or has gone.
func (r *Room) forsake(m roomMail) {
	switch {
	case m.in != nil, m.back != nil, m.pub != nil:
		r.giveUp()
	case m.sync != nil: // their node tells the next owner
		r.pending.Add(-1)
		if m.sync.peer == (cluster.Peer{}) {
			r.srv.mesh.adopt(r, m.sync)
		}
	case m.leave != nil:
		r.remove(m.leave, m.cause)
	}
	if r.lost.Load() {
		r.abandon()
	}
	if m.done != nil {
		m.done()
	}
}

// retreat sends all messages, publications and clients that come back, and that no handler has yet, to the next owner, in
// order. When it returns they are on their way, whoever has sent them.
func (r *Room) retreat() {
	r.retreats.Lock()
	defer r.retreats.Unlock()
	r.bounce()
}

// giveUp is retreat for a turn that must not act on its mail; unless somebody has taken that already, in which case what is in the mailbox
// may be of later, when the slot was here again.
func (r *Room) giveUp() {
	r.retreats.Lock()
	defer r.retreats.Unlock()
	if !r.mail.Taken() {
		r.bounce()
	}
}

// bounce is retreat. r.retreats is held.
func (r *Room) bounce() {
	for _, m := range r.mail.Take(func(m roomMail) bool { return m.in != nil || m.back != nil || m.pub != nil }) {
		switch {
		case m.in != nil:
			m.in.bounce()
		case m.back != nil:
			m.back.bounce()
		default:
			r.pending.Add(-1)
			m.pub.bounce(r.srv.mesh)
		}
	}
}

// abandon ends a room that was lost. Nothing is saved: its next owner has begun with what was saved before.
func (r *Room) abandon() {
	if r.state == roomClosed {
		return
	}
	r.close()
}

// yield saves and closes a room whose slot is given away. One that cannot be saved stays open.
func (r *Room) yield() {
	if r.state == roomClosed || !r.yielding.Load() { // the slot stays here: this took too long
		return
	}
	open := r.state == roomOpen
	switch saved := !open || r.saveLast(); {
	case saved && r.shard.forgetYielding(r):
		r.close()
	case open: // it stays here after all
		r.goOn(saved)
	}
}

// forgetYielding is forget for a room whose slot is being given away. It reports whether that is so still.
func (sh *shard) forgetYielding(r *Room) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !r.yielding.Load() {
		return false
	}
	sh.drop(r)
	return true
}

// close ends a room that goes on elsewhere: its members stay members, of a room of another node.
func (r *Room) close() {
	r.finish()
	r.mu.Lock()
	at := resume.Position{Epoch: r.numbering(), Seq: r.seq}
	var here []*Conn
	for c := range r.members {
		r.shard.dismiss(c)
		r.srv.stats.members.Add(-1)
		if c.remote == nil {
			r.outlet(c).leave(c, nil)
			here = append(here, c)
		} else {
			c.exit(r)
		}
	}
	clear(r.members)
	r.mu.Unlock()
	if len(here) > 0 {
		r.srv.mesh.adopt(r, &arrival{list: here, at: at})
	}
}

// isClosed reports whether the room's last turn is over.
func (r *Room) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// numbering names what the room's numbers count: those of another room of the same topic mean something else.
func (r *Room) numbering() string {
	if r.history != nil {
		return r.history.epoch
	}
	return strconv.FormatUint(r.epoch, 16)
}

// meet makes those members that came from another owner, or whose node has a new link, and gives them what they have missed.
func (r *Room) meet(a *arrival) {
	if r.state == roomNew {
		r.open()
	}
	refused := r.openErr
	if r.state == roomOpen {
		refused = nil
	}
	if refused != nil {
		e, ok := asError(refused)
		if !ok {
			r.srv.report(r.ctx, nil, refused, slog.String("topic", r.topic))
			e = Errorf(CodeInternal, "internal error")
		}
		for _, c := range a.list {
			r.shard.banish(c, r.topic, e)
		}
		return
	}
	var fresh []*Conn
	for _, c := range a.list {
		if !r.Has(c) && r.greet(c) {
			fresh = append(fresh, c)
		}
	}
	r.mu.Lock()
	r.takeOver(a, fresh)
	r.mu.Unlock()
	r.active = r.srv.Clock.Now()
	r.armIdle()
	r.armSave()
}

// greet asks the handler whether one of them may be a member; one that may not knows it.
func (r *Room) greet(c *Conn) bool {
	if r.srv.OnResume == nil {
		return true
	}
	err := guard(func() error { return r.srv.OnResume(r.ctx, r.handler, c) })
	if err != nil {
		r.turnAway(c, err)
	}
	return err == nil
}

// turnAway tells a connection that it is no member any more.
func (r *Room) turnAway(c *Conn, err error) {
	if c.ended() {
		return
	}
	e, ok := asError(err)
	if !ok {
		r.srv.report(r.ctx, c, err, slog.String("topic", r.topic))
		e = Errorf(CodeInternal, "internal error")
	}
	r.shard.banish(c, r.topic, e)
}

// takeOver makes connections members, and gives them what they have missed. Nothing is published between the two. r.mu is held.
func (r *Room) takeOver(a *arrival, fresh []*Conn) {
	var members []*Conn
	for _, c := range a.list { // one that is a member already lacks what has come to its node since that said so
		if _, member := r.members[c]; member {
			members = append(members, c)
		}
	}
	for _, c := range fresh {
		from := absence{from: a.at.Seq}
		if r.history != nil {
			if known, ok := r.history.back(c.sessionToken(), c.UserID(), r.srv.Clock.Now()); ok {
				from = known
			}
		}
		if err := r.admit(c, min(from.from, r.seq), welcome{seq: r.seq, known: true}); err != nil {
			r.turnAway(c, err)
			continue
		}
		members = append(members, c)
	}
	r.catchUp(a, members)
	if a.peer != (cluster.Peer{}) {
		r.tellSynced(a.peer, a.list)
	}
}

// tellSynced tells a gateway up to where its members have what was published. r.mu is held.
func (r *Room) tellSynced(peer cluster.Peer, list []*Conn) {
	r.srv.mesh.tell(peer, &wire.Frame{Kind: wire.Synced, Slot: uint64(r.shard.id), Epoch: r.epoch, Topic: r.topic,
		Position: r.numbering(), Seq: r.seq, Conns: r.known(list)})
}

// known returns the ids of those connections that are members. r.mu is held.
func (r *Room) known(list []*Conn) []wire.ConnID {
	ids := make([]wire.ConnID, 0, len(list))
	for _, c := range list {
		if _, member := r.members[c]; member {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// catchUp sends members what was published behind the position of their node, or tells them that something is missing. r.mu is held.
func (r *Room) catchUp(a *arrival, members []*Conn) {
	h := r.history
	if h == nil || len(members) == 0 {
		return
	}
	missed, gap := h.missed(a.at, absence{}, r.seq)
	for _, c := range members {
		switch {
		case !c.v1:
		case gap != "":
			r.sendAt(c, r.gapFrame(gap), resume.Position{Epoch: h.epoch, Seq: r.seq}, wire.Begins)
			r.srv.stats.gaps.Add(1)
		default:
			r.resend(c, missed)
		}
	}
}
