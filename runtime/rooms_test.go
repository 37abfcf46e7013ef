package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// shards returns two rooms on different shards of the server.
func shards(s *testServer) (one, two string) {
	one = "r0"
	for i := 1; ; i++ {
		two = fmt.Sprintf("r%d", i)
		if s.srv.Shard("room:"+one) != s.srv.Shard("room:"+two) {
			return one, two
		}
	}
}

func TestOneConnectionInRoomsOfTwoShards(t *testing.T) {
	s := serve(t, nil)
	one, two := shards(s)
	c := s.dial("user=ann")
	c.send(join(one))
	c.expect(newsFrame(one, "joined ann"))
	c.send(join(two))
	c.expect(newsFrame(two, "joined ann"))
	results := s.srv.Federate(context.Background(), []string{"room:" + one, "room:" + two, "room:closed", "nonsense"}, news, &body{RoomID: "all", Text: "hi"})
	c.expect(newsFrame("all", "hi"), newsFrame("all", "hi"))
	for i, want := range []int{1, 1, 0, 0} {
		if results[i].Delivered != want || (results[i].Err != nil) != (i == 3) {
			t.Errorf("result %d: %+v", i, results[i])
		}
	}
	if results[0].Shard == results[1].Shard {
		t.Error("both rooms are on one shard")
	}
	c.send(say("which room?"))
	c.expect(errorFrame("FAILED_PRECONDITION", "in 2 rooms: it is not clear which one is meant", final))
}

func TestASlowRoomDelaysNoOther(t *testing.T) {
	s := serveProtocol(t, withoutJoined(), nil)
	one, two := shards(s)
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(`{"type":"SLEEP","payload":{"roomId":"` + one + `"}}`)
	receive(t, s.asleep)
	ann.send(join(two)) // the same connection
	ann.expect(newsFrame(two, "joined ann"))
	bob.send(join(two), `{"type":"ECHO","payload":{"text":"still here"}}`)
	for range 2 {
		if f := bob.next(); f != newsFrame(two, "joined bob") && f != `{"type":"ECHO_RESPONSE","payload":{"text":"still here"}}` {
			t.Errorf("got %s", f)
		}
	}
	bob.send(join(one)) // waits for its room
	s.wake <- struct{}{}
	bob.expect(newsFrame(one, "joined bob"))
}

// TestPipelinedMessagesReachTheirRoom sends without waiting for answers: a joined message goes to the room that the
// connection is in once the messages before it have been handled.
func TestPipelinedMessagesReachTheirRoom(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	for i := range 200 {
		room := fmt.Sprintf("m%d", i%17)
		c.send(`{"type":"MOVE","payload":{"roomId":"`+room+`"}}`, say(fmt.Sprint("text ", i)))
		c.expect(newsFrame(room, "joined ann"), newsFrame(room, fmt.Sprint("text ", i)))
		if i > 0 {
			if cause := receive(t, s.left); cause != wsrt.Left {
				t.Fatalf("left the last room by %v", cause)
			}
		}
	}
}

// TestAJoinWaitsForASlowRoom moves from a room that is slow to another one, and says something, in one go: the order of what is
// sent decides where that is heard, not which room is the faster one.
func TestAJoinWaitsForASlowRoom(t *testing.T) {
	s := serve(t, nil)
	one, two := shards(s)
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	bob.send(sleep(one))
	receive(t, s.asleep)
	ann.send(move(one), move(two), say("later"), `{"type":"ECHO","payload":{"text":"after"}}`)
	bob.send(`{"type":"ECHO","payload":{"text":"mine"}}`) // others go on
	bob.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"mine"}}`)
	cat := s.dial("user=cat")
	cat.send(join(two))
	cat.expect(newsFrame(two, "joined cat"))
	if len(ann.frames) > 0 {
		t.Fatalf("%s came before the slow room was done", <-ann.frames)
	}
	s.wake <- struct{}{}
	ann.expect(newsFrame(one, "joined ann"), newsFrame(two, "joined ann"))
	got := ann.next() + ann.next() // of two turns, in any order
	if !strings.Contains(got, newsFrame(two, "later")) || !strings.Contains(got, `{"type":"ECHO_RESPONSE","payload":{"text":"after"}}`) {
		t.Errorf("got %s", got)
	}
	cat.expect(newsFrame(two, "joined ann"), newsFrame(two, "later"))
}

// TestMessagesOfARoomDoNotWaitForEachOther sends many to one room in one go, whose connection's handler goes on meanwhile.
func TestMessagesOfARoomDoNotWaitForEachOther(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	c.send(sleep("x"))
	receive(t, s.asleep)
	c.send(sleep("x"), join("x"), `{"type":"ECHO","payload":{"text":"at once"}}`)
	c.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"at once"}}`)
	s.wake <- struct{}{}
	receive(t, s.asleep)
	s.wake <- struct{}{}
	c.expect(newsFrame("x", "joined ann"))
}

