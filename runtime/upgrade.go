package runtime

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// subprotocolV1 is the extended profile.
const subprotocolV1 = "wsgen.v1"

// bearerPrefix marks the offered subprotocol that is a token.
const bearerPrefix = "bearer."

// statusHeader is sent by clients that see the status of a refused handshake, and want that.
const statusHeader = "Wsgen-Status"

// ServeHTTP upgrades a request to a WebSocket, or refuses it: 401 not authenticated, 403 origin, 429 too many connections
// of one address or user, 503 full, draining or cut off from its cluster. Pages cannot see a status: a client that offers wsgen.v1 and
// can be one is let in instead of 401 or 403, and closed at once with 4401 or 4403. ServeHTTP returns after the upgrade; the connection
// has a goroutine of its own.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		s.refuse(w, &refusal{"draining", http.StatusServiceUnavailable, "the server is going down", max(s.DrainSpread, time.Second)})
		return
	}
	if s.mesh != nil && s.mesh.cutOff() {
		s.refuse(w, &refusal{"cutoff", http.StatusServiceUnavailable, errCutOff, 2 * time.Second})
		return
	}
	ticket, refused := s.admission.enter(s.ClientIP(r))
	if refused != nil {
		s.refuse(w, refused)
		return
	}
	var c *Conn
	defer func() { // also when a hook panics
		if c == nil {
			ticket.release()
		}
	}()
	if c = s.upgrade(w, r, ticket); c != nil {
		go c.run()
	}
}

// upgrade authenticates and accepts. When it returns nil it has answered the request.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, ticket *ticket) *Conn {
	who, refused := s.judge(r, ticket)
	code := refused.closeCode()
	if refused != nil && (code == 0 || !blind(r)) {
		s.refuse(w, refused)
		return nil
	}
	sock, err := socket.Accept(w, r, pickSubprotocol(r), &s.sockets)
	if err != nil {
		s.stats.refusal("upgrade")
		return nil
	}
	if refused != nil { // the program is not asked about it, nor any more about one that comes too late
		s.stats.refusal(refused.reason)
		sock.Close(int(code), refused.text)
		go newConn(s, sock, &identity{}, ticket).seeOff()
		return nil
	}
	c := newConn(s, sock, who, ticket)
	c.urlRoom = strings.Clone(r.URL.Query().Get("room"))
	if !s.register(c) {
		s.stats.refusal("draining")
		sock.Close(CloseRestart, "retry="+strconv.Itoa(int(s.DrainSpread.Milliseconds())))
		go c.seeOff()
		return nil
	}
	return c
}

// judge says who it is, or why that is not enough.
func (s *Server) judge(r *http.Request, ticket *ticket) (*identity, *refusal) {
	if !s.originAllowed(r) {
		return nil, &refusal{"origin", http.StatusForbidden, "pages of this origin may not connect (see Options.Origins)", 0}
	}
	who, refused := s.authenticate(r)
	if refused == nil && !ticket.user(who.userID) {
		refused = &refusal{"user", http.StatusTooManyRequests, "too many connections of this user", time.Second}
	}
	return who, refused
}

// blind reports whether a client may be one that cannot see the status of a refused handshake, but knows what our close codes mean.
// Who sets headers is none.
func blind(r *http.Request) bool {
	return pickSubprotocol(r) == subprotocolV1 && r.Header.Get("Authorization") == "" && r.Header.Get(statusHeader) == ""
}

// authenticate returns who it is, or why that is not known. It waits for the program as long as the handshake may take; what
// comes later is for nobody.
func (s *Server) authenticate(r *http.Request) (*identity, *refusal) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	timer := s.Clock.AfterFunc(s.HandshakeTimeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	type result struct {
		who *identity
		err error
	}
	done := make(chan result, 1)
	go func() {
		var res result
		res.err = guard(func() error {
			// A copy: claims that keep a part of the token would keep the whole request in memory.
			claims, err := s.Authenticate(r.WithContext(ctx), strings.Clone(s.token(r)))
			if err == nil {
				res.who = s.identify(claims) // which asks methods of the program's
			}
			return err
		})
		done <- res
	}()
	select {
	case res := <-done:
		return s.authenticated(ctx, res.who, res.err)
	case <-ctx.Done():
		return nil, &refusal{"timeout", http.StatusServiceUnavailable, "authentication takes too long", time.Second}
	}
}

