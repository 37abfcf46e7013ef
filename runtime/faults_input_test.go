package runtime_test

// What clients send that is too large, from too many places, or no handshake at all.

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// bounded returns a protocol whose BIG may have 2000 bytes, SMALL 100, and USUAL what the schema says, 200. read counts the
// payloads that are read.
func bounded(read *atomic.Int32) *wsrt.Protocol {
	p := *protocol
	p.Limits.MaxBytes = 200
	p.Messages = nil
	for name, most := range map[string]int{"BIG": 2000, "SMALL": 100, "USUAL": 0} {
		payload := *bodyPayload("text")
		payload.Decode = func(d *codec.Decoder) any {
			read.Add(1)
			d.Skip()
			return &body{}
		}
		m := &wsrt.MessageType{Name: name, FromClient: true, Payload: &payload, Kind: -1, MaxBytes: most, Handle: connEvent}
		p.Messages = append(p.Messages, m)
	}
	return &p
}

// TestSizeIsCheckedBeforeThePayload sends each message with the size that it may have, and with a byte more: wherever its
// type stands, the payload of the latter is not read.
func TestSizeIsCheckedBeforeThePayload(t *testing.T) {
	var read atomic.Int32
	s := serveProtocol(t, bounded(&read), nil)
	c := s.dial("user=ann")
	for name, most := range map[string]int{"SMALL": 100, "USUAL": 200} {
		for _, form := range []string{`{"type":"%s","payload":"%s"}`, `{"payload":"%[2]s","type":"%[1]s"}`} {
			pad := most - len(fmt.Sprintf(form, name, ""))
			c.send(fmt.Sprintf(form, name, strings.Repeat("x", pad)))
			receive(t, s.conn)
			read.Store(0)
			c.send(fmt.Sprintf(form, name, strings.Repeat("x", pad+1)))
			c.expect(errorFrame("INVALID_ARGUMENT", fmt.Sprintf("%s may have %d bytes, got %d", name, most, most+1), final))
			if n := read.Load(); n != 0 {
				t.Errorf("%s: the payload of a frame that is too large is read", form)
			}
		}
	}
	c.send(`{"type":"BIG","payload":"` + strings.Repeat("x", 1000) + `"}`)
	receive(t, s.conn)
	c.send(`{"type":"BIG","payload":"` + strings.Repeat("x", 2000) + `"}`)
	c.expectClose(1009, "")
}

// TestAddressesOfIPv6 has a client with as many addresses as it likes, and its neighbour.
func TestAddressesOfIPv6(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Limits.PerIP = 2
		cfg.ClientIP = func(r *http.Request) netip.Addr { ip, _ := netip.ParseAddr(r.URL.Query().Get("ip")); return ip }
	})
	for _, tt := range []struct {
		ip   string
		want int
	}{
		{"2001:db8:0:1::1", 101}, {"2001:db8:0:1:ffff::2", 101}, {"2001:db8:0:1:8000::3", 429}, {"2001:db8:0:2::1", 101},
		{"192.0.2.1", 101}, {"192.0.2.2", 101}, {"192.0.2.1", 101}, {"192.0.2.1", 429},
		{"unknown", 101}, {"unknown", 101}, {"unknown", 101},
	} {
		if _, code := s.tryDial("user=ann&ip="+tt.ip, nil); code != tt.want {
			t.Errorf("%s: %d, want %d", tt.ip, code, tt.want)
		}
	}
}

// TestRateByAddress counts messages of all connections of an IPv6 network together, and those of nowhere each for itself.
func TestRateByAddress(t *testing.T) {
	p := *protocol
	p.Messages = []*wsrt.MessageType{{Name: "FAST", FromClient: true, Payload: bodyPayload("text"), Kind: -1, Handle: connEvent,
		Rate: &wsrt.Rate{Limit: 1, Per: time.Second, Burst: 1, By: wsrt.ByIP}}}
	s := serveProtocol(t, &p, func(cfg *wsrt.ServerConfig) {
		cfg.ClientIP = func(r *http.Request) netip.Addr { ip, _ := netip.ParseAddr(r.URL.Query().Get("ip")); return ip }
	})
	const fast = `{"type":"FAST","payload":{"text":"x"}}`
	for _, ip := range []string{"2001:db8:0:1::1", "unknown", "unknown"} {
		s.dial("user=ann&ip=" + ip).send(fast)
		receive(t, s.conn)
	}
	c := s.dial("user=ann&ip=2001:db8:0:1:ffff::2")
	c.send(fast)
	c.expect(errorFrame("RESOURCE_EXHAUSTED", "too many FAST messages", `,"retryable":true,"retryAfterMs":1000`))
}

// TestRequestsThatAreNoHandshake take no place and leave none taken.
func TestRequestsThatAreNoHandshake(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.Limits = wsrt.Limits{Connections: 1, PerIP: 1, PerUser: 1} })
	for range 3 {
		resp, err := http.Get(s.url + "/ws?user=ann")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("got %d", resp.StatusCode)
		}
	}
	if n := s.srv.Stats().Refused["upgrade"]; n != 3 {
		t.Errorf("%d were counted", n)
	}
	if _, code := s.tryDial("user=ann", nil); code != http.StatusSwitchingProtocols {
		t.Errorf("a connection gets %d", code)
	}
}

