package wstest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

var errNothing = errors.New("nothing came within " + Patience.String())

// RawConn is a client that sends and receives frames as they are on the wire. Its methods fail the test when something goes
// wrong, so they must be called from the test's goroutine. It reads all the time, so it is never a slow reader.
type RawConn struct {
	t    testing.TB
	conn *websocket.Conn

	mu     sync.Mutex
	frames []string // not yet returned by Next
	err    error    // why there will be no more
	more   chan struct{}
}

// Dial connects to a path of s, with a query if need be, and offers subprotocols. The connection is closed when the test ends.
func Dial(t testing.TB, s *Server, path string, subprotocols ...string) *RawConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, s.URL()+path, &websocket.DialOptions{HTTPClient: s.client, Subprotocols: subprotocols})
	if err != nil {
		t.Fatalf("wstest: dial %s: %v%s", path, err, answer(resp))
	}
	conn.SetReadLimit(-1)
	c := &RawConn{t: t, conn: conn, more: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.read()
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-ended
	})
	return c
}

// answer returns what a server said that refused a WebSocket.
func answer(resp *http.Response) string {
	if resp == nil || resp.Body == nil {
		return ""
	}
	body, _ := io.ReadAll(resp.Body) // at most 1 KiB, and already in memory
	return ": " + strings.TrimSpace(string(body))
}

// read collects frames until the connection ends.
func (c *RawConn) read() {
	for {
		_, data, err := c.conn.Read(context.Background())
		c.mu.Lock()
		if c.err = err; err == nil {
			c.frames = append(c.frames, string(data))
		}
		c.mu.Unlock()
		select {
		case c.more <- struct{}{}:
		default:
		}
		if err != nil {
			_ = c.conn.CloseNow()
			return
		}
	}
}

// Subprotocol returns what the server chose of the offered subprotocols; "" when it chose none.
func (c *RawConn) Subprotocol() string { return c.conn.Subprotocol() }

// Send sends a text frame.
func (c *RawConn) Send(frame string) {
	c.t.Helper()
	c.send(websocket.MessageText, frame)
}

// SendBinary sends a binary frame.
func (c *RawConn) SendBinary(data []byte) {
	c.t.Helper()
	c.send(websocket.MessageBinary, string(data))
}

func (c *RawConn) send(typ websocket.MessageType, data string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := c.conn.Write(ctx, typ, []byte(data)); err != nil {
		c.t.Fatalf("wstest: send %s: %v", data, err)
	}
}

// Next returns the next frame, and waits for it up to Patience.
func (c *RawConn) Next() string {
	c.t.Helper()
	frame, err := c.next()
	if err != nil {
		c.t.Fatalf("wstest: no frame: %v", err)
	}
	return frame
}

// Expect compares the next frame with want as JSON: white space and the order of keys do not matter.
func (c *RawConn) Expect(want string) {
	c.t.Helper()
	got, err := c.next()
	if err != nil {
		c.t.Fatalf("wstest: no frame: %v\nwant %s", err, want)
	}
	equal, err := equalJSON(got, want)
	if err != nil {
		c.t.Fatalf("wstest: %v\ngot  %s\nwant %s", err, got, want)
	}
	if !equal {
		c.t.Fatalf("wstest: wrong frame\ngot  %s\nwant %s", got, want)
	}
}

// ExpectClose waits until the server closes the connection, checks the close code and returns the reason. A frame that
// comes before fails the test.
func (c *RawConn) ExpectClose(code int) (reason string) {
	c.t.Helper()
	frame, err := c.next()
	if err == nil {
		c.t.Fatalf("wstest: got %s, want the connection closed with %d", frame, code)
	}
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok || int(closed.Code) != code {
		c.t.Fatalf("wstest: %v, want the connection closed with %d", err, code)
	}
	return closed.Reason
}

// ExpectDrop waits until the server cuts the connection without a close frame. A frame that comes before fails the test.
func (c *RawConn) ExpectDrop() {
	c.t.Helper()
	frame, err := c.next()
	if err == nil {
		c.t.Fatalf("wstest: got %s, want the connection cut", frame)
	}
	if errors.Is(err, errNothing) || websocket.CloseStatus(err) != -1 {
		c.t.Fatalf("wstest: %v, want the connection cut without a close frame", err)
	}
}

// Close closes the connection with code 1000.
func (c *RawConn) Close() { _ = c.conn.Close(websocket.StatusNormalClosure, "") }

// Drop cuts the connection without a close frame.
func (c *RawConn) Drop() { _ = c.conn.CloseNow() }

// next returns the next frame, or why there is none.
func (c *RawConn) next() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for {
		c.mu.Lock()
		frames, err := c.frames, c.err
		if len(frames) > 0 {
			c.frames = frames[1:]
		}
		c.mu.Unlock()
		switch {
		case len(frames) > 0:
			return frames[0], nil
		case err != nil:
			return "", err
		}
		select {
		case <-c.more:
		case <-ctx.Done():
			return "", errNothing
		}
	}
}

// equalJSON compares two JSON texts by their values.
func equalJSON(got, want string) (bool, error) {
	var g, w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return false, errors.New("the wanted frame is no JSON: " + err.Error())
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return false, errors.New("the frame is no JSON: " + err.Error())
	}
	return reflect.DeepEqual(g, w), nil
}
