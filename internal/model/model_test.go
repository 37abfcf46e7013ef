package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

const head = "wsgen: 1\nname: Chat\n"

// message returns a message by its wire name.
func message(t *testing.T, api *model.API, wire string) *model.Message {
	t.Helper()
	i := slices.IndexFunc(api.Messages, func(m *model.Message) bool { return m.Wire == wire })
	if i < 0 {
		t.Fatalf("no message %s", wire)
	}
	return api.Messages[i]
}

func named(t *testing.T, api *model.API, goName string) *model.Named {
	t.Helper()
	i := slices.IndexFunc(api.Types, func(n *model.Named) bool { return n.Go == goName })
	if i < 0 {
		t.Fatalf("no type %s", goName)
	}
	return api.Types[i]
}

func TestDefaultsOfAFile(t *testing.T) {
	api := build(t, head+"clientToServer:\n  JOIN: {a: int}\n  GET: {response: {a: int}}\n")
	if api.GoPackage != "chat" || api.Limits.MaxBytes != 64<<10 || api.Limits.Rate != nil || len(api.Kinds) != 0 {
		t.Errorf("file: %+v", api)
	}
	if s := api.Sharding; s != (model.Sharding{Shards: 1, Hash: "rendezvous", Idle: time.Minute, RoomsPerConnection: 100}) {
		t.Errorf("sharding: %+v", s)
	}
	if c := api.Claims; c.Go != "Claims" || len(c.Type.Fields) != 2 || api.UserID.Go != "UserID" || api.Roles.Go != "Roles" {
		t.Errorf("claims: %+v", c)
	}
	if m := message(t, api, "JOIN"); m.Auth.Anonymous || m.Auth.Roles != nil || m.MaxBytes != 64<<10 ||
		m.Delivery.Mode != "reliable" || m.Room != nil {
		t.Errorf("JOIN: %+v", m)
	}
	if r := message(t, api, "GET").Request; r.Timeout != 30*time.Second || r.ResponseWire != "GET_RESPONSE" || !r.ResponseBody {
		t.Errorf("GET: %+v", r)
	}
}

func TestFileDefaultsReachMessages(t *testing.T) {
	api := build(t, head+`auth: [member]
limits: {maxBytes: 1KiB}
errors: {LOCKED: {until: date-time}}
clientToServer:
  A: {x: int}
  B: {payload: {x: int}, auth: none, maxBytes: 2KiB}
  C: {response: , errors: {GONE: , LOCKED: {until: date-time}}}
`)
	a, b, c := message(t, api, "A"), message(t, api, "B"), message(t, api, "C")
	if !slices.Equal(a.Auth.Roles, []string{"member"}) || a.MaxBytes != 1024 || !b.Auth.Anonymous || b.MaxBytes != 2048 {
		t.Errorf("A %+v\nB %+v", a, b)
	}
	var codes []string
	for _, e := range c.Request.Errors {
		codes = append(codes, e.Wire+" "+e.Go+" "+e.GoDetails)
	}
	if got := strings.Join(slices.Compact(codes), ", "); !strings.HasPrefix(got,
		"LOCKED LockedError LockedDetails, GONE GoneError ") || c.Request.ResponseBody {
		t.Errorf("errors %s, response %t", got, c.Request.ResponseBody)
	}
	if len(api.Errors) != 2 {
		t.Errorf("%d errors of the file", len(api.Errors))
	}
}

func TestRoutes(t *testing.T) {
	api := build(t, head+`sharding: {key: {room: roomId, match: matchId}}
types:
  Place: {inner: Inner}
  Inner: {matchId: uuid}
clientToServer:
  A: {roomId: string, text: string}
  B: {payload: {roomId: string}, room: none}
  C: {"roomId?": string}
  D: {payload: {at: Place}, room: at.inner.matchId}
  E: {request: {matchId: int64}, response: }
  F: {roomId: string = lobby}
serverToClient:
  G: {roomId: string}
`)
	want := map[string]string{"A": "room roomId", "B": "", "C": "", "D": "match at.inner.matchId", "E": "match matchId",
		"F": "", "G": ""}
	for wire, route := range want {
		got := ""
		if r := message(t, api, wire).Room; r != nil {
			var path []string
			for _, f := range r.Path {
				path = append(path, f.Wire)
			}
			got = r.Kind.Name + " " + strings.Join(path, ".")
		}
		if got != route {
			t.Errorf("%s goes to %q, want %q", wire, got, route)
		}
	}
	if k := api.Kinds[1]; k.Go != "Match" || len(k.Messages) != 2 {
		t.Errorf("kind %+v", k)
	}
}

func TestJoined(t *testing.T) {
	api := build(t, head+"sharding: {key: roomId}\nclientToServer:\n  SAY: {payload: {text: string}, room: joined}\n")
	if r := message(t, api, "SAY").Room; !r.Joined || r.Kind.Name != "room" {
		t.Errorf("route %+v", r)
	}
}

