package embed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/internal/freeport"
	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// onBoth runs a test with one server, and with three that keep each record.
func onBoth(t *testing.T, test func(t *testing.T, o natscluster.Options, replicas int)) {
	t.Run("one", func(t *testing.T) { test(t, start(t, embed.Options{}).Options(namespace), 1) })
	t.Run("three", func(t *testing.T) { test(t, onShared(t), 3) })
}

func TestWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		d := connect(t, o).Backplane.Directory
		first := mustWrite(t, d, cluster.Write{Key: "own.1", Value: []byte("a"), ID: "a"})
		second := mustWrite(t, d, cluster.Write{Key: "own.1", Value: []byte("b"), Last: first, ID: "b"})
		other := mustWrite(t, d, cluster.Write{Key: "node.x_y-Z", Value: nil, ID: "c"})
		if first == 0 || second <= first || other <= second {
			t.Errorf("revisions %d, %d, %d", first, second, other)
		}
		for _, last := range []uint64{0, first, other, other + 5} {
			_, err := d.Write(context20(t), cluster.Write{Key: "own.1", Last: last, ID: fmt.Sprint("d", last)})
			if err != cluster.ErrConflict {
				t.Errorf("a write that expects %d: %v", last, err)
			}
		}
		for _, w := range []cluster.Write{{Key: "a b", ID: "e"}, {Key: "a..b", ID: "e"}, {Key: "*", ID: "e"}, {Key: "a"}} {
			if _, err := d.Write(context20(t), w); err == nil || errors.Is(err, cluster.ErrConflict) {
				t.Errorf("%+v: %v", w, err)
			}
		}
		all := watch(t, d).until(t, "the zero record", has("", 0))
		if len(all) != 3 || all[0].Key != "own.1" || string(all[0].Value) != "b" || all[1].Key != "node.x_y-Z" {
			t.Errorf("the table is %v", all)
		}
	})
}

// TestWriteAgain repeats writes whose answers were lost. What the servers say to that depends on how many they are.
func TestWriteAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		d := connect(t, o).Backplane.Directory
		w := cluster.Write{Key: "node.a", Value: []byte("1"), ID: "a/1"}
		first := mustWrite(t, d, w)
		if again := mustWrite(t, d, w); again != first {
			t.Errorf("written again: revision %d, not %d", again, first)
		}
		next := cluster.Write{Key: "node.a", Value: []byte("2"), Last: first, ID: "a/2"}
		second := mustWrite(t, d, next)
		if again := mustWrite(t, d, next); again != second {
			t.Errorf("written again: revision %d, not %d", again, second)
		}
		if _, err := d.Write(context20(t), cluster.Write{Key: "node.a", Last: first, ID: "b/1"}); err != cluster.ErrConflict {
			t.Errorf("somebody else's write: %v", err)
		}
	})
}

// ack is the answer of a stream.
type ack struct {
	Seq       uint64
	Duplicate bool
	Error     struct {
		Code int `json:"err_code"`
	}
}

func publish(t *testing.T, nc *nats.Conn, subject, id, last string) (a ack) {
	t.Helper()
	m := nats.NewMsg(subject)
	m.Header.Set("Nats-Msg-Id", id)
	m.Header.Set("Nats-Expected-Last-Subject-Sequence", last)
	answer, err := nc.RequestMsgWithContext(context20(t), m)
	if err == nil {
		err = json.Unmarshal(answer.Data, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestServerAnswersToRepeatedWrites is what the directory must live with: one server without replicas answers a write that it has
// stored as if somebody else had been faster.
func TestServerAnswersToRepeatedWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, replicas int) {
		connect(t, o)
		nc := dial(t, o)
		subject := "wsg." + o.Namespace + ".d.node.a"
		first := publish(t, nc, subject, "a", "0")
		again := publish(t, nc, subject, "a", "0")
		if replicas == 1 && again.Error.Code != 10071 || replicas > 1 && (!again.Duplicate || again.Seq != first.Seq) {
			t.Errorf("%d replicas: %+v, then %+v", replicas, first, again)
		}
	})
}