// TestAskedJoinsKeepTheirOrder is the same where the program is asked about each message.
func TestAskedJoinsKeepTheirOrder(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Authorize = func(context.Context, *wsrt.Conn, *wsrt.Op) error { return nil }
	})
	one, two := shards(s)
	ann := s.dial("user=ann")
	ann.send(sleep(one), move(one), move(two), say("here"))
	receive(t, s.asleep)
	s.wake <- struct{}{}
	ann.expect(newsFrame(one, "joined ann"), newsFrame(two, "joined ann"), newsFrame(two, "here"))
}

// TestRoomOfTheURL says something in the room of the URL while the connection is in it, and in the only one that it is in while
// it is not: who has only dialled it is not heard there.
func TestRoomOfTheURL(t *testing.T) {
	s := serve(t, nil)
	bob := s.dial("user=bob")
	bob.send(join("here"))
	bob.expect(newsFrame("here", "joined bob"))
	c := s.dial("user=ann&room=here")
	c.send(say("hi"))
	c.expect(errorFrame("FAILED_PRECONDITION", "not in a room: join one first", final))
	c.send(join("other"), say("hi"))
	c.expect(newsFrame("other", "joined ann"), newsFrame("other", "hi"))
	c.send(join("here"), say("hi"))
	c.expect(newsFrame("here", "joined ann"), newsFrame("here", "hi"))
	c.send(leave("here"), `{"type":"BOOM","payload":{"roomId":"third"}}`, say("again"))
	c.expect(errorFrame("INTERNAL", "internal error", final), newsFrame("other", "again"))
	bob.expect(newsFrame("here", "joined ann"), newsFrame("here", "hi"))
	bob.send(say("alone"))
	bob.expect(newsFrame("here", "alone"))
}

func TestLeaveEndsTheMembership(t *testing.T) {
	s := serve(t, nil)
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	bob.send(join("a"))
	ann.expect(newsFrame("a", "joined bob"))
	bob.expect(newsFrame("a", "joined bob"))
	ann.send(`{"type":"LEAVE","payload":{"roomId":"a"}}`, say("hi"))
	if got := ann.next(); !strings.Contains(got, "FAILED_PRECONDITION") { // of the room or of the router
		t.Errorf("got %s", got)
	}
	bob.send(say("alone"))
	bob.expect(newsFrame("a", "alone"))
	ann.send(`{"type":"ECHO","payload":{"text":"nothing came"}}`)
	ann.expect(`{"type":"ECHO_RESPONSE","payload":{"text":"nothing came"}}`)
}

func TestDisconnectWhileTheRoomIsBusy(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann")
	c.send(join("a"), `{"type":"SLEEP","payload":{"roomId":"a"}}`)
	c.expect(newsFrame("a", "joined ann"))
	receive(t, s.asleep)
	c.ws.CloseNow()
	s.wake <- struct{}{}
	if cause := receive(t, s.left); cause != wsrt.Disconnected {
		t.Errorf("left by %v", cause)
	}
	eventually(t, "the connection is forgotten", func() bool { return s.srv.Stats().Connections == 0 })
}

