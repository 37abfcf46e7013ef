// Package envelope reads and writes the frames of the protocol: {"type": …, "meta": {…}, "payload": …}. Payloads are read
// in place by the codec of their message, in the same pass over the frame.
package envelope

import (
	"fmt"
	"math"

	"github.com/go-faster/jx"

	"github.com/wsgen/wsgen/runtime/codec"
)

// MaxCorrelationID is the longest correlation id in bytes that a request may have.
const MaxCorrelationID = 1 << 10

// Options say which frames are right.
type Options struct {
	// Mode is Strict for frames of clients: unknown keys and what only servers set are refused. It is Lenient for frames
	// of servers: what a newer server added is ignored.
	Mode codec.Mode
	// StrictPayload reads payloads strictly in Lenient mode, too.
	StrictPayload bool
	// Form is another form of frames; nil: the protocol's.
	Form *Form
	// DeclaredMeta keeps keys of meta that the protocol does not know in Frame.Meta, for DecodeMeta.
	DeclaredMeta bool
	// OptionalPayload lets any frame be without a payload: whoever reads it looks at HasPayload.
	OptionalPayload bool
	// V1 allows what only the extended profile has: timeoutMs in the meta of clients.
	V1 bool
}

// Frame is what a frame says. Parts that it does not have are zero.
type Frame[M any] struct {
	Message M      // of its type, as Lookup knows it
	Known   bool   // Lookup knows the type
	Type    string // the type, when Known is false

	CorrelationID string // also known when it is too long, the payload is wrong, or the JSON breaks off behind it
	EmptyID       bool   // the correlation id is "", which is none that a request may have
	Timestamp     float64
	TimeoutMs     int    // V1, from clients
	Room          string // topic; from servers
	Seq           uint64 // number in the room; from servers

	Meta []byte // under DeclaredMeta, an object of the keys of meta that the protocol does not know; nil: none

	HasPayload bool
	Payload    any // what the decode function of Lookup returned
}

// Lookup finds a message by its type. decode reads its payload; it is nil for a message that has none. The name must not
// be kept. Lookup is called at most once per frame.
type Lookup[M any] func(name []byte) (message M, decode func(d *codec.Decoder) any, known bool)

// Read reads one frame of valid UTF-8. What is wrong with it is in d afterwards: d.Err returns a *codec.SyntaxError, or
// codec.Issues whose paths begin at the frame, such as /payload/roomId. A type that lookup does not know is no issue; its
// payload is passed over.
func Read[M any](d *codec.Decoder, data []byte, opt Options, lookup Lookup[M]) Frame[M] {
	if opt.Form != nil {
		return readForm(d, data, opt, lookup)
	}
	d.Reset(data, opt.Mode)
	r := reader[M]{d: d, data: data, opt: opt, lookup: lookup}
	r.root()
	d.End()
	return r.frame
}

// A reader is in the middle of a frame.
type reader[M any] struct {
	d      *codec.Decoder
	data   []byte
	opt    Options
	lookup Lookup[M]
	decode func(d *codec.Decoder) any
	asked  bool // lookup was called
	frame  Frame[M]
}

const (
	seenType = iota
	seenMeta
	seenPayload
)

func (r *reader[M]) root() {
	var seen codec.Seen
	o := r.d.Object()
	for o.Next() {
		switch string(o.Key()) {
		case "type":
			if o.First(&seen, seenType) {
				r.typ()
			}
		case "meta":
			if o.First(&seen, seenMeta) {
				r.meta()
			}
		case "payload":
			if o.First(&seen, seenPayload) {
				r.payload()
			}
		default:
			o.Unknown()
		}
	}
	if o.Lacks(seen, 1<<seenType) {
		o.Require(seen, seenType, "type")
	}
	if r.decode != nil && !r.opt.OptionalPayload && o.Lacks(seen, 1<<seenPayload) {
		o.Require(seen, seenPayload, "payload")
	}
}

// typ reads the type, unless the payload stood first and it was looked up then.
func (r *reader[M]) typ() {
	name, ok := r.d.Text()
	if ok && len(name) == 0 {
		r.d.AddIssue("must not be empty")
		return
	}
	if ok && !r.asked {
		r.ask(name)
	}
}

func (r *reader[M]) ask(name []byte) {
	r.asked = true
	if r.frame.Message, r.decode, r.frame.Known = r.lookup(name); !r.frame.Known {
		r.frame.Type = string(name)
		r.decode = nil
	}
}

