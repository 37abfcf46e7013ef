package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"
)

const ms = time.Millisecond

func TestBackoffGrows(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.refuse = func(n int, w http.ResponseWriter) bool {
			if n > 1 && n < 9 {
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			return false
		}
		u, p := s.dial()
		p.drop()
		s.next()
		want := []time.Duration{300 * ms, 600 * ms, 1200 * ms, 2400 * ms, 4800 * ms, 9600 * ms, 10 * time.Second, 10 * time.Second}
		if got := s.gaps(); !slices.Equal(got, want) {
			t.Errorf("waited %v, want %v", got, want)
		}
		u.sees("open", "reconnecting", "open")
		var refused *client.HandshakeError
		if len(u.errs) != 7 || !errors.As(u.errs[0], &refused) || refused.Status != 502 {
			t.Errorf("reported %v", u.errs)
		}
	})
}

func TestFullJitter(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, p := s.dial(client.WithRandom(func(n int64) int64 { return n / 3 }))
		for range 3 {
			p.drop()
			p = s.next()
		}
		if got := s.gaps(); got[0]/ms != 100 || got[1]/ms != 200 || got[2]/ms != 400 {
			t.Errorf("waited %v", got)
		}
	})
}

// A server that accepts and closes at once is left alone more and more; a connection that lasted is another start.
func TestBackoffIsResetByAStableConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, p := s.dial()
		for range 3 {
			p.drop()
			p = s.next()
		}
		if got := s.gaps(); !slices.Equal(got, []time.Duration{300 * ms, 600 * ms, 1200 * ms}) {
			t.Errorf("waited %v", got)
		}
		time.Sleep(5 * time.Second)
		start := time.Now()
		p.drop()
		s.next()
		if d := time.Since(start); d != 300*ms {
			t.Errorf("waited %v after a stable connection", d)
		}
	})
}

func TestCloseCodes(t *testing.T) {
	tests := []struct {
		code   int
		reason string
		wait   time.Duration // 0: the client stops
	}{
		{1000, "", 0}, {1003, "", 0}, {1007, "", 0}, {1008, "policy", 0}, {1009, "", 0}, {4403, "forbidden", 0}, {4401, "", 0},
		{1011, "", 300 * ms}, {1013, "slow", 300 * ms}, {1002, "", 300 * ms}, {4000, "", 300 * ms},
		{1001, "", 300 * ms}, {1001, "retry=2000", 2300 * ms}, {1012, "drain retry=500", 800 * ms},
		{1012, "retry=x", 300 * ms}, {1012, "retry=4000000000", 5*time.Minute + 300*ms},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.code, tt.reason), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				u, p := s.dial(client.WithToken("t"))
				start := time.Now()
				p.close(tt.code, tt.reason)
				if tt.wait == 0 {
					stops(t, s, u, tt.code, tt.reason)
					return
				}
				time.Sleep(tt.wait)
				synctest.Wait()
				if len(s.requests) != 2 || s.at[1].Sub(start) != tt.wait {
					t.Errorf("handshakes after %v, want %v", s.gaps(), tt.wait)
				}
				u.sees("open", "reconnecting", "open")
			})
		})
	}
}

// stops checks that a client has stopped for the close code and stays so.
func stops(t *testing.T, s *script, u *user, code int, reason string) {
	t.Helper()
	<-u.Done()
	n := len(s.requests)
	var closed *client.CloseError
	if !errors.As(u.Err(), &closed) || closed.Code != code || reason != "" && closed.Reason != reason {
		t.Errorf("Err() = %v", u.Err())
	}
	err := u.Send(t.Context(), say, &text{"x"})
	if !errors.Is(err, client.ErrClosed) || !errors.As(err, &closed) {
		t.Errorf("Send = %v", err)
	}
	time.Sleep(time.Hour)
	if len(s.requests) != n {
		t.Errorf("%d more attempts", len(s.requests)-n)
	}
	if u.State() != client.Closed {
		t.Errorf("state %v", u.State())
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		n := 0
		u, p := s.dial(client.WithTokenSource(func(context.Context) (string, error) { n++; return fmt.Sprint("token", n), nil }))
		p.close(4401, "expired")
		p = s.next()
		if got := s.requests[1].Header.Get("Authorization"); got != "Bearer token2" {
			t.Errorf("second token %q", got)
		}
		time.Sleep(6 * time.Second) // stable: it may be renewed again
		p.close(4401, "expired")
		p = s.next()
		p.close(4401, "expired")
		stops(t, s, u, 4401, "expired")
		if n != 3 {
			t.Errorf("asked for %d tokens", n)
		}
	})
}

