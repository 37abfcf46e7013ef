package breaking

import (
	"slices"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// messages pairs the messages of both versions by their names.
func (c *comparison) messages() {
	news := make(map[string]*Message)
	for _, m := range c.new.Messages {
		news[m.Name] = m
	}
	olds := make(map[string]*Message)
	for _, m := range c.old.Messages {
		olds[m.Name] = m
	}
	var added []*Message
	for _, m := range c.new.Messages {
		if olds[m.Name] == nil {
			added = append(added, m)
		}
	}
	for _, old := range c.old.Messages {
		if new := news[old.Name]; new != nil {
			c.message(old, new)
			continue
		}
		if i := slices.IndexFunc(added, func(m *Message) bool { return c.samePayload(old, m) }); i >= 0 {
			c.each(old, func(d Direction) {
				c.change("message-renamed", d, old.Name, added[i].pos, "keep the old name, and add the new message beside it",
					"%s was called %s in %s, with the same payload", added[i].Name, old.Name, c.label())
			})
			added = slices.Delete(added, i, i+1)
			continue
		}
		c.removed(old)
	}
	for _, m := range added {
		if slices.Contains(c.old.Reserved, m.Name) {
			c.each(m, func(d Direction) {
				c.change("message-reserved-reused", d, m.Name, m.pos, "choose another name", "the name %s was reserved in %s",
					m.Name, c.label())
			})
		}
		c.each(m, func(d Direction) { c.change("message-added", d, m.Name, m.pos, "", "%s is new", m.Name) })
	}
}

// each calls f for the directions that a message goes in.
func (c *comparison) each(m *Message, f func(d Direction)) {
	if m.Direction != "serverToClient" {
		f(ClientToServer)
	}
	if m.Direction != "clientToServer" {
		f(ServerToClient)
	}
}

// removed reports a message that is gone. One that was said to go, and whose day has passed, is no surprise.
func (c *comparison) removed(old *Message) {
	if old.Deprecated && old.Sunset != "" && old.Sunset <= now().Format(time.DateOnly) {
		return
	}
	if old.Name == model.PresenceWire {
		c.change("presence-removed", ServerToClient, "sharding", c.new.pos, "", "members are not told of each other any more")
		return
	}
	c.each(old, func(d Direction) {
		c.change("message-removed", d, old.Name, c.new.pos,
			"keep it with deprecated: and sunset: for a while, then put its name into reserved:",
			"%s is gone (it was at %v in %s)", old.Name, where(old.pos), c.label())
	})
}

var now = time.Now

func where(pos diag.Pos) string {
	if pos.Line == 0 {
		return "an unknown place"
	}
	return pos.String()
}

// samePayload reports whether two messages differ in their names only.
func (c *comparison) samePayload(old, new *Message) bool {
	if old.Direction != new.Direction || old.Request != new.Request || old.Payload == "" || new.Payload == "" {
		return false
	}
	text := func(p *Protocol, name string) string {
		raw, err := jsonschema.Marshal(jsonschema.Printer{}.Schema(p.definitions[name]))
		if err != nil {
			return ""
		}
		return string(raw)
	}
	return text(c.old, old.Payload) == text(c.new, new.Payload)
}

func (c *comparison) message(old, new *Message) {
	if old.Direction != new.Direction {
		id := "message-direction-narrowed"
		if new.Direction == "both" {
			id = "message-direction-widened"
		}
		c.each(old, func(d Direction) {
			c.change(id, d, new.Name, new.pos, "", "%s is under %s instead of %s", new.Name, new.Direction, old.Direction)
		})
		if id == "message-direction-narrowed" {
			return
		}
	}
	if old.Request != new.Request {
		c.each(old, func(d Direction) {
			c.change("message-kind-changed", d, new.Name, new.pos, "add a message of another name", "%s is %s instead of %s",
				new.Name, kindWord(new), kindWord(old))
		})
		return
	}
	part := "payload"
	if new.Request {
		part = "request"
	}
	c.each(old, func(d Direction) { c.body(new.Name+"."+part, old.Payload, new.Payload, d, new.pos) })
	if old.Meta != "" || new.Meta != "" {
		c.each(old, func(d Direction) { c.body(new.Name+".meta", old.Meta, new.Meta, d, new.pos) })
	}
	c.attributes(old, new)
	if new.Request {
		c.request(old, new)
	}
}

func kindWord(m *Message) string {
	if m.Request {
		return "a request"
	}
	return "an event"
}

// body compares a part of a message, by the names of its definitions.
func (c *comparison) body(path, old, new string, d Direction, pos diag.Pos) {
	o, n := c.old.definitions[old], c.new.definitions[new]
	switch {
	case old == "" && new == "":
	case old == "":
		id := "message-payload-added"
		if len(n.Required) == 0 {
			id = "message-payload-added/optional"
		}
		c.change(id, d, path, n.Pos, "add a message of another name", "%s is new, and has to be there", path)
	case new == "":
		c.change("message-payload-removed", d, path, pos, "keep it", "%s is gone", path)
	default:
		c.root, c.steps = path, 0
		if message, _, _ := strings.Cut(path, "."); old == new && new != message && !strings.HasPrefix(new, message+".") {
			o, n = &jsonschema.Schema{Ref: old}, &jsonschema.Schema{Ref: new} // a declared type
		}
		c.schemas(o, n, at{path: path, direction: d, pos: pos})
	}
}

func (c *comparison) attributes(old, new *Message) {
	client := new.Direction != "serverToClient"
	report := func(id string, d Direction, format string, args ...any) {
		c.change(id, d, new.Name, new.pos, "", format, args...)
	}
	switch {
	case new.Deprecated && !old.Deprecated:
		report("message-deprecated", ClientToServer, "%s is deprecated", new.Name)
	case !new.Deprecated && old.Deprecated:
		report("message-undeprecated", ClientToServer, "%s is not deprecated any more", new.Name)
	}
	if new.Sunset != "" && old.Sunset != "" && new.Sunset < old.Sunset {
		report("sunset-moved-earlier", ClientToServer, "%s goes away on %s, not on %s", new.Name, new.Sunset, old.Sunset)
	}
	if old.Delivery == "reliable" && new.Delivery != "reliable" && new.Direction != "clientToServer" {
		report("delivery-weakened", ServerToClient, "a slow reader may miss some of %s", new.Name)
	}
	if new.MaxBytes < old.MaxBytes && client {
		report("limit-size-lowered", ClientToServer, "a frame of %s may have %d bytes instead of %d", new.Name, new.MaxBytes,
			old.MaxBytes)
	}
	if lowerRate(old.Rate, new.Rate) {
		report("limit-rate-lowered", ClientToServer, "%s may be sent less often", new.Name)
	}
	if old.Go != new.Go {
		report("go-name-changed", ClientToServer, "%s is %s in Go instead of %s", new.Name, new.Go, old.Go)
	}
	if old.TS != new.TS {
		report("ts-name-changed", ClientToServer, "%s is %s in TypeScript instead of %s", new.Name, new.TS, old.TS)
	}
	if client {
		c.auth(old, new)
		c.room(old, new)
	}
}

// lowerRate reports whether a bucket gives less than before.
func lowerRate(old, new *model.Rate) bool {
	switch {
	case new == nil:
		return false
	case old == nil:
		return true
	}
	perHour := func(r *model.Rate) float64 { return float64(r.Limit) * float64(time.Hour) / float64(r.Per) }
	return perHour(new) < perHour(old) || new.Burst < old.Burst
}

func (c *comparison) auth(old, new *Message) {
	loses := func(a, b *Message) bool { // whether somebody of a is not in b
		switch {
		case b.Anonymous:
			return false
		case a.Anonymous:
			return true
		case len(b.Roles) == 0:
			return false
		case len(a.Roles) == 0:
			return true
		}
		return slices.ContainsFunc(a.Roles, func(role string) bool { return !slices.Contains(b.Roles, role) })
	}
	if loses(old, new) {
		c.change("auth-tightened", ClientToServer, new.Name, new.pos, "", "some who could send %s may not any more", new.Name)
	}
	if loses(new, old) {
		c.change("auth-loosened", ClientToServer, new.Name, new.pos, "have it looked at by who knows why it was so",
			"some may send %s who could not", new.Name)
	}
}

func (c *comparison) room(old, new *Message) {
	switch {
	case old.Room == new.Room:
	case old.Room == "":
		c.change("room-key-added", ClientToServer, new.Name, new.pos, "", "%s goes to the room of %s", new.Name, new.Room)
	case new.Room == "":
		c.change("room-key-removed", ClientToServer, new.Name, new.pos, "", "%s does not go to the room of %s any more",
			new.Name, old.Room)
	default:
		c.change("room-key-changed", ClientToServer, new.Name, new.pos, "", "%s goes to the room of %s instead of %s", new.Name,
			new.Room, old.Room)
	}
}

// request compares what a request has beyond an event.
func (c *comparison) request(old, new *Message) {
	report := func(id string, d Direction, format string, args ...any) {
		c.change(id, d, new.Name, new.pos, "", format, args...)
	}
	c.body(new.Name+".response", old.Response, new.Response, ServerToClient, new.pos)
	switch {
	case old.Progress == "" && new.Progress != "":
		report("rpc-progress-added", ServerToClient, "%s reports progress", new.Name)
	case old.Progress != "" && new.Progress == "":
		report("rpc-progress-removed", ServerToClient, "%s reports no progress any more", new.Name)
	default:
		c.body(new.Name+".progress", old.Progress, new.Progress, ServerToClient, new.pos)
	}
	if old.ReplyName != new.ReplyName {
		report("rpc-response-type-changed", ServerToClient, "the reply to %s is called %s instead of %s", new.Name, new.ReplyName,
			old.ReplyName)
	}
	if old.Idempotent && !new.Idempotent {
		report("rpc-idempotent-removed", ClientToServer, "%s may not be repeated any more, and old clients do", new.Name)
	}
	if new.Timeout < old.Timeout {
		report("rpc-timeout-shortened", ClientToServer, "%s has %v to be answered instead of %v", new.Name, new.Timeout,
			old.Timeout)
	}
	c.codes(old, new)
}

func (c *comparison) codes(old, new *Message) {
	find := func(list []ErrorCode, code string) *ErrorCode {
		for i := range list {
			if list[i].Code == code {
				return &list[i]
			}
		}
		return nil
	}
	for _, n := range new.Errors {
		o := find(old.Errors, n.Code)
		if o == nil {
			c.change("rpc-error-added", ServerToClient, new.Name+".errors", new.pos, "", "%s may fail with %s", new.Name, n.Code)
			continue
		}
		if o.Retryable != n.Retryable {
			c.change("rpc-error-retryable-changed", ServerToClient, new.Name+".errors", new.pos, "",
				"whether %s may be repeated after %s has changed", new.Name, n.Code)
		}
		switch path := new.Name + ".errors." + n.Code; {
		case o.Details == "" && n.Details != "":
			c.change("rpc-error-details-added", ServerToClient, path, new.pos, "", "%s has details", path)
		case o.Details != "" && n.Details == "":
			c.change("rpc-error-details-removed", ServerToClient, path, new.pos, "keep them", "%s has no details any more", path)
		default:
			c.body(strings.Join([]string{new.Name, "errors", n.Code}, "."), o.Details, n.Details, ServerToClient, new.pos)
		}
	}
	for _, o := range old.Errors {
		if find(new.Errors, o.Code) == nil {
			c.change("rpc-error-removed", ServerToClient, new.Name+".errors", new.pos, "", "%s does not fail with %s any more",
				new.Name, o.Code)
		}
	}
}
