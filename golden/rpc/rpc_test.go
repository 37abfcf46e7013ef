// Package rpc_test runs requests between the generated client and server.
package rpc_test

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

	"github.com/wsgen/wsgen/golden/rpc/rpc"
)

// handler answers the requests; what it does not know is UNIMPLEMENTED.
type handler struct {
	rpc.UnimplementedConnHandler
	pings chan string
	began chan struct{} // a handler is stuck
	stuck chan error    // causes of contexts that ended
}

func (h *handler) Ping(_ context.Context, c *rpc.Conn, _ *rpc.Ping) error {
	h.pings <- c.UserID()
	return nil
}

var until = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func (h *handler) GetItem(ctx context.Context, _ *rpc.Conn, req *rpc.GetItemRequest) (*rpc.Item, error) {
	switch req.ID {
	case 1:
		return &rpc.Item{ID: 1, Name: "one"}, nil
	case 2:
		return nil, rpc.NewLockedError(rpc.LockedDetails{Until: until})
	case 3:
		return nil, rpc.NewBusyError()
	case 4:
		return nil, errors.New("a secret")
	case 5:
		h.began <- struct{}{}
		<-ctx.Done()
		h.stuck <- context.Cause(ctx)
		return nil, ctx.Err()
	case 6:
		return &rpc.Item{Name: strings.Repeat("x", 21)}, nil
	}
	return nil, rpc.NewNoSuchItemError(rpc.NoSuchItemDetails{ID: req.ID})
}

