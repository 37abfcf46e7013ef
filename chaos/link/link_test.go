package link

import (
	"io"
	"net"
	"testing"
)

// TestOldConnectionsAreHeldUp has a client come after a fault began: what it sends overtakes what was sent before, which is not
// lost, even when its sender is gone.
func TestOldConnectionsAreHeldUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan byte)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 1); ; {
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					got <- b[0]
				}
			}()
		}
	}()
	k, err := New(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	send := func(c net.Conn, text string) {
		t.Helper()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	old, err := net.Dial("tcp", k.Addr)
	if err != nil {
		t.Fatal(err)
	}
	send(old, "a")
	want(t, got, 'a')
	k.Set(Fault{Up: true, Old: true})
	send(old, "b")
	_ = old.Close()
	young, err := net.Dial("tcp", k.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer young.Close()
	send(young, "c")
	want(t, got, 'c')
	k.Set(Fault{})
	want(t, got, 'b')
}

func want(t *testing.T, got <-chan byte, b byte) {
	t.Helper()
	if g := <-got; g != b {
		t.Fatalf("%c arrived, not %c", g, b)
	}
}
