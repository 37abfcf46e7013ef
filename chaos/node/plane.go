package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wsgen/wsgen/runtime/cluster"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// Counts are what the process has sent over NATS.
type Counts struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Marked  uint64 `json:"marked"` // copies of messages with mark in them
	Leases  uint64 `json:"leases"` // writes of node records
	Slots   uint64 `json:"slots"`  // writes of slot records
	Saves   uint64 `json:"saves"`
}

// mark is in the room of messages that are counted on their way.
const mark = "counted-room"

func (j *journal) counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.totals
}

func (j *journal) count(f func(c *Counts)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.totals)
}

// transport counts packets.
type transport struct {
	cluster.Transport
	j *journal
}

// Send implements cluster.Transport.
func (t *transport) Send(address string, packet []byte) error {
	marked := bytes.Count(packet, []byte(`"roomId":"`+mark))
	t.j.count(func(c *Counts) {
		c.Packets++
		c.Bytes += uint64(len(packet))
		c.Marked += uint64(marked)
	})
	return t.Transport.Send(address, packet)
}

// directory counts writes.
type directory struct {
	cluster.Directory
	j *journal
}

// Write implements cluster.Directory.
func (d *directory) Write(ctx context.Context, w cluster.Write) (uint64, error) {
	d.j.count(func(c *Counts) {
		if strings.HasPrefix(w.Key, "own.") {
			c.Slots++
		} else {
			c.Leases++
		}
	})
	return d.Directory.Write(ctx, w)
}

// snapshots writes down what is saved and loaded.
type snapshots struct {
	cluster.Snapshots
	j *journal
}

// Kinds of records about snapshots, which Note identifies.
const (
	saving  = "saving"
	saved   = "saved"
	loading = "loading"
	loaded  = "loaded"
)

// Save implements cluster.Snapshots.
func (s *snapshots) Save(ctx context.Context, slot int, epoch uint64, topic string, snapshot []byte) error {
	s.j.count(func(c *Counts) { c.Saves++ })
	r := clustercheck.Record{Kind: saving, Slot: slot, Epoch: epoch, Room: topic, Note: digest(snapshot)}
	s.j.add(r)
	err := s.Snapshots.Save(ctx, slot, epoch, topic, snapshot)
	if err == nil {
		r.Kind = saved
		s.j.add(r)
	}
	return err
}

// Load implements cluster.Snapshots.
func (s *snapshots) Load(ctx context.Context, slot int, topic string) ([]byte, error) {
	s.j.add(clustercheck.Record{Kind: loading, Slot: slot, Room: topic})
	data, err := s.Snapshots.Load(ctx, slot, topic)
	if err == nil {
		s.j.add(clustercheck.Record{Kind: loaded, Slot: slot, Room: topic, Note: digest(data)})
	}
	return data, err
}

// digest identifies a snapshot; empty: there is none.
func digest(snapshot []byte) string {
	if snapshot == nil {
		return ""
	}
	sum := sha256.Sum256(snapshot)
	return hex.EncodeToString(sum[:8])
}
