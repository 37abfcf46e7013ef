package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wsgen/wsgen/internal/clustercheck"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

// A fault breaks something and returns what mends it, after a time; nil: it mends itself, or cannot be now.
type fault struct {
	weight int
	begin  func(m *model) (what string, mend func())
}

var faults = []fault{
	{3, badNetwork}, {3, cut}, {2, cutOneWay}, {4, directory}, {1, latency}, {3, stopped}, {2, frozen}, {2, crash}, {3, drain}, {2, isolate},
}

// breakThings breaks one thing after the other, for a while, and mends all.
func (m *model) breakThings(d time.Duration, calm bool) {
	type repair struct {
		at   time.Time
		mend func()
		what string
	}
	var repairs []repair
	mend := func(due time.Time) {
		repairs = slices.DeleteFunc(repairs, func(r repair) bool {
			if r.at.After(due) {
				return false
			}
			r.mend()
			m.note("mended: " + r.what)
			return true
		})
	}
	end := time.Now().Add(d)
	next := time.Now()
	for now := time.Now(); now.Before(end); now = time.Now() {
		mend(now)
		if !now.Before(next) && !(calm && len(repairs) > 0) {
			what, f := m.fault().begin(m)
			if what != "" {
				m.note(what)
			}
			if f != nil {
				repairs = append(repairs, repair{now.Add(m.upTo(25 * time.Second)), f, what})
			}
			next = now.Add(m.upTo(8 * time.Second))
		}
		wake := next
		if calm && len(repairs) > 0 {
			wake = repairs[0].at
		}
		for _, r := range repairs {
			if r.at.Before(wake) {
				wake = r.at
			}
		}
		time.Sleep(min(time.Until(wake), time.Until(end)))
	}
	mend(end.Add(time.Hour))
	m.note("all is well")
}

func (m *model) note(what string) {
	m.log(clustercheck.Record{Kind: clustercheck.Fault, Note: what})
}

// fault picks one.
func (m *model) fault() fault {
	sum := 0
	for _, f := range faults {
		sum += f.weight
	}
	i := 0
	for at := m.random.IntN(sum) - faults[i].weight; at >= 0; at -= faults[i].weight {
		i++
	}
	return faults[i]
}

func (m *model) upTo(d time.Duration) time.Duration {
	return time.Duration(m.random.Int64N(int64(d))) + 100*time.Millisecond
}

// some returns a node that runs; nil when there are fewer than least.
func (m *model) some(least int) *node {
	list := m.live()
	if len(list) < max(least, 1) {
		return nil
	}
	return list[m.random.IntN(len(list))]
}

func badNetwork(m *model) (string, func()) {
	t := memory.Traffic{Seed: m.random.Uint64(), Delay: m.upTo(50 * time.Millisecond), Jitter: m.upTo(100 * time.Millisecond), LateBy: m.upTo(3 * time.Second)}
	switch m.random.IntN(3) {
	case 0:
		t.Loss, t.Duplicate, t.Late = 0.3*m.random.Float64(), 0.1, 0.1
	case 1:
		t.Duplicate, t.Late = 0.5*m.random.Float64(), 0.3*m.random.Float64()
	default:
		t.Loss = m.random.Float64()
	}
	m.memory.SetTraffic(t)
	return fmt.Sprintf("traffic %+v", t), func() { m.memory.SetTraffic(memory.Traffic{}) }
}

func cut(m *model) (string, func()) {
	a, b := names[m.random.IntN(3)], names[m.random.IntN(5)]
	m.memory.Cut(a, b)
	return "cut " + a + " " + b, func() { m.memory.Heal(a, b) }
}

func cutOneWay(m *model) (string, func()) {
	a, b := names[m.random.IntN(5)], names[m.random.IntN(3)]
	m.memory.CutOneWay(a, b)
	return "cut one way " + a + " " + b, func() { m.memory.Heal(a, b) }
}

// isolate cuts one node off from all others, and from the directory.
func isolate(m *model) (string, func()) {
	n := m.some(2)
	if n == nil {
		return "", nil
	}
	for _, other := range names {
		m.memory.Cut(n.name, other)
	}
	m.memory.SetDirectory(memory.Unreachable, n.name)
	return "isolate " + n.name, func() {
		for _, other := range names {
			m.memory.Heal(n.name, other)
		}
		m.memory.SetDirectory(memory.Works, n.name)
	}
}

func directory(m *model) (string, func()) {
	f := []memory.Fault{memory.Unreachable, memory.LostAcks, memory.Held, memory.Blind}[m.random.IntN(4)]
	if m.random.IntN(3) == 0 {
		m.memory.SetDirectory(f)
		return fmt.Sprint("directory of all ", f), func() { m.memory.SetDirectory(memory.Works) }
	}
	n := m.some(1)
	if n == nil {
		return "", nil
	}
	m.memory.SetDirectory(f, n.name)
	return fmt.Sprint("directory of ", n.name, " ", f), func() { m.memory.SetDirectory(memory.Works, n.name) }
}

func latency(m *model) (string, func()) {
	calls, watches := m.upTo(3*time.Second), m.upTo(3*time.Second)
	m.memory.SetLatency(calls, watches)
	return fmt.Sprint("latency ", calls, watches), func() { m.memory.SetLatency(0, 0) }
}

// stopped stops what a node exchanges with others. Its own clock goes on, and its own connections: it learns by the clock that it may not
// act any more.
func stopped(m *model) (string, func()) {
	n := m.some(2)
	if n == nil {
		return "", nil
	}
	m.memory.Pause(n.name)
	return "stop " + n.name, func() { m.memory.Resume(n.name) }
}

// frozen is stopped, and the handlers stand still in the middle of a message as well.
func frozen(m *model) (string, func()) {
	n := m.some(2)
	if n == nil {
		return "", nil
	}
	m.memory.Pause(n.name)
	n.freeze()
	return "freeze " + n.name, func() {
		m.memory.Resume(n.name)
		n.thaw()
	}
}

func crash(m *model) (string, func()) {
	n := m.some(2)
	if n == nil {
		return "", nil
	}
	m.take(n.name)
	n.log(clustercheck.Record{Kind: "crash"})
	n.crash()
	return "crash " + n.name, func() { m.launch(n.name) }
}

// drain takes a node out of service as its operator does, and starts it again.
func drain(m *model) (string, func()) {
	n := m.some(2)
	if n == nil {
		return "", nil
	}
	m.take(n.name)
	m.pending.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), m.drainTime())
		defer cancel()
		_ = n.srv.Drain(ctx) // what breaks at the same time may keep it from that
		n.log(clustercheck.Record{Kind: "drained"})
		m.launch(n.name)
	})
	return "drain " + n.name, nil
}

// drainTime is how long an operator waits.
func (m *model) drainTime() time.Duration {
	return time.Duration(5+rand.IntN(30)) * time.Second
}
