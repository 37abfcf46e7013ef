package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
	"github.com/wsgen/wsgen/runtime/internal/resume"
)

// A session is one connection: a goroutine reads it, two more write and ping.
type session struct {
	c      *Client
	conn   *websocket.Conn
	raw    io.Closer // the connection under conn
	v1     bool      // the server speaks the extended profile
	opened time.Time // by the client's clock

	over  context.Context // ends with the connection
	end   context.CancelFunc
	reads atomic.Int64 // grows as long as something comes
	held  atomic.Bool  // the reader waits for callbacks

	served  chan struct{}      // closed when nothing of it is left
	why     error              // it ended; read it when served is closed
	away    chan time.Duration // gets the time that is left once the server has said that it goes away
	settled chan struct{}      // holds a token when something that a move waits for has happened

	receiving sync.Mutex // held while a frame is handled
	retired   bool       // another connection has taken over; guarded by receiving

	// The rest is guarded by Client.mu.
	resume  []byte   // what asks for the rooms that the client was in; nil: nothing
	resumes bool     // and the answer has not come yet
	aborts  []string // correlation ids of requests that the server may give up
	ended   bool
	moving  bool     // another connection is about to take over: nothing new is written
	marks   bool     // a mark is to be written behind what was
	marked  bool     // the server has come to the mark
	old     *session // that this one has taken over from, until the server has agreed; nil: none
	failure error    // what ended the connection, when it was not the reader that noticed

	frames codec.Decoder // of the reader
	values codec.Decoder // of the reader
}

func newSession(c *Client, conn *websocket.Conn, raw io.Closer) *session {
	s := &session{c: c, conn: conn, raw: raw, v1: conn.Subprotocol() == subprotocolV1, opened: c.opts.clock.Now(),
		served: make(chan struct{}), away: make(chan time.Duration, 1), settled: make(chan struct{}, 1)}
	s.over, s.end = context.WithCancel(context.Background())
	return s
}

// serve runs the connection until it ends, and notes why. Nothing of it is left behind.
func (s *session) serve() {
	defer close(s.served)
	var wg sync.WaitGroup
	wg.Go(s.write)
	wg.Go(s.heartbeat)
	err := s.read()
	s.discard()
	wg.Wait()
	s.why = s.cause(err)
}

// discard ends the connection at once.
func (s *session) discard() {
	s.c.mu.Lock()
	s.ended = true
	s.c.changed.Broadcast()
	s.c.mu.Unlock()
	s.end()
	_ = s.raw.Close()
	_ = s.conn.CloseNow()
}

// fail notes what is wrong with the connection. The reader may still find a close frame that says more, for a moment.
func (s *session) fail(err error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.ended || s.failure != nil {
		return
	}
	s.failure = err
	s.endSoon()
}

// endSoon ends the connection after closeGrace, unless it has ended by then.
func (s *session) endSoon() {
	timer := time.AfterFunc(closeGrace, func() { _ = s.raw.Close() })
	context.AfterFunc(s.over, func() { timer.Stop() })
}

// close does the closing handshake, which takes at most closeGrace.
func (s *session) close(code websocket.StatusCode, reason string) {
	s.endSoon()
	_ = s.conn.Close(code, reason)
}

// cause says why the connection ended, given the error of the reader.
func (s *session) cause(err error) error {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e
	}
	if e, ok := errors.AsType[websocket.CloseError](err); ok {
		return &CloseError{Code: int(e.Code), Reason: e.Reason}
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &CloseError{Code: int(websocket.StatusMessageTooBig),
			Reason: fmt.Sprintf("a message of the server is larger than WithReadLimit(%d)", s.c.opts.readLimit)}
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.failure != nil {
		return s.failure
	}
	return fmt.Errorf("client: connection lost: %w", err)
}

// read reads frames until the connection ends, and returns why.
func (s *session) read() error {
	var buf []byte
	for {
		// A context that can end would cost allocations for each frame; the connection is closed instead.
		typ, r, err := s.conn.Reader(context.Background())
		if err != nil {
			return err
		}
		if buf, err = s.readAll(r, buf[:0]); err != nil {
			return err
		}
		switch {
		case typ != websocket.MessageText:
			return s.refuse(websocket.StatusUnsupportedData, "binary frame")
		case !codec.ValidUTF8(buf):
			return s.refuse(websocket.StatusInvalidFramePayloadData, "invalid UTF-8")
		}
		s.handle(buf)
		if cap(buf) > 64<<10 {
			buf = nil // one large message should not cost memory for ever
		}
	}
}

