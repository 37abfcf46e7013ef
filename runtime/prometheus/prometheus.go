// Package prometheus shows the figures of a server to Prometheus.
//
//	metrics := prometheus.New()
//	srv, err := chat.NewServer(chat.Config{Options: wsrt.Options{Metrics: metrics}, …})
//	metrics.Watch(srv.Runtime())
//	registry.MustRegister(metrics)
//
// No label has a room, a user or a connection: their values are as many as the schema, the codes of errors and of closes, and
// the shards have.
//
//	wsgen_connections                               connections that are open
//	wsgen_rooms, wsgen_members                      open rooms; memberships
//	wsgen_shard_rooms{shard}                        open rooms of a shard
//	wsgen_shard_connections{shard}                  connections that are in rooms of a shard
//	wsgen_handshakes_total{result}                  accepted, or why refused: draining, origin, full, ip, user, ip-rate, rate,
//	                                                unauthenticated, panic, timeout, upgrade
//	wsgen_closes_total{code}                        connections that ended, by close code; 1006 without one; 3000 and 4000 for
//	                                                all codes of these thousands that clients have sent
//	wsgen_messages_received_total{type}             messages of clients that are right
//	wsgen_messages_published_total{type}            messages to rooms that had members
//	wsgen_messages_delivered_total{type}            members that they were queued for
//	wsgen_messages_invalid_total                    frames that were refused for what they hold
//	wsgen_messages_limited_total                    messages over a rate
//	wsgen_errors_total{code}                        errors that clients were told
//	wsgen_errors_suppressed_total                   ERROR frames that were not sent, because there were many
//	wsgen_sent_frames_total, wsgen_sent_bytes_total written to connections
//	wsgen_writes_total{result}                      system calls of the hubs: done, or blocked where the kernel took not all
//	wsgen_dropped_frames_total{reason}              droppable: not sent to a slow reader; replaced: by a later one
//	wsgen_slow_readers_total                        connections that were closed for what waited for them
//	wsgen_resumes_total{result}                     members that came back: complete, or gap
//	wsgen_replayed_messages_total                   messages that were sent again to members that came back
//	wsgen_handler_seconds{type,code}                time of handlers; code is ok, or what the client was told
//	wsgen_flush_seconds                             time of a hub's turn
//	wsgen_flush_frames                              frames that a connection got at once, on average in a turn
//
// Of a server in a cluster:
//
//	wsgen_cluster_lease_seconds                     left of the node's lease; 0 when it may not act
//	wsgen_cluster_renewal_seconds                   that the last renewal of the lease took
//	wsgen_cluster_slots, wsgen_cluster_epoch        slots of this node; the largest of their epochs
//	wsgen_cluster_orphans                           slots that nobody owns, as far as this node knows
//	wsgen_cluster_nodes{state}                      nodes that this node knows: up, draining, dead
//	wsgen_cluster_events_total{kind}                renew, fence, kill, claim, give, lose: package cluster has what they mean
//	wsgen_cluster_held_messages                     messages that wait for a room to have an owner
//	wsgen_cluster_link_frames{node}                 frames that a node has not confirmed yet
//	wsgen_cluster_link_bytes{node}                  and their bytes
//	wsgen_cluster_link_faults_total{node,kind}      reset, retransmit, nack
package prometheus

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"
)

// Metrics is a wsrt.Metrics and a prometheus.Collector. Its methods are safe for concurrent use.
type Metrics struct {
	server  atomic.Pointer[wsrt.Server]
	handler *prometheus.HistogramVec
	flush   prometheus.Histogram
	batch   prometheus.Histogram
}