// TestSharedAndLiftedTypes shows which Go types there are.
func TestSharedAndLiftedTypes(t *testing.T) {
	api := build(t, head+`types:
  RoomUpdate: {text: string}
  ChatMessage: {text: string, author: {name: string, role: {enum: [owner]}}}
  Mode: {enum: [a]}
clientToServer:
  GET: {request: ChatMessage, response: {all: [{id: int}], byName: "map<ChatMessage>"}, progress: RoomUpdate}
serverToClient:
  ROOM_UPDATE: RoomUpdate
  ROOM_MESSAGE: ChatMessage
  TEXT: string(1..5)
  LIST: [ChatMessage]
  NOTHING:
`)
	var got []string
	for _, n := range api.Types {
		got = append(got, fmt.Sprintf("%s=%s %t", n.Go, n.Path, n.IsMessage))
	}
	want := []string{"RoomUpdate=RoomUpdate true", "ChatMessage=ChatMessage false", "Mode=Mode false",
		"ChatMessageAuthor=ChatMessage.author false", "ChatMessageAuthorRole=ChatMessage.author.role false",
		"GetResponse=GET.response false", "GetResponseAllItem=GET.response.all.items false",
		"RoomMessage=ROOM_MESSAGE true", "Text=TEXT true", "List=LIST true", "Nothing=NOTHING true"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if get := message(t, api, "GET"); get.Payload.Go != "ChatMessage" || get.Request.Progress.Go != "RoomUpdate" {
		t.Errorf("GET takes %s", get.Payload.Go)
	}
	if m := message(t, api, "ROOM_MESSAGE").Payload; m.Type.Kind != model.Ref || m.Type.Ref.Go != "ChatMessage" {
		t.Errorf("ROOM_MESSAGE is %+v", m.Type)
	}
	if m := message(t, api, "NOTHING"); m.HasBody || m.Payload.Type.Kind != model.Struct {
		t.Errorf("NOTHING is %+v", m)
	}
}

func TestPresence(t *testing.T) {
	api := build(t, head+`types:
  List: [int]
  T:
    a: string
    b?: string
    c: string | null
    d?: string | null
    e: string = x
    f: string | null = null
    g?: [string]
    h?: List
    i?: any
    j: [string]
    k: List = []
`)
	want := []model.Presence{model.Plain, model.Pointer, model.Pointer, model.ThreeState, model.Plain, model.Pointer,
		model.NilZero, model.NilZero, model.NilZero, model.Plain, model.Plain}
	for i, f := range named(t, api, "T").Type.Fields {
		if f.Presence() != want[i] {
			t.Errorf("%s: %d, want %d", f.Wire, f.Presence(), want[i])
		}
	}
	if !named(t, api, "T").HasDefaults || named(t, api, "List").HasDefaults {
		t.Error("only T has defaults")
	}
}

func TestGoNames(t *testing.T) {
	api := build(t, head+`clientToServer:
  HANDLER: {x: int}
  CLOSE: {x: int}
  ON_LEAVE: {x: int}
  2FA: {payload: {marshalJSON: string}, go: {name: TwoFactor}}
`)
	var got []string
	for _, m := range api.Messages {
		got = append(got, m.Go+" "+m.GoClient)
	}
	if s := strings.Join(got,
		", "); s != "HandlerMessage HandlerMessage, Close SendClose, OnLeaveMessage OnLeaveMessage, TwoFactor TwoFactor" {
		t.Error(s)
	}
	if f := message(t, api, "2FA").Payload.Type.Fields[0]; f.Go != "MarshalJSONField" {
		t.Errorf("the field is %s", f.Go)
	}
}

func TestBounds(t *testing.T) {
	api := build(t, head+`types:
  T: {a: int8(-5..), b: uint32(..1e3), c: float(0.5..), d: bytes(2..4), e: string(3), f: int, g: float}
`)
	var got []string
	for _, f := range named(t, api, "T").Type.Fields {
		s := f.Wire + " " + f.Type.Min + ".." + f.Type.Max
		if f.Type.MinLen != nil {
			s += fmt.Sprint(" ", *f.Type.MinLen, "..", *f.Type.MaxLen)
		}
		got = append(got, s)
	}
	want := "a -5..127, b 0..1000, c 0.5.., d .. 1..6, e .. 3..3, f -9007199254740991..9007199254740991, g .."
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestOneFindingPerMistake builds files with one mistake that much depends on.
func TestOneFindingPerMistake(t *testing.T) {
	for name, src := range map[string]string{
		"unknown type of a key": "sharding: {key: roomId}\nclientToServer:\n  A: {payload: {roomId: RoomID}, room: roomId}\n" +
			"serverToClient:\n  B: {payload: {id: int}, delivery: latest by id}\n",
		"broken declared type": "types:\n  A: {x: strng}\n  B: A\nclientToServer:\n  C: {a: A, b: B, \"c\": " +
			"\"map<B>\"}\n  D: B\n",
		"broken alias": "types:\n  A: strng\n  B: A\nclientToServer:\n  C: {a: A = 5, b: \"B | null = null\", c: " +
			"\"map<B, int>\"}\n  D: {payload: B, room: none}\n",
		"circle of aliases":        "types:\n  A: B\n  B: A\nclientToServer:\n  C: {a: A = 5, b: \"map<B, int>\"}\n  D: B\n",
		"an alias in a field":      "types:\n  A: &x {b: int}\nclientToServer:\n  C: A\n",
		"a comma in a map":         "sharding: {key: m}\nclientToServer:\n  C: {payload: {m: map<string, int>}, room: m}\n",
		"broken claims":            "claims: {userId: strng}\nclientToServer:\n  C: {payload: {a: int}}\n",
		"a standard code":          "errors: {NOT_FOUND: {a: int}}\nclientToServer:\n  C: {response: {a: int}}\n",
		"an unknown progress type": "clientToServer:\n  C: {response: {a: int}, progress: Progress}\n",
	} {
		var diags diag.List
		api := model.Build(schema.Parse("messages.yaml", []byte(head+src), &diags), &diags)
		if found := diags.Sorted(); api != nil || len(found) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
