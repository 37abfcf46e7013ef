package runtime_test

import (
	"fmt"
	"testing"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// TestAConnectionThatEndsWhileItResumes does not take the membership with it: the next one comes back.
func TestAConnectionThatEndsWhileItResumes(t *testing.T) {
	s := serveProtocol(t, withHistory(wsrt.HistoryLimits{Messages: 10, Bytes: 1 << 16, Age: time.Hour}), nil)
	c := s.dial("user=ann", "wsgen.v1")
	session := parseFrame(t, []byte(c.next())).Payload.Session
	c.send(join("a"))
	joined := parseFrame(t, []byte(c.next()))
	resume := fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:a":{"epoch":%q,"seq":1}}}}`, session, joined.Payload.Epoch)
	c.ws.CloseNow()
	receive(t, s.left)
	bob := s.dial("user=bob")
	bob.send(`{"type":"SLEEP","payload":{"roomId":"a"}}`)
	receive(t, s.asleep)
	for range 3 {
		c = s.dial("user=ann", "wsgen.v1")
		c.next() // a session of its own
		c.send(resume)
		c.next() // the session that it had
		c.ws.CloseNow()
	}
	eventually(t, "they have ended", func() bool { return s.srv.Stats().Connections == 1 })
	c = s.dial("user=ann", "wsgen.v1")
	c.next()
	c.send(resume)
	c.next()
	close(s.wake)
	if got := parseFrame(t, []byte(c.next())); got.Type != "$ws:joined" {
		t.Errorf("the resume is answered with %+v", got)
	}
}
