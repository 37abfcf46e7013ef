package runtime_test

// Rooms and their store, above all one that fails.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// memoryStore keeps snapshots in memory. What is asked of it can be made to wait, and to fail.
type memoryStore struct {
	asked  chan string   // what is asked: "load", "save", "delete"
	answer chan struct{} // lets one answer pass

	mu    sync.Mutex
	fault func() error // instead of doing what is asked; nil: none
	kept  map[string]string
}

// newStore returns a store with a snapshot of room:a; empty: none. It waits for nothing.
func newStore(snapshot string) *memoryStore {
	s := &memoryStore{asked: make(chan string, 1000), answer: make(chan struct{}), kept: map[string]string{}}
	if snapshot != "" {
		s.kept["room:a"] = snapshot
	}
	close(s.answer)
	return s
}

func (s *memoryStore) ask(what string) error {
	s.asked <- what
	<-s.answer
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault()
	}
	return nil
}

// fail sets the fault.
func (s *memoryStore) fail(fault func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// content returns the snapshot of room:a.
func (s *memoryStore) content() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept["room:a"]
}

func (s *memoryStore) Load(_ context.Context, topic string) ([]byte, error) {
	if err := s.ask("load"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, ok := s.kept[topic]; ok {
		return []byte(text), nil
	}
	return nil, nil
}

func (s *memoryStore) Save(_ context.Context, topic string, snapshot []byte) error {
	if err := s.ask("save"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[topic] = string(snapshot)
	return nil
}

func (s *memoryStore) Delete(_ context.Context, topic string) error {
	if err := s.ask("delete"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, topic)
	return nil
}

// serveStore starts a server whose rooms have the state x. The channel has what is reported.
func serveStore(t *testing.T, store *memoryStore, change func(*wsrt.ServerConfig)) (*testServer, <-chan error) {
	faults := make(chan error, 1000)
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Store, cfg.PingInterval, cfg.Idle = store, -1, time.Minute
		cfg.Limits.QueueAge = time.Hour // the clock leaps
		cfg.OnError = func(_ context.Context, _ *wsrt.Conn, err error) { faults <- err }
		if change != nil {
			change(cfg)
		}
	})
	s.snapshot = func() ([]byte, error) { return []byte("x"), nil }
	return s, faults
}

// state is what a store has of a room whose Snapshot returned text.
const state = `{"format":1,"topic":"room:a","clean":true,"seq":1,"joins":1,"state":"eA=="}`

// TestWhatCannotBeSavedStaysOpen has a store that fails, and panics: its room goes on with all it has, and closes when the store works.
func TestWhatCannotBeSavedStaysOpen(t *testing.T) {
	store := newStore("")
	s, faults := serveStore(t, store, nil)
	ann := s.dial("user=ann")
	ann.send(join("a"), `{"type":"LEAVE","payload":{"roomId":"a"}}`)
	ann.expect(newsFrame("a", "joined ann"))
	for _, fault := range []func() error{func() error { return errors.New("the disk is full") }, func() error { panic("the disk is full") }} {
		store.fail(fault)
		var err error
		eventually(t, "it is tried", func() bool {
			s.clock.Advance(time.Minute)
			select {
			case err = <-faults:
				return true
			default:
				return false
			}
		})
		if !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("reported is %v", err)
		}
		ann.send(`{"type":"ASK","payload":{"roomId":"a","text":"?"}}`)
		ann.next()
		ann.expect(`{"type":"ANSWER","payload":{"text":"re ?"}}`)
	}
	if n := s.opened.Load(); n != 1 || len(s.closed) != 0 {
		t.Errorf("the room was opened %d times, and closed %d times", n, len(s.closed))
	}
	store.fail(nil)
	eventually(t, "the room closes", func() bool { s.clock.Advance(time.Minute); return s.srv.Stats().Rooms == 0 })
	if got := store.content(); got != state {
		t.Errorf("saved is %s", got)
	}
}

