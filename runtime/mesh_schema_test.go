package runtime_test

import (
	"context"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// TestRoomsOfANewerVersion wait for a node that reads them, when their state is kept. A protocol that keeps none has rooms anywhere.
func TestRoomsOfANewerVersion(t *testing.T) {
	for name, keeps := range map[string]bool{"state is kept": true, "nothing is kept": false} {
		t.Run(name, func(t *testing.T) {
			wstest.Run(t, func(t *testing.T) {
				of := func(version string) func(*wsrt.Protocol) {
					return func(p *wsrt.Protocol) { p.Version, p.Sharding.Persistent = version, keeps }
				}
				c := memory.New(clock.Real{})
				newer, _ := nodeOf(t, c, "newer", of("2.0.0"))
				time.Sleep(10 * time.Second) // it takes all slots
				older, _ := nodeOf(t, c, "older", of("1.9.0"))
				defer func() { _ = older.Drain(context.Background()) }()
				time.Sleep(time.Minute)
				room := roomOf(t, newer)
				topic := "room:" + room
				publish := func() error {
					return older.Publish(context.Background(), topic, news, &body{RoomID: room, Text: "hello"})
				}
				if err := publish(); err != nil {
					t.Errorf("while the newer node runs: %v", err)
				}
				if err := newer.Drain(context.Background()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if err := publish(); (err != nil) != keeps {
					t.Errorf("when it has gone: %v", err)
				}
				s := older.Debug(1).Cluster
				if unread, needs := s.Unread(); keeps && (unread != len(s.Slots) || needs != 2) || !keeps && unread != 0 {
					t.Errorf("%d slots are for version %d", unread, needs)
				}
				again, _ := nodeOf(t, c, "again", of("2.1.0"))
				defer func() { _ = again.Drain(context.Background()) }()
				time.Sleep(time.Minute)
				if err := publish(); err != nil {
					t.Errorf("when there is another newer one: %v", err)
				}
			})
		})
	}
}
