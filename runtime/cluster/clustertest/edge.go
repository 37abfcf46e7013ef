package clustertest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Edge tests an edge; call makes a call as a program does that is no node.
func Edge(t *testing.T,
	open func(t testing.TB) (a, b cluster.Edge, call func(ctx context.Context, call []byte) ([]byte, error))) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a, b cluster.Edge, call caller)
	}{
		{"each call is taken once", callsAreTakenOnce},
		{"calls are taken concurrently", callsAreConcurrent},
		{"a call that nobody takes fails", callsToNobody},
		{"calls go to who still serves", callsAfterStop},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b, call := open(t)
			test.run(t, a, b, call)
		})
	}
}

type caller = func(ctx context.Context, call []byte) ([]byte, error)

// serve serves calls until the test ends, and returns when some are answered by f.
func serve(t testing.TB, e cluster.Edge, f func(ctx context.Context, call []byte) []byte) (stop func()) {
	t.Helper()
	stop, err := e.Serve(f)
	if err != nil {
		t.Fatal(err)
	}
	once := sync.OnceFunc(stop)
	t.Cleanup(once)
	return once
}

// reachEdge makes calls until one is answered as it should be.
func reachEdge(t testing.TB, call caller, answered func(answer []byte) bool) {
	t.Helper()
	eventually(t, "a call is answered", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		answer, err := call(ctx, []byte(hello))
		return err == nil && answered(answer)
	})
}

func always([]byte) bool { return true }

func callsAreTakenOnce(t *testing.T, a, b cluster.Edge, call caller) {
	var taken atomic.Int32
	answer := func(_ context.Context, call []byte) []byte {
		if string(call) != hello {
			taken.Add(1)
		}
		return append([]byte("answer to "), call...)
	}
	serve(t, a, answer)
	serve(t, b, answer)
	reachEdge(t, call, always)
	const n = 50
	for i := range n {
		c := append([]byte(fmt.Sprint(i)), bytes.Repeat([]byte{0, '\n', 255}, i*1000)...)
		got, err := call(start(t), c)
		if err != nil || !bytes.Equal(got, append([]byte("answer to "), c...)) {
			t.Errorf("call %d: %d bytes, %v", i, len(got), err)
		}
	}
	if taken.Load() != n {
		t.Errorf("%d calls were taken %d times", n, taken.Load())
	}
}

func callsAreConcurrent(t *testing.T, a, _ cluster.Edge, call caller) {
	const n = 8
	var together sync.WaitGroup
	together.Add(n)
	serve(t, a, func(_ context.Context, call []byte) []byte {
		if string(call) != hello {
			together.Done()
			together.Wait()
		}
		return call
	})
	reachEdge(t, call, always)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				if _, err := call(start(t), []byte("together")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}()
	within(t, "calls that wait for each other", done)
}

func callsToNobody(t *testing.T, _, _ cluster.Edge, call caller) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if answer, err := call(ctx, []byte(hello)); err == nil {
		t.Errorf("nobody answers %q", answer)
	}
}

func callsAfterStop(t *testing.T, a, b cluster.Edge, call caller) {
	var afterStop atomic.Bool
	var late atomic.Int32
	stop := serve(t, a, func(context.Context, []byte) []byte {
		if afterStop.Load() {
			late.Add(1)
		}
		return []byte("a")
	})
	reachEdge(t, call, always)
	serve(t, b, func(context.Context, []byte) []byte { return []byte("b") })
	reachEdge(t, call, func(answer []byte) bool { return string(answer) == "b" })
	stop()
	afterStop.Store(true)
	reachEdge(t, call, always) // one may have been on its way to a
	for range 20 {
		if answer, err := call(start(t), []byte("call")); err != nil || string(answer) != "b" {
			t.Errorf("the one who still serves answers %q, %v", answer, err)
		}
	}
	if late.Load() != 0 {
		t.Errorf("%d calls came after stop", late.Load())
	}
}
