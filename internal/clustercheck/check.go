package clustercheck

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Violation is a promise that was broken.
type Violation struct {
	Rule string // I1, I2, I4, I6, I7, I8, I9, I10, handover or answer
	Text string
	At   int64 // when, as in records
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Check returns what is wrong with a run, the earliest first. The records may be of many files, in any order between files; those
// of one writer with the same time must keep theirs. The rules:
//
//	I1        one incarnation has a slot in an epoch, and only its process handles messages in it
//	I2        nothing happens in an epoch after something in a later one, for handlers of a slot, and for a client and a room
//	I4        messages of a connection to a room are handled in the order in which they were sent
//	I6        no message is handled twice, one that was certainly not handled never, and one that was answered once
//	I7        in the end the owner's members are the clients that take themselves for members
//	I8        a client's numbers grow by one, unless it is told of a gap
//	I9        in the end every room answers
//	I10       nothing is handled when the lease has ended
//	handover  a room that was handed over goes on with the state that it had
//	answer    each request has one answer, unless its connection ended
func Check(records []Record) []Violation {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(rank(&a), rank(&b)))
	})
	c := &checker{
		claims: make(map[ownership]claim), given: make(map[ownership]bool), until: make(map[string]int64),
		sent: make(map[string]*message), conns: make(map[string]*conn), clients: make(map[string]*client),
		rooms: make(map[string]*room), epochs: make(map[int]uint64), orders: make(map[[2]string]int),
	}
	for i := range records {
		c.see(&records[i])
	}
	c.end()
	slices.SortStableFunc(c.found, func(a, b Violation) int { return cmp.Compare(a.At, b.At) })
	return c.found
}

// rank puts renewals before what they allow: a room that waited for one may be quicker than the writer.
func rank(r *Record) int {
	if r.Kind == "renew" {
		return 0
	}
	return 1
}

type checker struct {
	found   []Violation
	claims  map[ownership]claim
	given   map[ownership]bool
	until   map[string]int64 // end of the lease, by incarnation
	sent    map[string]*message
	conns   map[string]*conn
	clients map[string]*client
	rooms   map[string]*room
	epochs  map[int]uint64    // of the last message handled, by slot
	orders  map[[2]string]int // of the last message handled, by connection and room
	probed  int
	census  int
}

// ownership is a slot in an epoch.
type ownership struct {
	slot  int
	epoch uint64
}

type claim struct{ inc, run string }

// message is what a client has sent.
type message struct {
	Record
	order   int // among those of its connection
	applied []Record
	answers []Record
}

// conn is a connection.
type conn struct {
	sent  int
	ended bool
	seats map[string]*seat // by room
}

// seat is what a client knows of its membership in a room.
type seat struct {
	member    bool
	resuming  bool
	numbering string
	seq       uint64
}

// client is what has been seen by all connections of a client.
type client struct {
	last   string            // its latest connection
	epochs map[string]uint64 // by room, of all that was seen
	told   map[string]uint64 // by room, of what it published
}

// room is what has been handled in a room.
type room struct{ last Record }

func (c *checker) fail(r *Record, rule, format string, args ...any) {
	c.found = append(c.found, Violation{rule, fmt.Sprintf(format, args...) + ": " + r.String(), r.At})
}

func (c *checker) see(r *Record) {
	switch r.Kind {
	case "claim":
		c.claim(r)
	case "give":
		c.given[ownership{r.Slot, r.Epoch}] = true
	case "renew":
		c.until[r.Inc] = max(c.until[r.Inc], r.Until)
	case Apply:
		c.apply(r)
	case Send:
		k := c.conn(r)
		k.sent++
		c.sent[r.ID] = &message{Record: *r, order: k.sent}
	case Answer:
		c.answer(r)
	case Cast, Joined, Gap, Position, Left, Resume:
		c.membership(r)
	case End:
		c.conn(r).ended = true
	case Probe:
		c.probed++
		if r.Code != "" {
			c.fail(r, "I9", "a room does not answer")
		}
	case Census:
		c.count(r)
	}
}

