package runtime_test

import (
	"context"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// TestStrangeRoomNames takes names for what they are: opaque, and different where their characters are.
func TestStrangeRoomNames(t *testing.T) {
	s := serve(t, nil)
	ann := s.dial("user=ann")
	names := []string{"a", "а", "\u0000", "a\n", "é", "e\u0301", "room:x", "../..", strings.Repeat("x", 64), " "}
	for _, name := range names {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		ann.send(`{"type":"JOIN","payload":{"roomId":` + string(text) + `}}`)
		var f struct{ Payload struct{ RoomID string } }
		if err := json.Unmarshal([]byte(ann.next()), &f); err != nil || f.Payload.RoomID != name {
			t.Errorf("joined %q, want %q (%v)", f.Payload.RoomID, name, err)
		}
	}
	if n := s.srv.Stats().Rooms; n != len(names) {
		t.Errorf("%d rooms, want %d", n, len(names))
	}
}

// slowStore is a store that has nothing, and says so when it is told to.
type slowStore struct{ asked, answer chan struct{} }

func (s *slowStore) Load(context.Context, string) ([]byte, error) {
	s.asked <- struct{}{}
	<-s.answer
	return nil, nil
}
func (*slowStore) Save(context.Context, string, []byte) error { return nil }
func (*slowStore) Delete(context.Context, string) error       { return nil }

// TestWhoComesBackToNothingIsInNobodysWay joins a room while the store is still asked whether somebody else may come back to it.
func TestWhoComesBackToNothingIsInNobodysWay(t *testing.T) {
	store := &slowStore{asked: make(chan struct{}, 2), answer: make(chan struct{}, 2)}
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 16, Bytes: 1 << 16, Age: time.Minute}), func(cfg *wsrt.ServerConfig) { cfg.Store = store })
	ann, bob := s.dial("user=ann", "wsgen.v1"), s.dial("user=bob")
	ann.next() // its session
	ann.send(`{"type":"$ws:resume","payload":{"session":"` + strings.Repeat("a", 32) + `","rooms":{"room:a":{"epoch":"x","seq":1}}}}`)
	ann.next() // its session
	receive(t, store.asked)
	bob.send(join("a"))
	eventually(t, "bob's message waits", func() bool { return s.srv.Debug(1).TopRooms[0].Mail == 1 })
	store.answer <- struct{}{}
	if got := ann.next(); !strings.HasPrefix(got, `{"type":"$ws:left"`) || !strings.Contains(got, "NOT_FOUND") {
		t.Errorf("ann got %s", got)
	}
	bob.expect(newsFrame("a", "joined bob"))
	if n := s.srv.Stats().Rooms; n != 1 {
		t.Errorf("%d rooms are open, want bob's", n)
	}
}

// savingStore lets nobody go on who saves, until it is told to.
type savingStore struct{ saving, saved chan struct{} }

func (*savingStore) Load(context.Context, string) ([]byte, error) { return nil, nil }
func (s *savingStore) Save(context.Context, string, []byte) error {
	s.saving <- struct{}{}
	<-s.saved
	return nil
}
func (*savingStore) Delete(context.Context, string) error { return nil }

// keeper is a room with something to keep.
type keeper struct{ *lobby }

func (keeper) Snapshot() ([]byte, error) { return []byte("x"), nil }

