package sharding_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/wsgen/wsgen/runtime/sharding"
)

// TestWSKitVectors holds parity with deployments of ws-kit.
func TestWSKitVectors(t *testing.T) {
	for _, v := range []struct {
		topic         string
		hash          uint32
		s10, s16, s20 int
	}{
		{"", 0, 0, 0, 0},
		{"a", 97, 7, 1, 17},
		{"room:general", 2373822793, 3, 9, 13},
		{"room:random", 2188915778, 8, 2, 18},
		{"room:gaming", 1873970094, 4, 14, 14},
		{"room:1", 3369647442, 2, 2, 2},
		{"room:42", 1379855741, 1, 13, 1},
		{"user:42", 4147797133, 3, 13, 13},
		{"tenant/acme", 1844960127, 7, 15, 7},
		{"room:üñí😀", 342785052, 2, 12, 12},
	} {
		if got := sharding.WSKitHash(v.topic); got != v.hash {
			t.Errorf("hash of %q is %d, want %d", v.topic, got, v.hash)
		}
		for n, want := range map[int]int{10: v.s10, 16: v.s16, 20: v.s20} {
			if got := sharding.WSKit.Shard(v.topic, n); got != want {
				t.Errorf("shard of %q of %d is %d, want %d", v.topic, n, got, want)
			}
		}
	}
	if sharding.WSKitHash("a\xff") != sharding.WSKitHash("a�") {
		t.Error("a byte that is not UTF-8 must count as U+FFFD")
	}
}

// TestStable holds the assignment for ever: a change would move rooms of running deployments.
func TestStable(t *testing.T) {
	topics := []string{"", "a", "room:general", "room:random", "room:gaming", "room:üñí😀", "match:00000000-0000-0000-0000-000000000001"}
	for h, want := range map[sharding.Hash][]int{
		sharding.Rendezvous: {5, 9, 7, 2, 5, 4, 1},
		sharding.Jump:       {2, 5, 5, 9, 1, 2, 6},
	} {
		for i, topic := range topics {
			if got := h.Shard(topic, 10); got != want[i] {
				t.Errorf("%s: %q is on shard %d of 10, was on %d", h, topic, got, want[i])
			}
		}
	}
}

// TestGrowthMovesLittle adds a shard: only topics that go to the new one move, about 1/(n+1) of all.
func TestGrowthMovesLittle(t *testing.T) {
	const topics = 20000
	for _, h := range []sharding.Hash{sharding.Rendezvous, sharding.Jump} {
		for _, n := range []int{1, 2, 10, 100} {
			moved := 0
			for i := range topics {
				topic := "room:" + strconv.Itoa(i)
				before, after := h.Shard(topic, n), h.Shard(topic, n+1)
				if before == after {
					continue
				}
				moved++
				if after != n {
					t.Fatalf("%s: %s moves from shard %d to %d, not to the new shard %d", h, topic, before, after, n)
				}
			}
			want := float64(topics) / float64(n+1)
			if math.Abs(float64(moved)-want) > 5*math.Sqrt(want) {
				t.Errorf("%s: %d to %d shards moves %d of %d topics, want about %.0f", h, n, n+1, moved, topics, want)
			}
		}
	}
}

// TestEven compares the load of shards with what chance gives. ws-kit's hash is left out: on numbered rooms it is uneven.
func TestEven(t *testing.T) {
	const topics, n = 100000, 64
	for _, h := range []sharding.Hash{sharding.Rendezvous, sharding.Jump} {
		var count [n]int
		for i := range topics {
			count[h.Shard("room:"+strconv.Itoa(i), n)]++
		}
		for shard, c := range count {
			if mean := float64(topics) / n; math.Abs(float64(c)-mean) > 6*math.Sqrt(mean) {
				t.Errorf("%s: shard %d has %d topics, mean %.0f", h, shard, c, mean)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	zeroIn32Bits := int64(1) << 32
	for _, h := range sharding.Hashes() {
		if err := sharding.Validate(h, sharding.MaxShards); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []struct {
		h sharding.Hash
		n int
	}{{"md5", 1}, {"", 1}, {sharding.Jump, 0}, {sharding.Jump, -1}, {sharding.Jump, 4097}, {sharding.Rendezvous, math.MaxInt}, {sharding.WSKit, math.MaxInt}, {sharding.WSKit, int(zeroIn32Bits)}} {
		if sharding.Validate(bad.h, bad.n) == nil {
			t.Errorf("%q with %d shards must be refused", bad.h, bad.n)
		}
		if shard := bad.h.Shard("room:general", bad.n); shard != 0 {
			t.Errorf("%q with %d shards gives %d, want 0", bad.h, bad.n, shard)
		}
	}
}

func TestDoesNotAllocate(t *testing.T) {
	for _, h := range sharding.Hashes() {
		sum := 0
		if n := testing.AllocsPerRun(100, func() { sum += h.Shard("room:üñí😀", 100) }); n != 0 {
			t.Errorf("%s allocates %v times (sum of shards %d)", h, n, sum)
		}
	}
}

func BenchmarkShard(b *testing.B) {
	for _, h := range sharding.Hashes() {
		for _, n := range []int{16, 256, 4096} {
			b.Run(string(h)+"/"+strconv.Itoa(n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					h.Shard("room:general", n)
				}
			})
		}
	}
}
