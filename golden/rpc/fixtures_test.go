package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/rpc/rpc"
)

// A fixture is a conversation; fixtures/README.md says what the steps are.
type fixture struct {
	About    string
	Only     []string
	Profiles []string // none: all
	Steps    []step
}

type step struct {
	Call          string
	With          json.RawMessage
	C2S, S2C      map[string]any
	Result, Error json.RawMessage
	Progress      any
	Unknown       string
	Abort         bool
	Close         *struct {
		Code   websocket.StatusCode
		Reason string
	}
	Lost    *struct{ MaybeApplied bool }
	State   string
	Connect json.RawMessage
	Before  bool // on the connection before the last one
}

// profiles are the subprotocols that a fixture is replayed in.
var profiles = []string{"", "wsgen.v1"}

// fixtures runs a function for each conversation of a side, in each profile.
func fixtures(t *testing.T, side string, replay func(t *testing.T, f *fixture, profile string)) {
	files, err := filepath.Glob("fixtures/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := new(fixture)
		if err := json.Unmarshal(data, f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f.Only != nil && !slices.Contains(f.Only, side) {
			continue
		}
		for _, profile := range profiles {
			if f.Profiles != nil && !slices.Contains(f.Profiles, profile) {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(name), ".json")+"/"+profile, func(t *testing.T) { replay(t, f, profile) })
		}
	}
}

// matches compares a value of JSON with what is wanted of it.
func matches(want, got any, names map[string]any) bool {
	switch want := want.(type) {
	case string:
		if want == "*" {
			return got != nil
		}
		if !strings.HasPrefix(want, "$") || strings.HasPrefix(want, "$ws:") {
			break
		}
		if _, known := names[want]; !known {
			names[want] = got
		}
		return reflect.DeepEqual(names[want], got)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !matches(want[i], list[i], names) {
				return false
			}
		}
		return true
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok || len(members) != len(want) {
			return false
		}
		for key := range want {
			if !matches(want[key], members[key], names) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, got)
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if meta, ok := v["meta"].(map[string]any); ok {
		delete(meta, "timeoutMs")
	}
	return v
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestServerFixtures sends what clients do, and compares what comes back.
func TestServerFixtures(t *testing.T) {
	fixtures(t, "server", func(t *testing.T, f *fixture, profile string) {
		_, _, s := start(t)
		conn := wstest.Dial(t, s, "/?access_token=ann", slices.DeleteFunc([]string{profile}, func(p string) bool { return p == "" })...)
		for i, step := range f.Steps {
			switch {
			case step.Connect != nil:
				conn = connectAs(t, s, step.Connect)
			case step.C2S != nil:
				conn.Send(string(encoded(t, step.C2S)))
			case step.S2C != nil:
				if got := object(t, []byte(conn.Next())); !matches(step.S2C, got, map[string]any{"$1": "$1", "$2": "$2", "$3": "$3"}) {
					t.Fatalf("step %d: got %s, want %s", i, encoded(t, got), encoded(t, step.S2C))
				}
			}
		}
	})
}

// connectAs connects as a client does, and compares the subprotocol that it is given.
func connectAs(t *testing.T, s *wstest.Server, how []byte) *wstest.RawConn {
	t.Helper()
	var c struct {
		Path, Chosen string
		Offered      []string
	}
	if err := json.Unmarshal(how, &c); err != nil {
		t.Fatal(err)
	}
	conn := wstest.Dial(t, s, c.Path, c.Offered...)
	if got := conn.Subprotocol(); got != c.Chosen {
		t.Fatalf("%s: the server chose %q", how, got)
	}
	return conn
}

// outcome is what a program is told of its call.
type outcome struct {
	result any
	err    error
}

// program is a client and what it is told.
type program struct {
	t        *testing.T
	c        *rpc.Client
	progress chan any
	unknown  chan string
	states   chan string
	calls    chan outcome
	abort    context.CancelFunc // ends the last call
}

// call calls a method by its name in TypeScript.
func (p *program) call(name string, with json.RawMessage) {
	p.t.Helper()
	if name == "ping" {
		if err := p.c.Ping(p.t.Context(), &rpc.Ping{}); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	var ctx context.Context
	ctx, p.abort = context.WithCancel(p.t.Context())
	go func() {
		result, err := p.request(ctx, name, with)
		p.calls <- outcome{result, err}
	}()
}

func (p *program) request(ctx context.Context, name string, with json.RawMessage) (any, error) {
	read := func(v any) any {
		if err := json.Unmarshal(with, v); err != nil {
			p.t.Error(err)
		}
		return v
	}
	switch name {
	case "getItem":
		return p.c.GetItem(ctx, read(new(rpc.GetItemRequest)).(*rpc.GetItemRequest))
	case "touch":
		_, err := p.c.Touch(ctx, read(new(rpc.Item)).(*rpc.Item))
		return nil, err
	case "listItems":
		return p.c.ListItems(ctx, &rpc.ListItemsRequest{})
	case "count":
		return p.c.Count(ctx, read(new(rpc.CountRequest)).(*rpc.CountRequest), func(v *rpc.CountProgress) { p.progress <- v })
	}
	return nil, fmt.Errorf("no method %s", name)
}

// told waits for something that the program is told.
func told[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(wstest.Patience):
		t.Fatal("the program is told nothing")
		panic("unreachable")
	}
}

// accepting accepts one connection and hands it over.
func accepting(t *testing.T, profile string) (*wstest.Server, <-chan *websocket.Conn) {
	conns := make(chan *websocket.Conn, 1)
	return wstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{profile}})
		if err != nil {
			t.Error(err)
			return
		}
		conns <- conn
	})), conns
}

