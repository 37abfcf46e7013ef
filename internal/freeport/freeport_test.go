package freeport

import (
	"net"
	"testing"
)

// TestPortsAreGivenOnce asks for many, also by two programs at a time.
func TestPortsAreGivenOnce(t *testing.T) {
	var one, other Ports
	defer one.Close()
	defer other.Close()
	seen := make(map[string]bool)
	for i := range 200 {
		p := &one
		if i%2 == 0 {
			p = &other
		}
		all, err := p.Addresses(1)
		if err != nil {
			t.Fatal(err)
		}
		addr := all[0]
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		seen[addr] = true
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	}
}
