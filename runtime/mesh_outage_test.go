package runtime_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsgen/wsgen/runtime/clock"
	"github.com/wsgen/wsgen/runtime/cluster/memory"
	"github.com/wsgen/wsgen/runtime/wstest"
)

// TestANodeThatIsCutOff keeps its connections for a while, then sends them away, and takes none until it has a lease again. Probes are told
// why.
func TestANodeThatIsCutOff(t *testing.T) {
	wstest.Run(t, func(t *testing.T) {
		c := memory.New(clock.Real{})
		srv, entry := nodeOf(t, c, "one")
		time.Sleep(10 * time.Second)
		ready := func() string {
			w := httptest.NewRecorder()
			srv.ReadyHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			return strings.TrimSpace(w.Body.String())
		}
		dial := func() (*websocket.Conn, *http.Response) {
			conn, resp, _ := websocket.Dial(t.Context(), entry.URL()+"/?access_token=ann", &websocket.DialOptions{HTTPClient: entry.Client()})
			return conn, resp
		}
		conn, _ := dial()
		ended := make(chan error, 1)
		go func() {
			_, _, err := conn.Read(context.Background())
			ended <- err
		}()
		c.SetDirectory(memory.Unreachable)
		time.Sleep(25 * time.Second)
		if got := ready(); got != "no lease in the cluster" {
			t.Errorf("probes are told %q", got)
		}
		if len(ended) > 0 {
			t.Error("the connection ends before there is a chance that this is over soon")
		}
		time.Sleep(12 * time.Second)
		if err := <-ended; websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
			t.Errorf("the connection ends with %v", err)
		}
		if conn, resp := dial(); conn != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "2" {
			t.Errorf("a new one gets %+v", resp)
		}
		c.SetDirectory(memory.Works)
		time.Sleep(30 * time.Second)
		if got := ready(); got != "ready" {
			t.Errorf("probes are told %q", got)
		}
		if conn, _ = dial(); conn == nil {
			t.Fatal("no new one when it is over")
		}
		_ = conn.CloseNow()
		if err := srv.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if got := ready(); got != "draining" {
			t.Errorf("probes are told %q", got)
		}
	})
}
