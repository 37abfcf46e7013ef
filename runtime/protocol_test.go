package runtime_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// The protocol of these tests, as generated code describes one:
//
//	JOIN, LEAVE {roomId}, SAY {text: string(1..20)} (room: joined), SLEEP {roomId} (blocks until released), BOOM {roomId} (panics)
//	ASK {roomId, text} -> ANSWER {text}, progress {text}, errors NOPE {text}, timeout 5s
//	ECHO {text} -> ECHO_RESPONSE {text} on the connection; PING without payload, auth none; ADMIN {text}, role admin; FAST {text}, 2/s burst 2
//	NEWS {roomId, text} from the server
type body struct {
	RoomID string
	Text   string
}

func bodyPayload(fields string) *wsrt.Payload {
	room, text := strings.Contains(fields, "room"), strings.Contains(fields, "text")
	return &wsrt.Payload{
		Decode: func(d *codec.Decoder) any { return decodeBody(d, room, text) },
		Encode: func(w *jx.Writer, v any) { encodeBody(w, v.(*body), room, text) },
		Check: func(c *codec.Checker, v any) {
			if !text || !c.Enter() {
				return
			}
			c.Field("text")
			c.StringLen(v.(*body).Text, 1, 20)
			c.Leave()
		},
	}
}

func decodeBody(d *codec.Decoder, room, text bool) any {
	m := new(body)
	o := d.Object()
	var seen codec.Seen
	for o.Next() {
		switch key := string(o.Key()); {
		case key == "roomId" && room:
			if o.First(&seen, 0) {
				m.RoomID = d.StringLen(1, 64)
			}
		case key == "text" && text:
			if o.First(&seen, 1) {
				m.Text = d.StringLen(1, 20)
			}
		default:
			o.Unknown()
		}
	}
	if room {
		if o.Lacks(seen, 1) {
			o.Require(seen, 0, "roomId")
		}
	}
	if text && o.Lacks(seen, 2) {
		o.Require(seen, 1, "text")
	}
	return m
}

func encodeBody(w *jx.Writer, m *body, room, text bool) {
	w.RawStr("{")
	if room {
		w.RawStr(`"roomId":`)
		codec.WriteString(w, m.RoomID)
	}
	if room && text {
		w.RawStr(",")
	}
	if text {
		w.RawStr(`"text":`)
		codec.WriteString(w, m.Text)
	}
	w.RawStr("}")
}

type claims struct {
	user  string
	roles []string
}

var (
	news     = &wsrt.MessageType{Name: "NEWS", FromServer: true, Payload: bodyPayload("room text"), Kind: -1}
	protocol = &wsrt.Protocol{
		Name:  "Test",
		Kinds: []string{"room"},
		Messages: []*wsrt.MessageType{
			roomEvent("JOIN", bodyPayload("room"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				return h.join(c)
			}),
			roomEvent("LEAVE", bodyPayload("room"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				h.room.Leave(c)
				return nil
			}),
			joined(roomEvent("SAY", bodyPayload("text"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				if !h.room.Has(c) {
					return wsrt.Errorf(wsrt.CodeFailedPrecondition, "not in %s", h.room.ID())
				}
				return h.say(m.Text)
			})),
			roomEvent("MOVE", bodyPayload("room"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				for _, topic := range c.Topics() {
					if topic != h.room.Topic() {
						c.Leave(topic)
					}
				}
				return h.join(c)
			}),
			roomEvent("SLEEP", bodyPayload("room"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				h.world.asleep <- m.RoomID
				<-h.world.wake
				return nil
			}),
			roomEvent("BOOM", bodyPayload("room"), func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error {
				panic("boom")
			}),
			ask(), echo(),
			{Name: "PING", FromClient: true, New: func() any { return &body{} }, Kind: -1, Auth: wsrt.Auth{Anonymous: true}, Handle: connEvent},
			{Name: "ADMIN", FromClient: true, Payload: bodyPayload("text"), Kind: -1, Auth: wsrt.Auth{Roles: []string{"admin"}}, Handle: connEvent},
			{Name: "FAST", FromClient: true, Payload: bodyPayload("text"), Kind: -1, Handle: connEvent, Rate: &wsrt.Rate{Limit: 2, Per: time.Second, Burst: 2}},
			news,
		},
		Errors: []*wsrt.ErrorType{{Code: "NOPE", Details: bodyPayload("text")}},
		Claims: wsrt.ClaimsType{
			UserID: func(v any) string { return v.(*claims).user },
			Roles:  func(v any) []string { return v.(*claims).roles },
		},
	}
)

