package cluster_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
)

var linkSeed = flag.Uint64("linkseed", 0, "run the model of links with this seed only")

// TestLinksKeepTheirWord has nodes send while the network does what it likes. Each frame carries how many resets its sender had
// been told of, and its number since then. What arrives of a sender must be frames 0, 1, 2 and so on of one such age; after
// those of another age only when the receiver was told of a reset in between; and never again after one.
func TestLinksKeepTheirWord(t *testing.T) {
	first, last := *linkSeed, *linkSeed
	if first == 0 {
		first, last = 1, 150
	}
	for seed := first; seed <= last && !t.Failed(); seed++ {
		t.Run(fmt.Sprint("linkseed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runLinkModel(t, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

// modelNode is a node of the model.
type modelNode struct {
	t     *testing.T
	links cluster.TestLinks
	self  cluster.Peer

	mu    sync.Mutex
	rand  *rand.Rand // of what handlers do
	peers map[cluster.Peer]*modelPeer
	calm  bool // handlers are fast, and send nothing
}

// modelPeer is what a node knows of another one.
type modelPeer struct {
	calls int // of the handler that are running

	age, sent uint32 // of what is sent

	heard          bool
	heardAge, next uint32
	told           bool // of a reset, since the last frame
	resets         int
	last           uint32 // the mark that came last
}

const calmMark = 1 << 31 // in the age of frames that are sent when all is well

func runLinkModel(t *testing.T, r *rand.Rand) {
	c := memory.New(clock.Real{})
	limits := cluster.LinkLimits{Frames: 16 << r.IntN(8), Packet: 1400}
	var nodes []*modelNode
	for i := range 2 + r.IntN(2) {
		nodes = append(nodes, newModelNode(t, c, i, 1, limits, r.Uint64()))
	}
	defer func() {
		for _, n := range nodes {
			n.links.Close()
		}
	}()
	for range 60 {
		a, b := r.IntN(len(nodes)), r.IntN(len(nodes))
		names := [2]string{nodes[a].self.Node, nodes[b].self.Node}
		switch r.IntN(16) {
		case 0:
			c.Cut(names[0], names[1])
		case 1:
			c.CutOneWay(names[0], names[1])
		case 2, 3:
			c.HealAll()
		case 4:
			c.SetTraffic(memory.Traffic{Loss: r.Float64() / 2, Duplicate: r.Float64() / 5, Late: r.Float64() / 5,
				LateBy: time.Duration(r.IntN(20000)) * time.Millisecond, Delay: time.Duration(r.IntN(50)) * time.Millisecond,
				Jitter: time.Duration(r.IntN(50)) * time.Millisecond, Seed: r.Uint64()})
		case 5:
			c.SetTraffic(memory.Traffic{})
		case 6:
			time.Sleep(time.Duration(r.IntN(20000)) * time.Millisecond)
		case 7:
			if r.IntN(4) == 0 { // starts again
				nodes[a].links.Close()
				old := nodes[a].self
				nodes[a] = newModelNode(t, c, a, old.Incarnation>>8+1, limits, r.Uint64())
				for i, n := range nodes {
					if i != a {
						n.links.Forget(old)
					}
				}
			}
		case 8, 9, 10:
			time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
		default:
			for range r.IntN(40) {
				synctest.Wait() // no handler is about to be told of a reset
				nodes[a].send(nodes[b].self, r.IntN(3) == 0, 0)
			}
		}
	}
	c.HealAll()
	c.SetTraffic(memory.Traffic{})
	mustBeCalm(t, nodes)
}

// mustBeCalm lets all come to rest, and has what is sent then arrive, without a reset.
func mustBeCalm(t *testing.T, nodes []*modelNode) {
	for _, n := range nodes {
		n.mu.Lock()
		n.calm = true
		n.mu.Unlock()
	}
	time.Sleep(time.Minute)
	before := countResets(nodes)
	for range 3 {
		for _, n := range nodes {
			for _, to := range nodes {
				if to != n {
					n.send(to.self, false, calmMark)
				}
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
	}
	if after := countResets(nodes); after != before {
		t.Errorf("%d resets after all was well", after-before)
	}
	for _, n := range nodes {
		for _, from := range nodes {
			if from != n && n.peer(from.self).last != 3 {
				t.Errorf("%v got %d of 3 frames of %v", n.self, n.peer(from.self).last, from.self)
			}
			if s := n.links.Stats(from.self); from != n && s.Frames != 0 {
				t.Errorf("%v waits for %v: %+v", n.self, from.self, s)
			}
		}
	}
}

func countResets(nodes []*modelNode) (sum int) {
	for _, n := range nodes {
		n.mu.Lock()
		for _, p := range n.peers {
			sum += p.resets
		}
		n.mu.Unlock()
	}
	return sum
}

func newModelNode(t *testing.T, c *memory.Cluster, i int, start uint64, limits cluster.LinkLimits, seed uint64) *modelNode {
	name := string(rune('a' + i))
	incarnation := start<<8 | uint64(i)
	n := &modelNode{t: t, self: cluster.Peer{Node: name, Incarnation: incarnation, Address: fmt.Sprintf("%s.%x", name, incarnation)},
		rand: rand.New(rand.NewPCG(seed, 3)), peers: make(map[cluster.Peer]*modelPeer)}
	n.links = cluster.NewTestLinks(n.self, c.Node(name).Transport, clock.Real{}, limits, n.receive, n.reset)
	if err := n.links.Listen(); err != nil {
		t.Fatal(err)
	}
	return n
}

// peer finds what is known of a peer; the lock need not be held for what only handlers change.
func (n *modelNode) peer(p cluster.Peer) *modelPeer {
	if n.peers[p] == nil {
		n.peers[p] = new(modelPeer)
	}
	return n.peers[p]
}

// send sends a frame to a peer.
func (n *modelNode) send(to cluster.Peer, always bool, mark uint32) {
	if to == n.self {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peer(to)
	frame := binary.BigEndian.AppendUint32(nil, p.age)
	frame = binary.BigEndian.AppendUint32(frame, p.sent)
	frame = binary.BigEndian.AppendUint32(frame, mark)
	if n.rand.IntN(4) == 0 {
		frame = append(frame, make([]byte, n.rand.IntN(5000))...)
	}
	send := n.links.Send
	if always {
		send = n.links.SendAlways
	}
	if send(to, frame) == nil {
		p.sent++
	}
}

func (n *modelNode) receive(from cluster.Peer, frame []byte) {
	p, calm := n.enter(from)
	defer n.leave(p)
	age, number, mark := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:]), binary.BigEndian.Uint32(frame[8:])
	switch {
	case !p.heard && number == 0,
		p.heard && age == p.heardAge && number == p.next && !p.told,
		p.heard && age > p.heardAge && number == 0 && p.told:
	default:
		n.t.Errorf("%v got frame %d of age %d from %v; before: %+v", n.self, number, age, from, *p)
	}
	p.heard, p.told, p.heardAge, p.next = true, false, age, number+1
	if mark == calmMark {
		p.last++
	}
	n.act(from, calm)
}

func (n *modelNode) reset(peer cluster.Peer) {
	p, calm := n.enter(peer)
	defer n.leave(p)
	n.mu.Lock()
	p.age++
	p.sent = 0
	p.resets++
	p.told = true
	n.mu.Unlock()
	n.act(peer, calm)
}

// act answers, or takes its time.
func (n *modelNode) act(peer cluster.Peer, calm bool) {
	n.mu.Lock()
	what, pause := n.rand.IntN(30), time.Duration(n.rand.IntN(10000))*time.Millisecond
	n.mu.Unlock()
	switch {
	case calm:
	case what < 10:
		n.send(peer, what < 3, 0)
	case what == 10:
		time.Sleep(pause)
	}
}

// enter and leave find calls of the handler that overlap.
func (n *modelNode) enter(peer cluster.Peer) (p *modelPeer, calm bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p = n.peer(peer)
	if p.calls++; p.calls > 1 {
		n.t.Errorf("%v: the handler is called twice at once for %v", n.self, peer)
	}
	return p, n.calm
}

func (n *modelNode) leave(p *modelPeer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p.calls--
}
