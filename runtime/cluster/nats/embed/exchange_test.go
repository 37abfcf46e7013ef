package embed_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// receive returns a packet that arrives.
func receive(t *testing.T, from <-chan []byte) []byte {
	t.Helper()
	select {
	case p := <-from:
		return p
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrives")
		return nil
	}
}

func TestTransport(t *testing.T) {
	o := onShared(t)
	a, b := connect(t, o).Backplane.Transport, connect(t, o).Backplane.Transport
	got := make(chan []byte, 1000)
	stop, err := a.Listen("a.1f", func(p []byte) { got <- p })
	if err != nil {
		t.Fatal(err)
	}
	// Servers tell each other of the listener soon; until then packets are lost.
	for arrived := false; !arrived; {
		if err := b.Send("a.1f", []byte("hello")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
			arrived = true
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := b.Send("a.1f", []byte("begin")); err != nil {
		t.Fatal(err)
	}
	for string(receive(t, got)) != "begin" { // some more hellos
	}
	packet := make([]byte, cluster.MaxPacket)
	for i := range uint32(200) {
		size := 4
		if i%50 == 0 {
			size = len(packet)
		}
		binary.BigEndian.PutUint32(packet, i)
		if err := b.Send("a.1f", packet[:size]); err != nil {
			t.Fatal(err)
		}
		clear(packet[:4]) // it is not kept
	}
	for i := range uint32(200) {
		if p := receive(t, got); binary.BigEndian.Uint32(p) != i {
			t.Fatalf("packet %d is %.10x", i, p)
		}
	}
	if stop(); len(got) > 0 {
		t.Errorf("%d more packets", len(got))
	}
	if err := b.Send("a.1f", make([]byte, cluster.MaxPacket+1)); err == nil {
		t.Errorf("too large a packet: %v", err)
	}
	for _, address := range []string{"", "a.*", "a b", ">"} {
		_, err := a.Listen(address, func([]byte) {})
		if err == nil || b.Send(address, nil) == nil {
			t.Errorf("%q is an address", address)
		}
	}
}

func TestStopWaitsForTheListener(t *testing.T) {
	tr := connect(t, start(t, embed.Options{}).Options(namespace)).Backplane.Transport
	running, release := make(chan struct{}), make(chan struct{})
	var done bool
	stop, err := tr.Listen("a.1", func([]byte) {
		close(running)
		<-release
		done = true
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Send("a.1", nil); err != nil {
		t.Fatal(err)
	}
	<-running
	time.AfterFunc(10*time.Millisecond, func() { close(release) })
	if stop(); !done {
		t.Error("it still runs")
	}
}

func TestEdge(t *testing.T) {
	s := start(t, embed.Options{})
	caller := natscluster.NewCaller(dial(t, s.Options(namespace)), namespace)
	if _, err := caller.Call(context20(t), nil); !errors.Is(err, cluster.ErrNobody) {
		t.Errorf("a call without nodes: %v", err)
	}
	var mu sync.Mutex
	calls := 0
	waits, ended, release := make(chan struct{}), make(chan error, 1), make(chan struct{})
	for range 2 {
		stop, err := connect(t, s.Options(namespace)).Backplane.Edge.Serve(func(ctx context.Context, call []byte) []byte {
			mu.Lock()
			calls++
			mu.Unlock()
			switch string(call) {
			case "wait":
				close(waits)
				<-ctx.Done()
				ended <- ctx.Err()
				<-release // the caller's own time ends a moment later
			case "much":
				return make([]byte, 2<<20)
			}
			return append([]byte("got "), call...)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if answer, err := caller.Call(context20(t), []byte("x")); err != nil || string(answer) != "got x" {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
	if all.Wait(); calls != 20 {
		t.Errorf("%d calls for 20", calls)
	}
	for _, call := range [][]byte{[]byte("much"), make([]byte, 2<<20)} {
		if _, err := caller.Call(context20(t), call); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("too much: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := caller.Call(ctx, []byte("wait")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that takes long: %v", err)
	}
	close(release)
	<-waits
	if err := <-ended; err == nil {
		t.Error("the node works on")
	}
}

// TestSmallPayloads refuses a server that would not take the largest packet.
func TestSmallPayloads(t *testing.T) {
	s := start(t, embed.Options{Configure: func(c *server.Options) { c.MaxPayload = 64 << 10 }})
	o := s.Options(namespace)
	o.Logger = quiet()
	if p, err := natscluster.Connect(context20(t), o); err == nil {
		p.Close()
		t.Error("it connects")
	}
}
