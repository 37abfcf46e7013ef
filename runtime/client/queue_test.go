package client_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wsgen/wsgen/runtime/client"
)

func TestQueueIsFlushedInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		p.drop()
		u.sees("open", "reconnecting")
		u.say("one")
		call := u.call(t.Context(), get, &text{"two"}, nil)
		synctest.Wait()
		u.say("three")
		p = s.next()
		p.expect(`SAY{"text":"one"}`)
		r := p.request("GET")
		p.expect(`SAY{"text":"three"}`)
		p.reply(r, "GET_RESPONSE", `{"text":"yes"}`)
		if r := <-call; r.err != nil || r.reply.(*text).Text != "yes" {
			t.Errorf("reply %v, %v", r.reply, r.err)
		}
		u.sees("open")
	})
}

func TestQueuePolicies(t *testing.T) {
	t.Run("drop newest", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial(client.WithQueue(2, client.QueueDropNewest))
			p.drop()
			synctest.Wait()
			u.say("one")
			u.say("two")
			if err := u.Send(t.Context(), say, &text{"three"}); !errors.Is(err, client.ErrQueueFull) {
				t.Errorf("Send: %v", err)
			}
			wantErr(t, u.call(t.Context(), get, &text{"four"}, nil), client.ErrQueueFull) // at once
			s.next().expect(`SAY{"text":"one"}`, `SAY{"text":"two"}`)
		})
	})
	t.Run("drop oldest", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial(client.WithQueue(2, client.QueueDropOldest))
			p.drop()
			synctest.Wait()
			call := u.call(t.Context(), get, &text{"one"}, nil)
			synctest.Wait()
			u.say("two")
			u.say("three")
			wantErr(t, call, client.ErrQueueFull)
			u.say("four")
			synctest.Wait()
			if len(u.errs) != 1 || !errors.Is(u.errs[0], client.ErrQueueFull) {
				t.Errorf("reported: %v", u.errs)
			}
			s.next().expect(`SAY{"text":"three"}`, `SAY{"text":"four"}`)
		})
	})
	t.Run("off", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			u, p := s.dial(client.WithQueue(2, client.QueueOff))
			u.say("one")
			p.expect(`SAY{"text":"one"}`)
			p.drop()
			synctest.Wait()
			if err := u.Send(t.Context(), say, &text{"two"}); !errors.Is(err, client.ErrDisconnected) {
				t.Errorf("Send: %v", err)
			}
			wantErr(t, u.call(t.Context(), put, &text{"three"}, nil), client.ErrDisconnected)
			p = s.next()
			synctest.Wait()
			u.say("four")
			p.expect(`SAY{"text":"four"}`)
		})
	})
}

// With QueueOff nothing that was not written survives its connection.
func TestQueueOffDropsWhatWasNotWritten(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithQueue(9, client.QueueOff))
		u.say("stuck") // the server does not read it
		synctest.Wait()
		u.say("dropped")
		call := u.call(t.Context(), put, &text{"dropped"}, nil)
		synctest.Wait()
		p.drop()
		wantErr(t, call, client.ErrDisconnected)
		p = s.next()
		synctest.Wait()
		u.say("after")
		p.expect(`SAY{"text":"after"}`)
	})
}

func TestOrderPerCaller(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		const callers, each = 8, 50
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := range each {
					u.say(fmt.Sprintf("%d %d", caller, i))
				}
			})
		}
		next := map[string]int{}
		for range callers * each {
			var caller string
			var i int
			f := p.read()
			if _, err := fmt.Sscanf(string(f.Payload), `{"text":"%s %d"}`, &caller, &i); err != nil || next[caller] != i {
				t.Fatalf("got %s, want %d of caller %s (%v)", f.Payload, next[caller], caller, err)
			}
			next[caller]++
		}
		wg.Wait()
	})
}
