package runtime_test

import (
	"context"
	"errors"
	"testing"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"
	"github.com/wsgen/wsgen/runtime/internal/mesh"
)

// edge answers every call.
type edge func(call *mesh.Frame) ([]byte, error)

func (e edge) Call(_ context.Context, call []byte) ([]byte, error) {
	f, err := mesh.Decode(call)
	if err != nil {
		return nil, err
	}
	return e(f)
}

// TestPublisherErrors says what becomes of calls that fail, and whether the message may have been published.
func TestPublisherErrors(t *testing.T) {
	for _, test := range []struct {
		name         string
		answer       []byte
		err          error
		code         wsrt.Code
		maybe, known bool
	}{
		{"nobody", nil, cluster.ErrNobody, wsrt.CodeUnavailable, false, true},
		{"lost", nil, errors.New("cut off"), wsrt.CodeUnavailable, true, true},
		{"late", nil, context.DeadlineExceeded, wsrt.CodeDeadlineExceeded, true, true},
		{"refused", (&mesh.Frame{Kind: mesh.Done, Code: "UNIMPLEMENTED", Text: "unknown"}).Encode(), nil, wsrt.CodeUnimplemented, false, false},
		{"no answer", []byte{0xff}, nil, wsrt.CodeInternal, true, true},
		{"another answer", (&mesh.Frame{Kind: mesh.Moved}).Encode(), nil, wsrt.CodeInternal, true, true},
	} {
		p := wsrt.NewPublisher(protocol, edge(func(*mesh.Frame) ([]byte, error) { return test.answer, test.err }))
		_, err := p.Publish(t.Context(), "room:a", news, &body{Text: "x"})
		e, ok := errors.AsType[*wsrt.Error](err)
		if !ok || e.Code() != test.code || test.err != nil && !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if maybe, known := e.MaybeApplied(); maybe != test.maybe || known != test.known {
			t.Errorf("%s: maybe applied %v, %v", test.name, maybe, known)
		}
	}
}

// TestPublisherChecksFirst sends nothing that the schema does not allow.
func TestPublisherChecksFirst(t *testing.T) {
	p := wsrt.NewPublisher(protocol, edge(func(f *mesh.Frame) ([]byte, error) {
		t.Errorf("%+v was sent", f)
		return nil, cluster.ErrNobody
	}))
	for _, topic := range []string{"", "room", "room:", "hall:a"} {
		if _, err := p.Publish(t.Context(), topic, news, &body{Text: "x"}); err == nil {
			t.Errorf("topic %q is taken", topic)
		}
	}
	if _, err := p.Publish(t.Context(), "room:a", news, (*body)(nil)); err == nil {
		t.Error("nil is taken")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Publish(over, "room:a", news, &body{Text: "x"}); wsrt.CodeOf(err) != wsrt.CodeCancelled {
		t.Errorf("a context that is over: %v", err)
	}
}