func roomEvent(name string, p *wsrt.Payload, f func(h *lobby, ctx context.Context, c *wsrt.Conn, m *body) error) *wsrt.MessageType {
	return &wsrt.MessageType{
		Name: name, FromClient: true, Payload: p, Key: func(v any) string { return v.(*body).RoomID },
		Handle: func(ctx context.Context, h any, c *wsrt.Conn, m any) error { return f(h.(*lobby), ctx, c, m.(*body)) },
	}
}

// withoutJoined is the protocol without its `room: joined` message.
func withoutJoined() *wsrt.Protocol {
	p := *protocol
	p.Messages = slices.DeleteFunc(slices.Clone(p.Messages), func(t *wsrt.MessageType) bool { return t.Joined })
	return &p
}

func joined(t *wsrt.MessageType) *wsrt.MessageType {
	t.Joined, t.Key = true, nil
	return t
}

func ask() *wsrt.MessageType {
	t := roomEvent("ASK", bodyPayload("room text"), nil)
	t.Handle = nil
	t.Request = &wsrt.RequestType{
		ResponseName: "ANSWER", Response: bodyPayload("text"), Progress: bodyPayload("text"), Timeout: 5 * time.Second,
		Handle: func(ctx context.Context, h any, c *wsrt.Conn, req any, progress func(any) error) (any, error) {
			return h.(*lobby).answer(ctx, req.(*body), progress)
		},
	}
	return t
}

func echo() *wsrt.MessageType {
	return &wsrt.MessageType{Name: "ECHO", FromClient: true, Payload: bodyPayload("text"), Kind: -1, Request: &wsrt.RequestType{
		ResponseName: "ECHO_RESPONSE", Response: bodyPayload("text"),
		Handle: func(ctx context.Context, h any, c *wsrt.Conn, req any, _ func(any) error) (any, error) {
			return req, nil
		},
	}}
}

func connEvent(ctx context.Context, h any, c *wsrt.Conn, m any) error {
	h.(*world).conn <- m.(*body).Text
	return nil
}

// world is what the handlers of a test share with it.
type world struct {
	conn   chan string // texts that the connection's handler got
	asleep chan string // rooms whose handler sleeps
	wake   chan struct{}
	left   chan wsrt.LeaveCause
	closed chan string // rooms that closed
	opened atomic.Int32

	// What rooms do as wsrt.Snapshotter and Restorer; nil: nothing. They are set before anything runs.
	snapshot func() ([]byte, error)
	restore  func(snapshot []byte) error
}

// lobby is the handler of a room.
type lobby struct {
	world *world
	room  *wsrt.Room
}

func (h *lobby) join(c *wsrt.Conn) error {
	if err := h.room.Join(c); err != nil {
		return err
	}
	return h.say("joined " + c.UserID())
}

func (h *lobby) say(text string) error {
	return h.room.Publish(news, &body{RoomID: h.room.ID(), Text: text})
}

func (h *lobby) answer(ctx context.Context, req *body, progress func(any) error) (any, error) {
	switch req.Text {
	case "fail":
		return nil, context.DeadlineExceeded
	case "nope":
		return nil, wsrt.Errorf("NOPE", "no").WithDetails(&body{Text: "why"})
	case "secret":
		return nil, http.ErrBodyNotAllowed
	case "panic":
		panic("ask")
	case "nil":
		return (*body)(nil), nil
	case "long":
		return &body{Text: strings.Repeat("x", 21)}, nil
	case "wait":
		h.world.asleep <- req.RoomID
		<-ctx.Done()
		h.world.asleep <- context.Cause(ctx).Error()
		return nil, ctx.Err()
	}
	if err := progress(&body{Text: "half"}); err != nil {
		return nil, err
	}
	return &body{Text: "re " + req.Text}, nil
}

// OnClose implements wsrt.RoomCloseHandler.
func (h *lobby) OnClose(context.Context) { h.world.closed <- h.room.ID() }

// Snapshot implements wsrt.Snapshotter.
func (h *lobby) Snapshot() ([]byte, error) {
	if h.world.snapshot == nil {
		return nil, nil
	}
	return h.world.snapshot()
}

// Restore implements wsrt.Restorer.
func (h *lobby) Restore(snapshot []byte) error {
	if h.world.restore == nil {
		return nil
	}
	return h.world.restore(snapshot)
}
