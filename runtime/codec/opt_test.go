package codec_test

import (
	"encoding/json"
	"testing"

	"github.com/wsgen/wsgen/runtime/codec"
)

func TestOpt(t *testing.T) {
	type holder struct {
		V codec.Opt[string] `json:"v,omitzero"`
	}
	tests := []struct {
		o            codec.Opt[string]
		absent, null bool
		json         string
	}{
		{codec.Opt[string]{}, true, false, `{}`},
		{codec.Null[string](), false, true, `{"v":null}`},
		{codec.Some(""), false, false, `{"v":""}`},
		{codec.Some("x"), false, false, `{"v":"x"}`},
	}
	for _, tt := range tests {
		if tt.o.Absent() != tt.absent || tt.o.Null() != tt.null {
			t.Errorf("%s: absent %t, null %t", tt.json, tt.o.Absent(), tt.o.Null())
		}
		if _, ok := tt.o.Get(); ok != (!tt.absent && !tt.null) {
			t.Errorf("%s: Get says %t", tt.json, ok)
		}
		data, err := json.Marshal(holder{tt.o})
		if err != nil || string(data) != tt.json {
			t.Errorf("got %s, %v, want %s", data, err, tt.json)
		}
		var back holder
		if err := json.Unmarshal(data, &back); err != nil || back.V != tt.o {
			t.Errorf("%s reads as %+v, %v", data, back, err)
		}
	}
	var o codec.Opt[int]
	if err := json.Unmarshal([]byte(`"x"`), &o); err == nil || !o.Absent() {
		t.Errorf("got %+v, %v", o, err)
	}
}
