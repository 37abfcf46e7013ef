// Package joined_test runs a protocol with one kind of rooms, whose messages mostly go to the room that was joined.
package joined_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/joined/joined"
)

// table is a room.
type table struct {
	joined.UnimplementedRoomHandler
	room *joined.Room
	w    *world
}

// world is what the tests see of the server.
type world struct {
	events chan string
	clock  *wstest.Clock
	srv    *joined.Server
}

func (h *table) Sit(_ context.Context, c *joined.Conn, m *joined.Sit) error {
	if err := h.room.Join(c); err != nil {
		return err
	}
	return h.room.Send(c, &joined.Heard{Table: m.Table, Text: fmt.Sprint("seat ", h.room.Len(), " of ", h.room.Topic())})
}

func (h *table) Stand(_ context.Context, c *joined.Conn, _ *joined.Stand) error {
	c.Leave(h.room.Topic())
	return nil
}

// Say answers the sender before and after everybody hears it.
func (h *table) Say(_ context.Context, c *joined.Conn, m *joined.Say) error {
	return errors.Join(
		c.Send(&joined.Heard{Text: "before " + m.Text}),
		h.room.Publish(&joined.Heard{Text: c.UserID() + ": " + m.Text}),
		h.room.Send(c, &joined.Heard{Text: "after " + m.Text}),
	)
}

func (h *table) CountDown(ctx context.Context, _ *joined.Conn, req *joined.CountDownRequest, progress func(*joined.CountDownProgress) error) (*joined.CountDownResponse, error) {
	switch req.From {
	case 255:
		return nil, joined.NewTooHighError(joined.TooHighDetails{Most: 10})
	case 254: // one that no constructor made
		return nil, &joined.TooHighError{Details: joined.TooHighDetails{Most: 9}}
	case 253:
		return nil, fmt.Errorf("the table is wet: %w", joined.NewClosedError())
	case 252:
		var none *joined.TooHighError
		return nil, none
	case 251:
		var none *wsrt.Error
		return nil, none
	case 250:
		h.w.events <- "waits"
		<-ctx.Done()
		h.w.events <- "gave up"
		return nil, ctx.Err()
	}
	for left := req.From; left > 0; left-- {
		if err := progress(&joined.CountDownProgress{Left: left - 1}); err != nil {
			return nil, err
		}
	}
	return &joined.CountDownResponse{Ended: true}, nil
}

func (h *table) Note(_ context.Context, c *joined.Conn, m *joined.Note) error {
	return h.room.Publish(m, joined.Except(c))
}

func (h *table) OnLeave(_ context.Context, c *joined.Conn, cause wsrt.LeaveCause) {
	h.w.events <- fmt.Sprint(c.UserID(), " ", cause, " ", h.room.ID(), ", ", h.room.Len(), " left")
}

func (h *table) OnClose(context.Context) { h.w.events <- h.room.ID() + " closed" }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{events: make(chan string, 100), clock: wstest.NewClock()}
	srv, err := joined.NewServer(joined.Config{
		Authenticate: func(_ *http.Request, token string) (*joined.Claims, error) {
			return &joined.Claims{UserID: token, Roles: []string{}}, nil
		},
		OpenRoom: func(_ context.Context, r *joined.Room) (joined.RoomHandler, error) {
			return &table{room: r, w: w}, nil
		},
		OnError: func(_ context.Context, c *joined.Conn, err error) {
			w.events <- fmt.Sprint(c.UserID(), " failed: ", errors.As(err, new(*wsrt.PanicError)))
		},
		Options: wsrt.Options{Clock: w.clock, DrainSpread: -1, Logger: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.srv = srv
	t.Cleanup(func() {
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// next waits for a value.
func next[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(wstest.Patience):
		t.Fatal("nothing came")
	}
	return v
}

// wants waits for events of the server.
func (w *world) wants(t *testing.T, want ...string) {
	t.Helper()
	for _, s := range want {
		if got := next(t, w.events); got != s {
			t.Fatalf("%q, want %q", got, s)
		}
	}
}

// dial connects a generated client over a socket. The channel has what it hears.
func (w *world) dial(t *testing.T, s *httptest.Server, user string) (*joined.Client, <-chan string) {
	t.Helper()
	heard := make(chan string, 100)
	c, err := joined.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), joined.Events{
		Heard: func(_ context.Context, m *joined.Heard) { heard <- m.Text },
		Note:  func(_ context.Context, m *joined.Note) { heard <- fmt.Sprint(m.Table, ": ", m.Text) },
	}, client.WithToken(user))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, heard
}

func hears(t *testing.T, heard <-chan string, want ...string) {
	t.Helper()
	for _, s := range want {
		if got := next(t, heard); got != s {
			t.Fatalf("heard %q, want %q", got, s)
		}
	}
}

// serve listens on a port.
func serve(t *testing.T, w *world) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(w.srv)
	t.Cleanup(s.Close)
	return s
}

// TestOrder sends without waiting: what follows a join goes to the room that it joins, and nothing overtakes.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w)
	ann, heard := w.dial(t, s, "ann")
	ctx := t.Context()
	if err := ann.Sit(ctx, &joined.Sit{Table: 7}); err != nil {
		t.Fatal(err)
	}
	want := []string{"seat 1 of room:7"}
	for i := range 20 {
		text := fmt.Sprint(i)
		if err := ann.Say(ctx, &joined.Say{Text: text}); err != nil {
			t.Fatal(err)
		}
		want = append(want, "before "+text, "ann: "+text, "after "+text)
	}
	hears(t, heard, want...)

	bob, bobHeard := w.dial(t, s, "bob")
	if err := bob.Sit(ctx, &joined.Sit{Table: 7}); err != nil {
		t.Fatal(err)
	}
	hears(t, bobHeard, "seat 2 of room:7")
	if err := bob.Note(ctx, &joined.Note{Table: 7, Text: "psst"}); err != nil { // goes both ways
		t.Fatal(err)
	}
	hears(t, heard, "7: psst")
	if err := w.srv.Publish(ctx, joined.RoomTopic("7"), &joined.Heard{Text: "from outside"}); err != nil {
		t.Fatal(err)
	}
	hears(t, heard, "from outside")
	hears(t, bobHeard, "from outside")
	_ = bob.Close()
	w.wants(t, "bob disconnected 7, 1 left")
}

