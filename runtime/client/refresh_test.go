package client_test

import (
	"testing"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// TestRefresh shows a new token on the open connection, which goes on whatever the answer is.
func TestRefresh(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		u, p := s.dial()
		refresh := func(answer, payload string) error {
			done := make(chan error, 1)
			go func() { done <- u.Refresh(t.Context(), "new") }()
			r := p.request("$ws:auth")
			if got := string(r.Payload); got != `{"token":"new"}` {
				t.Errorf("the server gets %s", got)
			}
			p.reply(r, answer, payload)
			return <-done
		}
		if err := refresh("$ws:auth-ok", ""); err != nil {
			t.Errorf("Refresh: %v", err)
		}
		for _, code := range []wsrt.Code{wsrt.CodeUnauthenticated, wsrt.CodePermissionDenied, wsrt.CodeUnimplemented} {
			err := refresh("RPC_ERROR", `{"code":"`+string(code)+`","message":"no","retryable":false}`)
			if wsrt.CodeOf(err) != code {
				t.Errorf("Refresh: %v, want %s", err, code)
			}
		}
		u.say("still here")
		p.expect(`SAY{"text":"still here"}`)
		u.sees("open")
	})
}
