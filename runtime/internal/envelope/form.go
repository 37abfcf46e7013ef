package envelope

import (
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// Form is a form of frames other than the protocol's: that of Kraken is {Type: "event", ID: "reqid"}, that of Discord
// {Type: "op", Payload: "d", Ints: true}. Such frames have no meta but the number of a request.
type Form struct {
	Type    string // key of the message's name
	Payload string // key of the payload; empty: its fields stand beside the type
	ID      string // key of the number of a request and its reply; empty: there are none
	Ints    bool   // names of messages that are digits are numbers
}

// number is before correlation ids that are numbers on the wire. Text cannot begin with it there: it is not printed.
const number = "\x00"

// NumberID returns the correlation id of a request that is a number on the wire.
func NumberID(n uint64) string { return number + strconv.FormatUint(n, 10) }

// readForm rewrites a frame as the protocol has it, and reads that.
func readForm[M any](d *codec.Decoder, data []byte, opt Options, lookup Lookup[M]) Frame[M] {
	nested, ok := opt.Form.nested(d, data)
	if !ok {
		return Frame[M]{} // what is wrong is in d
	}
	form := opt.Form
	opt.Form = nil
	if name, found := findType(nested); found && form.Payload == "" {
		if _, decode, _ := lookup(name); decode != nil && !hasPayload(nested) {
			nested = append(nested[:len(nested)-1], `,"payload":{}}`...) // all its fields are left out
		}
	}
	f := Read(d, nested, opt, lookup)
	d.RewritePaths(form.path)
	return f
}

// path returns where something of the rewritten frame is in the frame.
func (f *Form) path(path string) string {
	for _, part := range [][2]string{{"/payload", f.Payload}, {"/meta/correlationId", f.ID}, {"/type", f.Type}} {
		if rest, ok := strings.CutPrefix(path, part[0]); ok && (rest == "" || rest[0] == '/') {
			if part[1] == "" {
				return rest
			}
			return "/" + codec.EscapePointer(part[1]) + rest
		}
	}
	return path
}

// nested rewrites a frame. It is not ok for what is no object, which is reported.
func (f *Form) nested(d *codec.Decoder, data []byte) ([]byte, bool) {
	d.Reset(data, codec.Lenient)
	var root, payload jx.Writer
	inline := 0
	o := d.Object()
	for o.Next() {
		key := string(o.Key())
		switch {
		case key == f.Type:
			root.RawStr(`"type":`)
			f.appendName(&root, d.Raw())
		case key == f.ID && f.ID != "":
			root.RawStr(`"meta":{"correlationId":`)
			appendID(&root, d.Raw())
			root.RawStr(`}`)
		case key == f.Payload && f.Payload != "":
			root.RawStr(`"payload":`)
			root.Raw(d.Raw())
		case f.Payload == "":
			if inline++; inline > 1 {
				payload.Comma()
			}
			member(&payload, key, d.Raw())
			continue
		default:
			member(&root, key, d.Raw())
		}
		root.Comma()
	}
	if d.End(); d.Err() != nil {
		return nil, false
	}
	var w jx.Writer
	w.ObjStart()
	w.Raw(root.Buf)
	if f.Payload == "" && inline > 0 {
		w.RawStr(`"payload":{`)
		w.Raw(payload.Buf)
		w.RawStr(`},`)
	}
	codec.CloseObject(&w)
	return w.Buf, true
}

// hasPayload reports whether a rewritten frame has a payload.
func hasPayload(nested []byte) bool {
	var d codec.Decoder
	d.Reset(nested, codec.Lenient)
	found := false
	for o := d.Object(); o.Next(); d.Skip() {
		found = found || string(o.Key()) == "payload"
	}
	return found
}

func member(w *jx.Writer, key string, raw []byte) {
	codec.WriteString(w, key)
	w.RawStr(":")
	w.Raw(raw)
}

// appendName writes the name of a message as the text that it is in the protocol.
func (f *Form) appendName(w *jx.Writer, raw []byte) {
	if f.Ints && isNumber(raw) {
		codec.WriteString(w, string(raw))
		return
	}
	w.Raw(raw)
}

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// appendID writes a correlation id as text; whole numbers are marked.
func appendID(w *jx.Writer, raw []byte) {
	if _, err := strconv.ParseUint(string(raw), 10, 64); err == nil {
		codec.WriteString(w, number+string(raw))
		return
	}
	w.Raw(raw)
}

// appendForm writes a frame of another form.
func appendForm(w *jx.Writer, h *Header, encode func(w *jx.Writer, v any), v any) {
	f := h.Form
	w.ObjStart()
	codec.WriteString(w, f.Type)
	w.RawStr(":")
	if _, err := strconv.ParseInt(h.Type, 10, 64); err == nil && f.Ints {
		w.RawStr(h.Type)
	} else {
		codec.WriteString(w, h.Type)
	}
	if f.ID != "" && h.hasID() {
		w.Comma()
		codec.WriteString(w, f.ID)
		w.RawStr(":")
		if digits, ok := strings.CutPrefix(h.CorrelationID, number); ok {
			w.RawStr(digits)
		} else {
			codec.WriteString(w, h.CorrelationID)
		}
	}
	switch {
	case encode == nil:
	case f.Payload != "":
		w.Comma()
		codec.WriteString(w, f.Payload)
		w.RawStr(":")
		encode(w, v)
	default:
		splice(w, func() { encode(w, v) })
	}
	w.ObjEnd()
}

// splice writes the members of an object that write writes, with a comma before them, into the object that is open.
func splice(w *jx.Writer, write func()) {
	start := len(w.Buf)
	write()
	if len(w.Buf) < start+2 || w.Buf[start] != '{' || len(w.Buf) == start+2 {
		w.Buf = w.Buf[:start] // nothing, or {}
		return
	}
	w.Buf[start] = ','
	w.Buf = w.Buf[:len(w.Buf)-1]
}