// conn returns the connection of a record.
func (c *checker) conn(r *Record) *conn {
	k := c.conns[r.Conn]
	if k == nil {
		k = &conn{seats: make(map[string]*seat)}
		c.conns[r.Conn] = k
	}
	c.client(r).last = r.Conn
	return k
}

func (c *checker) client(r *Record) *client {
	cl := c.clients[r.Client]
	if cl == nil {
		cl = &client{epochs: make(map[string]uint64), told: make(map[string]uint64)}
		c.clients[r.Client] = cl
	}
	return cl
}

func (c *checker) claim(r *Record) {
	o := ownership{r.Slot, r.Epoch}
	if other, taken := c.claims[o]; taken && other.inc != r.Inc {
		c.fail(r, "I1", "%s had claimed it in the same epoch", other.inc)
	}
	c.claims[o] = claim{r.Inc, r.Run}
}

// apply judges a message that a handler has got.
func (c *checker) apply(r *Record) {
	by, claimed := c.claims[ownership{r.Slot, r.Epoch}]
	switch {
	case !claimed:
		c.fail(r, "I1", "a message is handled in an epoch that nobody has claimed")
	case by.run != r.Run:
		c.fail(r, "I1", "a message is handled in an epoch of %s", by.run)
	case r.At > c.until[by.inc]:
		c.fail(r, "I10", "a message is handled %d ms after the lease has ended", (r.At-c.until[by.inc])/1e6)
	}
	c.order(r)
	if last := c.epochs[r.Slot]; r.Epoch < last {
		c.fail(r, "I2", "a message is handled after one of epoch %d of the slot", last)
	}
	c.epochs[r.Slot] = max(c.epochs[r.Slot], r.Epoch)
	rm := c.rooms[r.Room]
	if rm == nil {
		c.rooms[r.Room] = &room{*r}
		return
	}
	last := rm.last
	switch rm.last = *r; {
	case r.Epoch < last.Epoch:
		rm.last = last
	case r.N != last.N+1 && c.unbroken(r.Slot, last.Epoch, r.Epoch):
		c.fail(r, "handover", "the room had %d messages before this one", last.N)
	}
}

// unbroken reports whether a slot was handed over each time from one epoch to a later one.
func (c *checker) unbroken(slot int, from, to uint64) bool {
	for o := range c.claims {
		if o.slot == slot && o.epoch >= from && o.epoch < to && !c.given[o] {
			return false
		}
	}
	return true
}

// order judges whose message was handled, and when.
func (c *checker) order(r *Record) {
	m := c.sent[r.ID]
	if m == nil {
		c.fail(r, "I6", "nobody has sent this message")
		return
	}
	if m.applied = append(m.applied, *r); len(m.applied) > 1 {
		c.fail(r, "I6", "the message was handled before, in epoch %d", m.applied[0].Epoch)
	}
	key := [2]string{m.Conn, r.Room}
	if m.order < c.orders[key] {
		c.fail(r, "I4", "a message that was sent later was handled before")
	}
	c.orders[key] = max(c.orders[key], m.order)
}

func (c *checker) answer(r *Record) {
	m := c.sent[r.ID]
	if m == nil {
		c.fail(r, "answer", "nobody has asked this")
		return
	}
	if m.answers = append(m.answers, *r); len(m.answers) > 1 {
		c.fail(r, "answer", "the request has an answer already")
	}
	if r.Code == "" {
		c.observe(r)
	}
}

// observe judges an effect that a client has seen. What has a number may be of an earlier epoch than an answer that came before it:
// a room goes on with its history, and sends again from that what was missed.
func (c *checker) observe(r *Record) {
	cl := c.client(r)
	seen := cl.epochs
	if r.Seq != 0 {
		seen = cl.told
	}
	if r.Epoch < seen[r.Room] {
		c.fail(r, "I2", "the client has seen epoch %d", seen[r.Room])
	}
	cl.epochs[r.Room] = max(cl.epochs[r.Room], r.Epoch)
	if r.Seq != 0 {
		cl.told[r.Room] = max(cl.told[r.Room], r.Epoch)
	}
}

