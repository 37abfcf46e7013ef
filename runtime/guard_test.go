package runtime_test

import (
	"context"
	"fmt"
	"testing"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// TestErrorsWithNilPointers answers what a program returns by mistake: an error that is not nil, with a pointer that is.
func TestErrorsWithNilPointers(t *testing.T) {
	var none *wsrt.Error
	for name, err := range map[string]error{"nil": none, "wrapped nil": hidden{none}, "wrapped": fmt.Errorf("no: %w", none)} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(cfg *wsrt.ServerConfig) {
				cfg.Authorize = func(context.Context, *wsrt.Conn, *wsrt.Op) error { return err }
			})
			c := s.dial("user=ann")
			c.send(join("a"))
			c.expect(errorFrame("INTERNAL", "internal error", final))
		})
	}
}

// hidden has a text of its own.
type hidden struct{ error }

func (hidden) Error() string   { return "hidden" }
func (h hidden) Unwrap() error { return h.error }
