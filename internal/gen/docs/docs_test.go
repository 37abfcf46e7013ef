package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen/docs"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the documents of golden/language")

// generate returns the documents of a protocol by their names.
func generate(t *testing.T, read func(name string) ([]byte, error)) map[string]string {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Load("messages.yaml", read, &diags), &diags)
	if api == nil {
		t.Fatalf("%+v", diags.Sorted())
	}
	files, err := docs.Generate(api)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range files {
		out[f.Path] = string(f.Data)
	}
	return out
}

// TestLanguage keeps the documents of a protocol that has all of the language.
func TestLanguage(t *testing.T) {
	const folder = "../../../golden/language"
	files := generate(t, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(folder, name)) })
	for name, got := range files {
		path := filepath.Join(folder, "docs", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != got {
			t.Errorf("go test ./internal/gen/docs -update accepts this (%v):\n%s", err, udiff.Unified(path,
				"generated", string(want), got))
		}
	}
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestExamplesAreFrames wants every example to be JSON with the name of its message, and one for every message.
func TestExamplesAreFrames(t *testing.T) {
	const folder = "../../../golden/unions"
	md := generate(t, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(folder, name)) })["protocol.gen.md"]
	met := map[string]bool{}
	for _, m := range jsonBlock.FindAllStringSubmatch(md, -1) {
		var frame struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal([]byte(m[1]), &frame); err != nil {
			t.Errorf("%v in %s", err, m[1])
		}
		met[frame.Type] = true
	}
	for _, name := range []string{"POST", "SHAPE", "DRAW", "VALUE", "ASK", "ASK_RESPONSE"} {
		if !met[name] {
			t.Errorf("%s has no example", name)
		}
	}
}

// TestTextIsEscaped gives descriptions that try to leave their place.
// TestVariants finds what is said of the variants of a union.
func TestVariants(t *testing.T) {
	src := `wsgen: 1
name: Test
types:
  Shape:
    discriminator: kind
    mapping:
      # A round one.
      circle: {r: float}
      square:
        description: With four corners.
        fields: {a: float}
clientToServer: {A: {x: Shape}}
`
	markdown := generate(t, func(string) ([]byte, error) { return []byte(src), nil })["protocol.gen.md"]
	for _, text := range []string{"kind: \"circle\"` | A round one.", "kind: \"square\"` | With four corners."} {
		if !strings.Contains(markdown, text) {
			t.Errorf("there is no %s", text)
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
	src := "wsgen: 1\nname: \"X\\n<script>alert(1)\"\ngo: {package: x}\nversion: <i>\ndescription: '<script>alert(1)</script>'\ntypes:\n  T: {type: string, description: \"a | " +
		"b\\n<img src=x onerror=alert(1)>\"}\nboth:\n" +
		"  A: {payload: {t: T, u: {type: string, description: \"a | b\\n<b>\", pattern: '<|>'}}, description: '<i>', " +
		"deprecated: '<u>', examples: [{t: '</pre><script>', u: '<'}]}\n" +
		"  '<img>': {}\n"
	files := generate(t, func(string) ([]byte, error) { return []byte(src), nil })
	for _, bad := range []string{"<script>alert", "<img", "<b>", "<i>", "<u>", "</pre><script>"} {
		if strings.Contains(files["protocol.gen.html"], bad) {
			t.Errorf("%s is in the page", bad)
		}
		if strings.Contains(jsonBlock.ReplaceAllString(files["protocol.gen.md"], ""), bad) {
			t.Errorf("%s is in the Markdown", bad)
		}
	}
}
