package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// ports gives processes ports to listen on. A port is given once, and is none of those that the system gives by itself: a process
// that was killed finds it free when it starts again. A socket of the same number for datagrams, which nobody sends, keeps a port
// from other programs like this one. Not for concurrent use.
type ports struct{ kept []net.PacketConn }

const (
	firstPort = 10_000
	// portTries is how many ports are looked at before giving up.
	portTries = 1000
)

// address returns an address of this machine that nobody listens on.
func (p *ports) address() (string, error) {
	end := systemPorts()
	for range portTries {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(end-firstPort)))
		keep, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			_ = keep.Close() // it is somebody's
			continue
		}
		p.kept = append(p.kept, keep)
		return addr, l.Close()
	}
	return "", errors.New("no free port")
}

// close lets others have the ports.
func (p *ports) close() {
	for _, c := range p.kept {
		_ = c.Close() // nothing was sent
	}
	p.kept = nil
}

// systemPorts returns the first of those ports that the system gives to whoever asks for any.
func systemPorts() int {
	first := 0
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &first) // else the usual
	}
	if first <= firstPort {
		first = 32_768
	}
	return first
}
