package hub_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
	"github.com/wsgen/wsgen/runtime/internal/socket/sockettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryMember is a member whose wire is in memory, and what it should have got.
type memoryMember struct {
	*hub.Member
	conn   *sockettest.Conn
	groups map[int]bool
	gone   bool
	want   []string
}

func addMember(t testing.TB, set *hub.Set, room int, o socket.Options) *memoryMember {
	t.Helper()
	conn := sockettest.NewConn(room)
	s, err := sockettest.Accept(conn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Abort)
	return &memoryMember{Member: set.Add(s), conn: conn, groups: map[int]bool{}}
}

// got returns the text messages on the wire.
func (m *memoryMember) got(t testing.TB) []string {
	t.Helper()
	var texts []string
	for r := bytes.NewReader(m.conn.Written()); r.Len() > 0; {
		first, payload, err := sockettest.ReadFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == sockettest.Final|sockettest.Text {
			texts = append(texts, string(payload))
		}
	}
	return texts
}

// FuzzOrder does joins, leaves, publishes, sends and removals in any order, and compares what each member gets with a model
// that does them one after the other.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 0, 0, 3, 1, 0, 1, 0, 0, 2, 0, 9})
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		ops := make([]byte, 900)
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		f.Add(ops)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		clk := clock.NewFake(time.Unix(1e9, 0))
		set := hub.New(hub.Options{Hubs: 3, Clock: clk})
		defer set.Close()
		members := make([]*memoryMember, 8)
		for i := range members {
			members[i] = addMember(t, set, -1, socket.Options{Clock: clk})
		}
		groups := make([]map[*hub.Hub]*hub.Group, 3)
		for i := range groups {
			groups[i] = map[*hub.Hub]*hub.Group{}
			set.Each(func(h *hub.Hub) { groups[i][h] = h.NewGroup() })
		}
		for i := 0; i+2 < len(ops); i += 3 {
			apply(ops[i], members[int(ops[i+1])%len(members)], int(ops[i+2])%len(groups), fmt.Sprint("message ", i), members, groups)
		}
		set.Sync()
		for i, m := range members {
			if got := m.got(t); !slices.Equal(got, m.want) {
				t.Fatalf("member %d got %q, want %q", i, got, m.want)
			}
			m.Remove()
			m.Hub().Do(func() {
				if m.Groups() != 0 {
					t.Errorf("a removed member is in %d groups", m.Groups())
				}
			})
		}
		for _, perHub := range groups {
			for h, g := range perHub {
				h.Do(func() {
					if h.Members() != 0 || g.Members() != 0 {
						t.Errorf("%d members and %d of a group are left", h.Members(), g.Members())
					}
				})
			}
		}
		set.Sync()
	})
}

// apply does one operation on hubs and on the model.
func apply(op byte, m *memoryMember, group int, text string, all []*memoryMember, groups []map[*hub.Hub]*hub.Group) {
	f := socket.NewText([]byte(text), socket.Reliable, "")
	switch op % 8 {
	case 0, 1:
		groups[group][m.Hub()].Join(m.Member)
		m.groups[group] = !m.gone
	case 2:
		groups[group][m.Hub()].Leave(m.Member)
		m.groups[group] = false
	case 3:
		m.Send(f)
		if !m.gone {
			m.want = append(m.want, text)
		}
	case 4:
		if op > 200 {
			m.Remove()
			m.gone = true
			clear(m.groups)
		}
	default:
		var except *hub.Member
		if op%2 == 0 {
			except = m.Member
		}
		for _, g := range groups[group] {
			g.Publish(f, except)
		}
		for _, o := range all {
			if o.groups[group] && o.Member != except {
				o.want = append(o.want, text)
			}
		}
	}
}

// TestEachPosterKeepsItsOrder has many rooms post at the same time, while members come and go.
func TestEachPosterKeepsItsOrder(t *testing.T) {
	set := hub.New(hub.Options{Hubs: 2})
	defer set.Close()
	const posters, rounds = 8, 500
	var wg sync.WaitGroup
	for p := range posters {
		steady := addMember(t, set, -1, socket.Options{})
		g := steady.Hub().NewGroup()
		g.Join(steady.Member)
		wg.Go(func() {
			for i := range rounds {
				passing := addMember(t, set, -1, socket.Options{})
				g.Join(passing.Member) // only if it is on the same hub
				g.Publish(text(fmt.Sprint(p, " ", i)), passing.Member)
				steady.Send(text("sent"))
				passing.Remove()
			}
		})
		defer func() {
			got := steady.got(t)
			if len(got) != 2*rounds {
				t.Errorf("poster %d: %d messages, want %d", p, len(got), 2*rounds)
				return
			}
			for i := range rounds {
				if got[2*i] != fmt.Sprint(p, " ", i) || got[2*i+1] != "sent" {
					t.Fatalf("poster %d, round %d: got %q and %q", p, i, got[2*i], got[2*i+1])
				}
			}
		}()
	}
	wg.Wait()
	set.Sync()
}

// TestLargeGroupsKeepTheirOrder has so many members that several cores write.
func TestLargeGroupsKeepTheirOrder(t *testing.T) {
	set := hub.New(hub.Options{Hubs: 1})
	defer set.Close()
	members := make([]*memoryMember, 1500)
	var g *hub.Group
	for i := range members {
		members[i] = addMember(t, set, -1, socket.Options{})
		if g == nil {
			g = members[i].Hub().NewGroup()
		}
		g.Join(members[i].Member)
	}
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint(i))
		g.Publish(text(want[i]), nil)
	}
	set.Sync()
	for i, m := range members {
		if got := m.got(t); !slices.Equal(got, want) {
			t.Fatalf("member %d got %q", i, got)
		}
	}
}
