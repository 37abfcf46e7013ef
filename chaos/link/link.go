// Package link is a TCP proxy that stands between two processes and does to their connections what networks do: hold bytes up,
// delay them, let few through, break connections.
package link

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// Fault is what is wrong with a link. The zero value is a link that works.
type Fault struct {
	// Up and Down hold up what goes to the server and what comes from it. Nobody is told; what was held up arrives late,
	// when the link works again.
	Up, Down bool
	// Only limits Up and Down to connections in whose first bytes, those of the client, this text is. Empty: all.
	Only string
	// Old limits Up and Down to connections that were there when this fault began.
	Old bool
	// Break resets the connections that there are, and refuses new ones.
	Break bool
	// Delay is added to the way in both directions.
	Delay time.Duration
	// Rate is how many bytes a second go through in each direction; 0: all.
	Rate int
}

// Link listens on a port of this machine, and passes on to another one. It is safe for concurrent use.
type Link struct {
	Addr string // where it listens

	to       string
	listener net.Listener
	running  sync.WaitGroup
	closed   chan struct{}

	mu      sync.Mutex
	fault   Fault
	faults  int           // how many there have been
	changed chan struct{} // closed when fault changes
	pairs   map[*pair]struct{}
}

// pair is a connection of a client and the one to the server.
type pair struct {
	client, server *net.TCPConn
	since          int // faults when it began

	mu   sync.Mutex
	head []byte // the first bytes of the client
}

// chunk is something on its way.
type chunk struct {
	data []byte
	due  time.Time
}

const (
	chunkSize = 32 << 10
	// chunks is how many are on their way at most; more wait in the buffers of the system.
	chunks = 64
	// headSize is how much of the beginning is kept to tell connections apart.
	headSize = 1 << 10
)

// New returns a link to an address.
func New(to string) (*Link, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &Link{Addr: l.Addr().String(), to: to, listener: l, closed: make(chan struct{}), changed: make(chan struct{}),
		pairs: make(map[*pair]struct{})}
	k.running.Go(k.run)
	return k, nil
}

// Set replaces what is wrong.
func (k *Link) Set(f Fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = f
	k.faults++
	close(k.changed)
	k.changed = make(chan struct{})
	if f.Break {
		for p := range k.pairs {
			p.reset()
		}
	}
}

// Close ends the link and its connections.
func (k *Link) Close() {
	close(k.closed)
	_ = k.listener.Close()
	k.Set(Fault{Break: true})
	k.running.Wait()
}

func (k *Link) run() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		k.running.Go(func() { k.serve(c.(*net.TCPConn)) })
	}
}

// serve joins a client with a connection to the server.
func (k *Link) serve(client *net.TCPConn) {
	p := &pair{client: client}
	c, err := net.DialTimeout("tcp", k.to, time.Second)
	if err != nil {
		p.reset()
		return
	}
	p.server = c.(*net.TCPConn)
	k.mu.Lock()
	k.pairs[p] = struct{}{}
	p.since = k.faults
	broken := k.fault.Break
	k.mu.Unlock()
	if broken {
		p.reset()
	}
	var both sync.WaitGroup
	both.Go(func() { k.pass(p, p.client, p.server, true) })
	both.Go(func() { k.pass(p, p.server, p.client, false) })
	both.Wait()
	k.mu.Lock()
	delete(k.pairs, p)
	k.mu.Unlock()
}

// reset closes both connections so that each side is told at once.
func (p *pair) reset() {
	for _, c := range []*net.TCPConn{p.client, p.server} {
		if c != nil {
			_ = c.SetLinger(0)
			_ = c.Close()
		}
	}
}

// pass passes on what one side sends, until it ends or the other side does.
func (k *Link) pass(p *pair, from, to *net.TCPConn, up bool) {
	way := make(chan chunk, chunks)
	gone := make(chan struct{})
	go func() {
		defer close(way)
		for {
			data := make([]byte, chunkSize)
			n, err := from.Read(data)
			if n > 0 {
				if up {
					p.note(data[:n])
				}
				select {
				case way <- chunk{data[:n], time.Now().Add(k.delay())}:
				case <-gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range way {
		if !k.wait(p, up, c) {
			break
		}
		if _, err := to.Write(c.data); err != nil {
			break
		}
	}
	close(gone)
	_ = to.CloseWrite() // the other way is still open: NATS closes it soon
	_ = from.CloseRead()
	if !up {
		_ = to.Close()
	}
	for range way { // the reader ends
	}
}

// note keeps the first bytes of a client.
func (p *pair) note(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if rest := headSize - len(p.head); rest > 0 {
		p.head = append(p.head, data[:min(rest, len(data))]...)
	}
}

func (p *pair) has(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Contains(p.head, []byte(text))
}

func (k *Link) delay() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault.Delay
}

// wait waits until a chunk may go on; false: the link has been closed.
func (k *Link) wait(p *pair, up bool, c chunk) bool {
	for {
		k.mu.Lock()
		f, changed, old := k.fault, k.changed, p.since < k.faults
		k.mu.Unlock()
		held := (up && f.Up || !up && f.Down) && (f.Only == "" || p.has(f.Only)) && (old || !f.Old)
		var timer <-chan time.Time
		if !held {
			rest := time.Until(c.due)
			if f.Rate > 0 {
				rest = max(rest, time.Duration(len(c.data))*time.Second/time.Duration(f.Rate))
			}
			if rest <= 0 {
				return true
			}
			timer = time.After(rest)
		}
		select {
		case <-timer:
			return true
		case <-changed:
		case <-k.closed:
			return false
		}
	}
}
