// Package rooms_test runs a protocol with two kinds of rooms.
package rooms_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/rooms/rooms"
)

const match = "6e3d9e2a-93b8-4a35-a2a4-5b0c5f6f0a01"

type room struct{ r *rooms.Room }

func (h *room) Enter(_ context.Context, c *rooms.Conn, _ *rooms.Enter) error {
	if err := h.r.Join(c); err != nil {
		return err
	}
	return h.r.Publish(&rooms.News{Text: c.UserID() + " is in " + h.r.Topic(), Tier: c.Claims().Tier})
}

func (h *room) Shut(_ context.Context, c *rooms.Conn, m *rooms.Shut) error {
	for member := range h.r.Members() {
		h.r.Kick(member, "closed by "+c.UserID())
	}
	return nil
}

// game is the handler of a match.
type game struct{ r *rooms.Room }

func (h *game) EnterMatch(_ context.Context, c *rooms.Conn, _ *rooms.EnterMatch) error {
	return h.r.Join(c)
}

func (h *game) Aim(_ context.Context, c *rooms.Conn, m *rooms.Aim) error {
	return errors.Join(
		h.r.Publish(&rooms.Blip{X: m.X}, rooms.Except(c)),
		h.r.Publish(&rooms.Score{MatchID: h.r.ID(), Team: "red", Points: 1}),
		h.r.Send(c, &rooms.News{Text: "seen"}),
	)
}

// lobby handles what belongs to no room.
type lobby struct{ texts chan string }

func (l lobby) Numbered(_ context.Context, _ *rooms.Conn, m *rooms.Numbered) error {
	l.texts <- m.Text
	return nil
}

func (l lobby) Hello(_ context.Context, c *rooms.Conn, m *rooms.Hello) error {
	if c.Claims() == nil {
		l.texts <- "anonymous " + m.Text
	}
	return nil
}