// TestLargeHeaders sends what browsers and proxies may add.
func TestLargeHeaders(t *testing.T) {
	s := serve(t, nil)
	h := http.Header{"X-Large": {strings.Repeat("x", 16<<10)}}
	for i := range 200 {
		h.Set(fmt.Sprint("X-Header-", i), "x")
	}
	if _, code := s.tryDial("user=ann", h); code != http.StatusSwitchingProtocols {
		t.Errorf("got %d", code)
	}
	h = http.Header{"X-Large": {strings.Repeat("x", 2<<20)}}
	if _, code := s.tryDial("user=ann", h); code == http.StatusSwitchingProtocols {
		t.Error("two megabytes of headers are let in")
	}
}

// TestOriginOfTLS lets no page of http use a connection of TLS to its own host: somebody on the way may have written it.
func TestOriginOfTLS(t *testing.T) {
	s := serve(t, nil)
	hs := httptest.NewTLSServer(s.srv)
	defer hs.Close()
	host := hs.URL[len("https://"):]
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for origin, want := range map[string]int{
		"https://" + host: 101, "HTTPS://" + host: 101, "http://" + host: 403, "null": 403, "https://" + host + ".evil.com": 403,
	} {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		opts := &websocket.DialOptions{HTTPClient: client, HTTPHeader: http.Header{"Origin": {origin}}}
		ws, resp, err := websocket.Dial(ctx, hs.URL+"/ws?user=ann", opts)
		cancel()
		if err == nil {
			ws.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v (%v), want %d", origin, resp, err, want)
		}
	}
}

// TestMessageTimeout ends a client that leaves a message half sent, also where there are no pings.
func TestMessageTimeout(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) { cfg.PingInterval = -1 })
	c := s.dial("user=ann")
	w, err := c.ws.Writer(context.Background(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(strings.Repeat(" ", 10_000))); err != nil { // more than its buffer
		t.Fatal(err)
	}
	eventually(t, "the message takes too long", func() bool {
		s.clock.Advance(time.Second)
		return len(c.ended) > 0
	})
	c.expectClose(1008, "took too long")
}

// TestIDsOfRequests uses an id twice, again, and as what it is not.
func TestIDsOfRequests(t *testing.T) {
	s := serve(t, nil)
	c := s.dial("user=ann", "wsgen.v1")
	ask := func(id, text string) string {
		return `{"type":"ASK","meta":{"correlationId":` + id + `},"payload":{"roomId":"a","text":"` + text + `"}}`
	}
	c.send(ask(`"x"`, "wait"))
	receive(t, s.asleep)
	c.send(ask(`"x"`, "hi"))
	c.expect(rpcError("x", "INVALID_ARGUMENT", "a request with this correlationId is pending", final))
	c.send(`{"type":"$ws:abort","meta":{"correlationId":"x"}}`)
	c.expect(rpcError("x", "CANCELLED", "cancelled by the client", final))
	receive(t, s.asleep)
	c.send(ask(`"x"`, "nope")) // it is free again
	c.expect(rpcError("x", "NOPE", "no", `,"details":{"text":"why"},"retryable":false`))
	long := `"` + strings.Repeat("x", 5000) + `"`
	for _, id := range []string{`-1`, `18446744073709551616`, `null`, `{}`, `""`, long} {
		c.send(ask(id, "hi"))
		head := `{"type":"RPC_ERROR",`
		if id[0] == '"' { // it has an answer with its id, whatever that is
			head += `"meta":{"correlationId":` + id + `},`
		}
		got := c.next()
		if !strings.HasPrefix(got, head) || !strings.Contains(got, `"code":"INVALID_ARGUMENT"`) || !strings.Contains(got, "/meta/correlationId") {
			t.Errorf("%.30s: got %s", id, got)
		}
	}
	longest := strings.Repeat("x", 1024)
	c.send(ask(`"`+longest+`"`, "nope"))
	c.expect(rpcError(longest, "NOPE", "no", `,"details":{"text":"why"},"retryable":false`))
	// Events that say no id are told so without one.
	c.send(`{"type":"JOIN","payload":{"roomId":""}}`)
	if got := c.next(); !strings.HasPrefix(got, `{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT"`) {
		t.Errorf("an event got %s", got)
	}
}

// TestMaybeAppliedIsOfTheExtendedProfile fails with and without a word on what became of the message: clients of the base
// profile may drop errors with fields that they do not know.
func TestMaybeAppliedIsOfTheExtendedProfile(t *testing.T) {
	s := serve(t, func(cfg *wsrt.ServerConfig) {
		cfg.Interceptors = []wsrt.Interceptor{func(wsrt.HandlerFunc) wsrt.HandlerFunc {
			return func(context.Context, *wsrt.Call) (any, error) {
				return nil, wsrt.Errorf(wsrt.CodeUnavailable, "who knows").WithMaybeApplied(true)
			}
		}}
	})
	for profile, more := range map[string]string{"": "", "wsgen.v1": `,"maybeApplied":true`} {
		c := s.dial("user=ann", slices.DeleteFunc([]string{profile}, func(p string) bool { return p == "" })...)
		c.send(`{"type":"ECHO","meta":{"correlationId":"a"},"payload":{"text":"x"}}`)
		c.expect(rpcError("a", "UNAVAILABLE", "who knows", `,"retryable":true,"retryAfterMs":100`+more))
		c.send(`{"type":"FAST","payload":{"text":"x"}}`)
		c.expect(errorFrame("UNAVAILABLE", "who knows", `,"retryable":true,"retryAfterMs":100`+more))
	}
}
