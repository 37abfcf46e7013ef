package natscluster

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// pendingBytes is how much may wait for a listener; what is over it is lost.
	pendingBytes = 256 << 20
	// nobodyTime is how long a server's word that nobody listens to an address counts.
	nobodyTime = time.Second
	// joinTime is how long it may take until the server knows of a subscription.
	joinTime = 5 * time.Second
)

// transport sends packets as messages of core NATS. They name a subject for replies, to which nobody replies but a server that
// finds nobody who listens; that costs some bytes a packet. Since a server knows the listeners at other servers by hearsay,
// ErrNobody is its word only, for a second: the packet was not sent, but the next one may arrive.
type transport struct {
	nc      *nats.Conn
	names   names
	replies string // followed by an address

	mu     sync.Mutex
	nobody map[string]time.Time // when the word for an address ends
}

func newTransport(nc *nats.Conn, n names) (*transport, error) {
	t := &transport{nc: nc, names: n, replies: nc.NewInbox() + ".", nobody: make(map[string]time.Time)}
	if _, err := nc.Subscribe(t.replies+">", t.reply); err != nil {
		return nil, fmt.Errorf("natscluster: %w", err)
	}
	return t, nil
}

// reply remembers that nobody listens to an address.
func (t *transport) reply(m *nats.Msg) {
	if m.Header.Get("Status") != "503" {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for address, end := range t.nobody {
		if now.After(end) {
			delete(t.nobody, address)
		}
	}
	t.nobody[strings.TrimPrefix(m.Subject, t.replies)] = now.Add(nobodyTime)
}

// Send implements cluster.Transport. It fails while the connection is down.
func (t *transport) Send(address string, packet []byte) error {
	if !validTokens(address) {
		return fmt.Errorf("natscluster: address %q", address)
	}
	if len(packet) > cluster.MaxPacket {
		return fmt.Errorf("natscluster: a packet of %d bytes, at most %d are allowed", len(packet), cluster.MaxPacket)
	}
	if t.gone(address) {
		return cluster.ErrNobody
	}
	if err := t.nc.PublishRequest(t.names.node(address), t.replies+address, packet); err != nil {
		return fmt.Errorf("natscluster: cannot send: %w", err)
	}
	return nil
}

func (t *transport) gone(address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ok := t.nobody[address]
	if ok && time.Now().After(end) {
		delete(t.nobody, address)
		return false
	}
	return ok
}

// Listen implements cluster.Transport. The server of this connection knows of the listener when it returns; others hear of it
// soon after.
func (t *transport) Listen(address string, f func(packet []byte)) (stop func(), err error) {
	if !validTokens(address) {
		return nil, fmt.Errorf("natscluster: address %q", address)
	}
	var running sync.Mutex
	stopped := false
	sub, err := t.nc.Subscribe(t.names.node(address), func(m *nats.Msg) {
		running.Lock()
		defer running.Unlock()
		if !stopped {
			f(m.Data)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("natscluster: cannot listen: %w", err)
	}
	stop = func() {
		_ = sub.Unsubscribe() // fails when the connection is closed
		running.Lock()
		defer running.Unlock()
		stopped = true
	}
	if err := errors.Join(sub.SetPendingLimits(-1, pendingBytes), t.nc.FlushTimeout(joinTime)); err != nil {
		stop()
		return nil, fmt.Errorf("natscluster: cannot listen: %w", err)
	}
	t.mu.Lock()
	delete(t.nobody, address)
	t.mu.Unlock()
	return stop, nil
}