// TestAMemberKeepsItsRoom makes a connection a member, from another goroutine, of a room that is about to close and is being saved.
func TestAMemberKeepsItsRoom(t *testing.T) {
	store := &savingStore{saving: make(chan struct{}, 10), saved: make(chan struct{})}
	rooms, connected := make(chan *wsrt.Room, 10), make(chan *wsrt.Conn, 1)
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Store, cfg.PingInterval, cfg.Idle = store, -1, time.Minute
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) {
			rooms <- r
			h, err := open(ctx, r)
			return keeper{h.(*lobby)}, err
		}
		handle := func(next wsrt.HandlerFunc) wsrt.HandlerFunc { // the handlers of the protocol know a lobby
			return func(ctx context.Context, call *wsrt.Call) (any, error) { return nil, nil }
		}
		cfg.Interceptors = []wsrt.Interceptor{handle}
	})
	ann := s.dial("user=ann")
	conn := receive(t, connected)
	ann.send(join("a"))
	room := receive(t, rooms)
	eventually(t, "the message is handled", func() bool { return s.clock.Waiting() > 1 })
	s.clock.Advance(time.Minute)
	receive(t, store.saving)
	if err := room.Join(conn); err != nil {
		t.Fatal(err)
	}
	close(store.saved)
	receive(t, store.saving) // it takes back that it is closed
	if err := s.srv.Publish(t.Context(), "room:a", news, &body{RoomID: "a", Text: "still here"}); err != nil {
		t.Fatal(err)
	}
	ann.expect(newsFrame("a", "still here"))

	room.Leave(conn)
	eventually(t, "the empty room closes", func() bool { s.clock.Advance(time.Minute); return s.srv.Stats().Rooms == 0 })
	if err := room.Join(conn); wsrt.CodeOf(err) != wsrt.CodeUnavailable || !strings.Contains(err.Error(), "room:a is closed") {
		t.Errorf("joining a room that is closed: %v", err)
	}
	if stop := room.After(time.Second, func() { t.Error("a room that is closed has no turns") }); stop() {
		t.Error("a call of a room that is closed waits")
	}
	s.clock.Advance(time.Second)
}

// TestHandlersCloseConnections closes the sender and all of its neighbours from a handler of their room.
func TestHandlersCloseConnections(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Interceptors = []wsrt.Interceptor{func(next wsrt.HandlerFunc) wsrt.HandlerFunc {
			return func(ctx context.Context, call *wsrt.Call) (any, error) {
				result, err := next(ctx, call)
				if call.Message.Name == "SAY" {
					for c := range call.Room.Members() {
						c.Close(4000, "over")
					}
				}
				return result, err
			}
		}}
	})
	ann, bob := s.dial("user=ann"), s.dial("user=bob")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	bob.send(join("a"))
	bob.expect(newsFrame("a", "joined bob"))
	ann.expect(newsFrame("a", "joined bob"))
	ann.send(say("last"))
	for _, c := range []*client{ann, bob} {
		c.expect(newsFrame("a", "last"))
		c.expectClose(4000, "over")
	}
}

// TestListenerClosesFirst drains a server that nobody can reach any more: those who are there are told all the same.
func TestListenerClosesFirst(t *testing.T) {
	s := serve(t, nil)
	ann := s.dial("user=ann")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	if err := s.http.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.srv.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	ann.expectClose(1012, "retry=")
}

// TestConnectionsLeaveNoMemory opens and closes many connections, of which the heap keeps nothing.
func TestConnectionsLeaveNoMemory(t *testing.T) {
	s := serve(t, nil)
	round := func() {
		for range 100 {
			attack(t, s.url, attackBytes([]byte("\x03\x00\x03\x01"))) // joins, says something, goes
			select {
			case <-s.left: // it was a member before it was gone
			default:
			}
		}
		eventually(t, "all are gone", func() bool { return s.srv.Stats().Connections == 0 })
	}
	objects := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	round()
	before := objects()
	for range 5 {
		round()
	}
	if after := objects(); after > before+500 {
		t.Errorf("500 connections left %d objects", after-before)
	}
}

var soak = flag.Duration("soak", 0, "how long TestSoak runs")

// TestSoak runs random programs of joining, publishing, stalling, breaking off and coming back against the model of
// TestLifecycle, for as long as -soak says, and looks at the memory in the end.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("SKIPPED: -soak 5m runs it")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	programs := 0
	for end := time.Now().Add(*soak); time.Now().Before(end); programs++ {
		program := make([]byte, 20+r.IntN(280))
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		if !t.Run("", func(t *testing.T) { runLifecycle(t, program) }) {
			t.Fatalf("the program was %q", program)
		}
	}
	t.Logf("%d programs", programs)
}
