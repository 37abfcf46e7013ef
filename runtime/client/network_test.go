package client_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
)

// The same over TCP and TLS, in real time: events, a call, a lost connection, and what the log says of it.
func TestOverTLS(t *testing.T) {
	s := &script{t: t, accepted: make(chan *peer, 10)}
	server := httptest.NewTLSServer(s)
	defer server.Close()
	var log bytes.Buffer
	events := make(chan string, 10)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, "wss"+strings.TrimPrefix(server.URL, "https"), protocol,
		func(_ context.Context, t *wsrt.MessageType, msg any) { events <- show(t, msg) },
		client.WithHTTPClient(server.Client()), client.WithToken("s3cret"), client.WithBackoff(client.Backoff{Base: 1}),
		client.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	u, p := &user{Client: c, t: t}, s.next()
	p.send(`{"type":"UPDATE","payload":{"text":"hi"}}`)
	if got := <-events; got != "UPDATE hi" {
		t.Errorf("event %q", got)
	}
	p.drop()
	p = s.next()
	call := u.call(ctx, get, &text{"q"}, nil)
	p.reply(p.request("GET"), "GET_RESPONSE", `{"text":"yes"}`)
	wantErr(t, call, nil)
	p.send(`{"type":"ERROR","payload":{"code":"INTERNAL","message":"oops"}}`, `{"type":"TICK"}`)
	<-events
	ended := p.pump()
	u.Close()
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("server saw %v", err)
	}
	<-u.Done()
	for _, want := range []string{"state=open", "state=reconnecting", "INTERNAL: oops", "state=closed"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Error("the log holds the token")
	}
}