// TestRenewalsOfKeysWithTimeHaveNone is why leases do not end by a time that the server keeps.
func TestRenewalsOfKeysWithTimeHaveNone(t *testing.T) {
	nc := dial(t, start(t, embed.Options{}).Options(namespace))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context20(t)
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "b", LimitMarkerTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	revision, err := kv.Create(ctx, "a", nil, jetstream.KeyTTL(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ttl := func() string {
		s, err := js.Stream(ctx, "KV_b")
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.GetLastMsgForSubject(ctx, "$KV.b.a")
		if err != nil {
			t.Fatal(err)
		}
		return m.Header.Get("Nats-TTL")
	}
	before := ttl()
	if _, err := kv.Update(ctx, "a", nil, revision); err != nil {
		t.Fatal(err)
	}
	if after := ttl(); before == "" || after != "" {
		t.Errorf("time to live %q before the update, %q after it", before, after)
	}
}

// TestOneOfTwoWrites lets two nodes write the same record again and again, while the server that leads the stream is shut
// down. Of each two writes one succeeds, and both watches see all of them in order.
func TestOneOfTwoWrites(t *testing.T) {
	c := startTrio(t, nil, nil)
	nodes := []*natscluster.Plane{connect(t, c.options()), connect(t, c.options())}
	seen := watch(t, nodes[0].Backplane.Directory)
	leader := c.leader(t, dial(t, c.options()))
	var last uint64
	var stopped sync.WaitGroup
	rounds, after := 0, 0
	down := make(chan struct{})
	for ; after < 20; rounds++ {
		if rounds == 20 {
			stopped.Go(func() { c.servers[leader].Close(); close(down) })
		}
		select {
		case <-down:
			after++
		default:
		}
		last = race(t, nodes, last, rounds)
	}
	stopped.Wait()
	inOrder(t, seen.until(t, "the last write", has("node.a", last)))
	t.Logf("%d rounds", rounds)
}

// race lets all nodes write a record at once and returns its new revision.
func race(t *testing.T, nodes []*natscluster.Plane, last uint64, round int) (won uint64) {
	t.Helper()
	revisions, errs := make([]uint64, len(nodes)), make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() {
			w := cluster.Write{Key: "node.a", Value: []byte{byte(i)}, Last: last, ID: fmt.Sprintf("%d/%d", i, round)}
			revisions[i], errs[i] = n.Backplane.Directory.Write(context20(t), w)
		})
	}
	all.Wait()
	for i, err := range errs {
		switch {
		case err == nil && won == 0:
			won = revisions[i]
		case err != cluster.ErrConflict:
			t.Fatalf("round %d: %v, %v", round, revisions, errs)
		}
	}
	if won <= last {
		t.Fatalf("round %d: %v, %v after %d", round, revisions, errs, last)
	}
	return won
}

// TestWatchOutlivesRestarts stops the only server and starts it again.
func TestWatchOutlivesRestarts(t *testing.T) {
	var ports freeport.Ports
	defer ports.Close()
	free, err := ports.Addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	o := embed.Options{Dir: t.TempDir(), Listen: free[0]}
	s := start(t, o)
	p := connect(t, natscluster.Options{URL: s.URL(), Namespace: namespace})
	d := p.Backplane.Directory
	empty := watch(t, d)
	empty.until(t, "that nothing is there", has("", 0))
	revisions := []uint64{mustWrite(t, d, cluster.Write{Key: "cfg", ID: "cfg"})}
	later := watch(t, d)
	later.until(t, "the zero record", has("", 0))
	for i := range 2 {
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err := d.Write(ctx, cluster.Write{Key: "node.a", ID: "lost"})
		if cancel(); err == nil || errors.Is(err, cluster.ErrConflict) {
			t.Errorf("a write without a server: %v", err)
		}
		s = start(t, o)
		revisions = append(revisions, mustWrite(t, d, cluster.Write{Key: fmt.Sprint("own.", i), ID: fmt.Sprint("own", i)}))
	}
	for _, r := range []*recorder{empty, later} {
		all := r.until(t, "the last write", has("own.1", revisions[2]))
		inOrder(t, all)
		if !has("cfg", revisions[0])(all) || !has("own.0", revisions[1])(all) {
			t.Errorf("a record is missing: %v", all)
		}
	}
}

func TestWatchOfMany(t *testing.T) {
	d := connect(t, start(t, embed.Options{}).Options(namespace)).Backplane.Directory
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 125 {
				mustWrite(t, d, cluster.Write{Key: fmt.Sprint("own.", w*125+i), Value: make([]byte, 200), ID: fmt.Sprint(w, "/", i)})
			}
		})
	}
	all.Wait()
	got := watch(t, d).until(t, "the zero record", has("", 0))
	if inOrder(t, got); len(got) != 1001 || got[1000].Revision != 0 {
		t.Errorf("%d records", len(got))
	}
}

func TestConnectRefuses(t *testing.T) {
	s := start(t, embed.Options{})
	js, err := jetstream.New(dial(t, s.Options("")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []jetstream.StreamConfig{
		{Name: "WSG_aged", Subjects: []string{"wsg.aged.d.>"}, MaxAge: time.Hour},
		{Name: "other", Subjects: []string{"wsg.taken.>"}},
	} {
		if _, err := js.CreateStream(context20(t), c); err != nil {
			t.Fatal(err)
		}
	}
	for want, o := range map[string]natscluster.Options{
		"max_age must be 0":     {Namespace: "aged"},
		"subjects overlap":      {Namespace: "taken"},
		"letters, digits":       {Namespace: "a.b"},
		"must be 1, 3 or 5":     {Namespace: "a", Replicas: 2},
		"cannot connect to tcp": {Namespace: "a", URL: "tcp://user:secret@127.0.0.1:1"},
	} {
		if o.Logger = quiet(); o.URL == "" {
			o.NATS = s.Options("").NATS
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		p, err := natscluster.Connect(ctx, o)
		if cancel(); err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v does not say %q", o, err, want)
		}
	}
}

func TestConnectAtTheSameTime(t *testing.T) {
	onBoth(t, func(t *testing.T, o natscluster.Options, _ int) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { connect(t, o) })
		}
		all.Wait()
	})
}
