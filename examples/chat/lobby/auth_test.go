package lobby

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// token returns what a page is given for a name.
func token(tokens *Tokens, user string) string {
	w := httptest.NewRecorder()
	tokens.ServeHTTP(w, httptest.NewRequest("GET", "/token?user="+user, nil))
	return w.Body.String()
}

func TestTokens(t *testing.T) {
	tokens := NewTokens([]byte("secret"), time.Hour)
	r := httptest.NewRequest("GET", "/ws", nil)
	good := token(tokens, "ann")
	claims, err := tokens.Authenticate(r, good)
	if err != nil || claims.UserID != "ann" || time.Until(claims.ExpiresAt()).Round(time.Minute) != time.Hour {
		t.Errorf("got %+v, %v", claims, err)
	}
	for what, tt := range map[string]struct{ token, want string }{
		"expired":        {token(NewTokens([]byte("secret"), -time.Second), "ann"), "has expired"},
		"of others":      {token(NewTokens(nil, time.Hour), "ann"), "not one of ours"},
		"changed":        {good[:len(good)-1] + "!", "not one of ours"},
		"cut off":        {tokenPrefix, "not one of ours"},
		"of nobody":      {token(tokens, ""), "1 to 40 characters"},
		"with long name": {token(tokens, strings.Repeat("x", 41)), "1 to 40 characters"},
	} {
		if claims, err := tokens.Authenticate(r, tt.token); claims != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %+v, %v", what, claims, err)
		}
	}
	if claims, err := tokens.Authenticate(httptest.NewRequest("GET", "/ws?user=bob", nil), ""); err != nil || claims.UserID != "bob" || !claims.ExpiresAt().IsZero() {
		t.Errorf("a name: got %+v, %v", claims, err)
	}
}
