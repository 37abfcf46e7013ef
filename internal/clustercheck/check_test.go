package clustercheck_test

import (
	"slices"
	"testing"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// A trace is what has happened, one thing in each second. In most of them incarnation 1 of node n owns slot 1 in epoch 5, with a
// lease for a long time, and client k is in room r on connection k1.
type trace []clustercheck.Record

const second = 1e9

// Node n's incarnations are numbered; each is of a process of its own.
func claim(inc string, epoch uint64) clustercheck.Record {
	return clustercheck.Record{Kind: "claim", Node: "n", Inc: inc, Run: "run" + inc, Slot: 1, Epoch: epoch}
}

func give(inc string, epoch uint64) clustercheck.Record {
	return clustercheck.Record{Kind: "give", Node: "n", Inc: inc, Run: "run" + inc, Slot: 1, Epoch: epoch}
}

func renew(inc string, until int64) clustercheck.Record {
	return clustercheck.Record{Kind: "renew", Node: "n", Inc: inc, Run: "run" + inc, Until: until * second}
}

// owned is the beginning of a trace.
func owned(rest ...clustercheck.Record) trace {
	return append(trace{renew("1", 1000), claim("1", 5)}, rest...)
}

// apply is the nth message of the room, which a handler of a process has in an epoch.
func apply(inc string, epoch uint64, id string, n uint64) clustercheck.Record {
	return clustercheck.Record{Kind: clustercheck.Apply, Node: "n", Run: "run" + inc, Slot: 1, Epoch: epoch, Room: "r", ID: id, N: n}
}

// inRoom is what happens in another room of the slot.
func inRoom(room string, r clustercheck.Record) clustercheck.Record {
	r.Room = room
	return r
}

// of is what happens on a connection of a client.
func of(client, conn string, r clustercheck.Record) clustercheck.Record {
	r.Client, r.Conn = client, conn
	return r
}

// at is what happens on connection k1 of client k.
func at(r clustercheck.Record) clustercheck.Record { return of("k", "k1", r) }

func send(id string) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Send, Room: "r", ID: id})
}

func ask(id string) clustercheck.Record {
	r := send(id)
	r.Request = true
	return r
}

func answer(id string, epoch uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Answer, Room: "r", ID: id, Epoch: epoch})
}

func refuse(id, maybe string) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Answer, Room: "r", ID: id, Code: "UNAVAILABLE", Maybe: maybe})
}

func cast(epoch, seq uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Cast, Room: "r", Epoch: epoch, Seq: seq})
}

func position(seq uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Position, Room: "r", Seq: seq})
}

// joined, gap and resume are of a position in a numbering.
func joined(numbering string, seq uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Joined, Room: "r", Numbering: numbering, Seq: seq})
}

func gap(numbering string, seq uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Gap, Room: "r", Numbering: numbering, Seq: seq})
}

func resume(numbering string, seq uint64) clustercheck.Record {
	return at(clustercheck.Record{Kind: clustercheck.Resume, Room: "r", Numbering: numbering, Seq: seq})
}

func left() clustercheck.Record { return at(clustercheck.Record{Kind: clustercheck.Left, Room: "r"}) }

func ended() clustercheck.Record { return at(clustercheck.Record{Kind: clustercheck.End}) }

func probe(room, code string) clustercheck.Record {
	return clustercheck.Record{Kind: clustercheck.Probe, Node: "n", Room: room, Code: code}
}

func census(room string, members ...string) clustercheck.Record {
	return clustercheck.Record{Kind: clustercheck.Census, Room: room, Members: members}
}

// timed gives each record that has no time the second of its place, from 1 on.
func (tr trace) timed() trace {
	tr = slices.Clone(tr)
	for i := range tr {
		if tr[i].At == 0 {
			tr[i].At = int64(i+1) * second
		}
	}
	return tr
}

// quiet adds the end that a run has in which everything answers.
func (tr trace) quiet() trace { return append(slices.Clone(tr), probe("of all", ""), census("of all")) }

// rules returns those that are broken.
func rules(violations []clustercheck.Violation) []string {
	var broken []string
	for _, v := range violations {
		broken = append(broken, v.Rule)
	}
	return broken
}

// check fails the test when other rules are broken than those.
func check(t *testing.T, tr trace, want ...string) {
	t.Helper()
	found := clustercheck.Check(tr.timed())
	if got := rules(found); !slices.Equal(got, want) {
		t.Errorf("broken are %q, not %q:", got, want)
		for _, v := range found {
			t.Log(v)
		}
	}
}
