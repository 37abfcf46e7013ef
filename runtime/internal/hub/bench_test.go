package hub_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// discardConn is a connection in memory: it writes to the null device, by a descriptor as a socket has one, and reads
// nothing until it is closed.
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

var _ syscall.Conn = (*discardConn)(nil)

// hijackRecorder lets a connection be upgraded without a server.
type hijackRecorder struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

const members = 1000

// BenchmarkPublish publishes a message of 200 bytes to 1,000 members in memory, and says how many times longer a goroutine
// with a channel per member takes for it, each writing every message by itself.
func BenchmarkPublish(b *testing.B) {
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
		f := socket.NewText(payload, socket.Reliable, "")
		for _, g := range groups {
			g.Publish(f, nil)
		}
		set.Sync() // one message at a time: no batching
	}
	publish()
	b.ReportAllocs()
	for b.Loop() {
		publish()
	}
	ours := b.Elapsed().Seconds() / float64(b.N) / members
	b.ReportMetric(ours*1e9, "ns/delivery")
	allocs := testing.AllocsPerRun(100, publish)
	b.ReportMetric(allocs/members, "allocs/delivery")
	peer := peerPublish(b, payload)
	b.ReportMetric(peer*1e9, "peer-ns/delivery")
	b.ReportMetric(peer/ours, "times-faster")
}

func accept(b *testing.B, stats *socket.Stats) *socket.Socket {
	conn := newDiscardConn(b)
	b.Cleanup(func() { conn.Close() })
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(k, v)
	}
	s, err := socket.Accept(hijackRecorder{httptest.NewRecorder(), conn}, r, socket.Options{MaxMessage: 1000, Clock: clock.Real{}, Stats: stats})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// peerPublish returns the seconds that a delivery takes with a goroutine and a channel per member.
func peerPublish(b *testing.B, payload []byte) float64 {
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
		waiting.Store(members)
		for _, q := range queues {
			q <- frame
		}
		<-done
	}
	took := time.Since(start)
	for _, q := range queues {
		close(q)
	}
	return took.Seconds() / rounds / members
}
