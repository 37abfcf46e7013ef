// Package clustercheck looks at what nodes and clients of a cluster have written down, and says which of its promises were broken. It
// needs nothing of the cluster itself, so that it judges a run in virtual time and one of real processes alike.
package clustercheck

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Record is one thing that has happened. Which fields count depends on Kind.
type Record struct {
	At   int64  `json:"at"` // nanoseconds of a clock that all writers share, such as the time since the machine started
	Kind string `json:"kind"`

	// Of nodes. An incarnation is in hexadecimal digits; a run is a process, and differs between those of one node.
	Node  string `json:"node,omitempty"`
	Inc   string `json:"inc,omitempty"`
	Run   string `json:"run,omitempty"`
	Other string `json:"other,omitempty"` // the node that it concerns
	Slot  int    `json:"slot,omitempty"`
	Epoch uint64 `json:"epoch,omitempty"`
	Until int64  `json:"until,omitempty"` // of a renewal: when the node stops, in the same clock as At

	// Of clients. A connection belongs to one client, and is never used again.
	Client string `json:"client,omitempty"`
	Conn   string `json:"conn,omitempty"`

	Room      string   `json:"room,omitempty"`
	ID        string   `json:"id,omitempty"` // of a message; unique
	N         uint64   `json:"n,omitempty"`  // how many messages the room has had
	Request   bool     `json:"request,omitempty"`
	Numbering string   `json:"numbering,omitempty"` // epoch of the room's numbers
	Seq       uint64   `json:"seq,omitempty"`
	Code      string   `json:"code,omitempty"`  // of an error; empty: it went well
	Maybe     string   `json:"maybe,omitempty"` // of an error: Applied, NotApplied, or nothing was said
	Members   []string `json:"members,omitempty"`
	Note      string   `json:"note,omitempty"` // for people
}

// What an error says of its request.
const (
	Applied    = "maybe"
	NotApplied = "no"
)

// Kinds of records, beside those of the cluster's own events ("join", "renew", "claim", "give" and so on), which have Node, Inc,
// Run, Slot and Epoch.
const (
	Apply    = "apply"    // a handler has a message: Node, Run, Slot, Epoch, Room, ID, N
	Send     = "send"     // a client is about to send one: Client, Conn, Room, ID, Request
	Answer   = "answer"   // its request has an answer: Client, Conn, Room, ID, Epoch, Code, Maybe
	Cast     = "cast"     // it was told what a room published: Client, Conn, Room, Epoch, Seq; 0: without a number
	Joined   = "joined"   // it is a member, from a position on: Client, Conn, Room, Numbering, Seq
	Gap      = "gap"      // it has missed something, and goes on from a position: as Joined
	Position = "position" // a number was not for it: Client, Conn, Room, Seq
	Left     = "left"     // it is no member: Client, Conn, Room
	Resume   = "resume"   // it asks to be one again, from a position on: as Joined
	End      = "end"      // the connection has ended: Client, Conn
	Probe    = "probe"    // a request of somebody who only wants to know whether a room answers: Node, Room, Code
	Census   = "census"   // whom the owner of a room has as members when all is quiet: Room, Members
	Final    = "final"    // the clients are quiet from here on, and all that was sent has arrived
	Fault    = "fault"    // something was broken or mended on purpose: Note
)

// Write appends a record to a file of JSON lines.
func Write(w io.Writer, r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Read reads what Write has written. A last line that is cut off, by a process that was killed, is left out.
func Read(r io.Reader) ([]Record, error) {
	var records []Record
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var broken error
	for n := 1; lines.Scan(); n++ {
		if broken != nil {
			return nil, broken
		}
		var rec Record
		if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
			broken = fmt.Errorf("line %d: %w", n, err)
			continue
		}
		records = append(records, rec)
	}
	return records, lines.Err()
}

// String returns the record as a line for people.
func (r Record) String() string {
	at := time.Unix(0, r.At).UTC().Format("15:04:05.000")
	r.At = 0
	line, _ := json.Marshal(r) // strings and numbers
	return at + " " + string(line)
}
