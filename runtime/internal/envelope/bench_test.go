package envelope_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
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

// compare benchmarks ours, and reports how many times longer peer takes: the median of rounds in which they take turns, so
// that a busy machine slows both.
func compare(b *testing.B, ours, peer func()) {
	b.ReportAllocs()
	for b.Loop() {
		ours()
	}
	const rounds, calls = 15, 2000
	measure := func(f func()) float64 {
		start := time.Now()
		for range calls {
			f()
		}
		return float64(time.Since(start).Nanoseconds()) / calls
	}
	var ratios, times []float64
	for range rounds {
		mine, theirs := measure(ours), measure(peer)
		ratios, times = append(ratios, theirs/mine), append(times, theirs)
	}
	slices.Sort(ratios)
	slices.Sort(times)
	b.ReportMetric(times[rounds/2], "peer-ns/op")
	b.ReportMetric(ratios[rounds/2], "times-faster")
}

// BenchmarkHostile reads frames of 16 KiB that are made to be slow.
func BenchmarkHostile(b *testing.B) {
	const size = 16 << 10
	fill := func(head, part, tail string) []byte {
		return []byte(head + strings.Repeat(part, (size-len(head)-len(tail))/len(part)) + tail)
	}
	anything := func(name []byte) (*message, func(d *codec.Decoder) any, bool) {
		return roomUpdateMessage, func(d *codec.Decoder) any { return d.Any() }, true
	}
	for name, data := range map[string][]byte{
		"exponents":     fill(`{"type":"A","payload":[`, `1e1000000,`, `1]}`),
		"nesting":       fill(`{"type":"A","payload":`, `[`, ``),
		"balanced":      []byte(`{"type":"A","payload":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}`),
		"unknown keys":  fill(`{"type":"A",`, `"a":1,`, `"a":1}`),
		"same keys":     fill(`{"type":"A","payload":{`, `"a":1,`, `"a":1}}`),
		"escapes":       fill(`{"type":"A","payload":"`, `\ud83d`, `"}`),
		"payload first": fill(`{"payload":[`, `{},`, `1],"type":"A"}`),
	} {
		b.Run(name, func(b *testing.B) {
			var d codec.Decoder
			for b.Loop() {
				envelope.Read(&d, data, envelope.Options{}, anything)
				_ = d.Err()
			}
		})
	}
}
