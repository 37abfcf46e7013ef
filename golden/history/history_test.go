// Package history_test runs rooms that remember.
package history_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/filestore"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/history/history"
)

// counter is a room. It keeps the sum of what it told.
type counter struct {
	r     *history.Room
	total int
	log   chan<- string

	closing func(r *history.Room) // what it does at the end; may be nil
}

func (h *counter) OnClose(context.Context) {
	if h.closing != nil {
		h.closing(h.r)
	}
}

func (h *counter) Join(_ context.Context, c *history.Conn, _ *history.Join) error { return h.r.Join(c) }

func (h *counter) Leave(_ context.Context, c *history.Conn, _ *history.Leave) error {
	h.r.Leave(c)
	return nil
}

func (h *counter) Count(_ context.Context, c *history.Conn, m *history.Count) error {
	for n := m.From; n <= m.To; n++ {
		h.total += n
		var opts []wsrt.PublishOption
		if m.Others && n == m.To {
			opts = append(opts, history.Except(c))
		}
		if err := h.r.Publish(&history.Number{RoomID: h.r.ID(), N: n}, opts...); err != nil {
			return err
		}
		if !m.Hints {
			continue
		}
		if err := h.r.Publish(&history.Hint{Text: "more"}); err != nil {
			return err
		}
	}
	return nil
}

func (h *counter) Total(context.Context, *history.Conn, *history.TotalRequest) (*history.TotalResponse, error) {
	return &history.TotalResponse{Total: h.total}, nil
}

func (h *counter) OnLeave(_ context.Context, c *history.Conn, cause wsrt.LeaveCause) {
	h.log <- c.UserID() + " " + cause.String()
}

func (h *counter) OnResume(_ context.Context, c *history.Conn) error {
	h.log <- c.UserID() + " is back"
	if c.UserID() == "cy" {
		return wsrt.Errorf(wsrt.CodePermissionDenied, "not you")
	}
	return nil
}

func (h *counter) Snapshot() ([]byte, error) {
	if h.total == 0 {
		return nil, nil
	}
	return fmt.Append(nil, h.total), nil
}

func (h *counter) Restore(snapshot []byte) error {
	_, err := fmt.Sscan(string(snapshot), &h.total)
	return err
}

// world is a server and what its rooms log.
type world struct {
	t     *testing.T
	srv   *history.Server
	http  *wstest.Server
	clock *wstest.Clock
	log   chan string
	gaps  chan client.Gap

	closing func(r *history.Room) // of its rooms
}

