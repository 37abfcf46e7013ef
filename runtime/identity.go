package runtime

// Identity: who a connection is, until when, and how it stays that.

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// identity is what Authenticate or Reauthenticate has found out. It is immutable.
type identity struct {
	claims any // nil: anonymous
	userID string
	roles  []string
	until  *time.Time // when the claims hold no more; zero: for ever. nil: they do not say
}

// Expirer is implemented by claims that hold for a limited time; give the generated Claims the method in a file of your own.
// A connection whose claims have expired is closed with 4401, unless it was authenticated anew before.
type Expirer interface {
	ExpiresAt() time.Time // zero: never
}

func (s *Server) identify(claims any) *identity {
	id := &identity{claims: claims, userID: s.userOf(claims)}
	if claims != nil && s.protocol.Claims.Roles != nil {
		id.roles = s.protocol.Claims.Roles(claims)
	}
	if e, ok := claims.(Expirer); ok {
		until := e.ExpiresAt()
		id.until = &until
	}
	return id
}

// userOf returns the user that claims name; empty for none.
func (s *Server) userOf(claims any) string {
	if claims == nil || s.protocol.Claims.UserID == nil {
		return ""
	}
	return s.protocol.Claims.UserID(claims)
}

// become makes the connection the one of claims, for as long as they hold; false when the user has too many. Only a
// connection that was of nobody becomes one of a user.
func (c *Conn) become(claims any) bool {
	s, next := c.srv, c.srv.identify(claims)
	if c.UserID() == "" && !c.ticket.user(next.userID) {
		return false
	}
	s.mu.Lock()
	token := c.sessionToken()
	if old := s.sessionKey(c.UserID(), token); s.sessions[old] == c {
		delete(s.sessions, old)
		s.sessions[s.sessionKey(next.userID, token)] = c
	}
	c.identity.Store(next)
	s.mu.Unlock()
	c.holdUntil(next)
	return true
}

// holdUntil sets the time that claims say; who has none may have a time for that.
func (c *Conn) holdUntil(who *identity) {
	now := c.srv.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch limit := c.srv.AnonymousTimeout; {
	case who.until != nil:
		c.expireAt(*who.until, now, "claims expired")
	case c.stranger:
		c.expireAt(time.Time{}, now, "")
	case who.claims == nil && limit > 0 && c.srv.guarded:
		c.expireAt(now.Add(limit), now, "not authenticated in time")
		c.stranger = true
	}
}

// ExpireAt closes the connection with 4401 at a time, in place of the time that was set before; the zero time is never.
func (c *Conn) ExpireAt(at time.Time) {
	now := c.srv.Clock.Now()
	if c.remote != nil {
		c.remote.expireAt(c, at, now)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expireAt(at, now, "claims expired")
}

// expireAt is ExpireAt with the reason that the client is told. c.mu is held.
func (c *Conn) expireAt(at, now time.Time, reason string) {
	if c.expiry != nil {
		c.expiry.Stop()
		c.expiry = nil
	}
	c.stranger = false
	if at.IsZero() || c.closing {
		return
	}
	c.expiry = c.srv.Clock.AfterFunc(max(at.Sub(now), 0), func() { c.Close(CloseUnauthenticated, reason) })
}

// TypeAuth is the type of the request, of the extended profile, by which a client shows a new token; typeAuthOK answers it.
// What the client sends before it has the answer may still count with the old one. Neither Authorize nor interceptors see it.
const (
	TypeAuth   = "$ws:auth"
	typeAuthOK = "$ws:auth-ok"
)

// AuthToken is the payload of TypeAuth.
type AuthToken struct{ Token string }

// maxTokenLen is how long a token may be, in characters.
const maxTokenLen = 16 << 10

// AuthRequest describes TypeAuth, to servers and clients.
func AuthRequest() *MessageType {
	return &MessageType{
		Name: TypeAuth, FromClient: true, Kind: -1, Auth: Auth{Anonymous: true},
		Rate: &Rate{Limit: 10, Per: time.Minute, Burst: 10}, // tokens are not to be guessed
		Payload: &Payload{
			Decode: func(d *codec.Decoder) any { return decodeToken(d) },
			Encode: func(w *jx.Writer, v any) {
				w.RawStr(`{"token":`)
				codec.WriteString(w, v.(*AuthToken).Token)
				w.RawStr(`}`)
			},
		},
		Request: &RequestType{
			ResponseName: typeAuthOK, NewResponse: func() any { return &struct{}{} },
			Handle: func(ctx context.Context, _ any, c *Conn, req any, _ func(any) error) (any, error) {
				return &struct{}{}, c.reauthenticate(ctx, req.(*AuthToken).Token)
			},
		},
	}
}

func decodeToken(d *codec.Decoder) *AuthToken {
	t := new(AuthToken)
	var seen codec.Seen
	o := d.Object()
	for o.Next() {
		if string(o.Key()) != "token" {
			o.Unknown()
		} else if o.First(&seen, 0) {
			t.Token = d.StringLen(1, maxTokenLen)
		}
	}
	if o.Lacks(seen, 1) {
		o.Require(seen, 0, "token")
	}
	return t
}

// reauthenticate takes new claims of the same user.
func (c *Conn) reauthenticate(ctx context.Context, token string) error {
	claims, err := c.srv.Reauthenticate(ctx, c, token)
	if err != nil {
		if e, ok := asError(err); ok {
			return e
		}
		c.srv.Logger.DebugContext(ctx, "new token refused", slog.String("conn", c.ID()), slog.Any("error", err))
		return Errorf(CodeUnauthenticated, "not authenticated")
	}
	if claims == nil {
		return Errorf(CodeUnauthenticated, "not authenticated")
	}
	if c.Claims() != nil && c.srv.userOf(claims) != c.UserID() {
		return Errorf(CodePermissionDenied, "the token is of another user: connect again")
	}
	if !c.become(claims) {
		return Errorf(CodeResourceExhausted, "too many connections of this user")
	}
	return nil
}
