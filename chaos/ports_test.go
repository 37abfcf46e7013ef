package main

import (
	"net"
	"testing"
)

// TestPortsAreGivenOnce asks for many, also by two programs at a time.
func TestPortsAreGivenOnce(t *testing.T) {
	var one, other ports
	defer one.close()
	defer other.close()
	seen := make(map[string]bool)
	for i := range 200 {
		p := &one
		if i%2 == 0 {
			p = &other
		}
		addr, err := p.address()
		if err != nil {
			t.Fatal(err)
		}
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
