package runtime

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Debug is what DebugHandler shows of a server.
type Debug struct {
	Protocol    string            `json:"protocol"`
	Fingerprint string            `json:"fingerprint"`
	Ready       bool              `json:"ready"`
	Connections int               `json:"connections"`
	Rooms       int               `json:"rooms"`
	Members     int               `json:"members"`
	Shards      []DebugShard      `json:"shards"`
	TopRooms    []DebugRoom       `json:"topRooms"` // those with the most members
	Hubs        []DebugHub        `json:"hubs"`
	Slowest     []DebugConnection `json:"slowest"` // those for which the most waits
	Limits      Limits            `json:"limits"`
	Cluster     *cluster.Status   `json:"cluster,omitempty"` // nil: the server is in none
}

// DebugShard is a shard.
type DebugShard struct {
	Shard       int `json:"shard"`
	Rooms       int `json:"rooms"`
	Connections int `json:"connections"`
	Mail        int `json:"mail"` // that waits for its rooms
}

// DebugRoom is a room.
type DebugRoom struct {
	Topic     string `json:"topic"`
	Shard     int    `json:"shard"`
	Members   int    `json:"members"`
	Mail      int    `json:"mail"`      // that waits
	Published uint64 `json:"published"` // reliable messages since it opened
	Absent    int    `json:"absent"`    // members that may come back
}

// DebugHub is a hub.
type DebugHub struct {
	Connections int     `json:"connections"`
	Queue       int     `json:"queue"`          // events that wait
	TurnAge     float64 `json:"turnAgeSeconds"` // since its turn began; 0 when it has none
}

// DebugConnection is a connection. Its user and its address are not shown.
type DebugConnection struct {
	ID      string  `json:"id"`
	Rooms   int     `json:"rooms"`
	Pending int     `json:"pending"` // messages of it that wait or run
	Bytes   int     `json:"queueBytes"`
	Frames  int     `json:"queueFrames"`
	Age     float64 `json:"queueAgeSeconds"` // of the oldest frame that waits
}

// Debug returns what DebugHandler shows, with the top rooms and connections.
func (s *Server) Debug(top int) Debug {
	st := s.Stats()
	d := Debug{
		Protocol: s.protocol.Name, Fingerprint: s.protocol.Fingerprint, Ready: s.Ready(), Limits: s.Limits,
		Connections: st.Connections, Rooms: st.Rooms, Members: st.Members, Cluster: st.Cluster,
		Shards: []DebugShard{}, TopRooms: []DebugRoom{}, Hubs: []DebugHub{}, Slowest: []DebugConnection{},
	}
	for i, sh := range s.shards {
		shard := DebugShard{Shard: i, Rooms: st.Shards[i].Rooms, Connections: st.Shards[i].Connections}
		for _, r := range sh.all() {
			room := r.debug()
			shard.Mail += room.Mail
			d.TopRooms = append(d.TopRooms, room)
		}
		d.Shards = append(d.Shards, shard)
	}
	slices.SortFunc(d.TopRooms, func(a, b DebugRoom) int { return cmp.Or(b.Members-a.Members, cmp.Compare(a.Topic, b.Topic)) })
	d.TopRooms = d.TopRooms[:min(top, len(d.TopRooms))]
	now := s.Clock.Now()
	for _, h := range s.hubs.Load(time.Now()) {
		d.Hubs = append(d.Hubs, DebugHub{h.Sockets, h.Queue, h.Turn.Seconds()})
	}
	for _, c := range s.connections() {
		d.Slowest = append(d.Slowest, c.debug(now))
	}
	slices.SortFunc(d.Slowest, func(a, b DebugConnection) int { return cmp.Or(b.Bytes-a.Bytes, cmp.Compare(a.ID, b.ID)) })
	d.Slowest = d.Slowest[:min(top, len(d.Slowest))]
	return d
}

func (r *Room) debug() DebugRoom {
	mail := r.mail.Len()
	r.mu.Lock()
	defer r.mu.Unlock()
	d := DebugRoom{Topic: r.topic, Shard: r.shard.id, Members: len(r.members), Mail: mail, Published: r.seq}
	if r.history != nil {
		d.Absent = len(r.history.absent)
	}
	return d
}

func (c *Conn) debug(now time.Time) DebugConnection {
	d := DebugConnection{ID: c.ID()}
	var age time.Duration
	d.Bytes, d.Frames, age = c.sock.Backlog(now)
	d.Age = age.Seconds()
	c.mu.Lock()
	defer c.mu.Unlock()
	d.Rooms, d.Pending = len(c.rooms), int(c.pending)
	return d
}

// maxTop is how many rooms and connections DebugHandler shows at most.
const maxTop = 1000

// DebugHandler shows a Debug as JSON; ?top=N says how many rooms and connections, 20 unless given. It names rooms, so it
// belongs on a listener that only operators reach. A call looks at every room and connection.
func (s *Server) DebugHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		top := 20
		if text := r.URL.Query().Get("top"); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > maxTop {
				http.Error(w, "top is a number from 0 to "+strconv.Itoa(maxTop), http.StatusBadRequest)
				return
			}
			top = n
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(s.Debug(top)) // a reader that went away
	})
}

// Stuck returns for how long a hub has been in one turn, when that is longer than limit; 0 when all is well. A hub never waits
// for a peer, so a turn of seconds is a fault of this package or a machine that does not keep up; a liveness probe may
// restart the process for it.
func (s *Server) Stuck(limit time.Duration) time.Duration {
	var longest time.Duration
	for _, h := range s.hubs.Load(time.Now()) {
		if h.Turn > limit {
			longest = max(longest, h.Turn)
		}
	}
	return longest
}
