package prometheus_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/wsgen/wsgen/golden/rooms/rooms"
	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/prometheus"
	"github.com/wsgen/wsgen/runtime/wstest"
)

type room struct {
	rooms.UnimplementedRoomHandler
	r *rooms.Room
}

func (h *room) Enter(_ context.Context, c *rooms.Conn, _ *rooms.Enter) error {
	if err := h.r.Join(c); err != nil {
		return err
	}
	return h.r.Publish(&rooms.News{Text: "hello"})
}

func TestFigures(t *testing.T) {
	metrics := prometheus.New()
	srv, err := rooms.NewServer(rooms.Config{
		Authenticate: func(_ *http.Request, token string) (*rooms.Claims, error) {
			if token == "" {
				return nil, http.ErrNoCookie
			}
			return &rooms.Claims{UserID: token, Roles: []string{"owner"}}, nil
		},
		Conn:     rooms.UnimplementedConnHandler{},
		OpenRoom: func(_ context.Context, r *rooms.Room) (rooms.RoomHandler, error) { return &room{r: r}, nil },
		OpenMatch: func(context.Context, *rooms.Room) (rooms.MatchHandler, error) {
			return rooms.UnimplementedMatchHandler{}, nil
		},
		Options: wsrt.Options{Metrics: metrics, Shards: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	metrics.Watch(srv.Runtime())
	registry := prom.NewPedanticRegistry()
	registry.MustRegister(metrics)
	hs := wstest.Serve(t, srv)
	resp, err := hs.Client().Get("http://wsgen.test/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c := wstest.Dial(t, hs, "/?access_token=ann")
	c.Send(`{"type":"ENTER","payload":{"roomId":"a"}}`)
	c.Next()
	c.Send(`{"type":"SHUT","payload":{"roomId":"a"}}`)
	c.Next()
	c.Send(`{"type":"NO_SUCH_TYPE"}`)
	c.Next()
	if err := srv.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	const want = `
# HELP wsgen_connections Connections that are open.
# TYPE wsgen_connections gauge
wsgen_connections 0
# HELP wsgen_handshakes_total Handshakes, accepted or refused.
# TYPE wsgen_handshakes_total counter
wsgen_handshakes_total{result="accepted"} 1
wsgen_handshakes_total{result="unauthenticated"} 1
# HELP wsgen_closes_total Connections that ended, by close code.
# TYPE wsgen_closes_total counter
wsgen_closes_total{code="1012"} 1
# HELP wsgen_errors_total Errors that clients were told.
# TYPE wsgen_errors_total counter
wsgen_errors_total{code="UNIMPLEMENTED"} 2
# HELP wsgen_messages_invalid_total Frames that were refused for what they hold.
# TYPE wsgen_messages_invalid_total counter
wsgen_messages_invalid_total 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "wsgen_connections", "wsgen_handshakes_total", "wsgen_closes_total",
		"wsgen_errors_total", "wsgen_messages_invalid_total"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	if n, err := testutil.GatherAndCount(registry, "wsgen_handler_seconds"); n != 2 || err != nil {
		t.Errorf("%d series of handlers, %v", n, err)
	}
}

// TestEveryMetricIsDocumented compares the list of the package's documentation with what there is.
func TestEveryMetricIsDocumented(t *testing.T) {
	m := prometheus.New()
	m.Handled("A", "", time.Second)
	descs := make(chan *prom.Desc, 100)
	m.Describe(descs)
	close(descs)
	source, err := os.ReadFile("prometheus.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, _, _ := strings.Cut(string(source), "\npackage ")
	for desc := range descs {
		name := regexp.MustCompile(`wsgen_\w+`).FindString(desc.String())
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(doc) {
			t.Errorf("%s is not documented", name)
		}
	}
}
