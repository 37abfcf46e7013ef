package envelope_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
)

// roomUpdate has the code that the generator prints for {roomId: string(1..64), text: string, userId: string}.
type roomUpdate struct {
	RoomID string `json:"roomId"`
	Text   string `json:"text"`
	UserID string `json:"userId"`
}

func (m *roomUpdate) decode(d *codec.Decoder) {
	o := d.Object()
	var seen codec.Seen
	for o.Next() {
		switch string(o.Key()) {
		case "roomId":
			if o.First(&seen, 0) {
				m.RoomID = d.StringLen(1, 64)
			}
		case "text":
			if o.First(&seen, 1) {
				m.Text = d.String()
			}
		case "userId":
			if o.First(&seen, 2) {
				m.UserID = d.String()
			}
		default:
			o.Unknown()
		}
	}
	if o.Lacks(seen, 0b111) {
		o.Require(seen, 0, "roomId")
		o.Require(seen, 1, "text")
		o.Require(seen, 2, "userId")
	}
}

func (m *roomUpdate) encode(w *jx.Writer) {
	w.RawStr(`{"roomId":`)
	codec.WriteString(w, m.RoomID)
	w.RawStr(`,"text":`)
	codec.WriteString(w, m.Text)
	w.RawStr(`,"userId":`)
	codec.WriteString(w, m.UserID)
	w.RawStr(`}`)
}

func decodeRoomUpdate(d *codec.Decoder) any {
	m := new(roomUpdate)
	m.decode(d)
	return m
}

func encodeRoomUpdate(w *jx.Writer, v any) { v.(*roomUpdate).encode(w) }

type message struct{ name string }

var roomUpdateMessage = &message{"ROOM_UPDATE"}

func lookup(name []byte) (*message, func(d *codec.Decoder) any, bool) {
	if string(name) == "ROOM_UPDATE" {
		return roomUpdateMessage, decodeRoomUpdate, true
	}
	return nil, nil, false
}

var roomUpdateFrame = []byte(`{"type":"ROOM_UPDATE","payload":{"roomId":"general","text":"hi","userId":"u1"}}`)

// stdEnvelope is how a program without a generator reads a frame: the envelope first, the payload behind it.
type stdEnvelope struct {
	Type    string          `json:"type"`
	Meta    json.RawMessage `json:"meta,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func decodeStd(data []byte) (*roomUpdate, error) {
	var e stdEnvelope
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return nil, err
	}
	m := new(roomUpdate)
	dec = json.NewDecoder(bytes.NewReader(e.Payload))
	dec.DisallowUnknownFields()
	return m, dec.Decode(m)
}

func encodeStd(m *roomUpdate) ([]byte, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return json.Marshal(stdEnvelope{Type: "ROOM_UPDATE", Payload: payload})
}

// BenchmarkDecode reads a whole frame, and says how many times longer encoding/json takes for it.
func BenchmarkDecode(b *testing.B) {
	var d codec.Decoder
	read := func() {
		if !codec.ValidUTF8(roomUpdateFrame) {
			b.Fatal("not UTF-8")
		}
		if f := envelope.Read(&d, roomUpdateFrame, envelope.Options{}, lookup); f.Message == nil || d.Err() != nil {
			b.Fatal(d.Err())
		}
	}
	std := func() {
		if _, err := decodeStd(roomUpdateFrame); err != nil {
			b.Fatal(err)
		}
	}
	compare(b, read, std)
}

// BenchmarkEncode writes a whole frame, and says how many times longer encoding/json takes for it.
func BenchmarkEncode(b *testing.B) {
	m := &roomUpdate{RoomID: "general", Text: "hi", UserID: "u1"}
	h := envelope.Header{Type: "ROOM_UPDATE"}
	var w jx.Writer
	write := func() {
		w.Reset()
		envelope.Append(&w, &h, encodeRoomUpdate, m)
	}
	std := func() {
		if _, err := encodeStd(m); err != nil {
			b.Fatal(err)
		}
	}
	compare(b, write, std)
}

// compare benchmarks ours, and reports how many times longer peer takes. They take turns, so that a busy machine slows
// both.
func compare(b *testing.B, ours, peer func()) {
	b.ReportAllocs()
	var peerTime time.Duration
	for b.Loop() {
		ours()
	}
	const rounds = 20000
	start := time.Now()
	for range rounds {
		peer()
	}
	peerTime = time.Since(start) / rounds
	b.ReportMetric(float64(peerTime.Nanoseconds()), "peer-ns/op")
	b.ReportMetric(float64(peerTime.Nanoseconds())*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "times-faster")
}
