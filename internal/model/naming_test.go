package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

// TestMessageNames has the Go and TypeScript names of messages.
func TestMessageNames(t *testing.T) {
	for wire, want := range map[string]string{
		"JOIN_ROOM": "JoinRoom joinRoom", "joinRoom": "JoinRoom joinRoom", "JoinRoom": "JoinRoom joinRoom",
		"join-room":   "JoinRoom joinRoom",
		"ROOM UPDATE": "RoomUpdate roomUpdate", "GET_USER_ID": "GetUserID getUserId", "GET_USER_IDS": "GetUserIDs getUserIds",
		"HTTP_2_PUSH": "HTTP2Push http2Push", "2FA_CODE": "X2faCode _2faCode", "ROOM:JOIN": "RoomJoin roomJoin",
		"SYNC.DELTAS": "SyncDeltas syncDeltas",
		"auth.LOGIN":  "AuthLogin authLogin", "session.update": "SessionUpdate sessionUpdate",
		"response.output_audio.delta": "ResponseOutputAudioDelta responseOutputAudioDelta",
		"XMLHttpRequest":              "XMLHTTPRequest xmlHttpRequest",
		"OAUTH2_TOKEN":                "Oauth2Token oauth2Token", "IPV6_ADDR": "Ipv6Addr ipv6Addr", "AB": "Ab ab",
		"ÜBER_RAUM": "ÜberRaum überRaum",
		"房间_加入":     "X房间加入 房间加入", "TYPE": "Type type", "FUNC": "Func func", "MAP": "Map map", "SELECT": "Select select",
		"HANDLER": "HandlerMessage handler", "CLIENT": "ClientMessage client", "SERVER": "ServerMessageMessage server",
		"CONN": "ConnMessage conn",
		"CODE": "CodeMessage code", "OPTION": "OptionMessage option", "MESSAGE": "MessageMessage message",
		"CLOSE": "Close close", "JOIN": "Join join", "LEAVE": "Leave leave", "SEND": "Send send", "ID": "ID id",
	} {
		api := build(t, head+"both:\n  \""+wire+"\": {a: int}\n")
		if m := api.Messages[0]; m.Go+" "+m.TS != want {
			t.Errorf("%s is %s %s, want %s", wire, m.Go, m.TS, want)
		}
	}
}

// TestRefusedNames has names that lead nowhere, and pairs that lead to the same place: the error names both.
func TestRefusedNames(t *testing.T) {
	for src, want := range map[string]string{
		"both:\n  JOIN_ROOM: {a: int}\n  join-room: {a: int}\n": "join-room and JOIN_ROOM (line 4) are both JoinRoom in Go",
		"both:\n  A_B: {a: int}\n  A__B: {a: int}\n":            "A__B and A_B (line 4) are both AB in Go",
		"both:\n  _PRIVATE: {a: int}\n":                         "names that begin with _ are reserved",
		"both:\n  __heartbeat: {a: int}\n":                      "names that begin with _ are reserved",
		"both:\n  \"$ws:abort\": {a: int}\n":                    "names that begin with $ are reserved",
		"both:\n  \"!!!\": {a: int}\n":                          `"!!!" has no letter or digit`,
		"both:\n  \"\": {a: int}\n":                             `"" has no letter or digit`,
		"both:\n  \"\U0001F600\": {a: int}\n":                   "has no letter or digit",
		"both:\n  ERROR: {a: int}\n":                            "ERROR is the type of the protocol's own frames",
		"clientToServer:\n  GET_ROOM: {request: {a: int}, response: }\n  GET_ROOM_REQUEST: {a: int}\n": "GET_ROOM_REQUEST and GET_ROOM.request (line 4) are both GetRoomRequest in Go",
		"types:\n  RoomUpdate: {a: int}\nboth:\n  ROOM_UPDATE: {a: int}\n":                             "ROOM_UPDATE and the type RoomUpdate (line 4) are both RoomUpdate in Go",
		"both:\n  A: {roomId: int, room_id: int}\n":                                                    `"room_id" and "roomId" (line 4) are both RoomID in Go`,
		"both:\n  A: {__proto__: int}\n":                                                               "__proto__ would change objects in JavaScript",
		"types:\n  Unit: {enum: [a, b]}\n  UnitA: int\nboth:\n  A: {a: Unit}\n":                        `the value "a" of Unit and the type UnitA (line 5) are both UnitA in Go`,
	} {
		var diags diag.List
		model.Build(schema.Parse("messages.yaml", []byte(head+src), &diags), &diags)
		found := diags.Sorted()
		if len(found) == 0 ||
			!slices.ContainsFunc(found, func(d diag.Diagnostic) bool { return strings.Contains(d.Message, want) }) {
			t.Errorf("%s%+v, want %s", src, found, want)
		}
	}
}

