package lobby

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// TestPresence tells members who is there, by the names that the schema makes public.
func TestPresence(t *testing.T) {
	s := newTestServer(t)
	news := make(chan *chat.Presence, 100)
	ann, err := chat.Dial(t.Context(), s.URL(), chat.Events{
		Presence: func(_ context.Context, m *chat.Presence) { news <- m },
	}, s.Dialer(), client.WithToken("ann"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ann.Close() })
	if err := ann.JoinRoom(t.Context(), &chat.JoinRoom{RoomID: "general"}); err != nil {
		t.Fatal(err)
	}
	here := make(map[int]string)
	until := func(want ...string) {
		t.Helper()
		for !slices.Equal(slices.Sorted(maps.Values(here)), want) {
			select {
			case m := <-news:
				for _, member := range append(m.Members, m.Joined...) {
					here[member.ID] = member.Claims.UserID
				}
				for _, id := range m.Left {
					delete(here, id)
				}
				if m.Topic != "room:general" || m.Count != len(here) {
					t.Errorf("%d members of %s, and these are here: %v", m.Count, m.Topic, here)
				}
			case <-time.After(wstest.Patience):
				t.Fatalf("here are %v, want %v", here, want)
			}
		}
	}
	until("ann")
	bob := enter(t, s, "bob", "general")
	until("ann", "bob")
	_ = bob.Close()
	until("ann")
}
