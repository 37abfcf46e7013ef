package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// serveDebug serves what a server shows to operators.
func serveDebug(t *testing.T, d wsrt.Debug) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if top := r.URL.Query().Get("top"); top != "3" {
			t.Errorf("top is %q", top)
		}
		_ = json.NewEncoder(w).Encode(d)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/debug/wsgen"
}

// inCluster is a server whose cluster has lost a node.
func inCluster() wsrt.Debug {
	hot := func(topic string, n uint64) cluster.Load {
		return cluster.Load{Connections: 7, Rooms: 2, Hottest: []cluster.RoomLoad{{Topic: topic, Messages: n, Members: 5}}}
	}
	return wsrt.Debug{Protocol: "Chat", Ready: true, Connections: 3, Cluster: &cluster.Status{
		Node: "n1", Alive: true, Lease: 11.2, Renewal: 0.004,
		Nodes: []cluster.NodeStatus{
			{Node: "n1", State: "up", Zone: "a", Version: "v7", Schema: "1.4.0", Reads: 1, Weight: 3, Seen: 0.8, Slots: 2, Load: hot("room:tea", 9)},
			{Node: "n2", State: "draining", Seen: 1.5, Slots: 1, Load: hot("room:\x1b[2Jpub", 12)},
			{Node: "n3", State: "dead", Seen: 61, Load: hot("room:old", 99)},
		},
		Slots: []cluster.SlotStatus{{Owner: "n1"}, {Owner: "n1"}, {Owner: "n2"}, {Needs: 2}},
		Links: []cluster.LinkStatus{{Node: "n2", Frames: 4, Bytes: 900, Resets: 1}},
	}}
}

func TestTopOfACluster(t *testing.T) {
	r := run(t, "", "top", "--once", "--rows", "3", "--url", serveDebug(t, inCluster()))
	if r.code != 0 || r.errOut != "" {
		t.Fatalf("%+v", r)
	}
	text := strings.Join(strings.Fields(r.out), " ")
	for _, want := range []string{
		"as node n1 sees it: its lease holds for 11s; the last renewal took 4ms", "1 OF 4 SLOTS HAVE NO OWNER",
		"1 OF THEM NEED A NODE THAT READS VERSION 2",
		"n1 up a v7 1.4.0 1 3 2 7 2 800ms ago", "n2 draining - - - 0 0 1 7 2 1.5s ago", "n3 dead - - - 0 0 0 7 2 1m1s ago", "n2 4 900 1 0 0",
		"room:?[2Jpub n2 12 5 room:tea n1 9 5",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "room:old") || strings.Contains(r.out, "\x1b") {
		t.Errorf("what is not to be shown:\n%q", r.out)
	}
}

// TestTopOfANodeThatIsCutOff says first what matters most.
func TestTopOfANodeThatIsCutOff(t *testing.T) {
	d := inCluster()
	d.Ready, d.Cluster.Alive = false, false
	r := run(t, "", "top", "--once", "--rows", "3", "--url", serveDebug(t, d))
	if r.code != 0 || !strings.Contains(r.out, "not ready") || !strings.Contains(r.out, "IT HAS NO LEASE") {
		t.Errorf("%+v", r)
	}
}

func TestTopWithoutACluster(t *testing.T) {
	d := wsrt.Debug{Protocol: "Chat", Ready: true,
		TopRooms: []wsrt.DebugRoom{{Topic: "room:tea", Shard: 4, Members: 12, Mail: 1, Published: 88}},
		Hubs:     []wsrt.DebugHub{{Connections: 12, Queue: 3}},
		Slowest:  []wsrt.DebugConnection{{ID: "c1", Rooms: 1, Frames: 2, Bytes: 300, Age: 0.25}},
	}
	url := serveDebug(t, d)
	r := run(t, "", "top", "--once", "--rows", "3", "--url", url)
	text := strings.Join(strings.Fields(r.out), " ")
	for _, want := range []string{"room:tea 4 12 1 88", "0 12 3 0s", "c1 1 0 2 300 250ms"} {
		if r.code != 0 || !strings.Contains(text, want) {
			t.Errorf("no %q in\n%+v", want, r)
		}
	}
	// Where the output is no terminal it looks once, too.
	if again := run(t, "", "top", "--rows", "3", "--url", url); again != r {
		t.Errorf("not in a terminal: %+v", again)
	}
}

func TestTopAsJSON(t *testing.T) {
	r := run(t, "", "top", "--json", "--rows", "3", "--url", serveDebug(t, inCluster()))
	var d wsrt.Debug
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || r.code != 0 || d.Cluster.Nodes[1].State != "draining" {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestTopRefuses(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	answer := func(code int, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(text))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--url", gone.URL}, 1, "the server does not answer"},
		{[]string{"--url", gone.URL, "--json"}, 1, "the server does not answer"},
		{[]string{"--url", answer(200, "<html>")}, 1, "is not what DebugHandler shows"},
		{[]string{"--url", answer(200, `{"a":1}`)}, 1, "it names no protocol"},
		{[]string{"--url", answer(404, "no")}, 1, "404 Not Found: is DebugHandler there?"},
		{[]string{"--url", "127.0.0.1:9090"}, 2, "use one such as http://"},
		{[]string{"--every", "1ms"}, 2, "--every is 100ms at least"},
		{[]string{"more"}, 2, "unknown command or argument"},
	} {
		r := run(t, "", append([]string{"top"}, test.args...)...)
		if r.code != test.code || !strings.Contains(r.errOut, test.want) || r.out != "" {
			t.Errorf("%v: %+v, want %d and %q", test.args, r, test.code, test.want)
		}
	}
}