func start(t *testing.T, store wsrt.Store, clock *wstest.Clock) *world {
	t.Helper()
	w := &world{t: t, clock: clock, log: make(chan string, 100), gaps: make(chan client.Gap, 10)}
	var err error
	w.srv, err = history.NewServer(history.Config{
		Authenticate: func(_ *http.Request, token string) (*history.Claims, error) {
			return &history.Claims{UserID: token, Nick: history.ClaimsNick(token), Secret: "x"}, nil
		},
		OpenRoom: func(_ context.Context, r *history.Room) (history.RoomHandler, error) {
			return &counter{r: r, log: w.log}, nil
		},
		// The clock leaps, which must not make anybody a slow reader.
		Options: wsrt.Options{Clock: clock, Store: store, Limits: wsrt.Limits{QueueAge: time.Hour}, PingInterval: -1, DrainSpread: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.drain)
	w.http = wstest.Serve(t, w.srv)
	return w
}

func (w *world) drain() {
	if err := w.srv.Drain(context.Background()); err != nil {
		w.t.Error(err)
	}
}

// expectLog waits for a line of the rooms.
func (w *world) expectLog(want string) {
	w.t.Helper()
	select {
	case got := <-w.log:
		if got != want {
			w.t.Errorf("log: got %q, want %q", got, want)
		}
	case <-time.After(wstest.Patience):
		w.t.Fatalf("log: nothing came, want %q", want)
	}
}

// peer is a connection of raw frames in the extended profile.
type peer struct {
	*wstest.RawConn
	t       *testing.T
	session string
	epoch   string
}

func (w *world) peer(user string) *peer {
	w.t.Helper()
	p := &peer{RawConn: wstest.Dial(w.t, w.http, "/?access_token="+user, "wsgen.v1"), t: w.t}
	p.session = p.expectSession()
	return p
}

// frame is what a control frame may have.
type frame struct {
	Type string
	Meta struct {
		Room string
		Seq  int
	}
	Payload struct {
		Session, Epoch, Reason, Code string
		Seq, First, N, Count         int
		Members, Joined              []member
		Left                         []int
	}
}

type member struct {
	ID     int
	Claims map[string]any
}

// read returns the next frame, without hints and presence.
func (p *peer) read() frame {
	p.t.Helper()
	for {
		f := p.any()
		switch f.Type {
		case "HINT":
		case "$ws:presence":
		default:
			return f
		}
	}
}

// settle waits until the peer has all that it is told of its joining: presence has a turn of its own, and is in order with answers.
func (p *peer) settle() {
	p.t.Helper()
	p.Send(`{"type":"TOTAL","meta":{"correlationId":"settle"},"payload":{"roomId":"a"}}`)
	for f := p.any(); f.Type != "TOTAL_RESPONSE"; f = p.any() {
		if f.Type != "$ws:presence" && f.Type != "HINT" {
			p.t.Fatalf("got %+v, want presence", f)
		}
	}
}

func (p *peer) any() frame {
	p.t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(p.Next()), &f); err != nil {
		p.t.Fatal(err)
	}
	return f
}

func (p *peer) expectSession() string {
	p.t.Helper()
	f := p.read()
	if f.Type != "$ws:session" || len(f.Payload.Session) != 32 {
		p.t.Fatalf("got %+v, want a session", f)
	}
	return f.Payload.Session
}

// expectJoined waits for the position at which the membership begins.
func (p *peer) expectJoined(seq int) {
	p.t.Helper()
	f := p.read()
	if f.Type != "$ws:joined" || f.Meta.Room != "room:a" || f.Payload.Seq != seq || f.Payload.Epoch == "" {
		p.t.Fatalf("got %+v, want to be joined at %d", f, seq)
	}
	p.epoch = f.Payload.Epoch
}

// expectNumbers waits for the numbers from..to, which are also those of the room.
func (p *peer) expectNumbers(from, to int) {
	p.t.Helper()
	for n := from; n <= to; n++ {
		if f := p.read(); f.Type != "NUMBER" || f.Payload.N != n || f.Meta.Seq != n || f.Meta.Room != "room:a" {
			p.t.Fatalf("got %+v, want the number %d", f, n)
		}
	}
}

func (p *peer) expectGap(reason string, seq, first int) {
	p.t.Helper()
	f := p.read()
	if f.Type != "$ws:gap" || f.Payload.Reason != reason || f.Payload.Seq != seq || f.Payload.First != first || f.Payload.Epoch == "" {
		p.t.Fatalf("got %+v, want a gap (%s) up to %d, the oldest %d", f, reason, seq, first)
	}
}

func (p *peer) expectLeft(code string) {
	p.t.Helper()
	if f := p.read(); f.Type != "$ws:left" || f.Payload.Code != code || f.Meta.Room != "room:a" {
		p.t.Fatalf("got %+v, want to be out (%q)", f, code)
	}
}

func (p *peer) join(seq int) {
	p.t.Helper()
	p.Send(`{"type":"JOIN","payload":{"roomId":"a"}}`)
	p.expectJoined(seq)
}

func (p *peer) count(from, to int) {
	p.t.Helper()
	p.Send(fmt.Sprintf(`{"type":"COUNT","payload":{"roomId":"a","from":%d,"to":%d,"hints":true}}`, from, to))
}

// quietly is count without hints in between.
func (p *peer) quietly(from, to int) {
	p.t.Helper()
	p.Send(fmt.Sprintf(`{"type":"COUNT","payload":{"roomId":"a","from":%d,"to":%d}}`, from, to))
}

// resume asks for the room as another connection that was at a position.
func (p *peer) resume(old *peer, epoch string, seq int) {
	p.t.Helper()
	p.Send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:a":{"epoch":%q,"seq":%d}}}}`, old.session, epoch, seq))
}

// TestResume comes back at all places of the ring, which holds four messages: 7 to 10 of 10.
func TestResume(t *testing.T) {
	for _, test := range []struct {
		name string
		seq  int
		want func(p *peer)
	}{
		{"nothing missed", 10, func(p *peer) { p.expectJoined(10) }},
		{"inside", 8, func(p *peer) { p.expectJoined(8); p.expectNumbers(9, 10) }},
		{"exactly at the edge", 6, func(p *peer) { p.expectJoined(6); p.expectNumbers(7, 10) }},
		{"one past the edge", 5, func(p *peer) { p.expectGap("expired", 10, 7) }},
		{"a future number", 11, func(p *peer) { p.expectGap("unknown", 10, 7) }},
		{"before it was a member", 1, func(p *peer) { p.expectGap("unknown", 10, 7) }},
		{"another epoch", -1, func(p *peer) { p.expectGap("reset", 10, 7) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := start(t, filestoreOf(t), wstest.NewClock())
			bob := w.peer("bob")
			bob.join(0)
			bob.count(1, 3)
			bob.expectNumbers(1, 3)
			ann := w.peer("ann")
			ann.join(3)
			bob.count(4, 10)
			ann.expectNumbers(4, 10)
			ann.Drop()
			w.expectLog("ann disconnected")
			again, epoch, seq := w.peer("ann"), ann.epoch, test.seq
			if seq < 0 {
				epoch, seq = "ffff", 8
			}
			again.resume(ann, epoch, seq)
			if session := again.expectSession(); session != ann.session {
				t.Errorf("the session is %s, want %s", session, ann.session)
			}
			w.expectLog("ann is back")
			test.want(again)
			bob.count(11, 12)
			again.expectNumbers(11, 12)
		})
	}
}

func filestoreOf(t *testing.T) *filestore.Store {
	t.Helper()
	s, err := filestore.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestResumeRefused keeps those out who were no members, or are not to be any more.
func TestResumeRefused(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	ann := w.peer("ann")
	ann.join(0)
	ann.Drop()
	w.expectLog("ann disconnected")

	t.Run("somebody else's session", func(t *testing.T) {
		bob := w.peer("bob")
		bob.resume(ann, ann.epoch, 0)
		bob.expectSession()
		bob.expectLeft("NOT_FOUND")
	})
	t.Run("twice", func(t *testing.T) {
		p := w.peer("ann")
		p.resume(ann, ann.epoch, 0)
		p.expectSession()
		w.expectLog("ann is back")
		p.expectJoined(0)
		p.resume(ann, ann.epoch, 0)
		if f := p.read(); f.Type != "ERROR" || f.Payload.Code != "FAILED_PRECONDITION" {
			t.Errorf("got %+v", f)
		}
		p.Send(`{"type":"LEAVE","payload":{"roomId":"a"}}`)
		p.expectLeft("")
		p.Drop()
		p = w.peer("ann") // who has left does not come back
		p.resume(ann, ann.epoch, 0)
		p.expectSession()
		p.expectLeft("NOT_FOUND")
	})
	t.Run("the handler does not want them", func(t *testing.T) {
		cy := w.peer("cy")
		cy.join(0)
		cy.Drop()
		w.expectLog("cy disconnected")
		again := w.peer("cy")
		again.resume(cy, cy.epoch, 0)
		again.expectSession()
		w.expectLog("cy is back")
		again.expectLeft("PERMISSION_DENIED")
	})
	t.Run("garbage", func(t *testing.T) {
		p := w.peer("ann")
		for _, payload := range []string{`null`, `{}`, `{"session":"","rooms":{}}`, `{"session":"a","rooms":{"room:a":{"epoch":"x","seq":-1}}}`, `{"session":"a","rooms":{"room:a":{"epoch":"x"}}}`} {
			p.Send(`{"type":"$ws:resume","payload":` + payload + `}`)
			if f := p.read(); f.Type != "ERROR" || f.Payload.Code != "INVALID_ARGUMENT" {
				t.Errorf("%s: got %+v", payload, f)
			}
		}
		p.Send(`{"type":"$ws:resume","payload":{"session":"` + strings.Repeat("a", 32) + `","rooms":{"room:a":{"epoch":"x","seq":1},"nokind:a":{"epoch":"x","seq":1},"room:":{"epoch":"","seq":1}}}}`)
		p.expectSession()
		left := []string{p.read().Meta.Room, p.read().Meta.Room, p.read().Meta.Room}
		slices.Sort(left)
		if want := []string{"nokind:a", "room:", "room:a"}; !slices.Equal(left, want) {
			t.Errorf("got %q, want %q", left, want)
		}
	})
	t.Run("too late", func(t *testing.T) {
		p := w.peer("bob")
		p.join(0)
		p.Drop()
		w.expectLog("bob disconnected")
		w.clock.Advance(time.Minute)
		again := w.peer("bob")
		again.resume(p, p.epoch, 0)
		again.expectSession()
		again.expectLeft("NOT_FOUND")
	})
	t.Run("the base profile", func(t *testing.T) {
		p := &peer{RawConn: wstest.Dial(t, w.http, "/?access_token=ann"), t: t}
		p.resume(ann, ann.epoch, 0)
		if f := p.read(); f.Type != "ERROR" || f.Payload.Code != "UNIMPLEMENTED" {
			t.Errorf("got %+v", f)
		}
	})
}

// TestResumeReplaces closes the older connection of a client that comes back before the server knew that it was gone.
func TestResumeReplaces(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	ann := w.peer("ann")
	ann.join(0)
	ann.quietly(1, 2)
	ann.expectNumbers(1, 2)
	ann.settle()
	again := w.peer("ann")
	again.resume(ann, ann.epoch, 1)
	again.expectSession()
	again.expectJoined(1)
	again.expectNumbers(2, 2)
	ann.ExpectClose(int(wsrt.CloseReplaced))
	w.expectLog("ann disconnected")
	w.expectLog("ann is back")
	again.count(3, 3)
	again.expectNumbers(3, 3)
	if n := w.srv.Runtime().Stats().Members; n != 1 {
		t.Errorf("%d members, want 1", n)
	}
}

// TestExceptKeepsCount moves those past a message who did not get it, also when it is sent again.
func TestExceptKeepsCount(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	ann, bob := w.peer("ann"), w.peer("bob")
	ann.join(0)
	bob.join(0)
	ann.Send(`{"type":"COUNT","payload":{"roomId":"a","from":1,"to":2,"others":true}}`)
	bob.expectNumbers(1, 2)
	ann.expectNumbers(1, 1)
	if f := ann.read(); f.Type != "$ws:seq" || f.Meta.Seq != 2 {
		t.Errorf("got %+v, want to be moved to 2", f)
	}
	ann.Drop()
	w.expectLog("ann disconnected")
	again := w.peer("ann")
	again.resume(ann, ann.epoch, 0)
	again.expectSession()
	again.expectJoined(0)
	again.expectNumbers(1, 1)
	if f := again.read(); f.Type != "$ws:seq" || f.Meta.Seq != 2 {
		t.Errorf("got %+v, want to be moved to 2", f)
	}
}

// TestClientResumes loses its connection all the time, and every number arrives once, in order.
func TestClientResumes(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	var got []int
	numbers := make(chan int, 100)
	dial := func(user string, events history.Events) *history.Client {
		c, err := history.Dial(t.Context(), w.http.URL(), events, w.http.Dialer(), client.WithToken(user),
			client.WithBackoff(client.Backoff{Base: time.Millisecond, Max: time.Millisecond}), client.WithOnGap(func(g client.Gap) { w.gaps <- g }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	reader := dial("ann", history.Events{Number: func(_ context.Context, m *history.Number) { numbers <- m.N }})
	if err := reader.Join(t.Context(), &history.Join{RoomID: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Total(t.Context(), &history.TotalRequest{RoomID: "a"}); err != nil { // it has joined by then
		t.Fatal(err)
	}
	writer := dial("bob", history.Events{})
	for n := 1; n <= 40; n += 2 {
		for {
			w.http.DropConnections()
			if _, err := writer.Total(t.Context(), &history.TotalRequest{RoomID: "a"}); err == nil {
				break
			}
		}
		if err := writer.Count(t.Context(), &history.Count{RoomID: "a", From: n, To: n + 1}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			select {
			case n := <-numbers:
				got = append(got, n)
			case g := <-w.gaps:
				t.Fatalf("a gap: %v", g)
			case <-time.After(wstest.Patience):
				t.Fatalf("got %v, and nothing more", got)
			}
		}
	}
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("got %v", got)
		}
	}
}

// TestClientLearnsOfGaps tells the program what cannot be sent again, and of a room that does not know it any more.
func TestClientLearnsOfGaps(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	online := make(chan struct{}, 1) // lets one attempt to connect pass
	online <- struct{}{}
	c, err := history.Dial(t.Context(), w.http.URL(), history.Events{}, w.http.Dialer(),
		client.WithTokenSource(func(context.Context) (string, error) { <-online; return "ann", nil }),
		client.WithBackoff(client.Backoff{Base: time.Millisecond, Max: time.Millisecond}), client.WithOnGap(func(g client.Gap) { w.gaps <- g }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	total := func() int {
		t.Helper()
		resp, err := c.Total(t.Context(), &history.TotalRequest{RoomID: "a"})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Total
	}
	if err := c.Join(t.Context(), &history.Join{RoomID: "a"}); err != nil || total() != 0 {
		t.Fatal(err)
	}
	outage := func(away time.Duration, numbers int) client.Gap {
		t.Helper()
		w.http.DropConnections()
		w.expectLog("ann disconnected")
		w.clock.Advance(away)
		bob := w.peer("bob")
		bob.count(1, numbers)
		bob.Send(`{"type":"TOTAL","meta":{"correlationId":"1"},"payload":{"roomId":"a"}}`)
		for bob.any().Type != "TOTAL_RESPONSE" { // it has counted by then
		}
		online <- struct{}{}
		select {
		case g := <-w.gaps:
			return g
		case <-time.After(wstest.Patience):
			t.Fatal("no gap")
			return client.Gap{}
		}
	}
	g := outage(0, 10)
	if g.Topic != "room:a" || !g.Member || g.Reason != "expired" || g.First != 7 || g.Seq != 10 || g.Err != nil {
		t.Errorf("got %+v", g)
	}
	w.expectLog("ann is back")
	g = outage(time.Minute, 0)
	if g.Topic != "room:a" || g.Member || wsrt.CodeOf(g.Err) != wsrt.CodeNotFound {
		t.Errorf("got %+v", g)
	}
}

// TestRestart closes a server and starts another one on its store: rooms go on where they were, numbers included.
func TestRestart(t *testing.T) {
	dir, clock := t.TempDir(), wstest.NewClock()
	open := func() *filestore.Store {
		s, err := filestore.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := start(t, open(), clock)
	ann := first.peer("ann")
	ann.join(0)
	ann.quietly(1, 3)
	ann.expectNumbers(1, 3)
	ann.settle()
	first.drain()
	ann.ExpectClose(1012)

	second := start(t, open(), clock)
	again := second.peer("ann")
	again.resume(ann, ann.epoch, 2)
	again.expectSession()
	second.expectLog("ann is back")
	again.expectJoined(2)
	if again.epoch != ann.epoch {
		t.Errorf("the epoch is %s, want %s", again.epoch, ann.epoch)
	}
	again.expectNumbers(3, 3)
	again.count(4, 4)
	again.expectNumbers(4, 4)
	again.Send(`{"type":"TOTAL","meta":{"correlationId":"1"},"payload":{"roomId":"a"}}`)
	for {
		if f := again.Next(); strings.Contains(f, `"TOTAL_RESPONSE"`) {
			if !strings.Contains(f, `"total":10`) {
				t.Errorf("got %s, want the sum of 1 to 4", f)
			}
			break
		}
	}
}

// TestCrash starts from a snapshot that was taken while the room was open: what was published since is lost, and those who
// come back are told so.
func TestCrash(t *testing.T) {
	dir, clock := t.TempDir(), wstest.NewClock()
	store, err := filestore.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	saved := &watched{Store: store, saves: make(chan struct{}, 10)}
	first := start(t, saved, clock)
	ann := first.peer("ann")
	ann.join(0)
	ann.quietly(1, 3)
	ann.expectNumbers(1, 3)
	clock.Advance(10 * time.Second)
	<-saved.saves
	ann.quietly(4, 4)
	ann.expectNumbers(4, 4)

	second := start(t, &watched{Store: store, saves: make(chan struct{}, 10)}, clock) // the first one is as good as dead
	again := second.peer("ann")
	again.resume(ann, ann.epoch, 4)
	again.expectSession()
	second.expectLog("ann is back")
	again.expectGap("reset", 3, 4)
	again.count(4, 4)
	again.expectNumbers(4, 4)
}

// watched is a store whose saves can be waited for. What a drain saves is of no use to anybody.
type watched struct {
	wsrt.Store
	saves chan struct{}
}

func (s *watched) Save(ctx context.Context, topic string, snapshot []byte) error {
	err := s.Store.Save(ctx, topic, snapshot)
	select {
	case s.saves <- struct{}{}:
	default:
	}
	return err
}

// TestPresence tells members of each other, up to three of them by name.
func TestPresence(t *testing.T) {
	w := start(t, filestoreOf(t), wstest.NewClock())
	presence := func(p *peer) frame {
		t.Helper()
		for {
			if f := p.any(); f.Type == "$ws:presence" {
				if f.Meta.Room != "room:a" {
					t.Errorf("of %q", f.Meta.Room)
				}
				return f
			}
		}
	}
	names := func(list []member) string {
		var out []string
		for _, m := range list {
			if len(m.Claims) != 2 {
				t.Errorf("got the claims %v", m.Claims)
			}
			out = append(out, fmt.Sprint(m.Claims["userId"]))
		}
		return strings.Join(out, " ")
	}
	ann := w.peer("ann")
	ann.join(0)
	if f := presence(ann); f.Payload.Count != 1 || names(f.Payload.Members) != "ann" || f.Payload.Joined != nil {
		t.Errorf("got %+v", f)
	}
	bob := w.peer("bob")
	bob.join(0)
	f := presence(ann)
	if f.Payload.Count != 2 || names(f.Payload.Joined) != "bob" || f.Payload.Members != nil {
		t.Errorf("got %+v", f)
	}
	bobID := f.Payload.Joined[0].ID
	if f := presence(bob); names(f.Payload.Members) != "ann bob" || f.Payload.Joined != nil { // of himself, in the list
		t.Errorf("got %+v", f)
	}
	cy, dan := w.peer("cy"), w.peer("dan")
	cy.join(0)
	if f := presence(ann); names(f.Payload.Joined) != "cy" {
		t.Errorf("got %+v", f)
	}
	dan.join(0)
	if f := presence(ann); f.Payload.Count != 4 || f.Payload.Joined != nil || f.Payload.Members != nil {
		t.Errorf("got %+v, want only the number", f)
	}
	// In a large room a new member learns the number at once, the others after a while, and all changes in one.
	presence(dan)
	more, another := w.peer("ann"), w.peer("bob")
	more.join(0)
	if f := presence(more); f.Payload.Count != 5 {
		t.Errorf("the fifth got %+v", f)
	}
	another.join(0)
	presence(another)
	w.clock.Advance(time.Second)
	if f := presence(ann); f.Payload.Count != 6 || f.Payload.Members != nil {
		t.Errorf("got %+v, want the number of both", f)
	}
	for _, p := range []*peer{more, another} {
		p.Send(`{"type":"LEAVE","payload":{"roomId":"a"}}`)
		p.expectLeft("")
	}
	w.clock.Advance(time.Second)
	if f := presence(ann); f.Payload.Count != 4 {
		t.Errorf("got %+v, want the number without them", f)
	}
	dan.Drop()
	w.expectLog("dan disconnected")
	if f := presence(ann); f.Payload.Count != 3 || names(f.Payload.Members) != "ann bob cy" {
		t.Errorf("got %+v, want all again", f)
	}
	bob.Send(`{"type":"LEAVE","payload":{"roomId":"a"}}`)
	if f := presence(ann); f.Payload.Count != 2 || !slices.Equal(f.Payload.Left, []int{bobID}) {
		t.Errorf("got %+v, want that %d left", f, bobID)
	}
}
