package jsonschema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v5 "github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/internal/diag"
	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
)

func build(t *testing.T, src string) *model.API {
	t.Helper()
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", []byte(src), &diags), &diags)
	if api == nil {
		t.Fatal(diags.Sorted())
	}
	return api
}

const protocol = `
wsgen: 1
name: Test
types:
  Role: {enum: [owner, member]}
clientToServer:
  PING: {}
  SEND:
    payload:
      id: uuid
      text: string(1..5)
      n: int32(0..9) = 3
      big: int64
      role: Role | null
      "tags?": string(..3)[](..2)
      by?: map<uint8>(..1)
      data: bytes(..4)
      at: date-time | null
      inner: {x: float}
      any: any | null
`

func TestJudgesSamples(t *testing.T) {
	doc, err := jsonschema.Canonical(build(t, protocol))
	if err != nil {
		t.Fatal(err)
	}
	c := v5.NewCompiler()
	c.Draft, c.AssertFormat, c.AssertContent = v5.Draft2020, true, true
	if err := c.AddResource("doc.json", strings.NewReader(string(doc))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("doc.json#/$defs/SEND")
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	const good = `{"id":"6e3d9e2a-93b8-4a35-a2a4-5b0c5f6f0a01","text":"hi","big":"9","role":null,"data":"aGk=","at":null,"inner":{"x":1.5},"any":null}`
	for patch, want := range map[string]bool{
		`{}`: true, `{"text":""}`: false, `{"text":"123456"}`: false, `{"n":10}`: false, `{"n":9}`: true, `{"big":9}`: false,
		`{"big":"09"}`:     false,
		`{"role":"owner"}`: true, `{"role":"king"}`: false, `{"tags":["a","b","c"]}`: false, `{"tags":["abcd"]}`: false,
		`{"tags":[]}`:    true,
		`{"by":{"a":1}}`: true, `{"by":{"a":256}}`: false, `{"by":{"a":1,"b":2}}`: false, `{"data":"AAAAAAAAAAA="}`: false,
		`{"at":"2026-01-01T00:00:00Z"}`: true, `{"at":"yesterday"}`: false, `{"inner":{}}`: false,
		`{"inner":{"x":1,"y":2}}`: false,
		`{"id":"1"}`:              false, `{"other":1}`: false, `{"any":[1]}`: true,
	} {
		var v map[string]any
		for _, raw := range []string{good, patch} {
			if err := json.Unmarshal([]byte(raw), &v); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Validate(v); (err == nil) != want {
			t.Errorf("%s: %v, want valid %v", patch, err, want)
		}
	}
}

// TestEveryDefinitionCompiles reads documents as another tool does: every reference leads somewhere, every keyword is right.
func TestEveryDefinitionCompiles(t *testing.T) {
	files, err := filepath.Glob("../../../golden/*/messages.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "../../../examples/messages.yaml") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.Canonical(build(t, string(src)))
		if err != nil {
			t.Fatal(err)
		}
		var parsed struct {
			Defs map[string]any `json:"$defs"`
		}
		if err := json.Unmarshal(doc, &parsed); err != nil || len(parsed.Defs) == 0 {
			t.Fatalf("%s: %v, %d definitions", path, err, len(parsed.Defs))
		}
		c := v5.NewCompiler()
		c.Draft, c.AssertFormat, c.AssertContent = v5.Draft2020, true, true
		if err := c.AddResource("doc.json", strings.NewReader(string(doc))); err != nil {
			t.Fatal(err)
		}
		for name := range parsed.Defs {
			if _, err := c.Compile("doc.json#/$defs/" + name); err != nil {
				t.Errorf("%s: %s: %v", path, name, err)
			}
		}
	}
}

// TestDefinitionsOfARequest has an entry for each body that travels, and none for those that do not.
func TestDefinitionsOfARequest(t *testing.T) {
	doc, err := jsonschema.Canonical(build(t, `
wsgen: 1
name: Test
clientToServer:
  PING: {}
  GET:
    request: {id: uuid}
    response: {text: string}
    progress: {loaded: uint32}
    errors: {GONE: {at: date-time}, BUSY: {}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"GET.request": true, "GET.response": true, "GET.progress": true, "GET.errors.GONE": true, "GET.errors.BUSY": false,
		"PING": false, "claims": true,
	} {
		if strings.Contains(string(doc), `"`+name+`": {`) != want {
			t.Errorf("%s is there is %v, want %v", name, !want, want)
		}
	}
}

func TestFingerprintFollowsTheWire(t *testing.T) {
	src, err := os.ReadFile("../../../examples/messages.yaml")
	if err != nil {
		t.Fatal(err)
	}
	print := func(src string) string {
		f, err := jsonschema.Fingerprint(build(t, src))
		if err != nil || len(f) != 16 {
			t.Fatal(f, err)
		}
		return f
	}
	base := print(string(src))
	same := []string{"# Leave the room.", "# Another comment.", "rate: 20/s burst 40", "rate: 2/s", "shards: 10", "shards: 20",
		"{roomId: RoomID, text: string, userId: string}", "{userId: string, text: string, roomId: RoomID}"}
	for i := 0; i < len(same); i += 2 {
		if print(strings.Replace(string(src), same[i], same[i+1], 1)) != base {
			t.Errorf("%q changes the fingerprint", same[i+1])
		}
	}
	other := []string{"string(1..2000)", "string(1..2001)", "room: joined", "room: none", "NOT_IN_ROOM", "NOT_THERE",
		"LEAVE_ROOM", "QUIT_ROOM"}
	for i := 0; i < len(other); i += 2 {
		if print(strings.Replace(string(src), other[i], other[i+1], 1)) == base {
			t.Errorf("%q does not change the fingerprint", other[i+1])
		}
	}
}
