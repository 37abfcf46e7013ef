package runtime_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// TestMembersOfASlotThatStays has a slot stay where it is, because one of its rooms does not come to an end, when others have closed
// already: their members on other nodes are members of those that open again.
func TestMembersOfASlotThatStays(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		w := &world{
			left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100), asleep: make(chan string, 1), wake: make(chan struct{}),
		}
		one, own := nodeIn(t, c, "one", w)
		two, entry := nodeOf(t, c, "two")
		time.Sleep(20 * time.Second) // the slots are shared out
		room := roomOf(t, one)
		conn := wstest.Dial(t, entry, "/?access_token=ann")
		conn.Send(join(room))
		conn.Expect(newsFrame(room, "joined ann"))

		sleeper := sameSlot(one, room)
		wstest.Dial(t, own, "/?access_token=bob").Send(fmt.Sprintf(`{"type":"SLEEP","payload":{"roomId":%q}}`, sleeper))
		<-w.asleep
		drained := make(chan error, 1)
		go func() { drained <- one.Drain(context.Background()) }()
		if closed := <-w.closed; closed != room {
			t.Fatalf("%s has closed", closed)
		}
		say := func(srv *wsrt.Server, text string) {
			t.Helper()
			if err := srv.Publish(context.Background(), "room:"+room, news, &body{RoomID: room, Text: text}); err != nil {
				t.Fatal(err)
			}
			conn.Expect(newsFrame(room, text))
		}
		time.Sleep(8 * time.Second)
		say(one, "here again") // it waits until the slot is given up giving away
		if !one.Owns("room:" + room) {
			t.Fatal("the slot has gone")
		}
		say(two, "still here")
		close(w.wake)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		for !two.Owns("room:" + room) { // one has given it, and two is about to take it
			time.Sleep(time.Millisecond)
		}
		say(two, "and there")
		if err := two.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestPublishToARoomThatComes publishes in a room that has come to the node of its member, and takes a while to open there.
func TestPublishToARoomThatComes(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		w := &world{
			left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100),
			snapshot: func() ([]byte, error) { return []byte("x"), nil },
			restore:  func([]byte) error { time.Sleep(time.Second); return nil },
		}
		one, _ := nodeIn(t, c, "one", w)
		two, entry := nodeIn(t, c, "two", w)
		time.Sleep(20 * time.Second) // the slots are shared out
		room := roomOf(t, one)
		conn := wstest.Dial(t, entry, "/?access_token=ann")
		conn.Send(join(room))
		conn.Expect(newsFrame(room, "joined ann"))
		if err := one.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		for !two.Owns("room:" + room) {
			time.Sleep(time.Millisecond)
		}
		if err := two.Publish(context.Background(), "room:"+room, news, &body{RoomID: room, Text: "welcome"}); err != nil {
			t.Fatal(err)
		}
		conn.Expect(newsFrame(room, "welcome"))
		if err := two.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// sameSlot returns another room of the slot of a room.
func sameSlot(s *wsrt.Server, room string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("other", i); s.Shard("room:"+other) == s.Shard("room:"+room) {
			return other
		}
	}
}