func TestRequestsInARoom(t *testing.T) {
	w := newWorld(t)
	ann, _ := w.dial(t, serve(t, w), "ann")
	ctx := t.Context()
	if _, err := ann.CountDown(ctx, &joined.CountDownRequest{From: 1}, nil); wsrt.CodeOf(err) != wsrt.CodeFailedPrecondition {
		t.Errorf("before the first join: %v", err)
	}
	if err := ann.Sit(ctx, &joined.Sit{Table: 1}); err != nil {
		t.Fatal(err)
	}
	var left []uint8
	resp, err := ann.CountDown(ctx, &joined.CountDownRequest{From: 3}, func(p *joined.CountDownProgress) { left = append(left, p.Left) })
	if err != nil || !resp.Ended || !slices.Equal(left, []uint8{2, 1, 0}) {
		t.Errorf("%+v after %v, %v", resp, left, err)
	}
	for from, most := range map[uint8]uint8{255: 10, 254: 9} {
		_, err := ann.CountDown(ctx, &joined.CountDownRequest{From: from}, nil)
		var high *joined.TooHighError
		if !errors.As(err, &high) || high.Details.Most != most || !strings.Contains(err.Error(), "longer than one line of a comment in Go may be.") ||
			strings.Contains(err.Error(), "paragraph") {
			t.Errorf("%d: %v", from, err)
		}
	}
	_, err = ann.CountDown(ctx, &joined.CountDownRequest{From: 253}, nil)
	var closed *joined.ClosedError
	var wire *wsrt.Error
	if !errors.As(err, &closed) || !errors.As(err, &wire) || !wire.Retryable() || wire.Message() != "100% closed" {
		t.Errorf("%v", err)
	}
	for _, from := range []uint8{252, 251} { // nil pointers in an error
		if _, err := ann.CountDown(ctx, &joined.CountDownRequest{From: from}, nil); wsrt.CodeOf(err) != wsrt.CodeInternal {
			t.Errorf("%d: %v", from, err)
		}
		w.wants(t, "ann failed: true")
	}
}

// TestTypedErrorsOnTheServer finds errors that were not sent yet.
func TestTypedErrorsOnTheServer(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", joined.NewTooHighError(joined.TooHighDetails{Most: 1}))
	var high *joined.TooHighError
	if !errors.As(err, &high) || high.Details.Most != 1 || wsrt.CodeOf(err) != "TOO_HIGH" {
		t.Errorf("%v", err)
	}
	high.Details.Most = 2
	var wire *wsrt.Error
	if !errors.As(err, &wire) || wire.Details().(*joined.TooHighDetails).Most != 2 {
		t.Errorf("details %+v", wire.Details())
	}
}

