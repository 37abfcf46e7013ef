package history_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/wstest"
)

// observer follows what a member is told of the others.
type observer struct {
	*peer
	here  map[int]string // users by the ids of their memberships
	count int
	bare  bool // it knows the number alone
}

// follow takes a frame, and wants every change to be one.
func (o *observer) follow(text string) {
	o.t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		o.t.Fatal(err)
	}
	if f.Type != "$ws:presence" {
		return
	}
	p := f.Payload
	o.count = p.Count
	switch {
	case p.Members != nil:
		o.here = make(map[int]string)
		o.bare = false
	case len(p.Joined)+len(p.Left) == 0:
		o.bare = true
		return
	case o.bare:
		return // the list follows
	}
	for _, id := range p.Left {
		if _, ok := o.here[id]; !ok {
			o.t.Errorf("%d leaves, who was not there: %+v", id, f)
		}
		delete(o.here, id)
	}
	for _, m := range append(p.Members, p.Joined...) {
		if user, ok := o.here[m.ID]; ok {
			o.t.Errorf("%s joins twice: %+v", user, f)
		}
		o.here[m.ID] = fmt.Sprint(m.Claims["userId"])
	}
	if len(o.here) != o.count {
		o.t.Errorf("%d are there, and the number is %d", len(o.here), o.count)
	}
}

// followAll takes what has arrived.
func (o *observer) followAll() {
	o.t.Helper()
	for _, frame := range o.Frames() {
		o.follow(frame)
	}
}

func (o *observer) sees() string {
	if o.bare {
		return fmt.Sprint(o.count, " people")
	}
	var users []string
	for _, user := range o.here {
		users = append(users, user)
	}
	slices.Sort(users)
	return strings.Join(users, " ")
}

// TestPresenceIsMembership lets people come, go and break off at random, in a room that is now small and now large. Who stays all
// the time is told of each once, and knows in the end who is there.
func TestPresenceIsMembership(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	done := make(chan struct{})
	defer close(done)
	go func() { // the rooms log to nobody
		for {
			select {
			case <-w.log:
			case <-done:
				return
			}
		}
	}()
	ann := &observer{peer: w.peer("ann"), bare: true}
	ann.join(0)
	for ann.sees() != "ann" {
		ann.follow(ann.Next())
	}
	const users = 5
	var here [users]*peer
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		for range 20 {
			i := r.IntN(users)
			switch p := here[i]; {
			case p == nil:
				here[i] = w.peer(fmt.Sprint("u", i))
				here[i].Send(`{"type":"JOIN","payload":{"roomId":"a"}}`)
			case r.IntN(2) == 0:
				p.Drop()
				here[i] = nil
			default: // and comes back by the same connection, or breaks off before that
				p.Send(`{"type":"LEAVE","payload":{"roomId":"a"}}`)
				p.Send(`{"type":"JOIN","payload":{"roomId":"a"}}`)
			}
			if r.IntN(10) == 0 {
				w.clock.Advance(time.Second)
			}
		}
		want := []string{"ann"}
		for i, p := range here {
			if p != nil {
				want = append(want, fmt.Sprint("u", i))
			}
		}
		text := strings.Join(want, " ")
		if len(want) > 3 {
			text = fmt.Sprint(len(want), " people")
		}
		deadline := time.Now().Add(wstest.Patience)
		for ann.sees() != text {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: ann sees %q, want %q", round, ann.sees(), text)
			}
			w.clock.Advance(time.Second) // the number of a large room is told then
			ann.followAll()
			time.Sleep(time.Millisecond) //nolint:forbidigo // polling a condition
		}
	}
}
