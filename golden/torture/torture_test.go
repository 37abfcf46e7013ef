package torture_test

import (
	"encoding/json"
	"testing"

	"github.com/wsgen/wsgen/runtime/wstest"

	"github.com/wsgen/wsgen/golden/torture/torture"
)

// TestRoundTrips reads and writes values that go through the rarer kinds of types.
func TestRoundTrips(t *testing.T) {
	for _, tt := range []struct {
		text string
		v    wstest.Value
	}{
		{`{"value":1,"kids":[{"value":2}],"by":{"a":{"value":3,"kids":[]}}}`, new(torture.Tree)},
		{`{"a":{"x":1,"deep":"xy"},"b":[{}],"self":{"self":{}},"kept":[1,{"a":null}]}`, new(torture.Def)},
		{`{"a":7,"b":"q","z":true,"kept":null}`, new(torture.Merge)},
		{`[{"k":"l","next":{"k":"r","list":[{"k":"l"}]}},null,{"a":1},{"k":"r"}]`, new(torture.Tup)},
		{`{"v":1.5,"w":[1],"x":"ok"}`, new(torture.Consts)},
		{`{"yes":5}`, new(torture.FalseProp)},
		{`{"red":["green",null]}`, new(torture.KeyMap)},
		{`[{"k":"l"},{"k":"r"}]`, new(torture.AliasList)},
		{`{"tree":{"value":1},"other":{"thing":null,"u":{"k":"l"}}}`, new(torture.Thing)},
		{`18446744073709551615`, new(torture.Big)},
		{`{}`, new(torture.E)},
		{`{"mx":true,"n":"abc"}`, new(torture.E)},
		{`{"k":"r","list":[]}`, new(torture.F)},
		{`2`, new(torture.J)},
		{`{"b":1,"a":2}`, new(torture.K)},
	} {
		wstest.RoundTrip(t, tt.text, tt.v)
	}
}

// TestDefaults fills in defaults of types that Go has no literals for.
func TestDefaults(t *testing.T) {
	e := torture.NewE()
	if _, ok := e.E.(*torture.L); !ok || e.N != nil || len(e.Als) != 0 || e.Mx.Number == nil || *e.Mx.Number != 5 || e.Im["a"] != 1 || e.M.A != 5 {
		t.Errorf("%+v", e)
	}
	if _, ok := e.Tup.V0.(*torture.R); !ok || e.Tup.V1.Absent() || e.Tup.V2.A != 1 {
		t.Errorf("%+v", e.Tup)
	}
	raw, err := json.Marshal(e)
	if err != nil || string(raw) != `{"e":{"k":"l"},"als":[],"n":null,"tup":[{"k":"r"},null,{"a":1}],"mx":5,"im":{"a":1},"m":{"a":5,"b":"q"}}` {
		t.Errorf("%s %v", raw, err)
	}
}
