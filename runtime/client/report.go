package client

import (
	"context"
	"log/slog"
)

// report gives err to OnError in its turn, or to the log.
func (c *Client) report(err error) {
	if c.opts.onError == nil {
		c.log.Warn("wsgen client", slog.Any("error", err))
		return
	}
	if !c.events.postNow(item{name: "WithOnError", f: func(context.Context) { c.opts.onError(err) }}) {
		c.log.Warn("wsgen client: error not reported, because callbacks are too slow", slog.Any("error", err))
	}
}

// setState changes the state and tells OnState. c.mu must be held.
func (c *Client) setState(s State, why error) {
	c.state = s
	c.log.Info("wsgen client", slog.String("state", s.String()), slog.Any("why", why))
	if c.opts.onState != nil {
		c.events.postNow(c.stateItem(s, why))
	}
}

func (c *Client) stateItem(s State, why error) item {
	return item{name: "WithOnState", f: func(context.Context) { c.opts.onState(s, why) }, kept: true}
}

// panicked reports the panic of a callback; one of OnError itself is only logged.
func (c *Client) panicked(callback string, value any, stack []byte) {
	c.log.Error("wsgen client: panic in a callback", slog.String("callback", callback), slog.Any("panic", value),
		slog.String("stack", string(stack)))
	if callback != "WithOnError" && c.opts.onError != nil {
		c.report(&PanicError{Callback: callback, Value: value, Stack: stack})
	}
}