var (
	_ wsrt.Metrics         = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// New returns metrics for the options of one server.
func New() *Metrics {
	return &Metrics{
		handler: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wsgen_handler_seconds", Help: "Time of handlers.", Buckets: prometheus.ExponentialBuckets(50e-6, 4, 10)}, []string{"type", "code"}),
		flush: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wsgen_flush_seconds", Help: "Time of a hub's turn.", Buckets: prometheus.ExponentialBuckets(10e-6, 4, 9)}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wsgen_flush_frames", Help: "Frames that a connection got at once, on average in a turn.", Buckets: prometheus.ExponentialBuckets(1, 2, 8)}),
	}
}

// Watch names the server whose figures are shown. Before it there are only those of handlers and hubs.
func (m *Metrics) Watch(s *wsrt.Server) { m.server.Store(s) }

// Handled implements wsrt.Metrics.
func (m *Metrics) Handled(message string, code wsrt.Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.handler.WithLabelValues(message, string(code)).Observe(took.Seconds())
}

// Flushed implements wsrt.Metrics.
func (m *Metrics) Flushed(frames, connections int, took time.Duration) {
	m.flush.Observe(took.Seconds())
	m.batch.Observe(float64(frames) / float64(connections))
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.handler.Describe(out)
	m.flush.Describe(out)
	m.batch.Describe(out)
	for _, f := range figures {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.handler.Collect(out)
	m.flush.Collect(out)
	m.batch.Collect(out)
	s := m.server.Load()
	if s == nil {
		return
	}
	st := s.Stats()
	for _, f := range figures {
		f.values(&st, func(v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
		})
	}
}

// figure is a metric whose values are in Stats.
type figure struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func(st *wsrt.Stats, add func(v float64, labels ...string))
}

func gauge(name, help string, value func(*wsrt.Stats) int) figure {
	return figure{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue,
		func(st *wsrt.Stats, add func(float64, ...string)) { add(float64(value(st))) }}
}

func counter(name, help string, value func(*wsrt.Stats) uint64) figure {
	return figure{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue,
		func(st *wsrt.Stats, add func(float64, ...string)) { add(float64(value(st))) }}
}

func labelled(kind prometheus.ValueType, name, help, label string, values func(*wsrt.Stats, func(float64, ...string))) figure {
	return figure{prometheus.NewDesc(name, help, []string{label}, nil), kind, values}
}

// ofMessages counts something of each message.
func ofMessages(name, help string, value func(*wsrt.MessageStats) uint64) figure {
	return labelled(prometheus.CounterValue, name, help, "type", func(st *wsrt.Stats, add func(float64, ...string)) {
		for i := range st.Messages {
			add(float64(value(&st.Messages[i])), st.Messages[i].Name)
		}
	})
}

// ofCluster shows something of a server in a cluster.
func ofCluster(kind prometheus.ValueType, name, help string, labels []string, values func(c *cluster.Status, add func(float64, ...string))) figure {
	return figure{prometheus.NewDesc(name, help, labels, nil), kind, func(st *wsrt.Stats, add func(float64, ...string)) {
		if st.Cluster != nil {
			values(st.Cluster, add)
		}
	}}
}

// ofNode shows a number of the node itself.
func ofNode(name, help string, value func(c *cluster.Status) float64) figure {
	return ofCluster(prometheus.GaugeValue, name, help, nil, func(c *cluster.Status, add func(float64, ...string)) { add(value(c)) })
}

// ofLinks shows a number of the link to each node.
func ofLinks(name, help string, value func(l *cluster.LinkStatus) int) figure {
	return ofCluster(prometheus.GaugeValue, name, help, []string{"node"}, func(c *cluster.Status, add func(float64, ...string)) {
		for i := range c.Links {
			add(float64(value(&c.Links[i])), c.Links[i].Node)
		}
	})
}

// ofShards shows something of each shard.
func ofShards(name, help string, value func(wsrt.ShardStats) int) figure {
	return labelled(prometheus.GaugeValue, name, help, "shard", func(st *wsrt.Stats, add func(float64, ...string)) {
		for i, sh := range st.Shards {
			add(float64(value(sh)), strconv.Itoa(i))
		}
	})
}

var figures = []figure{
	gauge("wsgen_connections", "Connections that are open.", func(st *wsrt.Stats) int { return st.Connections }),
	gauge("wsgen_rooms", "Open rooms.", func(st *wsrt.Stats) int { return st.Rooms }),
	gauge("wsgen_members", "Memberships of connections in rooms.", func(st *wsrt.Stats) int { return st.Members }),
	ofShards("wsgen_shard_rooms", "Open rooms of a shard.", func(sh wsrt.ShardStats) int { return sh.Rooms }),
	ofShards("wsgen_shard_connections", "Connections that are in rooms of a shard.", func(sh wsrt.ShardStats) int { return sh.Connections }),
	labelled(prometheus.CounterValue, "wsgen_handshakes_total", "Handshakes, accepted or refused.", "result", func(st *wsrt.Stats, add func(float64, ...string)) {
		add(float64(st.Accepted), "accepted")
		for reason, n := range st.Refused {
			add(float64(n), reason)
		}
	}),
	labelled(prometheus.CounterValue, "wsgen_closes_total", "Connections that ended, by close code.", "code", func(st *wsrt.Stats, add func(float64, ...string)) {
		for code, n := range st.Closes {
			add(float64(n), strconv.Itoa(code))
		}
	}),
	ofMessages("wsgen_messages_received_total", "Messages of clients that are right.", func(m *wsrt.MessageStats) uint64 { return m.Received }),
	ofMessages("wsgen_messages_published_total", "Messages to rooms that had members.", func(m *wsrt.MessageStats) uint64 { return m.Published }),
	ofMessages("wsgen_messages_delivered_total", "Members that messages were queued for.", func(m *wsrt.MessageStats) uint64 { return m.Delivered }),
	counter("wsgen_messages_invalid_total", "Frames that were refused for what they hold.", func(st *wsrt.Stats) uint64 { return st.Invalid }),
	counter("wsgen_messages_limited_total", "Messages over a rate.", func(st *wsrt.Stats) uint64 { return st.Limited }),
	labelled(prometheus.CounterValue, "wsgen_errors_total", "Errors that clients were told.", "code", func(st *wsrt.Stats, add func(float64, ...string)) {
		for code, n := range st.Errors {
			add(float64(n), string(code))
		}
	}),
	counter("wsgen_errors_suppressed_total", "ERROR frames that were not sent, because there were many.", func(st *wsrt.Stats) uint64 { return st.Suppressed }),
	counter("wsgen_sent_frames_total", "Frames that were written to connections.", func(st *wsrt.Stats) uint64 { return st.FramesOut }),
	counter("wsgen_sent_bytes_total", "Bytes that were written to connections.", func(st *wsrt.Stats) uint64 { return st.BytesOut }),
	labelled(prometheus.CounterValue, "wsgen_writes_total", "System calls of the hubs that wrote frames.", "result", func(st *wsrt.Stats, add func(float64, ...string)) {
		add(float64(st.Writes-st.Blocked), "done")
		add(float64(st.Blocked), "blocked")
	}),
	labelled(prometheus.CounterValue, "wsgen_dropped_frames_total", "Frames that slow readers did not get.", "reason", func(st *wsrt.Stats, add func(float64, ...string)) {
		add(float64(st.Dropped), "droppable")
		add(float64(st.Replaced), "replaced")
	}),
	counter("wsgen_slow_readers_total", "Connections that were closed for what waited for them.", func(st *wsrt.Stats) uint64 { return st.SlowReaders }),
	labelled(prometheus.CounterValue, "wsgen_resumes_total", "Members that came back.", "result", func(st *wsrt.Stats, add func(float64, ...string)) {
		add(float64(st.Resumed), "complete")
		add(float64(st.Gaps), "gap")
	}),
	counter("wsgen_replayed_messages_total", "Messages that were sent again to members that came back.", func(st *wsrt.Stats) uint64 { return st.Replayed }),
	ofNode("wsgen_cluster_lease_seconds", "Left of the node's lease.", func(c *cluster.Status) float64 { return c.Lease }),
	ofNode("wsgen_cluster_renewal_seconds", "Time of the last renewal of the lease.", func(c *cluster.Status) float64 { return c.Renewal }),
	ofNode("wsgen_cluster_slots", "Slots of this node.", func(c *cluster.Status) float64 { return float64(c.Owned) }),
	ofNode("wsgen_cluster_epoch", "Largest epoch of this node's slots.", func(c *cluster.Status) float64 { return float64(c.Epoch) }),
	ofNode("wsgen_cluster_orphans", "Slots that nobody owns.", func(c *cluster.Status) float64 { return float64(c.Orphans()) }),
	ofCluster(prometheus.GaugeValue, "wsgen_cluster_nodes", "Nodes by state.", []string{"state"}, func(c *cluster.Status, add func(float64, ...string)) {
		states := map[string]int{"up": 0, "draining": 0, "dead": 0}
		for i := range c.Nodes {
			states[c.Nodes[i].State]++
		}
		for state, n := range states {
			add(float64(n), state)
		}
	}),
	ofCluster(prometheus.CounterValue, "wsgen_cluster_events_total", "What decides about ownership.", []string{"kind"}, func(c *cluster.Status, add func(float64, ...string)) {
		e := c.Events
		add(float64(e.Renewals), "renew")
		add(float64(e.Fences), "fence")
		add(float64(e.Kills), "kill")
		add(float64(e.Claims), "claim")
		add(float64(e.Gives), "give")
		add(float64(e.Losses), "lose")
	}),
	gauge("wsgen_cluster_held_messages", "Messages that wait for a room to have an owner.", func(st *wsrt.Stats) int { return st.Held }),
	ofLinks("wsgen_cluster_link_frames", "Frames that a node has not confirmed.", func(l *cluster.LinkStatus) int { return l.Frames }),
	ofLinks("wsgen_cluster_link_bytes", "Bytes that a node has not confirmed.", func(l *cluster.LinkStatus) int { return l.Bytes }),
	ofCluster(prometheus.CounterValue, "wsgen_cluster_link_faults_total", "Faults of the links to nodes.", []string{"node", "kind"}, func(c *cluster.Status, add func(float64, ...string)) {
		for _, l := range c.Links {
			add(float64(l.Resets), l.Node, "reset")
			add(float64(l.Retransmits), l.Node, "retransmit")
			add(float64(l.Nacks), l.Node, "nack")
		}
	}),
}
