package hub_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// discardConn is a connection in memory: it writes to the null device, which costs a system call as a socket's does and
// never waits, and reads nothing until it is closed.
type discardConn struct {
	*os.File
	closed chan struct{}
	once   sync.Once
}

func newDiscardConn(tb testing.TB) *discardConn {
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return &discardConn{File: file, closed: make(chan struct{})}
}

func (c *discardConn) TryWrite(p []byte) (int, error)   { return c.Write(p) }
func (c *discardConn) Read([]byte) (int, error)         { <-c.closed; return 0, net.ErrClosed }
func (c *discardConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *discardConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *discardConn) SetDeadline(time.Time) error      { return nil }
func (c *discardConn) SetReadDeadline(time.Time) error  { return nil }
func (c *discardConn) SetWriteDeadline(time.Time) error { return nil }
func (c *discardConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.File.Close()
}

var _ socket.TryWriter = (*discardConn)(nil)

// hijackRecorder lets a connection be upgraded without a server.
type hijackRecorder struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

const members = 1000

// BenchmarkPublish publishes messages of 200 bytes to 1,000 members in memory, one at a time and 16 at a time, and says how
// many times longer a goroutine with a channel per member takes for it, each writing every message by itself.
func BenchmarkPublish(b *testing.B) {
	for _, inFlight := range []int{1, 16} {
		b.Run(fmt.Sprint("inflight=", inFlight), func(b *testing.B) { benchmarkPublish(b, inFlight) })
	}
}

func benchmarkPublish(b *testing.B, inFlight int) {
	stats := &socket.Stats{}
	set := hub.New(hub.Options{Clock: clock.Real{}})
	defer set.Close()
	groups := make(map[*hub.Hub]*hub.Group)
	for range members {
		m := set.Add(accept(b, stats))
		if groups[m.Hub()] == nil {
			groups[m.Hub()] = m.Hub().NewGroup()
		}
		groups[m.Hub()].Join(m)
	}
	set.Sync()
	payload := make([]byte, 200)
	publish := func() {
		for range inFlight {
			f := socket.NewText(payload, socket.Reliable, "")
			for _, g := range groups {
				g.Publish(f, nil)
			}
		}
		set.Sync()
	}
	for range 10 {
		publish() // queues and buffers grow to their size
	}
	deliveries := float64(members * inFlight)
	allocs := testing.AllocsPerRun(100, publish) / deliveries
	b.ReportAllocs()
	for b.Loop() {
		publish()
	}
	ours := b.Elapsed().Seconds() / float64(b.N) / deliveries
	peer := peerPublish(b, payload, inFlight)
	b.ReportMetric(ours*1e9, "ns/delivery")
	b.ReportMetric(allocs, "allocs/delivery")
	b.ReportMetric(peer*1e9, "peer-ns/delivery")
	b.ReportMetric(peer/ours, "times-faster")
}

// BenchmarkIdle accepts sockets over loopback and says what one holds while nothing happens: heap and stacks of the server
// side, with the goroutine that reads.
func BenchmarkIdle(b *testing.B) {
	const n = 1000
	for b.Loop() {
		set := hub.New(hub.Options{})
		ended := make(chan struct{}, n)
		hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := socket.Accept(w, r, "", &socket.Options{MaxMessage: 64 << 10})
			if err != nil {
				b.Error(err)
				return
			}
			m := set.Add(s)
			go func() {
				for _, err := s.Read(); err == nil; _, err = s.Read() {
				}
				m.Remove()
				ended <- struct{}{}
			}()
		}))
		conns := make([]net.Conn, n)
		before := inUse()
		for i := range conns {
			conns[i] = dialRaw(b, hs.Listener.Addr().String())
		}
		set.Sync()
		b.ReportMetric(float64(inUse()-before)/n/1024, "KiB/conn")
		for _, c := range conns {
			c.Close()
		}
		for range conns {
			<-ended
		}
		hs.Close()
		set.Close()
	}
}

// inUse returns the bytes of heap and stacks after a collection.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// dialRaw upgrades a connection, with as little memory on the client's side as possible.
func dialRaw(b *testing.B, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	buf := make([]byte, 512)
	if n, err := c.Read(buf); err != nil || !bytes.Contains(buf[:n], []byte(" 101 ")) {
		b.Fatalf("no upgrade: %q (%v)", buf[:n], err)
	}
	return c
}

func accept(b *testing.B, stats *socket.Stats) *socket.Socket {
	conn := newDiscardConn(b)
	b.Cleanup(func() { conn.Close() })
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(k, v)
	}
	s, err := socket.Accept(hijackRecorder{httptest.NewRecorder(), conn}, r, "", &socket.Options{MaxMessage: 1000, Clock: clock.Real{}, Stats: stats})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// peerPublish returns the seconds that a delivery takes with a goroutine and a channel per member.
func peerPublish(b *testing.B, payload []byte, inFlight int) float64 {
	frame := append([]byte{0x81, 126, 0, 200}, payload...)
	var waiting atomic.Int64
	done := make(chan struct{}, 1)
	var queues []chan []byte
	for range members {
		q := make(chan []byte, 256)
		conn := newDiscardConn(b)
		queues = append(queues, q)
		go func() {
			defer conn.Close()
			for f := range q {
				_, _ = conn.Write(f)
				if waiting.Add(-1) == 0 {
					done <- struct{}{}
				}
			}
		}()
	}
	const rounds = 200
	start := time.Now()
	for range rounds {
		waiting.Store(int64(members * inFlight))
		for range inFlight {
			for _, q := range queues {
				q <- frame
			}
		}
		<-done
	}
	took := time.Since(start)
	for _, q := range queues {
		close(q)
	}
	return took.Seconds() / rounds / float64(members*inFlight)
}
