package cluster

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A packet of a link, integers little-endian:
//
//	version 1, flags 1, checksum 4 (CRC-32C of all other bytes)
//	source 8, target 8                (incarnations)
//	session 8, peerSession 8, first 8, ack 8, count 4
//	with flagIntroduction: length 1, the sender's name; length 2, its address
//	count pieces: length*2+more as a uvarint, bytes
//
// A piece is a frame, or with more a part of one that goes on in the next piece. Pieces are numbered from 1 in each session;
// first is the number of the first one, ack of the last one that was received without a gap.
type linkHeader struct {
	flags          byte
	source, target uint64
	session        uint64 // the sender's
	peerSession    uint64 // the receiver's, as the sender knows it; 0: none
	first, ack     uint64
	count          uint32
	node, address  []byte // of the sender; empty when the receiver knows it
}

const (
	flagOver         = 1 << iota // peerSession and those before it are over for the sender; without: it is in peerSession
	flagAsk                      // acknowledge at once
	flagNack                     // what comes after ack is missing
	flagBusy                     // the sender has no room for what comes after ack
	flagIntroduction             // the header says who the sender is
	knownFlags       = 1<<iota - 1
)

const (
	linkVersion     = 1
	linkHeaderSize  = 58
	linkChecksumAt  = 2
	maxIntroduction = 3 + MaxNodeName + maxAddress
	maxAddress      = 1024
	maxPieceHeader  = binary.MaxVarintLen32
	maxSession      = 1 << 62 // more are not counted up to
)

var errPacket = errors.New("cluster: not a packet of a link")

// appendLinkHeader begins a packet. sealPacket ends it.
func appendLinkHeader(b []byte, h *linkHeader) []byte {
	b = append(b, linkVersion, h.flags, 0, 0, 0, 0)
	for _, v := range [...]uint64{h.source, h.target, h.session, h.peerSession, h.first, h.ack} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, h.count)
	if h.flags&flagIntroduction != 0 {
		b = append(append(b, byte(len(h.node))), h.node...)
		b = append(binary.LittleEndian.AppendUint16(b, uint16(len(h.address))), h.address...)
	}
	return b
}

func appendPiece(b []byte, p piece) []byte {
	size := uint64(len(p.data)) << 1
	if p.more {
		size |= 1
	}
	return append(binary.AppendUvarint(b, size), p.data...)
}

// sealPacket writes what is known when a packet is complete: how many pieces it has, and its checksum.
func sealPacket(b []byte, count int) {
	binary.LittleEndian.PutUint32(b[linkHeaderSize-4:], uint32(count))
	binary.LittleEndian.PutUint32(b[linkChecksumAt:], linkChecksum(b))
}

func linkChecksum(b []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(b[:linkChecksumAt], table), table, b[linkChecksumAt+4:])
}

// parsePacket returns the header of a packet and its pieces, which nextPiece takes apart. All of the packet is right, or it
// returns an error; it allocates nothing.
func parsePacket(b []byte) (h linkHeader, pieces []byte, err error) {
	if len(b) < linkHeaderSize || len(b) > MaxPacket || b[0] != linkVersion ||
		binary.LittleEndian.Uint32(b[linkChecksumAt:]) != linkChecksum(b) {
		return h, nil, errPacket
	}
	h.flags = b[1]
	at := linkChecksumAt + 4
	for _, v := range [...]*uint64{&h.source, &h.target, &h.session, &h.peerSession, &h.first, &h.ack} {
		*v = binary.LittleEndian.Uint64(b[at:])
		at += 8
	}
	h.count = binary.LittleEndian.Uint32(b[at:])
	b = b[linkHeaderSize:]
	if h.flags&flagIntroduction != 0 {
		if b, err = h.introduction(b); err != nil {
			return h, nil, err
		}
	}
	if !h.plausible() || !rightPieces(b, h.count) {
		return h, nil, errPacket
	}
	return h, b, nil
}

// introduction reads who the sender is.
func (h *linkHeader) introduction(b []byte) (rest []byte, err error) {
	if len(b) < 1 {
		return nil, errPacket
	}
	size := int(b[0])
	if b = b[1:]; len(b) < size+2 {
		return nil, errPacket
	}
	h.node, b = b[:size], b[size:]
	size = int(binary.LittleEndian.Uint16(b))
	if b = b[2:]; len(b) < size {
		return nil, errPacket
	}
	h.address, b = b[:size], b[size:]
	if len(h.node) > MaxNodeName || size > maxAddress || !isName(h.node) || !isName(h.address) {
		return nil, errPacket
	}
	return b, nil
}

// isName reports whether it is some visible characters of ASCII.
func isName(s []byte) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(s) > 0
}

// plausible says whether an honest sender could have meant it.
func (h *linkHeader) plausible() bool {
	return h.flags&^knownFlags == 0 && h.source != 0 && h.target != 0 && h.session != 0 && h.session <= maxSession &&
		h.peerSession <= maxSession && (h.peerSession != 0 || h.flags&flagOver != 0) &&
		h.first != 0 && h.first <= maxSession && h.ack <= maxSession
}

// rightPieces reports whether these are count pieces and nothing else.
func rightPieces(b []byte, count uint32) bool {
	for ; count > 0; count-- {
		_, rest, ok := nextPiece(b)
		if !ok {
			return false
		}
		b = rest
	}
	return len(b) == 0
}

// nextPiece takes the first piece off.
func nextPiece(b []byte) (p piece, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size>>1 > uint64(len(b)-n) {
		return p, nil, false
	}
	end := n + int(size>>1)
	return piece{b[n:end:end], size&1 != 0}, b[end:], true
}
