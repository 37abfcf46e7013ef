package random

import (
	"errors"

	"github.com/wsgen/wsgen/runtime/codec"
)

// value is what every generated type is.
type value interface {
	UnmarshalJSON(data []byte) error
	MarshalJSON() ([]byte, error)
	decode(d *codec.Decoder)
}

// Strict reads data as a server does, and returns what would be sent for it.
func Strict(name string, data []byte) ([]byte, error) {
	v := types[name]()
	if err := v.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	written, err := v.MarshalJSON()
	if err != nil {
		return nil, errors.Join(errWrite, err)
	}
	return written, nil
}

// CannotWrite is in the error of Strict when a value that was read cannot be written.
const CannotWrite = "what was read cannot be written"

var errWrite = errors.New(CannotWrite)

// Lenient reads data as a client does.
func Lenient(name string, data []byte) error {
	var d codec.Decoder
	d.Reset(data, codec.Lenient)
	types[name]().decode(&d)
	d.End()
	return d.Err()
}

// Names returns the names of all types.
func Names() []string {
	var out []string
	for name := range types {
		out = append(out, name)
	}
	return out
}
