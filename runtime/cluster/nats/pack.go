package natscluster

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// The first byte of a kept snapshot says how the rest is written. So no snapshot that is there is empty.
const (
	plain    = 0
	deflated = 1
)

// smallest is what is worth compressing.
const smallest = 512

// packer keeps what compresses, because that costs more to make than a snapshot to compress. It is safe for concurrent use.
type packer struct{ writers sync.Pool }

// pack compresses a snapshot where that makes it smaller.
func (p *packer) pack(snapshot []byte) []byte {
	if len(snapshot) >= smallest {
		b := bytes.NewBuffer(append(make([]byte, 0, len(snapshot)/2), deflated))
		w, _ := p.writers.Get().(*flate.Writer)
		if w == nil {
			w, _ = flate.NewWriter(nil, flate.BestSpeed) // fails for unknown levels only
		}
		defer p.writers.Put(w)
		w.Reset(b)
		_, err := w.Write(snapshot)
		if err = errors.Join(err, w.Close()); err == nil && b.Len() <= len(snapshot) {
			return b.Bytes()
		}
	}
	return append([]byte{plain}, snapshot...)
}

// unpack is the reverse of pack.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errors.New("it is empty")
	}
	switch packed[0] {
	case plain:
		return packed[1:], nil
	case deflated:
		data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed[1:])), maxSnapshot+1))
		if err == nil && len(data) > maxSnapshot {
			err = fmt.Errorf("it has more than %d bytes", maxSnapshot)
		}
		return data, err
	}
	return nil, fmt.Errorf("it is written in a way (%d) that this version does not know", packed[0])
}

// split cuts a snapshot into parts; the last one may be smaller.
func split(packed []byte) [][]byte { return slices.Collect(slices.Chunk(packed, partSize)) }
