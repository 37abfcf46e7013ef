package natscluster

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// names are the subjects of a namespace, and its stream.
type names struct {
	stream string
	prefix string // "wsg.<namespace>."
}

func newNames(namespace string) names {
	return names{stream: "WSG_" + namespace, prefix: "wsg." + namespace + "."}
}

// subjects are what the stream keeps.
func (n names) subjects() []string {
	return []string{n.records(), n.prefix + "snap.>", n.prefix + "fence.*", n.barrier()}
}

// record is the subject of a record of the directory. The record of a slot must be in the same stream as what it fences: it is
// here that slots can be put into several streams.
func (n names) record(key string) string { return n.prefix + "d." + key }

// key is the other way round.
func (n names) key(subject string) string { return strings.TrimPrefix(subject, n.prefix+"d.") }

// records are all records of the directory.
func (n names) records() string { return n.prefix + "d.>" }

// snapshot is the subject of a topic's snapshot; further parts of a large one are below it.
func (n names) snapshot(slot int, topic string) string {
	return n.prefix + "snap." + strconv.Itoa(slot) + "." + topicToken(topic)
}

// fence is the subject of a message without content that carries the condition of a batch for a slot.
func (n names) fence(slot int) string { return n.prefix + "fence." + strconv.Itoa(slot) }

// barrier is the subject of a message without content that tells fresh replicas from late ones.
func (n names) barrier() string { return n.prefix + "sync" }

// node is the subject of an address.
func (n names) node(address string) string { return n.prefix + "n." + address }

// edge is the subject of calls of programs that are no nodes.
func (n names) edge() string { return n.prefix + "q" }

// topicToken makes one token of a subject of any topic: its text in base64url, or a hash of it where that would be long.
func topicToken(topic string) string {
	if len(topic) <= 96 {
		return "t" + base64.RawURLEncoding.EncodeToString([]byte(topic))
	}
	sum := sha256.Sum256([]byte(topic))
	return "h" + hex.EncodeToString(sum[:])
}

// validTokens says whether keys and addresses can be part of a subject as they are.
func validTokens(s string) bool {
	for token := range strings.SplitSeq(s, ".") {
		if !validToken(token) {
			return false
		}
	}
	return true
}

func validToken(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}