// TestADrainSaysWhatIsNotSaved closes the rooms all the same.
func TestADrainSaysWhatIsNotSaved(t *testing.T) {
	store := newStore("")
	s, _ := serveStore(t, store, nil)
	s.expectFailedDrain = true
	ann := s.dial("user=ann")
	ann.send(join("a"))
	ann.expect(newsFrame("a", "joined ann"))
	store.fail(func() error { return errors.New("the disk is full") })
	if err := s.srv.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "1 rooms could not be saved") {
		t.Errorf("drain: %v", err)
	}
	ann.expectClose(1012, "retry=")
	if room := receive(t, s.closed); room != "a" || s.srv.Stats().Rooms != 0 {
		t.Errorf("closed %s, and %d rooms are open", room, s.srv.Stats().Rooms)
	}
}

// TestWhatCannotBeRestoredIsNotOpened leaves snapshots alone that nobody understands, and opens the room when that is over.
func TestWhatCannotBeRestoredIsNotOpened(t *testing.T) {
	for _, test := range []struct {
		name, snapshot string
		fault          func() error                // of the store
		restore        func(snapshot []byte) error // of the room
		reported       string
	}{
		{"the store fails", state, func() error { return errors.New("no disk") }, nil, "loading the snapshot of room:a: no disk"},
		{"the store panics", state, func() error { panic("no disk") }, nil, "no disk"},
		{"half a snapshot", `{"format":1,"topic":"room:a","sta`, nil, nil, "reading the snapshot of room:a: "},
		{"a later format", `{"format":2,"topic":"room:a"}`, nil, nil, "this version reads format 1"},
		{"of another room", `{"format":1,"topic":"room:b"}`, nil, nil, `of "room:b"`},
		{"the room does not take it", state, nil, func([]byte) error { return errors.New("no such state") }, "restoring room:a: no such state"},
		{"the room panics", state, nil, func([]byte) error { panic("no such state") }, "no such state"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := newStore(test.snapshot)
			store.fail(test.fault)
			s, faults := serveStore(t, store, nil)
			broken := true // the room's turn
			s.restore = func(snapshot []byte) error {
				if broken && test.restore != nil {
					broken = false
					return test.restore(snapshot)
				}
				if string(snapshot) != "x" {
					t.Errorf("restored is %q", snapshot)
				}
				return nil
			}
			ann := s.dial("user=ann")
			ann.send(join("a"))
			ann.expect(errorFrame("INTERNAL", "internal error", final))
			if err := receive(t, faults); !strings.Contains(err.Error(), test.reported) {
				t.Errorf("reported is %v", err)
			}
			if got := store.content(); got != test.snapshot || s.srv.Stats().Rooms != 0 {
				t.Errorf("the snapshot is %s, and %d rooms are open", got, s.srv.Stats().Rooms)
			}
			store.fail(nil)
			store.mu.Lock()
			store.kept["room:a"] = state
			store.mu.Unlock()
			ann.send(join("a"))
			ann.expect(newsFrame("a", "joined ann"))
		})
	}
}

// TestARoomThatCannotKeepItsStateIsNotOpened runs a program whose handlers have lost a method: what another one has kept stays.
func TestARoomThatCannotKeepItsStateIsNotOpened(t *testing.T) {
	for name, handler := range map[string]any{
		"neither":     struct{}{},
		"no Restore":  struct{ wsrt.Snapshotter }{},
		"no Snapshot": struct{ wsrt.Restorer }{},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(state)
			s, faults := serveStore(t, store, func(cfg *wsrt.ServerConfig) {
				cfg.OpenRoom = []func(context.Context, *wsrt.Room) (any, error){func(context.Context, *wsrt.Room) (any, error) { return handler, nil }}
			})
			ann := s.dial("user=ann")
			ann.send(join("a"))
			ann.expect(errorFrame("INTERNAL", "internal error", final))
			if err := receive(t, faults); !strings.Contains(err.Error(), "has not both Restore") {
				t.Errorf("reported is %v", err)
			}
			if got := store.content(); got != state {
				t.Errorf("the snapshot is %s", got)
			}
		})
	}
}

