package clock_test

import (
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/clock"
)

func TestFakeCallsInOrderAtTheirTime(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := clock.NewFake(start)
	var got []time.Duration
	note := func() { got = append(got, c.Now().Sub(start)) }
	c.AfterFunc(3*time.Second, note)
	c.AfterFunc(time.Second, func() { note(); c.AfterFunc(time.Second, note) })
	late := c.AfterFunc(4*time.Second, note)
	stopped := c.AfterFunc(time.Second, note)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop must report whether the call was still waiting")
	}
	if !late.Reset(10 * time.Second) {
		t.Error("Reset of a waiting timer must report true")
	}
	c.Advance(5 * time.Second)
	want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}
	if len(got) != len(want) {
		t.Fatalf("calls at %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("call %d at %v, want %v", i, got[i], want[i])
		}
	}
	if c.Now().Sub(start) != 5*time.Second || c.Waiting() != 1 {
		t.Errorf("clock at %v with %d waiting, want 5s and 1", c.Now().Sub(start), c.Waiting())
	}
}
