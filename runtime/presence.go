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

// Presence is what members are told. A member that has just joined gets all Members, itself among them; the others get who
// Joined and who Left. Above the limit all get the Count alone: a new member at once, the others at most once a second.
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
	change, came := &Presence{Topic: r.topic, Count: len(r.members)}, r.arrived(p.joined)
	switch {
	case r.presence.bare && p.bare:
		r.sendPresence(change, came)
		r.countLater()
	case r.presence.bare: // the number alone
		r.publishPresence(change, nil)
	case p.bare:
		change.Members = r.present()
		r.publishPresence(change, nil)
	default:
		change.Joined, change.Left = r.named(came), p.gone()
		if len(change.Joined)+len(change.Left) == 0 {
			return // who came has gone already
		}
		r.tellOthers(change, came)
		r.sendPresence(&Presence{Topic: r.topic, Count: len(r.members), Members: r.present()}, came)
	}
}

// tellOthers tells all members but those that have just come, who get the list. r.mu is held.
func (r *Room) tellOthers(change *Presence, came []*Conn) {
	switch {
	case len(came) == len(r.members):
	case len(came) == 0:
		r.publishPresence(change, nil)
	case len(came) == 1:
		r.publishPresence(change, came[0])
	default: // a publication leaves out one at most, and these are no more than the limit
		fresh, others := make(map[*Conn]bool, len(came)), make([]*Conn, 0, len(r.members)-len(came))
		for _, c := range came {
			fresh[c] = true
		}
		for c := range r.members {
			if !fresh[c] {
				others = append(others, c)
			}
		}
		r.sendPresence(change, others)
	}
}

// gone returns those who left, without those of whom nobody knows that they were here.
func (p *presence) gone() []int {
	return slices.DeleteFunc(p.left, func(id int) bool { return id > p.told })
}

// sendPresence tells some of the members. r.mu is held.
func (r *Room) sendPresence(p *Presence, list []*Conn) {
	if len(list) == 0 {
		return
	}
	frame := r.presenceFrame(p)
	for _, c := range list {
		if c.v1 {
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
		r.publishPresence(&Presence{Topic: r.topic, Count: len(r.members)}, nil)
	}
}

// arrived returns those of a list that are still members, once each. r.mu is held.
func (r *Room) arrived(list []*Conn) []*Conn {
	seen := make(map[*Conn]bool, len(list))
	return slices.DeleteFunc(list, func(c *Conn) bool {
		_, still := r.members[c]
		twice := seen[c]
		seen[c] = true
		return twice || !still
	})
}

// named returns what others are told of members. r.mu is held.
func (r *Room) named(list []*Conn) []PresentMember {
	out := make([]PresentMember, 0, len(list))
	for _, c := range list {
		out = append(out, PresentMember{ID: r.members[c].id, Claims: c.Claims()})
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

// publishPresence tells all members but one, who may be nil. r.mu is held.
func (r *Room) publishPresence(p *Presence, except *Conn) {
	pub := &publication{v1: r.presenceFrame(p), v1Only: true, except: except}
	for _, o := range r.outlets {
		o.publish(pub)
	}
}

func (r *Room) presenceFrame(p *Presence) *socket.Frame {
	t := r.srv.protocol.Sharding.Presence
	return newFrame(nil, t.Message, t.New(p), r.topic, 0)
}
