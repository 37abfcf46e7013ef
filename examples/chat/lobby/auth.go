package lobby

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	wsrt "github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// tokenPrefix tells our tokens from the names that the demo believes, too.
const tokenPrefix = "chat1."

// Tokens gives out tokens that say for a while who somebody is, and checks them.
type Tokens struct {
	secret []byte
	ttl    time.Duration
}

// NewTokens returns tokens that hold for ttl. All processes that take each other's need the same secret; without one it is random, so
// that tokens end with the process, and pages get new ones.
func NewTokens(secret []byte, ttl time.Duration) *Tokens {
	if len(secret) == 0 {
		secret = []byte(rand.Text())
	}
	return &Tokens{secret: secret, ttl: ttl}
}

// ServeHTTP answers ?user=ann with a token. It believes whatever name it is given: this is a demo, and here is where a real program
// looks at a session, or has people log in.
func (t *Tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	claims := fmt.Sprintf("%d.%s", time.Now().Add(t.ttl).UnixMilli(), r.URL.Query().Get("user"))
	body := base64.RawURLEncoding.EncodeToString([]byte(claims))
	_, _ = io.WriteString(w, tokenPrefix+body+"."+t.sign(body))
}

func (t *Tokens) sign(body string) string {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Authenticate takes our tokens while they hold, and for the sake of the demo any name; ask for a token before real users come.
func (t *Tokens) Authenticate(r *http.Request, token string) (*chat.Claims, error) {
	signed, ours := strings.CutPrefix(token, tokenPrefix)
	if !ours {
		return Authenticate(r, token)
	}
	body, mac, _ := strings.Cut(signed, ".")
	if !hmac.Equal([]byte(mac), []byte(t.sign(body))) {
		return nil, wsrt.Errorf(wsrt.CodeUnauthenticated, "the token is not one of ours, or of an earlier process")
	}
	claims, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, err
	}
	millis, user, _ := strings.Cut(string(claims), ".")
	var until int64
	if _, err := fmt.Sscan(millis, &until); err != nil {
		return nil, err
	}
	expires := time.UnixMilli(until)
	if time.Now().After(expires) {
		return nil, wsrt.Errorf(wsrt.CodeUnauthenticated, "the token has expired")
	}
	return named(user, &expires)
}

// Authenticate believes whatever name a client gives itself, as its token or as ?user=.
func Authenticate(r *http.Request, token string) (*chat.Claims, error) {
	user := r.URL.Query().Get("user")
	if user == "" {
		user = token
	}
	if user == "" {
		user = "guest-" + strings.ToLower(rand.Text()[:8])
	}
	return named(user, nil)
}

func named(user string, expires *time.Time) (*chat.Claims, error) {
	if n := utf8.RuneCountInString(user); n == 0 || n > 40 || !utf8.ValidString(user) {
		return nil, wsrt.Errorf(wsrt.CodePermissionDenied, "a name has 1 to 40 characters")
	}
	return &chat.Claims{UserID: user, Roles: []string{}, Expires: expires}, nil
}