// payload reads the payload in its place. When the type has not been met yet, it is looked for in the rest of the frame.
func (r *reader[M]) payload() {
	r.frame.HasPayload = true
	if !r.asked {
		if name, ok := findType(r.data); ok && len(name) > 0 {
			r.ask(name)
		}
	}
	switch {
	case r.decode != nil:
		if r.opt.StrictPayload {
			r.d.SetMode(codec.Strict)
		}
		r.frame.Payload = r.decode(r.d)
		r.d.SetMode(r.opt.Mode)
	case r.frame.Known && r.opt.Mode == codec.Strict:
		r.d.AddIssue("must be left out, because this message has no payload")
		r.d.Skip()
	default:
		r.d.Skip()
	}
}

// findType returns the first type of a frame, which need not be valid beyond it.
func findType(data []byte) (name []byte, ok bool) {
	var d codec.Decoder
	d.Reset(data, codec.Lenient)
	for o := d.Object(); o.Next(); {
		if string(o.Key()) == "type" {
			return d.Text()
		}
		d.Skip()
	}
	return nil, false
}

const (
	seenCorrelationID = iota
	seenTimestamp
	seenTimeoutMs
	seenRoom
	seenSeq
)

func (r *reader[M]) meta() {
	var seen codec.Seen
	for o := r.d.Object(); o.Next(); {
		switch string(o.Key()) {
		case "correlationId":
			if o.First(&seen, seenCorrelationID) {
				r.correlationID()
			}
		case "timestamp":
			if o.First(&seen, seenTimestamp) {
				r.frame.Timestamp = r.d.Float64()
			}
		default:
			if r.opt.Mode == codec.Strict {
				r.clientMeta(&o, &seen)
			} else {
				r.serverMeta(&o, &seen)
			}
		}
	}
}

// clientMeta reads what only clients send, and refuses everything else.
func (r *reader[M]) clientMeta(o *codec.Object, seen *codec.Seen) {
	switch key := string(o.Key()); {
	case key == "timeoutMs" && r.opt.V1:
		if o.First(seen, seenTimeoutMs) {
			r.frame.TimeoutMs = int(min(r.d.Int64Number(1, codec.MaxInt), math.MaxInt32)) // longer is as good as for ever
		}
	case key == "clientId", key == "receivedAt":
		r.d.AddIssue("must be left out, because the server sets it")
		r.d.Skip()
	default:
		r.otherMeta(o)
	}
}

// otherMeta keeps a key that messages may declare.
func (r *reader[M]) otherMeta(o *codec.Object) {
	if !r.opt.DeclaredMeta {
		o.Unknown()
		return
	}
	w := jx.Writer{Buf: r.frame.Meta}
	if n := len(w.Buf); n > 0 {
		w.Buf[n-1] = ','
	} else {
		w.ObjStart()
	}
	member(&w, string(o.Key()), r.d.Raw())
	w.ObjEnd()
	r.frame.Meta = w.Buf
}

// DecodeMeta reads what Frame.Meta has with decode, or reports all of it when decode is nil; paths begin with /meta.
func DecodeMeta(d *codec.Decoder, meta []byte, mode codec.Mode, decode func(d *codec.Decoder)) error {
	if meta == nil {
		meta = []byte("{}")
	}
	d.Reset(meta, mode)
	if decode != nil {
		decode(d)
	} else {
		for o := d.Object(); o.Next(); {
			o.Unknown()
		}
	}
	d.End()
	d.RewritePaths(func(path string) string { return "/meta" + path })
	return d.Err()
}

// serverMeta reads what only servers send, and passes over everything else.
func (r *reader[M]) serverMeta(o *codec.Object, seen *codec.Seen) {
	switch string(o.Key()) {
	case "room":
		if o.First(seen, seenRoom) {
			r.frame.Room = r.d.String()
		}
	case "seq":
		if o.First(seen, seenSeq) {
			r.frame.Seq = uint64(max(r.d.Int64Number(0, codec.MaxInt), 0))
		}
	default:
		r.otherMeta(o)
	}
}

func (r *reader[M]) correlationID() {
	id, ok := r.d.Text()
	if !ok {
		return
	}
	if len(id) == 0 || len(id) > MaxCorrelationID {
		r.d.AddIssue(fmt.Sprintf("must have 1 to %d bytes", MaxCorrelationID))
	}
	r.frame.CorrelationID, r.frame.EmptyID = string(id), len(id) == 0 // who sent it waits for an answer with it
}
