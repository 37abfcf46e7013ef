package lobby

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"
)

// TestOneRoom drops the connection of somebody who goes on to another room before the first one has them back: whichever room is
// faster, it is the one that they asked for last that they are in.
func TestOneRoom(t *testing.T) {
	for i := range 20 {
		wstest.Run(t, func(t *testing.T) {
			s := newTestServer(t)
			ann := wstest.Dial(t, s, "/?user=ann", "wsgen.v1")
			session := control(t, ann, "$ws:session").Payload
			ann.Send(`{"type":"JOIN_ROOM","payload":{"roomId":"train"}}`)
			joined := control(t, ann, "$ws:joined").Payload
			ann.Drop()
			again := wstest.Dial(t, s, "/?user=ann", "wsgen.v1")
			again.Send(fmt.Sprintf(`{"type":"$ws:resume","payload":{"session":%q,"rooms":{"room:train":{"epoch":%q,"seq":%d}}}}`,
				session.Session, joined.Epoch, joined.Seq))
			again.Send(`{"type":"JOIN_ROOM","payload":{"roomId":"random"}}`)
			wstest.Settle()
			again.Send(`{"type":"ROOM_MESSAGE","payload":{"text":"here"}}`)
			wstest.Settle()
			for _, f := range again.Frames() {
				if strings.Contains(f, `"ERROR"`) {
					t.Errorf("round %d: %s", i, f)
				}
			}
		})
	}
}

// position is what the frames of a history say.
type position struct {
	Type    string
	Payload struct {
		Session, Epoch string
		Seq            int
	}
}

// control reads up to a frame of a type.
func control(t *testing.T, c *wstest.RawConn, name string) position {
	t.Helper()
	for {
		var f position
		if err := json.Unmarshal([]byte(c.Next()), &f); err != nil {
			t.Fatal(err)
		}
		if f.Type == name {
			return f
		}
	}
}
