package natscluster

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Tests that need a server are in the module embed, which has one. This module stays free of it.

func TestTopicsHaveTokensOfTheirOwn(t *testing.T) {
	long := strings.Repeat("x", 97)
	seen := make(map[string]string)
	for _, topic := range []string{"", "a", "A", "room/1", "room.1", "*", ">", " ", "ä", long, long + "y", long[1:]} {
		token := topicToken(topic)
		if !validToken(token) || len(token) > 130 {
			t.Errorf("%q: %q is no token", topic, token)
		}
		if other, ok := seen[token]; ok {
			t.Errorf("%q and %q have the same token", topic, other)
		}
		seen[token] = topic
	}
}

func TestKeysAreSubjects(t *testing.T) {
	for key, want := range map[string]bool{"own.1": true, "a-b_C": true, "": false, ".a": false, "a.": false, "a..b": false,
		"a b": false, "a.*": false, ">": false, "ä": false} {
		if got := validTokens(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
	n := newNames("ns")
	if key := n.key(n.record("own.1")); key != "own.1" {
		t.Errorf("the key of a record is %q", key)
	}
}

func TestPack(t *testing.T) {
	var p packer
	for _, want := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("x"), smallest), make([]byte, maxSnapshot)} {
		packed := p.pack(want)
		got, err := unpack(packed)
		if err != nil || got == nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes are %d (%v)", len(want), len(got), err)
		}
		if len(want) >= smallest && len(packed) > len(want)/10 {
			t.Errorf("%d bytes that are all the same take %d", len(want), len(packed))
		}
	}
	for _, packed := range [][]byte{{}, {99}, {deflated, 1, 2}, p.pack(make([]byte, maxSnapshot+1))} {
		if got, err := unpack(packed); err == nil {
			t.Errorf("%.10x is %d bytes", packed, len(got))
		}
	}
}

func TestStreamsThatForgetAreRefused(t *testing.T) {
	n := newNames("ns")
	if err := checkStream(streamConfig(n, 3), n, 0); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*jetstream.StreamConfig){
		"max_age":      func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max_bytes":    func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 30 },
		"max_msgs":     func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 },
		"per_subject":  func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"storage":      func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention":    func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"allow_direct": func(c *jetstream.StreamConfig) { c.AllowDirect = false },
		"allow_atomic": func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"duplicate":    func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
		"subjects":     func(c *jetstream.StreamConfig) { c.Subjects = c.Subjects[1:] },
		"num_replicas": func(c *jetstream.StreamConfig) { c.Replicas = 1 },
	} {
		c := streamConfig(n, 3)
		change(&c)
		if err := checkStream(c, n, 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestPasswordsAreNotTold(t *testing.T) {
	for url, want := range map[string]string{"nats://a:1": "nats://a:1", "nats://u:p@a:1,nats://t@b": "nats://a:1,nats://b",
		"u:p@a": "a"} {
		if got := redacted(url); got != want {
			t.Errorf("%s is shown as %s", url, got)
		}
	}
}

// TestWhatIsWrittenTogether: saves of one epoch and of different topics, as long as they are not too many or too much.
func TestWhatIsWrittenTogether(t *testing.T) {
	save := func(topic string, epoch uint64, size int) *saving {
		return &saving{subject: topic, epoch: epoch, parts: [][]byte{make([]byte, size)}}
	}
	many := make([]*saving, 2*groupSaves)
	for i := range many {
		many[i] = save(strconv.Itoa(i), 1, 1)
	}
	for name, c := range map[string]struct {
		waiting []*saving
		want    int
	}{
		"all of them":     {[]*saving{save("a", 1, 1), save("b", 1, 1), save("c", 1, 1)}, 3},
		"another epoch":   {[]*saving{save("a", 1, 1), save("b", 1, 1), save("c", 2, 1)}, 2},
		"the same topic":  {[]*saving{save("a", 1, 1), save("b", 1, 1), save("a", 1, 1), save("c", 1, 1)}, 2},
		"too much":        {[]*saving{save("a", 1, 1), save("b", 1, groupBytes), save("c", 1, 1)}, 1},
		"too much of one": {[]*saving{save("a", 1, 2*groupBytes), save("b", 1, 1)}, 1},
		"too many":        {many, groupSaves},
	} {
		if got := fitting(c.waiting); got != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
	}
}
