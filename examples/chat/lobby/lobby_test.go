package lobby

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/filestore"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// newTestServer returns a server in memory.
func newTestServer(t *testing.T) *wstest.Server {
	t.Helper()
	store, err := filestore.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := chat.Config{Authenticate: Authenticate, OpenRoom: Open}
	cfg.Store = store
	srv, err := chat.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wstest.Patience)
		defer cancel()
		if err := srv.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return wstest.Serve(t, srv)
}

// person is a client and what it hears.
type person struct {
	*chat.Client
	t       *testing.T
	updates chan *chat.RoomUpdate
	typing  chan *chat.Typing
}

func enter(t *testing.T, s *wstest.Server, user, room string) *person {
	t.Helper()
	p := &person{t: t, updates: make(chan *chat.RoomUpdate, 100), typing: make(chan *chat.Typing, 100)}
	c, err := chat.Dial(t.Context(), s.URL(), chat.Events{
		RoomUpdate: func(_ context.Context, m *chat.RoomUpdate) { p.updates <- m },
		Typing:     func(_ context.Context, m *chat.Typing) { p.typing <- m },
	}, s.Dialer(), client.WithToken(user))
	if err != nil {
		t.Fatal(err)
	}
	p.Client = c
	t.Cleanup(func() { c.Close() })
	p.join(room)
	if m := p.next(); m.Text != user+" joined" || m.ID != nil {
		t.Errorf("heard %+v, want that %s joined, without an id: nobody said it", m, user)
	}
	return p
}

func (p *person) join(room string) {
	p.t.Helper()
	if err := p.JoinRoom(p.t.Context(), &chat.JoinRoom{RoomID: chat.RoomID(room)}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) say(text string) {
	p.t.Helper()
	if err := p.RoomMessage(p.t.Context(), &chat.RoomMessage{Text: text}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) hears(text string) {
	p.t.Helper()
	if m := p.next(); m.Text != text {
		p.t.Fatalf("heard %q, want %q", m.Text, text)
	}
}

// next waits for the next update.
func (p *person) next() *chat.RoomUpdate {
	p.t.Helper()
	select {
	case m := <-p.updates:
		return m
	case <-time.After(wstest.Patience):
		p.t.Fatal("heard nothing more")
		return nil
	}
}

// TestTwoPeopleChat runs where time stands still while anything is in motion: what is to happen later happens at once.
func TestTwoPeopleChat(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		s := newTestServer(t)
		ann := enter(t, s, "ann", "general")
		bob := enter(t, s, "bob", "general")
		ann.hears("bob joined")
		bob.say("hi")
		ann.hears("hi")
		bob.hears("hi")

		if err := bob.Typing(t.Context(), &chat.Typing{RoomID: "general", Active: true}); err != nil {
			t.Fatal(err)
		}
		wstest.Settle()
		if m := <-ann.typing; m.UserID == nil || *m.UserID != "bob" || !m.Active || len(bob.typing) > 0 {
			t.Errorf("typing: %+v, and %d to bob himself", m, len(bob.typing))
		}
		bob.Close()
		ann.hears("bob left")
	})
}

// TestABrokenConnectionIsNoGoodbye cuts all connections: their clients come back in time, and nobody is said to have left.
func TestABrokenConnectionIsNoGoodbye(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		s := newTestServer(t)
		ann := enter(t, s, "ann", "general")
		bob := enter(t, s, "bob", "general")
		ann.hears("bob joined")
		wstest.Settle()
		s.DropConnections()
		time.Sleep(2 * lost)
		bob.say("still here")
		ann.hears("still here")
		wstest.Settle()
		if len(ann.updates) > 0 {
			t.Errorf("ann hears %q, too", (<-ann.updates).Text)
		}
	})
}

func TestJoiningAnotherRoomLeavesTheFirst(t *testing.T) {
	s := newTestServer(t)
	ann := enter(t, s, "ann", "one")
	bob := enter(t, s, "bob", "one")
	ann.hears("bob joined")
	bob.join("two")
	bob.say("only here") // goes to the second room, without waiting for the answer to the join
	ann.hears("bob left")
	bob.hears("bob joined")
	bob.hears("only here")
	ann.say("nobody is left to hear this")
	ann.hears("nobody is left to hear this")
	if len(bob.updates) > 0 {
		t.Errorf("bob still hears the first room: %+v", <-bob.updates)
	}
}

func TestTwoTabs(t *testing.T) {
	s := newTestServer(t)
	bob := enter(t, s, "bob", "general")
	first := enter(t, s, "ann", "general")
	bob.hears("ann joined")
	second := enter(t, s, "ann", "general")
	second.say("from both")
	for _, p := range []*person{bob, first, second} {
		p.hears("from both")
	}
	if err := first.LeaveRoom(t.Context(), &chat.LeaveRoom{RoomID: "general"}); err != nil {
		t.Fatal(err)
	}
	second.say("still here")
	bob.hears("still here")
	second.Close()
	bob.hears("ann left")
}

// TestTheNextRoomWithoutWaiting joins rooms as somebody does who clicks fast: the rooms run at the same time.
func TestTheNextRoomWithoutWaiting(t *testing.T) {
	s := newTestServer(t)
	bob := enter(t, s, "bob", "lounge")
	for i := range 30 { // within the rate of ROOM_MESSAGE
		bob.join("one")
		bob.join("two")
		text := fmt.Sprint("still somewhere ", i)
		bob.say(text)
		for heard := ""; heard != text; { // among what is said of bob himself
			heard = bob.next().Text
		}
	}
}

func TestHistory(t *testing.T) {
	s := newTestServer(t)
	ann := enter(t, s, "ann", "general")
	for i, text := range []string{"one", "two", "three"} {
		ann.say(text)
		if m := ann.next(); m.Text != text || m.ID == nil || *m.ID != uint32(i+1) {
			t.Errorf("heard %+v, want %q with the id %d", m, text, i+1)
		}
	}
	var last *chat.GetHistoryProgress
	got, err := ann.GetHistory(t.Context(), &chat.GetHistoryRequest{RoomID: "general", Limit: 2}, func(p *chat.GetHistoryProgress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Messages) != 2 || got.Messages[0].Text != "two" || got.Messages[1].ID != 3 {
		t.Errorf("history: %+v", got.Messages)
	}
	if last == nil || last.Loaded != 2 || last.Total != 2 {
		t.Errorf("progress: %+v", last)
	}
	for before, want := range map[uint32][]string{1: {}, 2: {"one"}, 3: {"one", "two"}, 4: {"two", "three"}, 99: {"two", "three"}} {
		got, err := ann.GetHistory(t.Context(), &chat.GetHistoryRequest{RoomID: "general", Limit: 2, Before: &before}, nil)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{}
		for _, m := range got.Messages {
			texts = append(texts, m.Text)
		}
		if !slices.Equal(texts, want) {
			t.Errorf("before %d: %q, want %q", before, texts, want)
		}
	}
	_, err = ann.GetHistory(t.Context(), &chat.GetHistoryRequest{RoomID: "other", Limit: 1}, nil)
	var notIn *chat.NotInRoomError
	if !errors.As(err, &notIn) || notIn.Details.RoomID != "other" {
		t.Errorf("history of a room that ann is not in: %v", err)
	}
}
