package wstest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/go-faster/jx"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// word is the payload of every message here: a string.
type word struct{ Text string }

var wordPayload = &wsrt.Payload{
	Decode: func(d *codec.Decoder) any { return &word{d.String()} },
	Encode: func(w *jx.Writer, v any) { codec.WriteString(w, v.(*word).Text) },
}

// The protocol has an event that is sent back, and a request that reports progress and then answers, fails or waits.
var (
	say   = &wsrt.MessageType{Name: "SAY", FromClient: true, FromServer: true, Payload: wordPayload, Kind: -1, Handle: handleSay}
	ask   = &wsrt.MessageType{Name: "ASK", FromClient: true, Payload: wordPayload, Kind: -1, Request: askRequest}
	words = &wsrt.Protocol{Name: "Words", Messages: []*wsrt.MessageType{say, ask}, Sharding: wsrt.ShardingDefaults{Shards: 1}}

	askRequest = &wsrt.RequestType{ResponseName: "ASK_RESPONSE", Response: wordPayload, Progress: wordPayload,
		Timeout: 5 * time.Second, Handle: handleAsk}
)

func handleSay(_ context.Context, _ any, c *wsrt.Conn, msg any) error {
	return c.Send(&wsrt.MessageType{Name: "SAY", FromServer: true, Payload: wordPayload}, msg)
}

func handleAsk(ctx context.Context, gone any, _ *wsrt.Conn, req any, progress func(any) error) (any, error) {
	switch text := req.(*word).Text; text {
	case "fail":
		return nil, wsrt.Errorf(wsrt.CodeNotFound, "no %s", text)
	case "wait":
		if err := progress(&word{"waits"}); err != nil {
			return nil, err
		}
		<-ctx.Done()
		gone.(chan struct{}) <- struct{}{}
		return nil, ctx.Err()
	default:
		return &word{text + "!"}, progress(&word{text + "?"})
	}
}

func newWords(t *testing.T, gone chan struct{}) *wstest.Server {
	t.Helper()
	srv, err := wsrt.NewServer(words, wsrt.ServerConfig{
		Conn:         gone,
		NewConn:      func(*wsrt.Conn) any { return nil },
		Authenticate: func(_ *http.Request, token string) (any, error) { return &word{token}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wstest.Patience)
		defer cancel()
		_ = srv.Drain(ctx)
	})
	return wstest.Serve(t, srv)
}

// The runtime's server works over connections without a file descriptor, for raw frames and for the client.
func TestRuntimeServer(t *testing.T) {
	gone := make(chan struct{}, 1)
	srv := newWords(t, gone)
	raw := wstest.Dial(t, srv, "/?access_token=ann")
	raw.Send(`{"type":"SAY","payload":"hi"}`)
	raw.Expect(`{"type":"SAY","payload":"hi"}`)
	raw.Send(`{"type":"ASK","meta":{"correlationId":"c-1"},"payload":"who"}`)
	raw.Expect(`{"type":"$ws:rpc-progress","meta":{"correlationId":"c-1"},"data":"who?","payload":"who?"}`)
	raw.Expect(`{"type":"ASK_RESPONSE","meta":{"correlationId":"c-1"},"payload":"who!"}`)

	events := make(chan string, 1)
	c, err := client.Dial(t.Context(), srv.URL(), words, func(_ context.Context, _ *wsrt.MessageType, msg any) {
		events <- msg.(*word).Text
	}, srv.Dialer(), client.WithToken("bob"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(t.Context(), say, &word{"hello"}); err != nil || <-events != "hello" {
		t.Errorf("event: %v", err)
	}
	reply, err := c.Call(t.Context(), ask, &word{"what"}, func(v any) { events <- v.(*word).Text })
	if err != nil || reply.(*word).Text != "what!" || <-events != "what?" {
		t.Errorf("Call = %v, %v", reply, err)
	}
	if _, err = c.Call(t.Context(), ask, &word{"fail"}, nil); wsrt.CodeOf(err) != wsrt.CodeNotFound {
		t.Errorf("failing Call: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The handler waits when this is called: a call that is given up before it was sent never reaches the server.
	if _, err = c.Call(ctx, ask, &word{"wait"}, func(any) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("aborted Call: %v", err)
	}
	<-gone // the handler's context ended too
}
