// Package otel makes OpenTelemetry spans of handlers.
//
//	srv, err := chat.NewServer(chat.Config{Options: wsrt.Options{Interceptors: []wsrt.Interceptor{otel.Interceptor()}}, …})
//
// A span has the name of the message, and these attributes: wsgen.message, wsgen.room.kind and wsgen.shard of a message to a
// room, wsgen.error.code of one that failed, and enduser.id where the option asks for it. Keys of rooms and payloads are not
// in it.
package otel

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	wsrt "github.com/wsgen/wsgen/runtime"
)

const scope = "github.com/wsgen/wsgen/runtime/otel"

// Option changes the spans.
type Option func(*config)

type config struct {
	provider trace.TracerProvider
	user     bool
}

// WithTracerProvider takes the tracer from p instead of the global provider.
func WithTracerProvider(p trace.TracerProvider) Option { return func(c *config) { c.provider = p } }

// WithUser puts the user of the connection into the spans.
func WithUser() Option { return func(c *config) { c.user = true } }

// Interceptor returns an interceptor that makes a span of each message that is handled. The handler finds it in its context.
func Interceptor(opts ...Option) wsrt.Interceptor {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	if c.provider == nil {
		c.provider = otel.GetTracerProvider()
	}
	tracer := c.provider.Tracer(scope)
	return func(next wsrt.HandlerFunc) wsrt.HandlerFunc {
		return func(ctx context.Context, call *wsrt.Call) (any, error) {
			ctx, span := tracer.Start(ctx, call.Message.Name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(c.attributes(call)...))
			done := false
			defer func() {
				if !done { // a panic, which the server recovers
					span.SetStatus(codes.Error, "panic")
				}
				span.End()
			}()
			result, err := next(ctx, call)
			done = true
			if err != nil {
				code := string(wsrt.CodeOf(err))
				span.SetAttributes(attribute.String("wsgen.error.code", code))
				span.SetStatus(codes.Error, code)
			}
			return result, err
		}
	}
}

func (c *config) attributes(call *wsrt.Call) []attribute.KeyValue {
	out := []attribute.KeyValue{attribute.String("wsgen.message", call.Message.Name)}
	if r := call.Room; r != nil {
		kind, _, _ := strings.Cut(r.Topic(), ":")
		out = append(out, attribute.String("wsgen.room.kind", kind), attribute.Int("wsgen.shard", r.Shard()))
	}
	if c.user {
		out = append(out, attribute.String("enduser.id", call.Conn.UserID()))
	}
	return out
}
