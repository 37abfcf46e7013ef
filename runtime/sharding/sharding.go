// Package sharding maps topics to shards by a stable hash: the same topic has the same shard in every process, on every
// machine and in every release.
package sharding

import (
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wsgen/wsgen/runtime/internal/hash"
)

// MaxShards is the largest number of shards.
const MaxShards = 4096

// Hash is a strategy that maps a topic to one of n shards.
type Hash string

// The strategies.
const (
	// Rendezvous gives the topic to the shard with the highest weight for it (Thaler and Ravishankar, "Using name-based
	// mappings to increase hit rates", 1998). Going from n to n+1 shards moves about 1/(n+1) of the topics, all of them to
	// the new shard. A look-up takes time in proportion to n.
	Rendezvous Hash = "rendezvous"
	// Jump is the jump consistent hash (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014). It
	// moves as little as Rendezvous and takes time in proportion to log n.
	Jump Hash = "jump"
	// WSKit is the hash of ws-kit's sharding example, 31 per UTF-16 code unit modulo n, for parity with an existing
	// deployment. Going from n to n+1 moves nearly all topics.
	WSKit Hash = "ws-kit"
)

// Hashes returns the strategies, the default first.
func Hashes() []Hash { return []Hash{Rendezvous, Jump, WSKit} }

// Validate returns an error that names the fix when h is no strategy or shards is outside 1 to MaxShards.
func Validate(h Hash, shards int) error {
	switch h {
	case Rendezvous, Jump, WSKit:
	default:
		return fmt.Errorf("unknown hash %q: use rendezvous, jump or ws-kit", string(h))
	}
	if shards < 1 || shards > MaxShards {
		return fmt.Errorf("%d shards: use 1 to %d", shards, MaxShards)
	}
	return nil
}

// Shard returns the shard of topic, from 0 to shards-1. It allocates nothing and is safe for concurrent use. Arguments that
// Validate refuses give 0.
func (h Hash) Shard(topic string, shards int) int {
	if shards <= 1 || shards > MaxShards {
		return 0
	}
	switch h {
	case Rendezvous:
		return rendezvous(hash64(topic), shards)
	case Jump:
		return jump(hash64(topic), shards)
	case WSKit:
		return int(WSKitHash(topic) % uint32(shards))
	}
	return 0
}

// Slot returns the slot of a topic in a cluster, from 0 to slots-1; slots is a power of two. With twice as many, a topic of slot i is in
// i or i+slots. It allocates nothing and is safe for concurrent use.
func Slot(topic string, slots int) int { return int(hash64(topic) & uint64(slots-1)) }

// WSKitHash is ws-kit's topic hash: h = 31h + unit over the UTF-16 code units, in 32 bits. Topics on the wire are UTF-8; of other
// text, each byte that is not part of a character counts as one U+FFFD.
func WSKitHash(topic string) uint32 {
	var h uint32
	for _, r := range topic {
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			h = (h*31+uint32(hi))*31 + uint32(lo)
			continue
		}
		h = h*31 + uint32(r)
	}
	return h
}

// rendezvous mixes the topic's hash with each shard's and returns the shard with the highest result.
func rendezvous(key uint64, shards int) int {
	best, weight := 0, uint64(0)
	for i := range shards {
		if w := hash.Mix(key ^ hash.Mix(uint64(i)+1)); w > weight || i == 0 {
			best, weight = i, w
		}
	}
	return best
}

// jump follows the paper's figure 1: it jumps ahead to the next shard count at which the key would move.
func jump(key uint64, shards int) int {
	b, j := int64(-1), int64(0)
	for j < int64(shards) {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(int64(1)<<31) / float64((key>>33)+1)))
	}
	return int(b)
}

// hash64 is FNV-1a, mixed.
func hash64(s string) uint64 { return hash.Mix(bits.RotateLeft64(hash.FNV(s), 32)) }