// authenticated judges what the program has returned.
func (s *Server) authenticated(ctx context.Context, who *identity, err error) (*identity, *refusal) {
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		s.report(ctx, nil, err)
		return nil, &refusal{"panic", http.StatusUnauthorized, "authentication failed", 0}
	}
	if err == nil && (who.claims != nil || s.anonymous) {
		return who, nil
	}
	s.Logger.DebugContext(ctx, "connection refused", "error", err)
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, refusalOf(e)
	}
	return nil, &refusal{"unauthenticated", http.StatusUnauthorized, "not authenticated", 0}
}

// refusalOf tells what the program says to the client, as it may in any error with a code.
func refusalOf(e *Error) *refusal {
	switch e.code {
	case CodePermissionDenied:
		return &refusal{"forbidden", http.StatusForbidden, e.message, 0}
	case CodeResourceExhausted, CodeUnavailable:
		return &refusal{"unavailable", http.StatusServiceUnavailable, e.message, max(e.retryAfter, time.Second)}
	}
	return &refusal{"unauthenticated", http.StatusUnauthorized, e.message, 0}
}

// token returns the first token of: the Authorization header, an offered subprotocol, the query, the cookie.
func (s *Server) token(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	for _, p := range offeredSubprotocols(r) {
		if token, ok := strings.CutPrefix(p, bearerPrefix); ok && token != "" {
			return token
		}
	}
	if token := r.URL.Query().Get("access_token"); token != "" {
		return token
	}
	if cookie, err := r.Cookie(s.TokenCookie); err == nil {
		return cookie.Value
	}
	return ""
}

func offeredSubprotocols(r *http.Request) []string {
	var out []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if p = strings.TrimSpace(p); p != "" {
				out = append(out, p)
			}
		}
	}
	return out
}

// pickSubprotocol returns wsgen.v1 if it was offered, else the first one that is no token, else the token's: browsers give
// up when what they offer is not answered.
func pickSubprotocol(r *http.Request) string {
	offered := offeredSubprotocols(r)
	pick := ""
	for _, p := range offered {
		switch {
		case p == subprotocolV1:
			return p
		case pick == "" || strings.HasPrefix(pick, bearerPrefix) && !strings.HasPrefix(p, bearerPrefix):
			pick = p
		}
	}
	return pick
}

// originAllowed protects users from pages of others that connect with their cookies. A client that is no browser sends no
// origin.
func (s *Server) originAllowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 || u.Host == "" {
		return false // also "null"
	}
	if strings.EqualFold(u.Host, r.Host) {
		// Behind a proxy that ends TLS the request looks plain, so a page of https is let in; a page of http may not use
		// a connection of TLS.
		return r.TLS == nil || u.Scheme == "https"
	}
	for _, pattern := range s.Origins {
		target := strings.ToLower(u.Host)
		if strings.Contains(pattern, "://") {
			target = strings.ToLower(u.Scheme + "://" + u.Host)
		}
		if matchOrigin(strings.ToLower(pattern), target) {
			return true
		}
	}
	return false
}

// matchOrigin matches label by label, so that a star stands for one label.
func matchOrigin(pattern, target string) bool {
	ok, err := path.Match(strings.NewReplacer("/", "|", ".", "/").Replace(pattern), strings.NewReplacer("/", "|", ".", "/").Replace(target))
	return ok && err == nil
}

func remoteIP(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip, _ := netip.ParseAddr(host)
	return ip.Unmap().WithZone("")
}

// refuse answers a handshake.
func (s *Server) refuse(w http.ResponseWriter, r *refusal) {
	s.stats.refusal(r.reason)
	if r.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((r.retryAfter+time.Second-1)/time.Second)))
	}
	http.Error(w, r.text, r.status)
}
