package cluster

import (
	"bytes"
	"testing"

	"github.com/wsgen/wsgen/runtime/clock"
)

// nowhere is a transport without a network.
type nowhere struct{}

func (nowhere) Listen(string, func([]byte)) (func(), error) { return func() {}, nil }
func (nowhere) Send(string, []byte) error                   { return ErrNobody }

// FuzzPacket has a node get packets that nobody should have sent.
func FuzzPacket(f *testing.F) {
	const most = uint64(maxSession)
	name, address := []byte("a"), []byte("a.1")
	piece := appendPiece(nil, piece{[]byte("frame"), false})
	f.Add(byte(flagIntroduction), uint64(1), uint64(1), uint64(1), uint64(0), uint32(1), name, address, piece)
	f.Add(byte(flagOver|flagAsk|flagIntroduction), uint64(2), uint64(0), uint64(3), uint64(9), uint32(0), name, address, piece[:0])
	f.Add(byte(flagNack), uint64(1), uint64(1), uint64(1), most, uint32(0), name, address, piece[:0])
	f.Add(byte(flagOver|flagIntroduction), most, most, most, most, uint32(0), bytes.Repeat(name, 255), address, piece[:0])
	f.Add(byte(flagNack|flagBusy), most, uint64(1), uint64(1), most, uint32(1<<31), name, address, bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, flags byte, session, peerSession, first, ack uint64, count uint32, node, address, pieces []byte) {
		self := Peer{Node: "b", Incarnation: 2, Address: "b.2"}
		l := newLinks(self, nowhere{}, clock.Real{}, linkLimits{}, linkHandler{func(Peer, []byte) {}, func(Peer) {}})
		defer l.close()
		l.arrive(bytes.Clone(pieces))
		first = max(first, 1)
		for _, n := range []uint64{first, 1, first + 1} {
			if err := l.send(Peer{Node: "a", Incarnation: 1, Address: "a.1"}, []byte("frame")); err != nil {
				t.Fatal(err)
			}
			h := linkHeader{flags: flags, source: 1, target: 2, session: session, peerSession: peerSession, first: n, ack: ack,
				node: node[:min(len(node), 255)], address: address[:min(len(address), 1<<16-1)]}
			packet := append(appendLinkHeader(nil, &h), pieces...)
			sealPacket(packet, int(count))
			parsed, body, err := parsePacket(packet)
			if err == nil {
				again := append(appendLinkHeader(nil, &parsed), body...)
				if sealPacket(again, int(parsed.count)); !bytes.Equal(again, packet) {
					t.Errorf("read %x, which is written %x", packet, again)
				}
			}
			l.arrive(packet)
		}
		for _, s := range l.stats() {
			if s.frames < 0 || s.bytes < 0 || s.frames > 3 {
				t.Errorf("%+v", s)
			}
		}
	})
}
