package lobby

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// Authenticate believes whatever name a client gives itself: this is a demo. In a real program look the token up, and
// return an error for one that is not valid; nobody is let in then.
func Authenticate(r *http.Request, token string) (*chat.Claims, error) {
	user := r.URL.Query().Get("user")
	switch {
	case user == "" && token != "":
		user = token
	case user == "":
		user = "guest-" + strings.ToLower(rand.Text()[:8])
	}
	if utf8.RuneCountInString(user) > 40 || !utf8.ValidString(user) {
		return nil, errors.New("a name has 40 characters at most")
	}
	return &chat.Claims{UserID: user, Roles: []string{}}, nil
}