// newProgram connects a client, and returns it with the server's end of its connections.
func newProgram(t *testing.T, profile string) (*program, <-chan *websocket.Conn) {
	t.Helper()
	s, conns := accepting(t, profile)
	p := &program{t: t, progress: make(chan any, 10), unknown: make(chan string, 10), states: make(chan string, 10),
		calls: make(chan outcome, 1), abort: func() {}}
	var err error
	p.c, err = rpc.Dial(t.Context(), s.URL(), rpc.Events{}, s.Dialer(),
		client.WithOnUnknown(func(name string, _ []byte) { p.unknown <- name }),
		client.WithOnState(func(s client.State, _ error) { p.states <- s.String() }),
		client.WithBackoff(client.Backoff{Base: time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.abort()
		p.c.Close()
	})
	return p, conns
}

// TestClientFixtures plays the server, and compares what the client sends and what its program is told.
func TestClientFixtures(t *testing.T) {
	fixtures(t, "client", func(t *testing.T, f *fixture, profile string) {
		p, conns := newProgram(t, profile)
		current := told(t, conns)
		names := map[string]any{}
		var before *websocket.Conn
		for i, step := range f.Steps {
			conn := current
			if step.Before {
				conn = before
			}
			switch {
			case step.Connect != nil:
				before, current = current, told(t, conns)
			case step.Close != nil:
				if err := conn.Close(step.Close.Code, step.Close.Reason); err != nil {
					t.Fatal(err)
				}
			case step.C2S != nil:
				_, data, err := conn.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := object(t, data); !matches(step.C2S, got, names) {
					t.Fatalf("step %d: the client sent %s, want %s", i, data, encoded(t, step.C2S))
				}
			case step.S2C != nil:
				if err := conn.Write(t.Context(), websocket.MessageText, encoded(t, named(step.S2C, names))); err != nil {
					t.Fatal(err)
				}
			default:
				p.step(i, step)
			}
		}
		for _, conn := range []*websocket.Conn{before, current} {
			if conn != nil {
				_ = conn.CloseNow()
			}
		}
	})
}

// step is what the program does and is told.
func (p *program) step(i int, step step) {
	t := p.t
	t.Helper()
	switch {
	case step.Call != "":
		p.call(step.Call, step.With)
	case step.Abort:
		p.abort()
		if err := told(t, p.calls).err; !errors.Is(err, context.Canceled) {
			t.Fatalf("step %d: the call ended with %v", i, err)
		}
	case step.Lost != nil:
		if err := told(t, p.calls).err; !errors.Is(err, client.ErrDisconnected) && !errors.Is(err, client.ErrClosed) {
			t.Fatalf("step %d: the call ended with %v", i, err)
		}
	case step.State != "":
		if got := told(t, p.states); got != step.State {
			t.Fatalf("step %d: the client is %s, want %s", i, got, step.State)
		}
	case step.Progress != nil:
		if got := told(t, p.progress); string(encoded(t, got)) != string(encoded(t, step.Progress)) {
			t.Fatalf("step %d: progress %s, want %s", i, encoded(t, got), encoded(t, step.Progress))
		}
	case step.Unknown != "":
		if got := told(t, p.unknown); got != step.Unknown {
			t.Fatalf("step %d: unknown %s, want %s", i, got, step.Unknown)
		}
	case step.Error != nil:
		wantError(t, told(t, p.calls).err, step.Error)
	default:
		wantResult(t, told(t, p.calls), step.Result)
	}
}

// named puts in what stands for a name.
func named(v any, names map[string]any) any {
	switch v := v.(type) {
	case string:
		if value, ok := names[v]; ok {
			return value
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = named(value, names)
		}
		return out
	}
	return v
}

func wantResult(t *testing.T, got outcome, want json.RawMessage) {
	t.Helper()
	if got.err != nil {
		t.Fatal(got.err)
	}
	var value any
	if err := json.Unmarshal(want, &value); err != nil {
		t.Fatal(err)
	}
	var is any
	if err := json.Unmarshal(encoded(t, got.result), &is); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(value, is) {
		t.Fatalf("the result is %v, want %s", is, want)
	}
}

func wantError(t *testing.T, err error, data json.RawMessage) {
	t.Helper()
	var want struct {
		Code         wsrt.Code
		Retryable    bool
		MaybeApplied *bool
		Details      *struct{ ID uint32 }
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	e, ok := errors.AsType[*wsrt.Error](err)
	if !ok || e.Code() != want.Code || e.Retryable() != want.Retryable {
		t.Fatalf("the error is %v, want %s", err, data)
	}
	maybe, known := client.MaybeApplied(err)
	if known != (want.MaybeApplied != nil) || known && maybe != *want.MaybeApplied {
		t.Fatalf("maybe applied %v, %v; want %s", maybe, known, data)
	}
	if want.Details == nil {
		return
	}
	if none, ok := errors.AsType[*rpc.NoSuchItemError](err); !ok || none.Details.ID != want.Details.ID {
		t.Fatalf("the details of %v are not those of %s", err, data)
	}
}
