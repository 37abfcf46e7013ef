package strict_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/client"
	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/golden/strict/strict"
)

// TestStrictClient reports what a client that trusts nobody gets from a server with another schema.
func TestStrictClient(t *testing.T) {
	frames := []string{
		`{"type":"SAY","payload":{"text":"hi","mood":"better"}}`,
		`{"type":"SAY","payload":{"text":"hi","mood":"good","more":1}}`,
		`{"type":"SAY","payload":{"text":"too long","mood":"good"}}`,
		`{"type":"SAY","meta":{"more":1},"payload":{"text":"hi","mood":"good"}}`,
	}
	srv := wstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		for _, f := range frames {
			if err := conn.Write(r.Context(), websocket.MessageText, []byte(f)); err != nil {
				return
			}
		}
		_, _, _ = conn.Read(r.Context())
	}))
	said, wrong := make(chan *strict.Say, 9), make(chan error, 9)
	c, err := strict.Dial(t.Context(), srv.URL(), strict.Events{Say: func(_ context.Context, m *strict.Say) { said <- m }},
		srv.Dialer(), client.WithOnError(func(err error) { wrong <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, want := range []string{"/payload/mood must be one of", "/payload/more unknown field", "/payload/text must have at most 5 characters"} {
		if err := <-wrong; !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if m := <-said; m.Text != "hi" || m.Mood != strict.MoodGood {
		t.Errorf("%+v", m)
	}
}
