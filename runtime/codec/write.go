package codec

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// What the functions of this file append is always valid UTF-8 and valid JSON, whatever the value holds.

// WriteString appends s as a JSON string, with U+FFFD in place of invalid UTF-8.
func WriteString(w *jx.Writer, s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	w.Str(s)
}

// WriteInt64 appends v as a string of digits.
func WriteInt64(w *jx.Writer, v int64) {
	w.Buf = append(w.Buf, '"')
	w.Buf = strconv.AppendInt(w.Buf, v, 10)
	w.Buf = append(w.Buf, '"')
}

// WriteUint64 appends v as a string of digits.
func WriteUint64(w *jx.Writer, v uint64) {
	w.Buf = append(w.Buf, '"')
	w.Buf = strconv.AppendUint(w.Buf, v, 10)
	w.Buf = append(w.Buf, '"')
}

// WriteBytes appends b in base64 with padding; nil is the empty string.
func WriteBytes(w *jx.Writer, b []byte) {
	w.Buf = append(w.Buf, '"')
	w.Buf = base64.StdEncoding.AppendEncode(w.Buf, b)
	w.Buf = append(w.Buf, '"')
}

// WriteTime appends t in RFC 3339 with the offset that it has, and as many digits of a second as it needs.
func WriteTime(w *jx.Writer, t time.Time) {
	if !wholeOffset(t) {
		t = t.UTC()
	}
	w.Buf = append(w.Buf, '"')
	w.Buf = t.AppendFormat(w.Buf, time.RFC3339Nano)
	w.Buf = append(w.Buf, '"')
}

// wholeOffset reports whether RFC 3339 can say the offset of t: whole minutes of less than a day.
func wholeOffset(t time.Time) bool {
	const day = 24 * 60 * 60
	_, offset := t.Zone()
	return offset%60 == 0 && offset > -day && offset < day
}

// WriteAny appends JSON text as it stands; null in place of text that is no JSON, and of nil.
func WriteAny(w *jx.Writer, raw json.RawMessage) {
	if len(raw) == 0 || rawIssue(raw) != "" {
		w.Null()
		return
	}
	w.Raw(raw)
}

// WriteJSONObject appends the object with its keys in order, and null in place of values that JSON has no form for.
func WriteJSONObject(w *jx.Writer, m map[string]any) { writeValue(w, m, 1) }

// writeValue appends what a map[string]any may hold.
func writeValue(w *jx.Writer, v any, depth int) {
	switch v := v.(type) {
	case bool:
		w.Bool(v)
	case string:
		WriteString(w, v)
	case float64:
		w.Float64(v)
	case float32:
		w.Float32(v)
	case []any:
		writeList(w, v, depth)
	case map[string]any:
		writeFields(w, v, depth)
	default:
		writeScalar(w, v)
	}
}

// writeScalar appends integers and what brings its own JSON.
func writeScalar(w *jx.Writer, v any) {
	switch v := v.(type) {
	case int:
		w.Int(v)
	case int8:
		w.Int8(v)
	case int16:
		w.Int16(v)
	case int32:
		w.Int32(v)
	case int64:
		w.Int64(v)
	case uint:
		w.UInt(v)
	case uint8:
		w.UInt8(v)
	case uint16:
		w.UInt16(v)
	case uint32:
		w.UInt32(v)
	case uint64:
		w.UInt64(v)
	case json.Number:
		if !validNumber(string(v)) {
			v = "null"
		}
		w.RawStr(string(v))
	case json.RawMessage:
		WriteAny(w, v)
	case json.Marshaler:
		raw, _ := v.MarshalJSON() // nil after an error, so null is written
		WriteAny(w, raw)
	default:
		w.Null()
	}
}

func writeList(w *jx.Writer, list []any, depth int) {
	if depth > MaxDepth {
		w.Null()
		return
	}
	w.ArrStart()
	for i, item := range list {
		if i > 0 {
			w.Comma()
		}
		writeValue(w, item, depth+1)
	}
	w.ArrEnd()
}

func writeFields(w *jx.Writer, m map[string]any, depth int) {
	if depth > MaxDepth {
		w.Null()
		return
	}
	w.ObjStart()
	for i, key := range sortedKeys(m, nil) {
		if i > 0 {
			w.Comma()
		}
		WriteString(w, key)
		w.RawStr(":")
		writeValue(w, m[key], depth+1)
	}
	w.ObjEnd()
}

// WriteMap appends a map as an object, in the order of its keys so that equal maps are equal on the wire. write appends a
// value. It does not allocate for maps of up to 16 keys.
func WriteMap[K ~string, V any](w *jx.Writer, m map[K]V, write func(w *jx.Writer, v V)) {
	var buf [16]K
	w.ObjStart()
	for i, key := range sortedKeys(m, buf[:0]) {
		if i > 0 {
			w.Comma()
		}
		WriteString(w, string(key))
		w.RawStr(":")
		write(w, m[key])
	}
	w.ObjEnd()
}

// Sorted iterates over a map in the order of its keys.
func Sorted[K ~string, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, key := range sortedKeys(m, nil) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// sortedKeys appends the keys of m to buf and sorts them.
func sortedKeys[K cmp.Ordered, V any](m map[K]V, buf []K) []K {
	for key := range m {
		buf = append(buf, key)
	}
	slices.Sort(buf)
	return buf
}

// CloseObject ends an object whose fields were written with a comma after each: the last one becomes the brace.
func CloseObject(w *jx.Writer) {
	if n := len(w.Buf) - 1; n >= 0 && w.Buf[n] == ',' {
		w.Buf[n] = '}'
		return
	}
	w.ObjEnd()
}
