package client_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/client"
)

const (
	goAway  = `{"type":"$ws:goaway","payload":{"withinMs":1000}}`
	ack     = `{"type":"__heartbeat_ack","meta":{"ts":1}}`
	mark    = "__heartbeat"
	resumed = `$ws:resume{"session":"s1","rooms":{"room:a":{"epoch":"e","seq":2}}}`
)

// begin gives a connection a session and a room.
func (p *peer) begin() {
	p.t.Helper()
	p.send(`{"type":"$ws:session","payload":{"session":"s1"}}`,
		`{"type":"$ws:joined","meta":{"room":"room:a"},"payload":{"epoch":"e","seq":1}}`, number(2))
}

// number is a message of the room with a number.
func number(n int) string {
	return fmt.Sprintf(`{"type":"UPDATE","meta":{"room":"room:a","seq":%d},"payload":{"text":"%d"}}`, n, n)
}

// TestMove goes through all of a move: the other connection comes after half the time at most, the old one finishes what was
// begun, what is new waits, and rooms go on where they were.
func TestMove(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		asked := 0
		u, p := s.dial(client.WithTokenSource(func(context.Context) (string, error) { asked++; return "t", nil }))
		p.begin()
		call := u.call(t.Context(), get, &text{"q"}, nil)
		request := p.request("GET")
		start := time.Now()
		p.send(goAway)
		next := s.next()
		if d := time.Since(start); d != 500*ms || asked != 2 {
			t.Errorf("the second connection came after %v, and the token was asked for %d times", d, asked)
		}
		p.expect(mark)
		u.say("later")
		waits := u.call(t.Context(), get, &text{"later"}, nil)
		p.send(ack)
		synctest.Wait()
		p.reply(request, "GET_RESPONSE", `{"text":"done"}`)
		if r := <-call; r.err != nil {
			t.Errorf("what was begun ended with %v", r.err)
		}
		next.send(`{"type":"$ws:session","payload":{"session":"not for us"}}`)
		next.expect(resumed, `SAY{"text":"later"}`)
		request = next.request("GET")
		p.send(number(3)) // too late: it comes again
		next.send(`{"type":"$ws:session","payload":{"session":"s1"}}`,
			`{"type":"$ws:joined","meta":{"room":"room:a"},"payload":{"epoch":"e","seq":2}}`, number(3), number(4))
		p.close(4409, "resumed by another connection")
		next.reply(request, "GET_RESPONSE", `{"text":"done"}`)
		if r := <-waits; r.err != nil {
			t.Errorf("what waited ended with %v", r.err)
		}
		u.sees("open", "UPDATE 2", "UPDATE 3", "UPDATE 4")
		if len(u.errs) > 0 || u.State() != client.Open {
			t.Errorf("errors %v, state %v", u.errs, u.State())
		}
		next.drop() // and that is what the client has now
		s.next().expect(`$ws:resume{"session":"s1","rooms":{"room:a":{"epoch":"e","seq":4}}}`)
		u.sees("reconnecting", "open")
	})
}

// TestMoveClosesTheOldConnection when the server has agreed and has not done it itself.
func TestMoveClosesTheOldConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		p.begin()
		p.send(goAway)
		next := s.next()
		p.expect(mark)
		p.send(ack)
		ended := p.pump()
		next.expect(resumed)
		next.send(`{"type":"$ws:session","payload":{"session":"new"}}`)
		select {
		case err := <-ended:
			t.Errorf("the old connection has ended before the server has agreed: %v", err)
		default:
		}
		next.send(`{"type":"$ws:session","payload":{"session":"s1"}}`)
		if err := <-ended; err == nil {
			t.Error("no error")
		}
		u.sees("open", "UPDATE 2")
	})
}

// TestMoveWithoutSession is a new beginning, of which the program is told: its rooms are lost.
func TestMoveWithoutSession(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		p.send(goAway)
		next := s.next()
		p.expect(mark)
		u.say("later")
		u.sees("open")
		p.send(ack)
		next.expect(`SAY{"text":"later"}`)
		<-p.pump()
		u.sees("reconnecting", "open")
	})
}

// TestMoveFails until it is closed: the client stays, tries again, and comes back as ever.
func TestMoveFails(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		p.begin()
		time.Sleep(10 * time.Second)
		s.refuse = func(n int, w http.ResponseWriter) bool {
			if n < 4 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			return false
		}
		p.send(goAway)
		time.Sleep(900 * ms)
		u.say("stays")
		p.expect(`SAY{"text":"stays"}`)
		u.sees("open", "UPDATE 2")
		p.close(1012, "retry=10")
		s.next().expect(resumed)
		u.sees("reconnecting", "open")
		if len(s.requests) != 4 || len(u.errs) != 2 {
			t.Errorf("%d attempts, reported %v", len(s.requests), u.errs)
		}
	})
}

// TestMoveRunsOutOfTime closes the old connection while a request is waited for: the other one takes over all the same.
func TestMoveRunsOutOfTime(t *testing.T) {
	for _, code := range []int{0, 1012, 4403} {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial()
			p.begin()
			call, again := u.call(t.Context(), get, &text{"q"}, nil), u.call(t.Context(), put, &text{"q"}, nil)
			p.read()
			p.read()
			p.send(goAway)
			next := s.next()
			p.expect(mark)
			p.send(ack)
			if code != 0 {
				p.close(code, "")
			}
			if code == 4403 {
				stops(t, s, u, code, "")
				return
			}
			next.expect(resumed)
			request := next.request("PUT")
			if err := (<-call).err; err == nil {
				t.Error("a request that was not answered has not failed")
			} else if maybe, known := client.MaybeApplied(err); !maybe || !known {
				t.Errorf("%v: maybe applied %v, %v", err, maybe, known)
			}
			next.reply(request, "PUT_RESPONSE", "")
			if err := (<-again).err; err != nil {
				t.Errorf("an idempotent request failed: %v", err)
			}
			u.sees("open", "UPDATE 2")
		})
	}
}

// TestCloseWinsOverAMove at each of its steps.
func TestCloseWinsOverAMove(t *testing.T) {
	for step := range 4 {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial()
			p.begin()
			p.send(goAway)
			synctest.Wait()
			if step > 0 {
				s.next()
				p.expect(mark)
				synctest.Wait()
			}
			if step > 1 {
				p.send(ack)
				synctest.Wait()
			}
			if step > 2 {
				p.close(4409, "")
				synctest.Wait()
			}
			p.pump()
			u.Close()
			<-u.Done()
			time.Sleep(time.Minute)
			if len(s.requests) > 2 || step == 0 && len(s.requests) > 1 {
				t.Errorf("step %d: %d connections", step, len(s.requests))
			}
			u.sees("open", "UPDATE 2", "closed")
		})
	}
}

// TestMoveIsNotForThoseWhoDoNotReconnect lets such a client be closed.
func TestMoveIsNotForThoseWhoDoNotReconnect(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithoutReconnect())
		p.send(goAway, goAway)
		time.Sleep(time.Minute)
		p.close(1012, "retry=10")
		stops(t, s, u, 1012, "retry=10")
	})
}
