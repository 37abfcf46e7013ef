package embed_test

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

// onEach runs a benchmark with one server and with three, with and without writing to the disk what is acknowledged.
func onEach(b *testing.B, run func(b *testing.B, p *natscluster.Plane)) {
	for _, always := range []bool{false, true} {
		b.Run(fmt.Sprintf("one/sync=%v", always), func(b *testing.B) {
			run(b, connect(b, start(b, embed.Options{SyncAlways: always}).Options(namespace)))
		})
		b.Run(fmt.Sprintf("three/sync=%v", always), func(b *testing.B) {
			c := startTrio(b, nil, func(o *server.Options) { o.SyncAlways = always })
			run(b, connect(b, c.options()))
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	onEach(b, func(b *testing.B, p *natscluster.Plane) {
		last, i := uint64(0), 0
		for b.Loop() {
			w := cluster.Write{Key: "node.a", Value: make([]byte, 200), Last: last, ID: fmt.Sprint(i)}
			last = mustWrite(b, p.Backplane.Directory, w)
			i++
		}
	})
}

func BenchmarkSave(b *testing.B) {
	onEach(b, func(b *testing.B, p *natscluster.Plane) {
		epoch := claim(b, p, 1, 0, "a")
		for b.Loop() {
			mustSave(b, p, 1, epoch, "r", noise(2000))
		}
	})
}

// BenchmarkSaveOfASlot saves the 400 rooms of a slot, as before it is given away.
func BenchmarkSaveOfASlot(b *testing.B) {
	onEach(b, func(b *testing.B, p *natscluster.Plane) {
		epoch := claim(b, p, 1, 0, "a")
		all := make(map[string][]byte)
		for i := range 400 {
			all[fmt.Sprint("r", i)] = noise(2000)
		}
		saveAll(b, p, epoch, all)
		for b.Loop() {
			saveAll(b, p, epoch, all)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	onEach(b, func(b *testing.B, p *natscluster.Plane) {
		mustSave(b, p, 1, claim(b, p, 1, 0, "a"), "r", noise(2000))
		for b.Loop() {
			mustLoad(b, p, 1, "r")
		}
	})
}

// BenchmarkLoadOfASlot loads the 400 rooms of a slot, as after it was taken.
func BenchmarkLoadOfASlot(b *testing.B) {
	onEach(b, func(b *testing.B, p *natscluster.Plane) {
		epoch := claim(b, p, 1, 0, "a")
		all := make(map[string][]byte)
		for i := range 400 {
			all[fmt.Sprint("r", i)] = noise(2000)
		}
		saveAll(b, p, epoch, all)
		for b.Loop() {
			mustLoadAll(b, p, all)
		}
	})
}
