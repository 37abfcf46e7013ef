package natscluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// Options says where NATS is and what belongs to this cluster.
type Options struct {
	// URL of the servers, with commas between them, such as "nats://a:4222,nats://b:4222". The default is the one of nats.go.
	URL string
	// Namespace tells clusters in one account of NATS apart: up to 32 letters, digits, '-' and '_'. Required.
	Namespace string
	// Replicas is how many servers keep each record: 1, 3 or 5. The default is 3 where the servers are a cluster, else 1. It is
	// used by the node that makes the stream; others refuse a stream that has another number than is given here.
	Replicas int
	// NATS has further options for the connections: credentials, TLS, names of inboxes. How connections are kept alive and
	// made anew, and their handlers, are set by this package.
	NATS []nats.Option
	// Logger gets what happens to connections. The default is slog.Default().
	Logger *slog.Logger
}

// startTime is how long Connect tries when its context has no deadline.
const startTime = 30 * time.Second

// minLevel is the level of the JetStream API that server 2.12 has: batches that are written as a whole.
const minLevel = 2

// headroom is what headers and subject may add to a packet.
const headroom = 16 << 10

func (o Options) validate() error {
	if !validToken(o.Namespace) || len(o.Namespace) > 32 {
		return fmt.Errorf("natscluster: namespace %q: it must have 1 to 32 letters, digits, '-' or '_'", o.Namespace)
	}
	if o.Replicas < 0 || o.Replicas > 5 || o.Replicas != 0 && o.Replicas%2 == 0 {
		return fmt.Errorf("natscluster: %d replicas: it must be 1, 3 or 5", o.Replicas)
	}
	return nil
}

// connect opens a connection, and tries again until ctx ends when there is no server yet.
func (o Options) connect(ctx context.Context, what string) (*nats.Conn, error) {
	url := o.URL
	if url == "" {
		url = nats.DefaultURL
	}
	for told := false; ; {
		nc, err := nats.Connect(url, o.settings(what)...)
		if err == nil {
			return nc, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
			return nil, fmt.Errorf("natscluster: %s refuses the credentials: %w", redacted(url), err)
		}
		if !told {
			o.Logger.Warn("natscluster: no NATS yet", "url", redacted(url), "error", err)
			told = true
		}
		if pause(ctx, 250*time.Millisecond) != nil {
			return nil, fmt.Errorf("natscluster: cannot connect to %s: %w", redacted(url), err)
		}
	}
}

// settings are the options of a connection. What is sent while it is down fails at once, because a packet or a renewal that
// is flushed later only does harm; a server that does not answer is left within seconds.
func (o Options) settings(what string) []nats.Option {
	log := o.Logger.With("connection", what)
	return append(append([]nats.Option(nil), o.NATS...),
		nats.Name("wsgen "+o.Namespace+" "+what),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 250*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(2*time.Second),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(4*time.Second), // a write to a frozen server holds up the pings
		nats.Timeout(2*time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("natscluster: lost the connection", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("natscluster: connected again", "server", nc.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil {
				log.Warn("natscluster: "+err.Error(), "subject", sub.Subject)
			} else {
				log.Warn("natscluster: " + err.Error())
			}
		}))
}

// checkServer refuses servers that cannot do what is needed.
func checkServer(ctx context.Context, nc *nats.Conn, js jetstream.JetStream) error {
	if most := nc.MaxPayload(); most < cluster.MaxPacket+headroom {
		return fmt.Errorf("natscluster: max_payload of the server is %d bytes, at least %d are needed", most,
			cluster.MaxPacket+headroom)
	}
	var info *jetstream.AccountInfo
	err := retry(ctx, func(ctx context.Context) (err error) {
		info, err = js.AccountInfo(ctx)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("natscluster: JetStream is not enabled for this account: %w", err)
	case err != nil:
		return fmt.Errorf("natscluster: JetStream (%s, version %s) does not answer; is it enabled, and has it a leader? %w",
			nc.ConnectedServerName(), nc.ConnectedServerVersion(), err)
	case info.API.Level < minLevel:
		return fmt.Errorf("natscluster: the server has version %s, at least 2.12 is needed", nc.ConnectedServerVersion())
	}
	return nil
}

// retry calls f until it succeeds, ctx ends, or the server says what will not change. Each call gets a few seconds, as an answer
// may be lost.
func retry(ctx context.Context, f func(context.Context) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := f(try)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || isCode(err, codeSubjectsOverlap) ||
			pause(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// pause waits; it returns early with an error when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// redacted leaves the users and passwords out of URLs.
func redacted(urls string) string {
	all := strings.Split(urls, ",")
	for i, u := range all {
		if at := strings.LastIndexByte(u, '@'); at >= 0 {
			scheme, _, found := strings.Cut(u, "://")
			if all[i] = u[at+1:]; found {
				all[i] = scheme + "://" + all[i]
			}
		}
	}
	return strings.Join(all, ",")
}