// membership judges what a room tells a client.
func (c *checker) membership(r *Record) {
	k := c.conn(r)
	s := k.seats[r.Room]
	if s == nil {
		s = &seat{}
		k.seats[r.Room] = s
	}
	switch r.Kind {
	case Resume:
		s.member, s.resuming, s.numbering, s.seq = false, true, r.Numbering, r.Seq
	case Joined:
		switch {
		case (s.member || s.resuming) && r.Numbering == s.numbering && r.Seq != s.seq:
			c.fail(r, "I8", "the client was at %d", s.seq)
		case s.resuming && r.Numbering != s.numbering:
			c.fail(r, "I8", "the client was in the numbering %s and is not told of a gap", s.numbering)
		case r.Numbering == s.numbering && r.Seq < s.seq:
			c.fail(r, "I8", "the numbers go back from %d", s.seq)
		}
		s.member, s.resuming, s.numbering, s.seq = true, false, r.Numbering, r.Seq
	case Gap:
		if r.Numbering == s.numbering && r.Seq < s.seq {
			c.fail(r, "I8", "the numbers go back from %d", s.seq)
		}
		s.member, s.resuming, s.numbering, s.seq = true, false, r.Numbering, r.Seq
	case Left:
		s.member, s.resuming = false, false
	case Cast, Position:
		c.number(r, s)
	}
}

// number judges what a room has published.
func (c *checker) number(r *Record, s *seat) {
	if r.Kind == Cast {
		c.observe(r)
	}
	switch {
	case !s.member && r.Seq == 0: // a hint may overtake what begins and ends a membership
	case !s.member:
		c.fail(r, "I8", "the client is no member")
	case r.Seq == 0:
	case r.Seq <= s.seq:
		c.fail(r, "I8", "the client was at %d already", s.seq)
	case r.Seq > s.seq+1:
		c.fail(r, "I8", "the client was at %d and is not told of a gap", s.seq)
	}
	s.seq = max(s.seq, r.Seq)
}

// count compares the members of a room with the clients that take themselves for some.
func (c *checker) count(r *Record) {
	c.census++
	var believers []string
	for name, cl := range c.clients {
		if k := c.conns[cl.last]; k != nil && !k.ended && k.seats[r.Room] != nil && k.seats[r.Room].member {
			believers = append(believers, name)
		}
	}
	members := slices.Clone(r.Members)
	slices.Sort(believers)
	slices.Sort(members)
	if r.Code != "" {
		c.fail(r, "I9", "a room does not answer")
	} else if !slices.Equal(believers, members) {
		c.fail(r, "I7", "the clients that are members: %s", strings.Join(believers, " "))
	}
}

// end judges what can only be known at the end.
func (c *checker) end() {
	for _, m := range c.sent {
		c.outcome(m)
	}
	for name, k := range c.conns {
		for topic, s := range k.seats {
			if s.resuming && !k.ended {
				c.found = append(c.found, Violation{"answer", name + " wants to be a member of " + topic + " again, and is not answered", 0})
			}
		}
	}
	if c.probed == 0 || c.census == 0 {
		c.found = append(c.found, Violation{"I9", "nobody has looked whether the rooms answer", 0})
	}
}

// outcome judges what a client was told of a message.
func (c *checker) outcome(m *message) {
	if len(m.answers) == 0 {
		if m.Request && !c.conns[m.Conn].ended {
			c.fail(&m.Record, "answer", "the request has none")
		}
		return
	}
	a := &m.answers[0]
	switch {
	case a.Code == "" && len(m.applied) == 0:
		c.fail(a, "I6", "an answered message was not handled")
	case a.Code == "" && m.applied[0].Epoch != a.Epoch:
		c.fail(a, "I6", "the message was handled in epoch %d", m.applied[0].Epoch)
	case a.Code != "" && a.Maybe == NotApplied && len(m.applied) > 0:
		c.fail(a, "I6", "the message was handled all the same, in epoch %d", m.applied[0].Epoch)
	}
}
