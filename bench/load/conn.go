// Package load puts a WebSocket server under load and measures what its members get. It speaks just enough of RFC 6455 to
// be cheap: the machine is shared with the server.
package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// The opcodes that servers send.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// conn is one connection.
type conn struct {
	net.Conn
	id   int
	room *room
	r    *bufio.Reader
	mu   sync.Mutex // of writes
	out  []byte
	done chan struct{} // an answer came
}

// perSource is how many connections come from one address of 127.0.0.0/8, so that its ports last.
const perSource = 15_000

// dial opens a connection. A small receive buffer makes a member that does not read noticed soon.
func dial(addr, path, subprotocol string, id int, small bool) (*conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+id/perSource))},
		Control: func(_, _ string, raw syscall.RawConn) error { return prepare(raw, small) }}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = c.(*net.TCPConn).SetLinger(0) // the next run needs the port
	if subprotocol != "" {
		subprotocol = "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, addr, subprotocol)
	if err != nil {
		c.Close()
		return nil, err
	}
	r := bufio.NewReaderSize(c, 4096)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		c.Close()
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		c.Close()
		return nil, fmt.Errorf("%s %s", path, resp.Status)
	}
	return &conn{Conn: c, id: id, r: r, done: make(chan struct{}, 1)}, nil
}

// prepare lets the kernel choose the port when it knows the server's: many connections share a source address.
func prepare(raw syscall.RawConn, small bool) error {
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT of ip(7)
	var err error
	ctl := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
		if small && err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		}
	})
	return errors.Join(ctl, err)
}

// write sends a frame, masked with zeros.
func (c *conn) write(op byte, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out[:0], 0x80|op)
	if len(payload) < 126 {
		c.out = append(c.out, 0x80|byte(len(payload)))
	} else {
		c.out = binary.BigEndian.AppendUint16(append(c.out, 0x80|126), uint16(len(payload)))
	}
	c.out = append(append(c.out, 0, 0, 0, 0), payload...)
	_, err := c.Write(c.out)
	return err
}

// read returns the next message, which is good until the next call. Control frames are handled.
func (c *conn) read() ([]byte, error) {
	for {
		op, payload, err := c.frame()
		switch {
		case err != nil:
			return nil, err
		case op == opPing:
			if err := c.write(opPong, payload); err != nil {
				return nil, err
			}
		case op == opClose:
			return nil, io.EOF
		case op != opPong:
			return payload, nil
		}
	}
}

func (c *conn) frame() (op byte, payload []byte, err error) {
	head, err := c.r.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	op, n := head[0]&15, int(head[1]&127)
	more := map[int]int{126: 2, 127: 8}[n]
	if more > 0 {
		if head, err = c.r.Peek(2 + more); err != nil {
			return 0, nil, err
		}
		if n = int(binary.BigEndian.Uint16(head[2:])); more == 8 {
			n = int(binary.BigEndian.Uint64(head[2:]))
		}
	}
	if _, err = c.r.Discard(2 + more); err != nil {
		return 0, nil, err
	}
	if n > c.r.Size() {
		payload = make([]byte, n)
		_, err = io.ReadFull(c.r, payload)
		return op, payload, err
	}
	if payload, err = c.r.Peek(n); err != nil {
		return 0, nil, err
	}
	_, err = c.r.Discard(n)
	return op, payload, err
}
