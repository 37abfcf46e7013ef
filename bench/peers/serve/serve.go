// Package serve is what the peers have in common: their flags, a second listener that tells what they use, and the rooms of
// those whose library has none.
package serve

import (
	_ "expvar" // memory, as JSON
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // collections, goroutines and profiles
	"sync"
)

// Main serves a handler until the process is ended. The flags are -addr and -debug.
func Main(h http.Handler) {
	addr, debug := Flags()
	Debug(debug)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", l.Addr())
	log.Fatal(http.Serve(l, h))
}

// Flags reads the flags of a peer.
func Flags() (addr, debug string) {
	flag.StringVar(&addr, "addr", "127.0.0.1:9000", "address to listen on")
	flag.StringVar(&debug, "debug", "127.0.0.1:9001", "address of the figures about the process")
	flag.Parse()
	return addr, debug
}

// Debug serves what the process uses.
func Debug(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(l, http.DefaultServeMux)) }()
}

// Rooms are the members of rooms, for libraries without rooms. The zero value has none.
type Rooms[C comparable] struct {
	mu    sync.RWMutex
	rooms map[string]map[C]struct{}
}

// Join adds a member.
func (r *Rooms[C]) Join(room string, c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rooms == nil {
		r.rooms = make(map[string]map[C]struct{})
	}
	if r.rooms[room] == nil {
		r.rooms[room] = make(map[C]struct{})
	}
	r.rooms[room][c] = struct{}{}
}

// Leave removes a member.
func (r *Rooms[C]) Leave(room string, c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(r.rooms[room], c); len(r.rooms[room]) == 0 {
		delete(r.rooms, room)
	}
}

// Each calls f for the members of a room.
func (r *Rooms[C]) Each(room string, f func(C)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for c := range r.rooms[room] {
		f(c)
	}
}
