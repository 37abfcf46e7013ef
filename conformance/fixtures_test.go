// Package conformance_test replays the fixtures of this folder against the Go server and the Go client. README.md is the format
// of the fixtures; e2e/typescript/fixtures.test.ts is built as these files are.
package conformance_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsgen/wsgen/runtime/wstest"
)

// A fixture is a conversation.
type fixture struct {
	About    string
	Only     []string // none: all
	Profiles []string // none: all
	Client   settings
	Server   struct{ Nodes int } // of a cluster; 0: it is none
	Steps    []step
}

// settings are those of the client.
type settings struct {
	Path    string
	Tokens  []string
	TokenIn string
	Queue   *struct {
		Size   int
		Policy string
	}
}

// A step has one action, and perhaps modifiers.
type step map[string]any

// v1 is the extended profile.
const v1 = "wsgen.v1"

var modifiers = []string{"with", "on", "profiles", "times"}

// actions are the actions, and what their values have where those are objects of a fixed form.
var actions = map[string][]string{
	"c2s": {"type", "meta", "payload", "data", "id"}, "s2c": {"type", "meta", "payload", "data"},
	"c2sRaw": {"text", "bytes", "binary"}, "s2cRaw": {"text", "bytes", "binary"},
	"connect": {"path", "token", "offered", "chosen", "refused", "afterMs", "withinMs"},
	"close":   {"code", "reason"}, "hangup": {"code"}, "cut": nil, "beat": nil, "drain": nil, "pass": nil,
	"call": nil, "abort": nil,
	"result": nil, "progress": nil, "event": {"type", "payload", "meta"}, "unknown": nil, "state": nil,
	"error":   {"code", "retryable", "retryAfterMs", "maybeApplied", "details"},
	"onError": {"code", "retryable", "retryAfterMs", "maybeApplied", "details", "reason"},
	"lost":    {"reason", "maybeApplied"}, "invalid": {"paths"},
	"gap": {"room", "member", "reason", "first", "seq"},
}

// action returns the action of a step and its value.
func (s step) action(t *testing.T) (name string, value any) {
	t.Helper()
	for key := range s {
		keys, known := actions[key]
		switch {
		case slices.Contains(modifiers, key):
			continue
		case !known || name != "":
			t.Fatalf("%v: %q is no action, or not the only one", s, key)
		}
		for member := range members(s[key]) {
			if keys != nil && !slices.Contains(keys, strings.TrimSuffix(member, "?")) {
				t.Fatalf("%v: %s has no %q", s, key, member)
			}
		}
		name, value = key, s[key]
	}
	if name == "" {
		t.Fatalf("%v: there is no action", s)
	}
	return name, value
}

// A replay plays what is not tried: a server, or clients.
type replay interface {
	do(name string, value any, s step) // what happens in a step
	end()                              // wants nothing else to have happened
}

// fixtures replays the conversations of sides, in each profile. Time passes only while all wait.
func fixtures(t *testing.T, sides []string, begin func(t *testing.T, f *fixture, profile string) replay) {
	files, err := filepath.Glob("fixtures/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		f := load(t, file)
		for _, profile := range []string{"", v1} {
			if !among(f.Only, sides...) || !among(f.Profiles, profile) {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+profile, func(t *testing.T) {
				wstest.Run(t, func(t *testing.T) {
					r := begin(t, f, profile)
					wstest.Settle()
					for i, s := range f.Steps {
						name, value := s.action(t)
						if !among(texts(s["profiles"]), profile) {
							continue
						}
						t.Logf("step %d: %s", i, encoded(t, s))
						for range times(s) {
							r.do(name, value, s)
							wstest.Settle()
						}
					}
					r.end()
				})
			})
		}
	}
}

// connects reports whether the connection that is there at the beginning is made by a step.
func (f *fixture) connects() bool {
	i := slices.IndexFunc(f.Steps, func(s step) bool { return s["call"] == nil })
	return i >= 0 && f.Steps[i]["connect"] != nil
}

func load(t *testing.T, file string) *fixture {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := new(fixture)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil || f.About == "" {
		t.Fatalf("%s: %v, about %q", file, err, f.About)
	}
	for _, s := range f.Steps { // also those that no replay comes to
		s.action(t)
	}
	return f
}

// among reports whether one of the names is in a list; a list of none has all.
func among(list []string, names ...string) bool {
	return list == nil || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(list, name) })
}

func texts(list any) []string {
	all, _ := list.([]any)
	var out []string
	for _, text := range all {
		out = append(out, text.(string))
	}
	return out
}

func times(s step) int {
	if n, ok := s["times"].(float64); ok {
		return int(n)
	}
	return 1
}

// number returns a number of an object; 0 when it is not there.
func number(v any, key string) int {
	n, _ := members(v)[key].(float64)
	return int(n)
}

// text returns a text of an object; "" when it is not there.
func text(v any, key string) string {
	s, _ := members(v)[key].(string)
	return s
}

// members returns those of an object; none of anything else.
func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func milliseconds(n any) time.Duration {
	ms, _ := n.(float64)
	return time.Duration(ms) * time.Millisecond
}

// raw returns the bytes of a frame, and whether it is binary.
func raw(t *testing.T, v any) (data []byte, binary bool) {
	t.Helper()
	data = []byte(text(v, "text"))
	if b := text(v, "bytes"); b != "" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(b); err != nil {
			t.Fatal(err)
		}
	}
	return data, members(v)["binary"] == true
}

// names are what stands for a value that is not known before.
type names map[string]any

func isName(s string) bool { return strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "$ws:") }

// matches compares a value of JSON with what is wanted of it.
func (n names) matches(want, got any) bool {
	switch want := want.(type) {
	case string:
		if want == "*" {
			return got != nil
		}
		if !isName(want) {
			break
		}
		if _, known := n[want]; !known {
			n[want] = got
		}
		return reflect.DeepEqual(n[want], got)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !n.matches(want[i], list[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		return n.matchesObject(want, got)
	}
	return reflect.DeepEqual(want, got)
}

// matchesObject compares an object. A member whose name ends with ? may be missing.
func (n names) matchesObject(want map[string]any, got any) bool {
	object, ok := got.(map[string]any)
	found := 0
	for key, value := range want {
		name, optional := strings.CutSuffix(key, "?")
		member, there := object[name]
		if there {
			found++
		}
		if there && !n.matches(value, member) || !there && !optional {
			return false
		}
	}
	return ok && found == len(object)
}

// fill puts in what stands for a name. One that was not met before is 32 characters that begin with it.
func (n names) fill(v any) any {
	switch v := v.(type) {
	case string:
		if !isName(v) {
			return v
		}
		if _, known := n[v]; !known {
			n[v] = (v + strings.Repeat("0", 32))[:32]
		}
		return n[v]
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = n.fill(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[strings.TrimSuffix(key, "?")] = n.fill(value)
		}
		return out
	}
	return v
}

// expect compares a value with what is wanted of it.
func (n names) expect(t *testing.T, want, got any) {
	t.Helper()
	if got = plain(t, got); !n.matches(want, got) {
		t.Fatalf("got  %s\nwant %s", encoded(t, got), encoded(t, want))
	}
}

// plain returns a value as JSON has it.
func plain(t *testing.T, v any) (out any) {
	t.Helper()
	if err := json.Unmarshal(encoded(t, v), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// object returns a frame as an object.
func object(t *testing.T, frame []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(frame, &v); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	return v
}

// pass lets a time in milliseconds pass.
func pass(ms any) { time.Sleep(milliseconds(ms)) }
