// Command ws-kit is the server of ws-kit.test.mjs: it does once whatever programs that were written for ws-kit rely on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/golden/wskit/kit"
	wsrt "github.com/wsgen/wsgen/runtime"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and then lets the connections go.
func run(ctx context.Context, addr string) error {
	srv, err := kit.NewServer(kit.Config{
		Authenticate: authenticate,
		Conn:         conn{},
		OpenRoom:     func(_ context.Context, r *kit.Room) (kit.RoomHandler, error) { return &lobby{room: r}, nil },
		Options:      wsrt.Options{DrainSpread: 200 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: srv, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(listener) }()
	fmt.Printf("http://%s\n", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(srv.Drain(drain), hs.Shutdown(drain))
}

// authenticate takes the token for the name of the user.
func authenticate(_ *http.Request, token string) (*kit.Claims, error) {
	if token == "" {
		return nil, errors.New("no token")
	}
	return &kit.Claims{UserID: token, Roles: []string{}}, nil
}

// lobby is a room. A connection is in one room at a time, as in ws-kit's sharded chat.
type lobby struct{ room *kit.Room }

func (l *lobby) JoinRoom(_ context.Context, c *kit.Conn, _ *kit.JoinRoom) error {
	for _, topic := range c.Topics() {
		if topic != l.room.Topic() {
			c.Leave(topic)
		}
	}
	if err := l.room.Join(c); err != nil {
		return err
	}
	return l.tell(c, c.UserID()+" joined")
}

func (l *lobby) LeaveRoom(_ context.Context, c *kit.Conn, _ *kit.LeaveRoom) error {
	if !l.room.Has(c) {
		return wsrt.Errorf(wsrt.CodeNotFound, "not in the room")
	}
	if err := l.tell(c, c.UserID()+" left"); err != nil {
		return err
	}
	l.room.Leave(c)
	return nil
}

func (l *lobby) RoomMessage(_ context.Context, c *kit.Conn, m *kit.RoomMessage) error {
	if !l.room.Has(c) {
		return wsrt.Errorf(wsrt.CodeNotFound, "not in the room")
	}
	return l.tell(c, m.Text)
}

func (l *lobby) tell(c *kit.Conn, text string) error {
	return l.room.Publish(&kit.RoomUpdate{RoomID: l.room.ID(), Text: text, UserID: c.UserID()})
}

// conn handles what belongs to no room.
type conn struct{}

func (conn) ChatSay(_ context.Context, c *kit.Conn, m *kit.ChatSay) error {
	return c.Send(&kit.Pong{Text: m.Text})
}

func (conn) Poke(_ context.Context, c *kit.Conn, _ *kit.Poke) error { return c.Send(&kit.Note{}) }

func (conn) Clear(_ context.Context, c *kit.Conn, _ *kit.Clear) error { return c.Send(&kit.Cleared{}) }

func (conn) Tick(_ context.Context, c *kit.Conn, m *kit.Tick) error {
	return c.Send(&kit.Notify{N: m.N, Meta: &kit.NotifyMeta{Trace: m.Meta.Trace, Tag: m.Meta.Tag}})
}

func (conn) Fail(_ context.Context, _ *kit.Conn, m *kit.Fail) error {
	switch m.What {
	case "plain":
		return errors.New("a secret")
	case "panic":
		panic("a secret")
	}
	return wsrt.Errorf(wsrt.CodeNotFound, "there is no %s", m.What)
}

func (conn) GetUser(ctx context.Context, _ *kit.Conn, req *kit.GetUserRequest) (*kit.GetUserResponse, error) {
	switch req.ID {
	case "none":
		return nil, kit.NewNoUserError(kit.NoUserDetails{ID: req.ID})
	case "locked":
		return nil, kit.NewLockedError(kit.LockedDetails{Until: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	case "plain":
		return nil, errors.New("a secret")
	case "panic":
		panic("a secret")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &kit.GetUserResponse{ID: req.ID, Name: "Al"}, nil
}

func (conn) RenameUser(_ context.Context, _ *kit.Conn, req *kit.RenameUserRequest) (*kit.RenameUserResponse, error) {
	return &kit.RenameUserResponse{ID: req.ID, Name: req.Name + " of " + req.Meta.Tenant}, nil
}

func (conn) Count(_ context.Context, _ *kit.Conn, req *kit.CountRequest,
	progress func(*kit.CountProgress) error) (*kit.CountResponse, error) {
	out := &kit.CountResponse{}
	for i := int32(1); i <= req.To; i++ {
		out.Sum += i
		if err := progress(&kit.CountProgress{At: i}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Ping says PONG twice: by itself, and as its answer.
func (conn) Ping(_ context.Context, c *kit.Conn, req *kit.PingRequest) (*kit.PingResponse, error) {
	return &kit.PingResponse{Text: req.Text}, c.Send(&kit.Pong{Text: "by itself"})
}

func (conn) List(context.Context, *kit.Conn, *kit.ListRequest) (*kit.ListResponse, error) {
	return &kit.ListResponse{}, nil
}

func (conn) Logout(context.Context, *kit.Conn, *kit.LogoutRequest) (*kit.LogoutResponse, error) {
	return &kit.LogoutResponse{}, nil
}

func (conn) Once(context.Context, *kit.Conn, *kit.OnceRequest) (*kit.OnceResponse, error) {
	return &kit.OnceResponse{}, nil
}
