package natscluster

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/runtime/cluster"
)

const (
	// pendingBytes is how much may wait for a listener; what is over it is lost.
	pendingBytes = 256 << 20
	// joinTime is how long it may take until the server knows of a subscription.
	joinTime = 5 * time.Second
)

// transport sends packets as messages of core NATS. It never says cluster.ErrNobody: a server could tell that nobody listened to
// a packet, but its answer comes after Send has returned, and is hearsay where the listener is at another server.
type transport struct {
	nc    *nats.Conn
	names names
}

// Send implements cluster.Transport. It fails while the connection is down.
func (t *transport) Send(address string, packet []byte) error {
	if !validTokens(address) {
		return fmt.Errorf("natscluster: address %q", address)
	}
	if len(packet) > cluster.MaxPacket {
		return fmt.Errorf("natscluster: a packet of %d bytes, at most %d are allowed", len(packet), cluster.MaxPacket)
	}
	if err := t.nc.Publish(t.names.node(address), packet); err != nil {
		return fmt.Errorf("natscluster: cannot send: %w", err)
	}
	return nil
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
	return stop, nil
}
