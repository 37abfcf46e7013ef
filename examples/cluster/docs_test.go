package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// document is the one whose snippets need NATS, which the module at the root knows nothing of.
const document = "../../docs/cluster.md"

// around is what the snippets leave out.
const around = `package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wsgen/wsgen/examples/chat/chat"
	"github.com/wsgen/wsgen/runtime/cluster"
	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
	"github.com/wsgen/wsgen/runtime/cluster/nats/embed"
)

func authenticate(*http.Request, string) (*chat.Claims, error) { return nil, errors.New("nobody") }

func openLobby(context.Context, *chat.Room) (chat.RoomHandler, error) { return nil, errors.New("nothing") }

func main() {}

var _, _, _ = serve, oneProcess, announce

`

// TestDocumentCompiles compiles the blocks of Go.
func TestDocumentCompiles(t *testing.T) {
	text := read(t, document)
	blocks := regexp.MustCompile("(?ms)^```go nats\\n(.*?)^```$").FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("no blocks")
	}
	program := around
	for _, b := range blocks {
		program += b[1]
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": program, "go.sum": read(t, "go.sum"),
		"go.mod": strings.ReplaceAll(strings.Replace(read(t, "go.mod"), "/examples/cluster\n", "/docs\n", 1), "=> ../..", "=> "+root),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "vet", "-mod=mod", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDocumentNamesFigures finds each figure that the document tells operators to watch.
func TestDocumentNamesFigures(t *testing.T) {
	source := read(t, "../../runtime/prometheus/prometheus.go")
	names := regexp.MustCompile(`wsgen_\w+`).FindAllString(read(t, document), -1)
	for _, name := range names {
		if !strings.Contains(source, `"`+name+`"`) {
			t.Errorf("there is no %s", name)
		}
	}
	if len(names) < 5 {
		t.Errorf("figures: %v", names)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
