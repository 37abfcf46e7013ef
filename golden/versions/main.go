// versions serves a protocol as it was and as it is, for clients of both: that of golden/older on one address, that of
// golden/newer on another. It writes the two addresses to its output, and ends with its input.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	wsrt "github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/golden/newer/newer"
	"github.com/wsgen/wsgen/golden/older/older"
)

func main() {
	for _, server := range []func() (http.Handler, error){olderServer, newerServer} {
		h, err := server()
		if err != nil {
			log.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("ws://" + l.Addr().String())
		go func() { log.Fatal(http.Serve(l, h)) }()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// olderServer knows the order 1.
func olderServer() (http.Handler, error) {
	return older.NewServer(older.Config{Conn: olderConn{}, Authenticate: func(*http.Request, string) (*older.Claims, error) {
		return &older.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
}

type olderConn struct{}

func (olderConn) GetOrder(_ context.Context, _ *older.Conn, req *older.GetOrderRequest) (*older.Order, error) {
	if req.ID != 1 {
		return nil, older.NewNoSuchOrderError(older.NoSuchOrderDetails{ID: req.ID})
	}
	return &older.Order{ID: 1, Status: older.StatusOpen, Payment: &older.PaymentCash{Coins: 3}}, nil
}

func (h olderConn) Watch(ctx context.Context, c *older.Conn, m *older.Watch) error {
	order, err := h.GetOrder(ctx, c, &older.GetOrderRequest{ID: m.ID})
	if err != nil {
		return err
	}
	return c.Send((*older.OrderUpdate)(order))
}

// newerServer knows the order 1 as the older one does, and uses all that is new for 2 and 3.
func newerServer() (http.Handler, error) {
	return newer.NewServer(newer.Config{Conn: newerConn{}, Authenticate: func(*http.Request, string) (*newer.Claims, error) {
		return &newer.Claims{UserID: "ann", Roles: []string{}}, nil
	}})
}

type newerConn struct{}

func (newerConn) GetOrder(_ context.Context, _ *newer.Conn, req *newer.GetOrderRequest) (*newer.Order, error) {
	total := int32(5)
	switch req.ID {
	case 1:
		return &newer.Order{ID: 1, Status: newer.StatusOpen, Payment: &newer.PaymentCash{Coins: 3}, Total: &total}, nil
	case 2:
		return &newer.Order{ID: 2, Status: newer.StatusRefunded, Payment: &newer.PaymentVoucher{Code: "x"}, Total: &total}, nil
	case 3:
		return nil, newer.NewOrderSealedError(newer.OrderSealedDetails{Until: "2030-01-02"})
	}
	return nil, newer.NewNoSuchOrderError(newer.NoSuchOrderDetails{ID: req.ID})
}

// Watch tells of the order, and that it is on its way.
func (h newerConn) Watch(ctx context.Context, c *newer.Conn, m *newer.Watch) error {
	order, err := h.GetOrder(ctx, c, &newer.GetOrderRequest{ID: m.ID})
	if err != nil {
		return err
	}
	if err := c.Send((*newer.OrderUpdate)(order)); err != nil {
		return err
	}
	return c.Send(&newer.OrderShipped{ID: m.ID})
}

func (newerConn) CancelOrder(_ context.Context, _ *newer.Conn,
	req *newer.CancelOrderRequest) (*newer.CancelOrderResponse, error) {
	if req.ID != 1 {
		return nil, wsrt.Errorf(wsrt.CodeFailedPrecondition, "%d is on its way", req.ID)
	}
	return &newer.CancelOrderResponse{}, nil
}
