package otel_test

import (
	"context"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/wsgen/wsgen/golden/rooms/rooms"
	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/otel"
	"github.com/wsgen/wsgen/runtime/wstest"
)

type room struct {
	rooms.UnimplementedRoomHandler
	r     *rooms.Room
	spans chan trace.SpanContext
}

func (h *room) Enter(ctx context.Context, c *rooms.Conn, _ *rooms.Enter) error {
	h.spans <- trace.SpanContextFromContext(ctx)
	return h.r.Join(c)
}

func TestSpans(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	inside := make(chan trace.SpanContext, 1)
	srv, err := rooms.NewServer(rooms.Config{
		Authenticate: func(_ *http.Request, token string) (*rooms.Claims, error) {
			return &rooms.Claims{UserID: token, Roles: []string{"owner"}}, nil
		},
		Conn: rooms.UnimplementedConnHandler{},
		OpenRoom: func(_ context.Context, r *rooms.Room) (rooms.RoomHandler, error) {
			return &room{r: r, spans: inside}, nil
		},
		OpenMatch: func(context.Context, *rooms.Room) (rooms.MatchHandler, error) {
			return rooms.UnimplementedMatchHandler{}, nil
		},
		Options: wsrt.Options{Interceptors: []wsrt.Interceptor{otel.Interceptor(otel.WithTracerProvider(provider), otel.WithUser())}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := wstest.Dial(t, wstest.Serve(t, srv), "/?access_token=ann")
	c.Send(`{"type":"ENTER","payload":{"roomId":"secret"}}`)
	c.Send(`{"type":"SHUT","payload":{"roomId":"secret"}}`)
	c.Next()
	if err := srv.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := exporter.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("got %d spans", len(spans))
	}
	enter, shut := spans[0], spans[1]
	if enter.Name != "ENTER" || enter.Status.Code == codes.Error || enter.SpanContext.SpanID() != (<-inside).SpanID() {
		t.Errorf("got %+v", enter)
	}
	if shut.Name != "SHUT" || shut.Status.Code != codes.Error || shut.Status.Description != "UNIMPLEMENTED" {
		t.Errorf("got %+v", shut)
	}
	got := make(map[string]string)
	for _, a := range shut.Attributes {
		got[string(a.Key)] = a.Value.String()
		if a.Value.String() == "secret" {
			t.Errorf("the span has the key of the room in %s", a.Key)
		}
	}
	if got["wsgen.message"] != "SHUT" || got["wsgen.room.kind"] != "room" || got["wsgen.error.code"] != "UNIMPLEMENTED" || got["enduser.id"] != "ann" {
		t.Errorf("got %v", got)
	}
}
