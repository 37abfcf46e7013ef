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
	roles  []string
}

// Expirer is implemented by claims that hold for a limited time; give the generated Claims the method in a file of your own.
// A connection whose claims have expired is closed with 4401, unless it was authenticated anew before.
type Expirer interface {
	ExpiresAt() time.Time // zero: never
}

func (s *Server) identify(claims any) *identity {
	id := &identity{claims: claims}
	if claims != nil && s.protocol.Claims.Roles != nil {
		id.roles = s.protocol.Claims.Roles(claims)
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

// become makes the connection the one of claims, for as long as they hold.
func (c *Conn) become(claims any) {
	c.identity.Store(c.srv.identify(claims))
	if e, ok := claims.(Expirer); ok {
		c.ExpireAt(e.ExpiresAt())
	}
}

// ExpireAt closes the connection with 4401 at a time, in place of the time that was set before; the zero time is never.
func (c *Conn) ExpireAt(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.expiry != nil {
		c.expiry.Stop()
		c.expiry = nil
	}
	if at.IsZero() || c.closing {
		return
	}
	c.expiry = c.srv.Clock.AfterFunc(max(at.Sub(c.srv.Clock.Now()), 0), func() { c.Close(CloseUnauthenticated, "claims expired") })
}

// TypeAuth is the type of the request, of the extended profile, by which a client shows a new token; typeAuthOK answers it.
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
		c.srv.Logger.DebugContext(ctx, "new token refused", slog.String("conn", c.id), slog.Any("error", err))
		return Errorf(CodeUnauthenticated, "not authenticated")
	}
	if claims == nil {
		return Errorf(CodeUnauthenticated, "not authenticated")
	}
	if c.srv.userOf(claims) != c.userID {
		return Errorf(CodePermissionDenied, "the token is of another user: connect again")
	}
	c.become(claims)
	return nil
}
