package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"

	"github.com/wsgen/wsgen/conformance/talk"
)

// events are callbacks that tell of each event as the README has it.
func events(told func(kind string, v any)) talk.Events {
	event := func(name string, m any) {
		e := map[string]any{"type": name}
		if m != nil {
			e["payload"] = m
		}
		told("event", e)
	}
	return talk.Events{
		Note:     func(context.Context, *talk.Note) { event("NOTE", nil) },
		News:     func(_ context.Context, m *talk.News) { event("NEWS", m) },
		Presence: func(_ context.Context, m *talk.Presence) { event("$ws:presence", m) },
		Notify: func(_ context.Context, m *talk.Notify) {
			payload := map[string]any{"n": m.N, "level": string(m.Level)}
			if unknown, ok := m.Body.(*talk.UnknownBody); ok {
				payload["body"] = map[string]any{"unknown": unknown.JSON}
			} else if m.Body != nil {
				payload["body"] = m.Body
			}
			told("event", map[string]any{"type": "NOTIFY", "payload": payload, "meta": m.Meta})
		},
	}
}

// call calls what a client has for a message, or for itself, by its name in TypeScript.
func (p *player) call(name string, with any) {
	p.t.Helper()
	var ctx context.Context
	ctx, p.abort = context.WithCancel(context.Background())
	go func() {
		result, err := p.invoke(ctx, name, with)
		if err != nil {
			p.told["outcome"] <- outcome(err)
		} else if result != nil {
			p.told["outcome"] <- map[string]any{"result": result}
		}
	}()
}

// nothing is the result of a request that has none.
var nothing = json.RawMessage("null")

// invoke returns nil for the result of an event. What the program says is not checked here.
func (p *player) invoke(ctx context.Context, name string, with any) (any, error) {
	c, roomID := p.c, text(with, "roomId")
	switch name {
	case "ping":
		return nil, c.Ping(ctx, &talk.Ping{})
	case "poke":
		return nil, c.Poke(ctx, &talk.Poke{})
	case "join":
		return nil, c.Join(ctx, &talk.Join{RoomID: roomID})
	case "leave":
		return nil, c.Leave(ctx, &talk.Leave{RoomID: roomID})
	case "say":
		others := members(with)["others"] == true
		return nil, c.Say(ctx, &talk.Say{RoomID: roomID, Text: text(with, "text"), Others: others})
	case "ring":
		trace := text(members(with)["meta"], "trace")
		return nil, c.Ring(ctx, &talk.Ring{N: int32(number(with, "n")), Meta: &talk.RingMeta{Trace: &trace}})
	case "close":
		return nil, c.Close()
	case "refresh":
		return nothing, c.Refresh(ctx, text(with, "token"))
	case "getItem":
		return c.GetItem(ctx, &talk.GetItemRequest{ID: uint32(number(with, "id"))})
	case "count":
		return c.Count(ctx, &talk.CountRequest{To: uint32(number(with, "to"))}, func(v *talk.CountProgress) { p.told["progress"] <- v })
	case "listItems":
		return c.ListItems(ctx, &talk.ListItemsRequest{})
	case "touch":
		_, err := c.Touch(ctx, &talk.Item{ID: uint32(number(with, "id")), Name: text(with, "name")})
		return nothing, err
	case "knock":
		_, err := c.Knock(ctx, &talk.KnockRequest{})
		return nothing, err
	case "missing":
		_, err := c.Missing(ctx, &talk.MissingRequest{})
		return nothing, err
	}
	return nil, fmt.Errorf("no method %s", name)
}

// outcome is what became of a call that failed.
func outcome(err error) map[string]any {
	if invalid, ok := errors.AsType[*wsrt.InvalidMessageError](err); ok {
		paths := []string{}
		for _, issue := range invalid.Issues {
			paths = append(paths, issue.Path)
		}
		return map[string]any{"invalid": map[string]any{"paths": paths}}
	}
	if strings.Contains(err.Error(), "maxBytes") {
		return map[string]any{"invalid": map[string]any{"paths": []string{""}}}
	}
	if errors.Is(err, context.Canceled) {
		return map[string]any{"abort": true}
	}
	got := failure(err)
	if got["reason"] == nil {
		return map[string]any{"error": got}
	}
	got["maybeApplied"], _ = client.MaybeApplied(err)
	return map[string]any{"lost": got}
}

// failure is an error as the README has it.
func failure(err error) map[string]any {
	e, ok := errors.AsType[*wsrt.Error](err)
	if !ok {
		for reason, is := range map[string]error{
			"disconnected": client.ErrDisconnected, "closed": client.ErrClosed, "queue-full": client.ErrQueueFull,
		} {
			if errors.Is(err, is) {
				return map[string]any{"reason": reason}
			}
		}
		return map[string]any{"reason": "other"}
	}
	got := map[string]any{"code": e.Code(), "retryable": e.Retryable()}
	if ms := e.RetryAfter().Milliseconds(); ms > 0 {
		got["retryAfterMs"] = ms
	}
	if maybe, known := client.MaybeApplied(err); known {
		got["maybeApplied"] = maybe
	}
	switch details := e.Details().(type) {
	case nil:
	case *wsrt.InvalidDetails:
		got["details"] = map[string]any{"issues": details.Issues}
	default:
		got["details"] = details
	}
	return got
}
