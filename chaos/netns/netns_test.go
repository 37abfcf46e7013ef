package netns

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/wsgen/wsgen/chaos/link"
)

// inside is set in the process that runs the tests in namespaces.
const inside = "WSGEN_NETNS_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" {
		n, err := New()
		if err != nil {
			fmt.Println("SKIPPED: network namespaces are not allowed here:", err)
			os.Exit(0)
		}
		if err := n.Close(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdout, os.Stderr, Attr()
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	default:
		fmt.Println("SKIPPED: network namespaces are not allowed here:", err)
	}
}

// network makes one that the test ends.
func network(t *testing.T) *Network {
	n, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func host(t *testing.T, n *Network) *Host {
	t.Helper()
	h, err := n.Host()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func connect(t *testing.T, n *Network, a, b *Host) *Cable {
	t.Helper()
	c, err := n.Connect(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// echo sends back what a host is sent.
func echo(t *testing.T, h *Host) {
	t.Helper()
	var l net.Listener
	var err error
	h.Do(func() { l, err = net.Listen("tcp", "0.0.0.0:7") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
}

// dial connects a host to what is at the other end of a cable.
func dial(t *testing.T, h *Host, network string, to *Cable) net.Conn {
	t.Helper()
	var c net.Conn
	var err error
	h.Do(func() { c, err = net.Dial(network, net.JoinHostPort(to.IP().String(), "7")) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestWhatIsLostIsSentAgain cuts a cable in each direction and pulls it out: what was sent meanwhile arrives when it is mended.
func TestWhatIsLostIsSentAgain(t *testing.T) {
	for _, f := range []link.Fault{{Up: true}, {Down: true}, {Up: true, Down: true}, {Break: true}, {Rate: 50_000}, {Delay: 1}} {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			n := network(t)
			from, to := host(t, n), host(t, n)
			c := connect(t, n, from, to)
			echo(t, to)
			conn := dial(t, from, "tcp", c)
			back := bufio.NewReader(conn)
			say(t, conn, "before")
			hear(t, back, "before")
			if err := c.Set(f); err != nil {
				t.Fatal(err)
			}
			say(t, conn, "meanwhile")
			if err := c.Set(link.Fault{}); err != nil {
				t.Fatal(err)
			}
			hear(t, back, "meanwhile")
		})
	}
}

// TestCutsAreOfOneCableAndOneDirection sends datagrams on a cable that is cut and then on one that is not.
func TestCutsAreOfOneCableAndOneDirection(t *testing.T) {
	n := network(t)
	a, b := host(t, n), host(t, n)
	cut, whole := connect(t, n, a, b), connect(t, n, a, b)
	var socket net.PacketConn
	var err error
	b.Do(func() { socket, err = net.ListenPacket("udp", "0.0.0.0:7") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	over, beside := dial(t, a, "udp", cut), dial(t, a, "udp", whole)
	for _, c := range []struct {
		fault link.Fault
		first string
	}{{link.Fault{}, "over"}, {link.Fault{Up: true}, "beside"}, {link.Fault{Down: true}, "over"}, {link.Fault{}, "over"}} {
		if err := cut.Set(c.fault); err != nil {
			t.Fatal(err)
		}
		say(t, over, "over")
		say(t, beside, "beside")
		for _, want := range []string{c.first, "beside"} {
			buf := make([]byte, 100)
			size, _, err := socket.ReadFrom(buf)
			if err != nil || string(buf[:size]) != want+"\n" {
				t.Fatalf("%+v: %q arrived (%v), not %q", c.fault, buf[:size], err, want)
			}
			if want == "beside" {
				break
			}
		}
	}
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	got, err := r.ReadString('\n')
	if err != nil || got != text+"\n" {
		t.Fatalf("%q arrived (%v), not %q", got, err, text)
	}
}
