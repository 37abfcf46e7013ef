package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"

	"github.com/wsgen/wsgen/golden/newer/newer"
	"github.com/wsgen/wsgen/golden/older/older"
	"github.com/wsgen/wsgen/internal/cli"
)

// serve serves over TCP, and returns the address.
func serve(t *testing.T, server func() (http.Handler, error)) string {
	t.Helper()
	h, err := server()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		if err := h.(interface{ Drain(context.Context) error }).Drain(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// TestTheChangeIsCompatible asks wsgen: servers first, it breaks nothing; in any order, it names what a new client must not do
// yet.
func TestTheChangeIsCompatible(t *testing.T) {
	for _, deploy := range []struct {
		order string
		exit  int
		finds []string // errors
	}{
		{"servers-first", 0, nil},
		{"any-order", 100, []string{"WATCH.payload.quiet is new", "GET_ORDER.request.total is new", "CANCEL_ORDER is new"}},
	} {
		var out bytes.Buffer
		args := []string{"breaking", "--deploy", deploy.order, "--against", "../older/messages.yaml", "../newer/messages.yaml"}
		exit := cli.Run(args, strings.NewReader(""), &out, &out)
		if exit != deploy.exit || strings.Count(out.String(), ": error: ") != len(deploy.finds) {
			t.Errorf("%s: exit code %d\n%s", deploy.order, exit, &out)
		}
		for _, find := range deploy.finds {
			if !strings.Contains(out.String(), "error: "+find) {
				t.Errorf("%s: %q is not found in\n%s", deploy.order, find, &out)
			}
		}
	}
}

// TestOlderClient talks to the newer server: what the client knows works, and what it does not know it passes on or passes over.
func TestOlderClient(t *testing.T) {
	ctx := t.Context()
	updates, unknown := make(chan *older.Order, 1), make(chan string, 1)
	c, err := older.Dial(ctx, serve(t, newerServer), older.Events{
		OrderUpdate: func(_ context.Context, m *older.OrderUpdate) { updates <- (*older.Order)(m) },
	}, client.WithOnUnknown(func(name string, _ []byte) { unknown <- name }), client.WithOnError(func(err error) { t.Error(err) }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	known, err := c.GetOrder(ctx, &older.GetOrderRequest{ID: 1})
	if err != nil || known.Status != older.StatusOpen || known.Payment.(*older.PaymentCash).Coins != 3 {
		t.Errorf("the order is %+v, %v", known, err)
	}
	got, err := c.GetOrder(ctx, &older.GetOrderRequest{ID: 2})
	if err != nil {
		t.Fatal(err)
	}
	checkNewOrder(t, got)
	var none *older.NoSuchOrderError
	if _, err := c.GetOrder(ctx, &older.GetOrderRequest{ID: 9}); !errors.As(err, &none) || none.Details.ID != 9 {
		t.Errorf("an order that there is not: %v", err)
	}
	if _, err := c.GetOrder(ctx, &older.GetOrderRequest{ID: 3}); wsrt.CodeOf(err) != "ORDER_SEALED" {
		t.Errorf("an error that it does not know: %v", err)
	}
	if err := c.Watch(ctx, &older.Watch{ID: 2}); err != nil {
		t.Fatal(err)
	}
	checkNewOrder(t, <-updates)
	if name := <-unknown; name != "ORDER_SHIPPED" {
		t.Errorf("a message that it does not know: %s", name)
	}
}

// checkNewOrder wants an order with a status and a payment that an older client does not know.
func checkNewOrder(t *testing.T, o *older.Order) {
	t.Helper()
	voucher, ok := o.Payment.(*older.UnknownPayment)
	if o.ID != 2 || o.Status != "refunded" || o.Status.Known() || !ok || voucher.Tag != "voucher" ||
		string(voucher.JSON) != `{"kind":"voucher","code":"x"}` {
		t.Errorf("the order is %+v, paid by %+v", o, o.Payment)
	}
}

// TestNewerClient talks to the older server: what that knows works, and for the rest it says that it does not know it.
func TestNewerClient(t *testing.T) {
	ctx := t.Context()
	updates := make(chan *newer.Order, 1)
	c, err := newer.Dial(ctx, serve(t, olderServer), newer.Events{
		OrderUpdate:  func(_ context.Context, m *newer.OrderUpdate) { updates <- (*newer.Order)(m) },
		OrderShipped: func(context.Context, *newer.OrderShipped) { t.Error("it is on its way") },
	}, client.WithOnError(func(err error) { t.Error(err) }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(o *newer.Order, err error) {
		t.Helper()
		if err != nil || o.Status != newer.StatusOpen || o.Payment.(*newer.PaymentCash).Coins != 3 || o.Total != nil {
			t.Errorf("the order is %+v, %v", o, err)
		}
	}
	check(c.GetOrder(ctx, &newer.GetOrderRequest{ID: 1}))
	if err := c.Watch(ctx, &newer.Watch{ID: 1}); err != nil {
		t.Fatal(err)
	}
	check(<-updates, nil)
	var none *newer.NoSuchOrderError
	if _, err := c.GetOrder(ctx, &newer.GetOrderRequest{ID: 9}); !errors.As(err, &none) || none.Details.ID != 9 {
		t.Errorf("an order that there is not: %v", err)
	}
	if _, err := c.CancelOrder(ctx, &newer.CancelOrderRequest{ID: 1}); wsrt.CodeOf(err) != wsrt.CodeUnimplemented {
		t.Errorf("a request that it does not know: %v", err)
	}
	total := true
	_, err = c.GetOrder(ctx, &newer.GetOrderRequest{ID: 1, Total: &total})
	if e, ok := errors.AsType[*wsrt.Error](err); !ok || e.Code() != wsrt.CodeInvalidArgument ||
		e.Details().(*wsrt.InvalidDetails).Issues[0].Path != "/payload/total" {
		t.Errorf("a field that it does not know: %v", err)
	}
}

// TestSameVersion uses all that is new on both sides.
func TestSameVersion(t *testing.T) {
	ctx := t.Context()
	shipped := make(chan int32, 1)
	c, err := newer.Dial(ctx, serve(t, newerServer), newer.Events{
		OrderShipped: func(_ context.Context, m *newer.OrderShipped) { shipped <- m.ID },
	}, client.WithOnError(func(err error) { t.Error(err) }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	total := true
	o, err := c.GetOrder(ctx, &newer.GetOrderRequest{ID: 2, Total: &total})
	if err != nil || o.Status != newer.StatusRefunded || o.Payment.(*newer.PaymentVoucher).Code != "x" || *o.Total != 5 {
		t.Errorf("the order is %+v, %v", o, err)
	}
	var sealed *newer.OrderSealedError
	if _, err := c.GetOrder(ctx, &newer.GetOrderRequest{ID: 3}); !errors.As(err, &sealed) || sealed.Details.Until != "2030-01-02" {
		t.Errorf("an order that is sealed: %v", err)
	}
	if _, err := c.CancelOrder(ctx, &newer.CancelOrderRequest{ID: 1}); err != nil {
		t.Error(err)
	}
	if err := c.Watch(ctx, &newer.Watch{ID: 2}); err != nil {
		t.Fatal(err)
	}
	if id := <-shipped; id != 2 {
		t.Errorf("%d is on its way", id)
	}
}
