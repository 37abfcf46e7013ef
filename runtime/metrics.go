package runtime

import (
	"errors"
	"time"
)

// Metrics is told how long things take, for distributions; what is only counted is in Stats. Package runtime/prometheus has
// one for Prometheus. Its methods are called by many goroutines at once, on the way of every message: they must be quick, and
// not call the server.
type Metrics interface {
	// Handled is called when a handler has ended. code is empty when it succeeded, else what its client was told.
	Handled(message string, code Code, took time.Duration)
	// Flushed is called when a hub has written what was queued in a turn: how many frames, to how many connections.
	// The answer to a request is not among them when it was written at once, because its hub had nothing to do.
	Flushed(frames, connections int, took time.Duration)
}

// handled tells the metrics of a message.
func (in *inbound) handled(err error, took time.Duration) {
	m := in.conn.srv.Metrics
	if m == nil {
		return
	}
	code := CodeOf(err)
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		code = CodeInternal
	}
	m.Handled(in.t.Name, code, took)
}

// turn returns what the hubs call; nil without metrics.
func (s *Server) turn() func(frames, connections int, took time.Duration) {
	if s.Metrics == nil {
		return nil
	}
	return s.Metrics.Flushed
}