func TestRefusedHandshakeOnReconnect(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		bubble(t, func(t *testing.T, s *script) {
			s.refuse = func(n int, w http.ResponseWriter) bool {
				if n == 2 || n > 3 {
					http.Error(w, "no", status)
					return true
				}
				return false
			}
			u, p := s.dial(client.WithTokenSource(func(context.Context) (string, error) { return "t", nil }))
			p.drop() // 2 is refused, 3 goes well after one more try
			p = s.next()
			time.Sleep(6 * time.Second)
			p.drop() // 4 and 5 are refused
			<-u.Done()
			var refused *client.HandshakeError
			if !errors.As(u.Err(), &refused) || refused.Status != status || len(s.requests) != 5 {
				t.Errorf("Err() = %v after %d handshakes", u.Err(), len(s.requests))
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		bubble(t, func(t *testing.T, s *script) {
			s.refuse = func(n int, w http.ResponseWriter) bool {
				switch n {
				case 2:
					w.Header().Set("Retry-After", "20")
				case 3:
					w.Header().Set("Retry-After", time.Now().Add(30*time.Second).UTC().Format(http.TimeFormat))
				default:
					return false
				}
				w.WriteHeader(status)
				return true
			}
			_, p := s.dial()
			p.drop()
			s.next()
			got := s.gaps()
			if got[1] != 20*time.Second+600*ms || got[2] < 29*time.Second || got[2] > 32*time.Second {
				t.Errorf("waited %v", got)
			}
		})
	}
}

func TestTokenSourceFailsForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		n, broken := 0, errors.New("identity provider down")
		u, p := s.dial(client.WithTokenSource(func(context.Context) (string, error) {
			if n++; n == 2 {
				return "", broken
			} else if n == 3 {
				panic("worse")
			}
			return "t", nil
		}))
		p.drop()
		s.next()
		synctest.Wait()
		var e *client.PanicError
		if len(u.errs) != 2 || !errors.Is(u.errs[0], broken) || !errors.As(u.errs[1], &e) {
			t.Errorf("reported %v", u.errs)
		}
	})
}

func TestWithoutReconnect(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithoutReconnect())
		call := u.call(t.Context(), put, &text{"q"}, nil)
		p.request("PUT")
		p.drop()
		<-u.Done()
		wantErr(t, call, client.ErrClosed)
		if u.Err() == nil || errors.Is(u.Err(), client.ErrClosed) || len(s.requests) != 1 {
			t.Errorf("Err() = %v after %d handshakes", u.Err(), len(s.requests))
		}
		u.sees("open", "closed")
	})
}

func TestFramesThatAServerMustNotSend(t *testing.T) {
	tests := []struct {
		name string
		typ  websocket.MessageType
		data string
		code int
	}{
		{"binary", websocket.MessageBinary, "x", 1003},
		{"UTF-8", websocket.MessageText, "\"\xff\"", 1007},
		{"too large", websocket.MessageText, strings.Repeat(" ", 2000), 1009},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				u, p := s.dial(client.WithReadLimit(1000))
				ended := p.pump()
				_ = p.conn.Write(p.ctx(), tt.typ, []byte(tt.data))
				stops(t, s, u, tt.code, "")
				if err := <-ended; int(websocket.CloseStatus(err)) != tt.code {
					t.Errorf("server saw %v", err)
				}
			})
		})
	}
}

// A server that neither reads nor answers is noticed, whatever is being written to it.
func TestDeadServerIsNoticed(t *testing.T) {
	for _, write := range []bool{false, true} {
		bubble(t, func(t *testing.T, s *script) {
			u, _ := s.dial(client.WithPing(20*time.Second, 5*time.Second))
			if write {
				u.say("stuck")
			}
			start := time.Now()
			s.next() // the next connection
			if d := time.Since(start); d > 26*time.Second {
				t.Errorf("noticed after %v", d)
			}
			u.sees("open", "reconnecting", "open")
		})
	}
}

func TestLiveServerIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial(client.WithPing(20*time.Second, 5*time.Second))
		ended := p.pump()
		time.Sleep(time.Hour)
		u.sees("open")
		u.Close()
		<-ended
	})
}

// All waits are by the client's clock.
func TestClock(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		clock := wstest.NewClock()
		u, p := s.dial(client.WithClock(clock))
		p.drop()
		time.Sleep(time.Hour) // real time does not matter
		u.sees("open", "reconnecting")
		clock.Advance(300 * ms)
		p = s.next()
		call := u.call(t.Context(), get, &text{"q"}, nil)
		p.request("GET")
		time.Sleep(time.Hour)
		clock.Advance(5*time.Second - 1)
		synctest.Wait()
		if len(call) != 0 {
			t.Error("timeout too early")
		}
		clock.Advance(1)
		wantErr(t, call, context.DeadlineExceeded)
		synctest.Wait()
		if n := clock.Waiting(); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}
