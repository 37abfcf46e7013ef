// chat is a chat of rooms over typed WebSockets. Its messages are in ../messages.yaml; the code for them is generated.
package main

import (
	"context"
	"errors"
	_ "expvar"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wsgen/wsgen/runtime/filestore"

	"github.com/wsgen/wsgen/examples/chat/chat"
	"github.com/wsgen/wsgen/examples/chat/lobby"
	"github.com/wsgen/wsgen/examples/chat/web"
)

//go:generate go run ../../cmd/wsgen generate --out chat ../messages.yaml

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	data := flag.String("data", "data", "folder for the rooms, which outlive the process")
	debug := flag.String("debug", "", "address of a listener for operators; empty: none")
	ttl := flag.Duration("tokens", time.Hour, "how long a token of /token holds")
	unlimited := flag.Bool("unlimited", false, "lift rate and admission limits, for load tests")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, lobby.NewTokens(nil, *ttl), *addr, *data, *debug, *unlimited); err != nil {
		log.Fatal(err)
	}
}

// drainTime is how long the server may take to go down. Most of it is for a machine that is busy: whoever is still connected then is cut off.
const drainTime = 25 * time.Second

// run serves until ctx ends, and then takes the server out of service without losing a message.
func run(ctx context.Context, tokens *lobby.Tokens, addr, data, debug string, unlimited bool) error {
	srv, err := newServer(tokens, data, unlimited)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", srv)
	mux.Handle("/token", tokens)
	mux.Handle("/readyz", srv.Runtime().ReadyHandler())
	mux.Handle("/", web.Handler())

	if debug != "" {
		go serveDebug(debug, srv)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(listener) }()
	fmt.Printf("The chat is on http://%s (Ctrl-C ends it)\n", listener.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return errors.Join(srv.Drain(drain), hs.Shutdown(drain))
}

// serveDebug shows operators what the server does: /debug/wsgen, /debug/vars and /debug/pprof.
func serveDebug(addr string, srv *chat.Server) {
	mux := http.NewServeMux()
	mux.Handle("/debug/wsgen", srv.Runtime().DebugHandler())
	mux.Handle("/debug/", http.DefaultServeMux) // of expvar and pprof
	log.Print(http.ListenAndServe(addr, mux))
}

// newServer returns the chat's server. data is the folder for its rooms.
func newServer(tokens *lobby.Tokens, data string, unlimited bool) (*chat.Server, error) {
	store, err := filestore.New(data)
	if err != nil {
		return nil, err
	}
	cfg := chat.Config{Authenticate: tokens.Authenticate, OpenRoom: lobby.Open}
	cfg.Store, cfg.Unlimited = store, unlimited
	return chat.NewServer(cfg)
}
