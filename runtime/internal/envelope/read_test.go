package envelope_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
)

var heartbeat = &message{"__heartbeat"}

// lookupAll knows a message with a payload and one without.
func lookupAll(name []byte) (*message, func(d *codec.Decoder) any, bool) {
	if string(name) == heartbeat.name {
		return heartbeat, nil, true
	}
	return lookup(name)
}

func readFrame(data string, opt envelope.Options) (envelope.Frame[*message], error) {
	var d codec.Decoder
	f := envelope.Read(&d, []byte(data), opt, lookupAll)
	return f, d.Err()
}

const payload = `{"roomId":"general","text":"hi","userId":"u1"}`

func TestReadFrames(t *testing.T) {
	hi := &roomUpdate{RoomID: "general", Text: "hi", UserID: "u1"}
	type frame = envelope.Frame[*message]
	tests := []struct {
		name, data string
		opt        envelope.Options
		want       frame
		err        string // "" when the frame is right
	}{
		{"payload only", `{"type":"ROOM_UPDATE","payload":` + payload + `}`, envelope.Options{},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: hi}, ""},
		{"with meta", `{"type":"ROOM_UPDATE","meta":{"timestamp":1795448726687,"correlationId":"c-1"},"payload":` + payload + `}`, envelope.Options{},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: hi, CorrelationID: "c-1", Timestamp: 1795448726687}, ""},
		{"payload first", `{"payload":` + payload + `,"meta":{"correlationId":"c-1"},"type":"ROOM_UPDATE"}`, envelope.Options{},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: hi, CorrelationID: "c-1"}, ""},
		{"no payload", `{"type":"__heartbeat"}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, ""},
		{"a payload too many", `{"type":"__heartbeat","payload":{}}`, envelope.Options{}, frame{Message: heartbeat, Known: true, HasPayload: true},
			"/payload must be left out, because this message has no payload"},
		{"a payload too many, first", `{"payload":[{}],"type":"__heartbeat"}`, envelope.Options{}, frame{Message: heartbeat, Known: true, HasPayload: true},
			"/payload must be left out, because this message has no payload"},
		{"a payload too few", `{"type":"ROOM_UPDATE"}`, envelope.Options{}, frame{Message: roomUpdateMessage, Known: true}, "/payload is required"},
		{"a payload that may lack", `{"type":"ROOM_UPDATE"}`, envelope.Options{OptionalPayload: true}, frame{Message: roomUpdateMessage, Known: true}, ""},
		{"no type", `{"payload":{}}`, envelope.Options{}, frame{HasPayload: true}, "/type is required"},
		{"type of another type", `{"type":5,"meta":{"correlationId":"c"}}`, envelope.Options{}, frame{CorrelationID: "c"}, "/type must be a string, got number"},
		{"unknown type", `{"type":"NOPE","payload":{"a":[1]},"meta":{"correlationId":"c"}}`, envelope.Options{},
			frame{Type: "NOPE", HasPayload: true, CorrelationID: "c"}, ""},
		{"unknown type behind the payload", `{"payload":{"a":[1]},"type":"NOPE"}`, envelope.Options{}, frame{Type: "NOPE", HasPayload: true}, ""},
		{"type twice", `{"type":"__heartbeat","type":"ROOM_UPDATE"}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/type must not be given twice"},
		{"unknown root key", `{"type":"__heartbeat","data":1}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/data unknown field"},
		{"what the server sets", `{"type":"__heartbeat","meta":{"clientId":"a","receivedAt":1}}`, envelope.Options{}, frame{Message: heartbeat, Known: true},
			"/meta/clientId must be left out, because the server sets it; /meta/receivedAt must be left out, because the server sets it"},
		{"meta is null", `{"type":"__heartbeat","meta":null}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/meta must be an object, got null"},
		{"unknown meta", `{"type":"__heartbeat","meta":{"room":"a"}}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/meta/room unknown field"},
		{"timeout in the base profile", `{"type":"__heartbeat","meta":{"timeoutMs":5}}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/meta/timeoutMs unknown field"},
		{"timeout in v1", `{"type":"__heartbeat","meta":{"timeoutMs":5}}`, envelope.Options{V1: true}, frame{Message: heartbeat, Known: true, TimeoutMs: 5}, ""},
		{"no timeout", `{"type":"__heartbeat","meta":{"timeoutMs":0}}`, envelope.Options{V1: true}, frame{Message: heartbeat, Known: true}, "/meta/timeoutMs must be at least 1"},
		{"empty correlation id", `{"type":"__heartbeat","meta":{"correlationId":""}}`, envelope.Options{}, frame{Message: heartbeat, Known: true, EmptyID: true}, "/meta/correlationId must have 1 to 1024 bytes"},
		{"longest correlation id", `{"type":"__heartbeat","meta":{"correlationId":"` + strings.Repeat("c", 1024) + `"}}`, envelope.Options{}, frame{Message: heartbeat, Known: true, CorrelationID: strings.Repeat("c", 1024)}, ""},
		{"long correlation id", `{"type":"__heartbeat","meta":{"correlationId":"` + strings.Repeat("c", 1025) + `"}}`, envelope.Options{}, frame{Message: heartbeat, Known: true, CorrelationID: strings.Repeat("c", 1025)}, "/meta/correlationId must have 1 to 1024 bytes"},
		{"timestamp of another type", `{"type":"__heartbeat","meta":{"timestamp":"now"}}`, envelope.Options{}, frame{Message: heartbeat, Known: true}, "/meta/timestamp must be a number, got string"},
		{"not an object", `["ROOM_UPDATE"]`, envelope.Options{}, frame{}, "value must be an object, got array"},
		{"order of the document", `{"payload":{"roomId":""},"x":1,"type":"ROOM_UPDATE","meta":{"y":1,"correlationId":"c"}}`, envelope.Options{},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: &roomUpdate{}, CorrelationID: "c"},
			"/payload/roomId must have at least 1 character; /payload/text is required; /payload/userId is required (and 2 more)"},
		{"from a server", `{"type":"ROOM_UPDATE","new":1,"meta":{"room":"room:general","seq":7,"new":{}},"data":{},"payload":{"new":1,` + payload[1:] + `}`,
			envelope.Options{Mode: codec.Lenient},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: hi, Room: "room:general", Seq: 7}, ""},
		{"from a server, a payload too many", `{"type":"__heartbeat","payload":{}}`, envelope.Options{Mode: codec.Lenient}, frame{Message: heartbeat, Known: true, HasPayload: true}, ""},
		{"from a server, wrong", `{"type":"ROOM_UPDATE","meta":{"seq":"a"},"payload":{}}`, envelope.Options{Mode: codec.Lenient},
			frame{Message: roomUpdateMessage, Known: true, HasPayload: true, Payload: &roomUpdate{}},
			"/meta/seq must be an integer, got string; /payload/roomId is required; /payload/text is required (and 1 more)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readFrame(tt.data, tt.opt)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != tt.err {
				t.Errorf("got error %s, want %s", text, tt.err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestCorrelationIDOfBrokenFrames shows that a request can be answered whose JSON breaks off behind its id.
func TestCorrelationIDOfBrokenFrames(t *testing.T) {
	tests := map[string]string{
		`{"type":"ROOM_UPDATE","meta":{"correlationId":"c"},"payload":{"roomId"`: "c",
		`{"meta":{"correlationId":"c"},"type":`:                                  "c",
		`{"type":"ROOM_UPDATE","payload":{"roomId" "meta":{"correlationId":"c"`:  "",
		`{"meta":{"correlationId":"c`:                                            "",
		`{"meta":{"correlationId":"c"}}}`:                                        "c",
	}
	for data, want := range tests {
		f, err := readFrame(data, envelope.Options{})
		if _, ok := err.(*codec.SyntaxError); !ok || f.CorrelationID != want {
			t.Errorf("%s: got %q, %v", data, f.CorrelationID, err)
		}
	}
}

func TestAppend(t *testing.T) {
	m := &roomUpdate{RoomID: "general", Text: "hi", UserID: "u1"}
	tests := []struct {
		header  envelope.Header
		payload bool
		want    string
	}{
		{envelope.Header{Type: "ROOM_UPDATE"}, true, string(roomUpdateFrame)},
		{envelope.Header{Type: `A"B`}, false, `{"type":"A\"B"}`},
		{envelope.Header{Type: "USER", CorrelationID: "c\n1"}, true, `{"type":"USER","meta":{"correlationId":"c\n1"},"payload":` + payload + `}`},
		{envelope.Header{Type: "U", EmptyID: true}, false, `{"type":"U","meta":{"correlationId":""}}`},
		{envelope.Header{Type: "U", Room: "room:a"}, false, `{"type":"U","meta":{"room":"room:a"}}`},
		{envelope.Header{Type: "U", Room: "room:a", Seq: 7}, false, `{"type":"U","meta":{"room":"room:a","seq":7}}`},
		{envelope.Header{Type: "GET_USER", CorrelationID: "c", Timestamp: 5, TimeoutMs: 7}, false,
			`{"type":"GET_USER","meta":{"timestamp":5,"correlationId":"c","timeoutMs":7}}`},
	}
	for _, tt := range tests {
		var w jx.Writer
		if tt.payload {
			envelope.Append(&w, &tt.header, encodeRoomUpdate, m)
		} else {
			envelope.Append(&w, &tt.header, nil, nil)
		}
		if string(w.Buf) != tt.want {
			t.Errorf("got %s, want %s", w.Buf, tt.want)
		}
	}
	var w jx.Writer
	envelope.AppendProgress(&w, nil, "c-1", encodeRoomUpdate, m)
	if want := `{"type":"$ws:rpc-progress","meta":{"correlationId":"c-1"},"data":` + payload + `,"payload":` + payload + `}`; string(w.Buf) != want {
		t.Errorf("got %s, want %s", w.Buf, want)
	}
	w.Reset()
	envelope.AppendHeartbeatAck(&w, nil, 1795448726115)
	if want := `{"type":"__heartbeat_ack","meta":{"ts":1795448726115}}`; string(w.Buf) != want {
		t.Errorf("got %s, want %s", w.Buf, want)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	m := &roomUpdate{RoomID: "general", Text: "hi", UserID: "u1"}
	h := envelope.Header{Type: "ROOM_UPDATE", CorrelationID: "c-1", Room: "room:general", Seq: 7}
	w := jx.Writer{Buf: make([]byte, 0, 512)}
	if n := testing.AllocsPerRun(100, func() {
		w.Reset()
		envelope.Append(&w, &h, encodeRoomUpdate, m)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRead reads arbitrary bytes as a frame: it must end, find invalid JSON where encoding/json does, and what is taken
// must be an envelope.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		string(roomUpdateFrame), `{"payload":` + payload + `,"type":"ROOM_UPDATE"}`, `{"type":"__heartbeat","meta":{"timestamp":1,"correlationId":"c"}}`,
		`{"type":"NOPE"}`, `{"payload":{},"payload":{},"type":"ROOM_UPDATE"}`, `{"t\u0079pe":"ROOM_UPDATE"}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return
		}
		for _, opt := range []envelope.Options{{}, {V1: true}, {Mode: codec.Lenient}} {
			frame, err := readFrame(string(data), opt)
			_, syntax := err.(*codec.SyntaxError)
			if err != nil && strings.Contains(err.Error(), "nested deeper") {
				continue // what is deeper is not looked at
			}
			if syntax == json.Valid(data) {
				t.Fatalf("got %v, encoding/json says %t", err, json.Valid(data))
			}
			if err != nil {
				continue
			}
			var e map[string]json.RawMessage
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			var name string
			if err := json.Unmarshal(e["type"], &name); err != nil {
				t.Fatal(err)
			}
			if frame.Known && frame.Message.name != name || !frame.Known && frame.Type != name {
				t.Fatalf("got %+v", frame)
			}
			if frame.Known && frame.Message == roomUpdateMessage && frame.Payload == nil {
				t.Fatalf("got %+v", frame)
			}
		}
	})
}
