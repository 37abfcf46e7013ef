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

// TestJoinedMessagesInACluster has rooms on two nodes: the node of the connection knows which ones it is in, and keeps the
// order of what is for different ones.
func TestJoinedMessagesInACluster(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		w := &world{
			left: make(chan wsrt.LeaveCause, 100), closed: make(chan string, 100), asleep: make(chan string, 1), wake: make(chan struct{}, 1),
		}
		one, own := nodeIn(t, c, "one", w)
		two, entry := nodeOf(t, c, "two")
		defer func() {
			_ = two.Drain(context.Background())
			_ = one.Drain(context.Background())
		}()
		time.Sleep(20 * time.Second) // the slots are shared out
		there, here := roomOf(t, one), roomOf(t, two)
		bob := wstest.Dial(t, own, "/?access_token=bob")
		bob.Send(join(there))
		bob.Expect(newsFrame(there, "joined bob"))

		ann := wstest.Dial(t, entry, "/?access_token=ann&room="+there)
		ann.Send(say("hi"))
		ann.Expect(errorFrame("FAILED_PRECONDITION", "not in a room: join one first", final))
		ann.Send(join(here))
		ann.Send(say("in the only room"))
		ann.Expect(newsFrame(here, "joined ann"))
		ann.Expect(newsFrame(here, "in the only room"))

		bob.Send(sleep(there))
		<-w.asleep
		for _, frame := range []string{join(there), say("in that of the URL"), move(here), say("last")} {
			ann.Send(frame)
		}
		wstest.Settle()
		if got := ann.Frames(); len(got) > 0 {
			t.Errorf("%s came before the slow room was done", got)
		}
		w.wake <- struct{}{}
		ann.Expect(newsFrame(there, "joined ann"))
		ann.Expect(newsFrame(there, "in that of the URL"))
		ann.Expect(newsFrame(here, "joined ann"))
		ann.Expect(newsFrame(here, "last"))
		for _, text := range []string{"joined ann", "in that of the URL"} {
			bob.Expect(newsFrame(there, text))
		}
		wstest.Settle()
		if got := fmt.Sprint(bob.Frames()); got != "[]" {
			t.Errorf("bob hears %s", got)
		}
	})
}
