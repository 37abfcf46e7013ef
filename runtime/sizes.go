package runtime

// How large a frame may be depends on its message, and is checked before its payload is read.

import (
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/internal/envelope"
)

// bound notes how large each message may be: usual, where it does not say so itself.
func (s *Server) bound(usual int) {
	s.smallest, s.find = usual, s.lookup
	for _, t := range s.messages {
		t.most = or(t.MaxBytes, usual)
		if t.FromClient {
			s.smallest = min(s.smallest, t.most)
		}
	}
}

// lookupWithin is lookup for a frame of a size: the payload of a message that is too large is passed over, not read.
func (s *Server) lookupWithin(size int) envelope.Lookup[*messageType] {
	return func(name []byte) (*messageType, func(*codec.Decoder) any, bool) {
		t, decode, known := s.lookup(name)
		if known && size > t.most && decode != nil {
			decode = passOver
		}
		return t, decode, known
	}
}

func passOver(d *codec.Decoder) any {
	d.Skip()
	return nil
}
