package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/conformance/talk"
)

// program is what README.md says of the program behind the server.
type program struct{ talk.UnimplementedConnHandler }

func newServer(opts wsrt.Options) (*talk.Server, error) {
	return talk.NewServer(talk.Config{
		Conn:           program{},
		Authenticate:   func(_ *http.Request, token string) (*talk.Claims, error) { return claims(token) },
		Reauthenticate: func(_ context.Context, _ *talk.Conn, token string) (*talk.Claims, error) { return claims(token) },
		OpenRoom:       func(_ context.Context, r *talk.Room) (talk.RoomHandler, error) { return &room{r}, nil },
		Options:        opts,
	})
}

// claims are those of a token: <user>, <user>.brief or <user>.<anything>.
func claims(token string) (*talk.Claims, error) {
	user, kind, _ := strings.Cut(token, ".")
	if user == "" || user == "nobody" {
		return nil, errors.New("nobody knows this token")
	}
	who := &talk.Claims{UserID: user}
	if kind == "brief" {
		until := time.Now().Add(10 * time.Second)
		who.Until = &until
	}
	return who, nil
}

func (program) Ping(context.Context, *talk.Conn, *talk.Ping) error { return nil }

func (program) Poke(context.Context, *talk.Conn, *talk.Poke) error { return nil }

func (program) Knock(context.Context, *talk.Conn, *talk.KnockRequest) (*talk.KnockResponse, error) {
	return &talk.KnockResponse{}, nil
}

func (program) GetItem(ctx context.Context, _ *talk.Conn, req *talk.GetItemRequest) (*talk.Item, error) {
	switch req.ID {
	case 1:
		return &talk.Item{ID: 1, Name: "one"}, nil
	case 2:
		return nil, talk.NewLockedError(talk.LockedDetails{Until: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	case 3:
		return nil, talk.NewBusyError()
	case 4:
		return nil, errors.New("a secret")
	case 5:
		<-ctx.Done()
		return nil, ctx.Err()
	case 6:
		return &talk.Item{ID: 6, Name: strings.Repeat("x", 21)}, nil
	}
	return nil, talk.NewNoSuchItemError(talk.NoSuchItemDetails{ID: req.ID})
}

func (program) Count(_ context.Context, _ *talk.Conn, req *talk.CountRequest,
	progress func(*talk.CountProgress) error) (*talk.CountResponse, error) {
	resp := &talk.CountResponse{}
	for i := uint32(1); i <= req.To; i++ {
		resp.Sum += i
		if err := progress(&talk.CountProgress{At: i}); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

func (program) ListItems(context.Context, *talk.Conn, *talk.ListItemsRequest) (*talk.ListItemsResponse, error) {
	return &talk.ListItemsResponse{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}}, nil
}

func (program) Touch(_ context.Context, _ *talk.Conn, req *talk.Item) (*talk.TouchResponse, error) {
	if req.Name != "mine" {
		return nil, wsrt.Errorf(wsrt.CodePermissionDenied, "%s is not yours", req.Name)
	}
	return &talk.TouchResponse{}, nil
}

func (program) Ring(_ context.Context, c *talk.Conn, m *talk.Ring) error {
	if m.N >= 1000 {
		c.Close(wsrt.CloseCode(m.N), "rung")
		return nil
	}
	if err := c.Send(&talk.Note{}); err != nil {
		return err
	}
	trace := "none"
	if m.Meta != nil && m.Meta.Trace != nil {
		trace = *m.Meta.Trace
	}
	return c.Send(&talk.Notify{N: m.N, Level: talk.LevelHigh, Body: &talk.BodyText{Text: "rung"},
		Meta: &talk.NotifyMeta{Trace: trace}})
}

// room is a room of the program.
type room struct{ r *talk.Room }

func (h *room) Join(_ context.Context, c *talk.Conn, m *talk.Join) error {
	if m.RoomID == "closed" {
		return wsrt.Errorf(wsrt.CodePermissionDenied, "closed is closed")
	}
	return h.r.Join(c)
}

func (h *room) Leave(_ context.Context, c *talk.Conn, _ *talk.Leave) error {
	h.r.Leave(c)
	return nil
}

func (h *room) Say(_ context.Context, c *talk.Conn, m *talk.Say) error {
	switch {
	case !h.r.Has(c):
		return wsrt.Errorf(wsrt.CodeFailedPrecondition, "you are not in %s", m.RoomID)
	case m.Text == "bye":
		h.r.Kick(c, "bye")
		return nil
	}
	var to []wsrt.PublishOption
	if m.Others {
		to = append(to, talk.Except(c))
	}
	return h.r.Publish(&talk.News{RoomID: m.RoomID, Text: m.Text, From: c.UserID()}, to...)
}
