// Package freeport finds addresses of this machine for processes to listen on, before they run.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// Ports gives addresses. A port is given once, and is none of those that the system gives by itself: a process that was killed finds it
// free when it starts again. A socket of the same number for datagrams, which nobody sends, keeps a port from others who use
// this package until Close. The zero value is ready. It is safe for concurrent use.
type Ports struct {
	mu   sync.Mutex
	kept []net.PacketConn
}

const (
	// First is the first port that is given.
	First = 10_000
	// tries is how many ports are looked at before giving up.
	tries = 1000
)

// Addresses returns n addresses on the loopback interface that nobody listens on.
func (p *Ports) Addresses(n int) ([]string, error) {
	all := make([]string, n)
	for i := range all {
		var err error
		if all[i], err = p.address(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *Ports) address() (string, error) {
	end := systemPorts()
	for range tries {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(First+rand.IntN(end-First)))
		keep, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			_ = keep.Close() // it is somebody's
			continue
		}
		p.mu.Lock()
		p.kept = append(p.kept, keep)
		p.mu.Unlock()
		return addr, l.Close()
	}
	return "", errors.New("no free port")
}

// Close lets others have the ports.
func (p *Ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	if first <= First {
		first = 32_768
	}
	return first
}
