package codec

import (
	"errors"

	"github.com/go-faster/jx"
)

// Default returns the value of a default that Go has no literal for. text is the JSON of the schema, which was checked when
// the code was generated.
func Default[T any](text string, decode func(v *T, d *Decoder)) T {
	var v T
	_ = Unmarshal([]byte(text), func(d *Decoder) { decode(&v, d) })
	return v
}

// DefaultUnion is Default for unions.
func DefaultUnion[T any](text string, decode func(d *Decoder) T) T {
	v, _ := UnmarshalUnion([]byte(text), decode)
	return v
}

// UnmarshalUnion is Unmarshal for a union: it reads data, which must be one JSON value and nothing else, in strict mode. The
// error is a *SyntaxError or Issues.
func UnmarshalUnion[T any](data []byte, decode func(d *Decoder) T) (T, error) {
	var zero T
	if !ValidUTF8(data) {
		return zero, errors.New("invalid UTF-8")
	}
	var d Decoder
	d.Reset(data, Strict)
	v := decode(&d)
	if d.End(); d.Err() != nil {
		return zero, d.Err()
	}
	return v, nil
}

// CloseArray ends an array whose items were written with a comma after each: the last one becomes the bracket.
func CloseArray(w *jx.Writer) {
	if n := len(w.Buf) - 1; n >= 0 && w.Buf[n] == ',' {
		w.Buf[n] = ']'
		return
	}
	w.ArrEnd()
}
