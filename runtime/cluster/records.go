package cluster

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// States of a node's record.
const (
	nodeUp       = "up"
	nodeDraining = "draining" // it wants no slots
	nodeDead     = "dead"     // it has left, or somebody has found it dead
)

// States of a slot's record.
const (
	slotActive  = "active"
	slotHandoff = "handoff" // it is for the node to take that the record names
)

// incarnationID is an Incarnation in a record: a string, because JSON readers may lose digits of large numbers.
type incarnationID uint64

// MarshalText implements encoding.TextMarshaler.
func (i incarnationID) MarshalText() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(i), 16), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *incarnationID) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 64)
	*i = incarnationID(v)
	return err
}

// nodeRecord is a node's lease.
type nodeRecord struct {
	Incarnation incarnationID `json:"inc"`
	Address     string        `json:"address"`
	State       string        `json:"state"`
	Count       uint64        `json:"count"` // of renewals: no record is like the one before
	Zone        string        `json:"zone,omitempty"`
	Version     string        `json:"version,omitempty"`
	Schema      string        `json:"schema,omitempty"`      // version of its protocol
	Fingerprint string        `json:"fingerprint,omitempty"` // of its protocol
	Reads       int           `json:"reads,omitempty"`       // largest major version of a schema whose rooms it can restore
	Weight      int           `json:"weight,omitempty"`      // 0: 1
	Lock        string        `json:"lock,omitempty"`        // identifies what it has locked on its host
	By          string        `json:"by,omitempty"`          // who found it dead
	Load        Load          `json:"load"`
}

// runs reports whether an incarnation is the one of the record, and not dead.
func (r *nodeRecord) runs(incarnation uint64) bool {
	return uint64(r.Incarnation) == incarnation && r.State != nodeDead
}

func (r *nodeRecord) peer(node string) Peer { return Peer{node, uint64(r.Incarnation), r.Address} }

// ownRecord says who owns a slot.
type ownRecord struct {
	Node        string        `json:"node"`
	Incarnation incarnationID `json:"inc"`
	State       string        `json:"state"`
	Needs       int           `json:"needs,omitempty"` // major version of the schema that can restore its rooms
}

// of reports whether the record names an incarnation.
func (r *ownRecord) of(p Peer) bool {
	return p.Incarnation != 0 && r.Node == p.Node && uint64(r.Incarnation) == p.Incarnation
}

// settings are what all nodes must agree on.
type settings struct {
	Format int        `json:"format"`
	Slots  int        `json:"slots"`
	Lease  LeaseTimes `json:"lease"`
}

// settingsFormat changes when nodes of different versions cannot be in one cluster.
const settingsFormat = 1

// mustJSON encodes what this package has made.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return data
}

func sortPeers(peers []Peer) {
	slices.SortFunc(peers, func(a, b Peer) int { return cmp.Compare(a.Node, b.Node) })
}
