package client

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/codec"
)

// FuzzReceive gives arbitrary frames to a client in which one call waits: nothing may panic, and the call ends at most once.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"type":"EVENT","payload":{"a":1}}`,
		`{"type":"REPLY","meta":{"correlationId":"id"},"payload":{}}`,
		`{"meta":{"correlationId":"id"},"payload":{"code":"ROOM","details":{}},"type":"RPC_ERROR"}`,
		`{"type":"$ws:rpc-progress","meta":{"correlationId":"id"},"payload":1}`,
		`{"type":"ERROR","payload":{"code":"INVALID_ARGUMENT","message":"","retryable":false,"retryAfterMs":1e300,"details":{"issues":[{"path":""}]}}}`,
		`{"meta":{"correlationId":"id"},`,
		`{"meta":{"correlationId":"id"}}`,
		`{"type":""}`,
		`{"type":"","meta":{"correlationId":"id"}}`,
	} {
		f.Add([]byte(seed))
	}
	value := &wsrt.Payload{Decode: func(d *codec.Decoder) any { return d.Any() }}
	request := &wsrt.MessageType{Name: "ASK", FromClient: true, Request: &wsrt.RequestType{
		ResponseName: "REPLY", Response: value, Progress: value, Timeout: time.Hour}}
	protocol := &wsrt.Protocol{
		Messages: []*wsrt.MessageType{request, {Name: "EVENT", FromServer: true, Payload: value}},
		Errors:   []*wsrt.ErrorType{{Code: "ROOM", Details: value}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !codec.ValidUTF8(data) {
			return
		}
		c, err := newClient("ws://wsgen.test", protocol, nil, []Option{WithOnUnknown(func(string, []byte) {}), WithOnError(func(error) {})})
		if err != nil {
			t.Fatal(err)
		}
		s := &session{c: c}
		s.over, s.end = context.WithCancel(context.Background())
		defer s.end()
		k := &call{id: "id", t: request, state: callSent, session: s, notify: make(chan struct{}, 1)}
		c.session, c.calls["id"] = s, k
		s.receive(data)
		if _, over := c.take(k); over == (c.calls["id"] != nil) {
			t.Errorf("over: %v, but still waiting: %v", over, c.calls["id"] != nil)
		}
		if k.err == nil && k.reply != nil {
			if _, ok := k.reply.(json.RawMessage); !ok {
				t.Errorf("reply %T", k.reply)
			}
		}
	})
}
