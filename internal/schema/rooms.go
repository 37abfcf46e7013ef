package schema

// This file reads what rooms keep and tell: history, presence, state.

import (
	"math"
	"strings"
	"time"
)

// history reads true, or {messages, bytes, age}.
func (p *parser) history(top entry) *History {
	h := &History{Pos: top.pos}
	if top.value.kind == scalar {
		if !p.boolean(top.value, "history") {
			return nil
		}
		return h
	}
	if !p.isMapping(top.value, "history") {
		return nil
	}
	for _, e := range top.value.entries {
		switch e.key {
		case "messages":
			h.Messages = p.integer(e.value, "messages", 1, 1<<20)
		case "bytes":
			h.Bytes = p.size(e.value, "bytes")
		case "age":
			h.Age = p.duration(e.value, "age")
		default:
			p.unknownKey(e, "in history", []string{"messages", "bytes", "age"})
		}
	}
	return h
}

// presence reads true, or {limit}.
func (p *parser) presence(top entry) *Presence {
	v := &Presence{Pos: top.pos}
	if top.value.kind == scalar {
		if !p.boolean(top.value, "presence") {
			return nil
		}
		return v
	}
	if !p.isMapping(top.value, "presence") {
		return nil
	}
	for _, e := range top.value.entries {
		if e.key != "limit" {
			p.unknownKey(e, "in presence", []string{"limit"})
			continue
		}
		v.Limit = p.integer(e.value, "limit", 1, math.MaxInt32)
	}
	return v
}

// state reads what is kept of a room when its shard goes: nothing, or snapshots.
func (p *parser) state(n *node) *State {
	switch every, ok := strings.CutPrefix(n.text, "snapshot"); {
	case n.text == "logged":
		p.unsupported(n.pos, "logged rooms are")
	case ok && n.kind == scalar && every == "":
		return &State{Pos: n.pos}
	case ok && n.kind == scalar && strings.HasPrefix(every, "(") && strings.HasSuffix(every, ")"):
		d, err := time.ParseDuration(strings.Trim(every, "()"))
		if err == nil && d > 0 {
			return &State{Pos: n.pos, Every: d}
		}
		p.errorf(n.pos, "bad-value", "write snapshot(30s)", "%q is no time", strings.Trim(every, "()"))
	default:
		p.oneOf(n, "state", "ephemeral", "snapshot", "snapshot(30s)", "logged")
	}
	return nil
}
