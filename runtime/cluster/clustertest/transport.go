package clustertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Transport tests a transport; it listens at addresses as a Backplane without Address has them. No packet may be lost while the
// tests run: they do nothing that would make a transport lose some.
func Transport(t *testing.T, open func(t testing.TB) (a, b cluster.Transport)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a, b cluster.Transport)
	}{
		{"packets arrive in order, one at a time", packetsInOrder},
		{"packets of several senders arrive", packetsOfSeveral},
		{"packets of all sizes arrive", packetSizes},
		{"a packet is its receiver's", packetsAreKept},
		{"sending does not wait", sendingDoesNotWait},
		{"stop waits for the function", stopWaits},
		{"an address is free after stop", addressesAreFree},
		{"addresses are apart", addressesAreApart},
		{"nobody", nobody},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := open(t)
			test.run(t, a, b)
		})
	}
}

const hello = "hello?"

// listen collects the packets that arrive at an address, until the test ends. It returns when the others reach it.
func listen(t testing.TB, at cluster.Transport, address string, from ...cluster.Transport) *notes[[]byte] {
	t.Helper()
	var packets, hellos notes[[]byte]
	stop, err := at.Listen(address, func(p []byte) {
		packets.enter()
		defer packets.leave()
		if bytes.HasPrefix(p, []byte(hello)) {
			hellos.add(p)
		} else {
			packets.add(p)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for i, one := range from {
		mine := fmt.Sprint(hello, i)
		reach(t, one, address, mine, func() bool {
			return slices.ContainsFunc(hellos.get(), func(p []byte) bool { return string(p) == mine })
		})
	}
	return &packets
}

// reach sends packets until one has arrived: it may take a while until all know of a listener.
func reach(t testing.TB, from cluster.Transport, address, packet string, arrived func() bool) {
	t.Helper()
	eventually(t, "a packet reaches "+address, func() bool {
		if err := from.Send(address, []byte(packet)); err != nil && !errors.Is(err, cluster.ErrNobody) {
			t.Fatalf("send: %v", err)
		}
		for range 50 {
			if arrived() {
				return true
			}
			time.Sleep(time.Millisecond)
		}
		return false
	})
}

func mustSend(t testing.TB, from cluster.Transport, address string, packet []byte) {
	t.Helper()
	if err := from.Send(address, packet); err != nil {
		t.Errorf("send to %s: %v", address, err)
	}
}

func numbered(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }

// mustBeNumbered waits for packets 0 to n-1, in order.
func mustBeNumbered(t testing.TB, packets *notes[[]byte], n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " packets arrive"), func() bool { return len(packets.get()) >= n })
	for i, p := range packets.get() {
		if int(binary.BigEndian.Uint32(p)) != i {
			t.Fatalf("packet %d is %d", i, binary.BigEndian.Uint32(p))
		}
	}
	packets.mustNotOverlap(t)
}

func packetsInOrder(t *testing.T, a, b cluster.Transport) {
	atA, atB := listen(t, a, "a.1", b), listen(t, b, "b.2", a)
	self := listen(t, a, "a.3", a)
	const n = 1000
	for i := range n {
		mustSend(t, a, "b.2", numbered(i))
		mustSend(t, b, "a.1", numbered(i))
		mustSend(t, a, "a.3", numbered(i))
	}
	mustBeNumbered(t, atA, n)
	mustBeNumbered(t, atB, n)
	mustBeNumbered(t, self, n)
}

func packetsOfSeveral(t *testing.T, a, b cluster.Transport) {
	at := listen(t, b, "b.2", a, b)
	var all sync.WaitGroup
	const n = 200
	for sender := range 4 {
		all.Go(func() {
			for i := range n {
				mustSend(t, []cluster.Transport{a, b}[sender%2], "b.2", []byte{byte(sender), byte(i)})
			}
		})
	}
	all.Wait()
	eventually(t, "all packets arrive", func() bool { return len(at.get()) >= 4*n })
	var next [4]byte
	for _, p := range at.get() {
		if p[1] != next[p[0]] {
			t.Fatalf("packet %d of sender %d is %d", next[p[0]], p[0], p[1])
		}
		next[p[0]]++
	}
	at.mustNotOverlap(t)
}

func packetSizes(t *testing.T, a, b cluster.Transport) {
	at := listen(t, b, "b.2", a)
	var sent [][]byte
	for _, size := range []int{1, 100, 64 << 10, 256 << 10, cluster.MaxPacket} {
		p := bytes.Repeat([]byte{0, 1, 254, 255, '\n'}, size/5+1)[:size]
		sent = append(sent, p)
		mustSend(t, a, "b.2", p)
	}
	eventually(t, "all packets arrive", func() bool { return len(at.get()) >= len(sent) })
	for i, p := range at.get() {
		if !bytes.Equal(p, sent[i]) {
			t.Errorf("a packet of %d bytes has changed, or has %d", len(sent[i]), len(p))
		}
	}
}

// packetsAreKept: the sender goes on with its buffer at once, and the receiver keeps what it gets, and changes it.
func packetsAreKept(t *testing.T, a, b cluster.Transport) {
	at := listen(t, b, "b.2", a)
	buffer := make([]byte, 1000)
	for i := range 100 {
		copy(buffer, numbered(i))
		buffer = buffer[:4+i]
		mustSend(t, a, "b.2", buffer)
		clear(buffer)
	}
	mustBeNumbered(t, at, 100)
	for i, p := range at.get() {
		if len(p) != 4+i {
			t.Errorf("packet %d has %d bytes", i, len(p))
		}
		p = append(p, "changed"...)
		clear(p)
	}
	mustSend(t, a, "b.2", numbered(1))
	eventually(t, "one more packet", func() bool { return len(at.get()) == 101 })
}

func sendingDoesNotWait(t *testing.T, a, b cluster.Transport) {
	listen(t, b, "b.1", a) // knows that packets get there
	release, entered := make(chan struct{}), make(chan struct{}, 10000)
	stop, err := b.Listen("b.2", func([]byte) { entered <- struct{}{}; <-release })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	defer close(release)
	reach(t, a, "b.2", hello, func() bool { return len(entered) > 0 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 1000 {
			mustSend(t, a, "b.2", make([]byte, 1000))
		}
	}()
	within(t, "sending to one who does not receive", done)
}

func stopWaits(t *testing.T, a, b cluster.Transport) {
	entered, release := make(chan struct{}, 10000), make(chan struct{})
	var running atomic.Int32
	stop, err := b.Listen("b.2", func([]byte) {
		running.Add(1)
		defer running.Add(-1)
		entered <- struct{}{}
		<-release
	})
	if err != nil {
		t.Fatal(err)
	}
	reach(t, a, "b.2", hello, func() bool { return len(entered) > 0 })
	mustSend(t, a, "b.2", []byte("one that waits"))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
		if running.Load() != 0 {
			t.Error("the function runs after stop")
		}
	}()
	select {
	case <-stopped:
		t.Error("stop returns while the function runs")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	within(t, "stop", stopped)
	calls := len(entered)
	_ = a.Send("b.2", []byte("too late"))
	time.Sleep(50 * time.Millisecond)
	if len(entered) != calls {
		t.Error("the function is called after stop")
	}
}

func addressesAreFree(t *testing.T, a, b cluster.Transport) {
	for i := range 5 {
		at, from := b, a
		if i%2 == 1 {
			at, from = a, b
		}
		arrived := make(chan struct{}, 10000)
		stop, err := at.Listen("b.2", func([]byte) { arrived <- struct{}{} })
		if err != nil {
			t.Fatal(err)
		}
		reach(t, from, "b.2", hello, func() bool { return len(arrived) > 0 })
		stop()
	}
}

func addressesAreApart(t *testing.T, a, b cluster.Transport) {
	one, other := listen(t, b, "b.1", a), listen(t, b, "b.12", a)
	third := listen(t, a, "a.1", a)
	for i := range 10 {
		mustSend(t, a, "b.1", numbered(i))
	}
	mustBeNumbered(t, one, 10)
	mustSend(t, a, "b.12", numbered(0))
	mustSend(t, a, "a.1", numbered(0))
	mustBeNumbered(t, other, 1)
	mustBeNumbered(t, third, 1)
}

// nobody: ErrNobody is returned or not, but never when somebody listens of whom the sender knows.
func nobody(t *testing.T, a, b cluster.Transport) {
	for range 10 {
		if err := a.Send("b.2", []byte(hello)); err != nil && !errors.Is(err, cluster.ErrNobody) {
			t.Errorf("send to nobody: %v", err)
		}
	}
	at := listen(t, b, "b.2", a)
	for i := range 10 {
		mustSend(t, a, "b.2", numbered(i))
	}
	mustBeNumbered(t, at, 10)
}
