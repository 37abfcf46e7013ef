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

// TestGuestsJoinWhileRoomsOpen has a connection of another node join rooms of a slot while what it sends opens others of it:
// neither waits for the other.
func TestGuestsJoinWhileRoomsOpen(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		w := &world{left: make(chan wsrt.LeaveCause, 10000), closed: make(chan string, 10000)}
		one, _ := nodeIn(t, c, "one", w)
		two, entry := nodeIn(t, c, "two", w)
		time.Sleep(20 * time.Second) // the slots are shared out
		slot := one.Shard("room:" + roomOf(t, one))
		next := 0
		fresh := func() string {
			for ; ; next++ {
				if room := fmt.Sprint("guests", next); one.Shard("room:"+room) == slot {
					next++
					return room
				}
			}
		}
		conn := wstest.Dial(t, entry, "/?access_token=ann")
		for range 18 { // no more rooms than a connection may be in
			for range 5 {
				conn.Send(join(fresh()))
				for range 2 {
					conn.Send(fmt.Sprintf(`{"type":"ASK","meta":{"correlationId":"%d"},"payload":{"roomId":%q,"text":"x"}}`, next, fresh()))
				}
			}
			for answered := 0; answered < 10; {
				if parseFrame(t, []byte(conn.Next())).Type == "ANSWER" {
					answered++
				}
			}
		}
		for _, srv := range []*wsrt.Server{two, one} {
			if err := srv.Drain(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
}