func (h *handler) Count(_ context.Context, _ *rpc.Conn, req *rpc.CountRequest, progress func(*rpc.CountProgress) error) (*rpc.CountResponse, error) {
	resp := &rpc.CountResponse{}
	for i := uint32(1); i <= req.To; i++ {
		resp.Sum += i
		if err := progress(&rpc.CountProgress{At: i}); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

func (h *handler) ListItems(context.Context, *rpc.Conn, *rpc.ListItemsRequest) (*rpc.ListItemsResponse, error) {
	return &rpc.ListItemsResponse{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}}, nil
}

func (h *handler) Touch(_ context.Context, _ *rpc.Conn, req *rpc.Item) (*rpc.TouchResponse, error) {
	if req.Name != "mine" {
		return nil, wsrt.Errorf(wsrt.CodePermissionDenied, "%s is not yours", req.Name)
	}
	return &rpc.TouchResponse{}, nil
}

func start(t *testing.T) (*rpc.Client, *handler, *wstest.Server) {
	t.Helper()
	h := &handler{pings: make(chan string, 1), began: make(chan struct{}, 1), stuck: make(chan error, 1)}
	srv, err := rpc.NewServer(rpc.Config{Conn: h, Authenticate: func(_ *http.Request, token string) (*rpc.Claims, error) {
		return &rpc.Claims{UserID: token, Roles: []string{}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := wstest.Serve(t, srv)
	c, err := rpc.Dial(t.Context(), s.URL(), rpc.Events{}, s.Dialer(), client.WithToken("ann"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, h, s
}

func TestAnswers(t *testing.T) {
	c, h, _ := start(t)
	ctx := t.Context()
	if err := c.Ping(ctx, &rpc.Ping{}); err != nil {
		t.Fatal(err)
	}
	if user := <-h.pings; user != "ann" {
		t.Errorf("ping of %q", user)
	}
	item, err := c.GetItem(ctx, &rpc.GetItemRequest{ID: 1})
	if err != nil || *item != (rpc.Item{ID: 1, Name: "one"}) {
		t.Errorf("item %+v, %v", item, err)
	}
	var seen []uint32
	sum, err := c.Count(ctx, &rpc.CountRequest{To: 4}, func(p *rpc.CountProgress) { seen = append(seen, p.At) })
	if err != nil || sum.Sum != 10 || !slices.Equal(seen, []uint32{1, 2, 3, 4}) {
		t.Errorf("sum %+v after %v, %v", sum, seen, err)
	}
	if _, err := c.Count(ctx, &rpc.CountRequest{To: 2}, nil); err != nil {
		t.Errorf("without a callback for progress: %v", err)
	}
	list, err := c.ListItems(ctx, &rpc.ListItemsRequest{})
	if err != nil || len(*list) != 2 || (*list)[1].Name != "two" {
		t.Errorf("list %+v, %v", list, err)
	}
	if _, err := c.Touch(ctx, &rpc.Item{Name: "mine"}); err != nil {
		t.Error(err)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	_, err := c.GetItem(ctx, &rpc.GetItemRequest{ID: 99})
	var none *rpc.NoSuchItemError
	if !errors.As(err, &none) || none.Details.ID != 99 || wsrt.CodeOf(err) != "NO_SUCH_ITEM" {
		t.Errorf("NO_SUCH_ITEM: %v", err)
	}
	_, err = c.GetItem(ctx, &rpc.GetItemRequest{ID: 2})
	var locked *rpc.LockedError
	if !errors.As(err, &locked) || !locked.Details.Until.Equal(until) || !strings.Contains(err.Error(), "The account is locked.") {
		t.Errorf("LOCKED: %v", err)
	}
	_, err = c.GetItem(ctx, &rpc.GetItemRequest{ID: 3})
	var busy *rpc.BusyError
	var wire *wsrt.Error
	if !errors.As(err, &busy) || !errors.As(err, &wire) || !wire.Retryable() {
		t.Errorf("BUSY: %v", err)
	}
	for id, code := range map[uint32]wsrt.Code{4: wsrt.CodeInternal, 6: wsrt.CodeInternal} {
		_, err := c.GetItem(ctx, &rpc.GetItemRequest{ID: id})
		if wsrt.CodeOf(err) != code || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: %v", id, err)
		}
	}
	//lint:ignore SA1019 what is deprecated works
	if _, err := c.OldPing(ctx, &rpc.OldPingRequest{}); wsrt.CodeOf(err) != wsrt.CodeUnimplemented {
		t.Errorf("a method that is not there: %v", err)
	}
	if _, err := c.Touch(ctx, &rpc.Item{Name: "other"}); wsrt.CodeOf(err) != wsrt.CodePermissionDenied || !strings.Contains(err.Error(), "other is not yours") {
		t.Errorf("an error with a standard code: %v", err)
	}
	var invalid *wsrt.InvalidMessageError
	if _, err := c.Count(ctx, &rpc.CountRequest{To: 101}, nil); !errors.As(err, &invalid) || invalid.Issues[0].Path != "/to" {
		t.Errorf("a request that the schema does not allow: %v", err)
	}
}

func TestCancelReachesTheHandler(t *testing.T) {
	c, h, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // a call that is given up before it was sent never reaches the handler
		<-h.began
		cancel()
	}()
	if _, err := c.GetItem(ctx, &rpc.GetItemRequest{ID: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller sees %v", err)
	}
	if cause := <-h.stuck; cause == nil {
		t.Error("the handler's context has no cause")
	}
}

func TestOnTheWire(t *testing.T) {
	_, _, s := start(t)
	c := wstest.Dial(t, s, "/?access_token=bob")
	c.Send(`{"type":"GET_ITEM","meta":{"correlationId":"c-1"},"payload":{"id":1}}`)
	c.Expect(`{"type":"ITEM","meta":{"correlationId":"c-1"},"payload":{"id":1,"name":"one"}}`)
	c.Send(`{"type":"GET_ITEM","meta":{"correlationId":"c-2"},"payload":{"id":7}}`)
	c.Expect(`{"type":"RPC_ERROR","meta":{"correlationId":"c-2"},"payload":{"code":"NO_SUCH_ITEM","message":"NO_SUCH_ITEM","details":{"id":7},"retryable":false}}`)
	c.Send(`{"type":"TOUCH","meta":{"correlationId":"c-3"},"payload":{"id":1,"name":"mine"}}`)
	c.Expect(`{"type":"TOUCH_RESPONSE","meta":{"correlationId":"c-3"}}`)
	c.Send(`{"type":"LIST_ITEMS","meta":{"correlationId":"c-4"},"payload":{}}`)
	c.Expect(`{"type":"RPC_ERROR","meta":{"correlationId":"c-4"},"payload":{"code":"INVALID_ARGUMENT","message":"/payload must be left out, because this message has no payload",
		"details":{"issues":[{"path":"/payload","message":"must be left out, because this message has no payload"}]},"retryable":false}}`)
}