func TestEmptyRoomClosesAndOpensAgain(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.PingInterval = -1 }) // the clock leaps, and pongs would come too late
	c := s.dial("user=ann")
	c.send(join("a"))
	c.expect(newsFrame("a", "joined ann"))
	s.clock.Advance(time.Hour)
	c.send(`{"type":"LEAVE","payload":{"roomId":"a"}}`, `{"type":"ASK","payload":{"roomId":"a","text":"?"}}`)
	c.expect(`{"type":"$ws:rpc-progress","data":{"text":"half"},"payload":{"text":"half"}}`, `{"type":"ANSWER","payload":{"text":"re ?"}}`)
	eventually(t, "the room is idle", func() bool { s.clock.Advance(time.Minute); return s.srv.Stats().Rooms == 0 })
	if room := receive(t, s.closed); room != "a" {
		t.Errorf("closed %s", room)
	}
	c.send(join("a"))
	c.expect(newsFrame("a", "joined ann"))
	if n := s.opened.Load(); n != 2 {
		t.Errorf("opened %d times, want 2", n)
	}
}

func TestMembershipOfTheRoom(t *testing.T) {
	rooms := make(chan *wsrt.Room, 1)
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) {
			rooms <- r
			return open(ctx, r)
		}
	})
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	bob.send(join("a"))
	bob.expect(newsFrame("a", "joined bob"))
	r := receive(t, rooms)
	if r.ID() != "a" || r.Topic() != "room:a" || r.Len() != 2 || r.Shard() != s.srv.Shard("room:a") {
		t.Errorf("room %s %s with %d members on shard %d", r.ID(), r.Topic(), r.Len(), r.Shard())
	}
	called := make(chan struct{})
	r.After(time.Second, func() { close(called) })
	if stop := r.After(time.Second, func() { t.Error("a cancelled call") }); !stop() || stop() {
		t.Error("stop must say whether it came in time")
	}
	s.clock.Advance(time.Second)
	receive(t, called)
	for c := range r.Members() {
		if c.UserID() != "bob" {
			continue
		}
		if err := r.Publish(news, &body{RoomID: "a", Text: "all"}, wsrt.Except(c)); err != nil {
			t.Fatal(err)
		}
		if err := r.Send(c, news, &body{RoomID: "a", Text: "you"}); err != nil {
			t.Fatal(err)
		}
		r.Kick(c, "no shouting")
	}
	ann.expect(newsFrame("a", "joined bob"), newsFrame("a", "all"))
	bob.expect(newsFrame("a", "you"), errorFrame("PERMISSION_DENIED", "removed from room:a: no shouting", final))
	if cause := receive(t, s.left); cause != wsrt.Kicked || r.Len() != 1 {
		t.Errorf("left by %v, %d members", cause, r.Len())
	}
	err := r.Publish(news, &body{RoomID: "a", Text: strings.Repeat("x", 21)})
	if err == nil || !strings.Contains(err.Error(), "NEWS cannot be sent: /text") {
		t.Errorf("a message that the schema does not allow: %v", err)
	}
	if err := s.srv.Publish(context.Background(), "lobby:a", news, &body{Text: "x"}); err == nil {
		t.Error("a topic of an unknown kind must be refused")
	}
}

// TestJoinRacesPublish checks that a new member sees an unbroken end of what the room publishes.
func TestJoinRacesPublish(t *testing.T) {
	s := serve(t, nil)
	talker := s.dial("user=talker")
	talker.send(join("a"))
	talker.expect(newsFrame("a", "joined talker"))
	const n = 300
	go func() {
		for i := range n {
			_ = s.srv.Publish(context.Background(), "room:a", news, &body{RoomID: "a", Text: fmt.Sprint(i)})
		}
	}()
	for range 5 {
		c := s.dial("user=late", "wsgen.v1")
		c.send(join("a"))
		last := uint64(0)
		for range 3 {
			var room string
			var seq uint64
			if _, err := fmt.Sscanf(c.next(), `{"type":"NEWS","meta":{"room":"room:a","seq":%d}`, &seq); err != nil {
				t.Fatal(err, room)
			}
			if last != 0 && seq != last+1 {
				t.Errorf("after %d came %d", last, seq)
			}
			last = seq
			if seq > n {
				break
			}
		}
		c.ws.CloseNow()
	}
}