// TestSameNameInTwoFiles names both files.
func TestSameNameInTwoFiles(t *testing.T) {
	files := map[string]string{
		"chat.yaml":   head + "imports: {common: ./common.yaml}\ntypes: {Seat: int}\nboth: {A: {a: Seat, b: common.Seat}}\n",
		"common.yaml": "wsgen: 1\nimports: {chat: ./chat.yaml}\ntypes: {Seat: string, Back: chat.Seat}\n",
	}
	var diags diag.List
	model.Build(schema.Load("chat.yaml", func(name string) ([]byte, error) { return []byte(files[name]), nil }, &diags), &diags)
	if found := diags.Sorted(); len(found) != 1 || found[0].Pos.File != "common.yaml" || !strings.Contains(found[0].Message,
		"the type Seat of common.yaml and the type Seat") {
		t.Errorf("%+v", found)
	}
}

// TestFieldNames has fields that look like keywords, methods or properties of objects.
func TestFieldNames(t *testing.T) {
	api := build(t, head+"both:\n  A: {fields: {type: int, func: int, x-y: int, \"@id\": int, \"$ref\": int, 1st: int, "+
		"marshalJSON: int, constructor: int, toString: int, hasOwnProperty: int, validate: int}}\n")
	var got []string
	for _, f := range api.Messages[0].Payload.Type.Fields {
		got = append(got, f.Go+" "+f.TS)
	}
	want := []string{"Type type", "Func func", `XY "x-y"`, `ID "@id"`, "Ref $ref", `X1st "1st"`, "MarshalJSONField marshalJSON",
		"Constructor constructor", "ToString toString", "HasOwnProperty hasOwnProperty", "Validate validate"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestEnumNames has values that give no names of their own.
func TestEnumNames(t *testing.T) {
	for values, want := range map[string]string{
		"[open, closed]":            "EOpen EClosed",
		"[MHz, mHz]":                "EMHz EmHz",
		"['<', '<=', '==', '!=']":   "ELess ELessEqual EEqualEqual ENotEqual",
		"['+1', '-1']":              "EPlus1 EMinus1",
		"[Etc/GMT+0, Etc/GMT-0]":    "EEtcSlashGMTPlus0 EEtcSlashGMTMinus0",
		"['', '*']":                 "EEmpty EStar",
		"['null', 'true', '1']":     "ENull ETrue E1",
		"[0, 1]":                    "E0 E1",
		"['Ω', '\U0001F600', '+1']": "EValue1 EValue2 EValue3",
	} {
		api := build(t, head+"types:\n  E: {enum: "+values+"}\nboth:\n  A: {e: E}\n")
		var got []string
		for _, v := range named(t, api, "E").Type.Values {
			got = append(got, v.Go)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", values, strings.Join(got, " "), want)
		}
	}
	api := build(t, head+"types:\n  IssueState: {enum: [open]}\n  PullRequestState: {enum: [open]}\nboth:\n  A: {i: "+
		"IssueState, p: PullRequestState}\n")
	if a, b := named(t, api, "IssueState"), named(t, api, "PullRequestState"); a.Type.Values[0].Go != "IssueStateOpen" ||
		b.Type.Values[0].Go != "PullRequestStateOpen" {
		t.Error("values of two enums have the same name")
	}
}

// TestPayloadIsTheType shares one Go type when a message is a declared type of its name.
func TestPayloadIsTheType(t *testing.T) {
	api := build(t, head+"types:\n  RoomUpdate: {a: int}\nboth:\n  ROOM_UPDATE: RoomUpdate\n")
	if len(api.Types) != 1 || api.Messages[0].Payload != api.Types[0] {
		t.Errorf("%+v", api.Types)
	}
}
