package codec

import (
	"bytes"
	"encoding/json"
)

// Opt is a value that may be absent, null or there: a field that is both optional and nullable. The zero value is
// absent. Fields of other types that embed it need `omitzero` in their json tag to stay absent in encoding/json.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optSome
)

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, state: optSome} }

// Null returns an Opt that is null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Absent reports whether the field is left out.
func (o Opt[T]) Absent() bool { return o.state == optAbsent }

// Null reports whether the field is there and null.
func (o Opt[T]) Null() bool { return o.state == optNull }

// Get returns the value and true, or the zero value and false when it is absent or null.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optSome }

// IsZero reports whether the field is left out; encoding/json asks it for `omitzero`.
func (o Opt[T]) IsZero() bool { return o.Absent() }

// MarshalJSON returns the value, or null when there is none.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optSome {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON takes a value or null; encoding/json does not call it for an absent field.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
