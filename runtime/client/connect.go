package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// subprotocolV1 is the subprotocol of the extended profile.
const subprotocolV1 = "wsgen.v1"

// parseURL checks the address of a server. Errors leave its query out, which may hold a token.
func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("client: invalid URL: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return nil, fmt.Errorf("client: URL with scheme %q: use ws, wss, http or https", u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("client: URL without a host: write it as wss://example.com/ws")
	}
	return u, nil
}

// connect makes one attempt: a token, the handshake.
func (c *Client) connect(ctx context.Context) (*session, error) {
	ctx, cancel := c.bound(ctx, c.opts.connectTimeout)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	target, opts, err := c.handshake(token)
	if err != nil {
		return nil, err
	}
	raw := &rawTransport{base: opts.HTTPClient.Transport}
	if raw.base == nil {
		raw.base = http.DefaultTransport
	}
	opts.HTTPClient.Transport = raw
	conn, resp, err := websocket.Dial(ctx, target, opts)
	if err != nil {
		return nil, c.connectError(ctx, resp, err)
	}
	conn.SetReadLimit(c.opts.readLimit)
	return newSession(c, conn, raw.body), nil
}

// bound returns a context that ends after d by the client's clock.
func (c *Client) bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := c.opts.clock.AfterFunc(d, func() {
		cancel(fmt.Errorf("client: not connected within %v: %w", d, context.DeadlineExceeded))
	})
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// token asks for the token, and stops waiting for it when ctx ends.
func (c *Client) token(ctx context.Context) (string, error) {
	if c.opts.token == nil {
		return "", nil
	}
	type result struct {
		token string
		err   error
	}
	got := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if v := recover(); v != nil {
				r.err = &PanicError{Callback: "WithTokenSource", Value: v, Stack: debug.Stack()}
			}
			got <- r
		}()
		r.token, r.err = c.opts.token(ctx)
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return "", fmt.Errorf("client: token: %w", r.err)
		}
		return r.token, nil
	case <-ctx.Done():
		return "", fmt.Errorf("client: token: %w", context.Cause(ctx))
	}
}

// handshake returns the URL and the options of a handshake with the token in its place.
func (c *Client) handshake(token string) (string, *websocket.DialOptions, error) {
	httpClient := http.Client{}
	if c.opts.httpClient != nil {
		httpClient = *c.opts.httpClient
	}
	opts := &websocket.DialOptions{
		HTTPClient:   &httpClient,
		HTTPHeader:   c.opts.header.Clone(),
		Subprotocols: []string{subprotocolV1},
	}
	if opts.HTTPHeader == nil {
		opts.HTTPHeader = http.Header{}
	}
	opts.HTTPHeader.Set("Wsgen-Status", "1") // pages are let in and told with a close code, because they cannot see a status
	target := *c.url
	switch {
	case token == "":
	case c.opts.tokenPlacement == TokenInQuery:
		query := target.Query()
		query.Set("access_token", token)
		target.RawQuery = query.Encode()
	case c.opts.tokenPlacement == TokenInSubprotocol:
		if strings.ContainsFunc(token, notTokenChar) {
			return "", nil, errors.New("client: the token holds a character that a subprotocol cannot: use TokenInHeader or TokenInQuery")
		}
		opts.Subprotocols = append(opts.Subprotocols, "bearer."+token)
	default:
		opts.HTTPHeader.Set("Authorization", "Bearer "+token)
	}
	return target.String(), opts, nil
}

// notTokenChar reports whether r may not stand in a token of RFC 7230, section 3.2.6.
func notTokenChar(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// connectError says why a handshake failed, without its URL, which may hold a token.
func (c *Client) connectError(ctx context.Context, resp *http.Response, err error) error {
	if cause := context.Cause(ctx); cause != nil && cause != ctx.Err() {
		return cause // the time was up
	}
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		e := &HandshakeError{Status: resp.StatusCode}
		e.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), c.opts.clock.Now())
		if resp.Body != nil {
			body, _ := io.ReadAll(resp.Body) // at most 1 KiB, and already in memory
			e.Body = strings.TrimSpace(strings.ToValidUTF8(string(body), "\uFFFD"))
		}
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("client: cannot connect to %s: %w", c.url.Host, err)
}

// A rawTransport remembers the connection under a WebSocket. Closing that ends everything at once, while CloseNow of the
// library waits for a close handshake that has begun.
type rawTransport struct {
	base http.RoundTripper
	body io.Closer
}

// RoundTrip passes the request on.
func (t *rawTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		t.body = resp.Body
	}
	return resp, err
}
