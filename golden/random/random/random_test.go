package random_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	oracle "github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/golden/random/random"
	"github.com/wsgen/wsgen/internal/conformance"
	"github.com/wsgen/wsgen/internal/diag"
	gen "github.com/wsgen/wsgen/internal/gen/jsonschema"
	"github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
	"github.com/wsgen/wsgen/internal/schema"
	"github.com/wsgen/wsgen/runtime/codec"
	"github.com/wsgen/wsgen/runtime/fallback"
)

// view is a canonical schema of all types, and jsonschema/v5's judgement by it.
type view struct {
	defs     jsonschema.Definitions
	lookup   map[string]*jsonschema.Schema
	compiled map[string]*oracle.Schema
	mu       sync.Mutex
}

func newView(defs jsonschema.Definitions) *view {
	v := &view{defs: defs, lookup: make(map[string]*jsonschema.Schema), compiled: make(map[string]*oracle.Schema)}
	for _, d := range defs {
		v.lookup[d.Name] = d.Schema
	}
	return v
}

func (v *view) get(name string) *jsonschema.Schema { return v.lookup[name] }

// judge returns jsonschema/v5's findings about a value.
func (v *view) judge(name string, value any) *oracle.ValidationError {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.compiled[name]
	if s == nil {
		text, err := jsonschema.Standalone(v.lookup[name], v.get)
		if err != nil {
			panic(err)
		}
		if s, err = fallback.Compile(string(text)); err != nil {
			panic(err)
		}
		v.compiled[name] = s
	}
	var invalid *oracle.ValidationError
	errors.As(s.Validate(value), &invalid)
	return invalid
}

// views returns the strict and the lenient view of the protocol.
var views = sync.OnceValues(func() (strict, lenient *view) {
	src, err := os.ReadFile("../messages.yaml")
	if err != nil {
		panic(err)
	}
	var diags diag.List
	api := model.Build(schema.Parse("messages.yaml", src, &diags), &diags)
	return newView(api.Defs), newView(gen.LenientDefinitions(api))
})

// differ returns how the generated code and jsonschema/v5 differ about a value; "" when they do not.
func differ(name string, data []byte) string {
	strict, lenient := views()
	value := conformance.Decode(data)
	written, err := random.Strict(name, data)
	want := strict.judge(name, value)
	switch {
	case err != nil && want == nil && strings.Contains(err.Error(), random.CannotWrite) && strings.Contains(err.Error(), "must have different items"):
		return "" // items that differ only in keys which the schema leaves open, and which are dropped
	case (err == nil) != (want == nil):
		return say("strict", err, want)
	case err != nil && !samePlace(err, want):
		return say("strict: another place", err, want)
	case err == nil && strict.judge(name, conformance.Decode(written)) != nil:
		return "what was read is written as " + string(written) + ", which the schema refuses"
	}
	err = random.Lenient(name, data)
	if want := lenient.judge(name, value); (err == nil) != (want == nil) {
		return say("lenient", err, want)
	}
	return ""
}

func say(view string, err error, want *oracle.ValidationError) string {
	text := "nothing"
	if want != nil {
		text = want.GoString()
	}
	got := "nothing"
	if err != nil {
		got = err.Error()
	}
	return view + ": the code says " + got + "; jsonschema/v5 says " + text
}

// samePlace reports whether the first issue is where jsonschema/v5 finds one, or next to it: a missing field is an issue of the field
// here, and of the object there.
func samePlace(err error, want *oracle.ValidationError) bool {
	var issues codec.Issues
	if !errors.As(err, &issues) {
		return false
	}
	var near func(e *oracle.ValidationError) bool
	near = func(e *oracle.ValidationError) bool {
		if len(e.Causes) == 0 {
			at := fallback.Pointer(e.InstanceLocation)
			return strings.HasPrefix(issues[0].Path, at) || strings.HasPrefix(at, issues[0].Path)
		}
		return slices.ContainsFunc(e.Causes, near)
	}
	return near(want)
}

// TestDifferential makes values for every type from fixed seeds.
func TestDifferential(t *testing.T) {
	rounds := uint64(120)
	if testing.Short() {
		rounds = 20
	}
	names := random.Names()
	slices.Sort(names)
	accepted, all := 0, 0
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			for round := range rounds {
				data := sample(name, uint64(i), round)
				all++
				if _, err := random.Strict(name, data); err == nil {
					accepted++
				}
				if why := differ(name, data); why != "" {
					t.Errorf("%s\n%s", data, why)
				}
			}
		})
	}
	t.Logf("%d values, %d accepted", all, accepted)
	if accepted < all/10 || accepted > all*9/10 {
		t.Errorf("%d of %d values are accepted: there should be many of both kinds", accepted, all)
	}
}

var update = flag.Bool("update", false, "rewrite the vectors")

// vector is a line of vectors.jsonl: a value of a type, and whether each view allows it. Clients in other languages replay
// them.
type vector struct {
	Type    string          `json:"type"`
	JSON    json.RawMessage `json:"json"`
	Strict  bool            `json:"strict"`
	Lenient bool            `json:"lenient"`
}

// TestVectors keeps values with the verdicts of jsonschema/v5, which TestDifferential finds equal to those of the code.
func TestVectors(t *testing.T) {
	names := random.Names()
	slices.Sort(names)
	strict, lenient := views()
	var lines bytes.Buffer
	for i, name := range names {
		for round := range uint64(8) {
			data := sample(name, uint64(i), round)
			value := conformance.Decode(data)
			v := vector{name, data, strict.judge(name, value) == nil, lenient.judge(name, value) == nil}
			lines.Write(append(conformance.Encode(v), '\n'))
		}
	}
	const path = "../vectors.jsonl"
	if *update {
		if err := os.WriteFile(path, lines.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, lines.Bytes()) {
		t.Errorf("%s is out of date (%v); go test ./golden/random/random -update writes it", path, err)
	}
}

// sample returns a value that is right or nearly so.
func sample(name string, a, b uint64) []byte {
	strict, _ := views()
	s := &conformance.Sampler{Rand: rand.New(rand.NewPCG(a, b)), Lookup: strict.get}
	v := s.Value(strict.get(name), 5)
	for range s.IntN(3) {
		v = s.Mutate(v)
	}
	return conformance.Encode(v)
}

// FuzzDifferential looks for values that the generated code and jsonschema/v5 judge differently.
func FuzzDifferential(f *testing.F) {
	names := random.Names()
	slices.Sort(names)
	f.Add(uint(0), uint64(1), uint64(2), []byte(`{"a0":1}`))
	f.Fuzz(func(t *testing.T, index uint, a, b uint64, raw []byte) {
		name := names[index%uint(len(names))]
		if why := differ(name, sample(name, a, b)); why != "" {
			t.Errorf("%s %s\n%s", name, sample(name, a, b), why)
		}
		if !plain(raw) {
			return
		}
		if why := differ(name, raw); why != "" {
			t.Errorf("%s %s\n%s", name, raw, why)
		}
	})
}

// plain reports whether text is JSON that both judge by the same rules: without double keys, and without numbers and depths
// that are refused for what they cost.
func plain(raw []byte) bool {
	if !json.Valid(raw) || !codec.ValidUTF8(raw) {
		return false
	}
	var d codec.Decoder
	d.Reset(raw, codec.Strict)
	d.Any()
	return d.Err() == nil
}