// refuse closes a connection on which the server sent what it must not.
func (s *session) refuse(code websocket.StatusCode, reason string) error {
	s.close(code, reason)
	return &CloseError{Code: int(code), Reason: "the server sent: " + reason}
}

// hold notes whether callbacks hold the reader up.
func (s *session) hold(on bool) {
	s.held.Store(on)
	s.reads.Add(1) // what came meanwhile is about to be read
}

// readAll is io.ReadAll into a buffer that is used again.
func (s *session) readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		s.reads.Add(1)
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// write writes what is queued until the connection ends. When the client stops it writes the rest, and closes.
func (s *session) write() {
	var w jx.Writer
	for {
		header, payload, ok := s.c.next(s)
		if !ok {
			break
		}
		w.Reset()
		appendFrame(&w, &header, payload)
		if err := s.conn.Write(context.Background(), websocket.MessageText, w.Buf); err != nil {
			s.fail(fmt.Errorf("client: connection lost: %w", err))
			return
		}
	}
	if s.over.Err() == nil {
		s.close(websocket.StatusNormalClosure, "")
	}
}

// next waits for a frame to write. It returns false when the connection has ended, or the client stops and everything is written.
func (c *Client) next(s *session) (header envelope.Header, payload []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case s.ended || s.failure != nil:
			return envelope.Header{}, nil, false
		case s.resume != nil && s.v1: // before all that needs a membership
			payload, s.resume = s.resume, nil
			return envelope.Header{Type: resume.TypeResume}, payload, true
		case len(s.aborts) > 0:
			header.Type, header.CorrelationID, header.Form = typeAbort, s.aborts[0], c.types.form
			s.aborts = s.aborts[1:]
			return header, nil, true
		case s.marks:
			s.marks = false
			return envelope.Header{Type: typeHeartbeat, Form: c.types.form}, nil, true
		case len(c.queue.frames) > 0 && c.session == s && (!s.moving || c.closing):
			f := c.queue.pop()
			if f.call != nil {
				header = c.sent(f.call, s)
			}
			header.Type, header.Form = f.name, c.types.form
			if f.meta != nil {
				header.Meta = func(w *jx.Writer) { w.Raw(f.meta) }
			}
			return header, f.payload, true
		case c.closing:
			return envelope.Header{}, nil, false
		}
		c.changed.Wait()
	}
}

// appendFrame writes a frame whose payload is encoded already.
func appendFrame(w *jx.Writer, h *envelope.Header, payload []byte) {
	if payload == nil {
		envelope.Append(w, h, nil, nil)
		return
	}
	envelope.Append(w, h, func(w *jx.Writer, _ any) { w.Raw(payload) }, nil)
}

// heartbeat pings the server while nothing comes from it, and ends the connection when it does not answer.
func (s *session) heartbeat() {
	interval := s.c.opts.pingInterval
	if interval <= 0 {
		return
	}
	for {
		before := s.reads.Load()
		jitter := time.Duration(s.c.opts.random(int64(interval)/5 + 1)) // so that many clients do not ping together
		if !s.c.sleep(s.over, interval-jitter) {
			return
		}
		if s.reads.Load() == before && !s.held.Load() && !s.ping() {
			s.fail(errNoPong)
			_ = s.raw.Close()
			return
		}
	}
}

// ping reports whether the server is alive. When the reader is held up by callbacks, nobody can tell; that counts as alive.
func (s *session) ping() bool {
	before := s.reads.Load()
	ctx, cancel := s.c.bound(s.over, s.c.opts.pingTimeout)
	defer cancel()
	err := s.conn.Ping(ctx)
	if err != nil {
		<-ctx.Done() // the library gives up earlier when it cannot write
	}
	return err == nil || s.over.Err() != nil || s.held.Load() || s.reads.Load() != before
}
