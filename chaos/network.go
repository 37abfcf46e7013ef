package main

import (
	"fmt"
	"net"

	"github.com/wsgen/wsgen/chaos/link"
	"github.com/wsgen/wsgen/chaos/netns"
	"github.com/wsgen/wsgen/internal/freeport"
)

// network is what is between the processes of a world.
type network interface {
	// host returns a place for a process that listens on some ports. Each is on a host of its own, as far as the network knows hosts.
	host(ports int) (*host, error)
	// connect lets the processes of a host reach a port of another one.
	connect(from, to *host, port int) (connection, error)
	close() error
}

// host is where a process runs.
type host struct {
	*spawner
	listen  []string // addresses that the process should listen on
	reached []string // the same, as this process reaches them
	machine *netns.Host
}

// connection is between two hosts, and may break.
type connection interface {
	// addr is what the first host dials.
	addr() string
	// set replaces what is wrong.
	set(f link.Fault) error
	close()
}

// Networks that can be asked for.
const (
	namespaces = "namespaces"
	proxies    = "proxies"
)

// network makes one of the kind that is to be used.
func (h *harness) newNetwork() (network, error) {
	if h.network != namespaces {
		return &proxied{spawner: h.spawner}, nil
	}
	n, err := netns.New()
	if err != nil {
		return nil, err
	}
	return &spaced{n}, nil
}

// proxied is a network of proxies. All processes are on this machine, and can tell.
type proxied struct {
	*spawner
	ports freeport.Ports
}

func (p *proxied) host(n int) (*host, error) {
	h := &host{spawner: p.spawner}
	var err error
	h.listen, err = p.ports.Addresses(n)
	h.reached = h.listen
	return h, err
}

func (p *proxied) connect(_, to *host, port int) (connection, error) {
	k, err := link.New(to.listen[port])
	if err != nil {
		return nil, err
	}
	return proxy{k}, nil
}

func (p *proxied) close() error {
	p.ports.Close()
	return nil
}

// proxy is a connection of a network of proxies.
type proxy struct{ *link.Link }

func (p proxy) addr() string { return p.Addr }

func (p proxy) set(f link.Fault) error {
	p.Set(f)
	return nil
}

func (p proxy) close() { p.Close() }

// spaced is a network of namespaces.
type spaced struct{ net *netns.Network }

// portOf is what the processes of all hosts listen on, by the number of the port.
func portOf(i int) string { return fmt.Sprint(freeport.First + i) }

func (s *spaced) host(n int) (*host, error) {
	m, err := s.net.Host()
	if err != nil {
		return nil, err
	}
	cable, err := s.net.Connect(s.net.Root, m)
	if err != nil {
		return nil, err
	}
	h := &host{spawner: &spawner{m.Do}, machine: m}
	for i := range n {
		h.listen = append(h.listen, net.JoinHostPort("0.0.0.0", portOf(i)))
		h.reached = append(h.reached, net.JoinHostPort(cable.IP().String(), portOf(i)))
	}
	return h, nil
}

func (s *spaced) connect(from, to *host, port int) (connection, error) {
	c, err := s.net.Connect(from.machine, to.machine)
	if err != nil {
		return nil, err
	}
	return cable{c, net.JoinHostPort(c.IP().String(), portOf(port))}, nil
}

func (s *spaced) close() error { return s.net.Close() }

// cable is a connection of a network of namespaces.
type cable struct {
	*netns.Cable
	to string
}

func (c cable) addr() string           { return c.to }
func (c cable) set(f link.Fault) error { return c.Set(f) }
func (c cable) close()                 {} // it goes with its hosts
