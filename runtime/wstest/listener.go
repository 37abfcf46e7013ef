package wstest

import (
	"context"
	"net"
	"sync"
)

// A listener makes connections in memory. Data passes from one end to the other without a buffer between them.
type listener struct {
	accept chan net.Conn
	closed chan struct{}

	mu     sync.Mutex
	shut   bool
	port   int
	serves map[*conn]struct{} // the server's ends
}

func newListener() *listener {
	return &listener{accept: make(chan net.Conn), closed: make(chan struct{}), port: 1024, serves: map[*conn]struct{}{}}
}

// Accept returns the server's end of the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close makes Accept and dial fail. Connections stay.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.shut {
		l.shut = true
		close(l.closed)
	}
	return nil
}

// Addr returns the address of the server.
func (l *listener) Addr() net.Addr { return address(1, 80) }

// address returns 192.0.2.host:port.
func address(host byte, port int) net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, host), Port: port}
}

// dial returns the client's end of a new connection, once the server has accepted the other.
func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	server := l.register(far)
	select {
	case l.accept <- server:
		return &conn{Conn: near, local: server.remote, remote: server.local}, nil
	case <-l.closed:
		_ = server.Close()
		return nil, net.ErrClosed
	case <-ctx.Done():
		_ = server.Close()
		return nil, ctx.Err()
	}
}

// register gives the server's end its addresses and remembers it until it is closed.
func (l *listener) register(c net.Conn) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.port++
	server := &conn{Conn: c, local: l.Addr(), remote: address(2, l.port)}
	server.forget = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.serves, server)
	}
	l.serves[server] = struct{}{}
	return server
}

// drop closes the connections that are open now.
func (l *listener) drop() {
	l.mu.Lock()
	open := make([]*conn, 0, len(l.serves))
	for c := range l.serves {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

func (l *listener) closeAll() {
	_ = l.Close()
	l.drop()
}

// A conn is one end of a connection.
type conn struct {
	net.Conn
	local, remote net.Addr
	forget        func() // nil for the client's end
}

// LocalAddr returns an address that looks like one of TCP.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns an address that looks like one of TCP.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// Close closes both directions.
func (c *conn) Close() error {
	if c.forget != nil {
		c.forget()
	}
	return c.Conn.Close()
}
