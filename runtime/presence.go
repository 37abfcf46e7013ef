package runtime

// Presence: the members of a room are told who else is there, as a message of the protocol.

import (
	"cmp"
	"slices"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/resume"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// PresenceType is how members are told of each other: by a generated message, to connections of the extended profile.
type PresenceType struct {
	Message *MessageType
	Limit   int // members up to which they are named; above it only their number is told
	// New returns the payload of Message.
	New func(p *Presence) any
}

// Presence is what members are told. A member that has just joined gets all Members; the others get who Joined and who
// Left. Above the limit all get the Count alone: a new member at once, the others at most once a second.
type Presence struct {
	Topic   string
	Count   int
	Members []PresentMember // all of them, when not nil
	Joined  []PresentMember
	Left    []int // ids of members
}

// PresentMember is a member of a room.
type PresentMember struct {
	ID     int // of the membership: unique in the room
	Claims any // as Authenticate returned them; nil for an anonymous connection
}

// presence is what the members have yet to be told. It belongs to a room and is guarded by its mu.
type presence struct {
	joined []*Conn
	left   []int
	told   int  // memberships up to this id were told of, or are over
	due    bool // the turn in which they are told is in the mailbox
	bare   bool // they were only told a number
	count  bool // the timer for the next number is set
}

// countInterval is how often members of a large room are told their number: who comes and goes there would cost a message to each
// of the others otherwise.
const countInterval = time.Second

// presenceJoined notes a new member. What comes in one after the other is told at once: the turn for it is behind the
// mail that waits already. r.mu is held.
func (r *Room) presenceJoined(c *Conn) {
	if r.srv.protocol.Sharding.Presence == nil {
		return
	}
	r.presence.joined = append(r.presence.joined, c)
	r.presenceDue()
}

// presenceLeft notes a member that is none any more. r.mu is held.
func (r *Room) presenceLeft(m membership) {
	if r.srv.protocol.Sharding.Presence == nil {
		return
	}
	r.presence.left = append(r.presence.left, m.id)
	r.presenceDue()
}

func (r *Room) presenceDue() {
	if !r.presence.due {
		r.presence.due = true
		r.mail.PostAlways(roomMail{task: taskPresence})
	}
}

// tellPresence tells the members what has changed. Those that were here before learn who came and went; those that came
// get the list.
func (r *Room) tellPresence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.srv.protocol.Sharding.Presence
	p := r.presence
	r.presence = presence{bare: len(r.members) > t.Limit, count: p.count, told: r.joins}
	if len(r.members) == 0 {
		return
	}
	change := &Presence{Topic: r.topic, Count: len(r.members)}
	switch {
	case r.presence.bare && p.bare:
		r.sendPresence(change, p.joined)
		r.countLater()
		return
	case r.presence.bare: // the number alone
	case p.bare:
		change.Members = r.present()
	default:
		change.Joined, change.Left = r.arrived(p.joined), p.gone()
		if len(change.Joined)+len(change.Left) == 0 {
			return // who came has gone already
		}
	}
	r.publishPresence(change)
	if r.presence.bare || p.bare || len(change.Joined) == 0 {
		return
	}
	r.sendPresence(&Presence{Topic: r.topic, Count: len(r.members), Members: r.present()}, p.joined)
}

// gone returns those who left, without those of whom nobody knows that they were here.
func (p *presence) gone() []int {
	return slices.DeleteFunc(p.left, func(id int) bool { return id > p.told })
}

// sendPresence tells some members. r.mu is held.
func (r *Room) sendPresence(p *Presence, list []*Conn) {
	if len(list) == 0 {
		return
	}
	frame := r.presenceFrame(p)
	for _, c := range list {
		if _, still := r.members[c]; still && c.v1 {
			r.sendAt(c, frame, resume.Position{}, 0)
		}
	}
}

// countLater sees to it that the members of a large room learn their number. r.mu is held.
func (r *Room) countLater() {
	switch {
	case r.presence.count || r.closed:
		return
	case r.counter == nil:
		r.counter = r.srv.Clock.AfterFunc(countInterval, func() { r.mail.PostAlways(roomMail{task: taskCount}) })
	default:
		r.counter.Reset(countInterval)
	}
	r.presence.count = true
}

// tellCount tells all members of a large room their number. A room that has become small meanwhile has told it.
func (r *Room) tellCount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.presence.count = false
	if r.presence.bare && len(r.members) > 0 {
		r.publishPresence(&Presence{Topic: r.topic, Count: len(r.members)})
	}
}

// arrived returns those of a list that are still members, once each.
func (r *Room) arrived(list []*Conn) []PresentMember {
	seen := make(map[int]bool, len(list))
	var out []PresentMember
	for _, c := range list {
		if m, ok := r.members[c]; ok && !seen[m.id] {
			seen[m.id] = true
			out = append(out, PresentMember{ID: m.id, Claims: c.Claims()})
		}
	}
	return out
}

// present returns all members in the order of joining.
func (r *Room) present() []PresentMember {
	out := make([]PresentMember, 0, len(r.members))
	for c, m := range r.members {
		out = append(out, PresentMember{ID: m.id, Claims: c.Claims()})
	}
	slices.SortFunc(out, func(a, b PresentMember) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (r *Room) publishPresence(p *Presence) {
	pub := &publication{v1: r.presenceFrame(p), v1Only: true}
	for _, o := range r.outlets {
		o.publish(pub)
	}
}

func (r *Room) presenceFrame(p *Presence) *socket.Frame {
	t := r.srv.protocol.Sharding.Presence
	return newFrame(nil, t.Message, t.New(p), r.topic, 0)
}