func TestJoinedIsOneRoom(t *testing.T) {
	w := newWorld(t)
	c := wstest.Dial(t, wstest.Serve(t, w.srv), "/?access_token=ann")
	refused := `{"type":"ERROR","payload":{"code":"FAILED_PRECONDITION","message":"%s","retryable":false}}`
	c.Send(`{"type":"SAY","payload":{"text":"hello?"}}`)
	c.Expect(fmt.Sprintf(refused, "not in a room: join one first"))
	for _, n := range []string{"1", "2"} {
		c.Send(`{"type":"SIT","payload":{"table":` + n + `}}`)
		c.Expect(`{"type":"HEARD","payload":{"table":` + n + `,"text":"seat 1 of room:` + n + `"}}`)
	}
	c.Send(`{"type":"STAND"}`)
	c.Expect(fmt.Sprintf(refused, "in 2 rooms: it is not clear which one is meant"))
	c.Send(`{"type":"DANCE","payload":{"steps":[]}}`)
	c.Expect(fmt.Sprintf(refused, "in 2 rooms: it is not clear which one is meant"))
	c.Close()
	events := []string{next(t, w.events), next(t, w.events)}
	if slices.Sort(events); !slices.Equal(events, []string{"ann disconnected 1, 0 left", "ann disconnected 2, 0 left"}) {
		t.Errorf("%q", events)
	}
}

func TestUnimplementedAndBadInput(t *testing.T) {
	w := newWorld(t)
	c := wstest.Dial(t, wstest.Serve(t, w.srv), "/?access_token=ann")
	c.Send(`{"type":"SIT","payload":{"table":4294967295}}`)
	c.Expect(`{"type":"HEARD","payload":{"table":4294967295,"text":"seat 1 of room:4294967295"}}`)
	c.Send(`{"type":"DANCE","payload":{"steps":["left"]}}`)
	c.Expect(`{"type":"ERROR","payload":{"code":"UNIMPLEMENTED","message":"DANCE is not implemented","retryable":false}}`)
	for frame, issue := range map[string]string{
		`{"type":"SAY","payload":{"text":"a","to":"b"}}`:         `{"path":"/payload/to","message":"unknown field"}`,
		`{"type":"SAY","payload":{"text":""}}`:                   `{"path":"/payload/text","message":"must have at least 1 character"}`,
		`{"type":"DANCE","payload":{"steps":["a",null]}}`:        `{"path":"/payload/steps/1","message":"must be a string, got null"}`,
		`{"type":"SIT","payload":{"table":-1}}`:                  `{"path":"/payload/table","message":"must be`,
		`{"type":"STAND","payload":{}}`:                          `{"path":"/payload","message":"must be left out`,
		`{"type":"SIT","meta":{"seat":1},"payload":{"table":1}}`: `{"path":"/meta/seat","message":"unknown field"}`,
	} {
		c.Send(frame)
		if got := c.Next(); !strings.Contains(got, `"code":"INVALID_ARGUMENT"`) || !strings.Contains(got, issue) {
			t.Errorf("%s\ngot  %s\nwant %s", frame, got, issue)
		}
	}
}

// TestTimeIsTheServers lets a request reach its deadline, and an empty room its end.
func TestTimeIsTheServers(t *testing.T) {
	w := newWorld(t)
	c := wstest.Dial(t, wstest.Serve(t, w.srv), "/?access_token=ann")
	c.Send(`{"type":"SIT","payload":{"table":5}}`)
	c.Expect(`{"type":"HEARD","payload":{"table":5,"text":"seat 1 of room:5"}}`)
	c.Send(`{"type":"COUNT_DOWN","meta":{"correlationId":"x"},"payload":{"from":250}}`)
	w.wants(t, "waits")
	w.clock.Advance(5 * time.Second)
	c.Expect(`{"type":"RPC_ERROR","meta":{"correlationId":"x"},"payload":{"code":"DEADLINE_EXCEEDED","message":"no answer in 5s","retryable":true,"retryAfterMs":50}}`)
	w.wants(t, "gave up")
	c.Send(`{"type":"STAND"}`)
	w.wants(t, "ann left 5, 0 left")
	c.Send(`{"type":"SAY","payload":{"text":"am I there?"}}`)
	c.Expect(`{"type":"ERROR","payload":{"code":"FAILED_PRECONDITION","message":"not in a room: join one first","retryable":false}}`)
	deadline := time.After(wstest.Patience)
	for closed := ""; closed == ""; {
		w.clock.Advance(30 * time.Second)
		select {
		case closed = <-w.events:
			if closed != "5 closed" {
				t.Error(closed)
			}
		case <-deadline:
			t.Fatal("the empty room stays open")
		default:
		}
	}
}
