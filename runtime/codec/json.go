package codec

import (
	"errors"

	"github.com/go-faster/jx"
)

// Unmarshal reads data, which must be one JSON value and nothing else, with decode in strict mode. It is what generated
// UnmarshalJSON methods call. The error is a *SyntaxError or Issues.
func Unmarshal(data []byte, decode func(d *Decoder)) error {
	if !ValidUTF8(data) {
		return errors.New("invalid UTF-8")
	}
	var d Decoder
	d.Reset(data, Strict)
	decode(&d)
	d.End()
	return d.Err()
}

// Marshal returns what encode writes, after check (which may be nil) has found nothing. It is what generated MarshalJSON
// methods call. The error is Issues.
func Marshal(check func(c *Checker), encode func(w *jx.Writer)) ([]byte, error) {
	if check != nil {
		var c Checker
		if check(&c); c.Err() != nil {
			return nil, c.Err()
		}
	}
	var w jx.Writer
	encode(&w)
	return w.Buf, nil
}
