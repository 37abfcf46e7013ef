package defaults_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/wsgen/wsgen/golden/defaults/defaults"
)

// TestDefaultsOfEveryKind wants the constructor, and the codec of a message without fields, to give what the schema says.
func TestDefaultsOfEveryKind(t *testing.T) {
	const want = `{"bytes":"aGVsbG8=","at":"2026-01-02T03:04:05.25Z","any":{"a":[1,null]},"object":{"a":[1,"x",null,true]},
		"map":{"a":1,"b":2},"byLevel":{"high":[{"from":1,"to":2},{"from":0,"to":100}]},"struct":{"from":0,"to":7},
		"nested":[["a",null],[]],"float32":0.001,"exponent":1000,"uint64":"18446744073709551615","bytesOrNull":"aGk=",
		"atOrNull":"2026-01-02T03:04:05Z","structOrNull":{"from":0,"to":100},"mapOrNull":{"x":true},"levelOrNull":"low","bigOrNull":"-1"}`
	decoded := new(defaults.More)
	if err := json.Unmarshal([]byte(`{}`), decoded); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*defaults.More{"NewMore": defaults.NewMore(), "decoded": decoded} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got, expected any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s\ngot  %s\nwant %s", name, data, want)
		}
	}
	*decoded.StructOrNull = defaults.Window{}
	if again := defaults.NewMore(); again.StructOrNull.To != 100 {
		t.Error("values share a default")
	}
}
