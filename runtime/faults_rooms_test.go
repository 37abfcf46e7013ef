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
	round()
	before := heapObjects()
	for range 5 {
		round()
	}
	if after := heapObjects(); after > before+500 {
		t.Errorf("500 connections left %d objects", after-before)
	}
}

// heapObjects returns how many objects are in use.
func heapObjects() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has only taken out of pools
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

var soak = flag.Duration("soak", 0, "how long TestSoak runs")

// TestSoak runs random programs of joining, publishing, stalling, breaking off and coming back against the model of
// TestLifecycle, for as long as -soak says, and looks at the memory in the end. What takes longer than ten minutes needs -timeout, too.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("SKIPPED: -soak 5m runs it")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const first = 50 // programs behind which pools and caches are full
	var before uint64
	programs := 0
	for end := time.Now().Add(*soak); time.Now().Before(end); programs++ {
		program := make([]byte, 20+r.IntN(280))
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		if !t.Run("", func(t *testing.T) { runLifecycle(t, program) }) {
			t.Fatalf("the program was %q", program)
		}
		if programs == first {
			before = heapObjects()
		}
	}
	after := heapObjects()
	t.Logf("%d programs; %d objects are in use, and %d were after %d programs", programs, after, before, first)
	if kept := int64(after) - int64(before); programs > first && kept > int64(10*(programs-first)+1000) { // package testing keeps their names
		t.Errorf("%d programs have left %d objects", programs-first, kept)
	}
}