// TestWhoComesBackToNothingIsInNobodysWay joins a room while the store is still asked whether somebody else may come back to it.
func TestWhoComesBackToNothingIsInNobodysWay(t *testing.T) {
	store := newStore("")
	store.answer = make(chan struct{}, 10)
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 16, Bytes: 1 << 16, Age: time.Minute}), func(cfg *wsrt.ServerConfig) { cfg.Store = store })
	ann, bob := s.dial("user=ann", "wsgen.v1"), s.dial("user=bob")
	ann.next() // its session
	ann.send(`{"type":"$ws:resume","payload":{"session":"` + strings.Repeat("a", 32) + `","rooms":{"room:a":{"epoch":"x","seq":1}}}}`)
	ann.next() // its session
	receive(t, store.asked)
	bob.send(join("a"))
	eventually(t, "bob's message waits", func() bool { return s.srv.Debug(1).TopRooms[0].Mail == 1 })
	close(store.answer)
	if got := ann.next(); !strings.HasPrefix(got, `{"type":"$ws:left"`) || !strings.Contains(got, "NOT_FOUND") {
		t.Errorf("ann got %s", got)
	}
	bob.expect(newsFrame("a", "joined bob"))
	if n := s.srv.Stats().Rooms; n != 1 {
		t.Errorf("%d rooms are open, want bob's", n)
	}
}

// TestPublishToARoomThatOpens has a message from outside for a room whose snapshot is being loaded: it has no members, and
// counts nothing yet.
func TestPublishToARoomThatOpens(t *testing.T) {
	session := strings.Repeat("a", 32)
	kept := func(seq int) string {
		frame := fmt.Sprintf(`{"type":"NEWS","meta":{"room":"room:a","seq":%d},"payload":{"roomId":"a","text":"x"}}`, seq)
		return fmt.Sprintf(`{"at":"2100-01-01T00:00:00Z","frame":%q}`, frame)
	}
	store := newStore(`{"format":1,"topic":"room:a","clean":true,"epoch":"e","seq":3,"kept":[` + kept(2) + "," + kept(3) + `],"absent":[{"session":"` +
		session + `","userId":"ann","from":0,"left":"2100-01-01T00:00:00Z"}]}`)
	store.answer = make(chan struct{}, 10)
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 16, Bytes: 1 << 16, Age: time.Minute}), func(cfg *wsrt.ServerConfig) { cfg.Store = store })
	ann := s.dial("user=ann", "wsgen.v1")
	ann.next() // its session
	ann.send(`{"type":"$ws:resume","payload":{"session":"` + session + `","rooms":{"room:a":{"epoch":"e","seq":0}}}}`)
	ann.next() // its session
	receive(t, store.asked)
	if err := s.srv.Publish(t.Context(), "room:a", news, &body{RoomID: "a", Text: "early"}); err != nil {
		t.Fatal(err)
	}
	close(store.answer)
	if got := ann.next(); !strings.HasPrefix(got, `{"type":"$ws:gap"`) || !strings.Contains(got, `"expired"`) {
		t.Errorf("ann, who lacks a message that is not kept, got %s", got)
	}
}

// TestAMemberKeepsItsRoom makes a connection a member, from another goroutine, of a room that is about to close and is being saved.
func TestAMemberKeepsItsRoom(t *testing.T) {
	store := newStore("")
	store.answer = make(chan struct{}, 10)
	store.answer <- struct{}{} // it is loaded
	rooms, connected := make(chan *wsrt.Room, 1), make(chan *wsrt.Conn, 1)
	s, _ := serveStore(t, store, func(cfg *wsrt.ServerConfig) {
		cfg.OnConnect = func(_ context.Context, c *wsrt.Conn) error { connected <- c; return nil }
		open := cfg.OpenRoom[0]
		cfg.OpenRoom[0] = func(ctx context.Context, r *wsrt.Room) (any, error) { rooms <- r; return open(ctx, r) }
	})
	ann := s.dial("user=ann")
	conn := receive(t, connected)
	ann.send(join("a"), `{"type":"LEAVE","payload":{"roomId":"a"}}`)
	ann.expect(newsFrame("a", "joined ann"))
	room := receive(t, rooms)
	if what := receive(t, store.asked); what != "load" {
		t.Fatal(what)
	}
	eventually(t, "the empty room is being saved", func() bool { s.clock.Advance(time.Minute); return len(store.asked) > 0 })
	if err := room.Join(conn); err != nil {
		t.Fatal(err)
	}
	close(store.answer)
	eventually(t, "it takes back that it is closed", func() bool { return strings.Contains(store.content(), `"clean":false`) })
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