func start(t *testing.T) (*wstest.Server, *rooms.Server, lobby) {
	t.Helper()
	l := lobby{make(chan string, 10)}
	srv, err := rooms.NewServer(rooms.Config{
		Authenticate: func(_ *http.Request, token string) (*rooms.Claims, error) {
			if token == "" {
				return nil, nil
			}
			user, role, _ := strings.Cut(token, ".")
			return &rooms.Claims{UserID: user, Roles: []string{role}, Tier: 7}, nil
		},
		Conn:      l,
		OpenRoom:  func(_ context.Context, r *rooms.Room) (rooms.RoomHandler, error) { return &room{r}, nil },
		OpenMatch: func(_ context.Context, r *rooms.Room) (rooms.MatchHandler, error) { return &game{r}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return wstest.Serve(t, srv), srv, l
}

// person is a client, and what it hears as text.
type person struct {
	*rooms.Client
	t     *testing.T
	heard chan string
}

func enter(t *testing.T, s *wstest.Server, token string) *person {
	t.Helper()
	p := &person{t: t, heard: make(chan string, 100)}
	c, err := rooms.Dial(t.Context(), s.URL(), rooms.Events{
		News:  func(_ context.Context, m *rooms.News) { p.heard <- m.Text },
		Blip:  func(_ context.Context, m *rooms.Blip) { p.heard <- "blip" },
		Score: func(_ context.Context, m *rooms.Score) { p.heard <- m.Team + " in " + m.MatchID },
	}, s.Dialer(), client.WithToken(token))
	if err != nil {
		t.Fatal(err)
	}
	p.Client = c
	t.Cleanup(func() { c.Close() })
	return p
}

func (p *person) hears(want ...string) {
	p.t.Helper()
	for _, w := range want {
		select {
		case got := <-p.heard:
			if got != w {
				p.t.Fatalf("heard %q, want %q", got, w)
			}
		case <-time.After(wstest.Patience):
			p.t.Fatalf("did not hear %q", w)
		}
	}
}

func TestTwoKindsOfRooms(t *testing.T) {
	s, srv, _ := start(t)
	ann, bob := enter(t, s, "ann.member"), enter(t, s, "bob.owner")
	for _, p := range []*person{ann, bob} {
		if err := p.EnterMatch(t.Context(), &rooms.EnterMatch{MatchID: match}); err != nil {
			t.Fatal(err)
		}
		if err := p.Enter(t.Context(), &rooms.Enter{RoomID: match}); err != nil { // the same key, another kind
			t.Fatal(err)
		}
		p.hears(map[*person]string{ann: "ann", bob: "bob"}[p] + " is in room:" + match)
	}
	ann.hears("bob is in room:" + match)
	if err := ann.Aim(t.Context(), &rooms.Aim{At: rooms.Place{Match: rooms.Target{MatchID: match}}, X: 1}); err != nil {
		t.Fatal(err)
	}
	ann.hears("red in "+match, "seen")
	bob.hears("blip", "red in "+match)
	results := srv.Federate(t.Context(), []string{rooms.RoomTopic(match), rooms.MatchTopic(match), "other:x"}, &rooms.News{Text: "all"})
	delivered := []int{results[0].Delivered, results[1].Delivered, results[2].Delivered}
	if !slices.Equal(delivered, []int{2, 2, 0}) || results[2].Err == nil {
		t.Errorf("results %+v", results)
	}
	ann.hears("all", "all")
}

func TestRolesRatesAndLimits(t *testing.T) {
	s, _, l := start(t)
	ann, bob := wstest.Dial(t, s, "/?access_token=ann.member"), wstest.Dial(t, s, "/?access_token=bob.owner")
	ann.Send(`{"type":"ENTER","payload":{"roomId":"a"}}`)
	ann.Expect(`{"type":"NEWS","payload":{"text":"ann is in room:a","tier":7}}`)
	ann.Send(`{"type":"SHUT","payload":{"roomId":"a"}}`)
	ann.Expect(`{"type":"ERROR","payload":{"code":"PERMISSION_DENIED","message":"SHUT needs one of the roles owner, moderator","retryable":false}}`)
	bob.Send(`{"type":"SHUT","payload":{"roomId":"a"}}`)
	ann.Expect(`{"type":"ERROR","payload":{"code":"PERMISSION_DENIED","message":"removed from room:a: closed by bob","retryable":false}}`)
	bob.Send(`{"type":"SHUT","payload":{"roomId":"a"}}`)
	bob.Send(`{"type":"SHUT","payload":{"roomId":"a"}}`)
	if got := bob.Next(); !strings.Contains(got, "too many SHUT messages") {
		t.Errorf("over the rate: %s", got)
	}
	bob.Send(`{"type":"NUMBERED","payload":{"number":"9007199254740993","text":"big"}}`)
	if got := <-l.texts; got != "big" {
		t.Errorf("got %q", got)
	}
	for i, user := range []string{"c", "d", "e", "f"} {
		p := wstest.Dial(t, s, "/?access_token="+user)
		p.Send(`{"type":"ENTER","payload":{"roomId":"full"}}`)
		if got := p.Next(); strings.Contains(got, string(wsrt.CodeRoomFull)) != (i == 3) {
			t.Errorf("member %d: %s", i, got)
		}
	}
}

func TestAnonymous(t *testing.T) {
	s, _, l := start(t)
	c := wstest.Dial(t, s, "/")
	c.Send(`{"type":"HELLO","payload":{"text":"hi"}}`)
	if got := <-l.texts; got != "anonymous hi" {
		t.Errorf("got %q", got)
	}
	c.Send(`{"type":"ENTER","payload":{"roomId":"a"}}`)
	c.Expect(`{"type":"ERROR","payload":{"code":"UNAUTHENTICATED","message":"ENTER needs an authenticated connection","retryable":false}}`)
}

func TestNewServerSaysWhatIsMissing(t *testing.T) {
	cfg := rooms.Config{}
	for _, step := range []struct {
		want string
		then func()
	}{
		{"needs Authenticate", func() {
			cfg.Authenticate = func(*http.Request, string) (*rooms.Claims, error) { return nil, nil }
		}},
		{`nothing opens rooms of the kind "room"`, func() {
			cfg.OpenRoom = func(context.Context, *rooms.Room) (rooms.RoomHandler, error) { return nil, nil }
		}},
		{`nothing opens rooms of the kind "match"`, func() {
			cfg.OpenMatch = func(context.Context, *rooms.Room) (rooms.MatchHandler, error) { return nil, nil }
		}},
		{"needs Conn", func() {}},
	} {
		if _, err := rooms.NewServer(cfg); err == nil || !strings.Contains(err.Error(), step.want) {
			t.Errorf("%v, want %q", err, step.want)
		}
		step.then()
	}
}
